"""Committing to the lake: all of a batch's tables, or none of them, exactly once.

Everything a batch brings (calls, positions, rollups, learned facts, rejects) goes into one DuckLake
transaction. Writers on a SQLite catalogue take turns by a file lock: colliding there would mean retries.
A batch id that is already in the ledger is answered without writing: a retry doubles nothing.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from wardgate.core.errors import Exit, WardgateError
from wardgate.core.stacking import stacked
from wardgate.lake.batch_locks import LINKING, OPENING, BatchLocks
from wardgate.lake.catalogue_hold import CatalogueHold
from wardgate.lake.engine import ALIAS, MEMORY, Place, connect, unreadable
from wardgate.lake.files import METADATA
from wardgate.lake.layout import refuse_newer
from wardgate.lake.parquet import write_parquet
from wardgate.lake.tables import TABLES

LARGE = 4000
"""Rows from which a table's part of a batch is written as a file of its own."""
LONGEST_TRANSACTION_S = 600.0
"""A transaction that took longer is given up: maintenance may have taken its files for orphans."""
_FULL = ("no space left", "disk full", "disk is full", "not enough space", "file too large", "quota exceeded")
_UNSURE = ("disk i/o error",)  # what SQLite says when it cannot grow its shared memory
_ROOM = 1 << 20
_OPENED = f"FROM {ALIAS}.current_snapshot()"
"""What makes a transaction open its connection to the catalogue, at the least cost."""
_ATTEMPTS = 9
"""Of a commit that collides with other processes': about 10 s in all."""


class LakeFull(WardgateError):  # noqa: N818 - a state, not a fault
    """Nothing can be written for want of room; nothing was lost, and the same commit may be tried again."""

    def __init__(self) -> None:
        super().__init__(
            "disk-full",
            "the disk of the lake is full; nothing more is accepted until there is room.",
            exit_code=Exit.FAILED,
        )


