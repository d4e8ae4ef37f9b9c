"""Columns of nothing but nulls. Most sources show a third of what a call can hold, so most columns are such.

All columns of a batch share one block of zeros: together they cost a few bytes a row, not hundreds.
"""

import pyarrow as pa


def absent(rows: int, kinds: list[pa.DataType]) -> list[pa.Array]:
    """For each type an array of `rows` nulls."""
    zeros = pa.py_buffer(bytes(8 * (rows + 1)))
    return [_nulls(rows, kind, zeros) for kind in kinds]


def _nulls(rows: int, kind: pa.DataType, zeros: pa.Buffer) -> pa.Array:
    if pa.types.is_struct(kind):
        children = [_nulls(rows, kind.field(i).type, zeros) for i in range(kind.num_fields)]
        return pa.Array.from_buffers(kind, rows, [zeros], null_count=rows, children=children)
    if pa.types.is_list(kind):
        empty = pa.array([], kind.value_type)
        return pa.Array.from_buffers(kind, rows, [zeros, zeros], null_count=rows, children=[empty])
    if pa.types.is_string(kind):
        return pa.Array.from_buffers(kind, rows, [zeros, zeros, zeros], null_count=rows)
    return pa.Array.from_buffers(kind, rows, [zeros, zeros], null_count=rows)
