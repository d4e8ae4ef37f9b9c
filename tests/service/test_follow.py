"""Following files through whatever happens to them: each line is taken once, and soon."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from wardgate.core.clock import system_clock
from wardgate.core.home import Home, open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.follow import Follower, Pace
from wardgate.service.followed import Followed
from wardgate.service.health import SourceHealth, read_health
from wardgate.service.ingest import Ingest, Reading
from wardgate.service.watching import Watching
from wardgate.service.writer import Writer
from wardgate.sources.files import find_inputs
from wardgate.sources.skip_rules import SkipRules

PACE = Pace(settled_s=3, quiet_s=60, retry_s=2, look_s=0, health_s=0)


def line(number: int) -> bytes:
    stamp = f"14/Nov/2026:{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000"
    return f'198.51.100.7 - - [{stamp}] "GET /a/x{number}.html HTTP/1.1" 200 12 "-" "curl/8.1"\n'.encode()


def lines(*numbers: int) -> bytes:
    return b"".join(map(line, numbers))


class Following:
    """A follower whose time stands still until it is told to pass; `restart` is as after a kill."""

    def __init__(
        self,
        pipeline: Pipeline,
        home: Home,
        source: str,
        paths: tuple[str, ...],
        reading: Reading | None = None,
        once: bool = False,
    ) -> None:
        self.pipeline = pipeline
        self.home = home
        self.source = source
        self.now = 1000.0
        self.step = 0.0
        self.followed = Followed(source, paths, reading or Reading(format="nginx"), once)
        self.pace = PACE
        self.writer = Writer(pipeline, gather_s=0)
        self.follower = self._made()

    def _made(self) -> Follower:
        return Follower(
            self.pipeline,
            self.writer,
            [self.followed],
            self.home,
            system_clock,
            pace=self.pace,
            monotonic=self._time,
        )

    def _time(self) -> float:
        self.now += self.step
        return self.now

    def rounds(self, count: int = 2, seconds: float = 1.0) -> None:
        for _ in range(count):
            self.now += seconds
            while self.follower.round():
                pass

    def settle(self) -> None:
        """Until compressed files are taken and what was set aside is taken for finished."""
        self.rounds(2, PACE.settled_s + 1)
        self.rounds(3, PACE.quiet_s + 1)
        self.rounds(2, PACE.settled_s + 1)

    def restart(self) -> None:
        self.close_follower()
        self.follower = self._made()

    def close_follower(self) -> None:
        stop = Event()
        stop.set()
        self.follower.run(stop)

    def close(self) -> None:
        self.close_follower()
        self.writer.close()

    @property
    def health(self) -> SourceHealth:
        return self.follower.sources[0].health()

    def taken(self) -> list[int]:
        rows = self.pipeline.lake.rows(
            "SELECT path FROM lake.calls WHERE source = ?", [self.source]
        ).to_pylist()
        return sorted(int(row["path"].removeprefix("/a/x").removesuffix(".html")) for row in rows)

    def counts(self) -> tuple[int, int, int, int]:
        (row,) = self.pipeline.lake.rows(
            "SELECT coalesce(sum(read), 0)::BIGINT AS read, coalesce(sum(accepted), 0)::BIGINT AS accepted, "
            "coalesce(sum(rejected), 0)::BIGINT AS rejected, coalesce(sum(skipped), 0)::BIGINT AS skipped "
            "FROM lake.ledger WHERE source = ?",
            [self.source],
        ).to_pylist()
        assert row["read"] == row["accepted"] + row["rejected"] + row["skipped"]
        return row["read"], row["accepted"], row["rejected"], row["skipped"]


Follow = Callable[..., Following]


@pytest.fixture
def follow(pipeline: Pipeline, home: Home, source: str) -> Iterator[Follow]:
    made: list[Following] = []

    def start(*paths: Path | str, reading: Reading | None = None, once: bool = False) -> Following:
        made.append(Following(pipeline, home, source, tuple(map(str, paths)), reading, once))
        return made[-1]

    yield start
    for one in made:
        one.close()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def rename_and_create(log: Path) -> None:
    log.rename(f"{log}.1")
    log.touch()


def rename_and_create_later(log: Path) -> None:
    log.rename(f"{log}.1")


def copytruncate(log: Path) -> None:
    shutil.copy(log, f"{log}.1")
    os.truncate(log, 0)


def compress_at_once(log: Path) -> None:
    Path(f"{log}.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()
    log.touch()


def date_and_create(log: Path) -> None:
    log.rename(f"{log}-20261114")
    log.touch()


ROTATIONS = [rename_and_create, rename_and_create_later, copytruncate, compress_at_once, date_and_create]


@pytest.mark.parametrize("rotate", ROTATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
def test_rotation(follow: Follow, tmp_path: Path, rotate: Callable[[Path], None], is_running: bool) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2))
    one = follow(log)
    one.rounds(1)
    assert one.taken() == [1, 2]
    append(log, lines(3, 4))
    rotate(log)
    append(log, lines(5))
    if not is_running:
        one.restart()
    one.rounds(1)
    append(log, lines(6))
    one.settle()
    assert one.taken() == [1, 2, 3, 4, 5, 6]
    one.restart()
    one.settle()
    assert one.taken() == [1, 2, 3, 4, 5, 6]
    assert one.health.error is None
    assert one.health.lag_bytes == 0


def test_several_rotations_while_down(follow: Follow, tmp_path: Path) -> None:
    """logrotate with delaycompress, four times: what was the log is `.4.gz` now."""
    log = tmp_path / "access.log"
    log.write_bytes(lines(1))
    one = follow(log)
    one.rounds(1)
    one.close_follower()
    number = 2
    for _ in range(4):
        append(log, lines(number, number + 1))
        number += 2
        for age in (4, 3, 2):
            for ending in ("", ".gz"):
                old = Path(f"{log}.{age}{ending}")
                if old.exists():
                    old.rename(f"{log}.{age + 1}{ending}")
        previous = Path(f"{log}.1")
        if previous.exists():
            Path(f"{log}.2.gz").write_bytes(gzip.compress(previous.read_bytes()))
            previous.unlink()
        rename_and_create(log)
    append(log, lines(number))
    one.follower = one._made()
    one.settle()
    assert one.taken() == list(range(1, number + 1))
    one.restart()
    one.settle()
    assert one.counts()[0] == number


def test_delayed_compression_while_running(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2))
    one = follow(log)
    one.rounds(1)
    rename_and_create(log)
    append(tmp_path / "access.log.1", lines(3))  # a worker that has not opened the new one yet
    append(log, lines(4))
    one.rounds(2)
    packed = gzip.compress((tmp_path / "access.log.1").read_bytes())
    compressed = tmp_path / "access.log.2.gz"
    compressed.write_bytes(packed[:20])  # gzip is at work
    one.rounds(3, 10)
    compressed.write_bytes(packed)
    one.rounds(3, 10)
    (tmp_path / "access.log.1").unlink()
    one.settle()
    assert one.taken() == [1, 2, 3, 4]
    assert one.counts() == (4, 4, 0, 0)


def test_a_partial_last_line_waits_for_its_newline(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    whole = line(2)
    log.write_bytes(line(1) + whole[:30])
    one = follow(log)
    one.settle()
    assert one.counts()[0] == 1
    assert one.health.lag_bytes == 30
    append(log, whole[30:60])
    one.settle()
    assert one.counts()[0] == 1
    one.restart()
    append(log, whole[60:] + line(3)[:10])
    one.rounds()
    assert one.taken() == [1, 2]


def test_a_partial_last_line_of_a_finished_file_is_a_line(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(line(1) + line(2)[:40])
    one = follow(log)
    one.rounds()
    rename_and_create(log)
    one.rounds(2)
    assert one.counts()[0] == 1
    one.settle()
    assert one.counts() == (2, 1, 1, 0)
    assert one.health.lag_bytes == 0
    append(tmp_path / "access.log.1", line(2)[40:] + line(3))
    one.settle()
    assert one.taken() == [1, 2, 3], "the line that was rejected unfinished is whole now"


def test_a_partial_last_line_is_taken_though_the_round_outlasts_the_quiet_time(
    follow: Follow, tmp_path: Path
) -> None:
    """Reading comes before the moment from which the file is quiet, closing what is quiet after it."""
    log = tmp_path / "access.log"
    log.write_bytes(line(1) + line(2)[:40])
    one = follow(log)
    one.step = 7.0  # seconds that pass whenever somebody asks what time it is
    one.rounds(2)
    rename_and_create(log)
    one.rounds(20, 7)
    assert one.counts() == (2, 1, 1, 0)
    assert one.health.lag_bytes == 0


def test_a_rotated_file_that_waits_behind_others_is_read_to_its_end(follow: Follow, tmp_path: Path) -> None:
    """It was opened, and then longer not read than a file must be left alone to be finished."""
    log = tmp_path / "a.log"
    log.write_bytes(lines(*range(45_000)))
    (tmp_path / "b.log").write_bytes(lines(99_999))
    one = follow(tmp_path / "*.log")
    one.pace = Pace(slice_bytes=1 << 20, round_bytes=1 << 20, look_s=0)
    one.restart()
    one.now += 1
    assert one.follower.round()
    log.rename(f"{log}.1")
    one.now += one.pace.quiet_s + 1
    one.rounds(2)
    one.settle()
    assert one.counts() == (45_001, 45_001, 0, 0)


def test_the_first_line_in_pieces(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    one = follow(log)
    one.rounds(1)
    assert one.health.state == "waiting"
    assert "there is no file" in one.health.notes[0]
    whole = line(1)
    for piece in (whole[:5], whole[5:50], whole[50:-1], whole[-1:] + line(2)[:9], line(2)[9:]):
        append(log, piece)
        one.rounds(1)
    assert one.taken() == [1, 2]


def test_files_that_appear_later(follow: Follow, tmp_path: Path) -> None:
    one = follow(tmp_path / "logs" / "*.log", tmp_path / "more")
    one.rounds(1)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(lines(1))
    one.rounds(1)
    (tmp_path / "more" / "deep").mkdir(parents=True)
    (tmp_path / "more" / "deep" / "b.log").write_bytes(lines(2))
    (tmp_path / "logs" / "not-a-log.txt").write_bytes(lines(9))
    one.rounds(2)
    assert one.taken() == [1, 2]
    assert one.health.inputs == 2


def test_truncated_under_our_hands(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2, 3))
    one = follow(log)
    one.rounds(1)
    os.truncate(log, 0)
    append(log, lines(4))
    one.rounds(2)
    log.write_bytes(lines(*range(5, 15)))  # longer than what was read
    one.rounds(2)
    assert one.taken() == list(range(1, 15))


def test_truncated_under_a_program_that_does_not_append(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with log.open("wb", buffering=0) as file:
        file.write(lines(1, 2))
        one = follow(log)
        one.rounds(1)
        copytruncate(log)
        file.write(lines(3))  # stands behind a hole of NULs
        one.rounds(2)
        file.write(lines(4))
        one.settle()
    assert one.taken() == [1, 2, 3, 4]
    assert one.counts()[2] == 0


def test_replaced_by_another_file(follow: Follow, tmp_path: Path) -> None:
    log, new = tmp_path / "access.log", tmp_path / "new"
    log.write_bytes(lines(1, 2))
    one = follow(log)
    one.rounds(1)
    new.write_bytes(lines(3, 4))
    new.rename(log)
    one.rounds(2)
    assert one.taken() == [1, 2, 3, 4]


def test_deleted_while_it_is_written(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with log.open("wb", buffering=0) as file:
        file.write(lines(1))
        one = follow(log)
        one.rounds(1)
        log.unlink()
        one.rounds(1)
        file.write(lines(2))
        one.rounds(1)
    one.settle()
    assert one.taken() == [1, 2]
    assert one.health.inputs == 0


def test_two_logs_that_begin_alike(follow: Follow, tmp_path: Path) -> None:
    start = b"worker started\n"
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    a.write_bytes(start)
    b.write_bytes(start)
    one = follow(tmp_path / "*.log")
    one.rounds(2)
    append(a, lines(1))
    one.rounds(1)
    append(b, lines(2))
    one.rounds(2)
    append(a, lines(3))
    append(b, lines(4))
    one.restart()
    one.settle()
    assert one.taken() == [1, 2, 3, 4]
    assert one.counts() == (6, 4, 2, 0)


def test_a_copy_and_its_log(follow: Follow, tmp_path: Path) -> None:
    """A backup in the same folder is not a second log; nor is the log one of the backup."""
    log, copy = tmp_path / "b.log", tmp_path / "a.log"
    log.write_bytes(lines(*range(10)))
    shutil.copy(log, copy)
    one = follow(tmp_path / "*.log")
    one.rounds(2)
    assert one.counts()[0] == 10
    assert "the same as another file" in one.health.notes[0]
    append(log, lines(10))
    one.rounds(3)
    append(log, lines(11))
    one.rounds(2)
    assert one.taken() == list(range(12))
    one.restart()
    one.rounds(3)
    assert one.taken() == list(range(12))


def test_unreadable_is_told_and_tried_again(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(b"\0\x01 nothing known\n" * 5)
    one = follow(log, reading=Reading(source="x", format="auto"))
    one.rounds(1)
    health = one.health
    assert (health.state, health.inputs) == ("failing", 1)
    assert health.error is not None
    assert health.error.startswith("[format-not-recognised]")
    log.write_bytes(lines(*range(20)))
    one.rounds(3, 5)
    assert one.health.state == "following"
    assert one.health.format == "nginx"
    assert one.health.error is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be")
def test_without_permission(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1))
    log.chmod(0)
    script = f"""
