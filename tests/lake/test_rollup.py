"""Rollups of a batch: the same figures SQL would give, linked rows apart."""

import duckdb
import numpy as np
import pyarrow as pa

from wardgate.core.call import CALL_SCHEMA
from wardgate.lake.rollup import bucket_floor_us, latencies, rollups

_SQL = """
SELECT date_trunc('minute', started_at_us) AS minute_us, path_id, caller_id,
  coalesce(credential_id, 0) AS credential_id,
  count_if(NOT l) AS calls, count_if(l) AS linked, count_if(NOT l AND status BETWEEN 200 AND 299) AS s2,
  count_if(NOT l AND status BETWEEN 500 AND 599) AS s5,
  coalesce(sum(response_bytes) FILTER (NOT l), 0) AS bytes,
  coalesce(max(duration_us) FILTER (NOT l), 0) AS longest,
  min(started_at_us) AS first, max(started_at_us) AS last
FROM (SELECT *, coalesce(is_linked, false) AS l FROM calls) GROUP BY ALL ORDER BY ALL
"""


def _calls(rows: int) -> pa.Table:
    random = np.random.default_rng(7)

    def some(low: int, high: int) -> list[int | None]:
        return [
            int(v) if keep else None
            for v, keep in zip(random.integers(low, high, rows), random.random(rows) > 0.2, strict=True)
        ]

    columns = {
        "started_at_us": pa.array(random.integers(0, 600_000_000, rows)).cast(pa.timestamp("us")),
        "source": pa.array(["web"] * rows),
        "path_id": pa.array(random.integers(1, 6, rows)),
        "caller_id": pa.array(random.integers(1, 4, rows)),
        "credential_id": pa.array(some(1, 3), pa.int64()),
        "status": pa.array(some(100, 600), pa.int16()),
        "response_bytes": pa.array(some(0, 10_000), pa.int64()),
        "duration_us": pa.array(some(0, 5_000_000), pa.int64()),
        "is_linked": pa.array([None if v is None else v == 1 for v in some(0, 5)], pa.bool_()),
    }
    return pa.table(
        [columns.get(f.name, pa.nulls(rows, f.type)) for f in CALL_SCHEMA], names=CALL_SCHEMA.names
    )


def test_rollups_are_what_sql_says() -> None:
    calls = _calls(5000)
    rolled = rollups(calls)
    expected = duckdb.connect().execute(_SQL).fetchall()
    found = (
        duckdb.connect()
        .execute(
            "SELECT minute_us, path_id, caller_id, credential_id, calls, linked, status_2xx, status_5xx, "
            "response_bytes, duration_max_us, first_us, last_us FROM rolled ORDER BY ALL"
        )
        .fetchall()
    )
    assert found == expected
    assert set(rolled["source"].to_pylist()) == {"web"}


def test_latency_buckets_hold_every_timed_call() -> None:
    calls = _calls(2000)
    timed = [
        d
        for d, linked in zip(calls["duration_us"].to_pylist(), calls["is_linked"].to_pylist(), strict=True)
        if d is not None and not linked
    ]
    histogram = latencies(calls)
    assert sum(histogram["calls"].to_pylist()) == len(timed)
    for bucket in histogram["bucket"].to_pylist():
        assert any(
            bucket_floor_us(bucket) * 0.999 <= max(d, 1) < bucket_floor_us(bucket + 1) * 1.001 for d in timed
        )


def test_no_durations_no_histogram() -> None:
    calls = _calls(10)
    at = calls.schema.get_field_index("duration_us")
    assert latencies(calls.set_column(at, "duration_us", pa.nulls(10, pa.int64()))).num_rows == 0
