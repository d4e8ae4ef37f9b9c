"""`wardgate operations own`: who owns one operation, on somebody's word."""

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import emit_json, say


@click.command()
@click.argument("operation")
@click.argument("owner", required=False)
@click.option("--service", metavar="NAME", help="The service, where several have such an operation.")
@click.option("--undo", is_flag=True, help="Take back what was said of it.")
@click.option("--by", "said_by", metavar="WHO", help="Who says so. Default: the user's name on this machine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_installation
def own(
    installation: Installation,
    /,
    operation: str,
    owner: str | None,
    service: str | None,
    undo: bool,
    said_by: str | None,
    as_json: bool,
) -> None:
    """Say that OWNER owns OPERATION: an id, or as it is written, 'GET /v1/orders/{id}'.

    It counts more than rules, CODEOWNERS and descriptions. For many at once there is `wardgate owners add`.
    """
    from wardgate.core.clock import system_clock
    from wardgate.service import given
    from wardgate.service.one_operation import meant
    from wardgate.service.owners import owner_named
    from wardgate.service.standings import Standings
    from wardgate.state.owners import OwnerFacts
    from wardgate.state.store import open_state

    if (owner is None) != undo:
        raise click.UsageError("Name an owner, or say --undo")
    name = None if owner is None else owner_named(owner)
    by = owner_named(said_by or _user())[:64]
    state = open_state(installation.home, installation.state_url)
    try:
        with installation.lake() as lake:
            knowledge = given.knowledge(state, system_clock, installation.owner_rules)
            found = meant(Standings(lake, knowledge), operation, service)
        named = {
            "service": found.service,
            "protocol": found.one.protocol,
            "method": found.one.method,
            "template": found.one.template,
            "operation": found.one.operation,
        }
        changed = OwnerFacts(state, system_clock).say(
            service=found.service,
            protocol=found.one.protocol,
            method=found.one.method,
            template=found.one.template,
            operation=found.one.operation,
            owner=name,
            said_by=by,
        )
    finally:
        state.close()
    if as_json:
        emit_json({**named, "owner": name, "changed": changed})
        return
    words = " ".join(part for part in (found.one.method, found.one.template, found.one.operation) if part)
    if name is None:
        say(f"{words}: what was said is taken back." if changed else f"{words}: nobody had said anything.")
    else:
        say(f"{words} is owned by {name}{'' if changed else ' (it was said before)'}.")


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError):
        return "a person"
