"""Running a person's query: judged by `guard`, on an engine of its own that can do little else.

The engine is opened for the one query, knows only the views, may open only the lake's own files, and cannot
be reconfigured. It has its own memory, and the answer has a time and a number of rows.
"""

import contextlib
from collections.abc import Iterator
from threading import Timer

import duckdb
import pyarrow as pa

from wardgate.core.errors import Exit, WardgateError
from wardgate.lake.engine import Place, connect
from wardgate.lake.guard import check
from wardgate.lake.views import VIEWS

TIMEOUT_S = 30.0
MOST_ROWS = 10_000
MEMORY = "300MB"


def ask(
    place: Place,
    sql: str,
    *,
    timeout_s: float = TIMEOUT_S,
    most_rows: int = MOST_ROWS,
    memory: str = MEMORY,
) -> pa.Table:
    """The answer to one SELECT over the views.

    Raises what `guard.check` raises, `query-timeout`, `query-too-many-rows`, `query-too-large` (memory),
    `query-failed`, or `lake-unreadable`.
    """
    check(sql)
    with engine(place, memory) as con:
        return answer(con, sql, timeout_s=timeout_s, most_rows=most_rows)


def answer(con: duckdb.DuckDBPyConnection, sql: str, *, timeout_s: float, most_rows: int) -> pa.Table:
    """As `ask`, on an engine that is open already."""
    statement = check(sql)
    timer = Timer(timeout_s, con.interrupt)
    timer.daemon = True
    timer.start()
    try:
        for attempt in (1, 2):
            try:
                return _answer(con, statement, most_rows)
            except duckdb.IOException:
                # A file was merged away while this query was reading; the next look sees the new one.
                if attempt == 2:
                    raise
    except duckdb.Error as error:
        raise _refusal(error, timeout_s) from error
    finally:
        timer.cancel()
    raise AssertionError("unreachable")


def _refusal(error: duckdb.Error, timeout_s: float) -> WardgateError:
    if isinstance(error, duckdb.InterruptException):
        return WardgateError(
            "query-timeout",
            f"the query took longer than {timeout_s:g} s.",
            mend="Ask for less time or fewer columns, or raise --timeout.",
            exit_code=Exit.FAILED,
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return WardgateError(
            "query-too-large", "the query needs more memory than it may have.", exit_code=Exit.FAILED
        )
    if isinstance(error, duckdb.IOException):
        return WardgateError("query-failed", "a file of the lake could not be read.", exit_code=Exit.FAILED)
    line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return WardgateError("query-failed", line[:300])


def _answer(con: duckdb.DuckDBPyConnection, statement: duckdb.Statement, most_rows: int) -> pa.Table:
    body = statement.query.rstrip().rstrip(";")
    # The inner text was judged as one whole statement, so it cannot end this one.
    limited = f"SELECT * FROM (\n{body}\n) AS answer LIMIT {most_rows + 1}"
    found = con.execute(limited).to_arrow_table()
    if found.num_rows > most_rows:
        raise WardgateError(
            "query-too-many-rows",
            f"the answer has more than {most_rows:,} rows.",
            mend="Add a LIMIT to the query, or raise --limit.",
        )
    return found


@contextlib.contextmanager
def engine(place: Place, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that knows the views and can do little else. Raises `lake-unreadable`."""
    con = connect(place, memory=memory)
    try:
        for view in VIEWS:
            con.execute(f"CREATE VIEW {view.name} AS {view.sql}")
        allowed = [place.data.rstrip("/") + "/", str(place.scratch).rstrip("/") + "/"]
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in allowed)
        con.execute("SET preserve_insertion_order = true")
        con.execute("SET python_enable_replacements = false")
        con.execute("SET autoinstall_known_extensions = false")
        con.execute("SET autoload_known_extensions = false")
        con.execute("SET allow_community_extensions = false")
        con.execute("SET max_temp_directory_size = '2GB'")
        con.execute(f"SET allowed_directories = [{listed}]")
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        yield con
    finally:
        con.close()
