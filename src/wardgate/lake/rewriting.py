"""Replacing data files by the answer of a query over their rows: the one primitive of all upkeep.

Reading and writing go on beside writers; only the swap (register the new file, drop the old ones whole)
is a transaction, so writers wait for milliseconds per million rows. The old files are dropped by a
DELETE that names them, and its count must equal the rows that were read: whoever touched them in between
wins, and the rewrite is given up. DuckLake's own merge would hold a SQLite catalogue for its whole duration,
and cannot fold, forget or sort.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import duckdb

from wardgate.core.errors import Exit, WardgateError
from wardgate.lake.engine import ALIAS, Place, connect
from wardgate.lake.files import DataFile
from wardgate.lake.store import LONGEST_TRANSACTION_S, Lake, LakeFull, is_full

MEMORY = "300MB"
"""What upkeep may use before it spills."""


class Turns:
    """A connection for upkeep, which takes the writers' turn and knows how long it was held.

    It is one of its own, so that upkeep has its own memory and one thread, keeps rows in the order in which
    it reads them, and deletes whole files: where few rows may go into the catalogue, so may the deletion of
    a small file's rows, and the file would stay.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.held_s: list[float] = []
        try:
            self._con = connect(lake.place, memory=MEMORY, threads=1, inline_rows=0)
            self._con.execute("SET GLOBAL preserve_insertion_order = true")
        except WardgateError as error:
            if error.__cause__ is not None and is_full(error.__cause__, lake.place):
                raise LakeFull from error
            raise

    def close(self) -> None:
        self._con.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for reading beside everybody."""
        return self._con.cursor()

    @contextmanager
    def taken(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection, while every other writer waits."""
        with self.lake.writing():
            start = time.monotonic()
            try:
                yield self._con
            finally:
                self.held_s.append(time.monotonic() - start)

    @property
    def longest_s(self) -> float:
        return max(self.held_s, default=0.0)

    def give_up(self) -> None:
        """End a transaction that failed."""
        with suppress(duckdb.Error):  # the failure may have ended it already
            self._con.execute("ROLLBACK")


@dataclass(frozen=True, slots=True)
class Replaced:
    """What one rewrite did."""

    files: int
    rows_before: int
    rows_after: int
    bytes_before: int
    bytes_after: int


Query = Callable[[str], str]
"""Given the name of a relation with a table's columns, a SELECT over it with the same columns."""


def replace(turns: Turns, table: str, files: Sequence[DataFile], query: Query) -> Replaced | None:
    """Replace `files` by one file with the answer of `query` over their rows; None when somebody was faster.

    Raises `LakeFull`, or `lake-upkeep-failed`; then nothing has changed.
    """
    start = time.monotonic()
    lake = turns.lake
    name = f"kept-{uuid4()}.parquet"
    target = f"{lake.place.data.rstrip('/')}/main/{table}/{name}"
    chosen = ", ".join(_quoted(one.path) for one in files)
    local = "://" not in target
    if local:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
    try:
        before, after = _write(turns, table, chosen, query, target)
        size = _sync(target) if local and after else 0
    except BaseException:
        _forget(target, local)
        raise
    swapped = False
    if time.monotonic() - start < LONGEST_TRANSACTION_S:
        with refusals(lake.place):
            swapped = _swap(turns, table, chosen, target if after else None, before)
    if not swapped or not after:
        _forget(target, local)
    if not swapped:
        return None
    return Replaced(len(files), before, after, sum(one.size for one in files), size)


def _write(turns: Turns, table: str, chosen: str, query: Query, target: str) -> tuple[int, int]:
    """Write the answer to `target`: rows read and rows written, as of one snapshot.

    Columns without a value are left out, as `parquet.write_parquet` does: writing and, where a query sorts,
    carrying them was nine tenths of what merging calls cost.
    """
    cursor = turns.cursor()
    try:
        with refusals(turns.lake.place):
            cursor.execute("BEGIN")
            relation = f"(SELECT * FROM {ALIAS}.{table} WHERE filename IN ({chosen}))"
            cursor.execute(f"SELECT * FROM {ALIAS}.{table} LIMIT 0")
            names = [f'"{name}"' for name, *_ in cursor.description or ()]
            counts = ", ".join(f"count({name})" for name in names)
            found = cursor.execute(f"SELECT count(*), {counts} FROM {relation}").fetchone() or (0,)
            filled = [name for name, values in zip(names, found[1:], strict=False) if values]
            written = None
            if filled:
                written = cursor.execute(
                    f"COPY (SELECT {', '.join(filled)} FROM ({query(relation)})) TO {_quoted(target)} "
                    "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
                ).fetchone()
            cursor.execute("COMMIT")
    finally:
        cursor.close()
    return int(found[0]), int(written[0]) if written else 0


def _swap(
    turns: Turns,
    table: str,
    chosen: str,
    target: str | None,
    rows: int,
) -> bool:
    """Whether the new file took the old ones' place. An error leaves the new file where it is: whether a
    commit that failed took effect is not always known, and an orphan goes by itself."""
    with turns.taken() as con:
        con.execute("BEGIN")
        try:
            if target is not None:
                add = f"'{ALIAS}', '{table}', {_quoted(target)}, allow_missing => true"
                con.execute(f"CALL ducklake_add_data_files({add})")
            dropped = con.execute(f"DELETE FROM {ALIAS}.{table} WHERE filename IN ({chosen})").fetchone()
            if dropped is None or dropped[0] != rows:
                con.execute("ROLLBACK")
                return False
            con.execute("COMMIT")
        except duckdb.Error as error:
            turns.give_up()
            if "conflict" in str(error).lower():
                return False  # another process rewrote the same files first
            raise
    return True


@contextmanager
def refusals(place: Place) -> Iterator[None]:
    """What engine and system refuse, as `LakeFull` or `lake-upkeep-failed`."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        if is_full(error, place):
            raise LakeFull from error
        raise WardgateError(
            "lake-upkeep-failed",
            f"the lake's files could not be rewritten: {type(error).__name__}.",
            mend="Nothing has changed; `wardgate doctor` says more.",
            exit_code=Exit.FAILED,
        ) from error


def _sync(target: str) -> int:
    """Make the file durable before the catalogue may name it; its size."""
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
        return os.fstat(handle).st_size
    finally:
        os.close(handle)


def _forget(target: str, local: bool) -> None:
    if local:
        Path(target).unlink(missing_ok=True)  # on object storage it is an orphan until maintenance finds it


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
