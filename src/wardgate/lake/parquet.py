"""A table's part of a batch as a Parquet file, at the least cost.

Columns without a value are left out: the lake answers them as null, and neither the file nor the catalogue
has to carry them. Those that are there have statistics, all of them: DuckLake takes what other files say of a
column for what is true of one that says nothing, and then finds none of its rows.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_WRITTEN_AT_A_TIME = 16_384
"""Values of a column; Arrow's 1,024 cost a tenth more."""
_SAMPLE = 2048


def write_parquet(rows: pa.Table, sink: BinaryIO) -> None:
    """Write rows, at least one of whose columns has a value."""
    rows = rows.select([name for name in rows.column_names if rows[name].null_count < rows.num_rows])
    pq.write_table(
        rows,
        sink,
        compression="zstd",
        compression_level=1,
        write_batch_size=_WRITTEN_AT_A_TIME,
        use_dictionary=[path for one in rows.schema for path in _repeating(one.name, rows[one.name])],
    )


def _repeating(path: str, column: pa.Array | pa.ChunkedArray) -> Iterator[str]:
    """The leaves of a column, as Parquet calls them, whose values repeat so often that a dictionary pays."""
    chunk = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_list(chunk.type):
        yield from _repeating(f"{path}.list.element", chunk.values)
    elif pa.types.is_struct(chunk.type):
        for at, one in enumerate(chunk.type):
            yield from _repeating(f"{path}.{one.name}", chunk.field(at))
    elif pa.types.is_dictionary(chunk.type):
        if 2 * len(chunk.dictionary) <= len(chunk) + 100:
            yield path
    elif not pa.types.is_boolean(chunk.type) and 4 * _distinct(chunk) <= len(chunk):
        yield path


def _distinct(values: pa.Array) -> float:
    """How many different values there are, about: told from a sample, by how often two in it are equal."""
    if len(values) <= _SAMPLE:
        return float(pc.count_distinct(values).as_py())
    few = values.take(pa.array(np.arange(_SAMPLE) * (len(values) // _SAMPLE)))
    distinct = int(pc.count_distinct(few).as_py())
    return distinct if 2 * distinct <= _SAMPLE else _SAMPLE**2 / (2 * (_SAMPLE - distinct) + 1)
