"""Tables for people, JSON for programs. Nothing in either can act on a terminal."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import Any

from wardgate.service.wording import clean, count, counted, share, span, when

__all__ = [
    "Column",
    "clean",
    "count",
    "counted",
    "emit_json",
    "json_text",
    "print_table",
    "say",
    "share",
    "span",
    "when",
]


def emit_json(value: Any) -> None:
    """Print one JSON value on one line. Dataclasses become objects, times RFC 3339."""
    import click

    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """As `emit_json` prints it: ASCII only, so that nothing in it can act on a terminal."""
    return json.dumps(value, default=_plain, separators=(",", ":")).replace("\x7f", "\\u007f")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    if isinstance(value, bytes):
        raise TypeError("bytes never leave")
    return str(value)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, whether it holds numbers, and how wide a terminal it needs.

    A flexible one gives way first where the terminal is narrow.
    """

    heading: str
    number: bool = False
    from_width: int = 0
    flexible: bool = False


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """A table: as wide as the terminal on one, as wide as it must be in a pipe.

    A terminal shows only the columns it is wide enough for; a pipe gets them all.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, highlight=False, markup=False, width=None if on_terminal else 4000)
    shown = [at for at, column in enumerate(columns) if console.width >= column.from_width]
    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for column in (columns[at] for at in shown):
        table.add_column(
            column.heading,
            justify="right" if column.number else "left",
            overflow="ellipsis" if on_terminal and not column.flexible else "fold",
            no_wrap=not column.flexible,
            min_width=min(len(column.heading), 8),
        )
    for row in rows:
        table.add_row(*(Text(clean(row[at])) for at in shown))
    with console.capture() as captured:
        console.print(table)
    import click

    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n"))


def say(text: str) -> None:
    """A line for people, on standard output."""
    import click

    click.echo(clean(text))
