"""Ready means that calls would be taken: each part that would refuse them is named, and none hangs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.home import Home, open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service import readiness
from wardgate.service.readiness import Readiness
from wardgate.service.writer import Writer
from wardgate.state.store import State, open_state


class Parts:
    """An open installation, as far as readiness asks it."""

    def __init__(self, folder: Path) -> None:
        self.home: Home = open_home(folder)
        self.lake = Lake(embedded_place(self.home))
        self.state: State = open_state(self.home)
        self.writer = Writer(Pipeline(self.lake, Key(bytes(32)), fixed_clock(0)))

    def asked(self, max_pending: int = 100, patience_s: float = 60) -> list[str]:
        asked = Readiness(self.home, self.writer, self.lake, self.state, max_pending, patience_s)
        try:
            return asked.not_ready()
        finally:
            asked.close()


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    found = Parts(tmp_path / "home")
    yield found
    found.writer.close()
    found.lake.close()
    found.state.close()


def test_ready(parts: Parts) -> None:
    assert parts.asked() == []


def test_a_writer_that_is_full(parts: Parts) -> None:
    assert parts.asked(max_pending=0) == ["writer-full"]


def test_a_disk_without_room(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LEAST_ROOM", 1 << 62)
    assert parts.asked() == ["disk-full"]


def test_a_lake_that_is_gone(parts: Parts) -> None:
    for one in list(parts.home.lake.iterdir()):
        if one.is_file():
            one.unlink()
    assert "lake-write-failed" in parts.asked()


def test_a_state_that_cannot_be_read(parts: Parts) -> None:
    parts.state.close()
    for one in parts.home.path.glob("state.sqlite*"):
        one.unlink()
    parts.home.state.mkdir()
    assert parts.asked() == ["state-failed"]


def test_a_state_that_does_not_answer_hangs_nobody(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again and again meanwhile, one check is running."""
    running: list[int] = []

    def hanging(self: Readiness) -> None:
        running.append(1)
        time.sleep(1.5)

    monkeypatch.setattr(Readiness, "_ask_state", hanging)
    asked = Readiness(parts.home, parts.writer, parts.lake, parts.state, 100, patience_s=0.2)
    start = time.monotonic()
    assert [asked.not_ready() for _ in range(3)] == [["check-slow"]] * 3
    assert time.monotonic() - start < 1.4
    assert len(running) <= 1
    asked.close()