import os
from wardgate.core.errors import WardgateError
from wardgate.sources.files import Input
from pathlib import Path
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Input(Path({str(log)!r}), "access.log").open()
except WardgateError as error:
    print(error.code)
"""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "input-unreadable"


def test_skip_rules_and_rejects_are_accounted(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    skip = SkipRules({"page": ["/a/x1.html"]})
    one = follow(log, reading=Reading(source="x", format="nginx", skip=skip))
    log.write_bytes(line(1) + line(2) + b"garbage\n\n" + b"y" * (2 << 20) + b"\n" + line(3))
    one.rounds(2)
    assert one.counts() == (6, 2, 2, 2)
    assert one.taken() == [2, 3]
    health = one.health
    assert (health.read, health.accepted, health.rejected, health.skipped) == (6, 2, 2, 2)


def test_a_line_without_end(follow: Follow, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(line(1))
    one = follow(log)
    for _ in range(4):
        append(log, b"z" * (1 << 20))
        one.rounds(1)
    one.restart()
    append(log, b"z\n" + line(2))
    one.rounds(2)
    assert one.taken() == [1, 2]
    assert one.counts() == (3, 2, 1, 0)


def test_w3c_files_by_the_day(follow: Follow, tmp_path: Path) -> None:
    head = b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    fields = b"#Fields: date time s-ip cs-method cs-uri-stem s-port c-ip sc-status time-taken\n"
    one = follow(tmp_path / "u_ex*.log", reading=Reading(source="x", format="auto"))

    def call(number: int) -> bytes:
        return f"2026-11-14 10:00:0{number} 10.0.0.1 GET /a/x{number}.html 80 10.0.0.2 200 15\n".encode()

    for number in (1, 2):
        (tmp_path / f"u_ex26111{number}.log").write_bytes(head + fields)
        one.rounds(1)
        append(tmp_path / f"u_ex26111{number}.log", call(number))
        one.rounds(1)
    append(tmp_path / "u_ex261111.log", call(3))
    one.restart()
    append(tmp_path / "u_ex261112.log", call(4))
    one.rounds(2)
    assert one.taken() == [1, 2, 3, 4]
    assert one.counts() == (10, 4, 0, 6)


def test_ingested_once_before_it_is_followed(follow: Follow, tmp_path: Path, source: str) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2) + line(3)[:-1])
    one = follow(log)
    reading = Reading(source=source, format="nginx")
    (report,) = Ingest(one.pipeline, system_clock).run(find_inputs([str(log)]), reading)
    assert report.read == 3
    one.rounds(1)
    append(log, b"\n" + lines(4))
    one.rounds(1)
    assert one.taken() == [1, 2, 3, 4]
    (report,) = Ingest(one.pipeline, system_clock).run(find_inputs([str(log)]), reading)
    assert (report.busy, report.read) == (1, 0), "the follower has it"


def test_a_document_in_a_followed_folder(follow: Follow, tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / "sources" / "examples" / "har.har"
    one = follow(tmp_path / "*.har", reading=Reading(source="x", format="auto"))
    shutil.copy(example, tmp_path / "one.har")
    one.settle()
    read = one.counts()[0]
    assert read > 0
    one.restart()
    one.settle()
    assert one.counts()[0] == read


def test_finished_files_are_not_decompressed_again(follow: Follow, tmp_path: Path, home: Home) -> None:
    log = tmp_path / "access.log"
    old = tmp_path / "access.log.1.gz"
    old.write_bytes(gzip.compress(lines(1, 2)))
    one = follow(log)
    one.settle()
    assert one.taken() == [1, 2]
    status = old.stat()
    old.write_bytes(b"x" * status.st_size)  # nobody looks into it, as long as it seems the same
    os.utime(old, ns=(status.st_atime_ns, status.st_mtime_ns))
    one.restart()
    one.settle()
    assert one.health.error is None


def test_health_can_be_read_by_others(follow: Follow, tmp_path: Path, home: Home, source: str) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1) + b"garbage\n")
    one = follow(log)
    one.rounds(2)
    shown = next(one for one in read_health(home, system_clock) if one.part == "files")
    assert (shown.pid, shown.is_stale) == (os.getpid(), False)
    (health,) = shown.sources
    assert (health.source, health.format, health.read, health.rejected) == (source, "nginx", 2, 1)
    assert health.last_commit_at_us is not None
    later = next(iter(read_health(home, lambda: system_clock() + 60_000_000)))
    assert later.is_stale


def test_running_in_its_thread(follow: Follow, tmp_path: Path) -> None:
    """Notifications, real time, and a stop that leaves nothing behind."""
    log = tmp_path / "access.log"
    one = follow(log)
    follower = Follower(one.pipeline, one.writer, [one.followed], one.home, system_clock)
    stop = Event()
    thread = Thread(target=follower.run, args=[stop])
    thread.start()
    try:
        for number in range(3):
            append(log, line(number))
            wait_for(one, number + 1)
    finally:
        stop.set()
        thread.join()


def test_a_line_that_is_told_of_during_a_round(follow: Follow, tmp_path: Path) -> None:
    """Written after a round has read, and told of before that round ends: the next one comes at once."""
    log = tmp_path / "access.log"
    log.write_bytes(lines(0))
    one = follow(log)
    written, idle = 1, 0

    def clock() -> int:
        """Asked at the end of a round, and after a commit: the third time in a row, nothing was read."""
        nonlocal written, idle
        idle = idle + 1 if one.taken() == list(range(written)) else 0
        if idle >= 3 and written < 4:
            append(log, line(written))
            written += 1
            time.sleep(0.5)  # in which the notification comes
        return system_clock()

    pace = Pace(round_s=0.05, look_s=60, health_s=0)
    follower = Follower(one.pipeline, one.writer, [one.followed], one.home, clock, pace=pace)
    stop = Event()
    thread = Thread(target=follower.run, args=[stop])
    thread.start()
    try:
        wait_for(one, 4)
    finally:
        stop.set()
        thread.join()


def test_what_changed_before_notifications_worked_is_looked_for(tmp_path: Path) -> None:
    changed = Event()
    watching = Watching(changed)
    try:
        watching.watch([tmp_path], recursive=False)
        assert changed.wait(60)
        assert watching.moved.is_set()
        assert watching.is_working
        changed.clear()
        (tmp_path / "a.log").touch()
        assert changed.wait(60)
    finally:
        watching.close()
    assert not watching.is_working


def wait_for(one: Following, lines: int) -> None:
    """Until that many lines are taken; the time allowed is a slow machine's."""
    deadline = time.monotonic() + 60
    while one.taken() != list(range(lines)):
        assert time.monotonic() < deadline, f"{len(one.taken())} of {lines} lines were taken within 60 s"
        time.sleep(0.05)


