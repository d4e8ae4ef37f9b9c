"""From decoded JSON values to raw access fields, column by column, with the rows that cannot be calls.

A vendor's JSON module says which of its fields is which (`out.text("client", [r.ClientIP for r in seen])`);
what a value of an unexpected type means is decided here, once: numbers in quotes are numbers, "" and "-" in
a number's place are absent, everything else of the wrong type rejects its record alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.observed import Reason
from wardgate.match.secrets import is_secret_name
from wardgate.sources.access import NUMBERS, split_request
from wardgate.sources.headers import HeaderLists
from wardgate.sources.stamp_columns import Raw, raw_stamps

HeaderMap = Mapping[str, object]
Mask = npt.NDArray[np.bool_]
Key = TypeVar("Key")
REDACTED = ("REDACTED", "[REDACTED]")
"""What Caddy, Traefik and Kong write in the place of a header's value: it was there, and is not shown."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)
_GO_DURATION = re.compile(r"-?(\d+(?:\.\d*)?(?:h|ms|m|s|us|µs|μs|ns))+\Z", re.ASCII)
_GO_PART = re.compile(r"(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|μs|ns)", re.ASCII)
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_INT64 = 1 << 63
_WHOLE = frozenset([int, type(None)])
_REAL = _WHOLE | {float}
_QUOTED = frozenset([str, type(None)])
_NOTHING = pa.array(["", "-"])
_PLAIN = r"^[0-9]{1,15}(\.[0-9]{1,9})?$"
_PLAIN_WHOLE = r"^[0-9]{1,18}$"


class JsonColumns:
    """The fields of `count` records, to be filled; `bad` and `skipped` mark rows that are no calls."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.fields: dict[str, pa.Array] = {}
        """Raw fields, as `access.access_columns` takes them."""
        self.stamps: dict[str, Raw] = {}
        """`started_at` and `ended_at`, as they stand."""
        self.columns: dict[str, pa.Array] = {}
        """Finished observed columns: header lists."""
        self.bad: dict[Reason, Mask] = {}
        self.skipped: dict[str, Mask] = {}

    def text(self, name: str, values: Sequence[object] | pa.Array) -> None:
        """A field of text. Numbers are taken as they are written; lists and objects reject their record."""
        if isinstance(values, pa.Array):
            self.fields[name] = values
            return
        try:
            self.fields[name] = pa.array(values, pa.string())
            return
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            pass
        wrong = [isinstance(value, list | dict | bool) for value in values]
        texts = [None if bad else _text(value) for value, bad in zip(values, wrong, strict=True)]
        self.fields[name] = pa.array(texts, pa.string())
        self.reject(Reason.BAD_VALUE, wrong)

    def converted(
        self, name: str, values: Sequence[str | None], convert: Callable[[str], str | None]
    ) -> None:
        """A field of text that is written in another way: `convert` once per distinct value."""
        known: dict[str | None, str | None] = {one: convert(one) for one in set(values) if one is not None}
        self.fields[name] = pa.array([known.get(value) for value in values], pa.string())

    def whole(self, name: str, values: Sequence[int | None] | pa.Array) -> None:
        """A field of `access.NUMBERS` whose type is `json_types.Whole`: checked while it was decoded."""
        kind = NUMBERS.get(name, pa.int64())
        self.fields[name] = (
            values.cast(kind, safe=False) if isinstance(values, pa.Array) else pa.array(values, kind)
        )

    def number(self, name: str, values: Sequence[object], convert: Callable[[str], float] = float) -> None:
        """A field of `access.NUMBERS`; `convert` reads what stands in quotes (ValueError: it is none)."""
        kind = NUMBERS[name]
        if set(map(type, values)) <= (_REAL if pa.types.is_floating(kind) else _WHOLE):
            try:
                self.fields[name] = pa.array(values, kind)
                return
            except (pa.ArrowInvalid, OverflowError):  # too large for the column
                pass
        elif convert is float and set(map(type, values)) <= _QUOTED:
            found = _plain_numbers(pa.array(values, pa.string()), kind)
            if found is not None:
                self.fields[name] = found
                return
        numbers: list[float | None] = []
        wrong = []
        for value in values:
            number, bad = _number(value, convert, pa.types.is_integer(kind))
            numbers.append(number)
            wrong.append(bad)
        self.fields[name] = pa.array(numbers, kind)
        self.reject(Reason.BAD_VALUE, wrong)

    def stamp(self, name: str, values: Sequence[object] | pa.Array) -> None:
        """`started_at` or `ended_at`, in whatever way they are written."""
        self.stamps[name] = values if isinstance(values, pa.Array) else raw_stamps(values)

    def scale(self, name: str, factors: Sequence[float]) -> None:
        """Multiply a field of numbers row by row: records of one log may count in different units."""
        self.fields[name] = pc.multiply(self.fields[name], pa.array(factors, pa.float64()))

    def request(self, values: Sequence[str | None]) -> None:
        """Whole request lines, for the records that have no method and target of their own."""
        parts = {value: split_request(value) for value in set(values) if value}
        found = [parts.get(value) if value else None for value in values]
        for i, name in enumerate(("method", "target", "http_version")):
            lines = pa.array([part[i] if part else None for part in found], pa.string())
            self.fields[name] = self.fields[name].fill_null(lines) if name in self.fields else lines
        self.reject(
            Reason.BAD_REQUEST,
            [bool(value) and part is None for value, part in zip(values, found, strict=True)],
        )

    def headers(self, name: str, maps: Sequence[HeaderMap | None]) -> None:
        """`request_headers` or `response_headers` from maps of names to a value or a list of values."""
        if not any(maps):
            return
        lists = HeaderLists()
        for one in maps:
            if not one:
                lists.add_absent()
                continue
            names: list[str] = []
            values: list[str] = []
            for header, value in one.items():
                for item in [value] if type(value) is str else _items(value):
                    if item not in REDACTED or is_secret_name(header):  # it was there, and that counts
                        names.append(header)
                        values.append(item)
            lists.add(names, values)
        self.columns[name] = lists.array()

    def reject(self, reason: Reason, rows: Sequence[bool] | Mask) -> None:
        """Mark rows to be kept aside for `reason`."""
        _mark(self.bad, reason, rows)

    def skip(self, rule: str, rows: Sequence[bool]) -> None:
        """Mark rows that a named rule passes over: they are whole, and no calls."""
        _mark(self.skipped, rule, rows)


def cookie_header(cookies: Mapping[str, object]) -> str | None:
    """Cookies that a source keeps in a map, as the one header they came in."""
    pairs = [f"{name}={item}" for name, value in cookies.items() for item in _items(value)]
    return "; ".join(pairs) or None


def go_seconds(text: str) -> float:
    """Seconds of a plain number, of protobuf's `0.123s` or Go's `1m2.5s`, `350µs`. Raises ValueError."""
    if _NUMBER.match(text):
        return float(text)
    if not _GO_DURATION.match(text):
        raise ValueError
    total = sum(float(number) * _GO_UNITS[unit] for number, unit in _GO_PART.findall(text))
    return -total if text.startswith("-") else total


def _text(value: object) -> str | None:
    """A string, or a number as text; None for anything else, and for numbers too long to write."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
        return None
    return str(value)


