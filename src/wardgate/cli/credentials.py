"""`wardgate credentials`: the credentials in use, known by fingerprint."""

from typing import Any

import click

from wardgate.cli.filters import NOTHING, asked_of, listing, say_more
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, emit_json, print_table, say, when


@click.command()
@click.option("--kind", metavar="KIND", help="Only this kind: jwt, bearer, api_key, basic, session…")
@click.option(
    "--search", metavar="TEXT", help="Only where fingerprint, place, hint, issuer or client hold this text."
)
@listing("credentials")
@pass_installation
def credentials(installation: Installation, /, as_json: bool, **given: Any) -> None:
    """List the credentials in use, by fingerprint.

    Clear secrets are never kept. A fingerprint is keyed for this installation: the same secret gives the
    same fingerprint, and nothing leads back. Claims are as the token says, unverified. Tokens that are
    renewed (of one issuer, client, subject and session), certificates of one subject and passwords of one
    login are instances of one credential; ~ marks a number of instances that is estimated.
    """
    from dataclasses import asdict

    from wardgate.core.clock import system_clock
    from wardgate.service import reading

    asked = asked_of(as_json, given)
    with installation.lake() as lake:
        found = reading.credentials(lake, asked, system_clock)
    if as_json:
        rows = [{**asdict(one), "credential_id": str(one.credential_id)} for one in found.rows]
        emit_json({"credentials": rows, "total": found.total})
        return
    if not found.rows:
        say(NOTHING)
        return
    print_table(
        [
            Column("fingerprint"),
            Column("kind"),
            Column("places", from_width=110, flexible=True),
            Column("hint", flexible=True),
            Column("client or issuer", flexible=True),
            Column("instances", True, from_width=130),
            Column("calls", True),
            Column("errors", True, from_width=120),
            Column("operations", True, from_width=120),
            Column("callers", True, from_width=120),
            Column("first seen", from_width=150),
            Column("last seen", from_width=140),
            Column("expires", from_width=170),
        ],
        [
            [
                (one.fingerprint or "")[:12],
                one.kind or "",
                ", ".join(one.places),
                one.hint or "",
                one.client or one.issuer or "",
                f"{'~' if one.instances_estimated else ''}{count(one.instances)}",
                count(one.calls),
                count(one.errors),
                count(one.operations),
                count(one.callers),
                when(one.first_seen),
                when(one.last_seen),
                when(one.expires_at),
            ]
            for one in found.rows
        ],
    )
    say_more(len(found.rows), found.total)
