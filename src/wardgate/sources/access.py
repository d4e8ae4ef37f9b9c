"""From a text log's raw fields to observed columns, one vocabulary for every vendor.

A vendor's module maps its own variables to these field names; what they mean is decided here, once, and
once per distinct value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.observed import HEADER_PREFIXES, OBSERVED, Reason
from wardgate.sources.request_lines import split_requests
from wardgate.sources.times import clf_times, epoch_times, iso_times, text_times

NUMBERS: dict[str, pa.DataType] = {
    "status": pa.int64(),
    "port": pa.int64(),
    "client_port": pa.int64(),
    "request_bytes": pa.int64(),
    "response_bytes": pa.int64(),
    "duration_s": pa.float64(),
    "duration_ms": pa.float64(),
    "duration_us": pa.float64(),
    "duration_ns": pa.float64(),
    "upstream_duration_ms": pa.float64(),
    "upstream_duration_us": pa.float64(),
    "upstream_duration_ns": pa.float64(),
}
"""Fields that are numbers, and the type they are read as."""

FIELDS: dict[str, str] = {
    "time_clf": "10/Oct/2000:13:55:36 -0700",
    "time_iso": "ISO 8601",
    "time_epoch": "seconds, ms, µs or ns since 1970",
    "time_text": "a stamp in the layout's own `time_format`",
    "date": "2026-11-14, with `time` beside it",
    "time": "13:55:36, with `date` beside it",
    "request": "a whole request line",
    "url": "an absolute URL, or a host and path",
    "status": "HTTP status",
    "duration_s": "duration in seconds",
    "duration_ms": "duration in milliseconds",
    "duration_us": "duration in microseconds",
    "duration_ns": "duration in nanoseconds",
    "upstream_duration_s": "upstream time in seconds, several divided by commas or colons",
    "upstream_duration_ms": "upstream time in milliseconds",
    "upstream_duration_us": "upstream time in microseconds",
    "upstream_duration_ns": "upstream time in nanoseconds",
    "upstream_status": "upstream status, several divided by commas or colons: the last counts",
}
"""Field names besides the observed columns themselves and `req.<name>` / `resp.<name>`."""

Fields = Mapping[str, pa.Array]
Masks = dict[Reason, npt.NDArray[np.bool_]]

TEXT = {name for name, kind in OBSERVED.items() if kind == pa.string()}
_REQUEST = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) +(\S(?:.*\S)?)\Z", re.DOTALL)
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}\Z")
_METHODS = pa.array(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
_VERSION = re.compile(r"\A(.*\S) +(HTTPS?/\d(?:\.\d)?)\Z", re.DOTALL)
_TARGET = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*://|\*\Z")
USUAL_TARGET = r"^(?:/|https?://)"
"""RE2 of targets that are surely one: origin form, and absolute form of the web."""
_AUTHORITY = re.compile(r"[A-Za-z0-9.\-_\[\]:]+:\d+\Z")


def is_field(name: str) -> bool:
    """Whether a field name means something here."""
    return name in FIELDS or name in TEXT or name in NUMBERS or name.startswith(HEADER_PREFIXES)


def split_request(line: str) -> tuple[str, str, str | None] | None:
    """Method, target and version of a request line; None when it is not HTTP.

    HTTP/0.9 (`GET /x`) has no version. A target may hold raw spaces: servers log them as they came. The
    method `-`, though a token of HTTP, is how logs write that there was none.
    """
    version = None
    found = _VERSION.match(line)
    if found is not None:
        line, version = found[1], found[2]
    found = _REQUEST.match(line)
    if found is None or found[1] == "-" or not is_target(found[2], found[1]):
        return None
    return found[1], found[2], version


def is_target(target: str, method: str = "") -> bool:
    """Whether a request target has one of HTTP's four forms."""
    if _TARGET.match(target):
        return True
    return method == "CONNECT" and _AUTHORITY.match(target) is not None


def access_columns(
    fields: Fields,
    stamp: Literal["start", "end"],
    precision_us: int,
    default_zone: tzinfo,
    time_format: str | None = None,
) -> tuple[dict[str, pa.Array], Masks]:
    """Observed columns (without `position`) from raw fields of equal length, and masks of rows to reject.

    `time_format` is the `strptime` form of `time_text`.
    """
    count = len(next(iter(fields.values())))
    columns: dict[str, pa.Array] = {}
    bad: Masks = {}
    when, wrong_time = _times(fields, default_zone, time_format)
    if when is not None:
        columns["ended_at" if stamp == "end" else "started_at"] = when
        columns["precision_us"] = pa.array(np.full(count, precision_us), pa.int64())
    if wrong_time is not None and wrong_time.any():
        bad[Reason.BAD_TIME] = wrong_time
    wrong_request = _requests(fields, columns, count)
    if wrong_request.any():
        bad[Reason.BAD_REQUEST] = wrong_request
    _durations(fields, columns)
    wrong_value = _numbers(fields, columns, count)
    if wrong_value.any():
        bad[Reason.BAD_VALUE] = wrong_value
    for name, array in fields.items():
        if name not in columns and name not in FIELDS and (name in TEXT or name.startswith(HEADER_PREFIXES)):
            columns[name] = array
    if "query" in columns and "target" in columns:
        columns["query"] = _query_apart(columns["query"], dictionary(columns["target"]))
    return columns, bad


def _query_apart(query: pa.Array, target: pa.DictionaryArray) -> pa.Array:
    """The query where the target does not hold it already: some layouts log both."""
    held = pc.match_substring(target.dictionary, "?")
    if not pc.any(held).as_py():
        return query
    return pc.if_else(held.take(target.indices).fill_null(False), pa.scalar(None, pa.string()), plain(query))


