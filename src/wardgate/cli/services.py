"""`wardgate services`: the APIs that were called."""

from typing import Any

import click

from wardgate.cli.filters import NOTHING, asked_of, listing
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, emit_json, print_table, say, share, when


@click.command()
@listing("services")
@pass_installation
def services(installation: Installation, /, as_json: bool, **given: Any) -> None:
    """List the services that were called.

    Where several sources saw the same path in the same minute and nothing links their rows, the calls that
    may be counted twice are shown as possible doubles.
    """
    from wardgate.core.clock import system_clock
    from wardgate.service import reading

    asked = asked_of(as_json, given)
    with installation.lake() as lake:
        found = reading.services(lake, asked, system_clock)
    if as_json:
        emit_json({"services": found, "total": len(found)})
        return
    if not found:
        say(NOTHING)
        return
    print_table(
        [
            Column("service", flexible=True),
            Column("operations", True),
            Column("static", True, from_width=120),
            Column("calls", True),
            Column("possible doubles", True, from_width=90),
            Column("4xx", True, from_width=100),
            Column("5xx", True, from_width=100),
            Column("callers", True),
            Column("creds", True),
            Column("no cred", True, from_width=110),
            Column("last seen", from_width=130),
            Column("sources", from_width=150, flexible=True),
        ],
        [
            [
                one.service,
                count(one.operations),
                count(one.static_paths),
                count(one.calls),
                count(one.possible_doubles),
                count(one.errors_4xx),
                count(one.errors_5xx),
                count(one.callers),
                count(one.credentials),
                share(one.no_credential_share),
                when(one.last_seen),
                ", ".join(one.sources),
            ]
            for one in found
        ],
    )
