"""Time, handed in. Code that stamps anything takes a `Clock`, so that a replay gives the same bytes."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the present as microseconds since 1970 (UTC)."""


def system_clock() -> int:
    """The machine's clock, in microseconds since 1970 (UTC)."""
    return time.time_ns() // 1000


def fixed_clock(us: int) -> Clock:
    """A clock that stands still at `us`, for tests and replays."""
    return lambda: us
