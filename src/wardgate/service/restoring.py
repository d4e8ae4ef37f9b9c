"""Restoring a backup into a new home: checked while it is written, opened and counted before it is there.

Everything is written into `.restoring` inside the home, which no other command uses while that is there. What
was cut short, damaged, or made by a newer version leaves the home as it was: empty.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wardgate.core.errors import Exit, WardgateError
from wardgate.core.home import RESTORING, Home
from wardgate.core.keys import existing_key, key_file, key_note, read_key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.service.backup import Shown, Unseen, counted
from wardgate.service.backup_form import (
    CONFIGURATION,
    DATA,
    SUMS,
    BackupBroken,
    Hashing,
    Manifest,
    Member,
    copied,
    folder_durable,
    made_durable,
    members_of,
    private_file,
    read_manifest,
    read_sums,
)
from wardgate.service.catalogue_copy import files_named, forget_deletions, point_at
from wardgate.state.store import known_revisions, open_state

ASIDE = "wardgate.toml.from-backup"
"""What a configuration is called that says where the lake was: here it is in the home."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    home: Path
    manifest: Manifest
    has_key: bool
    """Whether the key is in place; else `load_key` waits for it."""
    configuration: str | None
    """The name under which the configuration was put."""


def restore(source: Path, home: Path, *, key: Path | None = None, shown: Shown | None = None) -> Restored:
    """Restore a backup, archive or folder, into a home that is empty or not there.

    `key` is a file with the installation's key, for a backup without it. Raises `restore-home`,
    `restore-key`, `restore-failed`, `backup-unreadable`, `backup-broken`, `backup-newer`, `lake-newer` or
    `state-newer`; the home is empty then.
    """
    if not source.exists():
        raise WardgateError("backup-unreadable", f"there is no backup {source}.")
    shown = shown or Unseen()
    with _refusals(home), _staging(home) as staging:
        with members_of(source) as members:
            manifest = _extracted(members, staging, shown)
        _place_key(staging.path, manifest, key)
        configuration = _placed_configuration(staging)
        _checked(staging, manifest)
        point_at(staging.lake / "catalog.sqlite", home / "lake" / "data")
        has_key = existing_key(staging.path) is not None
        _move_in(staging.path, home)
    return Restored(home, manifest, has_key, configuration)


def _extracted(members: Iterator[Member], staging: Home, shown: Shown) -> Manifest:
    """Write what the backup holds, and see that it is exactly what it says."""
    first = next(members, None)
    if first is None:
        raise BackupBroken("it is empty")
    manifest, digest = read_manifest(first)
    digests = {first[0]: digest}
    if manifest.state_revision is not None and manifest.state_revision not in known_revisions():
        raise WardgateError(
            "backup-newer",
            f"this backup was made by a newer Wardgate ({manifest.wardgate[:32]!r}).",
            mend="Restore it with that version or a later one.",
        )
    free = shutil.disk_usage(staging.path).free
    if manifest.size > free:
        raise OSError(errno.ENOSPC, "No space left on device")
    shown.begin(manifest.size)
    expected = {one.name: one.size for one in manifest.files}
    for member in members:
        name, size, content = member
        if name == SUMS:
            if expected.keys() != digests.keys() - {first[0]} or read_sums(member) != digests:
                raise BackupBroken("what it holds is not what it says")
            return manifest
        if expected.get(name) != size or name in digests:
            raise BackupBroken("it holds a file that its manifest does not name")
        digests[name] = _written(staging.path / name, size, content, shown)
    raise BackupBroken("its end is missing")


def _written(path: Path, size: int, content: IO[bytes], shown: Shown) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashing = Hashing(content, shown.advance)
    with private_file(path) as file:
        if copied(hashing, file) != size:
            raise BackupBroken("a file is cut short")
        made_durable(file)
    return hashing.hexdigest


def _place_key(staging: Path, manifest: Manifest, given: Path | None) -> None:
    """The key where it is to be, if there is one; and a note of which one it must be."""
    path = key_file(staging)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if given is not None:
        try:
            key = read_key(given)
        except FileNotFoundError:
            raise WardgateError("restore-key", f"there is no key file {given}.") from None
        with private_file(path.with_suffix(".given")) as file:
            file.write(key.secret.hex().encode() + b"\n")
            made_durable(file)
        path.with_suffix(".given").replace(path)
    if path.exists() and manifest.key_id is not None and read_key(path).key_id != manifest.key_id:
        raise WardgateError(
            "restore-key", f"that is another key than the backup's, whose id is {manifest.key_id}."
        )
    if manifest.key_id is not None:
        key_note(staging).write_text(manifest.key_id + "\n", "ascii")


def _placed_configuration(staging: Home) -> str | None:
    path = staging.path / CONFIGURATION
    try:
        lake = tomllib.loads(path.read_text("utf-8")).get("lake", {})
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        lake = {}  # it was no better before
    if isinstance(lake, dict) and lake.keys() & {"catalog", "data"}:
        path.rename(staging.path / ASIDE)
        return ASIDE
    return CONFIGURATION


def _checked(staging: Home, manifest: Manifest) -> None:
    """Open it and count: all must be there that was. Then migrate it forward, as at any start.

    A catalogue may name nothing but what came with it: upkeep deletes files by what it says.
    """
    place = embedded_place(staging)
    try:
        point_at(Path(place.catalog), Path(place.data))
        forget_deletions(Path(place.catalog))
        named = set(files_named(Path(place.catalog)))
        if named != {one for one in manifest.files if one.name.startswith(DATA)}:
            raise BackupBroken("its catalogue names other files than it holds")
        rows, accounting = counted(place)
    except sqlite3.Error as error:
        raise BackupBroken("its catalogue is damaged") from error
    except WardgateError as error:
        if error.code in ("backup-damaged", "lake-unreadable"):
            raise BackupBroken("its lake cannot be read") from error
        raise
    if rows != manifest.rows or accounting != manifest.accounting:
        raise BackupBroken("the lake in it does not hold what it says")
    staging.scratch.mkdir(mode=0o700)
    Lake(place).close()
    open_state(staging).close()


def _move_in(staging: Path, home: Path) -> None:
    """Out of the staging folder into the home; the lake comes last."""
    for one in sorted(staging.iterdir(), key=lambda path: path.name == "lake"):
        one.replace(home / one.name)
    folder_durable(home)


@contextmanager
def _staging(home: Path) -> Iterator[Home]:
    """A folder in the home for what is not whole yet. Raises `restore-home`."""
    made = [one for one in (home, *home.parents) if not one.exists()]
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    others = [one.name for one in home.iterdir() if one.name not in (RESTORING, "lost+found")]
    staging = home / RESTORING
    if others:
        raise WardgateError(
            "restore-home",
            f"{home} is not empty.",
            mend="Name a new folder with --home; nothing there is ever overwritten.",
        )
    staging.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(staging, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise WardgateError("restore-home", f"another backup is being restored into {home}.") from None
    try:
        for one in staging.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        yield Home(staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(handle)
        for folder in made:  # what failed leaves no trace; what succeeded is not empty
            try:
                folder.rmdir()
            except OSError:
                break


@contextmanager
def _refusals(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise WardgateError(
            "restore-failed",
            f"nothing was restored: {'the disk is full' if full else error.strerror or 'it was refused'}, "
            f"at {home}.",
            mend="Make room, or name another place." if full else "",
            exit_code=Exit.FAILED,
        ) from error
