"""The parser of JSON access logs: one object a line, decoded with msgspec, columns built in bulk.

A format is a type for msgspec (a Struct that names the vendor's fields, or a dict where people choose the
keys) and a function that fills `JsonColumns` from a list of such records. The input is taken in slices that
fit the processor's cache: decoding a whole chunk at once costs twice the time. A line that cannot be
decoded is tried once more with the mends below, because servers do write such lines; then it is rejected.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.observed import Parsed, Reason, Reject, observed_table
from wardgate.sources.access import TEXT, Masks, access_columns, plain
from wardgate.sources.format import Lines, State
from wardgate.sources.json_columns import JsonColumns, Mask
from wardgate.sources.json_table import JsonTable, NotColumnsError
from wardgate.sources.stamp_columns import stamp_columns
from wardgate.sources.times import zone

Record = TypeVar("Record")
Fill = Callable[[Any, JsonColumns], None]
"""Fills the columns of some records (never of none): a list of them, or with a `table` what it has `Seen`."""
Positions = npt.NDArray[np.int64]
Finish = Callable[[dict[str, pa.Array]], None]
"""Adds to the observed columns of a whole chunk what follows from several of them."""

SLICE = 512 << 10
"""Bytes decoded at a time."""
_BOM = b"\xef\xbb\xbf"
_FIRST = (Reason.BAD_VALUE, Reason.BAD_TIME, Reason.MISSING_FIELD, Reason.BAD_REQUEST)
"""Which reason is told when several hold."""
_HEX_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})")
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class NotFormatError(Exception):
    """A line that is not of the shape a `decode` function reads."""


class JsonAccessParser(Generic[Record]):
    """Parses lines into `record`s and these, by `fill`, into observed columns.

    `must` are the observed columns without which a record is no call; `absent` are texts that stand for
    nothing; `decode` reads lines that are not JSON into the same records (`NotFormatError`: it cannot).
    `table` reads what it can of a chunk in columns.
    """

    def __init__(
        self,
        record: type[Record],
        fill: Fill,
        *,
        timezone: str | None = None,
        must: tuple[str, ...] = ("method", "target"),
        absent: tuple[str, ...] = ("",),
        finish: Finish | None = None,
        decode: Callable[[bytes], Record] | None = None,
        table: JsonTable | None = None,
    ) -> None:
        self._decode_line = decode or msgspec.json.Decoder(record, strict=False).decode
        self._fill = fill
        self._table = table
        self._zone = zone(timezone)
        self._must = must
        self._finish = finish
        self._absent = pa.array(absent, pa.string())

    @property
    def state(self) -> State:
        return {}

    def parse(self, lines: Lines) -> Parsed:
        rejects: list[Reject] = []
        skipped: dict[str, int] = {}
        parts: list[JsonColumns] = []
        places: list[Positions] = []
        for raw, at in self._left(lines, parts, places):
            records, kept, blank = self._decode(raw, at, rejects)
            if blank:
                skipped["blank"] = skipped.get("blank", 0) + blank
            if records:
                columns = JsonColumns(len(records))
                self._fill(records if self._table is None else self._table.columns_of(records), columns)
                parts.append(columns)
                places.append(kept)
        if not parts:
            return Parsed(observed_table({"position": pa.array([], pa.int64())}), rejects, skipped)
        positions = np.concatenate(places)
        table, aside, passed = self._together(parts, positions)
        if aside:
            raw = lines.data.split(b"\n")
            rejects += [Reject(where, reason, raw[where - lines.first]) for where, reason in aside]
            rejects.sort(key=lambda one: one.position)
        if len(parts) > 1 and (np.diff(positions) < 0).any():
            table = table.take(pa.array(np.argsort(table["position"].to_numpy(), kind="stable")))
        return Parsed(table, rejects, skipped | passed)

    def _left(
        self, lines: Lines, parts: list[JsonColumns], places: list[Positions]
    ) -> Iterator[tuple[list[bytes], Positions]]:
        """Lines to be decoded one by one, and their positions: those that could not be read in columns."""
        data = lines.data if lines.data.endswith(b"\n") else lines.data + b"\n"
        try:
            found = self._table.read(data) if self._table is not None and lines.data else None
        except NotColumnsError:
            found = None
        if found is None:
            first = lines.first
            for raw in _slices(lines.data):
                yield raw, np.arange(first, first + len(raw), dtype=np.int64)
                first += len(raw)
            return
        seen, left = found
        positions = np.arange(lines.first, lines.first + len(left), dtype=np.int64)
        if seen.count:
            columns = JsonColumns(seen.count)
            self._fill(seen, columns)
            parts.append(columns)
            places.append(positions[~left])
        if left.any():
            raw = data.split(b"\n")
            yield [raw[at] for at in np.flatnonzero(left).tolist()], positions[left]

    def _decode(
        self, raw: list[bytes], positions: Positions, rejects: list[Reject]
    ) -> tuple[list[Record], Positions, int]:
        """Records of some lines, their positions, and how many lines were blank."""
        try:
            return list(map(self._decode_line, raw)), positions, 0
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, NotFormatError):
            pass
        records: list[Record] = []
        kept: list[int] = []
        blank = 0
        for at, line in zip(positions.tolist(), raw, strict=True):
            if not line.strip():
                blank += 1
                continue
            found = self._decode_one(line)
            if isinstance(found, Reason):
                rejects.append(Reject(at, found, line))
            else:
                records.append(found)
                kept.append(at)
        return records, np.array(kept, np.int64), blank

    def _decode_one(self, line: bytes) -> Record | Reason:
        reason = Reason.NOT_JSON
        for mend in (False, True):
            try:
                return self._decode_line(mended(line) if mend else line)
            except msgspec.ValidationError:
                is_object = line.removeprefix(_BOM).lstrip()[:1] == b"{"
                return Reason.BAD_VALUE if is_object else Reason.NOT_JSON
            except NotFormatError:
                return Reason.NOT_FORMAT
            except UnicodeDecodeError:
                reason = Reason.NOT_UTF8
            except (msgspec.MsgspecError, RecursionError):
                reason = Reason.NOT_JSON
        return reason

    def _together(
        self, parts: list[JsonColumns], positions: npt.NDArray[np.int64]
    ) -> tuple[pa.Table, list[tuple[int, Reason]], dict[str, int]]:
        """The observed table, (position, reason) of what was kept aside, and counts of what was skipped."""
        fields = _concatenated([part.fields for part in parts], parts)
        for name in ("method", "target"):
            fields.setdefault(name, pa.nulls(len(positions), pa.string()))
        for name, array in fields.items():
            if name in TEXT or name.startswith(("req.", "resp.", "cookie.")):
                fields[name] = self._without_absent(array)
        finished = _concatenated([part.columns for part in parts], parts)
        columns, bad = access_columns(fields, "start", 1, self._zone)
        columns |= finished
        self._stamp(parts, columns, bad)
        if self._finish is not None:
            self._finish(columns)
        missing = self._missing(columns, len(positions))
        for reason, mask in _masks([part.bad for part in parts], parts).items():
            bad[reason] = bad[reason] | mask if reason in bad else mask
            if reason is Reason.BAD_REQUEST:  # a line that is no request has no method, but lacks none
                missing &= ~mask
        bad[Reason.MISSING_FIELD] = missing
        good = np.ones(len(positions), bool)
        passed = {}
        for rule, mask in _masks([part.skipped for part in parts], parts).items():
            passed[rule] = int((mask & good).sum())
            good &= ~mask
        aside = []
        for reason in _FIRST:
            if reason in bad:
                aside += [(int(where), reason) for where in positions[bad[reason] & good]]
                good &= ~bad[reason]
        table = observed_table({"position": pa.array(positions, pa.int64()), **columns})
        passed = {rule: count for rule, count in passed.items() if count}
        return (table if good.all() else table.filter(pa.array(good))), aside, passed

    def _stamp(self, parts: list[JsonColumns], columns: dict[str, pa.Array], bad: Masks) -> None:
        """Fill `started_at`, `ended_at` and the precision of whichever is there."""
        for name in dict.fromkeys(name for part in parts for name in part.stamps):
            raw = [part.stamps[name] if name in part.stamps else [None] * part.count for part in parts]
            columns[name], precision, wrong = stamp_columns(raw, self._zone)
            known = columns.get("precision_us")
            columns["precision_us"] = precision if known is None else known.fill_null(precision)
            if wrong.any():
                bad[Reason.BAD_TIME] = bad[Reason.BAD_TIME] | wrong if Reason.BAD_TIME in bad else wrong

    def _without_absent(self, array: pa.Array) -> pa.Array:
        if pa.types.is_dictionary(array.type):
            nothing = pc.is_in(array.dictionary, self._absent)
            if not pc.any(nothing, min_count=0).as_py():
                return array
            indices = pc.if_else(nothing.take(array.indices), pa.scalar(None, pa.int32()), array.indices)
            return pa.DictionaryArray.from_arrays(indices, array.dictionary)
        nothing = pc.is_in(array, self._absent)
        if not pc.any(nothing, min_count=0).as_py():
            return array
        return pc.if_else(nothing, pa.scalar(None, pa.string()), array)

    def _missing(self, columns: dict[str, pa.Array], count: int) -> Mask:
        missing = np.zeros(count, bool)
        for name in self._must:
            if name not in columns:
                return np.ones(count, bool)
            missing |= columns[name].is_null().to_numpy(zero_copy_only=False)
        return missing


def mended(line: bytes) -> bytes:
    r"""A line with what servers are known to write into JSON wrongly put right.

    Bytes that are no UTF-8 (NGINX passes on what came) and halves of surrogate pairs become U+FFFD;
    `\xHH` (Apache, and NGINX without `escape=json`) becomes `\u00HH`; a byte order mark goes.
    """
    line = line.removeprefix(_BOM)
    if b"\\" in line:
        line = _HEX_ESCAPE.sub(_byte, line)
        line = _LONE_SURROGATE.sub(rb"\\ufffd", line)
    return line.decode("utf-8", "replace").encode()


def _byte(found: re.Match[bytes]) -> bytes:
    """The byte an escape stands for: itself where it is part of UTF-8, else as JSON escapes it."""
    value = bytes.fromhex(found[2].decode())
    return found[1] + (value if value >= b"\x80" else b"\\u00" + found[2])


def _slices(data: bytes) -> Iterator[list[bytes]]:
    """The lines of `data` (without newlines), some `SLICE` bytes at a time."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at + SLICE) + 1 or len(data)
        raw = data[at:end].split(b"\n")
        if not raw[-1]:
            raw.pop()
        yield raw
        at = end


def _concatenated(found: list[dict[str, pa.Array]], parts: list[JsonColumns]) -> dict[str, pa.Array]:
    if len(found) == 1:
        return dict(found[0])
    found = [{name: plain(array) for name, array in one.items()} for one in found]
    kinds = {name: array.type for one in found for name, array in one.items()}
    return {
        name: pa.concat_arrays(
            [
                one[name] if name in one else pa.nulls(part.count, kind)
                for one, part in zip(found, parts, strict=True)
            ]
        )
        for name, kind in kinds.items()
    }


def _masks(found: list[dict[Any, Mask]], parts: list[JsonColumns]) -> dict[Any, Mask]:
    keys = dict.fromkeys(key for one in found for key in one)
    return {
        key: np.concatenate(
            [
                one[key] if key in one else np.zeros(part.count, bool)
                for one, part in zip(found, parts, strict=True)
            ]
        )
        for key in keys
    }
