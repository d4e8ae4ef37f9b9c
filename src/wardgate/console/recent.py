"""Answers that took long are shown again for a while, so that looking often costs little.

An answer is good for ten times as long as it took to make, at most `MOST_S`: however large the lake is and
however often the page is loaded, reading takes a tenth of the time at most. The page says as of when it is.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

TIMES = 10.0
MOST_S = 30.0
_MOST_KEPT = 32


class Recent(Generic[T]):
    """Keeps the latest answers. Safe between threads; one is made at a time."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = monotonic
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._making = Lock()

    def answer(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` answers, or answered not long ago."""
        with self._making:
            kept = self._kept.get(key)
            began = self._now()
            if kept is not None and began < kept[0]:
                return kept[1]
            made = make()
            ended = self._now()
            self._kept[key] = ended + min((ended - began) * TIMES, MOST_S), made
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return made
