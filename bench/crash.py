"""Kills every process of Wardgate at random moments, under load, and counts afterwards.

    make crash              50 kills
    make crash KILLS=1000   by hand

A pusher, a follower, an ingest, a reader and maintenance run at once on one lake, and one of them is killed
(SIGKILL) at a time. Meanwhile logs grow, are torn in the middle of a line and rotated, and the clock steps.
Then the disk fills. What must hold: nothing acknowledged is lost, nothing is doubled, the accounting is exact
at every moment a reader looks, the lake reopens within 3 s, and maintenance leaves no orphaned file.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from crash_worker import BATCH, Folder
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.files import data_files
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES

WORKER = Path(__file__).with_name("crash_worker.py")
ROLES = ("push", "follow", "ingest", "maintain", "read")


@dataclass
class Summary:
    """Closing figures."""

    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROLES, 0))
    seconds: float = 0.0
    calls: int = 0
    acknowledged_batches: int = 0
    rotations: int = 0
    torn_lines: int = 0
    torn_lines_unread: int = 0
    clock_steps: int = 0
    reads: int = 0
    reopened_max_s: float = 0.0
    longest_hold_s: float = 0.0
    orphans_removed: int = 0
    orphans_left: int = 0
    full_disk: str = ""
    failures: list[str] = field(default_factory=list)


class Rig:
    """The processes, their inputs, and what came of them."""

    def __init__(self, folder: Folder, seed: int, summary: Summary) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.summary = summary
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.lines = {"followed": 0, "ingested": 0}
        self.bad = {"followed": 0, "ingested": 0}
        self._stop = threading.Event()
        for path in (folder.logs, folder.whole):
            path.mkdir(parents=True)

    def start(self, role: str) -> None:
        output = (self.folder.path / f"{role}.err").open("ab")
        self.running[role] = subprocess.Popen(
            [sys.executable, str(WORKER), role, str(self.folder.path)], stdout=output, stderr=output
        )
        output.close()

    def kill(self, role: str) -> None:
        process = self.running[role]
        if process.poll() is not None:
            self.summary.failures.append(f"{role} had ended by itself with {process.returncode}")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.summary.kills[role] += 1

    def run(self, kills: int, pace_s: float) -> None:
        """Kill one process after the other, each started again at once."""
        writing = threading.Thread(target=self._write, daemon=True)
        writing.start()
        for role in ROLES:
            self.start(role)
        for role in ROLES:
            self._wait_for(role)
        for n in range(kills):
            role = ROLES[n % len(ROLES)] if n < len(ROLES) else self.random.choice(ROLES)
            if self.random.random() < 0.9:  # the rest are killed while they start
                self._wait_for(role)
            time.sleep(self.random.uniform(0.0, 2 * pace_s))
            self.kill(role)
            self.start(role)
        acked = len(set(self.folder.acks("push")))
        _until(30, lambda: len(set(self.folder.acks("push"))) >= acked + 5)  # all are at work again
        self._stop.set()
        writing.join()
        (self.folder.path / "stop").touch()
        self._wait_for_follower()
        (self.folder.path / "stop.follow").touch()
        for role, process in self.running.items():
            try:
                code = process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                code = -1
            if code:
                last = (self.folder.path / f"{role}.err").read_text(errors="replace").splitlines()[-1:]
                self.summary.failures.append(f"{role} ended with {code}: {' '.join(last)}")

    def _wait_for_follower(self) -> None:
        """Until what was written to followed logs is committed, or nothing comes for long.

        An unfinished last line is waited for less: its file must be left alone first.
        """
        lake = Lake(embedded_place(self.folder.home))
        wanted = self.lines["followed"] + self.bad["followed"]
        seen, until = -1, time.monotonic() + 60
        try:
            while time.monotonic() < until:
                (row,) = lake.rows(f"""
                    SELECT coalesce(sum(read), 0)::BIGINT AS n FROM {ALIAS}.ledger WHERE source = 'followed'
                """).to_pylist()
                if row["n"] >= wanted:
                    return
                if row["n"] > seen:
                    patience = 4 if row["n"] >= self.lines["followed"] else 60
                    seen, until = row["n"], time.monotonic() + patience
                time.sleep(0.2)
        finally:
            lake.close()

    def _wait_for(self, role: str) -> None:
        """Until a process is at work: has opened the lake, since it was started last."""
        pid = str(self.running[role].pid)
        _until(60, lambda: any(line.split()[2] == pid for line in self._logged("opened.log")))

    def _write(self) -> None:
        """Logs grow; now and then one is torn and rotated, a whole file arrives, the clock steps."""
        log = self.folder.logs / "access.log"
        generation = 0
        rng = random.Random(self.random.random())
        file = log.open("ab", buffering=0)
        while not self._stop.is_set():
            file.write("".join(self._line("followed") for _ in range(rng.randrange(5, 60))).encode())
            event = rng.random()
            if event < 0.04:
                if rng.random() < 0.5:  # its server died in the middle of a line
                    file.write(b'192.0.2.1 - - [21/Sep/2026:14:13:20 +0000] "GE')
                    self.bad["followed"] += 1
                    self.summary.torn_lines += 1
                file.close()
                generation += 1
                log.rename(self.folder.logs / f"access.log.{generation}")
                file = log.open("ab", buffering=0)
                self.summary.rotations += 1
            elif event < 0.10:
                number = len(list(self.folder.whole.iterdir()))
                draft = self.folder.path / "draft"
                draft.write_text(
                    f"no line of file {number}\n" + "".join(self._line("ingested") for _ in range(900))
                )
                self.bad["ingested"] += 1
                draft.rename(self.folder.whole / f"{number:05}.log")
            elif event < 0.12:
                (self.folder.path / "clock").write_text(str(rng.randrange(-7200, 7200) * 1_000_000))
                self.summary.clock_steps += 1
            time.sleep(0.05)
        file.close()

    def _line(self, source: str) -> str:
        number = self.lines[source]
        self.lines[source] += 1
        return (
            f"192.0.2.{number % 250} - - [21/Sep/2026:14:{number // 60 % 60:02}:{number % 60:02} +0000] "
            f'"GET /{source}/{number} HTTP/1.1" 200 12 "-" "curl/8"\n'
        )

    def judge(self) -> None:
        """Count everything, with all processes gone."""
        say = self.summary.failures.append
        broken = self.folder.path / "broken.log"
        if broken.exists():
            self.summary.failures += sorted(set(broken.read_text().splitlines()))[:20]
        acked = {int(one) for one in self.folder.acks("push")}
        self.summary.acknowledged_batches = len(acked)
        lake = Lake(embedded_place(self.folder.home))
        try:
            self._count(lake, acked, say)
            self._orphans(lake, say)
        finally:
            lake.close()
        self._figures(say)

    def _count(self, lake: Lake, acked: set[int], say) -> None:  # type: ignore[no-untyped-def]
        rows = lake.rows(f"""
            SELECT source, count(*) AS calls, count(DISTINCT path) AS paths FROM {ALIAS}.calls GROUP BY source
        """).to_pylist()
        by_source = {row["source"]: row for row in rows}
        self.summary.calls = sum(row["calls"] for row in rows)
        wanted = {**self.lines, "pushed": len(acked) * BATCH}
        for source, lines in wanted.items():
            found = by_source.get(source, {"calls": 0, "paths": 0})
            if found["calls"] < lines:
                say(f"{source}: {lines - found['calls']} of {lines} acknowledged calls are lost")
            if found["calls"] != found["paths"]:
                say(f"{source}: {found['calls'] - found['paths']} calls are doubled")
            if source != "pushed" and found["calls"] > lines:
                say(f"{source}: {found['calls'] - lines} calls too many")
        pushed = {
            int(one)
            for one in lake.rows(f"""
                SELECT DISTINCT split_part(path, '/', 3) AS n FROM {ALIAS}.calls WHERE source = 'pushed'
            """)["n"].to_pylist()
        }
        if acked - pushed:
            say(f"{len(acked - pushed)} acknowledged batches are lost")
        for source, bad in self.bad.items():
            (row,) = lake.rows(f"""
                SELECT coalesce(sum(rejected), 0)::BIGINT AS n FROM {ALIAS}.ledger WHERE source = '{source}'
            """).to_pylist()
            torn = self.summary.torn_lines if source == "followed" else 0
            if not bad - torn <= row["n"] <= bad:
                say(f"{source}: {row['n']} records rejected, {bad} were bad")
            # The unfinished last line of a torn log is a record once its file is known to be left alone.
            self.summary.torn_lines_unread += bad - row["n"]
        wrong = lake.rows(f"""
            SELECT count(*) AS n FROM (
                SELECT origin_id, sum(accepted) AS accepted, sum(read - accepted - rejected - skipped) AS off
                FROM {ALIAS}.ledger GROUP BY origin_id) l
            FULL JOIN (SELECT origin_id, count(*) AS calls FROM {ALIAS}.calls GROUP BY origin_id) c
                 USING (origin_id)
            WHERE coalesce(accepted, 0) <> coalesce(calls, 0) OR off <> 0
        """)["n"][0].as_py()
        if wrong:
            say(f"the accounting of {wrong} origins is wrong")
        (row,) = lake.rows(f"""
            SELECT (SELECT count(*) FROM {ALIAS}.calls) AS calls,
                   (SELECT sum(calls) + sum(linked) FROM {ALIAS}.rollups)::BIGINT AS rolled
        """).to_pylist()
        if row["calls"] != row["rolled"]:
            say(f"rollups count {row['rolled']} calls of {row['calls']}")

    def _orphans(self, lake: Lake, say) -> None:  # type: ignore[no-untyped-def]
        maintainer = Maintainer(
            lake, LakeSettings(), self.folder.clock, readers_s=-1, orphans_s=-1, orphans_every_s=0
        )
        before = self.summary.calls
        for _ in range(2):
            report = maintainer.run_once()
            self.summary.orphans_removed += report.orphaned_files
            if report.failure:
                say(f"the last maintenance: {report.failure}")
        maintainer.close()
        known = {Path(one.path).name for table in TABLES for one in data_files(lake.cursor(), table)}
        found = {path.name for path in (self.folder.home.lake / "data").rglob("*.parquet")}
        self.summary.orphans_left = len(found - known)
        if found != known:
            say(f"{len(found - known)} orphaned files are left, {len(known - found)} files are missing")
        if lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.calls")["n"][0].as_py() != before:
            say("the last maintenance changed the number of calls")

    def _figures(self, say) -> None:  # type: ignore[no-untyped-def]
        read = self._logged
        opened = [float(line.split()[1]) for line in read("opened.log")[len(self.running) :]]
        self.summary.reopened_max_s = max(opened, default=0.0)
        is_crowded = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)  # by others: then the median must do
        judged = sorted(opened)[len(opened) // 2] if is_crowded and opened else self.summary.reopened_max_s
        if judged > REOPENED_S:
            say(f"the lake took {self.summary.reopened_max_s:.1f} s to answer after a kill")
        holds = [line.split() for line in read("holds.log")]
        self.summary.longest_hold_s = max((float(one[0]) for one in holds), default=0.0)
        self.summary.orphans_removed += sum(int(one[2]) for one in holds)
        self.summary.reads = len(read("reads.log"))

    def _logged(self, name: str) -> list[str]:
        path = self.folder.path / name
        return path.read_text().splitlines() if path.exists() else []


REOPENED_S = 3.0


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[bool]:
    """A file system of `size` at `path`; False where none can be mounted."""
    path.mkdir(parents=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=False, capture_output=True
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(path)], check=False, capture_output=True)


def _until(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def full_disk(base: Path, seed: int, summary: Summary) -> None:
    """The disk fills while calls come in and processes are killed; then there is room again."""
    with small_disk(base, "64m") as is_mounted:
        if not is_mounted:
            summary.full_disk = "skipped: a file system of its own cannot be mounted here"
            return
        folder = Folder(base)
        inner = Summary()
        rig = Rig(folder, seed, inner)
        filler = base / "filler"
        acked = lambda: len(set(folder.acks("push")))  # noqa: E731
        for role in ("push", "maintain"):
            rig.start(role)
        if not _until(60, lambda: acked() > 5):
            inner.failures.append("nothing was acknowledged while there was room")
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        if not _until(60, (folder.path / "full.log").exists):
            inner.failures.append("it was never noticed")
        for _ in range(3):
            time.sleep(rig.random.uniform(0.2, 0.6))
            rig.kill("push")
            rig.start("push")
        before = acked()
        filler.unlink()
        if not _until(60, lambda: acked() > before + 10):
            inner.failures.append("it did not go on when there was room")
        (folder.path / "stop").touch()
        for process in rig.running.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
        rig.judge()
        summary.full_disk = (
            f"{before} batches acknowledged before and while it was full, {acked()} in the end"
        )
        summary.failures += [f"full disk: {one}" for one in inner.failures]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=20260921)
    parser.add_argument("--pace", type=float, default=0.5, help="seconds between kills, on average")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that failed")
    given = parser.parse_args()
    summary = Summary()
    start = time.monotonic()
    base = Path(tempfile.mkdtemp(prefix="wardgate-crash-"))
    os.environ.pop("WARDGATE_HOME", None)
    rig = Rig(Folder(base / "load"), given.seed, summary)
    try:
        rig.run(given.kills, given.pace)
        rig.judge()
        full_disk(base / "full", given.seed, summary)
    finally:
        for process in rig.running.values():
            if process.poll() is None:
                process.kill()
        summary.seconds = round(time.monotonic() - start, 1)
        if not (given.keep and summary.failures):
            shutil.rmtree(base, ignore_errors=True)
    if given.json:
        print(json.dumps(asdict(summary)))
    else:
        for name, value in asdict(summary).items():
            if name != "failures":
                print(f"{name.replace('_', ' ')}: {value}")
        print(f"failures: {len(summary.failures)}", *summary.failures, sep="\n  ")
        if given.keep and summary.failures:
            print(f"kept: {base}")
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
