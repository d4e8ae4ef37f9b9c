"""Giving memory back to the system between pieces of work.

A group of calls is freed in pieces all over the heap, and the C library and Arrow keep the pages for what
comes next: a fifth of what an ingestion held was free already.
"""

import ctypes
from collections.abc import Callable
from functools import cache

import pyarrow as pa


def one_heap() -> None:
    """Let Arrow take memory where all else does, for this process: before anything is read.

    Its own allocator and the C library's keep free pages apart, which neither can give to the other: a sixth
    of what an ingestion held, and half of the time that the system spent on its pages.
    """
    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Return what is free. Costs some 10 ms; does what it can where the C library is another."""
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # musl, macOS
        return None
    return found
