"""One process of the crash rig beside `wardgate up`: does its role until it is killed or asked to stop.

    python bench/crash_worker.py ROLE FOLDER HOME

FOLDER holds the inputs and what the rig reads: `acks.ROLE` (one line per acknowledged thing), `opened.log`
(how long the lake took to answer), `broken.log` (what a reader found wrong).
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from wardgate.core.clock import system_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import Home, open_home
from wardgate.core.keys import load_key
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline


class Folder:
    """What the rig and its processes share; the home may be on a disk of its own."""

    def __init__(self, path: Path, home: Path) -> None:
        self.path = path
        self.home_path = home
        self.logs = path / "logs"
        self.whole = path / "whole"

    @property
    def home(self) -> Home:
        return open_home(self.home_path)

    def clock(self) -> int:
        """The machine's clock, stepped by what the rig wrote."""
        try:
            return system_clock() + int((self.path / "clock").read_text() or 0)
        except (OSError, ValueError):
            return system_clock()

    def tell(self, name: str, text: str) -> None:
        """Add a line to one of the rig's files, at once, so that it outlives a kill."""
        handle = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, f"{text}\n".encode())
        os.close(handle)

    def told(self, name: str) -> list[str]:
        path = self.path / name
        return path.read_text().split("\n")[:-1] if path.exists() else []

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


def ingest(folder: Folder) -> None:
    """Ingest whole files, one after the other, again and again."""
    from wardgate.service.ingest import open_input, parts
    from wardgate.service.opening import Reading
    from wardgate.sources.files import find_inputs
    from wardgate.sources.format import Options

    lake = opened(folder, "ingest")
    pipeline = Pipeline(lake, load_key(folder.home.path), folder.clock)
    reading = Reading(source="ingested", format="nginx")
    while True:
        stopping = folder.is_stopping
        for path in sorted(folder.whole.glob("*.log")):
            if path.name in folder.told("acks.ingest"):
                continue
            one = open_input(pipeline, find_inputs([str(path)])[0], reading, folder.clock)
            try:
                if not one.done:
                    for parsed, reached in parts(one, Options(), 16 << 10):
                        pipeline.commit([pipeline.prepare(parsed, one.origin, reached)])
            finally:
                one.stream.close()
            folder.tell("acks.ingest", path.name)
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
        if report.failure:
            folder.tell("broken.log", f"maintenance: {report.failure}")
        time.sleep(0.3)


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
        time.sleep(0.2)


ROLES: dict[str, Callable[[Folder], None]] = {"ingest": ingest, "maintain": maintain, "read": read}


def main() -> None:
    role, path, home = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder = Folder(path, home)
    try:
        ROLES[role](folder)
    except WardgateError as error:
        folder.tell("broken.log", f"{role}: {error}")
        sys.exit(3)


if __name__ == "__main__":
    main()
