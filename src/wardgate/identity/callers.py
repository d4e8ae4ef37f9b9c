"""Callers: who and what is calling, told from credentials or, failing these, from address and software.

Calls are counted as any one vantage shows them. The page is chosen before names are looked up, so that
millions of anonymous callers cost no more than their rollups.
"""

from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.scope import Scope, question, rows
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake

SORTS = {
    "calls": "calls DESC",
    "errors": "errors DESC, calls DESC",
    "operations": "operations DESC, calls DESC",
    "first": "first_seen DESC",
    "last": "last_seen DESC",
}


@dataclass(frozen=True, slots=True)
class CallerUse:
    """One caller in the time asked for. Times are naive UTC."""

    caller_id: int
    kind: str | None
    """person, service, agent, crawler, scanner or unknown."""
    name: str | None
    basis: str | None
    """What it was told from."""
    confidence: float | None
    """0…1: how sure the kind and identity are."""
    calls: int
    errors: int
    """4xx and 5xx among the calls counted for it."""
    operations: int
    credentials: int
    services: list[str]
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class CallerUses:
    """A page of callers, how many there are in all, and how many of each kind."""

    rows: list[CallerUse]
    total: int


_SELECT = """,
sums AS (
    SELECT caller_id, greatest(sum(calls), max(linked))::BIGINT AS calls, sum(errors)::BIGINT AS errors,
           min(first_us) AS first_seen, max(last_us) AS last_seen
    FROM (SELECT caller_id, source, sum(calls) AS calls, sum(linked) AS linked,
                 sum(status_4xx) + sum(status_5xx) AS errors, min(first_us) AS first_us,
                 max(last_us) AS last_us
          FROM callings {wanted} GROUP BY ALL)
    GROUP BY caller_id HAVING greatest(sum(calls), max(linked)) >= $min_calls),
page AS MATERIALIZED (
    SELECT sums.*, count(*) OVER () AS total FROM sums {breadth} ORDER BY {order}, caller_id {limit}),
touched AS (
    SELECT caller_id, count(DISTINCT operation_id) AS operations,
           count(DISTINCT credential_id) FILTER (credential_id <> 0) AS credentials,
           list(DISTINCT service ORDER BY service) AS services
    FROM (SELECT DISTINCT caller_id, path_id, credential_id
          FROM callings JOIN (SELECT caller_id FROM page) USING (caller_id))
    JOIN known USING (path_id) JOIN labels USING (operation_id) GROUP BY caller_id),
facts AS (
    SELECT caller_id, arg_min(kind, learned_at_us) AS kind, arg_min(name, learned_at_us) AS name,
           arg_min(basis, learned_at_us) AS basis, arg_min(confidence, learned_at_us) AS confidence
    FROM {lake}.callers JOIN (SELECT caller_id FROM page) USING (caller_id) GROUP BY caller_id)
SELECT page.caller_id, kind, name, basis, confidence::DOUBLE AS confidence, calls, errors, operations,
       credentials, services, first_seen, last_seen, total
FROM page JOIN touched USING (caller_id) LEFT JOIN facts USING (caller_id)
ORDER BY {order}, page.caller_id
"""

_BREADTH = """JOIN (
        SELECT caller_id, count(DISTINCT operation_id) AS operations
        FROM callings JOIN known USING (path_id) GROUP BY caller_id)
    USING (caller_id)"""


def callers(
    lake: Lake,
    scope: Scope,
    *,
    kind: str | None = None,
    text: str | None = None,
    sort: str = "calls",
    limit: int | None = None,
    min_calls: int = 0,
) -> CallerUses:
    """Callers of a scope. `kind` as in `CallerUse`; `text` must stand in name or basis."""
    wanted = ""
    parameters: dict[str, str] = {}
    if kind is not None or text is not None:
        tests = []
        if kind is not None:
            tests.append("kind = $kind")
            parameters["kind"] = kind
        if text is not None:
            tests.append("contains(lower(concat_ws(' ', name, basis)), lower($text))")
            parameters["text"] = text
        wanted = f"""SEMI JOIN (SELECT caller_id FROM {ALIAS}.callers WHERE {" AND ".join(tests)}) wanted
                     USING (caller_id)"""
    select = _SELECT.format(
        wanted=wanted,
        breadth=_BREADTH if sort == "operations" else "",
        order=SORTS[sort],
        limit="" if limit is None else f"LIMIT {int(limit)}",
        lake=ALIAS,
    )
    found = question(scope).ask(lake, select, min_calls=min_calls, **parameters)
    total = found[0]["total"] if found else 0
    for row in found:
        del row["total"]
    return CallerUses([CallerUse(**row) for row in found], total)


def caller_named(lake: Lake, name: str) -> list[int]:
    """Ids of the callers called exactly so."""
    found = rows(
        lake, f"SELECT DISTINCT caller_id FROM {ALIAS}.callers WHERE name = $name LIMIT 100", {"name": name}
    )
    return [row["caller_id"] for row in found]


def kinds(lake: Lake, scope: Scope) -> dict[str, int]:
    """How many callers of each kind a scope holds, the most frequent kind first."""
    found = question(scope).ask(
        lake,
        f""", here AS (SELECT DISTINCT caller_id FROM callings),
        facts AS (SELECT caller_id, arg_min(kind, learned_at_us) AS kind FROM {ALIAS}.callers
                  SEMI JOIN here USING (caller_id) GROUP BY caller_id)
        SELECT kind, count(*) AS n FROM facts GROUP BY kind ORDER BY n DESC, kind""",
    )
    return {row["kind"]: row["n"] for row in found}
