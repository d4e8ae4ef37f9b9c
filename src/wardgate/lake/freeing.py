"""Moving what the catalogue keeps into files, forgetting snapshots, deleting files: each in a short turn.

On SQLite a reader's looks into the catalogue are not of one moment: first the list of files, then the rows
that are kept in it. So nothing that some snapshot shows is taken away until its successor is older than any
query may run; DuckLake's own flush takes rows away at once, and a reader in between would miss them. And
never `cleanup_all` for orphans beside a writer: it deletes the files of open transactions, whose commits
then succeed, and the table cannot be read any more. (`ducklake_expire_snapshots` needs `pytz`.)
"""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import duckdb

from wardgate.lake.engine import ALIAS, Place
from wardgate.lake.files import METADATA, inlined
from wardgate.lake.rewriting import Turns, refusals
from wardgate.lake.store import Lake, locked

_ATTEMPTS = 6
_OUTLIVED = f"""
SELECT snapshot_id FROM (
    SELECT snapshot_id, lead(snapshot_time) OVER (ORDER BY snapshot_id) AS followed_at
    FROM ducklake_snapshots('{ALIAS}'))
WHERE followed_at < now() - to_milliseconds($grace_ms)
"""


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
        waiting = sum(rows for _, rows in inlined(cursor, table))
    finally:
        cursor.close()
    if not waiting or waiting < least:
        return 0
    with refusals(turns.lake.place), turns.taken() as con:
        names = ", ".join(f"'{name}'" for name, _ in inlined(con, table))
        con.execute("BEGIN")
        try:
            theirs = f"FROM {ALIAS}.{table} WHERE filename IN ({names})"
            written = con.execute(f"INSERT INTO {ALIAS}.{table} SELECT * {theirs}").fetchone()
            dropped = con.execute(f"DELETE {theirs}").fetchone()
            if written != dropped or written is None:
                con.execute("ROLLBACK")
                return 0
            con.execute("COMMIT")
        except duckdb.Error as error:
            turns.give_up()
            if "conflict" in str(error).lower():
                return 0  # on PostgreSQL a writer was faster; the next round tries again
            raise
    return int(written[0])


def free_disk(turns: Turns, readers_s: float) -> tuple[int, int]:
    """Forget snapshots that were followed by others `readers_s` ago, and delete files that only these show.

    Answers how many of each. Stamps of snapshots are the engine's, so ages are reckoned by its clock.
    """
    cursor = turns.cursor()
    try:
        found = cursor.execute(_OUTLIVED, {"grace_ms": int(readers_s * 1000)}).fetchall()
    finally:
        cursor.close()
    if found:
        versions = ", ".join(str(version) for (version,) in found)
        called(turns, f"ducklake_expire_snapshots('{ALIAS}', versions => [{versions}])")
        _forget_inlined(turns)
    deleted = called(turns, f"ducklake_cleanup_old_files('{ALIAS}', older_than => {ago(-1)})")
    return len(found), len(deleted)


def _forget_inlined(turns: Turns) -> None:
    """Remove rows from the catalogue that no snapshot shows any more."""
    with refusals(turns.lake.place), turns.taken() as con:
        tables = con.execute(f"SELECT table_name FROM {METADATA}.ducklake_inlined_data_tables").fetchall()
        for (name,) in tables:
            con.execute(
                f'DELETE FROM {METADATA}."{name}" '
                f"WHERE end_snapshot <= (SELECT min(snapshot_id) FROM {METADATA}.ducklake_snapshot)"
            )


def maintaining(lake: Lake, *, wait: bool = False) -> AbstractContextManager[bool]:
    """Whether no other process maintains this lake; it stays so inside the block."""
    return kept_whole(lake.place, wait=wait)


def kept_whole(place: Place, *, wait: bool = False) -> AbstractContextManager[bool]:
    """As `maintaining`, for who has no lake open: inside the block nobody deletes files of it."""
    if place.lock is None:
        return nullcontext(True)  # on PostgreSQL commits collide, and the later one gives up
    return locked(place.lock.with_name(".maintenance.lock"), wait=wait)


def ago(seconds: float) -> str:
    """An expression for the engine's present less `seconds`."""
    return f"now() - INTERVAL '{seconds} seconds'"
