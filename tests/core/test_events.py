"""What is logged: stable names, whole lines, and nothing that came with traffic."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from wardgate.core.errors import WardgateError
from wardgate.core.events import Form, Level, LogEvent, log, log_error, set_up

CANARY = "sk_live_canaryEvents77"
SetUp = Callable[[Form, Level], io.StringIO]


@pytest.fixture
def logged() -> Iterator[SetUp]:
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def begin(form: Form, level: Level = "warning") -> io.StringIO:
        stream = io.StringIO()
        set_up(form, level, stream)
        return stream

    yield begin
    root.handlers, root.level = before


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_json_object_on_a_line(logged: SetUp) -> None:
    stream = logged("json", "info")
    log(LogEvent.UPKEEP, merged_files=8, seconds=0.5, nothing=None)
    log_error(LogEvent.TROUBLE, WardgateError("disk-full", "the disk is full.", mend="Make room."))
    upkeep, trouble = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(upkeep.pop("time")))
    assert upkeep == {"level": "info", "event": "upkeep", "merged_files": 8, "seconds": 0.5}
    del trouble["time"]
    assert trouble == {
        "level": "warning",
        "event": "trouble",
        "code": "disk-full",
        "message": "the disk is full.",
        "mend": "Make room.",
    }


def test_text_shows_a_refusal_as_every_command_does(logged: SetUp) -> None:
    stream = logged("text", "info")
    log_error(LogEvent.TROUBLE, WardgateError("disk-full", "the disk is full.", mend="Make room."))
    log(LogEvent.STARTED, version="1", sources=2, url=None)
    assert stream.getvalue() == "[disk-full] the disk is full. Make room.\nstarted version=1 sources=2\n"


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("debug", ["started", "trouble", "failed"]),
        ("info", ["started", "trouble", "failed"]),
        ("warning", ["trouble", "failed"]),
        ("error", ["failed"]),
    ],
)
def test_levels(logged: SetUp, level: Level, names: list[str]) -> None:
    stream = logged("json", level)
    for event in (LogEvent.STARTED, LogEvent.TROUBLE, LogEvent.FAILED):
        log(event)
    assert [one["event"] for one in lines(stream)] == names


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_libraries_say_is_told_by_place_only(logged: SetUp, form: Form) -> None:
    """They put values into messages, arguments and exceptions."""
    stream = logged(form, "debug")
    library = logging.getLogger("uvicorn.error")
    library.error(f"bad request {CANARY}")
    library.error("bad request %s", CANARY)
    try:
        raise ValueError(CANARY)
    except ValueError:
        library.exception("failed")
    assert CANARY not in stream.getvalue()
    assert stream.getvalue().count("uvicorn.error") == 3
    assert "ValueError" in stream.getvalue() and "test_events.py:" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_nothing_in_a_field_makes_another_line_or_acts_on_a_terminal(logged: SetUp, form: Form) -> None:
    stream = logged(form, "debug")
    hostile = 'a\n{"event":"forged"}\r\x1b[2J\x7f\u202e\u2028' + "x" * 5000
    log(LogEvent.TROUBLE, source=hostile)
    log(LogEvent.TROUBLE, code="c", message=hostile)
    text = stream.getvalue()
    assert len(text.split("\n")) == 3 and len(text) < 16_000
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u2028\u202e]", text)


def test_names_and_levels_are_as_documented() -> None:
    """They never change: alerts are built on them."""
    assert {one.label: one.level for one in LogEvent} == {
        "started": "info",
        "stopped": "info",
        "failed": "error",
        "trouble": "warning",
        "defect": "error",
        "source-failing": "warning",
        "source-well": "info",
        "upkeep": "info",
        "library": "warning",
    }
