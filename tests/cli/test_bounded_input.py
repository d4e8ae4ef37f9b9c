"""Input made to exhaust memory: bombs and lines without an end stay within the bound, and are counted."""

import bz2
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

BOUND_MB = 700
MEGABYTE = 1 << 20
OPENED = {"gz": gzip.open, "bz2": bz2.open, "zst": zstandard.open}
LINE = b'192.0.2.7 - - [01/Mar/2026:10:00:00 +0000] "GET /v1/things/7 HTTP/1.1" 200 12 "-" "curl/8.5"\n'


# Linux counts the memory that a child begins with, its parent's, as its peak: so a small process starts it.
STARTER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def ingested(log: Path, home: Path, *more: str) -> tuple[dict[str, object], float]:
    """What the command says of the log, and the most memory that it held, in MB."""
    command = [sys.executable, "-m", "wardgate", "--home", str(home), "ingest", str(log), "--json", *more]
    done = subprocess.run(
        [sys.executable, "-IS", "-c", STARTER, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (source,) = json.loads(done.stdout)["sources"]
    return source, int(done.stderr.splitlines()[-1]) / 1024


def counted(source: dict[str, object]) -> tuple[object, ...]:
    return tuple(source[name] for name in ("read", "accepted", "rejected", "skipped"))


@pytest.mark.parametrize("ending", OPENED)
def test_a_bomb_of_one_endless_line_is_one_rejected_record(ending: str, tmp_path: Path) -> None:
    log = tmp_path / f"access.log.{ending}"
    with OPENED[ending](log, "wb") as file:
        file.write(LINE)
        for _ in range(100):
            file.write(b"A" * MEGABYTE)
        file.write(b"\n" + LINE)
    assert log.stat().st_size < MEGABYTE
    source, memory = ingested(log, tmp_path / "home", "--format", "nginx")
    assert counted(source) == (3, 2, 1, 0)
    assert memory < BOUND_MB


def test_a_bomb_of_many_equal_lines_is_read_as_what_it_holds(tmp_path: Path) -> None:
    log = tmp_path / "access.log.gz"
    lines = 100 * MEGABYTE // len(LINE)
    with gzip.open(log, "wb", compresslevel=6) as file:
        for _ in range(lines // 1000):
            file.write(LINE * 1000)
        file.write(LINE * (lines % 1000))
    source, memory = ingested(log, tmp_path / "home")
    assert counted(source) == (lines, lines, 0, 0)
    assert memory < BOUND_MB


@pytest.mark.parametrize("format_name", ["har", "wardgate-jsonl", "cloudflare"])
def test_a_document_that_never_ends_is_refused_or_counted(format_name: str, tmp_path: Path) -> None:
    """Strings, lists and depth without an end, in formats whose records are JSON."""
    start = (
        b'{"log": {"version": "1.2", "entries": [{"startedDateTime": "'
        if format_name == "har"
        else b'{"a": "'
    )
    log = tmp_path / "endless.json.gz"
    with gzip.open(log, "wb") as file:
        file.write(start)
        for _ in range(100):
            file.write(b"[" * MEGABYTE)
    source, memory = ingested(log, tmp_path / "home", "--format", format_name)
    read, accepted, rejected, skipped = counted(source)
    assert accepted == 0
    assert read == rejected == 1
    assert skipped == 0
    assert memory < BOUND_MB
