"""Steps the clock of a process: Python loads this by itself, where the rig put it on the path.

The file that CRASH_CLOCK names holds the step, in microseconds. So the program that is killed is the product,
unchanged, on a machine whose clock is set.
"""

import os
import time

FILE = os.environ.get("CRASH_CLOCK", "")
_time, _time_ns = time.time, time.time_ns


def _step_us() -> int:
    try:
        with open(FILE) as file:  # noqa: PTH123 - nothing more is imported into a process than it takes
            return int(file.read() or 0)
    except (OSError, ValueError):
        return 0


if FILE:
    time.time = lambda: _time() + _step_us() / 1e6
    time.time_ns = lambda: _time_ns() + _step_us() * 1000
