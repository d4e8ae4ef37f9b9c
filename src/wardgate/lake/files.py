"""The lake's data files, as its catalogue knows them: what maintenance plans with.

Sizes, row counts and the span of the time column come from the catalogue's own tables (their layout is
DuckLake's documented format), so planning opens no Parquet file.
"""

from dataclasses import dataclass

import duckdb

from wardgate.lake.engine import ALIAS

METADATA = f"__ducklake_metadata_{ALIAS}"
"""The catalogue's own tables, under the name DuckLake attaches them by."""
TIMES = {
    "calls": "started_at_us",
    "rollups": "minute_us",
    "presented": "minute_us",
    "latencies": "minute_us",
    "schemas": "seen_us",
    "data_classes": "hour_us",
    "ledger": "committed_at_us",
    "rejects": "received_at_us",
    "traits": "learned_at_us",
    "credentials": "learned_at_us",
    "instances": "seen_us",
    "callers": "learned_at_us",
    "content_rules": "since_us",
    "erasures": "erased_at_us",
}
"""The column whose span tells what time a table's file is about; `paths` has none."""

_FILES = f"""
SELECT listed.data_file, listed.delete_file, listed.data_file_size_bytes, f.record_count, f.data_file_id,
       epoch_us(try_cast(s.min_value AS TIMESTAMP)), epoch_us(try_cast(s.max_value AS TIMESTAMP))
FROM ducklake_list_files('{ALIAS}', $table) listed
JOIN {METADATA}.ducklake_data_file f ON parse_filename(f.path) = parse_filename(listed.data_file)
JOIN {METADATA}.ducklake_table t ON t.table_id = f.table_id AND t.table_name = $table
     AND t.end_snapshot IS NULL
LEFT JOIN {METADATA}.ducklake_column c
       ON c.table_id = t.table_id AND c.column_name = $time AND c.end_snapshot IS NULL
      AND c.parent_column IS NULL
LEFT JOIN {METADATA}.ducklake_file_column_stats s
       ON s.data_file_id = f.data_file_id AND s.table_id = t.table_id AND s.column_id = c.column_id
WHERE f.end_snapshot IS NULL
ORDER BY f.data_file_id
"""
_INLINED = f"""
SELECT i.table_name FROM {METADATA}.ducklake_inlined_data_tables i
JOIN {METADATA}.ducklake_table t ON t.table_id = i.table_id
WHERE t.table_name = ? AND t.end_snapshot IS NULL
"""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a table's present snapshot. `low_us` and `high_us` are None where unknown."""

    path: str
    size: int
    """Bytes."""
    rows: int
    """Rows written, deleted ones included."""
    number: int
    """Grows with each file of the lake."""
    low_us: int | None = None
    high_us: int | None = None
    has_deletes: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """Time order, then age."""
        return (self.low_us if self.low_us is not None else -1, self.number)


def data_files(con: duckdb.DuckDBPyConnection, table: str) -> list[DataFile]:
    """The present files of a table, oldest first."""
    found = con.execute(_FILES, {"table": table, "time": TIMES.get(table, "")}).fetchall()
    return [
        DataFile(path, int(size), int(rows), int(number), low, high, deletes is not None)
        for path, deletes, size, rows, number, low, high in found
    ]


def inlined(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, int]]:
    """Where the catalogue keeps rows of small commits of a table (`filename` of these rows), and how many."""
    found = []
    for (name,) in con.execute(_INLINED, [table]).fetchall():
        rows = con.execute(f'SELECT count(*) FROM {METADATA}."{name}" WHERE end_snapshot IS NULL').fetchone()
        if rows and rows[0]:
            found.append((name, int(rows[0])))
    return found
