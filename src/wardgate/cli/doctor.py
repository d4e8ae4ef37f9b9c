"""`wardgate doctor`: why is nothing showing, and what to do."""

import sys

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import clean, emit_json
from wardgate.core.errors import Exit

_MARKS = {"ok": ("✓", "green"), "note": ("·", "cyan"), "warn": ("!", "yellow"), "wrong": ("✗", "red")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def doctor(installation: Installation, /, as_json: bool) -> None:
    """Find out why something is not showing, and what to do.

    Looks at home, key, disk, configuration, lake, locks, and every source from its file to its last call.
    Exit code 1 when something is wrong.
    """
    from wardgate.core.clock import system_clock
    from wardgate.service.diagnosis import State
    from wardgate.service.doctor import examine

    wrong = warned = 0
    found = []
    for check in examine(installation.home_path, installation.config_path, system_clock):
        found.append(check)
        wrong += check.state is State.WRONG
        warned += check.state is State.WARN
        if not as_json:
            mark, colour = _MARKS[check.state]
            click.echo(f"{click.style(mark, fg=colour)} {clean(check.about)}: {clean(check.finding)}")
            if check.do:
                click.echo(f"    → {clean(check.do)}")
    if as_json:
        emit_json({"healthy": not wrong, "wrong": wrong, "warnings": warned, "checks": found})
    else:
        click.echo(f"\n{wrong} wrong, {warned} to look at.")
    if wrong:
        sys.exit(Exit.FOUND)