def test_a_backlog_does_not_keep_new_lines_waiting(follow: Follow, tmp_path: Path) -> None:
    backlog, live = tmp_path / "a.log", tmp_path / "b.log"
    backlog.write_bytes(lines(*range(45_000)))
    live.write_bytes(lines(99_999))
    one = follow(tmp_path / "*.log")
    one.pace = Pace(slice_bytes=1 << 20, round_bytes=1 << 20, look_s=0)
    one.restart()
    one.now += 1
    assert one.follower.round(), "there is more to read at once"
    assert one.taken()[-1] == 99_999
    assert one.counts()[0] < 45_000
    assert one.health.state == "behind"
    one.rounds(2)
    assert one.counts()[0] == 45_001
    assert one.health.lag_bytes == 0


def test_the_clock_steps(home: Home, pipeline: Pipeline, tmp_path: Path, source: str) -> None:
    """A clock that is set back or on by days changes stamps, and neither what is read nor when."""
    log = tmp_path / "access.log"
    now = system_clock()
    stepping = Pipeline(pipeline.lake, pipeline.key, lambda: now)
    one = Following(stepping, home, source, (str(log),))
    try:
        for number, days in enumerate((0, -30, 400, -400)):
            now = system_clock() + days * 86_400_000_000
            append(log, line(number))
            one.rounds(1)
            one.restart()
        one.rounds(1)
        assert one.taken() == [0, 1, 2, 3]
        assert one.counts()[0] == 4
    finally:
        one.close()


