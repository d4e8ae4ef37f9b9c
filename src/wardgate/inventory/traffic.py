"""Evidence that traffic gives: which source saw an operation, from when to when, and whether it answered.

Standings hold for all time, so nothing here is narrowed by the time somebody asks for.
"""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from wardgate.inventory.evidence import Evidence, Layer, Says
from wardgate.inventory.scope import Scope, question
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake

NOT_FOUND = (404, 405, 410)
"""Statuses that say: there is no such operation."""
_ONLY_REFUSED = """
SELECT operation_id FROM scoped GROUP BY operation_id
HAVING sum(status_4xx) > 0 AND sum(status_4xx) = sum(calls)"""
_OTHERWISE = f"""
SELECT DISTINCT operation_id FROM {ALIAS}.calls JOIN known USING (path_id)
WHERE status NOT IN {NOT_FOUND} AND is_linked IS NOT TRUE"""
_BY_SOURCE = """
SELECT operation_id, source, min(first_us), max(last_us), sum(calls)::BIGINT, sum(status_4xx)::BIGINT
FROM scoped GROUP BY ALL ORDER BY ALL"""
_SIGHTS = """
SELECT service, source, min(first_us), max(last_us)
FROM scoped JOIN labels USING (operation_id) GROUP BY ALL ORDER BY ALL"""

_PRESENTED = """,
seen AS (
    SELECT operation_id, source, sum(calls + linked) FILTER (credential_id = 0) AS without,
           sum(calls + linked) AS every
    FROM scoped JOIN (SELECT DISTINCT source FROM {lake}.rollups WHERE credential_id <> 0) USING (source)
    GROUP BY ALL)
SELECT operation_id, max_by(coalesce(without, 0)::BIGINT, every), max(every)::BIGINT
FROM seen WHERE every > 0 GROUP BY operation_id"""


def presented(lake: Lake, scope: Scope) -> dict[int, tuple[int, int]]:
    """Operation → (calls without a credential, calls), as the source has it that shows most of them.

    Only sources that ever showed a credential are asked: an access log never does, and says nothing.
    """
    found = question(scope).tuples(lake, _PRESENTED.format(lake=ALIAS))
    return {operation_id: (without, every) for operation_id, without, every in found}


def only_tried(lake: Lake, operation_ids: Collection[int]) -> set[int]:
    """Those of the operations whose calls were all answered by `not found`.

    Rollups know the class of a status, so calls are asked where all were 4xx; where none are left to ask,
    nothing shows that the operation is there.
    """
    return _never_found(lake, [row[0] for row in _asked(lake, operation_ids, _ONLY_REFUSED)])


def by_source(lake: Lake, operation_ids: Collection[int]) -> dict[int, list[Evidence]]:
    """Operation → what each source shows of it: that it is there or, as `only_tried` has it, was tried."""
    found = _asked(lake, operation_ids, _BY_SOURCE)
    calls: Counter[int] = Counter()
    refused: Counter[int] = Counter()
    for operation_id, _, _, _, called, status_4xx in found:
        calls[operation_id] += called
        refused[operation_id] += status_4xx
    tried = _never_found(lake, [one for one, count in refused.items() if 0 < count == calls[one]])
    out: dict[int, list[Evidence]] = {}
    for operation_id, source, first, last, _, _ in found:
        says = Says.TRIED if operation_id in tried else Says.EXISTS
        one = Evidence(Layer.TRAFFIC, says, source, microseconds(first), microseconds(last))
        out.setdefault(operation_id, []).append(one)
    return out


def _never_found(lake: Lake, refused: Collection[int]) -> set[int]:
    """Of operations whose calls were all answered 4xx, those that nothing else shows to be there."""
    return set(refused) - {row[0] for row in _asked(lake, refused, _OTHERWISE)}


def in_sight(lake: Lake, service: str) -> list[Evidence]:
    """The sources that saw calls of a service, and so would have shown others."""
    pattern = service if "*" not in service else None  # a name is no pattern here
    found = question(Scope(service=pattern)).tuples(lake, _SIGHTS)
    return [
        Evidence(Layer.TRAFFIC, Says.IN_SIGHT, source, microseconds(first), microseconds(last))
        for name, source, first, last in found
        if name == service
    ]


def _asked(lake: Lake, operation_ids: Collection[int], select: str) -> list[tuple[Any, ...]]:
    if not operation_ids:
        return []
    scope = Scope(operation_ids=tuple(operation_ids))
    return question(scope).tuples(lake, select)


def microseconds(when: datetime) -> int:
    """µs since 1970 of a naive time in UTC."""
    return round(when.replace(tzinfo=UTC).timestamp() * 1_000_000)
