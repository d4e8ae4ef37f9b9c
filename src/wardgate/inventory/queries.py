"""The names of query parameters that calls had: read from calls, so for investigations only.

Names only: values never leave the lake here. Bounded per operation, because a scanner makes them up.
"""

from wardgate.inventory.scope import Scope, question
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake

MOST_NAMES = 200
LONGEST = 100

_SELECT = """,
texts AS (
    SELECT operation_id, query, count(*) AS n, sum(count(*)) OVER (PARTITION BY operation_id) AS total
    FROM {lake}.calls JOIN known USING (path_id) WHERE is_linked IS NOT TRUE GROUP BY operation_id, query),
names AS (
    SELECT operation_id, n, unnest(list_distinct(list_transform(
               string_split(query, '&'), lambda one: url_decode(split_part(one, '=', 1))))) AS name
    FROM texts WHERE query <> ''),
shares AS (
    SELECT operation_id, name, sum(n) AS n FROM names
    WHERE name <> '' AND length(name) <= {longest} GROUP BY operation_id, name
    QUALIFY row_number() OVER (PARTITION BY operation_id ORDER BY sum(n) DESC, name) <= {most})
SELECT operation_id, name, shares.n / total AS share
FROM shares JOIN (SELECT DISTINCT operation_id, total FROM texts) USING (operation_id)
ORDER BY operation_id, name
"""


def query_names(lake: Lake, scope: Scope) -> dict[int, dict[str, float]]:
    """Operation → query parameter → share of its calls that had it; without those never seen with one."""
    select = _SELECT.format(lake=ALIAS, longest=LONGEST, most=MOST_NAMES)
    out: dict[int, dict[str, float]] = {}
    for row in question(scope).ask(lake, select):
        out.setdefault(row["operation_id"], {})[row["name"]] = row["share"]
    return out
