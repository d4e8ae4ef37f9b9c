"""Time stamps as logs write them, to UTC microseconds. Distinct values are converted once, in columns."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.errors import WardgateError

TIME = pa.timestamp("us")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone(name: str | None) -> tzinfo:
    """The zone for stamps that carry none. Raises `timezone-unknown`."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise WardgateError("timezone-unknown", f"no time zone is called {name!r}.") from error


def clf_times(stamps: pa.Array, default_zone: tzinfo = UTC) -> pa.Array:
    """`10/Oct/2000:13:55:36 -0700` (common log format, with or without brackets) to timestamps; else null.

    HAProxy's stamps carry no zone: those are in `default_zone`.
    """
    return _by_distinct(stamps, lambda values: _clf_times(values, default_zone))


def iso_times(stamps: pa.Array, default_zone: tzinfo = UTC) -> pa.Array:
    """ISO 8601 stamps, with `T` or a space, any fraction; without zone in `default_zone`; else null."""
    return _by_distinct(stamps, lambda values: [iso_time(one, default_zone) for one in values.to_pylist()])


def text_times(stamps: pa.Array, form: str, default_zone: tzinfo = UTC) -> pa.Array:
    """Stamps in a `strptime` form, else null; zone-less in `default_zone`, or UTC where the form says GMT."""
    default_zone = UTC if form.endswith(("GMT", "Z")) else default_zone
    return _by_distinct(
        stamps, lambda values: [text_time(one, form, default_zone) for one in values.to_pylist()]
    )


def epoch_times(numbers: Iterable[float | int | str | None]) -> pa.Array:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970, told by their size; else null."""
    return pa.array([epoch_us(number) for number in numbers], pa.int64()).cast(TIME)


_MONTHS = {m: i for i, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_CLF = re.compile(
    r"\[?(\d{1,2})/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)? ?([+-]\d\d)?:?(\d\d)?\]?\Z"
)


_SECONDS = pa.array([f"{n:02d}" for n in range(60)], pa.string())
_AFTER_MINUTE = len("10/Oct/2000:13:55")


def _clf_times(stamps: pa.Array, default_zone: tzinfo) -> pa.Array:
    """Those of one minute in one zone are the minute's and their second: read once for all of them."""
    colon, at, after = (_AFTER_MINUTE + n for n in (0, 1, 3))
    rest = pc.utf8_slice_codeunits(stamps, after)
    second = pc.index_in(pc.utf8_slice_codeunits(stamps, at, after), value_set=_SECONDS)
    alike = pc.and_(pc.equal(pc.utf8_slice_codeunits(stamps, colon, at), ":"), pc.starts_with(rest, " "))
    alike = pc.and_(alike, second.is_valid())
    minutes = pc.binary_join_element_wise(pc.utf8_slice_codeunits(stamps, 0, colon), rest, ":00")
    minutes = pc.dictionary_encode(pc.if_else(alike, minutes, pa.scalar(None, pa.string())))
    starts = [clf_time(minute, default_zone) for minute in minutes.dictionary.to_pylist()]
    out = pc.add(
        pa.array(starts, pa.int64()).take(minutes.indices), pc.multiply(second.cast(pa.int64()), 1_000_000)
    )
    others = pc.invert(alike)
    if pc.any(others).as_py():
        texts = stamps.filter(others).to_pylist()
        found = pa.array([clf_time(text, default_zone) for text in texts], pa.int64())
        out = pc.replace_with_mask(out, others, found)
    return out


def clf_time(stamp: str, default_zone: tzinfo = UTC) -> int | None:
    """One common-log-format stamp as µs since 1970, or None. Without zone it is in `default_zone`."""
    found = _CLF.match(stamp)
    if found is None:
        return None
    day, month, year, hour, minute, second, fraction, zone_hours, zone_minutes = found.groups()
    try:
        whole = datetime(
            int(year), _MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
        )
    except (KeyError, ValueError):
        return None
    offset = 0
    if zone_hours:
        offset = int(zone_hours) * 3600
        offset += (-1 if zone_hours[0] == "-" else 1) * int(zone_minutes or 0) * 60
    elif default_zone is not UTC:
        return _since_epoch(whole.replace(microsecond=_micros(fraction), tzinfo=default_zone))
    delta = whole - _EPOCH
    return (delta.days * 86400 + delta.seconds - offset) * 1_000_000 + _micros(fraction)


def iso_time(stamp: str, default_zone: tzinfo = UTC) -> int | None:
    """One ISO 8601 stamp as µs since 1970, or None. Digits past the microsecond are cut."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return _since_epoch(when if when.tzinfo is not None else when.replace(tzinfo=default_zone))


def text_time(stamp: str, form: str, default_zone: tzinfo = UTC) -> int | None:
    """One stamp in a `strptime` form as µs since 1970, or None."""
    try:
        when = datetime.strptime(stamp, form)  # noqa: DTZ007 - the zone is given below
    except (ValueError, OverflowError):
        return None
    return _since_epoch(when if when.tzinfo is not None else when.replace(tzinfo=default_zone))


def _micros(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0"))


def _since_epoch(when: datetime) -> int | None:
    try:
        delta = when - _EPOCH
    except OverflowError:
        return None
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds


def epoch_us(number: float | int | str | None) -> int | None:
    """One epoch number as µs: below 1e11 seconds, below 1e14 ms, below 1e17 µs, else ns; else None."""
    if number is None:
        return None
    try:
        value = float(number)
        exact = int(number) if not isinstance(number, float) else None
    except (ValueError, OverflowError):
        try:
            value, exact = float(number), None
        except (ValueError, OverflowError):
            return None
    if not 0 < value < 1e20:
        return None
    for limit, factor in ((1e11, 1_000_000), (1e14, 1_000), (1e17, 1)):
        if value < limit:
            return exact * factor if exact is not None else round(value * factor)
    return (exact if exact is not None else round(value)) // 1000


def _by_distinct(stamps: pa.Array, convert: Callable[[pa.Array], pa.Array | list[int | None]]) -> pa.Array:
    encoded = stamps if pa.types.is_dictionary(stamps.type) else pc.dictionary_encode(stamps)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.chunk(0)
    values = convert(encoded.dictionary.fill_null(""))
    values = pa.array(values, pa.int64()) if isinstance(values, list) else values
    return values.cast(TIME).take(encoded.indices)
