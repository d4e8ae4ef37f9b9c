"""`wardgate services`: the APIs that were called."""

from typing import Any

import click

from wardgate.cli.filters import NOTHING, asked_of, listing
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.orders import STANDINGS
from wardgate.cli.output import Column, count, counted, emit_json, print_table, say, share, when


@click.command()
@listing("services")
@pass_installation
def services(installation: Installation, /, as_json: bool, **given: Any) -> None:
    """List the services that were called.

    With how many of their operations have which standing, for all time, and who answers for them. Where
    several sources saw the same path in the same minute and nothing links their rows, the calls that may be
    counted twice are shown as possible doubles.
    """
    from dataclasses import asdict

    from wardgate.core.clock import system_clock
    from wardgate.service import given as people
    from wardgate.service import reading
    from wardgate.service.standings import UNOWNED, Standings

    asked = asked_of(as_json, given)
    home, url, rules = installation.home, installation.state_url, installation.owner_rules
    with people.opened(home, url, system_clock, rules) as knowledge, installation.lake() as lake:
        found = reading.services(lake, asked, system_clock)
        look = Standings(lake, knowledge)
        counts = look.counts()
        owners = {one.service: look.service_owners(one.service) for one in found}
    never_seen = sorted(set(counts) - look.seen.by_service.keys())
    if as_json:
        rows = [
            {
                **asdict(one),
                "standings": {name: n for name, n in counts.get(one.service, {}).items() if name != UNOWNED},
                "unowned": counts.get(one.service, {}).get(UNOWNED, 0),
                "owners": owners[one.service],
            }
            for one in found
        ]
        emit_json({"services": rows, "total": len(found), "never_called": never_seen})
        return
    if not found:
        say(NOTHING)
    else:
        shown = [name for name in STANDINGS if any(counts.get(one.service, {}).get(name) for one in found)]
        print_table(
            [
                Column("service", flexible=True),
                Column("operations", True),
                *(Column(name, True, from_width=110) for name in shown),
                Column("unowned", True, from_width=120),
                Column("calls", True),
                Column("possible doubles", True, from_width=130),
                Column("4xx", True, from_width=120),
                Column("5xx", True, from_width=120),
                Column("callers", True),
                Column("creds", True),
                Column("no cred", True, from_width=140),
                Column("owner", from_width=140, flexible=True),
                Column("static", True, from_width=160),
                Column("last seen", from_width=160),
                Column("sources", from_width=180, flexible=True),
            ],
            [
                [
                    one.service,
                    count(one.operations),
                    *(count(counts.get(one.service, {}).get(name, 0)) for name in (*shown, UNOWNED)),
                    count(one.calls),
                    count(one.possible_doubles),
                    count(one.errors_4xx),
                    count(one.errors_5xx),
                    count(one.callers),
                    count(one.credentials),
                    share(one.no_credential_share),
                    ", ".join(owners[one.service]),
                    count(one.static_paths),
                    when(one.last_seen),
                    ", ".join(one.sources),
                ]
                for one in found
            ],
        )
    if never_seen:
        say(
            f"{counted(len(never_seen), 'service')} more described and never called; "
            "`wardgate operations --standing not-observable` shows them."
        )
