"""What the faces may ask of the inventory, with what people type checked once for all of them.

Each function takes `Asked`, as a person gave it, and answers what `inventory` and `identity` answer. A
parameter that makes no sense is refused by name, never guessed at.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.identity import callers as _callers
from wardgate.identity import credentials as _credentials
from wardgate.inventory import flows as _flows
from wardgate.inventory import operations as _operations
from wardgate.inventory import overview as _overview
from wardgate.inventory import services as _services
from wardgate.inventory import sources as _sources
from wardgate.inventory.scope import Scope
from wardgate.lake.store import Lake

MOST_ROWS = 10_000_000
_AGO = re.compile(r"(\d{1,6})\s*(m|min|h|d|w)\Z")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
SORTS: dict[str, tuple[str, ...]] = {
    "operations": tuple(_operations.SORTS),
    "services": tuple(_services.SORTS),
    "credentials": tuple(_credentials.SORTS),
    "callers": tuple(_callers.SORTS),
    "flows": tuple(_flows.SORTS),
}
"""Question → the orders it can be answered in; the first is the default."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a question, as people type them; None or empty where they said nothing."""

    service: str | None = None
    method: str | None = None
    template: str | None = None
    search: str | None = None
    since: str | None = None
    until: str | None = None
    static: bool | None = None
    kind: str | None = None
    credential: str | None = None
    """The first digits of a fingerprint."""
    caller: str | None = None
    """A caller's name, or its id."""
    sort: str | None = None
    limit: int | None = None
    """None: all."""
    offset: int = 0
    min_calls: int = 0
    standing: str | None = None
    """One of `inventory.classification.Standing`; answered by `service.standings` alone."""
    owner: str | None = None
    """An owner's name, or the word none; likewise."""
    operation_ids: tuple[int, ...] | None = None
    data_class: str | None = None
    """A class of data or a family of them; `*` is any text."""


def overview(lake: Lake, asked: Asked, clock: Clock) -> _overview.Overview:
    """The numbers of what was asked for."""
    return _overview.overview(lake, _scope(lake, asked, clock))


def operations(lake: Lake, asked: Asked, clock: Clock) -> _operations.Operations:
    """Operations; `static` says whether API operations (False), files and pages (True) or both (None)."""
    return _operations.operations(
        lake,
        _scope(lake, asked, clock),
        sort=_sort("operations", asked),
        limit=_limit(asked),
        offset=_whole("offset", asked.offset),
        min_calls=_whole("min-calls", asked.min_calls),
    )


def count_operations(lake: Lake, asked: Asked, clock: Clock) -> int:
    """How many `operations` there are in all, without looking at each."""
    return _operations.count_operations(
        lake, _scope(lake, asked, clock), min_calls=_whole("min-calls", asked.min_calls)
    )


def services(lake: Lake, asked: Asked, clock: Clock) -> list[_services.Service]:
    """Services, with the possible doubles of each."""
    return _services.services(
        lake,
        _scope(lake, asked, clock),
        sort=_sort("services", asked),
        limit=_limit(asked),
        min_calls=_whole("min-calls", asked.min_calls),
    )


def credentials(lake: Lake, asked: Asked, clock: Clock) -> _credentials.CredentialUses:
    """Credentials in use; `search` looks into what describes them."""
    return _credentials.credentials(
        lake,
        _scope(lake, asked, clock, paths_only=True),
        kind=asked.kind or None,
        text=asked.search or None,
        sort=_sort("credentials", asked),
        limit=_limit(asked),
        min_calls=_whole("min-calls", asked.min_calls),
    )


def callers(lake: Lake, asked: Asked, clock: Clock) -> _callers.CallerUses:
    """Callers; `search` looks into their names."""
    return _callers.callers(
        lake,
        _scope(lake, asked, clock, paths_only=True),
        kind=asked.kind or None,
        text=asked.search or None,
        sort=_sort("callers", asked),
        limit=_limit(asked),
        min_calls=_whole("min-calls", asked.min_calls),
    )


