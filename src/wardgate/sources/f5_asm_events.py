"""What the events of F5's ASM / Advanced WAF say about a call, whichever storage format they came in.

Reference: F5, "BIG-IP ASM: Implementations", Logging Application Security Events. An event shows the request
as it came, so its headers are all there. `date_time` is the request's, in the device's local time. `N/A` is
absent; a response code of 0 says that no response was seen. An event without a request (an anomaly) is no
call: it is passed over by the rule `no-request`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from wardgate.core.observed import Parsed, Reason, Reject, observed_table
from wardgate.sources.access import NUMBERS, access_columns, split_request
from wardgate.sources.format import Lines, State
from wardgate.sources.headers import HeaderLists
from wardgate.sources.http_message import Message, read_message
from wardgate.sources.text_lines import nothing, together
from wardgate.sources.times import zone

Event = Mapping[str, str]
"""F5's key → value, escapes undone."""

_ABSENT = {"", "N/A"}
_TEXT: dict[str, tuple[str, ...]] = {
    "client": ("ip_client",),
    "forwarded_for": ("x_forwarded_for_header_value",),
    "login": ("username",),
    "request_id": ("support_id",),
    "service_name": ("vs_name", "web_application_name", "http_class_name"),
    "time_text": ("date_time",),
}
_NUMBERS = {"status": "response_code", "client_port": "src_port", "port": "dest_port"}


class EventParser:
    """Parses lines of one event each; `read` answers None for a line that is none."""

    def __init__(self, read: Callable[[str], Event | None], time_format: str, timezone: str | None) -> None:
        self._read = read
        self._time_format = time_format
        self._zone = zone(timezone)

    @property
    def state(self) -> State:
        return {}

    def parse(self, lines: Lines) -> Parsed:
        events: list[Event] = []
        kept: list[tuple[int, bytes]] = []
        out = Parsed(nothing())
        skipped: Counter[str] = Counter()
        raw = lines.data.removesuffix(b"\n").split(b"\n") if lines.data else []
        for at, line in enumerate(raw, lines.first):
            event = self._read(line.decode("utf-8", "replace"))
            if event is None and not line.strip():
                skipped["blank"] += 1
            elif event is None:
                out.rejects.append(Reject(at, Reason.NOT_FORMAT, line.removesuffix(b"\r")))
            elif not _has_request(event):
                skipped["no-request"] += 1
            else:
                events.append(event)
                kept.append((at, line.removesuffix(b"\r")))
        out.skipped = dict(skipped)
        return together([self._calls(events, kept), out]) if events else out

    def _calls(self, events: list[Event], kept: list[tuple[int, bytes]]) -> Parsed:
        requests = [_message(_value(event, "request")) for event in events]
        columns, bad = access_columns(
            _fields(events, requests), "start", 1_000_000, self._zone, self._time_format
        )
        columns |= _message_columns("request", requests)
        columns |= _message_columns("response", [_response(_value(event, "response")) for event in events])
        columns["position"] = pa.array([at for at, _ in kept], pa.int64())
        good = np.ones(len(kept), bool)
        rejects: list[Reject] = []
        for reason, mask in bad.items():
            rejects += [Reject(kept[i][0], reason, kept[i][1]) for i in np.flatnonzero(mask & good)]
            good &= ~mask
        return Parsed(observed_table(columns).filter(pa.array(good)), rejects)


def _has_request(event: Event) -> bool:
    return any(event.get(key, "") not in _ABSENT for key in ("uri", "request", "method"))


def _fields(events: Sequence[Event], requests: Sequence[Message | None]) -> dict[str, pa.Array]:
    """Fields of `access`, one entry an event."""
    lines = [_start_line(event, request) for event, request in zip(events, requests, strict=True)]
    fields: dict[str, pa.Array] = {
        "method": pa.array([line[0] for line in lines], pa.string()),
        "target": pa.array([line[1] for line in lines], pa.string()),
        "query": pa.array([_value(event, "query_string") for event in events], pa.string()),
        "http_version": pa.array([line[2] for line in lines], pa.string()),
        "scheme": pa.array([_scheme(event) for event in events], pa.string()),
    }
    for name, keys in _TEXT.items():
        fields[name] = pa.array([_first(event, keys) for event in events], pa.string())
    for name, key in _NUMBERS.items():
        fields[name] = pa.array([_number(event, key) for event in events], NUMBERS[name])
    return fields


def _start_line(event: Event, request: Message | None) -> tuple[str | None, str | None, str | None]:
    """Method, target and version: of the request as it came, else of what ASM made of it."""
    found = split_request(request.start) if request is not None else None
    if found is not None and found[2]:
        return found
    return _value(event, "method"), _value(event, "uri"), None


def _message_columns(side: str, messages: Sequence[Message | None]) -> dict[str, pa.Array]:
    """Headers and bodies of one side, where events hold whole messages."""
    if not any(messages):
        return {}
    lists = HeaderLists()
    for one in messages:
        if one is None:
            lists.add_absent()
        else:
            lists.add(one.names, one.values)
    bodies = pa.array([one.body if one is not None else None for one in messages], pa.large_binary())
    return {f"{side}_headers": lists.array(), f"{side}_body": bodies}


def _message(text: str | None) -> Message | None:
    return read_message(text) if text is not None else None


def _response(text: str | None) -> Message | None:
    """The response, where it is one and not `Response logging disabled`."""
    return read_message(text) if text is not None and text.startswith("HTTP/") else None


def _scheme(event: Event) -> str | None:
    value = (_value(event, "protocol") or "").lower()
    return value if value in ("http", "https", "ws", "wss") else None


def _first(event: Event, keys: Sequence[str]) -> str | None:
    return next((value for key in keys if (value := _value(event, key)) is not None), None)


def _value(event: Event, key: str) -> str | None:
    value = event.get(key)
    return None if value is None or value in _ABSENT else value


def _number(event: Event, key: str) -> int | None:
    value = event.get(key, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 9 else None
