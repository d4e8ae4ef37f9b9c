"""Threads that work until they are told to stop. One that fails is not restarted: it ends the process.

A failure that is no refusal of ours is named by type and place only: its message could hold a value.
"""

from collections.abc import Callable
from threading import Event, Thread

from wardgate.core.errors import Exit, WardgateError
from wardgate.core.events import place_of

Work = Callable[[Event], None]
"""Works until the event is set. What it raises is its failure."""


class Worker:
    """One thread."""

    def __init__(self, name: str, work: Work, failed: Callable[[WardgateError], None]) -> None:
        self.name = name
        self._work = work
        self._failed = failed
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tell it to stop; `join` waits for it."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Whether it ended in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work(self._stop)
        except WardgateError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - the one place where a thread ends
            self._failed(defect(error, self.name))


def defect(error: Exception, where: str) -> WardgateError:
    """An unforeseen failure without its text."""
    return WardgateError(
        "defect",
        f"{where} failed unforeseen: {type(error).__name__} at {place_of(error)}.",
        mend="Please report it.",
        exit_code=Exit.FAILED,
    )
