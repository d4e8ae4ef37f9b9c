"""`wardgate callers`: who and what is calling."""

from typing import Any

import click

from wardgate.cli.filters import NOTHING, asked_of, listing, say_more
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, emit_json, print_table, say, share, when


@click.command()
@click.option(
    "--kind",
    type=click.Choice(("person", "service", "agent", "crawler", "scanner", "unknown")),
    help="Only callers of this kind.",
)
@click.option("--search", metavar="TEXT", help="Only callers whose name or basis holds this text.")
@listing("callers")
@pass_installation
def callers(installation: Installation, /, as_json: bool, **given: Any) -> None:
    """List who and what is calling.

    A caller is told from its strongest credential; without one, from address and software together, and
    the confidence says how little that is.
    """
    from dataclasses import asdict

    from wardgate.core.clock import system_clock
    from wardgate.service import reading

    asked = asked_of(as_json, given)
    with installation.lake() as lake:
        found = reading.callers(lake, asked, system_clock)
    if as_json:
        rows = [{**asdict(one), "caller_id": str(one.caller_id)} for one in found.rows]
        emit_json({"callers": rows, "total": found.total})
        return
    if not found.rows:
        say(NOTHING)
        return
    print_table(
        [
            Column("kind"),
            Column("caller", flexible=True),
            Column("told from", flexible=True),
            Column("sure", True, from_width=90),
            Column("calls", True),
            Column("errors", True, from_width=110),
            Column("operations", True),
            Column("creds", True, from_width=110),
            Column("services", from_width=160, flexible=True),
            Column("last seen", from_width=120),
        ],
        [
            [
                one.kind or "",
                one.name or "",
                one.basis or "",
                share(one.confidence),
                count(one.calls),
                count(one.errors),
                count(one.operations),
                count(one.credentials),
                ", ".join(one.services),
                when(one.last_seen),
            ]
            for one in found.rows
        ],
    )
    say_more(len(found.rows), found.total)
