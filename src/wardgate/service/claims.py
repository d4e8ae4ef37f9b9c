"""One origin is read by one process at a time: a claim on it, gone when its process is, however that ends.

Claims are locks on single bytes of one file beside the lake's catalogue, at the origin's id. They belong to
the open file, so two followers in one process keep out of each other's way too. A lake on PostgreSQL, which
machines share, has no such file: there each file is followed by the machine that holds it.
"""

import fcntl
import os
import struct
from pathlib import Path

from wardgate.lake.engine import Place

_OFFSETS = (1 << 62) - 1


class Claims:
    """The claims of one reader."""

    def __init__(self, place: Place) -> None:
        self._handle: int | None = None
        if place.lock is not None:
            path: Path = place.lock.with_name(".origins.lock")
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, origin_id: int) -> bool:
        """Claim an origin; False when another reader has it."""
        try:
            self._lock(origin_id, fcntl.F_WRLCK)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def release(self, origin_id: int) -> None:
        self._lock(origin_id, fcntl.F_UNLCK)

    def close(self) -> None:
        """Give up every claim."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _lock(self, origin_id: int, kind: int) -> None:
        if self._handle is not None:
            flock = struct.pack("hhqqi", kind, os.SEEK_SET, origin_id & _OFFSETS, 1, 0)
            fcntl.fcntl(self._handle, fcntl.F_OFD_SETLK, flock)
