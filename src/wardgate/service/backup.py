"""Backing up a home while Wardgate runs: one moment of the lake, and everything that moment names.

What must hold:
- the catalogue is copied as of one commit, so calls, ledger and rollups agree, and everything acknowledged
  before is in it; files of the lake are never changed, so they may be copied after it;
- upkeep waits until the copy is done (it alone deletes files), writers do not;
- the state is copied before the lake: what it derives from the lake may lag behind, and must not run ahead;
- nothing is there under the backup's name before all of it is durable.
"""

import errno
import io
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Protocol, cast

import duckdb
import msgspec

from wardgate import __version__
from wardgate.core.clock import Clock
from wardgate.core.errors import Exit, WardgateError
from wardgate.core.home import Home
from wardgate.core.keys import existing_key, key_file
from wardgate.core.settings import Config
from wardgate.lake.engine import ALIAS, Place, configured_place, connect
from wardgate.lake.freeing import kept_whole
from wardgate.service.backup_form import (
    CATALOGUE,
    CONFIGURATION,
    DATA,
    FORMAT,
    KEY,
    MANIFEST,
    STATE,
    SUMS,
    Entry,
    FolderTarget,
    Hashing,
    Manifest,
    Target,
    checked_name,
    folder_durable,
    sums_text,
    target_at,
)
from wardgate.service.catalogue_copy import (
    copy_database,
    damaged,
    files_named,
    forget_deletions,
    revision_of,
)

PATIENCE_S = 900.0
"""How long upkeep or an erasure may keep a backup waiting."""
_ROOM = 1 << 20
"""Bytes; where less is free, that is why a copy failed."""
_SUFFIXES = (".tar", ".tar.zst")


class Shown(Protocol):
    """Who is told how far it got."""

    def begin(self, total: int) -> None:
        """So many bytes are to be copied."""

    def advance(self, size: int) -> None:
        """So many more were."""