def flows(lake: Lake, asked: Asked, clock: Clock) -> _flows.Flows:
    """Who calls what with which credential."""
    return _flows.flows(
        lake,
        _scope(lake, asked, clock),
        sort=_sort("flows", asked),
        limit=_limit(asked),
        min_calls=_whole("min-calls", asked.min_calls),
    )


def caller_kinds(lake: Lake, asked: Asked, clock: Clock) -> dict[str, int]:
    """How many callers of each kind."""
    return _callers.kinds(lake, _scope(lake, asked, clock))


def sources(lake: Lake) -> list[_sources.SourceAccount]:
    """Every source's accounting."""
    return _sources.sources(lake)


def rejected_shapes(
    lake: Lake, *, source: str | None = None, since_us: int = 0, each: int = 3
) -> list[_sources.RejectedShape]:
    """What was not understood, since a time (µs since 1970)."""
    since = _sources.BEGINNING + timedelta(microseconds=since_us)
    return _sources.rejected_shapes(lake, source=source, since=since, each=each)


def moment(text: str, now_us: int) -> int:
    """µs since 1970 of what a person types: `2026-03-01`, `2026-03-01T12:00Z`, or an age: `90m`, `7d`, `2w`.

    Without a zone it is UTC. Raises `time-unreadable`.
    """
    ago = _AGO.match(text.strip())
    try:
        if ago is not None:
            return now_us - int(timedelta(**{_UNITS[ago[2]]: int(ago[1])}) / timedelta(microseconds=1))
        when = datetime.fromisoformat(text.strip())
        when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
        return int((when - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    except (ValueError, OverflowError):
        raise WardgateError(
            "time-unreadable",
            "a time is not readable;",
            mend="write it as 2026-03-01, 2026-03-01T12:00Z, or as an age such as 90m, 24h, 7d.",
        ) from None


def _scope(lake: Lake, asked: Asked, clock: Clock, *, paths_only: bool = False) -> Scope:
    since = moment(asked.since, clock()) if asked.since else None
    until = moment(asked.until, clock()) if asked.until else None
    if since is not None and until is not None and until <= since:
        raise WardgateError("time-order", "the time asked for ends before it begins.")
    return Scope(
        service=asked.service or None,
        method=asked.method or None,
        template=asked.template or None,
        search=None if paths_only else asked.search or None,
        since_us=since,
        until_us=until,
        static=asked.static,
        credential_id=_credential(lake, asked.credential) if asked.credential else None,
        caller_id=_caller(lake, asked.caller) if asked.caller else None,
        operation_ids=asked.operation_ids,
        data_class=asked.data_class or None,
    )


def _credential(lake: Lake, start: str) -> int:
    if start.lower() == "none":
        return 0
    if not re.fullmatch(r"[0-9a-fA-F]{4,32}", start):
        raise WardgateError(
            "filter-credential",
            "a credential is named by the first digits of its fingerprint (4 to 32, hexadecimal),",
            mend="or by the word none; `wardgate credentials` lists them.",
        )
    found = _credentials.credential_with(lake, start)
    return _only(found, "credential")


def _caller(lake: Lake, name: str) -> int:
    if name.isascii() and name.isdecimal() and len(name) < 20:
        return int(name)
    return _only(_callers.caller_named(lake, name), "caller")


def _only(found: list[int], what: str) -> int:
    if len(found) == 1:
        return found[0]
    many = "several" if found else "no"
    raise WardgateError(
        f"filter-{what}",
        f"there {'are' if found else 'is'} {many} {what}{'s' if found else ''} of that name;",
        mend=f"`wardgate {what}s --json` lists their ids.",
    )


def _sort(question: str, asked: Asked) -> str:
    known = SORTS[question]
    sort = asked.sort or known[0]
    if sort not in known:
        raise WardgateError(
            "sort-unknown", "that is no order for this list;", mend=f"there are {', '.join(known)}."
        )
    return sort


def _limit(asked: Asked) -> int | None:
    return None if asked.limit is None else _whole("limit", asked.limit)


def _whole(name: str, value: int) -> int:
    if not 0 <= value <= MOST_ROWS:
        raise WardgateError("number-out-of-range", f"{name} must lie between 0 and {MOST_ROWS}.")
    return value
