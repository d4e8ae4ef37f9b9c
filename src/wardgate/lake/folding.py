"""What becomes of rows when their files are merged: put in order, and said once.

Rollups, latencies, schemas and data classes are deltas: rows with equal keys add up to one. Facts may repeat,
so the highest version or the first learned is kept (of credentials the last too: readers take its scopes and
expiry). Of templates what was learned last stays, and the sightings of a path become one. Calls and rejects
stay as they are, in the order of their time, which is what lets a question over a day skip the rest of the
year. The ledger is folded only once its batches are older than any retry (`IDEMPOTENCY`): then one row per
origin keeps the position reached and the exact sums.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

from wardgate.lake.engine import ALIAS
from wardgate.lake.files import TIMES
from wardgate.lake.instances import kept
from wardgate.lake.mapping import NOW
from wardgate.lake.tables import DATA_CLASSES, LATENCIES, LEDGER, ROLLUPS

IDEMPOTENCY = timedelta(days=7)
"""How long a batch id is remembered: a retry that comes later would be counted again."""

MOST_CONSTANTS = 16
"""Words at one place of a body from which on they are no enumeration."""
_ROLLUP_KEYS = ("minute_us", "source", "path_id", "caller_id", "credential_id")
_LATENCY_KEYS = ("minute_us", "path_id", "bucket")
_ROLLUP_OTHERS = {"duration_max_us": "max", "first_us": "min", "last_us": "max"}
_BY_ORIGIN = "source, origin_id, format"
ORIGIN = "CASE WHEN json_exists(parser_state, '$.body') THEN 0 ELSE origin_id END"
"""What a batch is folded under: its origin, or 0 for pushes, which are each an origin of their own."""


def merged(table: str, relation: str, span: tuple[int, int] = (0, 0)) -> str:
    """The SELECT that says the rows of `relation` (columns of `table`) once and in order.

    `span` is the first and the last µs that they are about. Rows that are not folded come in parts of an hour
    or more, one after the other where the engine keeps the order in which it reads.
    """
    fold = _FOLDS.get(table)
    return fold(relation) if fold else _in_parts(relation, TIMES[table], span)


_PART_US = 3_600_000_000
_MOST_PARTS = 16  # each reads the times of the files that it may be in


def _in_parts(relation: str, time: str, span: tuple[int, int]) -> str:
    """Rows in the order of their time, by the hour: to sort each of so wide a table is dear."""
    low, high = span
    parts = min((high - low) // _PART_US, _MOST_PARTS - 1) + 1
    cuts = [low + (high - low) * n // parts for n in range(1, parts)]
    reached = [f"{time} >= make_timestamp({cut})" for cut in cuts]
    if not reached:
        return f"SELECT * FROM {relation}"
    first = f"({reached[0]}) IS NOT true"  # with those of no time
    between = [f"{a} AND NOT {b}" for a, b in pairwise(reached)]
    return " UNION ALL ".join(
        f"SELECT * FROM {relation} WHERE {one}" for one in (first, *between, reached[-1])
    )


def rollups_of(relation: str) -> str:
    """One row per minute, source, path, caller and credential, of rows with the columns of `rollups`."""
    sums = _sums(ROLLUPS.names, _ROLLUP_KEYS, _ROLLUP_OTHERS)
    return f"SELECT {sums} FROM {relation} GROUP BY {', '.join(_ROLLUP_KEYS)} ORDER BY minute_us, path_id"


def folded_ledger(relation: str, before_us: int) -> str:
    """The ledger with batches committed before `before_us` as one row per origin and format (pushes: one)."""
    last = ", ".join(
        f"last({name} ORDER BY next_position, committed_at_us) AS {name}"
        for name in ("batch_id", "origin", "next_position", "next_offset", "parser_state", "complete")
    )
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in ("read", "accepted", "rejected", "skipped"))
    columns = ", ".join(LEDGER.names)
    return f"""
WITH every AS (SELECT * FROM {relation}),
old AS (
    SELECT * REPLACE ({ORIGIN} AS origin_id) FROM every WHERE committed_at_us < make_timestamp({before_us})),
{_counts("skipped_by")}, {_counts("rejected_by")},
folded AS (
    SELECT {_BY_ORIGIN}, {last}, {sums}, min(earliest_us) AS earliest_us, max(latest_us) AS latest_us,
           max(committed_at_us) AS committed_at_us
    FROM old GROUP BY {_BY_ORIGIN}),
whole AS (
    SELECT folded.*, coalesce(s.counts, '{{}}') AS skipped_by, coalesce(r.counts, '{{}}') AS rejected_by
    FROM folded LEFT JOIN skipped_by_sums s USING ({_BY_ORIGIN})
                LEFT JOIN rejected_by_sums r USING ({_BY_ORIGIN}))
