"""A short form of `make crash`: every process is killed once, under load, and then the disk fills."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
def test_kills_lose_nothing_and_double_nothing() -> None:
    command = [sys.executable, str(ROOT / "bench" / "crash.py"), "--kills", "4", "--pace", "0.3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=220, check=False)
    assert done.stdout, done.stderr
    summary = json.loads(done.stdout)
    assert summary["failures"] == []
    assert done.returncode == 0
    assert min(summary["kills"].values()) >= 1
    assert summary["calls"] > 0
    assert summary["acknowledged_batches"] >= 3
    assert summary["orphans_left"] == 0
