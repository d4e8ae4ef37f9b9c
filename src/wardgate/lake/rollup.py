"""Per-minute deltas of a batch: what pages and detectors read instead of calls.

A call that another vantage already counts (`is_linked`) is in `linked`, and in no other figure. Rows are
grouped by one mixed key and summed run by run in NumPy: a quarter of the cost of a GROUP BY in SQL when
nearly every row is its own group, as with many callers.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import mixed, runs, unique
from wardgate.lake.tables import LATENCIES, ROLLUPS

_MINUTE = 60_000_000
ROLLED = (
    *("source", "started_at_us", "path_id", "caller_id", "credential_id", "is_linked", "status"),
    *("duration_us", "request_bytes", "response_bytes", "credentials"),
)
"""The columns of calls that rollups are made of."""
Column = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def rollups(calls: pa.Table) -> pa.Table:
    """Rollup rows (`tables.ROLLUPS`) of a batch of calls, all of one source."""
    started = _numbers(calls, "started_at_us")
    minute = started - started % _MINUTE
    path, caller, credential = (_numbers(calls, name) for name in ("path_id", "caller_id", "credential_id"))
    order, starts = _groups(minute, path, caller, credential)
    linked = _linked(calls)
    counted = ~linked
    status = np.where(counted, _numbers(calls, "status"), 0) // 100
    timed = _present(calls, "duration_us") & counted
    took = np.where(timed, _numbers(calls, "duration_us"), 0)

    nothing = np.zeros(len(starts), np.int64)
    sizes = np.diff(starts, append=len(order))

    def total(values: npt.NDArray[np.generic]) -> Column:
        if not values.any():
            return nothing
        if values.dtype == bool and values.all():
            return sizes
        out: Column = np.add.reduceat(values[order].astype(np.int64), starts)
        return out

    first, at = order[starts], started[order]
    columns: dict[str, Column] = {
        "minute_us": minute[first],
        "path_id": path[first],
        "caller_id": caller[first],
        "credential_id": credential[first],
        "calls": total(counted),
        "linked": total(linked),
        **{f"status_{n}xx": total(status == n) for n in range(1, 6)},
        "request_bytes": total(np.where(counted, _numbers(calls, "request_bytes"), 0)),
        "response_bytes": total(np.where(counted, _numbers(calls, "response_bytes"), 0)),
        "timed_calls": total(timed),
        "duration_us": total(took),
        "duration_max_us": np.maximum.reduceat(took[order], starts) if timed.any() else nothing,
        "first_us": np.minimum.reduceat(at, starts),
        "last_us": np.maximum.reduceat(at, starts),
    }
    source = pa.array([calls["source"][0].as_py()], pa.string()).take(
        pa.array(np.zeros(len(starts), np.int64))
    )
    return pa.table(
        [source if f.name == "source" else pa.array(columns[f.name]).cast(f.type) for f in ROLLUPS],
        schema=ROLLUPS,
    )


def presented(calls: pa.Table) -> pa.Table:
    """As `rollups`, of every credential that was presented beside the strongest of its call."""
    lists = calls["credentials"].combine_chunks()
    ids = pc.struct_field(pc.list_flatten(lists), "credential_id").to_numpy(zero_copy_only=False)
    if not len(ids):
        return ROLLUPS.empty_table()
    row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    others = np.flatnonzero(ids != _numbers(calls, "credential_id")[row])
    if not len(others):
        return ROLLUPS.empty_table()
    # A credential that one call shows in two places was presented once.
    _, first, _ = unique(mixed(ids[others], row[others]))
    chosen = others[first]
    owned = calls.take(pa.array(row[chosen]))
    at = owned.schema.get_field_index("credential_id")
    return rollups(owned.set_column(at, "credential_id", pa.array(ids[chosen])))


def latencies(calls: pa.Table) -> pa.Table:
    """Latency histogram rows (`tables.LATENCIES`) of a batch of calls."""
    timed = _present(calls, "duration_us") & ~_linked(calls)
    if not timed.any():
        return LATENCIES.empty_table()
    started = _numbers(calls, "started_at_us")[timed]
    minute = started - started % _MINUTE
    path = _numbers(calls, "path_id")[timed]
    bucket = np.floor(4 * np.log2(np.maximum(_numbers(calls, "duration_us")[timed], 1))).astype(np.int64)
    order, starts = _groups(minute, path, bucket)
    first = order[starts]
    counts = np.diff(np.append(starts, len(order)))
    columns = {"minute_us": minute[first], "path_id": path[first], "bucket": bucket[first], "calls": counts}
    return pa.table([pa.array(columns[f.name]).cast(f.type) for f in LATENCIES], schema=LATENCIES)


def bucket_floor_us(bucket: int) -> float:
    """The shortest duration, in µs, that falls into a latency bucket."""
    return float(2 ** (bucket / 4))


def _groups(*keys: Column) -> tuple[Column, Column]:
    """Row order by group, and where in it each group starts."""
    key = keys[0]
    for more in keys[1:]:
        key = mixed(key, more)
    return runs(key)


def _numbers(calls: pa.Table, name: str) -> Column:
    """A column as integers; absent as 0."""
    column = calls[name]
    column = column.cast(pa.int64()) if column.type != pa.int64() else column
    out: Column = pc.fill_null(column, 0).to_numpy()
    return out


def _present(calls: pa.Table, name: str) -> Flags:
    out: Flags = calls[name].is_valid().to_numpy()
    return out


def _linked(calls: pa.Table) -> Flags:
    out: Flags = calls["is_linked"].fill_null(False).to_numpy()
    return out