def test_a_source_that_is_read_once(follow: Follow, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(lines(1, 2)[:-1])
    one = follow(tmp_path, once=True)
    one.rounds(2)
    (tmp_path / "b.log").write_bytes(lines(3))
    one.rounds(3)
    assert one.taken() == [1, 2]


def test_a_large_source_that_is_read_once(follow: Follow, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(lines(*range(25_000)) + line(25_000)[:40])
    one = follow(tmp_path, once=True)
    one.pace = Pace(slice_bytes=1 << 20, look_s=0)
    one.restart()
    one.rounds(3)
    assert one.counts() == (25_001, 25_000, 1, 0)


CHILD = """
import sys
from pathlib import Path
from threading import Event
from wardgate.core.clock import system_clock
from wardgate.core.home import open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.follow import Follower
from wardgate.service.followed import Followed
from wardgate.service.ingest import Reading
from wardgate.service.writer import Writer
home = open_home(Path(sys.argv[1]))
pipeline = Pipeline(Lake(embedded_place(home)), Key(bytes(32)), system_clock)
source = Followed("web", (sys.argv[2],), Reading(source="web", format="nginx"))
Follower(pipeline, Writer(pipeline), [source], home, system_clock).run(Event())
"""


def test_killed_while_it_reads(tmp_path: Path) -> None:
    log, folder = tmp_path / "access.log", tmp_path / "home"
    log.touch()
    written = 0
    for seconds in (2.5, 1.5):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(folder), str(log)])
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            append(log, lines(*range(written, written + 100)))
            written += 100
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        copytruncate(log)
        log.with_name("access.log.1").rename(log.with_name(f"access.log.{written}"))
    home = open_home(folder)
    pipeline = Pipeline(Lake(embedded_place(home)), Key(bytes(32)), system_clock)
    one = Following(pipeline, home, "web", (str(log),))
    try:
        one.settle()
        assert one.taken() == list(range(written))
        assert one.counts() == (written, written, 0, 0)
    finally:
        one.close()
        pipeline.lake.close()


