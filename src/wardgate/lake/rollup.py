"""Per-minute deltas of a batch: what pages and detectors read instead of calls.

A call that another vantage already counts (`is_linked`) is in `linked`, and in no other figure.
"""

import duckdb
import pyarrow as pa

from wardgate.lake.tables import LATENCIES, ROLLUPS

_ROLLUP = """
SELECT date_trunc('minute', started_at_us) AS minute_us, source, path_id, caller_id,
       coalesce(credential_id, 0) AS credential_id,
       count_if(NOT linked) AS calls, count_if(linked) AS linked,
       count_if(status BETWEEN 100 AND 199) AS status_1xx, count_if(status BETWEEN 200 AND 299) AS status_2xx,
       count_if(status BETWEEN 300 AND 399) AS status_3xx, count_if(status BETWEEN 400 AND 499) AS status_4xx,
       count_if(status BETWEEN 500 AND 599) AS status_5xx,
       coalesce(sum(request_bytes), 0)::BIGINT AS request_bytes,
       coalesce(sum(response_bytes), 0)::BIGINT AS response_bytes,
       count(duration_us) AS timed_calls, coalesce(sum(duration_us), 0)::BIGINT AS duration_us,
       coalesce(max(duration_us), 0) AS duration_max_us,
       min(started_at_us) AS first_us, max(started_at_us) AS last_us
FROM (SELECT started_at_us, source, path_id, caller_id, credential_id, coalesce(is_linked, false) AS linked,
             CASE WHEN is_linked THEN NULL ELSE status END AS status,
             CASE WHEN is_linked THEN NULL ELSE request_bytes END AS request_bytes,
             CASE WHEN is_linked THEN NULL ELSE response_bytes END AS response_bytes,
             CASE WHEN is_linked THEN NULL ELSE duration_us END AS duration_us
      FROM batch_calls)
GROUP BY ALL
"""
_LATENCIES = """
SELECT date_trunc('minute', started_at_us) AS minute_us, path_id,
       floor(4 * log2(greatest(duration_us, 1)))::SMALLINT AS bucket, count(*) AS calls
FROM batch_calls WHERE duration_us IS NOT NULL AND NOT coalesce(is_linked, false) GROUP BY ALL
"""


def rollups(con: duckdb.DuckDBPyConnection, calls: pa.Table) -> pa.Table:
    """Rollup rows (`tables.ROLLUPS`) of a batch of calls."""
    con.register("batch_calls", calls)
    try:
        return con.execute(_ROLLUP).to_arrow_table().cast(ROLLUPS)
    finally:
        con.unregister("batch_calls")


def latencies(con: duckdb.DuckDBPyConnection, calls: pa.Table) -> pa.Table:
    """Latency histogram rows (`tables.LATENCIES`) of a batch of calls."""
    if calls["duration_us"].null_count == calls.num_rows:
        return LATENCIES.empty_table()
    con.register("batch_calls", calls)
    try:
        return con.execute(_LATENCIES).to_arrow_table().cast(LATENCIES)
    finally:
        con.unregister("batch_calls")


def bucket_floor_us(bucket: int) -> float:
    """The shortest duration, in µs, that falls into a latency bucket."""
    return float(2 ** (bucket / 4))
