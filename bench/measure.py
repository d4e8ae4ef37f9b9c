"""Whole-process figures of commands: CPU-seconds, wall seconds and peak memory, from the operating system."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
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


def made(make: Callable[..., Path], path: Path, *more: object) -> Path:
    """The input that `make` writes to `path`, in a process of its own.

    A child begins with its parent's memory, and Linux counts that as its peak: the parent must stay small.
    """
    process = get_context("spawn").Process(target=make, args=(path, *more))
    process.start()
    process.join()
    if process.exitcode != 0:
        raise SystemExit(f"{path.name} could not be made")
    return path


def medians(figures: list[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(
        median(f.cpu for f in figures), median(f.wall for f in figures), max(f.memory_mb for f in figures)
    )
