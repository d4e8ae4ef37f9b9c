"""The plain page: what the inventory holds, in one server-rendered document.

It needs no JavaScript and nothing from elsewhere, and says so to the browser by a strict
Content-Security-Policy. Every request reads the rollups, and how followed sources are doing. `app.state` has
the open `lake`, the `home` and the `config`; whoever serves the router decides who may reach it.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from wardgate import __version__
from wardgate.console.recent import Recent
from wardgate.core.clock import system_clock
from wardgate.core.errors import WardgateError
from wardgate.core.observed import REASONS
from wardgate.lake.store import Lake
from wardgate.service import reading, wording
from wardgate.service.given import opened
from wardgate.service.live import live
from wardgate.service.reading import Asked
from wardgate.service.standings import STANDINGS, UNOWNED, Standings

if TYPE_CHECKING:
    from jinja2 import Template

PAGE_ROWS = 50
_OTHERS = 20
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_STATIC: dict[str, bool | None] = {"api": False, "static": True, "all": None}
FILTERS = ("service", "method", "search", "standing", "owner", "since", "until", "static", "sort")

router = APIRouter(include_in_schema=False)


@router.get("/page.css")
def style() -> Response:
    """The page's style."""
    return Response(
        _asset("page.css"), media_type="text/css", headers={**HEADERS, "Cache-Control": "max-age=3600"}
    )


@router.get("/")
def page(request: Request) -> Response:
    """The page. What is asked for is in the query: the filters of `wardgate operations`, and `page`."""
    given = {name: request.query_params.get(name, "").strip()[:200] for name in FILTERS}
    number = request.query_params.get("page", "1")
    problem = ""
    try:
        asked, at = _asked(given, number)
        shown = _recently(request, asked)
    except WardgateError as error:
        problem = str(error)
        given = dict.fromkeys(FILTERS, "")
        asked, at = _asked(given, "1")
        shown = _recently(request, asked)
    state = request.app.state
    now = live(state.home, state.config, system_clock)
    own = {
        "live": now,
        "clock": system_clock(),
        "given": given,
        "problem": problem,
        "sorts": reading.SORTS["operations"],
        "standings": STANDINGS,
        "at": at,
    }
    text = _template().render(shown, **own, link=lambda to: _link(given, to))
    return Response(text, 400 if problem else 200, {**HEADERS}, "text/html; charset=utf-8")


def _asked(given: dict[str, str], number: str) -> tuple[Asked, int]:
    at = int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 7 else 0
    if at < 1:
        raise WardgateError("page-unknown", "page must be a number from 1.")
    if given["static"] not in ("", *_STATIC):
        raise WardgateError("static-unknown", "static must be api, static or all.")
    asked = Asked(
        service=given["service"],
        method=given["method"],
        search=given["search"],
        standing=given["standing"] or None,
        owner=given["owner"] or None,
        since=given["since"],
        until=given["until"],
        static=_STATIC[given["static"] or "api"],
        sort=given["sort"] or None,
        limit=PAGE_ROWS,
        offset=(at - 1) * PAGE_ROWS,
    )
    return asked, at


def _recently(request: Request, asked: Asked) -> dict[str, Any]:
    """What was shown not long ago for the same question, else what is there now."""
    state = request.app.state
    if not hasattr(state, "recent_pages"):
        state.recent_pages = Recent()
    pages: Recent[dict[str, Any]] = state.recent_pages

    def shown() -> dict[str, Any]:
        config = state.config
        with opened(state.home, config.state.url, system_clock, config.owners.rules) as knowledge:
            return _shown(state.lake, asked, Standings(state.lake, knowledge), bool(knowledge.given))

    return pages.answer(asked, shown)


def _shown(lake: Lake, asked: Asked, look: Standings, is_described: bool) -> dict[str, Any]:
    """All that the page shows. The filters hold for the operations; the time holds for everything.

    Standings hold for all time.
    """
    clock = system_clock
    found = look.listing(asked, clock)
    counts = look.counts()
    window = Asked(since=asked.since, until=asked.until)
    some = replace(window, limit=_OTHERS)
    services = reading.services(lake, window, clock)
    return {
        "overview": reading.overview(lake, window, clock),
        "operations": found,
        "pages": max(-(-found.total // PAGE_ROWS), 1),
        "services": services,
        "standing_counts": counts,
        "standing_totals": _totals(counts),
        "service_owners": {one.service: look.service_owners(one.service) for one in services},
        "is_described": is_described,
        "credentials": reading.credentials(lake, some, clock),
        "callers": reading.callers(lake, some, clock),
        "kinds": reading.caller_kinds(lake, window, clock),
        "sources": reading.sources(lake),
        "rejects": reading.rejected_shapes(lake, each=3)[:60],
        "reasons": {one.value: text for one, text in REASONS.items()},
        "version": __version__,
        "as_of": datetime.fromtimestamp(clock() / 1e6, UTC),
    }


def _totals(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Standing → how many operations of all services have it."""
    total: Counter[str] = Counter()
    for one in counts.values():
        total.update(one)
    return {name: total[name] for name in (*STANDINGS, UNOWNED)}


def _link(given: dict[str, str], to: int) -> str:
    query = {name: value for name, value in given.items() if value}
    return "?" + urlencode({**query, "page": to}) + "#operations"


@cache
def _asset(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "clean": lambda text: wording.clean(text or ""),
        "count": wording.count,
        "ago": wording.ago,
        "size": wording.size,
        "share": wording.share,
        "span": wording.span,
        "when": wording.when,
    }
    return environment.from_string(_asset("page.html"))