def is_full(error: BaseException, place: Place) -> bool:
    """Whether an error of the engine or the system means that the lake's disk is full."""
    text = str(error).lower()
    if any(mark in text for mark in _FULL):
        return True
    if not any(mark in text for mark in _UNSURE) or place.on_postgres:
        return False
    return shutil.disk_usage(Path(place.catalog).parent).free < _ROOM


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit writes: rows by table name (see `tables.TABLES`), known by its id."""

    batch_id: int
    rows: Mapping[str, pa.Table]


class Lake:
    """An open lake. Safe to share between threads: each statement runs on a cursor of its own."""

    def __init__(self, place: Place, *, memory: str = MEMORY, threads: int = 2) -> None:
        """`threads` are the engine's. Who writes needs one: several cost a small commit twice the CPU."""
        self.place = place
        self._turn = RLock()
        self._depth = 0  # the file lock is taken once, however deep its holder goes
        self._locks = BatchLocks(place.catalog) if place.on_postgres else None
        self._con = self._connected(memory, threads)
        self._hold = None if place.on_postgres else CatalogueHold.of(Path(place.catalog))
        self._turnstile = self._hold.turnstile if self._hold is not None else nullcontext()
        try:
            refuse_newer(self._con)
            self._make_tables()
        except WardgateError:
            self._con.close()
            raise
        except duckdb.Error as error:
            self.close()
            if is_full(error, place):
                raise LakeFull from error
            raise unreadable(error) from error

    def _connected(self, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
        """Attached; two processes that start on an empty folder make its catalogue one after the other."""
        if self.place.lock is not None and Path(self.place.catalog).exists():
            with suppress(WardgateError):  # it may be there and not be made yet: then wait for who makes it
                return connect(self.place, memory=memory, threads=threads)
        with self._opening():
            return connect(self.place, memory=memory, threads=threads)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Kept from all who open a new catalogue, or make tables, at the same time."""
        with ExitStack() as held:
            if self._locks is not None:
                # Where the database does not answer, DuckDB says so better.
                with suppress(WardgateError):
                    held.enter_context(self._locks.held([OPENING]))
            elif self.place.lock is not None:
                held.enter_context(locked(self.place.lock))
            yield

    def _make_tables(self) -> None:
        """Make the tables and columns that are not there, in a new lake or one that an earlier version made.

        A lake that has them all is opened without waiting for its writers.
        """
        if not self._missing():
            return
        with self._opening() if self._locks is not None else self.writing():
            missing = self._missing()
            self._con.execute("BEGIN")
            for name, columns in missing.items():
                self._con.register("empty", TABLES[name].empty_table())
                self._con.execute(f"CREATE TABLE IF NOT EXISTS {ALIAS}.{name} AS SELECT * FROM empty")
                for column, kind in self._con.execute(
                    "SELECT column_name, column_type FROM (DESCRIBE empty)"
                ).fetchall():
                    if column in columns:
                        self._con.execute(
                            f'ALTER TABLE {ALIAS}.{name} ADD COLUMN IF NOT EXISTS "{column}" {kind}'
                        )
                self._con.unregister("empty")
            self._con.execute("COMMIT")

    def _missing(self) -> dict[str, list[str]]:
        """Tables of which something is not there, with their columns that are not."""
        found = self._con.execute(
            f"SELECT t.table_name, c.column_name FROM {METADATA}.ducklake_table t "
            f"JOIN {METADATA}.ducklake_column c USING (table_id) "
            "WHERE t.end_snapshot IS NULL AND c.end_snapshot IS NULL AND c.parent_column IS NULL"
        ).fetchall()
        there = set(found)
        missing = {
            name: [column for column in schema.names if (name, column) not in there]
            for name, schema in TABLES.items()
        }
        return {name: columns for name, columns in missing.items() if columns}

    def close(self) -> None:
        self._con.close()
        if self._hold is not None:
            self._hold.release()
            self._hold = None
        if self._locks is not None:
            self._locks.close()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that sees the lake as it is now, however many questions it is asked meanwhile."""
        cursor = self._con.cursor()
        try:
            with self._turnstile:
                cursor.execute("BEGIN")
                cursor.execute(_OPENED)
            yield cursor
        finally:
            with self._turnstile:
                with suppress(duckdb.Error):  # a failure may have ended it
                    cursor.execute("ROLLBACK")
                cursor.close()

    def rows(self, sql: str, parameters: Sequence[Any] | None = None) -> pa.Table:
        """The answer to a query of our own (never a user's: see `guard`)."""
        with self.reading() as cursor:
            return cursor.execute(sql, parameters).to_arrow_table()

    @contextmanager
    def committing(self, ids: Sequence[int], *, linking: bool = False) -> Iterator["Turn"]:
        """The turn to commit batches of these ids: one transaction for what is looked up and written.

        While it lasts nobody else commits one of them, nor links calls if `linking`. Raises
        `lake-write-failed` where the catalogue does not answer.
        """
        locks = [LINKING, *ids] if linking else ids
        with self.writing() as con, self._locks.held(locks) if self._locks else nullcontext():
            try:
                yield Turn(con, self._begun(ids), self._begun, self._write)
            finally:
                self._roll_back()  # if nothing was committed

    def _begun(self, ids: Sequence[int], tried: int = 0) -> set[int]:
        """Begin a transaction: those of these batches that are there already."""
        while True:
            try:
                with self._turnstile:
                    self._con.execute("BEGIN")
                    self._con.execute(_OPENED)
                return self._known(ids)
            except duckdb.Error as error:
                self._roll_back()
                if is_full(error, self.place):
                    raise LakeFull from error
                tried += 1
                if tried >= _ATTEMPTS or not _is_transient(error):
                    raise _not_taken(error) from error
            time.sleep(_pause_s(tried))

    def commit(self, *batches: Batch) -> list[bool]:
        """Write batches in one transaction, durable when it returns; False for one that was there already.

        Raises `LakeFull`, or `lake-write-failed`; then nothing of any of them was written.
        """
        with self.committing([one.batch_id for one in batches]) as turn:
            written = turn.new(batches)
            turn.write([one for one, is_new in zip(batches, written, strict=True) if is_new])
        return written

    def _known(self, ids: Sequence[int]) -> set[int]:
        # Not IN: ids are hashes, so statistics rule out no file, and looking at them is dear.
        question = f"SELECT batch_id FROM {ALIAS}.ledger WHERE list_contains(?::BIGINT[], batch_id)"
        return {row[0] for row in self._con.execute(question, [list(ids)]).fetchall()}

    def _write(self, batches: Sequence[Batch]) -> None:
        con = self._con
        files: list[Path] = []
        start = time.monotonic()
        committing = False
        try:
            for name in TABLES:
                parts = [b.rows[name] for b in batches if name in b.rows and b.rows[name].num_rows]
                if parts:
                    self._append(name, stacked(parts), files)
            if time.monotonic() - start > LONGEST_TRANSACTION_S:
                raise TimeoutError("the transaction took too long")
            committing = True
            with self._turnstile:
                con.execute("COMMIT")
        except (duckdb.Error, OSError) as error:
            self._roll_back()
            if not committing:  # a commit that failed may have taken effect; its files are orphans, if not
                for file in files:
                    file.unlink(missing_ok=True)
            if is_full(error, self.place):
                raise LakeFull from error
            if _is_transient(error):
                raise _Collided from error
            raise _not_taken(error) from error

    def _append(self, name: str, rows: pa.Table, files: list[Path]) -> None:
        """Insert rows; large batches on a local disk are written by Arrow (half the cost) and registered."""
        if rows.num_rows < LARGE or "://" in self.place.data:
            self._con.register("incoming", rows)
            self._con.execute(f"INSERT INTO {ALIAS}.{name} BY NAME SELECT * FROM incoming")
            self._con.unregister("incoming")
            return
        folder = Path(self.place.data) / "main" / name
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"batch-{uuid4()}.parquet"
        files.append(file)
        with file.open("xb") as sink:
            write_parquet(rows, sink)
            sink.flush()
            os.fsync(sink.fileno())
        add = f"CALL ducklake_add_data_files('{ALIAS}', '{name}', ?, allow_missing => true)"
        self._con.execute(add, [str(file)])

    def _roll_back(self) -> None:
        with self._turnstile, suppress(duckdb.Error):  # the failure may have ended the transaction already
            self._con.execute("ROLLBACK")
        self._con.unregister("incoming")

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection, with every other writer of this lake kept waiting."""
        with self._turn:
            if self.place.lock is None or self._depth:
                yield self._con
                return
            with locked(self.place.lock):
                self._depth = 1
                try:
                    yield self._con
                finally:
                    self._depth = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A writer's turn: a transaction on `con`, in which the batches in `known` are found to be there."""

    con: duckdb.DuckDBPyConnection
    known: Set[int]
    _begin: Callable[[Sequence[int], int], Set[int]]
    _write: Callable[[Sequence[Batch]], None]

    def new(self, batches: Sequence[Batch]) -> list[bool]:
        """Which of these are to be written: not there yet, and the first of their id."""
        fresh = {one.batch_id: one for one in reversed(batches) if one.batch_id not in self.known}
        return [fresh.get(one.batch_id) is one for one in batches]

    def write(self, batches: Sequence[Batch]) -> None:
        """Write new batches and commit: all of them or, if it raises, none.

        What passes by itself is tried again. A commit that failed may have taken effect nevertheless, so the
        ledger is asked each time.
        """
        for tried in range(_ATTEMPTS if batches else 0):
            if tried:
                time.sleep(_pause_s(tried))
                if self._begin([batches[0].batch_id], tried):
                    return
            try:
                self._write(batches)
            except _Collided as error:
                if tried + 1 == _ATTEMPTS:
                    raise _not_taken(error.__cause__ or error) from error
            else:
                return


class _Collided(Exception):  # noqa: N818
    """What stopped a commit passes by itself; the same commit may succeed now."""


_PASSING = ("conflict", "locked", "busy", "disk i/o error")


def _pause_s(tried: int) -> float:
    return 0.01 * 2.0**tried


def _is_transient(error: BaseException) -> bool:
    """Whether the same commit may succeed when it is tried again.

    On PostgreSQL other processes change the same tables first. On SQLite what the catalogue refused for a
    moment (a lock of somebody who copies or repairs its log, a disk that was full until just now) ends
    DuckDB's transaction, and each statement after it says only that it was ended.
    """
    return isinstance(error, duckdb.TransactionException) or any(
        mark in str(error).lower() for mark in _PASSING
    )


def _not_taken(error: BaseException) -> WardgateError:
    return WardgateError(
        "lake-write-failed",
        f"the lake did not take a batch: {type(error).__name__}.",
        mend="`wardgate doctor` says more.",
        exit_code=Exit.FAILED,
    )


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a file's lock; False when it is taken and `wait` is not wanted. The kernel frees it at a kill."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