def _items(value: object) -> list[str]:
    """A header's values: one, or a list of them. Whatever else stands there is no header value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        if len(value) == 1 and type(value[0]) is str:
            return value
        return [text for one in value if (text := _text(one)) is not None]
    text = _text(value)
    return [] if text is None else [text]


def _plain_numbers(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Numbers in quotes, when all of them are plain ones; None: ask `_number`."""
    nothing = pc.is_in(texts, _NOTHING)
    if pc.any(nothing, min_count=0).as_py():
        texts = pc.if_else(nothing, pa.scalar(None, pa.string()), texts)
    plain = pc.match_substring_regex(texts, _PLAIN if pa.types.is_floating(kind) else _PLAIN_WHOLE)
    return texts.cast(kind) if pc.all(plain, min_count=0).as_py() else None


def _number(value: object, convert: Callable[[str], float], whole: bool) -> tuple[float | None, bool]:
    """A number, and whether `value` is something else."""
    if value is None or value in ("", "-"):
        return None, False
    if isinstance(value, str):
        try:
            if convert is float and not _NUMBER.match(value):
                return None, True
            value = int(value) if value.isdecimal() and value.isascii() else convert(value)
        except ValueError:
            return None, True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, True
    if not -_INT64 < value < _INT64 or (whole and value != int(value)):
        return None, True
    return (int(value) if whole else float(value)), False


def _mark(marks: dict[Key, Mask], key: Key, rows: Sequence[bool] | Mask) -> None:
    mask = np.asarray(rows, bool)
    if mask.any():
        marks[key] = marks[key] | mask if key in marks else mask
