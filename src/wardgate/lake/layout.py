"""Whether a lake is this version's or an earlier one's: its tables and columns must all be known here.

A lake of an earlier version lacks some, and gets them when it is opened (`store`). One with more was written
by a newer version, which may mean something else by the rest, too: it is refused rather than guessed at.
"""

import duckdb

from wardgate.core.errors import WardgateError
from wardgate.lake.files import METADATA
from wardgate.lake.tables import TABLES

_COLUMNS = f"""
SELECT t.table_name, c.column_name FROM {METADATA}.ducklake_table t
JOIN {METADATA}.ducklake_column c ON c.table_id = t.table_id
WHERE t.end_snapshot IS NULL AND c.end_snapshot IS NULL AND c.parent_column IS NULL
"""


def refuse_newer(con: duckdb.DuckDBPyConnection) -> None:
    """Raises `lake-newer` for a lake with tables or columns that this version does not know."""
    known = {(table, column) for table, schema in TABLES.items() for column in schema.names}
    unknown = sorted(set(con.execute(_COLUMNS).fetchall()) - known)
    if unknown:
        table, column = unknown[0]
        raise WardgateError(
            "lake-newer",
            f"the lake was written by a newer Wardgate (its {table}.{column} is unknown here).",
            mend="Use that version, or restore a backup.",
        )
