"""Operations: what was called, how often, with what outcome, how fast, by how many and with what.

Counts leave out rows of a vantage whose call another vantage counts (`linked`). A credential that only
such a vantage shows still counts as presented.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

import duckdb

from wardgate.inventory.scope import Question, Scope, question
from wardgate.lake.store import Lake

SORTS = {
    "calls": "calls DESC",
    "errors": "errors DESC, calls DESC",
    "error-share": "error_share DESC NULLS LAST, calls DESC",
    "first": "first_seen DESC",
    "last": "last_seen DESC",
    "name": 'service, "template", method',
    "p95": "p95_us DESC NULLS LAST",
    "callers": "calls DESC",  # and then by callers, which are counted apart
}
"""How operations can be ordered; operation ids settle ties."""
UNCERTAIN = 0.7
"""Confidence below which a template is marked as uncertain."""
MOST_PLACES = 20
"""Places of a data class that a listing tells."""
_LATE = ("p95",)  # known only after the second step


class CarriedClass(TypedDict):
    """One class of data that an operation's calls carry."""

    data_class: str
    calls: int
    """Calls that carry it at the place where most do."""
    places: list[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation in the time asked for. Times are naive UTC, durations µs, shares 0…1."""

    operation_id: int | None
    """None of one that was never called."""
    service: str
    protocol: str
    method: str | None
    template: str
    operation: str | None
    """A name the template does not hold: an RPC method, a tool."""
    static: bool
    """A file or a page rather than an API operation."""
    calls: int
    linked: int
    """Rows of other vantages for calls that are counted already."""
    first_seen: datetime | None
    last_seen: datetime | None
    status_1xx: int
    status_2xx: int
    status_3xx: int
    status_4xx: int
    status_5xx: int
    error_share: float | None
    """(4xx + 5xx) / calls that show a status; None where none does."""
    p50_us: float | None
    p95_us: float | None
    """From a histogram with steps of 19 %, so within 10 %; None where no call has a duration."""
    callers: int
    credentials: int
    no_credential_share: float | None
    """Share of calls for which no vantage shows a credential."""
    static_reason: str | None = None
    """Why it is a file or a page: `ends in .css`, `answered with HTML`, `redirects to a login page`."""
    client_name: str | None = None
    """What clients call it, where all of them call it the same: GraphQL's operation name."""
    protocol_versions: list[str] | None = None
    """Versions of the protocol that were spoken: MCP's, A2A's."""
    confidence: float | None = None
    """How sure the template is, 0…1; None where nothing is known of that."""
    basis: str | None = None
    """What the template comes from: `plain` looks, `learned`, `described`, `pinned`."""
    data_classes: list[CarriedClass] = field(default_factory=list)
    """What its calls carry, in the hours asked for; the class that most calls carry first."""

    @property
    def title(self) -> str:
        """Its template and name, as it is shown to people."""
        name = title(self.template, self.operation)
        return f"{name} ({self.client_name})" if self.client_name else name

    @property
    def is_uncertain(self) -> bool:
        """Whether the template may well be another: of a single call, or of little confidence."""
        if self.static or self.operation is not None or self.basis not in ("plain", "learned"):
            return False
        return self.calls + self.linked <= 1 or (self.confidence or 0.0) < UNCERTAIN


def title(template: str, operation: str | None) -> str:
    """A template with the name that it does not hold: a gRPC method's is in its path."""
    return template if not operation or template.endswith(f"/{operation}") else f"{template} {operation}"


@dataclass(frozen=True, slots=True)
class Operations:
    """A page of operations, and how many there are in all."""

    rows: list[Operation]
    total: int


# Not SEMI JOIN, for which the engine makes its table of the larger side.
_SELECT = """,
sums AS (
    SELECT operation_id, sum(calls)::BIGINT AS calls, sum(linked)::BIGINT AS linked,
           min(first_us) AS first_seen, max(last_us) AS last_seen,
           sum(status_1xx)::BIGINT AS status_1xx, sum(status_2xx)::BIGINT AS status_2xx,
           sum(status_3xx)::BIGINT AS status_3xx, sum(status_4xx)::BIGINT AS status_4xx,
           sum(status_5xx)::BIGINT AS status_5xx, max(duration_max_us) AS slowest_us
    FROM scoped GROUP BY operation_id HAVING sum(calls) >= $min_calls),
page AS MATERIALIZED (
    SELECT *, status_4xx + status_5xx AS errors,
           errors / nullif(status_1xx + status_2xx + status_3xx + errors, 0) AS error_share,
           count(*) OVER () AS total
    FROM sums JOIN labels USING (operation_id) ORDER BY {early_order} {early_limit}),
listed AS NOT MATERIALIZED (SELECT operation_id FROM page),
shown AS NOT MATERIALIZED (SELECT scoped.* FROM scoped JOIN listed USING (operation_id)),
presented AS (
    SELECT operation_id, credential_id, greatest(sum(calls), max(linked)) AS calls
    FROM (SELECT operation_id, credential_id, source, sum(calls) AS calls, sum(linked) AS linked
          FROM shown WHERE credential_id <> 0 GROUP BY ALL) GROUP BY ALL),
with_credential AS (
    SELECT operation_id, sum(calls) AS presented, count(*) AS credentials FROM presented GROUP BY ALL),
buckets AS (
    SELECT operation_id, bucket, sum(calls) AS n
    FROM scoped_latencies JOIN listed USING (operation_id) GROUP BY ALL),
running AS (
    SELECT operation_id, bucket, sum(n) OVER (PARTITION BY operation_id ORDER BY bucket) AS upto,
           sum(n) OVER (PARTITION BY operation_id) AS timed FROM buckets),
quantiles AS (
    SELECT operation_id, min(bucket) FILTER (upto >= 0.5 * timed) AS b50,
           min(bucket) FILTER (upto >= 0.95 * timed) AS b95 FROM running GROUP BY operation_id),
by_place AS (
    SELECT operation_id, data_class, place, sum(calls + linked)::BIGINT AS calls
    FROM scoped_data JOIN listed USING (operation_id) GROUP BY ALL),
by_class AS (
    SELECT operation_id, data_class, max(calls) AS calls, list(place ORDER BY calls DESC, place) AS places
    FROM by_place GROUP BY ALL),
carried AS (
    SELECT operation_id,
           list({{'data_class': data_class, 'calls': calls, 'places': list_slice(places, 1, {places})}}
                ORDER BY calls DESC, data_class) AS data_classes
    FROM by_class GROUP BY operation_id)
SELECT page.operation_id, service, protocol, method, "template", operation, "static",
       static_reason, client_name, protocol_versions, confidence, basis,
       calls, linked, first_seen, last_seen, status_1xx, status_2xx, status_3xx, status_4xx, status_5xx,
       error_share, CASE WHEN b50 IS NOT NULL THEN least(pow(2, (b50 + 0.5) / 4), slowest_us) END AS p50_us,
       CASE WHEN b95 IS NOT NULL THEN least(pow(2, (b95 + 0.5) / 4), slowest_us) END AS p95_us,
       coalesce(credentials, 0) AS credentials,
       CASE WHEN calls > 0 THEN greatest(calls - coalesce(presented, 0), 0) / calls END
           AS no_credential_share,
       coalesce(data_classes, []) AS data_classes, total
FROM page LEFT JOIN with_credential USING (operation_id)
LEFT JOIN quantiles USING (operation_id) LEFT JOIN carried USING (operation_id)
ORDER BY {order}, page.operation_id {limit}
"""

# A question of its own: beside the others it would not do in the memory that there is for it.
_CALLERS = """
SELECT operation_id, count(*)
FROM (SELECT DISTINCT operation_id, caller_id FROM scoped {page} WHERE calls > 0 OR credential_id <> 0)
GROUP BY operation_id"""
_PAGE = "JOIN (SELECT unnest(string_split($page, ',')::BIGINT[]) AS operation_id) USING (operation_id)"


def operations(
    lake: Lake,
    scope: Scope,
    *,
    sort: str = "calls",
    limit: int | None = None,
    offset: int = 0,
    min_calls: int = 0,
) -> Operations:
    """Operations of a scope. `sort` is one of `SORTS`; `limit` None answers all of them."""
    if sort == "callers":
        return _by_callers(lake, scope, limit, offset, min_calls)
    order = SORTS[sort]
    limited = f"LIMIT {int(limit) if limit is not None else 'ALL'} OFFSET {int(offset)}"
    late = sort in _LATE
    select = _SELECT.format(
        early_order="operation_id" if late else f"{order}, operation_id",
        early_limit="" if late else limited,
        order=order,
        limit=limited if late else "",
        places=MOST_PLACES,
    )
    asked = question(scope)
    with lake.reading() as cursor:
        found = asked.ask_in(cursor, select, min_calls=min_calls)
        callers = _callers(cursor, asked, None if limit is None else [row["operation_id"] for row in found])
    total = found[0]["total"] if found else 0
    if not found and offset:
        total = count_operations(lake, scope, min_calls=min_calls)
    rows = [
        Operation(
            callers=callers.get(row["operation_id"], 0), **{k: v for k, v in row.items() if k != "total"}
        )
        for row in found
    ]
    return Operations(rows, total)


def _by_callers(lake: Lake, scope: Scope, limit: int | None, offset: int, min_calls: int) -> Operations:
    every = operations(lake, scope, min_calls=min_calls)
    every.rows.sort(key=lambda one: (-one.callers, -one.calls, one.operation_id or 0))
    return Operations(every.rows[offset : None if limit is None else offset + limit], every.total)


def _callers(cursor: duckdb.DuckDBPyConnection, asked: Question, page: list[int] | None) -> dict[int, int]:
    """How many callers each operation has; of all operations where no page is given."""
    if page is None:
        return dict(asked.tuples_in(cursor, _CALLERS.format(page="")))
    if not page:
        return {}
    return dict(asked.tuples_in(cursor, _CALLERS.format(page=_PAGE), page=",".join(map(str, page))))


def count_operations(lake: Lake, scope: Scope, *, min_calls: int = 0) -> int:
    """How many operations a scope holds."""
    found = question(scope).ask(
        lake,
        """SELECT count(*) AS n FROM (
            SELECT operation_id FROM scoped GROUP BY operation_id HAVING sum(calls) >= $min_calls)""",
        min_calls=min_calls,
    )
    return int(found[0]["n"])
