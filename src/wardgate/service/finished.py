"""Compressed files that were read to their end, so that a restart need not decompress them all again.

Only a cache: an entry counts as long as the file is the same to the system (inode, size, time of change) and
the ledger still says that its origin got as far. Lost or wrong, it costs time and nothing else.
"""

import json
from contextlib import suppress

import duckdb

from wardgate.core.home import Home
from wardgate.lake.store import Lake
from wardgate.service.followed import Entry
from wardgate.service.opening import last_reached

_MOST = 10_000


class Finished:
    """What is known of finished files, kept in `<home>/run/finished`."""

    def __init__(self, home: Home, lake: Lake) -> None:
        self._file = home.path / "run" / "finished"
        self._lake = lake
        self._known: dict[str, list[int]] = {}
        self._is_new = False
        with suppress(OSError, ValueError):
            known = json.loads(self._file.read_text("utf-8"))
            self._known = known if isinstance(known, dict) else {}

    def is_known(self, entry: Entry) -> bool:
        """Whether a file was read to its end, as it is now."""
        known = self._known.get(_name(entry))
        return known is not None and self._reached(known[0]) == known[1:]

    def put(self, entry: Entry, origin_id: int) -> None:
        """This file was read to its end."""
        with suppress(duckdb.Error):  # on a full disk even reading may fail
            reached = self._reached(origin_id)
            if reached is not None:
                self._known[_name(entry)] = [origin_id, *reached]
                self._is_new = True

    def save(self) -> None:
        """Keep what is new; a disk that is full leaves things as they were."""
        if not self._is_new:
            return
        self._is_new = False
        draft = self._file.with_name(".finished")
        with suppress(OSError):
            draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps(dict(list(self._known.items())[-_MOST:])), "utf-8")
            draft.replace(self._file)

    def _reached(self, origin_id: int) -> list[int] | None:
        reached = last_reached(self._lake, origin_id)
        return [reached.position, reached.offset] if reached is not None else None


def _name(entry: Entry) -> str:
    return f"{entry.key[0]}:{entry.key[1]}:{entry.size}:{entry.mtime_ns}"
