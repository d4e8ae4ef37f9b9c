"""The one writer of a process: parts from every source, gathered for a moment, committed together.

A commit costs nearly the same for one part as for ten, so parts wait up to `gather_s` for company (group
commit), or until as many calls are there as came together last time: senders that wait for their answers come
again together. Each part gets its own answer after the commit. What waits is bounded
in calls. A *patient* submitter (a followed file, a syslog connection) is held back while there is no room,
and its parts outlive a full disk. An impatient one (a pushed batch: its sender keeps it) is refused at once.

A source whose position must not run ahead of a failure submits the next part of an origin only after the
answer to the part before it; it may prepare that next part meanwhile.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread

from wardgate.core.errors import Exit, WardgateError
from wardgate.lake.store import LakeFull, is_full
from wardgate.pipeline import Pipeline, Prepared

GATHER_S = 0.1
WORTH_CALLS = 500
"""Fewer calls than that always wait for company: their commit would cost more than they do."""
ENOUGH_CALLS = 8000
"""So many calls wait for no company: a commit costs nearly the same up to there."""
MOST_CALLS = 20_000
"""Calls in one commit, about."""
PENDING_CALLS = 60_000
RETRY_S = 1.0
"""How long a full disk is left alone before the next attempt."""


class Full(WardgateError):  # noqa: N818 - a state, like LakeFull
    """More is waiting to be committed than the limit allows; the same part may be submitted again soon."""

    def __init__(self) -> None:
        super().__init__(
            "writer-full",
            "more calls are waiting to be committed than the limit allows.",
            mend="Try again after a second.",
            exit_code=Exit.FAILED,
        )


class Closed(WardgateError):  # noqa: N818
    """The process is stopping; the part was not committed."""

    def __init__(self) -> None:
        super().__init__("writer-closed", "Wardgate is stopping and takes no more.", exit_code=Exit.FAILED)


@dataclass(slots=True)
class _Waiting:
    part: Prepared
    patient: bool
    since: float
    answer: "Future[bool]" = field(default_factory=Future)

    @property
    def calls(self) -> int:
        return self.part.read + 1


class Writer:
    """Commits parts in the order in which they were submitted. Safe to share between threads."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        gather_s: float = GATHER_S,
        worth_calls: int = WORTH_CALLS,
        enough_calls: int = ENOUGH_CALLS,
        most_calls: int = MOST_CALLS,
        pending_calls: int = PENDING_CALLS,
        retry_s: float = RETRY_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipeline = pipeline
        self._gather_s = gather_s
        self._worth_calls = worth_calls
        self._enough_calls = min(enough_calls, most_calls)
        self._last_calls = self._enough_calls  # in the last group
        self._most_calls = most_calls
        self._pending_calls = pending_calls
        self._retry_s = retry_s
        self._now = monotonic
        self._queue: deque[_Waiting] = deque()
        self._calls = 0  # waiting or being committed
        self._full_until: float | None = None
        self.timed: Callable[[float], None] = lambda seconds: None
        """Told how long each commit took."""
        self._closing = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def disk_full(self) -> bool:
        """Whether the last attempt to write found no room on the disk."""
        return self._full_until is not None

    @property
    def pending(self) -> int:
        """Calls waiting for their commit."""
        return self._calls

    def submit(self, prepared: Prepared, *, patient: bool = True) -> "Future[bool]":
        """Hand over a part. The answer is True after its commit, False where its batch id was there already.

        Patient: waits for room, and through a full disk. Impatient: raises `Full` or `LakeFull` at once, and
        the answer may be `LakeFull` too. Either raises or answers `Closed` when the process is stopping. An
        answer that is an exception means: not committed.
        """
        waiting = _Waiting(prepared, patient, self._now())
        with self._changed:
            while not self._closing and not self._has_room(waiting):
                if not patient:
                    raise LakeFull if self.disk_full else Full
                self._changed.wait()
            if self._closing:
                raise Closed
            self._queue.append(waiting)
            self._calls += waiting.calls
            self._changed.notify_all()
        return waiting.answer

    def close(self) -> None:
        """Commit what was submitted and stop. What a full disk still refuses is answered with `LakeFull`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _has_room(self, waiting: _Waiting) -> bool:
        if not waiting.patient and self._full_until is not None and self._now() < self._full_until:
            return False
        return self._calls < self._pending_calls  # whatever its size: a large part must not wait for ever

    def _run(self) -> None:
        while True:
            group = self._gathered()
            if not group:
                return
            self._settle(group)
            with self._changed:
                self._changed.notify_all()

    def _gathered(self) -> list[_Waiting]:
        """The next group to commit, when it is large or old enough; none when closed and done."""
        with self._changed:
            while not (self._queue and self._is_due()):
                if self._closing and not self._queue:
                    return []
                self._changed.wait(self._until_due())
            group = [self._queue.popleft()]
            calls = group[0].calls
            while self._queue and calls + self._queue[0].calls <= self._most_calls:
                group.append(self._queue.popleft())
                calls += group[-1].calls
            self._last_calls = calls
            return group

    def _is_due(self) -> bool:
        if self._closing:
            return True
        if self._full_until is not None and self._now() < self._full_until:
            return False
        if self._calls >= min(max(self._last_calls, self._worth_calls), self._enough_calls):
            return True
        return self._now() >= self._queue[0].since + self._gather_s

    def _until_due(self) -> float | None:
        if not self._queue:
            return None
        due = self._queue[0].since + self._gather_s
        if self._full_until is not None:
            due = max(due, self._full_until)
        return max(due - self._now(), 0.001)

    def _settle(self, group: list[_Waiting]) -> None:
        try:
            self._commit(group)
        except LakeFull as error:
            self._put_back(group, error)
        except Exception as error:  # noqa: BLE001 - whatever it was, its submitter hears of it
            if len(group) == 1:
                self._answer(group[0], error)
            else:
                self._settle_each(group)

    def _settle_each(self, group: list[_Waiting]) -> None:
        """One by one: a bad part must not fail its company."""
        for at, one in enumerate(group):
            try:
                self._commit([one])
            except LakeFull as error:
                self._put_back(group[at:], error)
                return
            except Exception as error:  # noqa: BLE001
                self._answer(one, error)

    def _commit(self, group: list[_Waiting]) -> None:
        start = self._now()
        try:
            written = self._pipeline.commit([one.part for one in group])
        except LakeFull:
            raise
        except Exception as error:
            if is_full(error, self._pipeline.lake.place):  # what a commit reads first may fail on it too
                raise LakeFull from error
            raise
        self._full_until = None
        self.timed(self._now() - start)
        for one, fresh in zip(group, written, strict=True):
            self._answer(one, fresh)

    def _put_back(self, group: list[_Waiting], error: LakeFull) -> None:
        """The disk is full: patient parts go back to the front of the queue, impatient ones are refused."""
        with self._changed:
            self._full_until = self._now() + self._retry_s
            waiting = [*group, *self._queue]
            self._queue = deque(one for one in waiting if one.patient and not self._closing)
        for one in waiting:
            if not one.patient or self._closing:
                self._answer(one, error)

    def _answer(self, one: _Waiting, outcome: bool | Exception) -> None:
        with self._changed:
            self._calls -= one.calls
        with contextlib.suppress(Exception):  # its submitter may have cancelled it
            if isinstance(outcome, Exception):
                one.answer.set_exception(outcome)
            else:
                one.answer.set_result(outcome)
