"""`wardgate flows`: who calls what with which credential."""

from typing import Any

import click

from wardgate.cli.filters import NOTHING, asked_of, listing, say_more
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, emit_json, print_table, say, when


@click.command()
@click.option("--caller", metavar="NAME", help="Only this caller, by its name or id.")
@click.option(
    "--credential",
    metavar="DIGITS",
    help="Only this credential, by its fingerprint's first digits; none: without one.",
)
@click.option("--search", metavar="TEXT", help="Only templates and operations that hold this text.")
@listing("flows", static=True)
@pass_installation
def flows(installation: Installation, /, as_json: bool, **given: Any) -> None:
    """Show who calls what with which credential."""
    from dataclasses import asdict

    from wardgate.core.clock import system_clock
    from wardgate.inventory.operations import title
    from wardgate.service import reading

    asked = asked_of(as_json, given)
    with installation.lake() as lake:
        found = reading.flows(lake, asked, system_clock)
    if as_json:
        ids = ("caller_id", "operation_id", "credential_id")
        rows = [{**(row := asdict(one)), **{name: str(row[name]) for name in ids}} for one in found.rows]
        emit_json({"flows": rows, "total": found.total})
        return
    if not found.rows:
        say(NOTHING)
        return
    print_table(
        [
            Column("kind", from_width=90),
            Column("caller", flexible=True),
            Column("service"),
            Column("method"),
            Column("template", flexible=True),
            Column("credential"),
            Column("calls", True),
            Column("errors", True, from_width=100),
            Column("last seen", from_width=120),
        ],
        [
            [
                one.caller_kind or "",
                one.caller or "",
                one.service,
                one.method or "",
                title(one.template, one.operation),
                f"{one.credential_kind} {(one.fingerprint or '')[:8]}" if one.credential_id else "none",
                count(one.calls),
                count(one.errors),
                when(one.last_seen),
            ]
            for one in found.rows
        ],
    )
    say_more(len(found.rows), found.total)
