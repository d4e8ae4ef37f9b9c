"""Identifiers of objects, asked for in paths and bodies and returned in bodies, as one list per call."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.call import OBJECT
from wardgate.core.ids import Ids
from wardgate.recognise.distinct import Codes

_KIND = pa.list_(OBJECT)
More = tuple[str, tuple[Codes, pa.Array, Ids]]


def with_objects(lists: pa.Array, more: Sequence[More]) -> pa.Array:
    """`lists` (one of `OBJECT` per row, or null) with more of them behind.

    Each of `more` is a direction and (row, parameter, keyed hash), in the order of rows.
    """
    more = [one for one in more if len(one[1][0])]
    if not more:
        return lists
    flat = pc.list_flatten(lists)
    rows: list[Codes] = [pc.list_parent_indices(lists).to_numpy().astype(np.int64)]
    parameters, values, directions = [flat.field(0)], [flat.field(1)], [flat.field(2)]
    for direction, (row, parameter, value) in more:
        rows.append(row)
        parameters.append(parameter.cast(pa.string()))
        values.append(pa.array(value))
        directions.append(pa.repeat(pa.scalar(direction), len(row)))
    row = np.concatenate(rows)
    order = pa.array(np.argsort(row, kind="stable"))
    items = pa.StructArray.from_arrays(
        [pa.concat_arrays(one).take(order) for one in (parameters, values, directions)], fields=list(OBJECT)
    )
    counts = np.bincount(row, minlength=len(lists))
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), items, type=_KIND, mask=pa.array(counts == 0))
