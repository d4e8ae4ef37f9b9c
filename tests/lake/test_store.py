"""Commits that the catalogue refuses for a moment are tried again: a sender never hears of it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.lake import store
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.store import Batch, Lake
from wardgate.lake.tables import LEDGER

_CHANGE = "con.execute('CREATE TABLE other (x)'); con.commit()"
_HOLD = "con.execute('BEGIN IMMEDIATE'); print(flush=True); time.sleep(0.4); con.rollback()"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(embedded_place(open_home(tmp_path / "home")))
    yield lake
    lake.close()


def batch(number: int) -> Batch:
    row = dict.fromkeys(LEDGER.names) | {"batch_id": number, "source": "edge", "accepted": 1}
    return Batch(number, {"ledger": pa.Table.from_pylist([row], schema=LEDGER)})


def other_process(lake: Lake, does: str) -> "subprocess.Popen[str]":
    """Another process that goes to the catalogue without waiting for its turn, as a repair of it does."""
    code = f"import sqlite3, sys, time; con = sqlite3.connect(sys.argv[1], timeout=20); {does}"
    return subprocess.Popen(
        [sys.executable, "-c", code, lake.place.catalog], stdout=subprocess.PIPE, text=True
    )


def written(lake: Lake) -> list[int]:
    found: list[int] = lake.rows(f"SELECT batch_id FROM {ALIAS}.ledger ORDER BY 1")["batch_id"].to_pylist()
    return found


def test_a_catalogue_that_changed_since_it_was_looked_at(lake: Lake) -> None:
    """SQLite refuses to write then ("database is locked"), which ends DuckDB's transaction."""
    with lake.committing([1, 2]) as turn:
        assert other_process(lake, _CHANGE).wait() == 0
        turn.write([batch(1), batch(2)])
    assert written(lake) == [1, 2]


def test_a_catalogue_that_another_process_locks_for_a_moment(lake: Lake) -> None:
    with lake.committing([1]) as turn:
        other = other_process(lake, _HOLD)
        assert other.stdout is not None
        other.stdout.readline()
        turn.write([batch(1)])
    assert other.wait() == 0
    assert written(lake) == [1]


class Refusing:
    """A connection that fails a statement in the way DuckDB does, before or after it took effect."""

    def __init__(self, con: duckdb.DuckDBPyConnection, statement: str, error: Exception, after: bool) -> None:
        self._con, self._statement, self._error, self._after = con, statement, error, after
        self.failures = 0

    def execute(self, sql: str, *rest: object) -> duckdb.DuckDBPyConnection:
        if sql.startswith(self._statement) and not self.failures:
            self.failures += 1
            if self._after:
                self._con.execute(sql, *rest)
            raise self._error
        return self._con.execute(sql, *rest)

    def __getattr__(self, name: str) -> object:
        return getattr(self._con, name)


@pytest.mark.parametrize("statement", ["BEGIN", "SELECT batch_id", "INSERT", "COMMIT"])
@pytest.mark.parametrize("after", [False, True])
def test_whatever_a_moment_refuses_is_tried_again_and_written_once(
    lake: Lake, statement: str, after: bool
) -> None:
    """Also a commit that took effect although its answer was a failure."""
    error = duckdb.TransactionException("TransactionContext Error: Failed to commit: disk I/O error")
    refusing = Refusing(lake._con, statement, error, after)
    lake._con = refusing  # type: ignore[assignment]
    assert lake.commit(batch(1), batch(2)) == [True, True]
    assert refusing.failures == 1
    assert lake.commit(batch(2), batch(3)) == [False, True]
    assert written(lake) == [1, 2, 3]


def test_a_refusal_that_does_not_pass_is_told_and_nothing_is_left_behind(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_ATTEMPTS", 2)

    def refuse(*given: object) -> None:
        raise duckdb.TransactionException("TransactionContext Error: database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(lake, "_append", refuse)
        with pytest.raises(WardgateError, match=r"\[lake-write-failed\].*: TransactionException\."):
            lake.commit(batch(1))
    assert lake.commit(batch(1)) == [True]
