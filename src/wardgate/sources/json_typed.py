"""JSON lines whose fields are all of the type that they should be: read in columns by Arrow.

It costs half of extracting text and asking afterwards what each value may have been, since Arrow refuses a
chunk in which any value is of another type, a field comes twice or a line is no JSON. So it means what
decoding line by line means, or it answers None and `json_table` reads the chunk in its other ways.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import json as arrow_json

Ends = npt.NDArray[np.intp]
_BLOCK = 1 << 22
"""Bytes that Arrow reads at a time; a line must fit."""
_OTHERS = {float: pa.float64(), bool: pa.bool_(), type(None): pa.null()}


def typed_columns(data: bytes, ends: Ends, kinds: Mapping[str, str]) -> dict[str, pa.Array] | None:
    """The fields of each line of `data`, text with a dictionary; None where anything is not as it should be.

    `ends` are the places of the newlines; `data` is known to be UTF-8. `kinds` as in `JsonTable`.
    """
    if not len(ends) or not _is_one_object_a_line(data, ends):
        return None
    schema = _schema(data[: ends[0]], kinds)
    if schema is None:
        return None
    try:
        table = arrow_json.read_json(
            pa.BufferReader(data),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=min(_BLOCK, len(data) + 1)),
            parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(ends):
        return None
    return {
        name: _column(table[name], kind) if name in schema.names else _nothing(kind, len(ends))
        for name, kind in kinds.items()
    }


def _is_one_object_a_line(data: bytes, ends: Ends) -> bool:
    """Whether each line begins and ends as an object does.

    Then no value goes on over a newline: `}` and `{` can follow one another there only between two objects.
    """
    raw = np.frombuffer(data, np.uint8)
    starts = np.concatenate(([0], ends[:-1] + 1))
    return bool((raw[starts] == ord("{")).all() and (raw[ends - 1] == ord("}")).all())


def _schema(line: bytes, kinds: Mapping[str, str]) -> pa.Schema | None:
    """The fields of a line with their types; None where one is no plain value.

    Arrow is told of those that nobody asks for, too, so that it refuses a later line that has others.
    To ask for what may be in some line would cost as much as reading all that is.
    """
    try:
        first = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return None
    fields = []
    for name, value in first.items():
        kind = kinds.get(name)
        if kind == "text" or (kind in (None, "stamp") and type(value) is str):
            fields.append((name, pa.string()))
        elif (kind != "map" and type(value) is int) or (kind == "whole" and value is None):
            fields.append((name, pa.int64()))
        elif kind is None and type(value) in _OTHERS:
            fields.append((name, _OTHERS[type(value)]))
        else:  # of another type than it should be, which is for its record alone to answer
            return None
    return pa.schema(fields)


def _column(column: pa.ChunkedArray, kind: str) -> pa.Array:
    if column.null_count == len(column):
        return _nothing(kind, len(column))
    if pa.types.is_string(column.type):
        return column.dictionary_encode().combine_chunks()
    return column.combine_chunks()


def _nothing(kind: str, rows: int) -> pa.Array:
    return pa.nulls(rows, pa.int64() if kind == "whole" else pa.string())
