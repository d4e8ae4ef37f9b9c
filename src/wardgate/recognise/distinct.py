"""Distinct values of a column, and rows as codes into them: recognise once per value, spread by code."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import unique

Codes = npt.NDArray[np.int64]
_SMALL = 1 << 22  # keys below this are counted by table instead of by sorting,
_SPARSE = 64  # unless the table would be so many times longer than there are keys
_LARGE = 1 << 62  # keys must stay below this; what comes near is numbered anew


@dataclass(frozen=True)
class Distinct:
    """`codes[row]` is an index into `array` (distinct strings), or -1 where the row has none."""

    array: pa.Array
    codes: Codes

    @cached_property
    def values(self) -> list[str]:
        """The distinct strings as Python strings."""
        values: list[str] = self.array.to_pylist()
        return values

    @property
    def is_empty(self) -> bool:
        return not len(self.array)

    def at(self, row: int) -> str | None:
        """The value of one row."""
        code = int(self.codes[row])
        return self.values[code] if code >= 0 else None

    def spread(self, values: Sequence[object], kind: pa.DataType) -> pa.Array:
        """One value per row from one per distinct value."""
        return pa.array(values, kind).take(self.indices)

    def text(self, values: Sequence[str | None] | pa.Array | None = None) -> pa.Array:
        """Strings per row, dictionary-encoded (the dictionary may repeat itself); default: the values."""
        array = self.array if values is None else values
        array = array if isinstance(array, pa.Array) else pa.array(array, pa.string())
        if array.null_count:
            return pc.dictionary_encode(array.take(self.indices))
        return pa.DictionaryArray.from_arrays(self.indices, array)

    def numbers(self, values: npt.NDArray[np.int64], absent: int = 0) -> Codes:
        """Numbers per row; `absent` where the row has no value."""
        if not len(values):
            return np.full(len(self.codes), absent, np.int64)
        out: Codes = values[np.maximum(self.codes, 0)]
        return np.where(self.codes < 0, absent, out)

    @cached_property
    def indices(self) -> pa.Array:
        """Codes as a dictionary's indices: null where the row has no value."""
        if self.codes.min(initial=0) >= 0:
            return pa.array(self.codes.astype(np.int32))
        return pa.array(self.codes.astype(np.int32), pa.int32(), mask=self.codes < 0)


def distinct(column: pa.Array | pa.ChunkedArray | None, rows: int) -> Distinct:
    """The distinct non-null values of a string column (None: an absent column of `rows` rows)."""
    if column is None or column.null_count == rows:
        return nothing(rows)
    array = one_chunk(column)
    encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Distinct(encoded.dictionary, codes)


@lru_cache(maxsize=4)
def nothing(rows: int) -> Distinct:
    """No value in any of `rows` rows: the same for all the columns of a batch that are absent."""
    codes = np.full(rows, -1, np.int64)
    codes.flags.writeable = False
    return Distinct(pa.array([], pa.string()), codes)


def coded(values: Sequence[str], codes: Codes) -> Distinct:
    """From Python strings and codes into them."""
    return Distinct(pa.array(values, pa.string()), codes)


def one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    combined = column.unify_dictionaries().combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def combined(*codes: Codes) -> tuple[Codes, Codes]:
    """Distinct combinations of code columns: (index of a first row for each, combination per row)."""
    key = codes[0] + 1
    size = int(key.max(initial=0)) + 1
    for more in codes[1:]:
        width = int(more.max(initial=-1)) + 2
        if width == 1:
            continue
        if size * width >= _LARGE:
            places, key = np.unique(key, return_inverse=True)
            size = len(places)
        key, size = key * width + more + 1, size * width
    if size > min(_SMALL, _SPARSE * len(key) + _SPARSE):
        _, first, which = unique(key)
        return first, which
    table = np.full(size, -1, np.int64)
    table[key[::-1]] = np.arange(len(key) - 1, -1, -1)
    seen = np.flatnonzero(table >= 0)
    first = table[seen]
    table[seen] = np.arange(len(seen))
    return first, table[key]


def spread(found: Codes, codes: Codes) -> tuple[Codes, Codes]:
    """For some codes found: (index into `found`, row) of every row that has one of them."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    start = np.searchsorted(ordered, found, "left")
    many = np.searchsorted(ordered, found, "right") - start
    at = order[np.repeat(start - np.cumsum(many) + many, many) + np.arange(int(many.sum()))]
    return np.repeat(np.arange(len(found)), many), at


def compressed(codes: Codes, size: int) -> tuple[Codes, Codes]:
    """Distinct codes in order (all below `size`), and for each code its index among them."""
    if size > min(_SMALL, _SPARSE * len(codes) + _SPARSE):
        distinct_codes, inverse = np.unique(codes, return_inverse=True)
        return distinct_codes, inverse.astype(np.int64)
    table = np.zeros(size, np.int64)
    table[codes] = 1
    distinct_codes = np.flatnonzero(table)
    table[distinct_codes] = np.arange(len(distinct_codes))
    return distinct_codes, table[codes]
