"""A time stamp as people and tools write it into JSON: RFC 3339 or an epoch, with how precise it is."""

import re
from datetime import UTC, tzinfo

from wardgate.sources.times import epoch_us, iso_time

_FRACTION = re.compile(r":\d\d[.,](\d+)")
_LAST = 253_402_300_799_999_999  # the end of the year 9999: what a time stamp can be shown as


def stamp_us(value: float | int | str, zone: tzinfo = UTC) -> tuple[int, int] | None:
    """µs since 1970 and the stamp's resolution in µs; None where it is no time.

    Numbers, also in quotes, are seconds, ms, µs or ns, told by their size; text is RFC 3339, in `zone`
    where it carries none.
    """
    if isinstance(value, str) and (value[4:5] == "-" or not _is_number(value)):
        when = iso_time(value, zone)
        fraction = _FRACTION.search(value) if value[19:20] != "Z" else None
        precision = 10 ** max(6 - len(fraction[1]), 0) if fraction else 1_000_000
    else:
        when = epoch_us(value)
        precision = _number_precision(str(value))
    return (when, precision) if when is not None and abs(when) <= _LAST else None


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and text.isascii()


def _number_precision(text: str) -> int:
    whole, _, fraction = text.partition(".")
    digits = len(fraction) + max(len(whole) - 10, 0) // 3 * 3
    return int(10 ** max(6 - digits, 0))
