"""Being woken when something changes under some folders, by the system's own notifications (inotify).

A convenience, never the truth: notifications are missed on network file systems, and there may be none left
to be had. So whoever waits here also looks by itself from time to time, more often where `is_working` is no.
What changes while the notifications are being set up may go unsaid: when they work, that counts as a change.
"""

from collections.abc import Collection
from pathlib import Path
from threading import Event, Thread

import watchfiles

_STEP_MS = 20
_GATHER_MS = 100
_LOOK_UP_MS = 1000


class Watching:
    """Sets `changed` on every change, `moved` too when files came or went."""

    def __init__(self, changed: Event) -> None:
        self._changed = changed
        self.moved = Event()
        self.is_working = False
        """Whether whatever changes from now on is told."""
        self._folders: frozenset[Path] = frozenset()
        self._stop = Event()
        self._thread: Thread | None = None

    def watch(self, folders: Collection[Path], *, recursive: bool) -> None:
        """Watch these folders from now on; those that are not there are left out."""
        wanted = frozenset(one for one in folders if one.is_dir())
        if wanted == self._folders and (self._is_running or not wanted):
            return
        self.close()
        self._folders = wanted
        if wanted:
            self._stop = Event()
            self._thread = Thread(
                target=self._run, args=(wanted, recursive, self._stop), name="watching", daemon=True
            )
            self._thread.start()

    @property
    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)
        self._thread = None
        self.is_working = False

    def _run(self, folders: frozenset[Path], recursive: bool, stop: Event) -> None:
        try:
            for changes in watchfiles.watch(
                *folders,
                watch_filter=None,
                debounce=_GATHER_MS,
                step=_STEP_MS,
                stop_event=stop,
                rust_timeout=_LOOK_UP_MS,
                yield_on_timeout=True,  # the first time says that the notifications are there
                recursive=recursive,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                is_first, self.is_working = not self.is_working, True
                if is_first or any(kind is not watchfiles.Change.modified for kind, _ in changes):
                    self.moved.set()
                if is_first or changes:
                    self._changed.set()
        except (OSError, RuntimeError):  # the limit of watches is reached, a folder went away
            pass
        finally:
            if not stop.is_set():
                self.is_working = False
                self.moved.set()
                self._changed.set()
