"""Checks of every source: found, readable, of the format it was, with a clock that can be right, and telling.

Configured sources are looked at where they are configured; ingested ones by what the ledger remembers.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.observed import REASONS, Reason
from wardgate.core.settings import Config, SourceSettings
from wardgate.inventory.scope import rows
from wardgate.inventory.sources import BEGINNING, RejectedShape, SourceAccount, rejected_shapes, sources
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.service.diagnosis import Check, State
from wardgate.service.opening import Reading, open_afresh
from wardgate.sources.files import Input, find_inputs
from wardgate.sources.format import LineFormat, Lines, Options

_FEW = 0.01
_MANY = 0.2
_AHEAD = timedelta(minutes=5)
_OLD = timedelta(days=1)
_MOST_HOSTS = 500

_SHOWN = f"""
SELECT source, count(*) AS calls, count(credential_id) AS credentials, count(duration_us) AS durations,
       count(status) AS statuses, count(host) AS hosts, count(DISTINCT host) AS host_names,
       max(service) AS service,
       count(client_address) AS clients, count(user_agent) AS agents, count(precision_us) AS stamps,
       count(link_id) AS links, count(response_content_type) AS types
FROM {ALIAS}.calls WHERE started_at_us >= (SELECT max(started_at_us) FROM {ALIAS}.calls) - INTERVAL 7 DAY
GROUP BY source
"""
_MISSING = (
    ("statuses", "status", "errors cannot be told"),
    ("durations", "duration", "no latency can be shown"),
    ("credentials", "credential", "who calls is told from address and software only"),
    ("clients", "client address", "callers without credentials cannot be told apart"),
    ("agents", "user agent", "software cannot be told"),
    ("links", "request or trace id", "calls that another source sees too would count twice"),
)


def check_nothing(config: Config) -> Iterator[Check]:
    """Nothing was ever read."""
    do = "Point it at traffic: `wardgate ingest /var/log/nginx/access.log`."
    if config.source:
        do = "Start following the configured sources: `wardgate up`."
    yield Check("sources", State.WRONG, "nothing was ever read.", do)


def check_configured(config: Config) -> Iterator[Check]:
    """Each configured source, where it is configured."""
    for one in config.source:
        if one.path is not None:
            yield from _configured_files(one, one.path)


def _configured_files(one: SourceSettings, path: str) -> Iterator[Check]:
    about = f"source {one.name}"
    try:
        inputs = find_inputs([path])
    except WardgateError as error:
        yield Check(
            about,
            State.WRONG,
            f"[{error.code}] {error.message}",
            f"Mend its path ({path}) in the configuration.",
        )
        return
    last = inputs[-1]
    if last.path is not None and last.path.exists() and last.path.stat().st_size == 0:
        yield Check(
            about,
            State.WARN,
            f"{last.name} is empty.",
            "Check that the service logs there, and call it once.",
        )
        return
    options = Options(one.layout, one.config, one.layout_name, one.timezone)
    yield from _fits(about, last, None if one.format == "auto" else one.format, options)


def check_sources(
    lake: Lake, config: Config, clock: Clock, followed: Collection[str] = ()
) -> Iterator[Check]:
    """Each source that the ledger knows; a running process reads those `followed`, and tells what is left."""
    now = datetime(1970, 1, 1) + timedelta(microseconds=clock())  # noqa: DTZ001 - the lake's times are naive UTC
    shapes = rejected_shapes(lake, since=BEGINNING, each=1)
    shown = {row["source"]: row for row in rows(lake, _SHOWN)}
    configured = {one.name for one in config.source}
    for account in sources(lake):
        about = f"source {account.source}"
        found = [
            *_file(
                about,
                account,
                lake,
                known=account.source in configured,
                is_read=account.source in followed,
            ),
            *_rejected(about, account, [one for one in shapes if one.source == account.source]),
            *_skipped(about, account),
            *_clock(about, account, now),
            *_told(about, account, shown.get(account.source)),
        ]
        bad = [one for one in found if one.state in (State.WARN, State.WRONG)]
        if not bad:
            yield Check(
                about,
                State.OK,
                f"{account.format}: read {account.read:,} = accepted {account.accepted:,} + rejected "
                f"{account.rejected:,} + skipped {account.skipped:,}; last call {_when(account.latest)}.",
            )
        yield from found


def _file(about: str, account: SourceAccount, lake: Lake, *, known: bool, is_read: bool) -> Iterator[Check]:
    """The file that was read last: still there, grown since, and still of its format."""
    path = Path(account.last_origin)
    if not path.is_absolute() and not path.exists():
        return
    if not path.exists():
        yield Check(about, State.NOTE, f"{path} is no longer there; what was read of it stays.")
        return
    row = rows(
        lake,
        f"""SELECT max(next_offset) AS reached FROM {ALIAS}.ledger
            WHERE origin_id = (SELECT arg_max(origin_id, committed_at_us) FROM {ALIAS}.ledger
                               WHERE source = $source)""",
        {"source": account.source},
    )[0]
    compressed = path.suffix in (".gz", ".zst", ".bz2")
    waiting = path.stat().st_size - (row["reached"] or 0)
    if row["reached"] and not compressed and waiting > 0 and not is_read:
        do = (
            "Is `wardgate up` running?"
            if known
            else f"Read on with `wardgate ingest {path}`, or follow it with `wardgate up`."
        )
        yield Check(about, State.NOTE, f"{path} has {waiting:,} bytes that are not read yet.", do)


def _fits(about: str, one: Input, wanted: str | None, options: Options) -> Iterator[Check]:
    """Whether a file's first lines are of the format that they should be."""
    try:
        opened = open_afresh(one, Reading(format=wanted or "auto", options=options))
    except WardgateError as error:
        yield Check(
            about, State.WRONG, f"[{error.code}] {error.message}", error.mend or "Mend its configuration."
        )
        return
    opened.stream.close()
    format_, sample = opened.format, opened.head
    unfit = ""
    if isinstance(format_, LineFormat):
        parsed = format_.parser(options).parse(Lines(sample[: sample.rfind(b"\n") + 1] or sample))
        judged = parsed.accepted + len(parsed.rejects)
        if len(parsed.rejects) > _MANY * judged:
            unfit = f": {len(parsed.rejects):,} of its first {judged:,} records are rejected"
    elif format_.fit(sample) is None:
        unfit = ": it is no such document"
    if unfit:
        yield Check(
            about,
            State.WRONG,
            f"{one.name} does not fit {format_.name}{unfit}.",
            "`wardgate parse FILE` shows them; name the format, or give its layout or configuration.",
        )
    else:
        yield Check(about, State.OK, f"{one.name} can be read, and is {format_.name}.")


