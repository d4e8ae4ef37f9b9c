"""One process of the crash rig: does its role until it is killed or asked to stop.

    python bench/crash_worker.py ROLE FOLDER

FOLDER holds the home, the inputs, and what the rig reads: `acks.ROLE` (one line per acknowledged thing),
`opened.log` (how long the lake took to answer), `broken.log` (what a reader found wrong).
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from wardgate.core.clock import system_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import Home, open_home
from wardgate.core.keys import Key
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake, LakeFull
from wardgate.pipeline import Pipeline

KEY = Key(b"c" * 32)
BATCH = 60
"""Calls of a pushed batch."""


class Folder:
    """What the rig and its workers share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.whole = path / "whole"

    @property
    def home(self) -> Home:
        return open_home(self.path / "home")

    def clock(self) -> int:
        """The machine's clock, stepped by what the rig wrote."""
        try:
            return system_clock() + int((self.path / "clock").read_text() or 0)
        except (OSError, ValueError):
            return system_clock()

    def ack(self, role: str, what: str) -> None:
        """Say that something was acknowledged, so that it outlives a kill."""
        handle = os.open(self.path / f"acks.{role}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, f"{what}\n".encode())
        os.close(handle)

    def acks(self, role: str) -> list[str]:
        path = self.path / f"acks.{role}"
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def tell(self, name: str, text: str) -> None:
        with (self.path / name).open("a") as file:
            file.write(text + "\n")

    @property
    def is_stopping(self) -> bool:
        return (self.path / "stop").exists()


def opened(folder: Folder, role: str) -> Lake:
    """The lake, with the time that it took to answer its first question."""
    start = time.monotonic()
    lake = Lake(embedded_place(folder.home), memory="200MB")
    lake.rows(f"SELECT count(*) FROM {ALIAS}.calls")
    folder.tell("opened.log", f"{role} {time.monotonic() - start:.3f} {os.getpid()}")
    return lake


def push(folder: Folder) -> None:
    """Push batches with idempotency keys; sends again what was not acknowledged, and the one before it."""
    from wardgate.service.pushes import Pushes, Sender
    from wardgate.service.writer import Writer

    lake = opened(folder, "push")
    pushes = Pushes(
        Pipeline(lake, KEY, folder.clock), Writer(Pipeline(lake, KEY, folder.clock), gather_s=0.01)
    )
    number = max((int(one) for one in folder.acks("push")), default=0)
    number = max(number - 1, 0)
    while not folder.is_stopping or number <= max((int(one) for one in folder.acks("push")), default=0):
        lines = "".join(
            f'{{"method":"GET","url":"https://api.example/push/{number}/{n}","ts":{1_790_000_000 + n}}}\n'
            for n in range(BATCH)
        )
        try:
            receipt = pushes.lines(lines.encode(), Sender("pusher", "pushed"), f"batch {number}").result(60)
        except LakeFull:
            folder.tell("full.log", "push")
            time.sleep(0.1)
            if folder.is_stopping:
                return
            continue
        if receipt.accepted != BATCH:
            folder.tell("broken.log", f"batch {number} was answered with {receipt.accepted}")
        folder.ack("push", str(number))
        number += 1


def follow(folder: Folder) -> None:
    """Follow the folder of logs."""
    from wardgate.service.follow import Follower, Pace
    from wardgate.service.followed import Followed
    from wardgate.service.opening import Reading
    from wardgate.service.writer import Writer

    lake = opened(folder, "follow")
    pipeline = Pipeline(lake, KEY, folder.clock)
    writer = Writer(pipeline, gather_s=0.01)
    reading = Reading(source="followed", format="nginx")
    follower = Follower(
        pipeline,
        writer,
        [Followed("followed", (str(folder.logs),), reading)],
        folder.home,
        folder.clock,
        pace=Pace(round_s=0.05, look_s=0.1, slice_bytes=64 << 10, quiet_s=1.0, settled_s=0.5, retry_s=0.2),
    )
    stop = Event()

    def watch() -> None:
        while not (folder.path / "stop.follow").exists():
            time.sleep(0.1)
        stop.set()

    Thread(target=watch, daemon=True).start()
    follower.run(stop)
    writer.close()


def ingest(folder: Folder) -> None:
    """Ingest whole files, one after the other, again and again."""
    from wardgate.service.ingest import open_input, parts
    from wardgate.service.opening import Reading
    from wardgate.sources.files import find_inputs
    from wardgate.sources.format import Options

    lake = opened(folder, "ingest")
    pipeline = Pipeline(lake, KEY, folder.clock)
    reading = Reading(source="ingested", format="nginx")
    while True:
        stopping = folder.is_stopping
        for path in sorted(folder.whole.glob("*.log")):
            if path.name in folder.acks("ingest"):
                continue
            one = open_input(pipeline, find_inputs([str(path)])[0], reading, folder.clock)
            try:
                if not one.done:
                    for parsed, reached in parts(one, Options(), 32 << 10):
                        pipeline.commit([pipeline.prepare(parsed, one.origin, reached)])
            except LakeFull:
                folder.tell("full.log", "ingest")
                time.sleep(0.1)
                continue
            finally:
                one.stream.close()
            folder.ack("ingest", path.name)
        if stopping:
            return
        time.sleep(0.05)


def maintain(folder: Folder) -> None:
    """Upkeep without a pause, with orphans deleted as soon as they are 5 s old."""
    lake = opened(folder, "maintain")
    settings = LakeSettings()
    maintainer = Maintainer(lake, settings, folder.clock, readers_s=5, orphans_s=5, orphans_every_s=0)
    while not folder.is_stopping:
        report = maintainer.run_once()
        folder.tell("holds.log", f"{report.longest_hold_s} {report.merged_files} {report.orphaned_files}")
        if report.failure not in ("", "disk-full"):
            folder.tell("broken.log", f"maintenance: {report.failure}")
        time.sleep(0.1)


_IDENTITY = f"""
SELECT (SELECT count(*) FROM {ALIAS}.calls) AS calls,
       (SELECT coalesce(sum(calls) + sum(linked), 0) FROM {ALIAS}.rollups)::BIGINT AS rolled,
       (SELECT coalesce(sum(accepted), 0) FROM {ALIAS}.ledger)::BIGINT AS accepted,
       (SELECT coalesce(sum(rejected), 0) FROM {ALIAS}.ledger)::BIGINT AS rejected,
       (SELECT count(*) FROM {ALIAS}.rejects) AS kept,
       (SELECT coalesce(sum(read - accepted - rejected - skipped), 0) FROM {ALIAS}.ledger)::BIGINT
           AS unaccounted
"""


def read(folder: Folder) -> None:
    """Ask for the accounting, in one snapshot each, and say when it does not hold."""
    lake = opened(folder, "read")
    while not folder.is_stopping:
        (row,) = lake.rows(_IDENTITY).to_pylist()
        sound = row["calls"] == row["rolled"] == row["accepted"] and row["rejected"] == row["kept"]
        if not sound or row["unaccounted"]:
            folder.tell("broken.log", f"a reader found {row}")
        folder.tell("reads.log", str(row["calls"]))
        time.sleep(0.05)


ROLES: dict[str, Callable[[Folder], None]] = {
    "push": push,
    "follow": follow,
    "ingest": ingest,
    "maintain": maintain,
    "read": read,
}


def main() -> None:
    role, path = sys.argv[1], Path(sys.argv[2])
    folder = Folder(path)
    try:
        ROLES[role](folder)
    except WardgateError as error:
        folder.tell("broken.log", f"{role}: {error}")
        sys.exit(3)
    with contextlib.suppress(OSError):
        folder.tell("stopped.log", role)


if __name__ == "__main__":
    main()
