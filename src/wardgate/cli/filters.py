"""The filters that the listing commands share, as click options that become one `Asked`.

`--limit` is 50 on a terminal's table and everything in JSON, unless it is given.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wardgate.cli.orders import ORDERS
from wardgate.cli.output import count, say

if TYPE_CHECKING:
    from wardgate.service.reading import Asked

F = TypeVar("F", bound=Callable[..., Any])

TABLE_ROWS = 50
_PATHS = (
    click.option("--service", metavar="NAME", help="Only this service; `*` is any text."),
    click.option("--method", metavar="METHOD", help="Only this HTTP method."),
    click.option("--template", metavar="TEMPLATE", help="Only this template; `*` is any text."),
)
_TIME = (
    click.option(
        "--since",
        metavar="TIME",
        help="From here on: 2026-03-01, 2026-03-01T12:00Z, or an age: 90m, 24h, 7d.",
    ),
    click.option("--until", metavar="TIME", help="Up to here, likewise. Both count whole minutes."),
)
_STATIC = (
    click.option("--static", "static", is_flag=True, help="Files and pages in place of API operations."),
    click.option("--all", "everything", is_flag=True, help="API operations, files and pages together."),
)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def listing(question: str, *, paths: bool = True, static: bool = False) -> Callable[[F], F]:
    """The options of a listing: `static` and `everything` only where files can be told apart."""
    orders = ORDERS[question]
    options = [
        *(_PATHS if paths else ()),
        *_TIME,
        *(_STATIC if static else ()),
        click.option(
            "--min-calls", type=click.IntRange(0), default=0, metavar="N", help="Hide what was called less."
        ),
        click.option(
            "--sort",
            type=click.Choice(orders),
            default=orders[0],
            show_default=True,
            help="Order of the rows.",
        ),
        click.option(
            "--limit",
            type=click.IntRange(0),
            metavar="N",
            help=f"At most N rows, 0 for all. Default: {TABLE_ROWS}, with --json all.",
        ),
        _JSON,
    ]

    def decorated(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def asked_of(as_json: bool, given: dict[str, Any]) -> "Asked":
    """The question that a listing's options make."""
    from wardgate.service.reading import Asked

    limit = given.pop("limit")
    if limit == 0 or (limit is None and as_json):
        limit = None
    elif limit is None:
        limit = TABLE_ROWS
    if "everything" in given:
        everything, static = given.pop("everything"), given.pop("static")
        given["static"] = None if everything else static
    return Asked(limit=limit, **given)


def say_more(shown: int, total: int) -> None:
    """Tell that there are more rows than were shown."""
    if total > shown:
        say(f"{count(total - shown)} more; --limit 0 shows all.")


NOTHING = (
    "Nothing here yet, or nothing that fits. "
    "`wardgate ingest PATH` takes calls in; `wardgate doctor` says why none show."
)
"""What an empty list says."""
