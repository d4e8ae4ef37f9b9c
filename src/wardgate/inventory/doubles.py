"""Possible doubles: calls that several sources saw and nothing links, shown rather than hidden.

Where several sources counted calls of the same path in the same minute, all but the largest source's count
may be the same calls seen again: the sum over sources minus the maximum, per minute and path. Where rows of
that minute and path do link, those that don't are taken for calls of their own.
"""

from wardgate.inventory.scope import Scope, question, rows
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake

_SELECT = """,
several AS MATERIALIZED (
    SELECT path_id FROM scoped WHERE calls > 0 GROUP BY path_id HAVING min(source) <> max(source)),
seen AS (
    SELECT minute_us, path_id, operation_id, source, sum(calls) AS calls, sum(linked) AS linked
    FROM scoped SEMI JOIN several USING (path_id) GROUP BY ALL),
ranked AS (
    SELECT operation_id, source, calls, sum(linked) OVER same AS linked,
           row_number() OVER (same ORDER BY calls DESC, source) AS place
    FROM seen WINDOW same AS (PARTITION BY minute_us, path_id))
SELECT service, source, sum(calls)::BIGINT AS doubles
FROM ranked JOIN labels USING (operation_id) WHERE place > 1 AND linked = 0 GROUP BY ALL
"""


def possible_doubles(lake: Lake, scope: Scope) -> list[tuple[str, str, int]]:
    """(service, source, calls that may be doubles of another source's); nothing where one source counts."""
    sources = rows(lake, f"SELECT count(DISTINCT source) AS n FROM {ALIAS}.ledger WHERE accepted > 0")
    if sources[0]["n"] < 2:
        return []
    found = question(scope).ask(lake, _SELECT)
    return [(row["service"], row["source"], row["doubles"]) for row in found]
