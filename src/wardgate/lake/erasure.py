"""Erasing one subject: the calls of a caller, a credential, a login name or a client address.

Calls are removed by rewriting the files that hold them, so that nothing stays on the disk: not in files, not
in snapshots, not in the free pages or the statistics of the catalogue. Facts that name the subject are
removed. Rollup rows stay as counts, moved to the caller `ERASED` (and to "no credential"): how often an
operation was called is not personal, and an inventory that forgot operations would be wrong. So after an
erasure rollups count more calls than the lake holds. Paths stay, since they are the inventory's.

A reader that is asking meanwhile may be refused, or miss rows, once. A process that goes on ingesting learns
the subject anew if it calls again: half a minute later it no longer takes the facts it wrote for known.
"""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.lake.engine import ALIAS
from wardgate.lake.files import METADATA, DataFile, data_files
from wardgate.lake.folding import rollups_of
from wardgate.lake.freeing import flush, free_disk, maintaining
from wardgate.lake.rewriting import Turns, replace
from wardgate.lake.store import Lake
from wardgate.lake.tables import CALLERS, TABLES

ERASED = 0
"""The caller that rollups of erased subjects belong to; no real caller has this id."""
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose calls: exactly one of these."""

    caller_id: int | None = None
    credential_id: int | None = None
    login: str | None = None
    """Keyed hash of the login name, as calls hold it."""
    address: str | None = None

    def __post_init__(self) -> None:
        given = (self.caller_id, self.credential_id, self.login, self.address)
        if sum(one is not None for one in given) != 1:
            raise WardgateError(
                "erase-subject", "name one subject: a caller, a credential, a login or an address."
            )

    @property
    def matches(self) -> str:
        """The condition on `calls` that holds for the subject's."""
        if self.caller_id is not None:
            return f"caller_id = {self.caller_id}"
        if self.credential_id is not None:
            return (
                f"(credential_id IS NOT DISTINCT FROM {self.credential_id} OR "
                f"list_contains(coalesce(list_transform(credentials, lambda c: c.credential_id), []), "
                f"{self.credential_id}))"
            )
        if self.login is not None:
            return f"login IS NOT DISTINCT FROM {_quoted(self.login)}"
        return f"client_address IS NOT DISTINCT FROM {_quoted(self.address or '')}"


@dataclass(slots=True)
class Erased:
    """What one erasure did."""

    calls: int = 0
    rollup_rows: int = 0
    """Rollup rows that were moved to the caller `ERASED`."""
    facts: int = 0
    """Rows of callers and credentials that were removed."""
    files: int = 0
    """Data files that were deleted from the disk."""


def erase(lake: Lake, subject: Subject, clock: Clock) -> Erased:
    """Erase a subject. Waits for running maintenance. Raises `erase-…`, or what `replace` raises."""
    done = Erased()
    with closing(Turns(lake)) as turns, maintaining(lake, wait=True):
        for table in TABLES:
            flush(turns, table)
        callers, credentials = _owned(lake, subject)
        done.calls = _rewritten(turns, "calls", subject.matches, lambda rows: _without(rows, subject.matches))
        done.rollup_rows = _moved_rollups(turns, callers, credentials)
        for table, ids in (("callers", callers), ("credentials", credentials), ("instances", credentials)):
            if ids:
                column = "caller_id" if table == "callers" else "credential_id"
                theirs = f"{column} IN ({_list(ids)})"
                done.facts += _rewritten(turns, table, theirs, lambda rows, t=theirs: _without(rows, t))
        if callers:
            _name_erased(lake, clock)
        _record(lake, clock)
        done.files = _purge(turns)
    return done


def _owned(lake: Lake, subject: Subject) -> tuple[list[int], list[int]]:
    """Ids of the callers and credentials that are the subject's alone: no call of anybody else has them."""
    theirs = subject.matches
    one = {"callers": [subject.caller_id], "credentials": [subject.credential_id]}
    found = {}
    for table, ids in one.items():
        column = f"{table.removesuffix('s')}_id"
        rows = lake.rows(
            f"SELECT {column} AS id FROM {ALIAS}.calls WHERE {column} IN "
            f"(SELECT {column} FROM {ALIAS}.calls WHERE {theirs} AND {column} IS NOT NULL) "
            f"GROUP BY {column} HAVING bool_and({theirs})"
        )
        found[table] = sorted({*rows["id"].to_pylist(), *(one for one in ids if one is not None)})
    return found["callers"], found["credentials"]


def _without(relation: str, theirs: str) -> str:
    return f"SELECT * FROM {relation} WHERE NOT coalesce({theirs}, false)"


