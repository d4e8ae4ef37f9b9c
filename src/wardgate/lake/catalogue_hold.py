"""Keeps the end of one transaction from stopping the start of another, on a SQLite catalogue.

DuckDB opens a SQLite connection for each transaction and closes it at the end. Whoever closes SQLite's last
connection takes the file for itself, copies the log into it, waits for the disk and deletes the log; even one
that is not the last forbids new connections for a moment. Who wants to open meanwhile sleeps, and the SQLite
inside the extension is built without `usleep`: it sleeps a whole second. Under load that was every 15 s.

So each process holds shared locks on the bytes that a closing connection wants alone (PENDING and SHARED of
SQLite's file format). They are open file description locks: they hold against the process' own connections
too. The log is copied by commits as it grows, as ever, and readers and writers do not notice.

A connection that was refused them still bars the door for some microseconds, to its own process only. So the
transactions of one process begin and end one at a time (`turnstile`); what is between goes on side by side.
"""

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path
from threading import Lock, RLock

_PENDING = 0x40000000
_SHARED = 0x40000002, 510
_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, pid


class CatalogueHold:
    """One process' hold on a catalogue, however many lakes it has open there."""

    _held: "dict[tuple[int, int], CatalogueHold]" = {}  # noqa: RUF012 - one per process
    _turn = Lock()

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._holders = 0
        self.turnstile = RLock()
        """Taken while a transaction opens its connection, and while it ends."""

    @classmethod
    def of(cls, catalogue: Path) -> "CatalogueHold | None":
        """Hold an existing catalogue until `release`; None where the system has no such locks."""
        if not hasattr(fcntl, "F_OFD_SETLK") or struct.calcsize("P") != 8:
            return None
        with cls._turn:
            about = catalogue.stat()
            hold = cls._held.get((about.st_dev, about.st_ino))
            if hold is None:
                hold = cls(os.open(catalogue, os.O_RDONLY | os.O_CLOEXEC))
                with suppress(OSError):  # a file system without such locks: then it is as it was
                    hold._lock()
                cls._held[about.st_dev, about.st_ino] = hold
            hold._holders += 1
            return hold

    def release(self) -> None:
        """Let go. The file is closed by the last holder only: closing it drops the locks that the process'
        SQLite has on it."""
        with self._turn:
            self._holders -= 1
            if self._holders:
                return
            for key in [key for key, hold in self._held.items() if hold is self]:
                del self._held[key]
            os.close(self._handle)

    def _lock(self) -> None:
        for start, length in ((_PENDING, 1), _SHARED):
            wanted = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, start, length, 0)
            fcntl.fcntl(self._handle, fcntl.F_OFD_SETLKW, wanted)
