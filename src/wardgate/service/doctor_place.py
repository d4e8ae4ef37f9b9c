"""Checks of where everything lives: home, key, disk, lake and locks."""

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from wardgate.core.errors import WardgateError
from wardgate.core.home import Home
from wardgate.core.keys import load_key
from wardgate.inventory.scope import rows
from wardgate.lake.engine import ALIAS, Place
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES
from wardgate.service.diagnosis import Check, State

_LEAST_BYTES = 200 << 20
_LOW_BYTES = 2 << 30


def check_home(home: Home) -> Iterator[Check]:
    """The home folder: private, and writable."""
    mode = stat.S_IMODE(home.path.stat().st_mode)
    if not os.access(home.path, os.W_OK | os.X_OK):
        yield Check(
            "home",
            State.WRONG,
            f"{home.path} cannot be written to.",
            f"Give it to the user: chown -R $USER {home.path}",
        )
    elif mode & 0o077:
        yield Check(
            "home",
            State.WARN,
            f"{home.path} is open to other users (mode {mode:04o}).",
            f"Close it: chmod 700 {home.path}",
        )
    else:
        yield Check("home", State.OK, f"{home.path} is private and writable.")


def check_key(home: Home) -> Iterator[Check]:
    """The installation's key: there, sound, and readable by its user alone."""
    path = home.path / "keys" / "installation.key"
    by_environment = bool(os.environ.get("WARDGATE_KEY"))
    if not by_environment and not path.exists():
        if (home.lake / "catalog.sqlite").exists():
            yield Check(
                "key",
                State.WRONG,
                f"the key file {path} is gone, though there is a lake: new fingerprints will not match.",
                "Restore it from a backup, or set WARDGATE_KEY.",
            )
        else:
            yield Check("key", State.NOTE, "there is none yet: the first ingest makes it.")
        return
    if not by_environment:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            yield Check(
                "key",
                State.WRONG,
                f"{path} can be read by other users (mode {mode:04o}): it lets them test guesses.",
                f"Close it: chmod 600 {path}",
            )
    try:
        key = load_key(home.path)
    except WardgateError as error:
        yield Check("key", State.WRONG, f"[{error.code}] {error.message}", error.mend)
        return
    where = "given by WARDGATE_KEY" if by_environment else f"in {path}"
    yield Check("key", State.OK, f"key {key.key_id}, {where}.")


def check_disk(home: Home) -> Iterator[Check]:
    """Room on the home's disk."""
    usage = shutil.disk_usage(home.path)
    free = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free"
    if usage.free < _LEAST_BYTES:
        yield Check(
            "disk", State.WRONG, f"{free}: nothing more can be taken in soon.",
            "Make room, or set lake.retention_days and run `wardgate maintain`.",
        )  # fmt: skip
    elif usage.free < _LOW_BYTES:
        yield Check("disk", State.WARN, f"only {free}.", "Make room before it fills.")
    else:
        yield Check("disk", State.OK, f"{free}.")


def check_lake(lake: Lake, home: Home) -> Iterator[Check]:
    """The lake: it opens, its tables can be read, and its fingerprints were made with this key."""
    try:
        found = rows(
            lake, f"SELECT coalesce(sum(accepted), 0)::BIGINT AS n, count(*) AS b FROM {ALIAS}.ledger"
        )[0]
        gone = [
            row["data_file"]
            for name in TABLES
            for row in rows(lake, f"SELECT data_file FROM ducklake_list_files('{ALIAS}', '{name}')")
            if "://" not in row["data_file"] and not Path(row["data_file"]).exists()
        ]
        keys = [
            row["key_id"]
            for row in rows(lake, f"SELECT DISTINCT key_id FROM {ALIAS}.credentials WHERE key_id IS NOT NULL")
        ]
    except duckdb.Error as error:
        gone, found, keys = [type(error).__name__], {}, []
    if gone:
        yield Check(
            "lake",
            State.WRONG,
            f"the lake opens, but {len(gone)} of its files cannot be read, such as {gone[0]}.",
            f"Restore {lake.place.data} from a backup; or ingest the sources again into a new home.",
        )
        return
    yield Check("lake", State.OK, f"it opens; {found['n']:,} records accepted in {found['b']:,} commits.")
    try:
        own = load_key(home.path).key_ids
    except WardgateError:
        return
    others = [key for key in keys if key not in own]
    if others:
        yield Check(
            "key", State.WARN, f"some fingerprints were made with another key ({', '.join(sorted(others))}).",
            "The same secret has two fingerprints then. Go back to the older key if you have it.",
        )  # fmt: skip


def check_locks(place: Place, patience_s: float = 3.0) -> Iterator[Check]:
    """Whether the lake can be had; a lock that stays is wrong, and says who holds it."""
    path = place.lock
    if path is None or not path.exists():
        return
    until = time.monotonic() + patience_s
    handle = os.open(path, os.O_RDONLY)
    try:
        while not _free(handle) and time.monotonic() < until:
            time.sleep(0.05)
        if _free(handle):
            yield Check("locks", State.OK, "nobody holds the lake's lock.")
            return
        yield Check(
            "locks", State.WRONG, f"the lake has been locked by {_holder(path)} for {patience_s:g} s.",
            "A commit takes under a second; maintenance may take longer. If this stays, stop that process.",
        )  # fmt: skip
    finally:
        os.close(handle)


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(handle, fcntl.LOCK_UN)
    return True


def _holder(path: Path) -> str:
    """The process that holds a file's lock, as far as the kernel tells."""
    inode = path.stat().st_ino
    try:
        for line in Path("/proc/locks").read_text("ascii", "replace").splitlines():
            fields = line.split()
            if len(fields) > 5 and fields[5].endswith(f":{inode}") and "->" not in fields:
                pid = int(fields[4])
                name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip() if pid > 0 else "?"
                return f"process {pid} ({name})"
    except (OSError, ValueError):
        pass
    return "another process"
