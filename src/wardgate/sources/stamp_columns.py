"""Time stamps of many JSON records at once: what `stamps.stamp_us` says of one, in columns where all agree.

Logs of one origin write all their stamps alike, so the usual column is RFC 3339 or whole numbers; those are
read in Arrow and NumPy. Anything else goes through the reference, once per distinct text, which also reads
common-log-format stamps (`10/Oct/2000:13:55:36 -0700`) and Caddy's wall clock (`2006/01/02 15:04:05`).
"""

import re
from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.sources.stamps import stamp_us
from wardgate.sources.times import TIME, clf_time

_WALL = re.compile(r"(\d{4})/(\d\d)/(\d\d) ")
_CLF_FRACTION = re.compile(r":\d\d\.(\d+)")
_SECOND = 1_000_000
_UTC_NS = pa.timestamp("ns", tz="UTC")

Stamped = tuple[pa.Array, pa.Array, npt.NDArray[np.bool_]]
"""Times (`TIME`), their precision in µs (int64), and which rows hold something that is no time."""

Raw: TypeAlias = "pa.Array | list[object]"
"""Stamps as they stand: an array of strings (perhaps with a dictionary) or of int64, or a list where they
are of several kinds."""


def raw_stamps(values: Sequence[object]) -> Raw:
    """`values` (strings, numbers or None) gathered for `stamp_columns`, which likes many at once."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds <= {str}:
            return pa.array(values, pa.string())
        if kinds == {int}:
            return pa.array(values, pa.int64())
    except (pa.ArrowInvalid, OverflowError):  # a number too large for the column
        pass
    return list(values)


def stamp_columns(parts: Sequence[Raw], zone: tzinfo = UTC) -> Stamped:
    """Times, precisions and unreadable rows of all stamps in `parts`."""
    if len(parts) == 1 and isinstance(parts[0], pa.DictionaryArray):
        return _spread(stamp_columns([parts[0].dictionary], zone), parts[0].indices)
    if any(isinstance(part, pa.DictionaryArray) for part in parts):
        times, precisions, wrong = zip(*(stamp_columns([part], zone) for part in parts), strict=True)
        return pa.concat_arrays(times), pa.concat_arrays(precisions), np.concatenate(wrong)
    kinds = {part.type if isinstance(part, pa.Array) else None for part in parts}
    if len(kinds) == 1 and None not in kinds:
        array = pa.concat_arrays(parts)
        found = _texts(array) if pa.types.is_string(array.type) else _whole_numbers(array)
        if found is not None:
            return found
    values: list[object] = []
    for part in parts:
        values += part.to_pylist() if isinstance(part, pa.Array) else part
    return _one_by_one(values, zone)


def _spread(distinct: Stamped, indices: pa.Array) -> Stamped:
    """What was found of distinct stamps, for every row."""
    times, precision, wrong = distinct
    if wrong.any():
        rows = pa.array(wrong).take(indices).fill_null(False).to_numpy(zero_copy_only=False)
    else:
        rows = np.zeros(len(indices), bool)
    return times.take(indices), precision.take(indices), rows


def any_stamp_us(value: object, zone: tzinfo = UTC) -> tuple[int, int] | None:
    """µs since 1970 and precision in µs of one stamp in any of the ways logs write it; None for others."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return None
    found = stamp_us(value, zone)
    if found is not None or not isinstance(value, str):
        return found
    if _WALL.match(value):
        return stamp_us(_WALL.sub(r"\1-\2-\3 ", value), zone)
    when = clf_time(value)
    if when is None:
        return None
    fraction = _CLF_FRACTION.search(value)
    return when, 10 ** max(6 - len(fraction[1]), 0) if fraction else _SECOND


def _one_by_one(values: Sequence[object], zone: tzinfo) -> Stamped:
    known = {value: any_stamp_us(value, zone) for value in {one for one in values if isinstance(one, str)}}
    stamps = [
        known[value] if isinstance(value, str) else None if value is None else any_stamp_us(value, zone)
        for value in values
    ]
    wrong = np.array(
        [stamp is None and value is not None for stamp, value in zip(stamps, values, strict=True)], bool
    )
    return (
        pa.array([stamp and stamp[0] for stamp in stamps], pa.int64()).cast(TIME),
        pa.array([stamp and stamp[1] for stamp in stamps], pa.int64()),
        wrong,
    )


def _whole_numbers(array: pa.Array) -> Stamped:
    """Epochs, told apart by their size as `times.epoch_us` does."""
    absent = array.is_null().to_numpy(zero_copy_only=False)
    number = array.fill_null(0).to_numpy(zero_copy_only=False)
    wrong = (number <= 0) & ~absent
    number = np.where(number <= 0, 1, number)
    us = np.select(
        [number < 10**11, number < 10**14, number < 10**17],
        [number * _SECOND, number * 1000, number],
        number // 1000,
    )
    precision = np.select([number < 10**12, number < 10**15], [_SECOND, 1000], 1)
    missing = absent | wrong
    return pa.array(us, pa.int64(), mask=missing).cast(TIME), pa.array(precision, mask=missing), wrong


def _texts(array: pa.Array) -> Stamped | None:
    """Stamps that are all whole numbers in quotes, or all RFC 3339; None when any is something else."""
    if array.null_count == len(array):
        absent = pa.nulls(len(array), pa.int64())
        return absent.cast(TIME), absent, np.zeros(len(array), bool)
    first = array[pc.index(array.is_valid(), True).as_py()].as_py()
    try:
        if first.isdecimal():
            alike = pc.match_substring_regex(array, r"^[1-9][0-9]*$")
            return _whole_numbers(array.cast(pa.int64())) if pc.all(alike).as_py() else None
        if first.endswith("Z"):
            return _rfc3339(array, 1) if pc.all(pc.ends_with(array, "Z")).as_py() else None
        alike = pc.match_substring_regex(array, r"[+-][0-9]{2}:[0-9]{2}$")
        return _rfc3339(array, 6) if pc.all(alike).as_py() else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _rfc3339(array: pa.Array, zone: int) -> Stamped | None:
    """Stamps whose zone takes `zone` characters. Raises `ArrowInvalid` where one is no time."""
    ns = array.cast(_UTC_NS).cast(pa.int64())
    if pc.min(ns).as_py() < 0:  # before 1970 digits past the microsecond would be cut the other way
        return None
    dot = pc.find_substring(array, ".").to_numpy(zero_copy_only=False)
    length = pc.binary_length(array).to_numpy(zero_copy_only=False)
    absent = array.is_null().to_numpy(zero_copy_only=False)
    digits = np.where(absent | (dot < 0), 0, length - dot - 1 - zone).astype(np.int64)
    precision = np.power(10, np.maximum(6 - digits, 0))
    us = pc.divide(ns, 1000)
    return us.cast(TIME), pa.array(precision, pa.int64(), mask=absent), np.zeros(len(array), bool)
