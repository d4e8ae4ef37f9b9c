"""Wardgate's own JSON Lines: what any program can write to show its calls, with headers and bodies.

One object a line; all but `method` and `url` optional, unknown fields ignored:

    ts                the start: RFC 3339, or an epoch in s, ms, µs or ns
    method, url       `url` absolute or a path, with its query
    status, duration_ms, client_ip
    request_headers, response_headers    a map from name to string, number, or list of strings
    request_body, response_body          text, or any JSON value (kept as it is written)

Many programs' own logs have `method` and `url` too. One that says a time, status, duration or client under
another name only is `generic-json`, which knows those names.
"""

import re
from collections.abc import ValuesView
from datetime import tzinfo
from typing import cast

import msgspec
import pyarrow as pa

from wardgate.core.observed import Reason
from wardgate.sources.access import is_target
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.generic_json import KEYS
from wardgate.sources.headers import HeaderLists
from wardgate.sources.json_keys import value_at
from wardgate.sources.jsonlines import Columns, JsonLinesParser, json_fit
from wardgate.sources.stamps import stamp_us
from wardgate.sources.times import TIME, zone

HeaderMap = dict[str, str | int | float | list[str] | None]
_ABSENT = msgspec.Raw(b"")
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}\Z")
_text = msgspec.json.Decoder(str)
_LOOKED_AT = 50
_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "ts": (*KEYS["started_at"], *KEYS["ended_at"]),
    "status": KEYS["status"],
    "duration_ms": tuple(key for field in KEYS if field.startswith("duration_") for key in KEYS[field]),
    "client_ip": KEYS["client"],
}


class Record(msgspec.Struct, gc=False):
    """One line."""

    ts: float | int | str | None = None
    method: str | None = None
    url: str | None = None
    status: int | None = None
    duration_ms: float | None = None
    client_ip: str | None = None
    request_headers: HeaderMap | None = None
    request_body: msgspec.Raw = _ABSENT
    response_headers: HeaderMap | None = None
    response_body: msgspec.Raw = _ABSENT


class WardgateJsonLines:
    """Wardgate's own JSON Lines: one call an object, with headers and bodies if you have them."""

    name = "wardgate-jsonl"
    title = "Wardgate JSON Lines"
    reference = "Wardgate documentation, JSON Lines"

    def fit(self, sample: bytes) -> Fit | None:
        fit = json_fit(sample, self.title, ("method", "url"), ("ts", "status"))
        if fit is None:
            return None
        lines = [line for line in sample.split(b"\n")[:_LOOKED_AT] if line.strip()]
        score = fit.score * (1 - sum(map(_is_foreign, lines)) / len(lines)) if lines else fit.score
        return Fit(score, fit.why) if score else None

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        default_zone = zone(options.timezone)
        return JsonLinesParser(
            Record,
            lambda records: _columns(records, default_zone),
            lambda record: _unfit(record, default_zone),
        )


def _is_foreign(line: bytes) -> bool:
    """Whether what we name in one way is there under another name only."""
    try:
        record = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(record, dict) and any(
        record.get(own) is None and any(value_at(record, name) is not None for name in names)
        for own, names in _OTHER_NAMES.items()
    )


def _unfit(record: Record, default_zone: tzinfo) -> Reason | None:
    """Why a decoded line cannot be a call, if so."""
    if not record.method or not record.url:
        return Reason.MISSING_FIELD
    if not _METHOD.match(record.method) or not is_target(record.url, record.method):
        return Reason.BAD_REQUEST
    if record.status is not None and not 0 <= record.status <= 999:
        return Reason.BAD_VALUE
    if record.ts is not None and stamp_us(record.ts, default_zone) is None:
        return Reason.BAD_TIME
    return None


def _columns(records: list[Record], default_zone: tzinfo) -> Columns:
    stamps = [stamp_us(one.ts, default_zone) if one.ts is not None else None for one in records]
    return {
        "started_at": pa.array([stamp and stamp[0] for stamp in stamps], pa.int64()).cast(TIME),
        "precision_us": pa.array([stamp and stamp[1] for stamp in stamps], pa.int64()),
        "method": pa.array([one.method for one in records], pa.string()),
        "target": pa.array([one.url for one in records], pa.string()),
        "status": pa.array(
            [one.status if one.status is not None and one.status >= 100 else None for one in records],
            pa.int16(),
        ),
        "duration_us": pa.array([_duration(one.duration_ms) for one in records], pa.int64()),
        "client": pa.array([one.client_ip or None for one in records], pa.string()),
        "request_headers": _headers([one.request_headers for one in records]),
        "response_headers": _headers([one.response_headers for one in records]),
        "request_body": pa.array([_body(one.request_body) for one in records], pa.large_binary()),
        "response_body": pa.array([_body(one.response_body) for one in records], pa.large_binary()),
    }


def _duration(ms: float | None) -> int | None:
    return round(ms * 1000) if ms is not None and 0 <= ms < 9e12 else None


def _headers(maps: list[HeaderMap | None]) -> pa.ListArray:
    lists = HeaderLists()
    for one in maps:
        if one is None:
            lists.add_absent()
        elif all(type(value) is str for value in one.values()):
            lists.add(one.keys(), cast("ValuesView[str]", one.values()))
        else:
            pairs = [(name, item) for name, value in one.items() for item in _items(value)]
            lists.add((name for name, _ in pairs), (item for _, item in pairs))
    return lists.array()


def _items(value: str | int | float | list[str] | None) -> list[str]:
    if isinstance(value, list):
        return value
    return [] if value is None else [str(value)]


def _body(raw: msgspec.Raw) -> bytes | None:
    """Text as its bytes; any other JSON value as it was written."""
    written = bytes(raw)
    if not written or written == b"null":
        return None
    if not written.startswith(b'"'):
        return written
    try:
        return _text.decode(written).encode()
    except (msgspec.MsgspecError, UnicodeDecodeError):  # not text in UTF-8: what stands between the quotes
        return written[1:-1]
