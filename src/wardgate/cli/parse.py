"""`wardgate parse`: how a file is understood, one call a line, without keeping anything."""

from collections import Counter
from typing import Any

import click

from wardgate.cli.ingest import format_options, options_of
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, clean, count, json_text, print_table, span

_MEASURED = ("origin_id", "batch_id", "received_at_us", "is_linked")  # about storage, not about the call


@click.command()
@click.argument("file")
@format_options
@click.option("--service", metavar="NAME", help="The service all calls belong to. Default: their host.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Stop after N calls.")
@click.option("--rejects", is_flag=True, help="Print every record that was kept aside, not just a summary.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a call, all its columns.")
@pass_installation
def parse(
    installation: Installation,
    /,
    as_json: bool,
    limit: int | None,
    rejects: bool,
    **given: Any,
) -> None:
    """Show how a file is understood, without keeping anything.

    Calls go to standard output, redacted as they would be stored. The format, the accounting and what was
    kept aside go to standard error.
    """
    from wardgate.core.clock import system_clock
    from wardgate.core.errors import WardgateError
    from wardgate.service.ingest import Reading
    from wardgate.service.parsing import Aside, Parsing
    from wardgate.sources.files import find_inputs
    from wardgate.sources.format import Defaults

    inputs = find_inputs([given["file"]])
    if len(inputs) != 1:
        raise WardgateError(
            "parse-one-file", f"{clean(given['file'])} is several files.", mend="Name one of them."
        )
    reading = Reading(
        format=given["format_name"], options=options_of(given), defaults=Defaults(service=given["service"])
    )
    parsing = Parsing(inputs[0], reading, installation.key, system_clock)
    accepted, aside, skipped = 0, list[Aside](), Counter[str]()
    rows: list[list[str]] = []
    for part in parsing:
        calls = part.calls if limit is None else part.calls.slice(0, limit - accepted)
        for call in calls.to_pylist():
            if as_json:
                click.echo(json_text(_call(call)))
            else:
                rows.append(_row(call))
        accepted += calls.num_rows
        aside += part.rejects
        skipped.update(part.skipped)
        if limit is not None and accepted >= limit:
            break
    if rows:
        headings = ("time", "service", "method", "path", "status", "took", "client", "credentials")
        print_table([Column(one, one in ("status", "took")) for one in headings], rows)
    _tell(parsing, accepted, aside, skipped, rejects)


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """The columns that hold something; times as µs since 1970, the start also as RFC 3339."""
    from datetime import datetime

    found: dict[str, Any] = {"started_at": call["started_at_us"]}
    for name, value in call.items():
        if value is None or name in _MEASURED:
            continue
        found[name] = _micros(value) if isinstance(value, datetime) else value
    if "claims" in found:
        found["claims"] = {
            name: _micros(value) if isinstance(value, datetime) else value
            for name, value in found["claims"].items()
            if value is not None
        }
    return found


def _micros(when: Any) -> int:
    from datetime import datetime, timedelta

    return int((when - datetime(1970, 1, 1)) / timedelta(microseconds=1))  # noqa: DTZ001 - naive UTC


def _row(call: dict[str, Any]) -> list[str]:
    return [
        f"{call['started_at_us']:%Y-%m-%d %H:%M:%S}",
        call["service"],
        call["method"] or "",
        call["path"] + (f"?{call['query']}" if call["query"] else ""),
        str(call["status"] or ""),
        span(call["duration_us"]),
        call["client_address"] or "",
        ", ".join(f"{one['kind']} {one['fingerprint'][:8]}" for one in call["credentials"] or []),
    ]


def _tell(parsing: Any, accepted: int, aside: list[Any], skipped: Counter[str], every: bool) -> None:
    def tell(text: str) -> None:
        click.echo(clean(text), err=True)

    total = accepted + len(aside) + sum(skipped.values())
    tell(f"{parsing.format}: {parsing.why}")
    tell(
        f"read {count(total)} = accepted {count(accepted)} + rejected {count(len(aside))} "
        f"+ skipped {count(sum(skipped.values()))}"
    )
    if every:
        for one in aside:
            tell(f"rejected record {one.position + 1}: {one.reason}  {one.shape}")
    else:
        for reason, number in Counter(one.reason for one in aside).most_common():
            first = next(one for one in aside if one.reason == reason)
            tell(
                f"rejected {count(number)} as {reason}, "
                f"first at record {first.position + 1}: {first.shape[:160]}"
            )
    for rule, number in skipped.most_common():
        tell(f"skipped {count(number)} by rule {rule}")
