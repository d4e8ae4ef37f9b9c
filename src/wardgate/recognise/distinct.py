"""Distinct values of a column, and rows as codes into them: recognise once per value, spread by code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Distinct:
    """`codes[row]` is an index into `values`, or -1 where the row has none."""

    values: list[str]
    codes: Codes

    @property
    def is_empty(self) -> bool:
        return not self.values

    def spread(self, values: Sequence[object], kind: pa.DataType) -> pa.Array:
        """One value per row from one per distinct value."""
        return pa.array(values, kind).take(self.indices())

    def text(self, values: Sequence[str | None]) -> pa.Array:
        """Strings per row, dictionary-encoded (the dictionary may repeat itself)."""
        array = pa.array(values, pa.string())
        if array.null_count:
            return pc.dictionary_encode(array.take(self.indices()))
        return pa.DictionaryArray.from_arrays(self.indices(), array)

    def numbers(self, values: npt.NDArray[np.int64], absent: int = 0) -> Codes:
        """Numbers per row; `absent` where the row has no value."""
        if not len(values):
            return np.full(len(self.codes), absent, np.int64)
        out: Codes = values[np.maximum(self.codes, 0)]
        return np.where(self.codes < 0, absent, out)

    def indices(self) -> pa.Array:
        return pa.array(self.codes.astype(np.int32), pa.int32(), mask=self.codes < 0)


def distinct(column: pa.Array | pa.ChunkedArray | None, rows: int) -> Distinct:
    """The distinct non-null values of a string column (None: an absent column of `rows` rows)."""
    if column is None or column.null_count == rows:
        return Distinct([], np.full(rows, -1, np.int64))
    array = one_chunk(column)
    encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Distinct(encoded.dictionary.to_pylist(), codes)


def one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    combined = column.unify_dictionaries().combine_chunks()
    return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined


def combined(*codes: Codes) -> tuple[npt.NDArray[np.int64], Codes]:
    """Distinct combinations of code columns: (index of a first row for each, combination per row)."""
    key = codes[0] + 1
    for more in codes[1:]:
        key = key * (int(more.max(initial=-1)) + 2) + more + 1
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), inverse.astype(np.int64)


def cached(
    cache: dict[str, object], values: Sequence[str], make: Callable[[str], object], most: int
) -> list[object]:
    """`make` of each value through a bounded cache that outlives the batch."""
    if len(cache) > most:
        cache.clear()
    out = []
    for value in values:
        known = cache.get(value)
        if known is None:
            known = cache[value] = make(value)
        out.append(known)
    return out
