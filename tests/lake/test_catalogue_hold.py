"""While a process has the lake open, the end of a statement keeps nobody from beginning another."""

import fcntl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from wardgate.core.home import Home, open_home
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.store import Lake

pytestmark = pytest.mark.skipif(
    not hasattr(fcntl, "F_OFD_SETLK"), reason="the system has no open file description locks"
)
_CLOSING = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:  # what SQLite locks before it takes its log away
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0x40000000)
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
    except OSError:
        sys.exit(1)
"""


def can_be_taken_alone(home: Home) -> bool:
    """Whether a closing connection of another process would get the catalogue for itself."""
    catalogue = str(home.lake / "catalog.sqlite")
    return subprocess.run([sys.executable, "-c", _CLOSING, catalogue], check=False).returncode == 0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


def test_nobody_takes_the_catalogue_alone_while_a_lake_is_open(home: Home) -> None:
    first, second = Lake(embedded_place(home)), Lake(embedded_place(home))
    assert not can_be_taken_alone(home)
    first.close()
    assert not can_be_taken_alone(home)
    second.close()
    assert can_be_taken_alone(home)


def test_statements_leave_the_log_where_it_is(home: Home) -> None:
    lake = Lake(embedded_place(home))
    log = home.lake / "catalog.sqlite-wal"
    before = log.stat().st_ino
    for _ in range(3):
        with lake.writing() as con:
            con.execute(f"INSERT INTO {ALIAS}.erasures VALUES (now())")
        assert lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.calls")["n"][0].as_py() == 0
    assert log.stat().st_ino == before
    lake.close()
    again = Lake(embedded_place(home))
    assert again.rows(f"SELECT count(*) AS n FROM {ALIAS}.erasures")["n"][0].as_py() == 3
    again.close()


def test_the_log_does_not_grow_without_end(home: Home) -> None:
    """Holding the catalogue is no reading of it: commits go on copying the log and start it again."""
    lake = Lake(embedded_place(home))
    for number in range(60):
        with lake.writing() as con:
            con.execute(f"CREATE OR REPLACE TABLE {ALIAS}.scratch AS SELECT {number} AS n")
    grown = (home.lake / "catalog.sqlite-wal").stat().st_size
    for number in range(60):
        with lake.writing() as con:
            con.execute(f"CREATE OR REPLACE TABLE {ALIAS}.scratch AS SELECT {number} AS n")
    assert (home.lake / "catalog.sqlite-wal").stat().st_size <= max(2 * 1000 * 4096, grown)
    lake.close()


def test_readers_that_come_and_go_do_not_stop_commits(home: Home) -> None:
    """They did, for whole seconds, many times in so many statements."""
    lake = Lake(embedded_place(home))
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.ledger")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    took = []
    for _ in range(80):
        start = time.monotonic()
        with lake.writing() as con:
            con.execute(f"INSERT INTO {ALIAS}.erasures VALUES (now())")
        took.append(time.monotonic() - start)
    done.set()
    for one in readers:
        one.join()
    lake.close()
    assert sum(one > 0.95 for one in took) <= 1
