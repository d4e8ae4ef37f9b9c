"""What is free goes back to the system."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wardgate.core.memory import give_back


def resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 >> 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much is resident in this way")
def test_what_was_freed_in_pieces_is_given_back() -> None:
    give_back()
    before = resident_mb()
    pieces = [np.ones(600, np.uint8) for _ in range(200_000)]
    kept = pieces[::5000]  # so that the heap does not end before them
    assert resident_mb() > before + 80
    del pieces
    give_back(beyond_mb=100_000)
    assert resident_mb() > before + 80, "there is enough room"
    give_back(beyond_mb=1)
    assert resident_mb() < before + 60
    assert len(kept) == 40


def test_arrow_takes_its_memory_where_all_else_does() -> None:
    script = (
        "from wardgate.core.memory import one_heap; import pyarrow as pa; one_heap();"
        "print(pa.array([1, 2]).cast(pa.float64()).sum().as_py(), pa.default_memory_pool().backend_name)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3.0", "system"]
