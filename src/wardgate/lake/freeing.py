"""What DuckLake's own functions do for upkeep, each in one short turn: flush, expire, delete.

`ducklake_expire_snapshots` needs `pytz`. Never `cleanup_all` for orphans beside a writer: it deletes the
files of open transactions, whose commits then succeed, and the table cannot be read any more.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import duckdb

from wardgate.lake.engine import ALIAS
from wardgate.lake.files import inlined_rows
from wardgate.lake.rewriting import Turns, refusals
from wardgate.lake.store import Lake, locked

_ATTEMPTS = 6


def called(turns: Turns, call: str) -> list[tuple[Any, ...]]:
    """Rows of a DuckLake function, tried again when another process was faster."""
    for attempt in range(_ATTEMPTS):
        with refusals(turns.lake.place), turns.taken() as con:
            try:
                return con.execute(f"CALL {call}").fetchall()
            except duckdb.Error as error:
                if attempt + 1 == _ATTEMPTS or "conflict" not in str(error).lower():
                    raise
        time.sleep(0.05 * 2**attempt)
    raise AssertionError("unreachable")


def flush(turns: Turns, table: str, least: int = 1) -> int:
    """Write the rows that the catalogue keeps of a table to a file, when they are at least so many."""
    cursor = turns.cursor()
    try:
        waiting = inlined_rows(cursor, table)
    finally:
        cursor.close()
    if not waiting or waiting < least:
        return 0
    called(turns, f"ducklake_flush_inlined_data('{ALIAS}', table_name => '{table}')")
    return waiting


def free_disk(turns: Turns, readers_s: float) -> tuple[int, int]:
    """Forget all snapshots but the last; delete files that left the lake `readers_s` ago: how many of each.

    Stamps of snapshots and deletions are the engine's, so ages are reckoned by its clock.
    """
    expired = called(turns, f"ducklake_expire_snapshots('{ALIAS}', older_than => {ago(0)})")
    deleted = called(turns, f"ducklake_cleanup_old_files('{ALIAS}', older_than => {ago(readers_s)})")
    return len(expired), len(deleted)


def maintaining(lake: Lake, *, wait: bool = False) -> AbstractContextManager[bool]:
    """Whether no other process maintains this lake; it stays so inside the block."""
    if lake.place.lock is None:
        return nullcontext(True)  # on PostgreSQL commits collide, and the later one gives up
    return locked(lake.place.lock.with_name(".maintenance.lock"), wait=wait)


def ago(seconds: float) -> str:
    """An expression for the engine's present less `seconds`."""
    return f"now() - INTERVAL '{seconds} seconds'"
