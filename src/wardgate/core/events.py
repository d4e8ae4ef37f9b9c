"""What a running process logs: events with stable names, on standard error, as text or JSON lines.

One line per event. A field is a number, a code, or a name that people gave (a source, a part, a file of
ours); nothing that came with traffic is ever handed in. What libraries log is told by place and type only:
their messages may quote values.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Literal, TextIO

from wardgate.core.errors import WardgateError

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["text", "json"]
Field = str | int | float | bool | None
_LONGEST = 1000
"""Characters of a field."""
_LEVELS: dict[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_log = logging.getLogger("wardgate.events")


class LogEvent(Enum):
    """Name, level and meaning. A name never changes its meaning."""

    STARTED = ("started", "info", "The process takes calls, or serves, from now on.")
    STOPPED = ("stopped", "info", "It ended as it was told to; everything that was accepted is committed.")
    FAILED = ("failed", "error", "It could not start, or a part of it failed and ended it. `code` says why.")
    TROUBLE = (
        "trouble",
        "warning",
        "Something is in the way, and it goes on or tries again. `code` says what.",
    )
    DEFECT = ("defect", "error", "An unforeseen failure; `place` and `type` say where. Please report it.")
    SOURCE_FAILING = (
        "source-failing",
        "warning",
        "A source cannot be read; `code` says why. It is tried again.",
    )
    SOURCE_WELL = ("source-well", "info", "A source that failed is read again.")
    UPKEEP = ("upkeep", "info", "A round of upkeep that did something; the fields count what.")
    LIBRARY = ("library", "warning", "A library that is used logged something; only its place is told.")

    def __init__(self, label: str, level: str, meaning: str) -> None:
        self.label = label
        self.level = level
        self.meaning = meaning


def log(event: LogEvent, **fields: Field) -> None:
    """Log an event. Fields are numbers, codes and names that people gave: never anything from traffic."""
    _log.log(_LEVELS[event.level], "%s", event.label, extra={"event": event, "fields": fields})


def log_error(event: LogEvent, error: WardgateError) -> None:
    """Log an event that a refusal tells of."""
    log(event, code=error.code, message=error.message, mend=error.mend)


def set_up(form: Form, level: Level, stream: TextIO | None = None) -> None:
    """Where everything goes that this process logs from now on. A second call takes the first one's place."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLines() if form == "json" else _Text())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, _LEVELS[level]))  # of libraries
    _log.setLevel(_LEVELS[level])


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event, fields = _told(record)
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        at = at.replace("+00:00", "Z")
        line: dict[str, Field] = {"time": at, "level": record.levelname.lower(), "event": event.label}
        line |= {
            name: value for name, value in fields.items() if name not in line and value not in (None, "")
        }
        return json.dumps(line).replace("\x7f", "\\u007f")


class _Text(logging.Formatter):
    """A refusal as every command prints it; other events by name and fields."""

    def format(self, record: logging.LogRecord) -> str:
        event, fields = _told(record)
        if "code" in fields and "message" in fields:
            mend = f" {fields['mend']}" if fields.get("mend") else ""
            return _one_line(f"[{fields['code']}] {fields['message']}{mend}")
        given = " ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, ""))
        return _one_line(f"{event.label} {given}".strip())


def _told(record: logging.LogRecord) -> tuple[LogEvent, dict[str, Field]]:
    event = getattr(record, "event", None)
    if isinstance(event, LogEvent):
        return event, {name: _shortened(value) for name, value in getattr(record, "fields", {}).items()}
    fields: dict[str, Field] = {
        "logger": record.name,
        "place": f"{Path(record.pathname).name}:{record.lineno}",
    }
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        fields |= {"type": type(error).__name__, "raised_at": place_of(error)}
    return LogEvent.LIBRARY, fields


def place_of(error: BaseException) -> str:
    """File and line where an error was raised."""
    found = traceback.extract_tb(error.__traceback__)
    return f"{Path(found[-1].filename).name}:{found[-1].lineno}" if found else ""


def _shortened(value: Field) -> Field:
    return value[:_LONGEST] if isinstance(value, str) else value


def _one_line(text: str) -> str:
    return "".join(one if one.isprintable() else "·" for one in " ".join(text.split()))