SELECT {columns} FROM whole
UNION ALL SELECT {columns} FROM every WHERE committed_at_us >= make_timestamp({before_us})
ORDER BY committed_at_us"""


def _counts(column: str) -> str:
    """A named sub-query: JSON counts by name, added up by origin."""
    pointer = "'/' || replace(replace(name, '~', '~0'), '/', '~1')"  # RFC 6901
    return f"""{column}_sums AS (
    SELECT {_BY_ORIGIN}, json_group_object(name, n)::VARCHAR AS counts FROM (
        SELECT {_BY_ORIGIN}, name, sum(json_extract({column}, {pointer})::BIGINT)::BIGINT AS n
        FROM (SELECT {_BY_ORIGIN}, {column}, unnest(json_keys({column})) AS name
              FROM old WHERE {column} <> '{{}}')
        GROUP BY {_BY_ORIGIN}, name)
    GROUP BY {_BY_ORIGIN})"""


def _sums(names: list[str], keys: tuple[str, ...], others: dict[str, str]) -> str:
    parts = []
    for name in names:
        if name in keys:
            parts.append(name)
        elif name in others:
            parts.append(f"{others[name]}({name}) AS {name}")
        else:
            parts.append(f"sum({name})::BIGINT AS {name}")
    return ", ".join(parts)


def _latencies(relation: str) -> str:
    keys = ", ".join(_LATENCY_KEYS)
    sums = _sums(LATENCIES.names, _LATENCY_KEYS, {})
    return f"SELECT {sums} FROM {relation} GROUP BY {keys} ORDER BY minute_us, path_id"


def _schemas(relation: str) -> str:
    """Tallies added up, under the lowest path of each operation; too many constants of a place are none."""
    keys = "path_id, direction, status, media_type, place"
    crowded = f"count(DISTINCT constant) OVER (PARTITION BY {keys}) > {MOST_CONSTANTS}"
    return f"""
WITH own AS (
    SELECT r.* REPLACE (coalesce(p.lowest, r.path_id) AS path_id) FROM {relation} r
    LEFT JOIN (
        SELECT path_id, min(path_id) OVER (PARTITION BY operation_id) AS lowest FROM (
            SELECT path_id, {NOW} AS operation_id FROM {ALIAS}.paths GROUP BY path_id)
    ) p USING (path_id)),
told AS (SELECT * REPLACE (CASE WHEN {crowded} THEN NULL ELSE constant END AS constant) FROM own)
SELECT {keys}, kind, format, constant, sum(count)::BIGINT AS count, max(seen_us) AS seen_us
FROM told GROUP BY {keys}, kind, format, constant ORDER BY {keys}"""


def _data_classes(relation: str) -> str:
    keys = ("hour_us", "path_id", "data_class", "place")
    sums = _sums(DATA_CLASSES.names, keys, {"first_us": "min", "last_us": "max"})
    return f"SELECT {sums} FROM {relation} GROUP BY {', '.join(keys)} ORDER BY hour_us, path_id"


def _credentials(relation: str) -> str:
    """The first and the last that was learned of each in each place, the last one with scopes if any had."""
    whole = "max(expires_at_us) OVER (PARTITION BY credential_id)"
    first = "row_number() OVER (PARTITION BY credential_id, place, key_id ORDER BY learned_at_us) = 1"
    last = "row_number() OVER (PARTITION BY credential_id ORDER BY scopes IS NULL, learned_at_us DESC) = 1"
    return (
        f"SELECT * REPLACE ({whole} AS expires_at_us) FROM {relation} QUALIFY {first} OR {last} "
        "ORDER BY credential_id, learned_at_us"
    )


def _sightings(relation: str) -> str:
    """One row per path. All that was told stays: how much it is must not shrink (`inventory.sighted`)."""
    return f"""
SELECT service, path, bit_or(methods) AS methods, bit_or(statuses) AS statuses,
       {_together("shapes")}, {_together("objects")}
FROM {relation} GROUP BY service, path ORDER BY service, path"""


def _together(column: str) -> str:
    every = f"flatten(list({column}) FILTER ({column} IS NOT NULL))"
    return f"list_sort(list_distinct({every})) AS {column}"


def _once(relation: str, key: str, best: str) -> str:
    return (
        f"SELECT * FROM {relation} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {best}) = 1 "
        f"ORDER BY {key}"
    )


_FOLDS: dict[str, Callable[[str], str]] = {
    "rollups": rollups_of,
    "presented": rollups_of,
    "latencies": _latencies,
    "schemas": _schemas,
    "data_classes": _data_classes,
    "paths": lambda rows: _once(rows, "path_id", "version DESC, operation_id DESC"),
    "traits": lambda rows: _once(rows, "trait_id", "learned_at_us"),
    "sightings": _sightings,
    "templates": lambda rows: _once(rows, "service", "version DESC"),
    "replaced": lambda rows: f"SELECT DISTINCT * FROM {rows} ORDER BY operation_id, path_id",
    "credentials": _credentials,
    "instances": kept,
    "content_rules": lambda rows: _once(rows, "rule_id", "since_us"),
    "callers": lambda rows: _once(rows, "caller_id", "learned_at_us"),
}
