"""The one writer: parts share commits, a full queue holds back or refuses, a full disk loses nothing."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

import pytest

from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake, LakeFull
from wardgate.pipeline import Origin, Pipeline, Prepared, Reached
from wardgate.service.push_bodies import parsed_lines
from wardgate.service.writer import Closed, Full, Writer

NOW_US = 1_794_657_600_000_000


def part(pipeline: Pipeline, source: str, number: int, calls: int = 3) -> Prepared:
    """The `number`th part of an origin, each of so many calls."""
    body = b"".join(b'{"method":"GET","url":"https://a.example/%d/%d"}\n' % (number, i) for i in range(calls))
    parsed = parsed_lines(body)
    origin = Origin(source, pipeline.key.id64("origin", source), source, "wardgate-jsonl")
    return pipeline.prepare(
        parsed, origin, Reached((number + 1) * calls), pipeline.batch_id(origin, number * calls)
    )


def committed(pipeline: Pipeline, source: str) -> list[int]:
    found = pipeline.lake.rows(
        "SELECT next_position FROM lake.ledger WHERE source = ? ORDER BY next_position", [source]
    )
    positions: list[int] = found["next_position"].to_pylist()
    return positions


def snapshots(pipeline: Pipeline) -> int:
    return int(pipeline.lake.rows("SELECT count(*) AS n FROM ducklake_snapshots('lake')")["n"][0].as_py())


@pytest.fixture
def writers(pipeline: Pipeline) -> Iterator[list[Writer]]:
    """Writers to close in the end."""
    made: list[Writer] = []
    yield made
    for one in made:
        one.close()


def test_parts_that_come_together_share_a_commit(
    pipeline: Pipeline, source: str, writers: list[Writer]
) -> None:
    writers.append(writer := Writer(pipeline, gather_s=0.3))
    before = snapshots(pipeline)
    answers = [writer.submit(part(pipeline, source, n)) for n in range(8)]
    assert [one.result(60) for one in answers] == [True] * 8
    assert snapshots(pipeline) == before + 1
    assert committed(pipeline, source) == [3, 6, 9, 12, 15, 18, 21, 24]


def test_a_large_group_is_committed_before_its_time(
    pipeline: Pipeline, source: str, writers: list[Writer]
) -> None:
    writers.append(writer := Writer(pipeline, gather_s=300, worth_calls=0, enough_calls=8))
    answers = [writer.submit(part(pipeline, source, n)) for n in range(2)]
    assert [one.result(60) for one in answers] == [True, True]


def test_as_many_as_came_last_time_wait_no_longer(
    pipeline: Pipeline, source: str, writers: list[Writer]
) -> None:
    writers.append(writer := Writer(pipeline, gather_s=1.5, worth_calls=6))
    waits = []
    for turn in range(3):
        started = time.monotonic()
        answers = [writer.submit(part(pipeline, source, 2 * turn + n)) for n in range(2)]
        assert [one.result(60) for one in answers] == [True, True]
        waits.append(time.monotonic() - started)
    assert waits[0] >= 1.5
    assert max(waits[1:]) < waits[0]  # a slow machine takes longer over its commits, in each turn
    alone = time.monotonic()
    assert writer.submit(part(pipeline, f"{source} alone", 0, calls=1)).result(60)
    assert time.monotonic() - alone >= 1.5  # not worth a commit yet


def test_a_part_that_was_committed_before_is_told(
    pipeline: Pipeline, source: str, writers: list[Writer]
) -> None:
    writers.append(writer := Writer(pipeline, gather_s=0.2))
    again = [writer.submit(part(pipeline, source, 0)) for _ in range(3)]
    assert sorted(one.result(60) for one in again) == [False, False, True]
    assert writer.submit(part(pipeline, source, 0)).result(60) is False
    assert committed(pipeline, source) == [3]


def test_a_full_queue_refuses_the_impatient_and_holds_back_the_patient(
    pipeline: Pipeline, source: str, writers: list[Writer]
) -> None:
    writers.append(writer := Writer(pipeline, gather_s=0.5, pending_calls=8))
    answers = [writer.submit(part(pipeline, source, n)) for n in range(2)]
    with pytest.raises(Full) as caught:
        writer.submit(part(pipeline, source, 2), patient=False)
    assert caught.value.code == "writer-full"
    started = time.monotonic()
    answers.append(writer.submit(part(pipeline, source, 2)))
    assert time.monotonic() - started > 0.1
    assert [one.result(60) for one in answers] == [True] * 3
    assert writer.pending == 0


def test_a_part_larger_than_the_queue_does_not_wait_for_ever(
    pipeline: Pipeline, source: str, writers: list[Writer]
) -> None:
    """While small ones keep coming."""
    writers.append(writer := Writer(pipeline, gather_s=0.2, pending_calls=20))
    small = [writer.submit(part(pipeline, f"{source} small", n), patient=False) for n in range(2)]
    large = writer.submit(part(pipeline, source, 0, calls=30))
    with pytest.raises(Full):
        writer.submit(part(pipeline, f"{source} small", 2), patient=False)
    assert all(one.result(60) for one in (*small, large))


def test_closing_commits_what_was_submitted_and_refuses_the_rest(pipeline: Pipeline, source: str) -> None:
    writer = Writer(pipeline, gather_s=60)
    answers = [writer.submit(part(pipeline, source, n)) for n in range(3)]
    writer.close()
    assert [one.result(0) for one in answers] == [True] * 3
    with pytest.raises(Closed):
        writer.submit(part(pipeline, source, 3))


def test_one_who_waits_for_room_hears_of_the_end(pipeline: Pipeline, source: str) -> None:
    writer = Writer(pipeline, gather_s=60, pending_calls=4)
    writer.submit(part(pipeline, source, 0))
    heard: Future[None] = Future()

    def wait() -> None:
        try:
            writer.submit(part(pipeline, source, 1))
        except Closed as error:
            heard.set_exception(error)

    threading.Thread(target=wait).start()
    time.sleep(0.1)
    writer.close()
    with pytest.raises(Closed):
        heard.result(60)


class Failing(Pipeline):
    """A pipeline into a lake that refuses some parts, as a broken engine does."""

    def commit(self, parts: Sequence[Prepared]) -> list[bool]:
        if any(one.read == 5 for one in parts):
            raise WardgateError("lake-write-failed", "the lake did not take a batch.")
        return super().commit(parts)


def test_a_part_that_fails_does_not_fail_its_company(pipeline: Pipeline, source: str) -> None:
    failing = Failing(pipeline.lake, Key(bytes(32)), lambda: NOW_US)
    writer = Writer(failing, gather_s=0.2)
    answers = [
        writer.submit(part(failing, source, 0)),
        writer.submit(part(failing, f"{source} bad", 0, calls=5)),
        writer.submit(part(failing, source, 1)),
    ]
    writer.close()
    assert [answers[0].result(0), answers[2].result(0)] == [True, True]
    failure = answers[1].exception(0)
    assert isinstance(failure, WardgateError) and failure.code == "lake-write-failed"
    assert committed(pipeline, source) == [3, 6]
    assert committed(pipeline, f"{source} bad") == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.engine
def test_a_full_disk_keeps_the_patient_refuses_the_impatient_and_goes_on(small_disk: Path) -> None:
    lake = Lake(embedded_place(open_home(small_disk)))
    pipeline = Pipeline(lake, Key(bytes(32)), lambda: NOW_US)
    writer = Writer(pipeline, gather_s=0, retry_s=0.1)
    assert writer.submit(part(pipeline, "file", 0)).result(60)
    ballast = small_disk / "ballast"
    _fill(ballast)
    patient = writer.submit(part(pipeline, "file", 1, calls=2000))
    with pytest.raises(NotYet):
        patient.result(0.6)
    assert writer.disk_full
    refused = _refusal(writer, part(pipeline, "push", 0, calls=2000))
    assert isinstance(refused, LakeFull) and refused.code == "disk-full"
    ballast.unlink()
    assert patient.result(60)
    assert not writer.disk_full
    assert writer.submit(part(pipeline, "push", 0), patient=False).result(60)
    writer.close()
    assert committed(pipeline, "file") == [3, 4000]
    assert committed(pipeline, "push") == [3]
    lake.close()


@pytest.mark.engine
def test_closing_on_a_full_disk_ends_and_says_what_was_not_committed(small_disk: Path) -> None:
    lake = Lake(embedded_place(open_home(small_disk)))
    pipeline = Pipeline(lake, Key(bytes(32)), lambda: NOW_US)
    writer = Writer(pipeline, gather_s=0, retry_s=60)
    _fill(small_disk / "ballast")
    answer = writer.submit(part(pipeline, "file", 0, calls=2000))
    started = time.monotonic()
    writer.close()
    assert time.monotonic() - started < 20
    assert isinstance(answer.exception(0), LakeFull)
    lake.close()


def _fill(path: Path) -> None:
    with path.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), b"\0" * 4096)
        except OSError:
            return


def _refusal(writer: Writer, prepared: Prepared) -> BaseException | None:
    try:
        return writer.submit(prepared, patient=False).exception(20)
    except LakeFull as error:
        return error
