"""Giving memory back to the system between pieces of work.

A group of calls is freed in pieces all over the heap, and the C library and Arrow keep the pages for what
comes next: a fifth of what an ingestion held was free already. Taking pages anew costs as well, so they are
given back where much is held.
"""

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyarrow as pa


def one_heap() -> None:
    """Let Arrow take memory where all else does, for this process: before anything is read.

    Its own allocator and the C library's keep free pages apart, which neither can give to the other. With
    bodies it takes a twentieth less memory and time; of logs without, as much time and some MB more.
    """
    pa.set_memory_pool(pa.system_memory_pool())


def give_back(beyond_mb: int = 0) -> None:
    """Return what is free, where more than that is resident.

    Costs some 10 ms, and as much again per 10 MB that are wanted after all; does what it can where the C
    library is another.
    """
    if beyond_mb and (_resident_mb() or beyond_mb) < beyond_mb:
        return
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


def _resident_mb() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):  # another system than Linux
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # musl, macOS
        return None
    return found
