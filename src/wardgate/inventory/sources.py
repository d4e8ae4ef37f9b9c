"""Sources: the exact accounting of what was read, and what was not understood.

read = accepted + rejected + skipped, for every source, from the ledger that is committed with the calls.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.doubles import possible_doubles
from wardgate.inventory.scope import Scope, question, rows
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """One source in one format, over all it ever read. Times are naive UTC."""

    source: str
    format: str
    origins: int
    """Files (or batches, or connections) read."""
    incomplete: int
    """Of these, not read to their end."""
    last_origin: str
    read: int
    accepted: int
    rejected: int
    skipped: int
    rejected_by: dict[str, int]
    skipped_by: dict[str, int]
    calls: int
    """Calls that this source counts in the inventory."""
    linked: int
    """Its rows for calls that another source counts."""
    static_calls: int
    possible_doubles: int
    """Its calls that another source's, in the same minute on the same path, may already count."""
    earliest: datetime | None
    latest: datetime | None
    """First and last time stamped on its calls."""
    first_read: datetime
    last_read: datetime


_LEDGER = f"""
WITH by_origin AS (
    SELECT source, format, origin_id, arg_max(origin, committed_at_us) AS origin,
           bool_or(complete) AS complete,
           sum(read) AS read, sum(accepted) AS accepted, sum(rejected) AS rejected, sum(skipped) AS skipped,
           min(earliest_us) AS earliest, max(latest_us) AS latest, min(committed_at_us) AS first_read,
           max(committed_at_us) AS last_read
    FROM {ALIAS}.ledger GROUP BY source, format, origin_id)
SELECT source, format, count(*) AS origins, count_if(NOT complete) AS incomplete,
       arg_max(origin, last_read) AS last_origin, sum(read)::BIGINT AS read,
       sum(accepted)::BIGINT AS accepted, sum(rejected)::BIGINT AS rejected,
       sum(skipped)::BIGINT AS skipped, min(earliest) AS earliest, max(latest) AS latest,
       min(first_read) AS first_read, max(last_read) AS last_read
FROM by_origin GROUP BY source, format ORDER BY source, format
"""
_REASONS = f"""
SELECT source, format, rejected_by, skipped_by, count(*) AS times FROM {ALIAS}.ledger
WHERE rejected > 0 OR skipped > 0 GROUP BY ALL
"""
_COUNTED = """,
by_operation AS (
    SELECT source, operation_id, sum(calls) AS calls, sum(linked) AS linked FROM scoped GROUP BY ALL)
SELECT source, sum(calls)::BIGINT AS calls, sum(linked)::BIGINT AS linked,
       coalesce(sum(calls) FILTER ("static"), 0)::BIGINT AS static_calls
FROM by_operation JOIN labels USING (operation_id) GROUP BY source
"""


def sources(lake: Lake) -> list[SourceAccount]:
    """Every source that was ever read, by name and format."""
    rejected: dict[tuple[str, str], Counter[str]] = {}
    skipped: dict[tuple[str, str], Counter[str]] = {}
    for row in rows(lake, _REASONS):
        key = row["source"], row["format"]
        for totals, text in ((rejected, row["rejected_by"]), (skipped, row["skipped_by"])):
            counts = totals.setdefault(key, Counter())
            for name, n in json.loads(text).items():
                counts[name] += n * row["times"]
    counted = {row.pop("source"): row for row in question(Scope()).ask(lake, _COUNTED)}
    doubles: Counter[str] = Counter()
    for _, source, calls in possible_doubles(lake, Scope()):
        doubles[source] += calls
    found = []
    shown: set[str] = set()
    for row in rows(lake, _LEDGER):
        key = row["source"], row["format"]
        # a source that changed its format has one count of calls: it stands with its first row
        own = counted.get(row["source"], {}) if row["source"] not in shown else {}
        shown.add(row["source"])
        found.append(
            SourceAccount(
                **row,
                rejected_by=dict(rejected.get(key, Counter()).most_common()),
                skipped_by=dict(skipped.get(key, Counter()).most_common()),
                calls=own.get("calls", 0),
                linked=own.get("linked", 0),
                static_calls=own.get("static_calls", 0),
                possible_doubles=doubles[row["source"]] if own else 0,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class RejectedShape:
    """Records of one source that were kept aside for one reason and look alike."""

    source: str
    reason: str
    shape: str
    """The record with everything but its structure masked."""
    records: int
    origin: str
    """Where the first of them is: file or sender,"""
    position: int
    """and record number in it, from 0."""
    last_received: datetime


BEGINNING = datetime(1970, 1, 1)  # noqa: DTZ001 - the lake's times are naive UTC

_REJECTED = f"""
SELECT r.source, r.reason, r.shape, r.records, coalesce(l.origin, '') AS origin, r.position, r.last_received
FROM (SELECT source, reason, shape, count(*) AS records,
             arg_min(origin_id, (received_at_us, position)) AS origin_id,
             arg_min(position, (received_at_us, position)) AS position, max(received_at_us) AS last_received,
             row_number() OVER (PARTITION BY source, reason ORDER BY count(*) DESC, shape) AS place
      FROM {ALIAS}.rejects WHERE ($source IS NULL OR source = $source) AND received_at_us >= $since
      GROUP BY source, reason, shape) r
LEFT JOIN (SELECT origin_id, any_value(origin) AS origin FROM {ALIAS}.ledger GROUP BY origin_id) l
     ON l.origin_id = r.origin_id
WHERE r.place <= $each ORDER BY r.source, r.records DESC, r.reason, r.shape
"""


def rejected_shapes(
    lake: Lake, *, source: str | None = None, since: datetime = BEGINNING, each: int = 3
) -> list[RejectedShape]:
    """What was not understood: per source and reason the `each` most frequent shapes."""
    found = rows(lake, _REJECTED, {"source": source, "since": since, "each": each})
    return [RejectedShape(**row) for row in found]
