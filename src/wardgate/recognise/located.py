"""What was found in distinct things, spread over the rows that show them: (class, place, count) per row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from wardgate.core.call import DATA_CLASS
from wardgate.recognise.distinct import Codes

MOST = 64
"""Entries (class and place) kept for one call."""


@dataclass(frozen=True, slots=True)
class Located:
    """Entries of distinct things: `thing` is what `of_row` (one code per row, -1 for none) points at."""

    of_row: Codes
    thing: Codes
    data_class: Codes
    place: Codes
    count: Codes
    places: Sequence[str]


def data_class_lists(parts: Sequence[Located], classes: Sequence[str], rows: int) -> pa.Array:
    """One list of `core.call.DATA_CLASS` per row, null where nothing was found, in a fixed order."""
    return lists_of(parts, classes, rows, DATA_CLASS)


def lists_of(parts: Sequence[Located], classes: Sequence[str], rows: int, entry: pa.StructType) -> pa.Array:
    """As `data_class_lists`, of entries with another type: a name (one of `classes`), a place, a count."""
    kind = pa.list_(entry)
    places: dict[str, int] = {}
    columns: list[tuple[Codes, Codes, Codes, Codes]] = []
    for part in parts:
        if not len(part.thing):
            continue
        own = np.array([places.setdefault(one, len(places)) for one in part.places], np.int64)
        order = np.argsort(part.thing, kind="stable")
        thing = part.thing[order]
        start = np.searchsorted(thing, part.of_row, "left")
        many = np.searchsorted(thing, part.of_row, "right") - start
        row = np.repeat(np.arange(rows), many)
        at = order[np.repeat(start - np.cumsum(many) + many, many) + np.arange(int(many.sum()))]
        columns.append((row, part.data_class[at], own[part.place[at]], part.count[at]))
    if not columns:
        return pa.nulls(rows, kind)
    row, data_class, place, count = (np.concatenate(one) for one in zip(*columns, strict=True))
    rank = np.empty(len(places), np.int64)
    names = list(places)
    rank[np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)] = np.arange(len(names))
    key = (row * len(classes) + data_class) * len(names) + rank[place]
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    total = np.bincount(inverse, weights=count).astype(np.int64)
    row, data_class, place = row[first], data_class[first], place[first]
    nth = np.arange(len(row)) - np.searchsorted(row, row, "left")
    kept = nth < MOST
    row, data_class, place, total = row[kept], data_class[kept], place[kept], total[kept]
    entries = pa.StructArray.from_arrays(
        [
            pa.array(list(classes), pa.string()).take(pa.array(data_class)),
            pa.array(names, pa.string()).take(pa.array(place)),
            pa.array(np.minimum(total, 2**31 - 1).astype(np.int32)),
        ],
        fields=list(entry),
    )
    offsets = np.searchsorted(row, np.arange(rows + 1)).astype(np.int32)
    nothing = offsets[1:] == offsets[:-1]
    return pa.ListArray.from_arrays(
        pa.array(offsets), entries, type=kind, mask=pa.array(nothing) if nothing.any() else None
    )
