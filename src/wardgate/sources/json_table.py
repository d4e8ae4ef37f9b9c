"""The fast path for JSON lines of known fields: a whole chunk becomes columns, by Arrow or inside DuckDB.

Arrow reads chunks in which all is typed as it should be (`json_typed`), DuckDB the others. Neither must mean
anything else than decoding line by line into the format's Struct. DuckDB answers every field as text, so what
a text may have been is looked at once per distinct value: where it may have been a number, a truth value, a
list or an object instead of a string, or a number that is no plain whole one, the row is left to the Struct.
So are rows without a field that a call must have, and chunks that are not all JSON in UTF-8. Two things are
taken as DuckDB takes them: of a repeated key the first, and a comma too many. In fields that nobody asks for
both take `NaN` for a number.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, get_args

import duckdb
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.sources.format import places_of
from wardgate.sources.json_typed import Ends, typed_columns
from wardgate.sources.json_types import Headers, Whole
from wardgate.sources.stamp_columns import raw_stamps

Mask = npt.NDArray[np.bool_]
_NO_STRING = r"(?is)^(?:[\[{].*|true|false|-?(?:nan|inf(?:inity)?|(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?))$"
"""What a value that is no string looks like as text. A number has no zero in front."""
_PLAIN_WHOLE = r"^(?:0|-?[1-9][0-9]{0,17})$"
_PLAIN_EPOCH = r"^[1-9][0-9]{0,18}$"


_ROWS = 20_480
"""Rows that DuckDB hands over at a time: an answer as a whole would be held twice."""
_POWERS = np.array([10**n for n in range(18)])
_TRANSFORM = "SELECT unnest(json_transform(line, $wanted)) FROM lines"
_VALID = "SELECT json_valid(line) AS valid FROM lines"
_KINDS = {
    frozenset({str}): "text",
    frozenset({int, str}): "stamp",
    frozenset({Whole}): "whole",
    frozenset({Headers}): "map",
}


class NotColumnsError(Exception):
    """The chunk cannot be read in columns; read it line by line."""


class Seen:
    """Values of records, a column a field: `seen.ClientIP`.

    Text is an array of strings (perhaps with a dictionary), whole numbers one of int64, a time stamp whatever
    `stamp_columns` takes, a map a list.
    """

    def __init__(self, count: int, columns: dict[str, Any]) -> None:
        self.count = count
        self._columns = columns

    def __getattr__(self, name: str) -> Any:
        return self._columns[name]


class JsonTable:
    """How the fields of one Struct are read in columns.

    `must` names fields without which a record is no call, alternatives divided by `|`.
    """

    def __init__(self, record: type[msgspec.Struct], must: Sequence[str]) -> None:
        self.kinds = {one.name: _kind(one.type) for one in msgspec.structs.fields(record)}
        self._must = [one.split("|") for one in must]
        types = {name: "JSON" if kind == "map" else "VARCHAR" for name, kind in self.kinds.items()}
        self._transform = msgspec.json.encode(types).decode()

    def columns_of(self, records: Sequence[Any]) -> Seen:
        """Records that were decoded one by one, as columns."""
        columns: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            values = [getattr(one, name) for one in records]
            if kind == "stamp":
                columns[name] = raw_stamps(values)
            elif kind == "map":
                columns[name] = values
            else:
                columns[name] = pa.array(values, pa.int64() if kind == "whole" else pa.string())
        return Seen(len(records), columns)

    def read(self, data: bytes) -> tuple[Seen, Mask]:
        """The records of `data`, which ends with a newline, and which of its lines are left to the Struct.

        What is seen has one entry for every line that is not left. Raises `NotColumnsError`.
        """
        ends, lines, left = _lines(data)
        columns = None if left.any() else typed_columns(data, ends, self.kinds)
        doubtful = np.zeros(len(left), bool)
        if columns is None:
            table = self._transformed(lines, left)
            doubtful = np.zeros(table.num_rows, bool)
            columns = {name: _read(table[name], kind, doubtful) for name, kind in self.kinds.items()}
        for group in self._must:
            doubtful |= np.logical_and.reduce([_flags(columns[name].is_null()) for name in group])
        if doubtful.any():
            kept = pa.array(~doubtful)
            columns = {name: one.filter(kept) for name, one in columns.items()}
            left[np.flatnonzero(~left)[doubtful]] = True
        for name, kind in self.kinds.items():
            if kind == "map":
                columns[name] = _maps(columns[name])
        return Seen(len(left) - int(left.sum()), columns), left

    def _transformed(self, lines: pa.Array, left: Mask) -> pa.Table:
        """The fields of all lines that are JSON and not left; marks in `left` those that are no JSON."""
        with _engine().cursor() as cursor:
            for ask in (_TRANSFORM, _VALID, _TRANSFORM):
                cursor.register(
                    "lines", pa.table({"line": lines.filter(pa.array(~left)) if left.any() else lines})
                )
                given = {"wanted": self._transform} if ask is _TRANSFORM else {}
                try:
                    answer = cursor.execute(ask, given).to_arrow_reader(_ROWS).read_all()
                except duckdb.Error:
                    continue
                if ask is _TRANSFORM:
                    return answer
                left[np.flatnonzero(~left)[~_flags(answer["valid"].combine_chunks())]] = True
        raise NotColumnsError


def first_of(text: pa.Array, other: pa.Array) -> pa.Array:
    """Where `text` is absent or empty, `other`."""
    if text.null_count == len(text):
        return other
    strings = text.dictionary if pa.types.is_dictionary(text.type) else text
    if not text.null_count and not pc.any(pc.equal(strings, ""), min_count=0).as_py():
        return text
    text, other = (one.cast(pa.string()) for one in (text, other))
    return pc.if_else(pc.equal(text, "").fill_null(True), other, text)


def _kind(annotation: Any) -> str:
    return _KINDS[frozenset(get_args(annotation)) - {type(None)}]


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """A database in memory that only transforms; one thread, because chunks are read beside a commit."""
    con = duckdb.connect(":memory:", config={"threads": 1, "autoinstall_known_extensions": False})
    con.execute("SET enable_external_access = false")
    con.execute("SET enable_progress_bar = false")
    return con


def _lines(data: bytes) -> tuple[Ends, pa.Array, Mask]:
    """Where the lines of `data` end, the lines, newlines included, without a copy, and which of them may not
    be UTF-8."""
    raw = np.frombuffer(data, np.uint8)
    ends = places_of(ord("\n"), data)
    offsets = np.concatenate(([0], ends + 1)).astype(np.int32)
    lines = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(data))
    left = np.zeros(len(ends), bool)
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            left[np.searchsorted(ends, np.flatnonzero(raw >= 0x80))] = True
    return ends, lines, left


def _read(column: pa.ChunkedArray, kind: str, left: Mask) -> pa.Array:
    """A column as its kind; marks in `left` the rows whose value is doubtful."""
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.int64() if kind == "whole" else pa.string())
    if kind == "map":
        array = column.combine_chunks()
        left |= _flags(pc.invert(pc.starts_with(array, "{")).fill_null(False))
        return array
    if kind == "whole":
        return _whole(column.combine_chunks(), left)
    encoded = column.dictionary_encode().combine_chunks()
    values = encoded.dictionary
    doubtful = pc.match_substring_regex(values, _NO_STRING)
    if kind == "stamp":
        doubtful = pc.and_not(doubtful, pc.match_substring_regex(values, _PLAIN_EPOCH))
    if pc.any(doubtful).as_py():
        left |= _flags(doubtful.take(encoded.indices).fill_null(False))
    return encoded


def _whole(texts: pa.Array, left: Mask) -> pa.Array:
    """Numbers from texts that write them plainly: without a sign, a zero in front or anything else."""
    try:
        numbers = texts.cast(pa.int64())
    except pa.ArrowInvalid:
        numbers = None
    if numbers is not None:
        digits = np.searchsorted(_POWERS, numbers.fill_null(0).to_numpy(), side="right")
        length = pc.binary_length(texts).fill_null(1).to_numpy()
        if (np.maximum(digits, 1) == length).all():  # so no text was written in another way
            return numbers
    plain = pc.match_substring_regex(texts, _PLAIN_WHOLE)
    left |= _flags(pc.invert(plain).fill_null(False))
    return pc.if_else(plain, texts, pa.scalar(None, pa.string())).cast(pa.int64())


def _flags(array: pa.Array) -> Mask:
    flags: Mask = array.to_numpy(zero_copy_only=False)
    return flags


def _maps(column: pa.Array) -> list[Headers | None]:
    """Objects from their JSON text. Raises `NotColumnsError` where one is no map of headers."""
    if column.null_count == len(column):
        return [None] * len(column)
    decode = msgspec.json.Decoder(Headers, strict=False).decode
    try:
        return [None if text is None else decode(text) for text in column.to_pylist()]
    except msgspec.MsgspecError as error:
        raise NotColumnsError from error
