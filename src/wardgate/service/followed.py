"""What is followed: a source's patterns, the files they mean now, and what became of each."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from wardgate.core.clock import Clock
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.pipeline import Prepared
from wardgate.service.health import SourceHealth, State
from wardgate.service.ingest import Reading
from wardgate.service.tail import Reader, Tail
from wardgate.sources.files import followed_files, watched_folder
from wardgate.sources.rotation import is_compressed, unrotated

_LONGEST_PAUSE = 30
SMALL = 1 << 20
"""A file with less than this to read is not kept waiting behind others."""


@dataclass(frozen=True, slots=True)
class Followed:
    """One source's files, as configured."""

    name: str
    paths: tuple[str, ...]
    """Files, globs or folders. What rotation made of a file is read with it."""
    reading: Reading
    once: bool = False
    """Whether what is there at the beginning is read, and nothing that comes later."""

    @property
    def folders(self) -> list[Path]:
        """Where its files appear."""
        return [watched_folder(one) for one in self.paths]

    @property
    def is_deep(self) -> bool:
        """Whether they may appear in folders below those."""
        return any(Path(one).is_dir() or any(c in str(Path(one).parent) for c in "*?[") for one in self.paths)


@dataclass(slots=True)
class Entry:
    """One file: an inode, under the name it has now."""

    path: Path
    key: tuple[int, int]
    """Device and inode."""
    size: int
    mtime_ns: int
    changed_at: float
    """When it was last seen to change (monotonic)."""
    is_read_once: bool = False
    is_gone: bool = False
    """No pattern means it any more: it was renamed away or deleted."""
    reader: Reader | None = field(default=None, repr=False)
    copy_of: int | None = None
    """The origin, being read from another file, whose copy this is so far."""
    looked_size: int = -1
    """Size and time of change when it was last opened: it is opened again only when they differ."""
    looked_mtime: int = -1
    kept: int | None = None
    failures: int = 0
    retry_at: float = float("-inf")
    error: str | None = None
    error_at_us: int | None = None

    @property
    def is_set_aside(self) -> bool:
        """Whether no program begins to write it any more, by its name."""
        if self.is_read_once:
            return True
        return self.is_gone or is_compressed(self.path) or unrotated(self.path.name) != self.path.name

    @property
    def lag(self) -> int:
        if self.reader is not None:
            try:
                return self.reader.lag
            except OSError:
                return 0
        return 0 if (self.looked_size, self.looked_mtime) == (self.size, self.mtime_ns) else self.size

    def is_due(self, now: float, settled_s: float) -> bool:
        """Whether opening it may bring something that was not seen before."""
        if not self.size or (self.size, self.mtime_ns) == (self.looked_size, self.looked_mtime):
            return self.error is not None and self.size > 0
        return not is_compressed(self.path) or now - self.changed_at >= settled_s

    def is_still_there(self) -> bool:
        """Whether its name is still that of this very file."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.key

    def looked(self) -> None:
        """Remember that it was opened as it is now."""
        self.looked_size, self.looked_mtime = self.size, self.mtime_ns

    def keep(self) -> None:
        """Hold on to a file that has no name any more, though its reader is closed."""
        if self.kept is None and isinstance(self.reader, Tail):
            self.kept = os.dup(self.reader.opened.stream.fileno())
            self.path = Path(f"/proc/self/fd/{self.kept}")

    def drop(self) -> None:
        """Let go of it."""
        if self.kept is not None:
            os.close(self.kept)
            self.kept = None

    def seen(self, path: Path, status: os.stat_result, now: float) -> None:
        self.path = path
        self.is_gone = False
        if (status.st_size, status.st_mtime_ns) != (self.size, self.mtime_ns):
            self.size, self.mtime_ns = status.st_size, status.st_mtime_ns
            self.changed_at = now

    def failed(self, now: float, pause_s: float, error: str, now_us: int) -> None:
        self.retry_at = now + min(pause_s * 2**self.failures, pause_s * _LONGEST_PAUSE)
        self.failures = min(self.failures + 1, 10)
        self.error, self.error_at_us = error, now_us

    def succeeded(self) -> None:
        self.failures, self.error, self.error_at_us = 0, None, None


class Source:
    """A followed source at work: its files by inode, and its counts."""

    def __init__(self, followed: Followed, lake: Lake, clock: Clock) -> None:
        self.followed = followed
        self.reading = replace(followed.reading, source=followed.name)
        self.entries: dict[tuple[int, int], Entry] = {}
        self.why = ""
        self.last_record_at_us: int | None = None
        self._last_commit_at_us: int | None = None
        self._clock = clock
        self._error: str | None = None
        self._counts = [0, 0, 0, 0]
        self._has_looked = False
        found = lake.rows(
            f"SELECT format FROM {ALIAS}.ledger WHERE source = ? ORDER BY committed_at_us DESC LIMIT 1",
            [followed.name],
        ).to_pylist()
        self.format: str | None = found[0]["format"] if found else None

    def look(self, now: float) -> None:
        """Find the files that the patterns mean now."""
        if self.followed.once and self._has_looked:
            return
        self._has_looked = True
        there: set[tuple[int, int]] = set()
        try:
            paths = [path for pattern in self.followed.paths for path in followed_files(pattern)]
            self._error = None
        except OSError as error:
            self._error = f"[input-unreadable] cannot look for files: {error.strerror}."
            return
        for path in paths:
            try:
                status = path.stat()
            except OSError:
                continue
            key = (status.st_dev, status.st_ino)
            if not stat.S_ISREG(status.st_mode) or key in there:
                continue
            there.add(key)
            entry = self.entries.get(key)
            if entry is None:
                entry = Entry(path, key, status.st_size, status.st_mtime_ns, now, self.followed.once)
                self.entries[key] = entry
            else:
                entry.seen(path, status, now)
        for key, entry in self.entries.items():
            if key not in there and not entry.is_gone:
                entry.is_gone = True
                entry.changed_at = now

    @property
    def is_waiting(self) -> bool:
        """Whether some file must be looked at again though it does not change."""
        return any(
            one.error is not None
            or (one.reader is None and one.copy_of is None and one.lag)
            or (one.reader is not None and one.is_set_aside)
            for one in self.entries.values()
        )

    def committed(self, part: Prepared) -> None:
        self._last_commit_at_us = self._clock()
        for i, count in enumerate((part.read, part.accepted, part.rejected, part.skipped)):
            self._counts[i] += count

    def health(self) -> SourceHealth:
        entries = list(self.entries.values())
        failing = max(
            (one for one in entries if one.error), key=lambda one: one.error_at_us or 0, default=None
        )
        lag = sum(one.lag for one in entries if one.copy_of is None)
        error = failing.error if failing is not None else self._error
        state: State = "failing" if error else "behind" if lag > SMALL else "following"
        if not any(one.size for one in entries) and not error:
            state = "waiting"
        read, accepted, rejected, skipped = self._counts
        return SourceHealth(
            source=self.followed.name,
            kind="files",
            state=state,
            format=self.format,
            why=self.why,
            inputs=len(entries),
            lag_bytes=lag,
            read=read,
            accepted=accepted,
            rejected=rejected,
            skipped=skipped,
            last_record_at_us=self.last_record_at_us,
            last_commit_at_us=self._last_commit_at_us,
            error=error,
            error_at_us=failing.error_at_us if failing is not None else None,
            notes=tuple(self._notes(entries)),
        )

    def _notes(self, entries: list[Entry]) -> Iterator[str]:
        copies = [one.path.name for one in entries if one.copy_of is not None]
        if copies:
            yield f"the same as another file so far: {', '.join(copies[:5])}"
        for pattern in self.followed.paths:
            folder = watched_folder(pattern)
            if not os.access(folder, os.R_OK | os.X_OK):
                yield f"{folder} cannot be looked into"
            elif not entries:
                yield f"there is no file {pattern} yet"
