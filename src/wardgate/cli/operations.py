"""`wardgate operations`: the inventory of API operations, and what may be asked of one of them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.filters import NOTHING, asked_of, listing, say_more
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.orders import STANDINGS
from wardgate.cli.output import Column, count, emit_json, print_table, say, share, span, when

HTTP = "http"
if TYPE_CHECKING:
    from wardgate.inventory.operations import Operation
    from wardgate.service.standings import Listed

COMMANDS: dict[str, str] = {
    "why": "wardgate.cli.operation_why",
    "own": "wardgate.cli.operation_own",
    "pin": "wardgate.cli.operation_templates",
    "split": "wardgate.cli.operation_templates",
    "merge": "wardgate.cli.operation_templates",
    "name": "wardgate.cli.operation_templates",
    "settled": "wardgate.cli.operation_templates",
    "schema": "wardgate.cli.operation_schema",
}
"""Command below `operations` → the module that holds it, under its own name."""


class OneOperation(click.Group):
    """Lists where no command is named; a command's module is imported when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(COMMANDS[cmd_name]), cmd_name)  # type: ignore[no-any-return]


@click.group(cls=OneOperation, invoke_without_command=True)
@click.option("--search", metavar="TEXT", help="Only templates and operations that hold this text.")
@click.option("--standing", type=click.Choice(STANDINGS), help="Only operations of this standing.")
@click.option("--owner", metavar="WHO", help="Only what WHO owns; the word none: what nobody owns.")
@click.option("--data-class", metavar="CLASS", help="Only what ever carried this class or family of data.")
@listing("operations", static=True)
@pass_installation
@click.pass_context
def operations(ctx: click.Context, installation: Installation, /, as_json: bool, **given: Any) -> None:
    """List the API operations that were called or are described.

    An operation is a service with a protocol, a method and a template: the path with its identifiers
    named. Calls count once, however many vantages saw them. Its standing says whether the specifications of
    its service describe it: `documented`, `shadow` (called, not described), `zombie` (deprecated, still
    called), `unused` (described, never called), `not-observable` (described, its service never seen),
    `latent` (known otherwise alone), `unknown` (nothing describes its service, or it was never found).
    Those never called come last.
    """
    if ctx.invoked_subcommand is not None:
        return
    from dataclasses import replace

    from wardgate.core.clock import system_clock
    from wardgate.service import given as people
    from wardgate.service import reading
    from wardgate.service.standings import Standings

    asked = asked_of(as_json, given)
    home, url, rules = installation.home, installation.state_url, installation.owner_rules
    with people.opened(home, url, system_clock, rules) as knowledge, installation.lake() as lake:
        found = Standings(lake, knowledge).listing(asked, system_clock)
        apart = 0
        if asked.static is False and not (asked.standing or asked.owner):
            apart = reading.count_operations(lake, replace(asked, static=True), system_clock)
    if as_json:
        rows = [row(one) for one in found.rows]
        totals = {"total": found.total, "never_called": found.never_called, "static_total": apart}
        emit_json({"operations": rows, **totals})
        return
    if found.rows:
        _table(found.rows)
        say_more(len(found.rows), found.total)
    else:
        say(NOTHING)
    if apart:
        say(f"{count(apart)} files and pages are apart; --static shows them.")


def row(one: "Listed") -> dict[str, Any]:
    """An operation as JSON has it."""
    from dataclasses import asdict

    operation_id = one.operation.operation_id
    judged = one.classification
    return {
        **asdict(one.operation),
        "operation_id": None if operation_id is None else str(operation_id),
        "uncertain": one.operation.is_uncertain,
        "standing": judged.standing.value if judged else None,
        "reason": one.reason,
        "owners": list(judged.owners) if judged else [],
    }


def _table(rows: "list[Listed]") -> None:
    columns = [
        Column("service", flexible=True),
        Column("protocol"),
        Column("method"),
        Column("template", flexible=True),
        Column("sure", True, from_width=115),
        Column("standing"),
        Column("because", flexible=True),
        Column("calls", True),
        Column("4xx", True, from_width=100),
        Column("5xx", True, from_width=100),
        Column("p50", True, from_width=140),
        Column("p95", True, from_width=130),
        Column("callers", True, from_width=110),
        Column("creds", True, from_width=120),
        Column("no cred", True, from_width=110),
        Column("data", from_width=130, flexible=True),
        Column("owner", from_width=120, flexible=True),
        Column("first seen", from_width=190),
        Column("last seen", from_width=170),
    ]
    cells = [_cells(each) for each in rows]
    for heading, has in (
        ("protocol", any(each.operation.protocol != HTTP for each in rows)),
        ("because", any(each.operation.static for each in rows)),
    ):
        if not has:
            at = [one.heading for one in columns].index(heading)
            del columns[at]
            for each in cells:
                del each[at]
    print_table(columns, cells)


def sureness(one: "Operation") -> str:
    """How sure a template is, in a word."""
    if one.static or one.operation is not None or one.basis is None:
        return ""
    if one.basis in ("pinned", "described"):
        return one.basis
    sure = "" if one.confidence is None else f"{one.confidence:.0%}"
    return f"uncertain {sure}".rstrip() if one.is_uncertain else sure


def _cells(listed: "Listed") -> list[str]:
    one, judged = listed.operation, listed.classification
    return [
        one.service,
        one.protocol,
        one.method or "",
        one.title,
        sureness(one),
        judged.standing.value if judged else "",
        one.static_reason or "",
        count(one.calls),
        count(one.status_4xx),
        count(one.status_5xx),
        span(one.p50_us),
        span(one.p95_us),
        count(one.callers),
        count(one.credentials),
        share(one.no_credential_share),
        ", ".join(dict.fromkeys(each["data_class"].partition(".")[0] for each in one.data_classes)),
        ", ".join(judged.owners) if judged else "",
        when(one.first_seen),
        when(one.last_seen),
    ]
