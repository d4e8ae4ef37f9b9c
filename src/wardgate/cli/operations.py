"""`wardgate operations`: the inventory of API operations."""

from typing import Any

import click

from wardgate.cli.filters import NOTHING, asked_of, listing, say_more
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, emit_json, print_table, say, share, span, when


@click.command()
@click.option("--search", metavar="TEXT", help="Only templates and operations that hold this text.")
@listing("operations", static=True)
@pass_installation
def operations(installation: Installation, /, as_json: bool, **given: Any) -> None:
    """List the API operations that were called.

    An operation is a service with a protocol, a method and a template: the path with its identifiers
    named. Calls count once, however many vantages saw them.
    """
    from dataclasses import asdict, replace

    from wardgate.core.clock import system_clock
    from wardgate.service import reading

    asked = asked_of(as_json, given)
    with installation.lake() as lake:
        found = reading.operations(lake, asked, system_clock)
        apart = 0
        if asked.static is False:
            apart = reading.operations(lake, replace(asked, static=True, limit=1), system_clock).total
    if as_json:
        rows = [{**asdict(one), "operation_id": str(one.operation_id)} for one in found.rows]
        emit_json({"operations": rows, "total": found.total, "static_total": apart})
        return
    if found.rows:
        print_table(
            [
                Column("service", flexible=True),
                Column("method"),
                Column("template", flexible=True),
                Column("calls", True),
                Column("4xx", True, from_width=90),
                Column("5xx", True, from_width=90),
                Column("p50", True, from_width=130),
                Column("p95", True, from_width=120),
                Column("callers", True, from_width=100),
                Column("creds", True, from_width=110),
                Column("no cred", True, from_width=100),
                Column("first seen", from_width=170),
                Column("last seen", from_width=150),
            ],
            [
                [
                    one.service,
                    one.method or "",
                    one.template + (f" {one.operation}" if one.operation else ""),
                    count(one.calls),
                    count(one.status_4xx),
                    count(one.status_5xx),
                    span(one.p50_us),
                    span(one.p95_us),
                    count(one.callers),
                    count(one.credentials),
                    share(one.no_credential_share),
                    when(one.first_seen),
                    when(one.last_seen),
                ]
                for one in found.rows
            ],
        )
        say_more(len(found.rows), found.total)
    else:
        say(NOTHING)
    if apart:
        say(f"{count(apart)} files and pages are apart; --static shows them.")
