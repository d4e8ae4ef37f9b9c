"""Tables put on top of one another, whichever of their strings have a dictionary and whichever columns lack.

Whether a column of strings has a dictionary is a matter of how it came about, and differs from part to part.
"""

from collections.abc import Sequence

import pyarrow as pa


def stacked(parts: Sequence[pa.Table]) -> pa.Table:
    """Parts as one table with the columns of all; where a part lacks one, it is null."""
    first, *others = parts
    if not others:
        return first
    if all(one.schema.equals(first.schema) for one in others):
        return pa.concat_tables(parts)
    kinds: dict[str, set[pa.DataType]] = {}
    for one in parts:
        for column in one.schema:
            kinds.setdefault(column.name, set()).add(column.type)
    mixed = {name for name, types in kinds.items() if len(types) > 1}
    return pa.concat_tables([_plain(one, mixed) for one in parts], promote_options="default")


def _plain(part: pa.Table, names: set[str]) -> pa.Table:
    columns = [
        column.cast(column.type.value_type)
        if name in names and pa.types.is_dictionary(column.type)
        else column
        for name, column in zip(part.column_names, part.columns, strict=True)
    ]
    return pa.table(columns, names=part.column_names)