class Unseen:
    """Nobody is told."""

    def begin(self, total: int) -> None:
        pass

    def advance(self, size: int) -> None:
        pass


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that is there."""

    path: Path
    manifest: Manifest
    with_key: bool
    size: int
    """Bytes on the disk."""


def backup(
    home: Home,
    config: Config,
    target: Path,
    clock: Clock,
    *,
    with_key: bool = False,
    shown: Shown | None = None,
    patience_s: float = PATIENCE_S,
) -> BackedUp:
    """Back up an embedded home to a new archive (`.tar`, `.tar.zst`) or folder.

    Raises `backup-scaled`, `backup-target`, `backup-nothing`, `backup-key`, `backup-busy`, `backup-damaged`
    or `backup-failed`; then there is nothing under the target's name.
    """
    place = configured_place(home, config.lake)
    target = _checked_target(target, place, config)
    if with_key and not key_file(home.path).is_file():
        raise WardgateError(
            "backup-key",
            f"there is no key file {key_file(home.path)} to put into the backup.",
            mend="A key that comes by WARDGATE_KEY is kept where that comes from.",
        )
    with _refusals(target), _drafts(target) as folder:
        copies = _Copies(home, place, folder, with_key)
        with _undisturbed(place, patience_s):
            with _told_if_full(folder):
                copies.take()
                manifest = copies.manifest(clock)
            draft = _written(copies, manifest, folder, target, shown or Unseen())
        if target.exists() and not _is_empty(target):
            raise _bad_target(f"{target} is there already")
        draft.replace(target)
        folder_durable(target.parent)
    return BackedUp(target, manifest, with_key, _size(target))


@dataclass(slots=True)
class _Copies:
    """What goes into the backup: copies of what changes, the originals of what does not."""

    home: Home
    place: Place
    folder: Path
    with_key: bool

    def take(self) -> None:
        """The moment of the backup."""
        if self.home.state.exists():
            copy_database(self.home.state, self.folder / "state")
        copy_database(Path(self.place.catalog), self.folder / "catalogue")

    def manifest(self, clock: Clock) -> Manifest:
        catalogue, state = self.folder / "catalogue", self.folder / "state"
        rows, accounting = counted(Place(str(catalogue), self.place.data, self.folder, None))
        forget_deletions(catalogue)
        own = [(STATE, state), (CATALOGUE, catalogue), (CONFIGURATION, self.home.config)]
        if self.with_key:
            own.append((KEY, key_file(self.home.path)))
        files = [Entry(name, path.stat().st_size) for name, path in own if path.is_file()]
        key = existing_key(self.home.path)
        return Manifest(
            format=FORMAT,
            wardgate=__version__,
            made_at_us=clock(),
            key_id=key.key_id if key else None,
            state_revision=revision_of(state) if state.exists() else None,
            rows=rows,
            accounting=accounting,
            files=[*files, *files_named(catalogue)],
        )

    def path_of(self, name: str) -> Path:
        """Where the content of a file of the backup is."""
        if name.startswith(DATA):
            return Path(self.place.data) / name.removeprefix(DATA)
        copied = {STATE: self.folder / "state", CATALOGUE: self.folder / "catalogue"}
        return copied.get(name) or self.home.path / name


def counted(place: Place) -> tuple[dict[str, int], dict[str, int]]:
    """Rows by table, and the sums of ledger and rollups: what a restored lake must show again.

    Raises `backup-damaged`.
    """
    con = connect(place)
    try:
        tables = con.execute(f"SELECT table_name FROM ducklake_table_info('{ALIAS}') ORDER BY 1").fetchall()
        rows = {name: _number(con, f"SELECT count(*) FROM {ALIAS}.{name}") for (name,) in tables}
        accounting = {
            name: _number(con, f"SELECT coalesce(sum({name}), 0)::BIGINT FROM {ALIAS}.ledger")
            for name in ("read", "accepted", "rejected", "skipped")
        }
        accounting["counted"] = _number(
            con, f"SELECT coalesce(sum(calls + linked), 0)::BIGINT FROM {ALIAS}.rollups"
        )
    except duckdb.Error as error:
        raise damaged(f"the lake cannot be read ({type(error).__name__})") from error
    finally:
        con.close()
    return rows, accounting


def _number(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    found = con.execute(sql).fetchone()
    return int(found[0]) if found else 0


def _written(copies: _Copies, manifest: Manifest, folder: Path, target: Path, shown: Shown) -> Path:
    """The backup under a name of its own, durable."""
    draft = folder / "draft"
    shown.begin(manifest.size)
    if not target.name.endswith(_SUFFIXES):
        draft.mkdir(mode=0o700)
        _fill(FolderTarget(draft), copies, manifest, shown)
        for inner in (draft, *(one for one in draft.rglob("*") if one.is_dir())):
            folder_durable(inner)
        return draft
    with target_at(draft, target.name.endswith(".zst"), manifest.made_at_us // 1_000_000) as tar:
        _fill(tar, copies, manifest, shown)
    return draft


def _fill(target: Target, copies: _Copies, manifest: Manifest, shown: Shown) -> None:
    digests = {}

    def add(name: str, size: int, content: IO[bytes]) -> None:
        hashing = Hashing(content, shown.advance)
        try:
            target.add(name, size, cast("IO[bytes]", hashing))
        except OSError as error:
            if error.errno is None:  # tarfile: the file ended early
                raise damaged(f"{name} is shorter than it was") from error
            raise
        digests[name] = hashing.hexdigest

    listed = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    add(MANIFEST, len(listed), io.BytesIO(listed))
    for one in manifest.files:
        checked_name(one.name)
        try:
            file = copies.path_of(one.name).open("rb")
        except FileNotFoundError:
            raise damaged(f"{one.name} is gone") from None
        with file:
            if os.fstat(file.fileno()).st_size != one.size:
                raise damaged(f"{one.name} does not have the size that it was written with")
            add(one.name, one.size, file)
    sums = sums_text(digests)
    target.add(SUMS, len(sums), io.BytesIO(sums))


def _checked_target(target: Path, place: Place, config: Config) -> Path:
    target = target.expanduser().absolute()
    if place.on_postgres or "://" in place.data or config.state.url is not None:
        raise WardgateError(
            "backup-scaled",
            "this installation keeps its data on PostgreSQL or in object storage, not in its home.",
            mend="Use pg_dump and copies of the bucket: docs/how-to/back-up.md says in which order.",
        )
    if not Path(place.catalog).exists():
        raise WardgateError("backup-nothing", f"there is no lake at {place.catalog} to back up.")
    if target.exists() and not _is_empty(target):
        raise _bad_target(f"{target} is there already")
    if not target.parent.is_dir():
        raise _bad_target(f"there is no folder {target.parent}")
    if target.resolve().is_relative_to(Path(place.data).resolve()):
        raise _bad_target(f"{target} is among the lake's own files, which upkeep clears")
    return target


def _bad_target(finding: str) -> WardgateError:
    return WardgateError("backup-target", f"{finding}.", mend="Name a file or folder that is not there yet.")


def _is_empty(path: Path) -> bool:
    return path.is_dir() and next(path.iterdir(), None) is None


@contextmanager
def _undisturbed(place: Place, patience_s: float) -> Iterator[None]:
    """While nobody deletes files of the lake."""
    until = time.monotonic() + patience_s
    while True:
        with kept_whole(place) as is_free:
            if is_free:
                yield
                return
        if time.monotonic() >= until:
            raise WardgateError(
                "backup-busy",
                f"another process has been maintaining the lake for {patience_s:g} s.",
                mend="Try again later.",
                exit_code=Exit.FAILED,
            )
        time.sleep(0.1)


@contextmanager
def _drafts(target: Path) -> Iterator[Path]:
    """A folder beside the target for what is not whole yet; gone afterwards, however it went."""
    folder = Path(mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _refusals(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise WardgateError(
            "backup-failed",
            f"no backup was made: {'the disk is full' if full else error.strerror or 'it was refused'}, "
            f"at {target.parent}.",
            mend="Make room, or name another place." if full else "",
            exit_code=Exit.FAILED,
        ) from error


@contextmanager
def _told_if_full(folder: Path) -> Iterator[None]:
    """SQLite says in several ways that there is no room, and some sound as if the lake were damaged."""
    try:
        yield
    except WardgateError as error:
        if shutil.disk_usage(folder).free < _ROOM:
            raise OSError(errno.ENOSPC, "No space left on device") from error
        raise


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files)
