"""`make bench-ingest`: file → lake → inventory, against GoAccess on the same files in the same run.

Both are run in turns, and the ratio of each pair is taken before the median, so that a machine that slows
down slows both. GoAccess parses, counts and writes a JSON report; Wardgate parses, recognises, commits
durably and answers the inventory.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from inputs import cloudflare_log, combined_log, har, json_lines, wide_cloudflare_log
from measure import Figures, made, medians, run

WARDGATE = [sys.executable, "-m", "wardgate"]
GOACCESS = ["goaccess", "--log-format=COMBINED", "--no-progress", "--no-global-config"]
LIMITS = {"distinct": 4.0, "repetitive": 3.0}
PER_CPU_SECOND = {"cloudflare": 150_000, "cloudflare-wide": 150_000, "har": 15_000, "jsonl": 15_000}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--growth", action="store_true", help="ten times the lines as well, and distinct callers"
    )
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="wardgate-bench-"))
    try:
        against_goaccess(folder, arguments.lines, arguments.runs)
        per_cpu_second(folder, arguments.runs)
        if arguments.growth:
            growth(folder, arguments.lines)
    finally:
        shutil.rmtree(folder)


def wardgate(folder: Path, log: Path) -> Figures:
    """One ingestion into a new home, and the inventory read after it."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    base = [*WARDGATE, "--home", str(home)]
    ingest = run([*base, "ingest", str(log), "--json"], folder / "wardgate.out")
    listing = run([*base, "operations", "--json"], folder / "operations.out")
    return Figures(
        ingest.cpu + listing.cpu, ingest.wall + listing.wall, max(ingest.memory_mb, listing.memory_mb)
    )


def against_goaccess(folder: Path, lines: int, runs: int) -> None:
    peer = shutil.which("goaccess")
    if peer is None:
        print("goaccess is not installed (Debian: apt-get install goaccess); its ratios are left out")
    else:
        said = subprocess.run([peer, "--version"], capture_output=True, text=True, check=False).stdout
        print(
            f"peer: {said.splitlines()[0].rstrip('.')}; CPU-seconds of both, the ratio of each pair of runs"
        )
    for kind, limit in LIMITS.items():
        log = made(combined_log, folder / f"{kind}.log", lines, kind)
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(wardgate(folder, log))
            if peer:
                theirs.append(
                    run([*GOACCESS, str(log), "-o", str(folder / "g.json")], folder / "goaccess.out")
                )
        mine = medians(ours)
        print(
            f"{kind}: {lines:,} lines, wardgate {mine.cpu:.1f} CPU-s, {mine.wall:.1f} s, "
            f"{mine.memory_mb:.0f} MB"
        )
        if theirs:
            ratios = [other.cpu / one.cpu for one, other in zip(ours, theirs, strict=True)]
            print(
                f"{kind}: goaccess {medians(theirs).cpu:.1f} CPU-s; ratio {median(ratios):.2f} "
                f"(must reach {limit}; runs {', '.join(f'{r:.2f}' for r in ratios)})"
            )
        log.unlink()


def per_cpu_second(folder: Path, runs: int) -> None:
    """Calls per CPU-second between a tenth of the input and the whole: what starting costs is in both."""
    makers = {
        "cloudflare": (cloudflare_log, "cloudflare.jsonl", 500_000),
        "cloudflare-wide": (wide_cloudflare_log, "cloudflare.jsonl", 500_000),
        "har": (har, "bench.har", 40_000),
        "jsonl": (json_lines, "bench.jsonl", 60_000),
    }
    for name, (make, file, calls) in makers.items():
        log = made(make, folder / file, calls // 10)
        small = medians([wardgate(folder, log) for _ in range(runs)])
        log = made(make, folder / file, calls)
        whole = medians([wardgate(folder, log) for _ in range(runs)])
        rate = (calls - calls // 10) / (whole.cpu - small.cpu)
        limit = PER_CPU_SECOND[name]
        print(
            f"{name}: {rate:,.0f} calls per CPU-second (must reach {limit:,}: {rate / limit:.2f}), "
            f"{calls / whole.cpu:,.0f} with two starts of the program; {whole.memory_mb:.0f} MB"
        )
        log.unlink()


def growth(folder: Path, lines: int) -> None:
    small_log = made(combined_log, folder / "small.log", lines, "distinct")
    small = wardgate(folder, small_log)
    small_log.unlink()
    large_log = made(combined_log, folder / "large.log", lines * 10, "distinct")
    large = wardgate(folder, large_log)
    large_log.unlink()
    print(
        f"growth: ten times the lines take {large.wall / small.wall:.1f} times the time, "
        f"{large.cpu / small.cpu:.1f} times the CPU (at most 11); memory {small.memory_mb:.0f} and "
        f"{large.memory_mb:.0f} MB (at most 700)"
    )
    callers = wardgate(folder, made(combined_log, folder / "callers.log", lines, "callers"))
    print(
        f"growth: {lines:,} distinct callers, {callers.cpu:.1f} CPU-s, "
        f"{callers.memory_mb:.0f} MB (at most 700)"
    )


if __name__ == "__main__":
    main()
