"""Copies of SQLite databases that others are writing, and what a copied catalogue of the lake names.

A copy is made by SQLite's own online backup: one transaction's view, writers go on. That is done in a process
of its own: a second SQLite library in this one would drop the locks that the lake's engine holds (POSIX locks
end when any handle of the file is closed). What is opened here is only ever a copy that nobody else knows.
"""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from wardgate.core.errors import Exit, WardgateError
from wardgate.service.backup_form import DATA, Entry

_SCRIPT = """
import sqlite3, sys
source = sqlite3.connect("file:" + sys.argv[1].replace("%", "%25").replace("?", "%3f") + "?mode=ro", uri=True)
source.execute("PRAGMA busy_timeout = 30000")
target = sqlite3.connect(sys.argv[2])
try:
    source.backup(target)
    target.execute("PRAGMA journal_mode = DELETE")
    found = target.execute("PRAGMA quick_check(1)").fetchone()[0]
except sqlite3.Error as error:
    found = getattr(error, "sqlite_errorname", type(error).__name__)
print(found, end="")
"""
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC")
_FILES = """
SELECT s.path_is_relative AND t.path_is_relative AND f.path_is_relative,
       s.path || t.path || f.path, f.file_size_bytes
FROM (SELECT table_id, path, path_is_relative, file_size_bytes FROM ducklake_data_file
      UNION ALL SELECT table_id, path, path_is_relative, file_size_bytes FROM ducklake_delete_file) f
JOIN ducklake_table t ON t.table_id = f.table_id
JOIN ducklake_schema s ON s.schema_id = t.schema_id
ORDER BY 2
"""


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database as of one moment. Raises `backup-damaged`, or OSError for want of room."""
    target.touch(mode=0o600)
    done = subprocess.run(
        [sys.executable, "-I", "-c", _SCRIPT, str(source), str(target)],
        check=False,
        capture_output=True,
        text=True,
        timeout=3600,
    )
    found = done.stdout if not done.returncode else f"exit {done.returncode}"
    if found in _FULL:
        raise OSError(28, "No space left on device")
    if found != "ok":
        raise damaged(f"{source.name} cannot be copied or is damaged ({found[:40]})")


def damaged(finding: str) -> WardgateError:
    """The refusal to back up what is not whole."""
    return WardgateError(
        "backup-damaged",
        f"no backup was made: {finding}.",
        mend="`wardgate doctor` says more; keep the backups you have.",
        exit_code=Exit.FAILED,
    )


def files_named(catalogue: Path) -> list[Entry]:
    """The Parquet files that a copied catalogue names, under their names in a backup."""
    with closing(sqlite3.connect(catalogue)) as con:
        found = con.execute(_FILES).fetchall()
    if not all(is_relative for is_relative, _, _ in found):
        raise damaged("the lake names files outside of its folder")
    sizes = {f"{DATA}{path}": int(size) for _, path, size in found}
    return [Entry(name, size) for name, size in sizes.items()]


def forget_deletions(catalogue: Path) -> None:
    """Take from a copied catalogue the list of files that are to be deleted: a backup does not hold them."""
    with closing(sqlite3.connect(catalogue)) as con, con:
        con.execute("DELETE FROM ducklake_files_scheduled_for_deletion")


def point_at(catalogue: Path, data: Path) -> None:
    """Say in a catalogue that nobody has open where its files are."""
    with closing(sqlite3.connect(catalogue)) as con, con:
        con.execute("UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'", [f"{data}/"])


def revision_of(state: Path) -> str | None:
    """Which migration a copied state is at; None where it has none."""
    with closing(sqlite3.connect(state)) as con:
        return next(_revisions(con), None)


def _revisions(con: sqlite3.Connection) -> Iterator[str]:
    try:
        for (found,) in con.execute("SELECT version_num FROM alembic_version"):
            yield str(found)
    except sqlite3.OperationalError:
        return
