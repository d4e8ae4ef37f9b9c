"""`make bench-follow`: a followed file at a steady rate; line written → visible in a query.

`wardgate work` follows the file, as configured by default; this process writes it and asks another connection
to the lake how many of its calls are there. The file is rotated once on the way. The answer is checked: every
line is there once at the end. The number of files in the lake is shown as it grows and as upkeep leaves it.
"""

import argparse
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread

from inputs import combined_log
from wardgate.core.home import open_home
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake

P95_S = 2.0
_TICK_S = 0.02
_ASK_S = 0.1
_VISIBLE_S = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=5000, help="lines a second")
    parser.add_argument("--upkeep", type=int, default=0, help="seconds between upkeep; 0: the default")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="wardgate-bench-"))
    try:
        ok = follow(folder, arguments.seconds, arguments.rate, arguments.upkeep)
    finally:
        shutil.rmtree(folder)
    sys.exit(0 if ok else 1)


def follow(folder: Path, seconds: int, rate: int, upkeep: int) -> bool:
    """One run. Prints the figures; answers whether they hold."""
    total = seconds * rate
    made = combined_log(folder / "made.log", total, "distinct")
    home, log = folder / "home", folder / "access.log"
    home.mkdir()
    log.touch()
    config = f'[[source]]\nname = "web"\npath = "{log}"\n'
    config += f"[lake]\nmaintenance_interval_s = {upkeep}\n" if upkeep else ""
    (home / "wardgate.toml").write_text(config)
    process = subprocess.Popen([sys.executable, "-m", "wardgate", "--home", str(home), "work"])
    lake = Lake(embedded_place(open_home(home)))
    written: list[tuple[float, int]] = []
    seen: list[tuple[float, int]] = []
    files: list[int] = []
    over = Event()
    asking = Thread(target=ask, args=[lake, home, total, seen, files, over])
    try:
        wait_until_it_runs(home)
        asking.start()
        write(made, log, rate, written)
        asking.join(_VISIBLE_S)
    finally:
        over.set()
        asking.join()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = "SELECT count(*) AS calls, count(DISTINCT (origin_id, position)) AS distinct_calls FROM lake.calls"
    (there,) = lake.rows(rows).to_pylist()
    lake.close()
    waits = sorted(latencies(written, seen))
    cuts = quantiles(waits, n=100) if len(waits) > 1 else [float("inf")] * 99
    print(f"{total:,} lines at {rate:,}/s, rotated once; {there['calls']:,} calls in the lake")
    print(f"written → visible: p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, longest {max(waits):.2f} s")
    cpu = (used.ru_utime + used.ru_stime) / seconds
    print(f"follower: {cpu:.2f} CPU-seconds a second, {used.ru_maxrss >> 10} MB")
    print(f"files in the lake: {max(files)} at most, {files[-1]} at the end")
    return cuts[94] <= P95_S and there["calls"] == there["distinct_calls"] == total


def wait_until_it_runs(home: Path) -> None:
    """Until the follower tells of itself."""
    deadline = time.monotonic() + _VISIBLE_S
    while not (home / "run" / "files.json").exists():
        if time.monotonic() > deadline:
            raise SystemExit("wardgate work did not begin")
        time.sleep(0.1)


def write(made: Path, log: Path, rate: int, written: list[tuple[float, int]]) -> None:
    """Append lines at a steady rate, and note when each lot was written; rotate once, half way."""
    lines = made.read_bytes().splitlines(keepends=True)
    start = time.monotonic()
    at = 0
    sink = log.open("ab", buffering=0)
    while at < len(lines):
        due = min(int((time.monotonic() - start) * rate), len(lines))
        if at < len(lines) // 2 <= due:
            log.rename(f"{log}.1")
            sink.close()
            sink = log.open("ab", buffering=0)
        if due > at:
            sink.write(b"".join(lines[at:due]))
            at = due
            written.append((time.monotonic(), at))
        time.sleep(_TICK_S)
    sink.close()


def ask(
    lake: Lake, home: Path, total: int, seen: list[tuple[float, int]], files: list[int], over: Event
) -> None:
    """Ask how many calls there are, until all are."""
    count = 0
    while not over.is_set() and count < total:
        (row,) = lake.rows("SELECT count(*) AS calls FROM lake.calls").to_pylist()
        count = row["calls"]
        seen.append((time.monotonic(), count))
        files.append(sum(1 for _ in (home / "lake" / "data").rglob("*.parquet")))
        over.wait(_ASK_S)


def latencies(written: list[tuple[float, int]], seen: list[tuple[float, int]]) -> list[float]:
    """Seconds from the writing of each lot to the first answer that counts its last line."""
    waits, i = [], 0
    for when, count in written:
        while i < len(seen) and seen[i][1] < count:
            i += 1
        waits.append(seen[i][0] - when if i < len(seen) else float("inf"))
    return waits


if __name__ == "__main__":
    main()
