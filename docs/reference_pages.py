"""Writes docs/reference/{cli,call,formats,protocols}.md from commands, Call and catalogues.

Run by `make docs`; a test fails when a page is stale.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from wardgate.cli.main import COMMANDS, cli
from wardgate.core.call import CLAIMS, COLUMNS, CREDENTIAL, DATA_CLASS, OBJECT, SIGNAL
from wardgate.core.observed import REASONS
from wardgate.recognise.protocols.catalogue import protocols
from wardgate.recognise.protocols.shape import Hints
from wardgate.sources.catalogue import builtin_formats
from wardgate.sources.format import LineFormat

FOLDER = Path(__file__).parent / "reference"
_MADE = "<!-- Made by `make docs`; do not edit. -->\n\n"
_STRUCTS = {
    "CREDENTIAL": CREDENTIAL,
    "CLAIMS": CLAIMS,
    "OBJECT": OBJECT,
    "DATA_CLASS": DATA_CLASS,
    "SIGNAL": SIGNAL,
}


def cli_page() -> str:
    """Every command with its help."""
    root = click.Context(cli, info_name="wardgate", **cli.context_settings)
    parts = [
        _MADE + "# Commands\n\n"
        "Errors are one line on standard error, `[code] message mend` (see [errors](errors.md)). Exit codes: 0 done,\n"
        "1 a check found something, 2 used wrongly, 3 failed. `--json` gives one stable JSON object; ids are text in\n"
        "it, because they have 63 bits. Times are UTC; `…_us` is microseconds; shares lie between 0 and 1.\n\n"
        f"```text\n{_help(cli, root)}\n```\n"
    ]
    for name in COMMANDS:
        command = cli.get_command(root, name)
        assert command is not None
        for path, one, context in _tree(command, root, name):
            parts.append(f"\n## {path}\n\n```text\n{_help(one, context)}\n```\n")
    return "".join(parts)


def _tree(
    command: click.Command, parent: click.Context, name: str
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(command, info_name=name, parent=parent)
    yield context.command_path, command, context
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            one = command.get_command(context, inner)
            assert one is not None
            yield from _tree(one, context, inner)


def _help(command: click.Command, context: click.Context) -> str:
    context.terminal_width = 96
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def call_page() -> str:
    """Every column of the Call."""
    rows = "".join(
        f"| `{one.name}` | {_type(one.type)} | {'yes' if one.nullable else 'no'} | {one.meaning} |\n"
        for one in COLUMNS
    )
    structs = "".join(
        f"\n## {name.lower().replace('_', ' ')}\n\n| field | type |\n|---|---|\n"
        + "".join(f"| `{inner.name}` | {_type(inner.type)} |\n" for inner in kind)
        for name, kind in _STRUCTS.items()
    )
    return (
        _MADE + "# The Call\n\n"
        "One observed request with its response: one row, whatever source it came from. Null is absent: the source\n"
        "did not show it. Identifiers are keyed for the installation; secrets, subjects and login names are keyed\n"
        "hashes. `wardgate parse FILE --json` prints calls in these columns; `wardgate query` asks them.\n\n"
        "| column | type | may be null | meaning |\n|---|---|---|---|\n" + rows + structs
    )


def _type(kind: object) -> str:
    names = {struct: name.lower() for name, struct in _STRUCTS.items()}
    text = str(kind)
    for struct, name in names.items():
        text = text.replace(str(struct), name.replace("_", " "))
    return text.replace("list<item: ", "list of ").replace("list<element: ", "list of ").removesuffix(">")


def formats_page() -> str:
    """Every built-in format, and every reason why a record is kept aside."""
    rows = ""
    for one in builtin_formats():
        first = inspect.cleandoc(type(one).__doc__ or "").split("\n")[0]
        kind = "lines" if isinstance(one, LineFormat) else "document"
        rows += f"| `{one.name}` | {one.title} | {kind} | {first} | {one.reference} |\n"
    reasons = "".join(f"| `{reason.value}` | {text} |\n" for reason, text in REASONS.items())
    return (
        _MADE + "# Formats\n\n"
        "`--format auto` asks each format how well a sample of the input fits, and says what it took it for and why.\n"
        "A tie is asked, not guessed. Lines can be followed and sent by syslog; documents are read as a whole, in\n"
        "bounded memory. Everything may be plain, gzip, zstd or bzip2. A [mapping file](../how-to/add-a-format.md)\n"
        "adds a format without code. [What each shows of credentials](what-sources-show.md) is a page of its own.\n\n"
        "| name | format | records | what it is | described in |\n|---|---|---|---|---|\n" + rows + "\n"
        "## Why a record is kept aside\n\n"
        "Every record read is accepted, rejected for one of these reasons, or skipped by a named rule:\n"
        "`read = accepted + rejected + skipped`, exactly, for every source.\n\n"
        "| reason | meaning |\n|---|---|\n" + reasons
    )


def protocols_page() -> str:
    """Every protocol that calls are told by, and what it is told from."""
    rows = "".join(
        f"| `{one.name}` | {one.title} | {(type(one).__doc__ or '').splitlines()[0]} | {_told_by(one.hints)} "
        f"| {one.reference} |\n"
        for one in protocols()
    )
    return (
        _MADE + "# Protocols\n\n"
        "What is first in this list and says yes is right; what none of them knows is `http`: REST, pages and files.\n"
        "Any one of the hints in the fourth column leads to a closer look, which decides. A source that names\n"
        "protocol or operation itself (OpenTelemetry, Envoy) is believed.\n"
        "[How calls are told apart](../explanation/protocols.md) says what their names are made of.\n\n"
        "| name | protocol | what is told | looked at where | described in |\n|---|---|---|---|---|\n" + rows
    )


def _told_by(hints: Hints) -> str:
    """Hints in words; patterns are RE2's."""
    told = [
        *(f"request type `{one}`" for one in [hints.request_type] if one),
        *(f"response type `{one}`" for one in [hints.response_type] if one),
        *(f"POST to `{one}`" for one in [hints.post_path] if one),
        *(f"path ends in `{one}`" for one in hints.path_endings),
        *(f"query `{one}`" for one in [hints.query] if one),
        *(f"header `{_header(one)}`" for one in hints.headers),
        *(f"header `{_header(one)}` is `{pattern}`" for one, pattern in hints.values),
        *(f"status {one}" for one in hints.statuses),
        *([f"body holds {' or '.join(f'`{one}`' for one in hints.body)}"] if hints.body else []),
    ]
    return "; ".join(told).replace("|", "\\|")


def _header(column: str) -> str:
    side, _, name = column.partition(".")
    return name if side == "req" else f"{name} (response)"


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "call.md": call_page,
    "formats.md": formats_page,
    "protocols.md": protocols_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
