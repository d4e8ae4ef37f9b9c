"""Flows: who calls what with which credential."""

from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.scope import Scope, question
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake

SORTS = {"calls": "calls DESC", "errors": "errors DESC, calls DESC", "last": "last_seen DESC"}


@dataclass(frozen=True, slots=True)
class Flow:
    """One caller using one operation with one credential (or none). Times are naive UTC."""

    caller_id: int
    caller: str | None
    caller_kind: str | None
    operation_id: int
    service: str
    method: str | None
    template: str
    operation: str | None
    credential_id: int
    """0: none presented."""
    credential_kind: str | None
    fingerprint: str | None
    calls: int
    """Calls as any one vantage shows them."""
    errors: int
    """4xx and 5xx among those counted."""
    first_seen: datetime
    last_seen: datetime


_SELECT = """,
sums AS (
    SELECT caller_id, credential_id, operation_id, greatest(sum(calls), max(linked))::BIGINT AS calls,
           sum(errors)::BIGINT AS errors, min(first_us) AS first_seen, max(last_us) AS last_seen
    FROM (SELECT operation_id, caller_id, credential_id, source, sum(calls) AS calls, sum(linked) AS linked,
                 sum(status_4xx) + sum(status_5xx) AS errors, min(first_us) AS first_us,
                 max(last_us) AS last_us
          FROM callings JOIN known USING (path_id) GROUP BY ALL)
    GROUP BY ALL HAVING greatest(sum(calls), max(linked)) >= $min_calls),
page AS MATERIALIZED (
    SELECT *, count(*) OVER () AS total FROM sums
    ORDER BY {order}, caller_id, credential_id, operation_id {limit}),
people AS (
    SELECT caller_id, arg_min(name, learned_at_us) AS caller, arg_min(kind, learned_at_us) AS caller_kind
    FROM {lake}.callers SEMI JOIN page USING (caller_id) GROUP BY caller_id),
keys AS (
    SELECT credential_id, arg_min(kind, learned_at_us) AS credential_kind,
           arg_min(fingerprint, learned_at_us) AS fingerprint
    FROM {lake}.credentials SEMI JOIN page USING (credential_id) GROUP BY credential_id)
SELECT page.*, service, method, "template", operation, caller, caller_kind, credential_kind, fingerprint
FROM page JOIN labels USING (operation_id) LEFT JOIN people USING (caller_id)
LEFT JOIN keys USING (credential_id)
ORDER BY {order}, caller_id, credential_id, operation_id
"""


@dataclass(frozen=True, slots=True)
class Flows:
    """A page of flows, and how many there are in all."""

    rows: list[Flow]
    total: int


def flows(
    lake: Lake, scope: Scope, *, sort: str = "calls", limit: int | None = None, min_calls: int = 0
) -> Flows:
    """Flows of a scope. `sort` is one of `SORTS`."""
    limited = "" if limit is None else f"LIMIT {int(limit)}"
    select = _SELECT.format(order=SORTS[sort], limit=limited, lake=ALIAS)
    found = question(scope).ask(lake, select, min_calls=min_calls)
    total = found[0].pop("total") if found else 0
    for row in found[1:]:
        row.pop("total")
    return Flows([Flow(**row) for row in found], total)
