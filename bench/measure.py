"""Whole-process figures of commands: CPU-seconds, wall seconds and peak memory, from the operating system."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Figures:
    """One finished run. `cpu` is user and system seconds of the process and its children."""

    cpu: float
    wall: float
    memory_mb: float


def run(command: list[str], log: Path, env: dict[str, str] | None = None) -> Figures:
    """Run a command to its end; its output goes to `log`. Raises `SystemExit` when it fails."""
    start = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{command[0]} failed ({status}):\n{log.read_text('utf-8', 'replace')[-2000:]}")
    return Figures(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def medians(figures: list[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(
        median(f.cpu for f in figures), median(f.wall for f in figures), max(f.memory_mb for f in figures)
    )
