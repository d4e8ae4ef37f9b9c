"""Kills every process of Wardgate at random moments, under load, and counts afterwards.

    make crash              50 kills
    make crash KILLS=1000   by hand

`wardgate up` (which follows a folder of logs, takes pushes and maintains the lake), an ingest, a reader and
maintenance of its own pace run at once on one lake, and one of them is killed (SIGKILL, its process group) at
a time. Meanwhile logs grow, are torn in the middle of a line and rotated, and the clock steps. Then the disk
of another home fills. What must hold: nothing acknowledged is lost, nothing is doubled, the accounting is
exact at every moment a reader looks, the lake reopens within 3 s, and maintenance leaves no orphaned file.
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

from crash_up import BATCH, Product, Pusher
from crash_worker import Folder
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.files import data_files
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES

WORKER = Path(__file__).with_name("crash_worker.py")
ROLES = ("up", "ingest", "maintain", "read")
SENDERS = 2
PATIENT = 50
"""Kills from which the rig waits until the follower takes the unfinished last lines of rotated logs."""
QUIET_S = 60
"""How long the follower leaves such a log alone first (`follow.Pace.quiet_s`)."""


@dataclass
class Summary:
    """Closing figures."""

    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROLES, 0))
    seconds: float = 0.0
    calls: int = 0
    acknowledged_batches: int = 0
    refused_pushes: dict[str, int] = field(default_factory=dict)
    rotations: int = 0
    torn_lines: int = 0
    torn_lines_left_to_ingest: int = 0
    clock_steps: int = 0
    reads: int = 0
    reopened_max_s: float = 0.0
    """The lake, to its first answer."""
    up_ready_median_s: float = 0.0
    """`wardgate up`, from the start of its process until it says that it is ready."""
    up_ready_max_s: float = 0.0
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
        self.pushers: list[Pusher] = []
        self._stop = threading.Event()
        self._writing: threading.Thread | None = None
        for path in (folder.logs, folder.whole):
            path.mkdir(parents=True)
        self.product = Product(folder)

    @property
    def acknowledged(self) -> set[str]:
        return {batch for one in self.pushers for batch in list(one.acknowledged)}

    def start(self, role: str) -> None:
        with (self.folder.path / f"{role}.err").open("ab") as output:
            if role == "up":
                self.running[role] = self.product.start(output.fileno())
                return
            command = [sys.executable, str(WORKER), role, str(self.folder.path), str(self.folder.home_path)]
            self.running[role] = subprocess.Popen(
                command, stdout=output, stderr=output, start_new_session=True
            )

    def kill(self, role: str) -> None:
        process = self.running[role]
        if process.poll() is not None:
            self.summary.failures.append(
                f"{role} had ended by itself with {process.returncode}: {self.said(role)}"
            )
        self.end(process)
        self.summary.kills[role] += 1

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill all of its group, which nobody hears of."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        """Leave nothing running, however the rig ends."""
        self._stop.set()
        for one in self.pushers:
            one.stop()
        for process in self.running.values():
            self.end(process)

    def said(self, role: str) -> str:
        """The last that a process said on standard error."""
        path = self.folder.path / f"{role}.err"
        return " | ".join(path.read_text(errors="replace").splitlines()[-4:]) if path.exists() else ""

    def begin(self, *, whole_files: bool = True, torn: bool = True) -> None:
        """Logs grow, and senders push."""
        self._writing = threading.Thread(target=self._write, args=[whole_files, torn], daemon=True)
        self._writing.start()
        self.pushers = [Pusher(self.product, number) for number in range(SENDERS)]

    def finish(self, *, patient: bool) -> None:
        """Stop what comes in, wait until all of it is taken, and end every process cleanly."""
        self._stop.set()
        if self._writing is not None:
            self._writing.join()
        for one in self.pushers:
            one.stop()
        for one in self.pushers:
            one.join()
            self.summary.failures += one.failures
            for said, count in one.refusals.items():
                self.summary.refused_pushes[said] = self.summary.refused_pushes.get(said, 0) + count
        (self.folder.path / "stop").touch()
        self._wait_for_follower(patient)
        if self.running["up"].poll() is None:
            self.running["up"].send_signal(signal.SIGTERM)
        for role, process in self.running.items():
            try:
                code = process.wait(120)
            except subprocess.TimeoutExpired:
                self.end(process)
                code = -1
            if code:
                self.summary.failures.append(f"{role} ended with {code}: {self.said(role)}")
        if self.bad["followed"]:  # unfinished last lines, which the follower leaves alone for a minute
            wrong = self.product.ingest(self.folder.logs, "followed")
            self.summary.failures += [wrong] if wrong else []

    def run(self, kills: int, pace_s: float) -> None:
        """Kill one process after the other, each started again at once."""
        self.begin()
        for role in ROLES:
            self.start(role)
        for role in ROLES:
            self._wait_for(role)
        for n in range(kills):
            role = ROLES[n % len(ROLES)] if n < len(ROLES) else self.random.choice((*ROLES, "up", "up"))
            if self.random.random() < 0.9:  # the rest are killed while they start
                self._wait_for(role)
            time.sleep(self.random.uniform(0.0, 2 * pace_s))
            self.kill(role)
            self.start(role)
        acked = len(self.acknowledged)
        until(60, lambda: len(self.acknowledged) >= acked + 3)  # all are at work again
        self.finish(patient=kills >= PATIENT)

    def _wait_for_follower(self, patient: bool) -> None:
        """Until what was written to followed logs is committed, or nothing comes for long."""
        wanted = self.lines["followed"] + (self.bad["followed"] if patient else 0)
        lake = Lake(embedded_place(self.folder.home))
        try:
            seen, deadline = -1, time.monotonic() + 60
            while time.monotonic() < deadline:
                (row,) = lake.rows(f"""
                    SELECT coalesce(sum(read), 0)::BIGINT AS n FROM {ALIAS}.ledger WHERE source = 'followed'
                """).to_pylist()
                if row["n"] > seen:
                    seen, deadline = row["n"], time.monotonic() + 60 + (QUIET_S if patient else 0)
                if row["n"] >= wanted:
                    break
                time.sleep(0.2)
        finally:
            lake.close()
        self.summary.torn_lines_left_to_ingest = self.lines["followed"] + self.bad["followed"] - seen
        if seen < wanted:
            what = "lines, with unfinished last ones," if patient else "lines"
            self.summary.failures.append(f"{wanted - seen} {what} of followed logs were not read in time")

    def _wait_for(self, role: str) -> None:
        """Until a process is at work, since it was started last."""
        pid = str(self.running[role].pid)
        name = "up.log" if role == "up" else "opened.log"
        until(60, lambda: any(line.split()[-1] == pid for line in self.folder.told(name)))

    def _write(self, whole_files: bool, torn: bool) -> None:
        """Logs grow; now and then one is torn and rotated, a whole file arrives, the clock steps."""
        log = self.folder.logs / "access.log"
        generation = 0
        rng = random.Random(self.random.random())
        file = log.open("ab", buffering=0)
        while not self._stop.is_set():
            file.write("".join(self._line("followed") for _ in range(rng.randrange(5, 60))).encode())
            event = rng.random()
            if event < 0.04:
                if torn and rng.random() < 0.5:  # its server died in the middle of a line
                    file.write(b'192.0.2.1 - - [21/Sep/2026:14:13:20 +0000] "GE')
                    self.bad["followed"] += 1
                    self.summary.torn_lines += 1
                file.close()
                generation += 1
                log.rename(self.folder.logs / f"access.log.{generation}")
                file = log.open("ab", buffering=0)
                self.summary.rotations += 1
            elif whole_files and event < 0.07:
                number = len(list(self.folder.whole.iterdir()))
                draft = self.folder.path / "draft"
                draft.write_text(
                    f"no line of file {number}\n" + "".join(self._line("ingested") for _ in range(400))
                )
                self.bad["ingested"] += 1
                draft.rename(self.folder.whole / f"{number:05}.log")
            elif event < 0.10:
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
        self.summary.failures += sorted(set(self.folder.told("broken.log")))[:20]
        self.summary.acknowledged_batches = len(self.acknowledged)
        lake = Lake(embedded_place(self.folder.home))
        try:
            self._count(lake, say)
            self._orphans(lake, say)
        finally:
            lake.close()
        self._figures(say)

    def _count(self, lake: Lake, say: Callable[[str], None]) -> None:
        rows = lake.rows(f"""
            SELECT source, count(*) AS calls, count(DISTINCT path) AS paths FROM {ALIAS}.calls GROUP BY source
        """).to_pylist()
        by_source = {row["source"]: row for row in rows}
        self.summary.calls = sum(row["calls"] for row in rows)
        wanted = {**self.lines, "pushed": len(self.acknowledged) * BATCH}
        for source, lines in wanted.items():
            found = by_source.get(source, {"calls": 0, "paths": 0})
            if found["calls"] < lines:
                say(f"{source}: {lines - found['calls']} of {lines} acknowledged calls are lost")
            if found["calls"] != found["paths"]:
                say(f"{source}: {found['calls'] - found['paths']} calls are doubled")
            if found["calls"] > lines:
                say(f"{source}: {found['calls'] - lines} calls too many")
        pushed = lake.rows(f"""
            SELECT DISTINCT split_part(path, '/', 3) AS batch FROM {ALIAS}.calls WHERE source = 'pushed'
        """)
        if lost := self.acknowledged - set(pushed["batch"].to_pylist()):
            say(f"{len(lost)} acknowledged batches are lost")
        for source, bad in self.bad.items():
            (row,) = lake.rows(f"""
                SELECT coalesce(sum(rejected), 0)::BIGINT AS n FROM {ALIAS}.ledger WHERE source = '{source}'
            """).to_pylist()
            if row["n"] != bad:
                say(f"{source}: {row['n']} records rejected, {bad} were bad")
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

    def _orphans(self, lake: Lake, say: Callable[[str], None]) -> None:
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
        with lake.reading() as cursor:
            known = {Path(one.path).name for table in TABLES for one in data_files(cursor, table)}
        found = {path.name for path in (self.folder.home.lake / "data").rglob("*.parquet")}
        self.summary.orphans_left = len(found - known)
        if found != known:
            say(f"{len(found - known)} orphaned files are left, {len(known - found)} files are missing")
        if lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.calls")["n"][0].as_py() != before:
            say("the last maintenance changed the number of calls")

    def _figures(self, say: Callable[[str], None]) -> None:
        opened = [float(line.split()[1]) for line in self.folder.told("opened.log")]
        self.summary.reopened_max_s = max(opened, default=0.0)
        is_crowded = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)  # by others: then the median must do
        judged = _median(opened) if is_crowded else self.summary.reopened_max_s
        if judged > REOPENED_S:
            say(f"the lake took {self.summary.reopened_max_s:.1f} s to answer after a kill")
        ready = self.product.answered
        self.summary.up_ready_median_s, self.summary.up_ready_max_s = _median(ready), _most(ready)
        holds = [line.split() for line in self.folder.told("holds.log")]
        self.summary.longest_hold_s = max((float(one[0]) for one in holds), default=0.0)
        self.summary.orphans_removed += sum(int(one[2]) for one in holds)
        self.summary.reads = len(self.folder.told("reads.log"))


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


def until(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def _median(figures: list[float]) -> float:
    return round(sorted(figures)[len(figures) // 2], 3) if figures else 0.0


def _most(figures: list[float]) -> float:
    return round(max(figures, default=0.0), 3)


def full_disk(base: Path, seed: int, summary: Summary, kills: int) -> None:
    """The disk of the home fills while calls come in and the product is killed; then there is room again."""
    with small_disk(base / "disk", "64m") as is_mounted:
        if not is_mounted:
            summary.full_disk = "skipped: a file system of its own cannot be mounted here"
            return
        inner = Summary()
        rig = Rig(Folder(base, base / "disk" / "home"), seed, inner)
        try:
            before, refused = _fill_and_empty(rig, base / "disk" / "filler", kills)
            rig.judge()
        finally:
            rig.close()
        summary.full_disk = (
            f"{before} batches acknowledged before and while it was full, {inner.acknowledged_batches} "
            f"in the end; {refused} refused meanwhile, {inner.kills['up']} kills"
        )
        summary.failures += [f"full disk: {one}" for one in inner.failures]


def _fill_and_empty(rig: Rig, filler: Path, kills: int) -> tuple[int, int]:
    """Batches acknowledged when there was room again, and answers that said that the disk is full."""
    say = rig.summary.failures.append
    full = lambda: sum(  # noqa: E731
        count for one in rig.pushers for said, count in list(one.refusals.items()) if "disk-full" in said
    )
    rig.start("up")
    rig.begin(whole_files=False, torn=False)
    if not until(60, lambda: len(rig.acknowledged) > 5):
        say("nothing was acknowledged while there was room")
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    if not until(60, lambda: full() > 0):
        say(f"it was never noticed: {rig.said('up')}")
    for _ in range(kills):
        time.sleep(rig.random.uniform(0.2, 3.0))  # at work or while it starts
        rig.kill("up")
        rig.start("up")
    before = len(rig.acknowledged)
    until(60, lambda: "[disk-full]" in rig.said("up") or rig.product.url is not None)
    filler.unlink()
    if not until(60, lambda: len(rig.acknowledged) > before + 10):
        say(f"it did not go on when there was room: {rig.said('up')}")
    rig.finish(patient=False)
    return before, full()


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
    rig: Rig | None = None
    try:
        rig = Rig(Folder(base / "load", base / "load" / "home"), given.seed, summary)
        rig.run(given.kills, given.pace)
        rig.judge()
        full_disk(base / "full", given.seed, summary, 3 if given.kills >= PATIENT else 1)
    finally:
        if rig is not None:
            rig.close()
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
