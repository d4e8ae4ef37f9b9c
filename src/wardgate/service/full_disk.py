"""A disk that is full when a process starts: the process waits for room instead of ending, and says so once.

A supervisor would start it again and again, and a person would read about a damaged catalogue: SQLite, which
needs a little room even to read, says `disk I/O error`, or that it cannot open the file.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import TypeVar

from wardgate.core.errors import WardgateError
from wardgate.core.home import Home
from wardgate.lake.engine import Place
from wardgate.lake.store import LakeFull, is_full

_RETRY_S = 1.0
_ROOM = 1 << 20
"""Bytes; where less is free, that is why opening failed."""
Opened = TypeVar("Opened")


def with_room(
    begin: Callable[[], Opened], home: Home, place: Place, tell: Callable[[WardgateError], None], stop: Event
) -> Opened:
    """What `begin` answers, tried again while it fails for want of room. Raises `LakeFull` at `stop`."""
    is_told = False
    while True:
        try:
            return begin()
        except Exception as error:
            if not _is_for_want_of_room(error, home, place):
                raise
            if not is_told:
                tell(LakeFull())
                is_told = True
            if stop.wait(_RETRY_S):
                raise LakeFull from error


def _is_for_want_of_room(error: BaseException, home: Home, place: Place) -> bool:
    if any(isinstance(one, LakeFull) or is_full(one, place) for one in _chain(error)):
        return True
    folders = [home.path] if place.on_postgres else [home.path, Path(place.catalog).parent]
    try:
        return any(shutil.disk_usage(one).free < _ROOM for one in folders)
    except OSError:
        return False


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