def _moved_rollups(turns: Turns, callers: list[int], credentials: list[int]) -> int:
    caller = f"caller_id IN ({_list(callers)})" if callers else "false"
    credential = f"credential_id IN ({_list(credentials)})" if credentials else "false"
    if not callers and not credentials:
        return 0

    def moved(rows: str) -> str:
        return rollups_of(
            f"(SELECT * REPLACE (CASE WHEN {caller} THEN {ERASED} ELSE caller_id END AS caller_id, "
            f"CASE WHEN {credential} THEN 0 ELSE credential_id END AS credential_id) FROM {rows})"
        )

    condition = f"({caller} OR {credential})"
    _rewritten(
        turns, "presented", condition, lambda rows: f"SELECT * FROM ({moved(rows)}) WHERE credential_id <> 0"
    )
    count = turns.lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.rollups WHERE {condition}")["n"][0].as_py()
    _rewritten(turns, "rollups", condition, moved)
    return int(count)


def _rewritten(turns: Turns, table: str, theirs: str, query) -> int:  # type: ignore[no-untyped-def]
    """Rewrite, one by one, the files with rows that a condition holds for: how many rows fewer there are."""
    gone = 0
    for _ in range(_ATTEMPTS):
        files = _holding(turns.lake, table, theirs)
        if not files:
            return gone
        for one in files:
            done = replace(turns, table, [one], query)
            gone += done.rows_before - done.rows_after if done is not None else 0
    raise WardgateError(
        "erase-contended",
        f"{table} is being rewritten by other processes.",
        mend="Run the same command again.",
    )


def _holding(lake: Lake, table: str, theirs: str) -> list[DataFile]:
    with lake.reading() as cursor:
        found = cursor.execute(f"SELECT DISTINCT filename FROM {ALIAS}.{table} WHERE {theirs}").fetchall()
        paths = {path for (path,) in found}
        return [one for one in data_files(cursor, table) if one.path in paths]


def _name_erased(lake: Lake, clock: Clock) -> None:
    known = lake.rows(f"SELECT 1 FROM {ALIAS}.callers WHERE caller_id = {ERASED} LIMIT 1")
    if known.num_rows:
        return
    row = {"caller_id": ERASED, "kind": "unknown", "name": "erased", "basis": "erasure", "confidence": 1.0}
    rows = pa.Table.from_pylist([{**row, "learned_at_us": clock()}], schema=CALLERS)
    with lake.writing() as con:
        con.register("erased", rows)
        con.execute(f"INSERT INTO {ALIAS}.callers BY NAME SELECT * FROM erased")
        con.unregister("erased")


def _record(lake: Lake, clock: Clock) -> None:
    with lake.writing() as con:
        con.execute(f"INSERT INTO {ALIAS}.erasures VALUES (make_timestamp(?))", [clock()])


def _purge(turns: Turns) -> int:
    """Let go of every older snapshot, delete its files now, and leave nothing in the catalogue."""
    _, files = free_disk(turns, -1)
    lake = turns.lake
    with turns.taken() as con:
        _narrow_statistics(con)
        if not lake.place.on_postgres:
            _vacuum(lake.place.catalog)
    return files


def _narrow_statistics(con: duckdb.DuckDBPyConnection) -> None:
    """A table's bounds only ever widen, and may be a value that is gone: forget those of text."""
    con.execute(f"""
UPDATE {METADATA}.ducklake_table_column_stats SET min_value = NULL, max_value = NULL
WHERE (table_id, column_id) IN (
    SELECT (table_id, column_id) FROM {METADATA}.ducklake_column
    WHERE column_type = 'varchar' AND end_snapshot IS NULL)""")


def _vacuum(catalog: str) -> None:
    """Rewrite the catalogue without its free pages.

    In a process of its own: a second SQLite library in this one would drop the locks of the first when it
    closes the file.
    """
    script = (
        "import sqlite3, sys\n"
        "con = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)\n"
        "con.execute('PRAGMA wal_checkpoint(TRUNCATE)')\n"
        "con.execute('VACUUM')\n"
        "busy = con.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()[0]\n"
        "sys.exit(busy)\n"
    )
    for _ in range(_ATTEMPTS):
        done = subprocess.run(
            [sys.executable, "-c", script, catalog], check=False, capture_output=True, timeout=600
        )
        if done.returncode == 0:
            return
    raise WardgateError(
        "erase-catalogue-busy",
        "the calls are erased, but free pages of the catalogue could not be cleared: it is being read.",
        mend="Run the same command again.",
    )


def _list(ids: Sequence[int]) -> str:
    return ", ".join(str(one) for one in ids)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
