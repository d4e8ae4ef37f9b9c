"""`wardgate`: one group, whose commands are imported only when they are asked for.

Every refusal leaves as one line on standard error, `[code] message mend`, with the exit code that
`core.errors.Exit` gives it. What escapes otherwise is a defect and is named as one, without its message:
that could hold a value from traffic.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from wardgate import __version__
from wardgate.cli.installation import Installation
from wardgate.core.errors import Exit, WardgateError

COMMANDS: dict[str, tuple[str, str]] = {
    "ingest": ("wardgate.cli.ingest", "Take calls in from logs and captures."),
    "parse": ("wardgate.cli.parse", "Show how a file is understood, without keeping anything."),
    "template": (
        "wardgate.cli.template",
        "Show the template of every distinct method, host and path of a file.",
    ),
    "operations": ("wardgate.cli.operations", "List the API operations that were called."),
    "services": ("wardgate.cli.services", "List the services that were called."),
    "credentials": ("wardgate.cli.credentials", "List the credentials in use, by fingerprint."),
    "callers": ("wardgate.cli.callers", "List who and what is calling."),
    "spec": ("wardgate.cli.spec", "Take specifications in, set them beside the traffic, export."),
    "owners": ("wardgate.cli.owners", "Say who owns operations: rules on hosts and paths, CODEOWNERS."),
    "flows": ("wardgate.cli.flows", "Show who calls what with which credential."),
    "sources": ("wardgate.cli.sources", "Show every source's accounting and what was not understood."),
    "doctor": ("wardgate.cli.doctor", "Find out why something is not showing, and what to do."),
    "query": ("wardgate.cli.query", "Ask the lake one SELECT."),
    "up": ("wardgate.cli.run", "Follow sources, take pushes and serve the page, on one machine."),
    "serve": ("wardgate.cli.run", "Serve the page and take pushes."),
    "work": ("wardgate.cli.run", "Follow the configured sources."),
    "token": ("wardgate.cli.tokens", "Make, list and revoke tokens for pushing."),
    "key": ("wardgate.cli.key", "Show and rotate the installation's key."),
    "maintain": ("wardgate.cli.lake", "Merge small files, drop what is past its retention."),
    "erase": ("wardgate.cli.lake", "Erase one subject's calls."),
    "backup": ("wardgate.cli.backup", "Back up the home while everything runs."),
    "restore": ("wardgate.cli.backup", "Restore a backup into a new home."),
}
"""Command → the module that holds it (under its own name), and its line in `wardgate --help`."""


class Commands(click.Group):
    """A group that imports a command's module when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS, 1)
            mend = f", only {near[0]}" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}{mend}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run, and leave the process with the exit code that tells how it went."""
        extra["standalone_mode"] = False
        try:
            code = super().main(args, prog_name or "wardgate", **extra)
        except Exception as error:  # noqa: BLE001 - the one place where everything ends
            code = _told(error)
        except KeyboardInterrupt:
            code = _stopped()
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _close_stdout()
        sys.exit(code if isinstance(code, int) else Exit.OK)


def _told(error: Exception) -> int:
    """Tell an error in one line; answers the exit code."""
    if isinstance(error, WardgateError):
        _line(str(error))
        return error.exit_code
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return _stopped()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return Exit.USAGE
    if isinstance(error, click.ClickException):
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "wardgate"
        message = error.format_message().rstrip(".?")
        _line(f"[usage] {message}. `{where} --help` says more.")
        return Exit.USAGE
    if isinstance(error, BrokenPipeError):
        _close_stdout()
        return Exit.OK
    if os.environ.get("WARDGATE_DEBUG"):
        traceback.print_exception(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    _line(f"[defect] {type(error).__name__} at {place}. Please report it; WARDGATE_DEBUG=1 shows where.")
    return Exit.FAILED


def _line(text: str) -> None:
    from wardgate.cli.output import clean

    click.echo(clean(" ".join(text.split())), err=True)


def _stopped() -> int:
    click.echo("stopped", err=True)
    return 130


def _close_stdout() -> None:
    """The reader of our output went away: nothing more is written, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", prog_name="wardgate")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="WARDGATE_HOME",
    help="Where the data lives. Default: the user's data folder.",
    show_envvar=True,
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="WARDGATE_CONFIG",
    help="The configuration. Default: wardgate.toml in the home.",
    show_envvar=True,
)
@click.pass_context
def cli(ctx: click.Context, home: Path | None, config: Path | None) -> None:
    """Which APIs exist, which credentials are in use, and by whom: from the traffic you already have."""
    ctx.obj = Installation(home, config)


def main() -> None:
    """The `wardgate` program."""
    cli.main()
