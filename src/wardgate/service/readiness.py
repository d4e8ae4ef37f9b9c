"""Whether calls would be taken now: each part is asked, and none may keep the answer waiting.

A database that does not answer must not hang whoever asks about it, nor pile up threads: one check runs at a
time, and whoever asks meanwhile waits for that one, at most `PATIENCE_S`.
"""

import os
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from pathlib import Path
from threading import Lock

import duckdb
from sqlalchemy import text

from wardgate.core.errors import WardgateError
from wardgate.core.home import Home
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.service.writer import Writer
from wardgate.state.store import State

PATIENCE_S = 2.0
LEAST_ROOM = 1 << 20
"""Bytes; where less is free, nothing can be committed."""


class Readiness:
    """Asks writer, disk, lake and state. Safe to share between threads."""

    def __init__(
        self,
        home: Home,
        writer: Writer,
        lake: Lake,
        state: State,
        max_pending: int,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._home = home
        self._writer = writer
        self._lake = lake
        self._state = state
        self._max_pending = max_pending
        self._patience_s = patience_s
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, "readiness")
        self._running: Future[list[str]] | None = None

    def not_ready(self) -> list[str]:
        """Codes of what keeps calls from being taken now; none when ready."""
        found = []
        if self._writer.disk_full or self._free < LEAST_ROOM:
            found.append("disk-full")
        if self._writer.pending >= self._max_pending:
            found.append("writer-full")
        with self._lock:
            if self._running is None or self._running.done():
                self._running = self._pool.submit(self._asked)
            running = self._running
        try:
            found += running.result(self._patience_s)
        except TookTooLong:
            found.append("check-slow")
        return found

    def close(self) -> None:
        """A check that is still running is left to itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._home.path).free
        except OSError:
            return 0

    def _asked(self) -> list[str]:
        found = []
        if not self._may_write():
            found.append("lake-write-failed")  # not asked further: SQLite would make a new, empty catalogue
        elif not _succeeds(lambda: self._lake.rows(f"SELECT 1 FROM {ALIAS}.ledger LIMIT 1")):
            found.append("lake-unreadable")
        if not _succeeds(self._ask_state):
            found.append("state-failed")
        return found

    def _may_write(self) -> bool:
        """Whether the lake's places are there and ours to write to. Nothing is written."""
        place = self._lake.place
        if place.on_postgres or "://" in place.data:
            return True
        catalog, data = Path(place.catalog), Path(place.data)
        places = (catalog, catalog.parent, data if data.exists() else data.parent)
        return all(os.access(one, os.W_OK) for one in places)

    def _ask_state(self) -> None:
        with self._state.transaction() as connection:
            connection.execute(text("SELECT 1"))


def _succeeds(check: Callable[[], object]) -> bool:
    try:
        check()
    except (duckdb.Error, WardgateError, OSError):
        return False
    return True
