"""A short form of `make crash`: every process is killed once, under load, and then the disk fills."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_kills_lose_nothing_and_double_nothing() -> None:
    command = [sys.executable, str(ROOT / "bench" / "crash.py"), "--kills", "6", "--pace", "0.3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.stdout, done.stderr
    summary = json.loads(done.stdout)
    assert summary["failures"] == []
    assert done.returncode == 0
    assert min(summary["kills"].values()) >= 1
    assert summary["calls"] > 0
    assert summary["acknowledged_batches"] >= 5
    assert summary["orphans_left"] == 0