class Machine(RuleBasedStateMachine):
    """Any sequence of what happens to a log, with Wardgate there or away: each line once."""

    pipeline: Pipeline
    home: Home
    root: Path
    runs = 0

    def __init__(self) -> None:
        super().__init__()
        Machine.runs += 1
        self.folder = self.root / f"run{Machine.runs}"
        self.folder.mkdir()
        self.log = self.folder / "access.log"
        self.handle = self.log.open("ab", buffering=0)
        self.written = 0
        self.rest = b""
        self.rotated = 0
        self.one: Following | None = None

    @initialize()
    def begin(self) -> None:
        self.one = Following(self.pipeline, self.home, f"machine{Machine.runs}", (str(self.log),))

    def write(self, data: bytes) -> None:
        self.handle.write(data)

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        self.write(self.rest + lines(*range(self.written, self.written + count)))
        self.rest = b""
        self.written += count

    @precondition(lambda self: not self.rest)
    @rule(size=st.integers(1, 80))
    def append_a_piece(self, size: int) -> None:
        whole = line(self.written)
        self.written += 1
        self.write(whole[:size])
        self.rest = whole[size:]

    def shift(self) -> None:
        """Older files get the next number, whatever their ending."""
        for number in range(self.rotated, 0, -1):
            for ending in ("", ".gz"):
                old = self.folder / f"access.log.{number}{ending}"
                if old.exists():
                    old.rename(self.folder / f"access.log.{number + 1}{ending}")
        self.rotated += 1

    @precondition(lambda self: not self.rest)
    @rule()
    def rename_and_create(self) -> None:
        self.shift()
        self.log.rename(self.folder / "access.log.1")
        self.handle.close()
        self.handle = self.log.open("ab", buffering=0)

    @precondition(lambda self: not self.rest)
    @rule()
    def copytruncate(self) -> None:
        self.shift()
        shutil.copy(self.log, self.folder / "access.log.1")
        os.truncate(self.log, 0)

    @rule(which=st.integers(1, 4))
    def compress(self, which: int) -> None:
        old = self.folder / f"access.log.{which}"
        if old.exists():
            Path(f"{old}.gz").write_bytes(gzip.compress(old.read_bytes()))
            old.unlink()

    @rule()
    def round(self) -> None:
        assert self.one is not None
        self.one.rounds(1)

    @rule()
    def time_passes(self) -> None:
        assert self.one is not None
        self.one.rounds(2, PACE.quiet_s / 1.5)

    @rule()
    def restart(self) -> None:
        assert self.one is not None
        self.one.restart()

    @invariant()
    def nothing_twice(self) -> None:
        if self.one is not None:
            taken = self.one.taken()
            assert len(taken) == len(set(taken))

    def teardown(self) -> None:
        assert self.one is not None
        self.write(self.rest)
        self.one.settle()
        try:
            assert self.one.taken() == list(range(self.written))
            assert self.one.counts() == (self.written, self.written, 0, 0)
            assert self.one.health.lag_bytes == 0
        finally:
            self.one.close()
            self.handle.close()


@pytest.mark.timeout(300)
def test_any_sequence_of_what_happens_to_a_log(pipeline: Pipeline, home: Home, tmp_path: Path) -> None:
    Machine.pipeline, Machine.home, Machine.root = pipeline, home, tmp_path
    machine = Machine.TestCase
    machine.settings = settings(
        max_examples=int(os.environ.get("WARDGATE_FUZZ", "8")),
        stateful_step_count=12,
        deadline=None,
        derandomize="WARDGATE_FUZZ" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine("runTest").runTest()