def _times(
    fields: Fields, default_zone: tzinfo, time_format: str | None
) -> tuple[pa.Array | None, npt.NDArray[np.bool_] | None]:
    if "time_clf" in fields:
        raw, when = fields["time_clf"], clf_times(fields["time_clf"], default_zone)
    elif "time_iso" in fields:
        raw, when = fields["time_iso"], iso_times(fields["time_iso"], default_zone)
    elif "time_epoch" in fields:
        raw = fields["time_epoch"]
        when = epoch_times(raw.to_pylist())
    elif "time_text" in fields and time_format:
        when = text_times(fields["time_text"], time_format, default_zone)
    elif "date" in fields and "time" in fields:
        raw = pc.binary_join_element_wise(plain(fields["date"]), plain(fields["time"]), " ")
        when = iso_times(raw, default_zone)
    else:
        return None, None
    return when, _flags(when.is_null())


def _requests(fields: Fields, columns: dict[str, pa.Array], count: int) -> npt.NDArray[np.bool_]:
    """Fill method, target and http_version; answer which rows are no HTTP request."""
    if "request" in fields:
        parts, wrong = split_requests(dictionary(fields["request"]), split_request)
        columns.update(parts)
        return wrong
    target = fields.get("target", fields.get("url"))
    if target is None:
        return np.ones(count, bool)
    encoded = dictionary(target)
    columns["target"] = encoded
    surely = pc.match_substring_regex(encoded.dictionary, "^(/|https?://)")
    wrong = _outside(encoded, surely, lambda value: is_target(value, "CONNECT"))
    if "method" in fields:
        columns["method"] = methods = dictionary(fields["method"])
        wrong |= _outside(methods, pc.is_in(methods.dictionary, _METHODS), _METHOD.match)
    return wrong


def _outside(
    encoded: pa.DictionaryArray, surely: pa.Array, is_right: Callable[[str], object]
) -> npt.NDArray[np.bool_]:
    """Rows that are null or whose value is not right; `surely` marks distinct values that need no look."""
    right = _flags(surely)
    for i in np.flatnonzero(~right):
        right[i] = bool(is_right(encoded.dictionary[i].as_py()))
    wrong = _flags(encoded.indices.is_null())
    filled = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return wrong | ~(right[filled] if len(right) else wrong)


def _durations(fields: Fields, columns: dict[str, pa.Array]) -> None:
    for prefix in ("duration", "upstream_duration"):
        for unit, factor in (("ns", 0.001), ("us", 1), ("ms", 1000), ("s", 1_000_000)):
            name = f"{prefix}_{unit}"
            if name not in fields:
                continue
            array = fields[name]
            if not pa.types.is_floating(array.type):
                array = by_distinct(array, _last_number, pa.float64())
            us = pc.round(pc.multiply(array, float(factor)))
            us = pc.if_else(
                pc.and_(pc.greater_equal(us, 0.0), pc.less(us, 9e15)), us, pa.scalar(None, pa.float64())
            )
            columns[f"{prefix}_us"] = us.cast(pa.int64())
            break


def _numbers(fields: Fields, columns: dict[str, pa.Array], count: int) -> npt.NDArray[np.bool_]:
    """Fill integer columns; answer the rows whose status no server could have sent."""
    wrong = np.zeros(count, bool)
    if "status" in fields:
        status = fields["status"]
        outside = pc.or_(pc.less(status, 0), pc.greater(status, 999)).fill_null(False)
        wrong = _flags(outside)
        inside = pc.and_(pc.greater_equal(status, 100), pc.less_equal(status, 999))
        columns["status"] = pc.if_else(inside, status, pa.scalar(None, pa.int64())).cast(pa.int16())
    if "upstream_status" in fields:
        several = fields["upstream_status"]
        if pa.types.is_integer(several.type):
            inside = pc.and_(pc.greater_equal(several, 100), pc.less_equal(several, 999))
            known = pc.if_else(inside, several, pa.scalar(None, pa.int64()))
            columns["upstream_status"] = known.cast(pa.int16())
        else:
            columns["upstream_status"] = by_distinct(several, _last_status, pa.int16())
    for name in ("request_bytes", "response_bytes"):
        if name in fields:
            size = fields[name]
            columns[name] = pc.if_else(pc.greater_equal(size, 0), size, pa.scalar(None, pa.int64()))
    for name in ("port", "client_port"):
        if name in fields:
            inside = pc.and_(pc.greater(fields[name], 0), pc.less(fields[name], 65536))
            columns[name] = pc.if_else(inside, fields[name], pa.scalar(None, pa.int64())).cast(pa.int32())
    return wrong


def _last_number(text: str) -> float | None:
    """The sum of several upstreams' times: NGINX divides them by `, ` and ` : `."""
    total, seen = 0.0, False
    for part in re.split(r"[,: ]+", text):
        try:
            total += float(part)
            seen = True
        except ValueError:
            continue
    return total if seen else None


def _last_status(text: str) -> int | None:
    digits = re.findall(r"\b\d{3}\b", text)
    return int(digits[-1]) if digits else None


def plain(array: pa.Array) -> pa.Array:
    """The strings themselves, whether dictionary-encoded or not."""
    return array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array


def dictionary(array: pa.Array) -> pa.DictionaryArray:
    """Dictionary-encoded, whether it was or not."""
    return array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)


def by_distinct(array: pa.Array, convert: Callable[[str], object], kind: pa.DataType) -> pa.Array:
    """`convert` applied once per distinct string; null stays null."""
    encoded = dictionary(array)
    return pa.array([convert(value) for value in encoded.dictionary.to_pylist()], kind).take(encoded.indices)


def _flags(array: pa.Array) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = array.to_numpy(zero_copy_only=False).astype(bool)
    return flags
