"""How each source is doing at this moment, where other processes can read it: `<home>/run/*.json`.

Whoever follows files or listens writes one file, whole, every few seconds; `doctor`, `sources` and the page
read them. What is in there is for people: no record, no value from traffic, no secret. What must be exact
is in the ledger.
"""

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from wardgate.core.clock import Clock
from wardgate.core.events import LogEvent, log
from wardgate.core.home import Home

STALE_S = 30
"""A process that has not written for so long is not running, or hangs."""

State = Literal["waiting", "following", "behind", "failing"]
"""Nothing there yet; up to date; reading what is already there; something stands in the way (`error`)."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source as its reader sees it. Counts are since the reader began; times are µs since 1970."""

    source: str
    kind: Literal["files", "syslog"]
    state: State
    format: str | None = None
    why: str = ""
    """Why it was taken for that format."""
    inputs: int = 0
    """Files that are there, or senders heard."""
    lag_bytes: int = 0
    """Bytes that are there and not committed yet (of a compressed file: compressed)."""
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    dropped: int = 0
    """Messages lost before they could be read: the kernel's count, for UDP."""
    last_record_at_us: int | None = None
    last_commit_at_us: int | None = None
    error: str | None = None
    """`[code] message`, of what stands in the way now."""
    error_at_us: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What one process wrote."""

    part: str
    pid: int
    written_at_us: int
    is_stale: bool
    sources: tuple[SourceHealth, ...]


class HealthFile:
    """The file of one part of Wardgate (`files`, `syslog`), replaced whole each time."""

    def __init__(self, home: Home, part: str, clock: Clock) -> None:
        self._folder = home.path / "run"
        self._part = part
        self._clock = clock
        self._failing: dict[str, str] = {}

    def write(self, sources: Sequence[SourceHealth]) -> None:
        """Write, and log which began to fail or ended. A disk that is full leaves the file as it was."""
        self._log_changes(sources)
        value = {
            "part": self._part,
            "pid": os.getpid(),
            "written_at_us": self._clock(),
            "sources": [asdict(one) for one in sources],
        }
        draft = self._folder / f".{self._part}.{os.getpid()}"
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps(value), "utf-8")
            draft.replace(self._folder / f"{self._part}.json")

    def _log_changes(self, sources: Sequence[SourceHealth]) -> None:
        failing = {one.source: _code(one.error) for one in sources if one.state == "failing"}
        for name, code in failing.items():
            if self._failing.get(name) != code:
                log(LogEvent.SOURCE_FAILING, source=name, code=code)
        for name in self._failing.keys() - failing.keys():
            log(LogEvent.SOURCE_WELL, source=name)
        self._failing = failing

    def remove(self) -> None:
        """Nothing is running any more."""
        (self._folder / f"{self._part}.json").unlink(missing_ok=True)


def read_health(home: Home, clock: Clock) -> list[Shown]:
    """What every part last wrote; files that cannot be read are left out."""
    found = []
    for path in sorted((home.path / "run").glob("*.json")):
        shown = _read(path, clock())
        if shown is not None:
            found.append(shown)
    return found


def _code(error: str | None) -> str:
    """The code of `[code] message`; the message may name a file."""
    return (error or "").partition("]")[0].removeprefix("[")


def _read(path: Path, now_us: int) -> Shown | None:
    try:
        value = json.loads(path.read_text("utf-8"))
        sources = tuple(
            SourceHealth(**{**one, "notes": tuple(one.get("notes", ()))}) for one in value["sources"]
        )
        age_us = now_us - value["written_at_us"]
        return Shown(
            value["part"], value["pid"], value["written_at_us"], age_us > STALE_S * 1_000_000, sources
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
