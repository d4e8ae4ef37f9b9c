"""Services: each API that received calls, with what is known of all its operations together."""

from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.doubles import possible_doubles
from wardgate.inventory.scope import Scope, question
from wardgate.lake.store import Lake

SORTS = {"calls": "calls DESC", "operations": "operations DESC", "last": "last_seen DESC", "name": "service"}


@dataclass(frozen=True, slots=True)
class Service:
    """One service in the time asked for. Times are naive UTC, shares 0…1."""

    service: str
    protocols: list[str]
    operations: int
    """API operations; files and pages are apart."""
    static_paths: int
    calls: int
    static_calls: int
    """Of `calls`, those for files and pages."""
    linked: int
    possible_doubles: int
    """Calls that another source's, in the same minute on the same path, may already count."""
    first_seen: datetime
    last_seen: datetime
    errors_4xx: int
    errors_5xx: int
    error_share: float | None
    callers: int
    credentials: int
    no_credential_share: float | None
    """Share of the calls to its API operations for which no vantage shows a credential."""
    sources: list[str]


_SELECT = """,
by_operation AS MATERIALIZED (
    SELECT operation_id, sum(calls)::BIGINT AS calls, sum(linked)::BIGINT AS linked,
           min(first_us) AS first_us, max(last_us) AS last_us, sum(status_4xx) AS s4, sum(status_5xx) AS s5,
           sum(status_1xx) + sum(status_2xx) + sum(status_3xx) + s4 + s5 AS shown,
           list(DISTINCT source) AS sources
    FROM scoped GROUP BY operation_id),
totals AS (
    SELECT service, list(DISTINCT protocol ORDER BY protocol) AS protocols,
           count(*) FILTER (NOT "static") AS operations, count(*) FILTER ("static") AS static_paths,
           sum(calls)::BIGINT AS calls, coalesce(sum(calls) FILTER ("static"), 0)::BIGINT AS static_calls,
           sum(linked)::BIGINT AS linked, min(first_us) AS first_seen, max(last_us) AS last_seen,
           sum(s4)::BIGINT AS errors_4xx, sum(s5)::BIGINT AS errors_5xx,
           (sum(s4) + sum(s5)) / nullif(sum(shown), 0) AS error_share,
           list_sort(list_distinct(flatten(list(sources)))) AS sources
    FROM by_operation JOIN labels USING (operation_id) GROUP BY service HAVING sum(calls) >= $min_calls),
presented AS (
    SELECT operation_id, credential_id, greatest(sum(calls), max(linked)) AS calls
    FROM (SELECT operation_id, credential_id, source, sum(calls) AS calls, sum(linked) AS linked
          FROM scoped WHERE credential_id <> 0 GROUP BY ALL) GROUP BY ALL),
with_credential AS (
    SELECT service, sum(calls) FILTER (NOT "static") AS presented,
           count(DISTINCT credential_id) AS credentials
    FROM presented JOIN labels USING (operation_id) GROUP BY service),
by_caller AS (
    SELECT service, count(*) AS callers
    FROM (SELECT DISTINCT service, caller_id FROM callings JOIN known USING (path_id)
          JOIN labels USING (operation_id))
    GROUP BY service)
SELECT totals.*, coalesce(callers, 0) AS callers, coalesce(credentials, 0) AS credentials,
       greatest(calls - static_calls - coalesce(presented, 0), 0) / nullif(calls - static_calls, 0)
           AS no_credential_share
FROM totals LEFT JOIN with_credential USING (service) LEFT JOIN by_caller USING (service)
ORDER BY {order}, service {limit}
"""


def services(
    lake: Lake, scope: Scope, *, sort: str = "calls", limit: int | None = None, min_calls: int = 0
) -> list[Service]:
    """Services of a scope. `sort` is one of `SORTS`."""
    limited = "" if limit is None else f"LIMIT {int(limit)}"
    found = question(scope).ask(lake, _SELECT.format(order=SORTS[sort], limit=limited), min_calls=min_calls)
    doubles: dict[str, int] = {}
    for service, _, calls in possible_doubles(lake, scope):
        doubles[service] = doubles.get(service, 0) + calls
    return [Service(**row, possible_doubles=doubles.get(row["service"], 0)) for row in found]