def _rejected(about: str, account: SourceAccount, shapes: list[RejectedShape]) -> Iterator[Check]:
    judged = account.accepted + account.rejected
    if not account.rejected or account.rejected <= _FEW * judged:
        return
    share = account.rejected / judged
    why = "; ".join(
        f"{n:,} {reason}: {REASONS[Reason(reason)] if reason in set(Reason) else reason}"
        for reason, n in list(account.rejected_by.items())[:3]
    )
    like = f" Such as: {shapes[0].shape[:140]}" if shapes else ""
    yield Check(
        about,
        State.WRONG if share >= _MANY else State.WARN,
        f"{share:.1%} of its records were not understood ({why}).{like}",
        "Is the format right? See `wardgate parse FILE --rejects`; --log-config gives your own.",
    )


def _skipped(about: str, account: SourceAccount) -> Iterator[Check]:
    if account.read and account.skipped > 0.5 * account.read and not account.accepted:
        rules = ", ".join(f"{rule} {n:,}" for rule, n in account.skipped_by.items())
        yield Check(
            about,
            State.WRONG,
            f"everything was skipped by rules ({rules}).",
            "Check the source's skip rules.",
        )
    if account.calls and account.static_calls > 0.95 * account.calls:
        yield Check(
            about,
            State.WARN,
            f"{account.static_calls / account.calls:.0%} of its calls are for files and pages.",
            "They are apart (`wardgate operations --static`). Is this the log of the API, or of a web site?",
        )


def _clock(about: str, account: SourceAccount, now: datetime) -> Iterator[Check]:
    if account.latest is None:
        if account.read:
            yield Check(
                about,
                State.WRONG,
                f"{account.read:,} records were read, and none was a call.",
                "See its rejected and skipped records: `wardgate sources`.",
            )
        return
    ahead = account.latest - max(now, account.last_read)
    if ahead > _AHEAD:
        quarter = round(ahead / timedelta(minutes=15)) * 0.25
        zone = f" About {quarter:g} h: a time zone?" if quarter <= 14 else ""
        yield Check(
            about,
            State.WRONG,
            f"its last call is stamped {_when(account.latest)}, which is still to come.{zone}",
            "Give the zone of its stamps (--timezone, or timezone in its configuration), or set the clock.",
        )
    elif now - account.latest > _OLD:
        days = (now - account.latest).days
        yield Check(
            about,
            State.NOTE,
            f"its last call was {days} day{'s' * (days != 1)} ago ({_when(account.latest)}).",
            "Filters such as --since 24h show nothing of it.",
        )


def _told(about: str, account: SourceAccount, shown: dict[str, Any] | None) -> Iterator[Check]:
    """What the source's records do not say."""
    if shown is None:
        return
    if not shown["stamps"]:
        yield Check(
            about,
            State.WARN,
            "its records carry no time: they count from when they were read.",
            "Log the time as well.",
        )
    if not shown["hosts"] and shown["service"] == account.source:
        yield Check(
            about,
            State.NOTE,
            f"its records show no host, so its service is called as the source is: {account.source}.",
            "Log the host, or name the service with --service.",
        )
    elif shown["host_names"] > _MOST_HOSTS:
        yield Check(
            about,
            State.WARN,
            f"{shown['host_names']:,} different hosts: clients may choose this header.",
            "Log the server's own name in place of the Host header, or give --service.",
        )
    missing = [(what, so) for column, what, so in _MISSING if not shown[column]]
    if missing:
        words = "; ".join(f"no {what} ({so})" for what, so in missing)
        yield Check(
            about,
            State.NOTE,
            f"{account.format} records as logged here show {words}.",
            "Log more, or add a source that sees it.",
        )
    if account.possible_doubles > _MANY * max(account.calls, 1):
        yield Check(
            about,
            State.WARN,
            f"{account.possible_doubles:,} of its {account.calls:,} calls may be another source's too.",
            "Log a request id at both, so that they count once; or ingest only one of the two.",
        )


def _when(when: datetime | None) -> str:
    return f"{when.replace(tzinfo=UTC):%Y-%m-%d %H:%M} UTC" if when else "never"
