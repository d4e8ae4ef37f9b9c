"""Large batches are written without the columns nobody filled, and read as if they were there."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from wardgate.core.call import CALL_SCHEMA
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import LARGE, Lake


def test_what_no_call_of_a_batch_shows_is_null(
    lake: Lake, traffic: Any, log_line: Callable[..., str]
) -> None:
    traffic.send(*(log_line(f"/users/{n}", client=f"192.0.2.{n % 250}") for n in range(LARGE)))
    traffic.send(log_line("/users/1", login="erin"))  # a small batch, with another column
    (file,) = lake.rows(f"SELECT data_file FROM ducklake_list_files('{ALIAS}', 'calls')").to_pylist()[:1]
    columns = lake.rows("SELECT name FROM parquet_schema(?)", [file["data_file"]])["name"].to_pylist()
    assert "path" in columns
    assert "login" not in columns
    found = lake.rows(f"SELECT * FROM {ALIAS}.calls")
    assert found.column_names == CALL_SCHEMA.names
    assert found["login"].null_count == LARGE
    assert len(set(found["path"].to_pylist())) == LARGE


def test_rows_of_a_large_batch_are_found_beside_those_of_a_small_one(
    lake: Lake, traffic: Any, log_line: Callable[..., str]
) -> None:
    """Statistics of one file must not be taken for another's."""
    traffic.send(*(log_line(f"/users/{n}", status=200 + n % 9) for n in range(LARGE)))
    traffic.send(*(log_line(f"/orders/{n}", status=599) for n in range(40)))
    for column in CALL_SCHEMA.names:
        if pa.types.is_nested(CALL_SCHEMA.field(column).type):
            continue
        for value, rows in _groups(lake, column)[:3]:
            sql = f"SELECT count(*) AS n FROM {ALIAS}.calls WHERE {column} IS NOT DISTINCT FROM ?"
            assert lake.rows(sql, [value])["n"].to_pylist() == [rows], column


def _groups(lake: Lake, column: str) -> list[tuple[Any, int]]:
    found = lake.rows(
        f"SELECT {column} AS v, count(*) AS n FROM {ALIAS}.calls GROUP BY 1 ORDER BY 1 NULLS LAST"
    )
    return list(zip(found["v"].to_pylist(), found["n"].to_pylist(), strict=True))
