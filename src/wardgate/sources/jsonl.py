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
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.observed import HEADERS, Reason
from wardgate.sources.access import USUAL_TARGET, is_target
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.generic_json import KEYS
from wardgate.sources.headers import HeaderLists
from wardgate.sources.json_keys import value_at
from wardgate.sources.jsonlines import Columns, JsonLinesParser, json_fit
from wardgate.sources.stamp_columns import raw_stamps, stamp_columns
from wardgate.sources.times import zone

HeaderMap = dict[str, str | int | float | list[str] | None]
_ABSENT = msgspec.Raw(b"")
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}\Z")
_text = msgspec.json.Decoder(str)
_LOOKED_AT = 50
_TEXTS = frozenset({str})
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
        return JsonLinesParser(Record, lambda records: _columns(records, default_zone))


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


def _columns(records: list[Record], default_zone: tzinfo) -> tuple[Columns, dict[int, Reason]]:
    started, precision, no_time = stamp_columns([raw_stamps([one.ts for one in records])], default_zone)
    methods = [one.method or None for one in records]
    targets = pa.array([one.url or None for one in records], pa.string())
    statuses = [one.status for one in records]
    columns: Columns = {
        "started_at": started,
        "precision_us": precision,
        "method": pa.array(methods, pa.string()),
        "target": targets,
        "status": pa.array(
            [one if one is not None and 100 <= one <= 999 else None for one in statuses], pa.int16()
        ),
        "duration_us": pa.array([_duration(one.duration_ms) for one in records], pa.int64()),
        "client": pa.array([one.client_ip or None for one in records], pa.string()),
        "request_headers": _headers([one.request_headers for one in records]),
        "response_headers": _headers([one.response_headers for one in records]),
        "request_body": _bodies([one.request_body for one in records]),
        "response_body": _bodies([one.response_body for one in records]),
    }
    unfit = dict.fromkeys(np.flatnonzero(no_time).tolist(), Reason.BAD_TIME)
    unfit |= {
        i: Reason.BAD_VALUE for i, one in enumerate(statuses) if one is not None and not 0 <= one <= 999
    }
    return columns, unfit | _unfit_requests(methods, targets)


def _unfit_requests(methods: list[str | None], targets: pa.Array) -> dict[int, Reason]:
    """Methods and targets that are none of HTTP's, or not there."""
    strange = {one for one in set(methods) if one is None or not _METHOD.match(one)}
    doubtful = pc.invert(pc.match_substring_regex(targets, USUAL_TARGET).fill_null(False))
    odd = np.flatnonzero(doubtful.to_numpy(zero_copy_only=False)).tolist()
    unfit: dict[int, Reason] = {}
    for i in [*odd, *(i for i, one in enumerate(methods) if one in strange)] if strange else odd:
        method, target = methods[i], targets[i].as_py()
        if method is None or target is None:
            unfit[i] = Reason.MISSING_FIELD
        elif method in strange or not is_target(target, method):
            unfit[i] = Reason.BAD_REQUEST
    return unfit


def _duration(ms: float | None) -> int | None:
    return round(ms * 1000) if ms is not None and 0 <= ms < 9e12 else None


def _headers(maps: list[HeaderMap | None]) -> pa.ListArray:
    if all(one is None for one in maps):
        return pa.nulls(len(maps), HEADERS)
    lists = HeaderLists()
    for one in maps:
        if one is None:
            lists.add_absent()
        elif _TEXTS.issuperset(map(type, one.values())):
            lists.add(one.keys(), cast("ValuesView[str]", one.values()))
        else:
            pairs = [(name, item) for name, value in one.items() for item in _items(value)]
            lists.add((name for name, _ in pairs), (item for _, item in pairs))
    return lists.array()


def _items(value: str | int | float | list[str] | None) -> list[str]:
    if isinstance(value, list):
        return value
    return [] if value is None else [str(value)]


def _bodies(raws: list[msgspec.Raw]) -> pa.Array:
    if {id(_ABSENT)}.issuperset(map(id, raws)):
        return pa.nulls(len(raws), pa.large_binary())
    bodies = [_body(one) for one in raws]
    sizes = np.fromiter((0 if one is None else len(one) for one in bodies), np.int64, len(bodies))
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    shown = pa.array([one is not None for one in bodies], pa.bool_())
    # Joined at once: a builder would copy what it has whenever that doubles.
    buffers = [shown.buffers()[1], pa.py_buffer(offsets), pa.py_buffer(b"".join(filter(None, bodies)))]
    return pa.Array.from_buffers(pa.large_binary(), len(bodies), buffers)


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
