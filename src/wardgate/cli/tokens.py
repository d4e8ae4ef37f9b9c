"""`wardgate token`: who may push calls. A token is shown once, when it is made; nobody can show it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, emit_json, print_table, say, when

if TYPE_CHECKING:
    from wardgate.state.tokens import PushToken, PushTokens

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def token() -> None:
    """Make, list and revoke tokens for pushing."""


@token.command()
@click.argument("name")
@click.option("--source", help="Name of the source its calls come under. Default: the token's name.")
@click.option(
    "--expires", type=click.IntRange(min=1), metavar="DAYS", help="Days until it ends. Default: never."
)
@click.option(
    "--vantage",
    type=click.Choice(["edge", "gateway", "sidecar", "application", "client"]),
    help="Where its calls were seen.",
)
@click.option("--environment", help="Environment of its calls: production, staging…")
@click.option("--team", help="Team its calls belong to.")
@click.option("--service", help="Service its calls belong to. Default: their host.")
@_AS_JSON
@pass_installation
def create(
    installation: Installation,
    /,
    name: str,
    source: str | None,
    expires: int | None,
    as_json: bool,
    **defaults: str | None,
) -> None:
    """Make a token called NAME and show it, once."""
    from wardgate.state.tokens import TokenDefaults

    with _tokens(installation) as tokens:
        made, clear = tokens.create(
            name, source=source, expires_days=expires, defaults=TokenDefaults(**defaults)
        )
    if as_json:
        emit_json({**_plain(made, made.created_at_us), "token": clear})
        return
    say(clear)
    click.echo(
        f"Keep it now: it is not kept here, and not shown again. Calls pushed with it come under "
        f"the source {made.source}.",
        err=True,
    )


@token.command("list")
@_AS_JSON
@pass_installation
def list_(installation: Installation, as_json: bool) -> None:
    """List all tokens, with their standing and last use."""
    from wardgate.core.clock import system_clock

    with _tokens(installation) as tokens:
        found = [_plain(one, system_clock()) for one in tokens.all()]
    if as_json:
        emit_json(found)
        return
    columns = [Column(one) for one in ("Name", "Source", "Standing", "Made", "Expires", "Last used")]
    print_table(
        columns,
        [
            [
                one["name"],
                one["source"],
                one["standing"],
                when(one["created_at"]),
                when(one["expires_at"]),
                when(one["last_used_at"]),
            ]
            for one in found
        ],
    )


@token.command()
@click.argument("name")
@_AS_JSON
@pass_installation
def revoke(installation: Installation, name: str, as_json: bool) -> None:
    """End the token called NAME at once."""
    from wardgate.core.clock import system_clock

    with _tokens(installation) as tokens:
        ended = tokens.revoke(name)
    if as_json:
        emit_json(_plain(ended, system_clock()))
    else:
        say(f"{ended.name} is revoked.")


@contextmanager
def _tokens(installation: Installation) -> "Iterator[PushTokens]":
    from wardgate.core.clock import system_clock
    from wardgate.core.config import load_config
    from wardgate.state.store import open_state
    from wardgate.state.tokens import PushTokens

    config = load_config(installation.config, required=installation.config_path is not None)
    state = open_state(installation.home, config.state.url)
    try:
        yield PushTokens(state, installation.key, system_clock)
    finally:
        state.close()


def _plain(one: "PushToken", now_us: int) -> dict[str, Any]:
    return {
        "name": one.name,
        "source": one.source,
        "standing": one.standing(now_us).value,
        "created_at": _time(one.created_at_us),
        "expires_at": _time(one.expires_at_us),
        "revoked_at": _time(one.revoked_at_us),
        "last_used_at": _time(one.last_used_at_us),
        **asdict(one.defaults),
    }


def _time(us: int | None) -> datetime | None:
    return None if us is None else datetime.fromtimestamp(us / 1_000_000, UTC)
