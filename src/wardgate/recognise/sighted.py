"""What the calls of a batch show of the paths that a trie keeps: methods, outcomes, and what answered.

Of bodies only what recognition made of them is looked at: ids of the names at their top, and keyed ids of the
identifiers that they return. An answer that returns the end of its own path is said by the outline `ECHOES`.
In columns: Python runs once per distinct fact.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import Ids
from wardgate.core.object_ids import ObjectIds
from wardgate.recognise.distinct import Codes
from wardgate.recognise.templating.returned import identified
from wardgate.recognise.templating.surroundings import ECHOES
from wardgate.recognise.templating.trie import LIST, MOST_OBJECTS

_CLASSES = 8
"""Classes of status, with room: 0 is none, 1 is 100…199."""
_DONE = 2
_MASK = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Answers:
    """What each call of a batch was answered with, as far as it tells templates."""

    status: pa.Array | None
    outlines: Ids | None = None
    """An id of the names at the top of the body; 0 where there is none."""
    objects: pa.Array | None = None
    """Lists of `core.call.OBJECT`."""
    items: pa.Array | None = None
    """Length of the body's one list, null where there is none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Distinct facts, in columns: of a route (an index) class of status, outline or 0, and identifiers."""

    route: Codes
    classes: Codes
    shapes: Ids
    objects: list[tuple[int, ...]]

    @property
    def sums(self) -> Ids:
        """An id of the identifiers of each; 0 where there are none."""
        return np.array([sum(one) * 2 + 1 & _MASK if one else 0 for one in self.objects], np.int64)


def sighted(routes: pa.Table, route_of: Codes, calls: Codes, answers: Answers, ids: ObjectIds) -> Facts:
    """What some calls (indices) show of their routes."""
    route = route_of[calls]
    classes = np.zeros(len(calls), np.int64)
    if answers.status is not None:
        shown = answers.status.take(pa.array(calls)).fill_null(0).to_numpy(zero_copy_only=False)
        classes = np.clip(shown // 100, 0, _CLASSES - 1).astype(np.int64)
    done = classes == _DONE
    shapes = np.zeros(len(calls), np.int64)
    if answers.outlines is not None:
        outlines = answers.outlines[calls]
        shapes = np.where(done & (outlines != 0), outlines | (ECHOES + 1), 0)
    facts = [_distinct(route, classes, shapes)]
    objects: list[tuple[int, ...]] = [()] * len(facts[0][0])
    if answers.objects is not None and answers.outlines is not None and done.any():
        at, value = _returned(answers.objects, calls, done)
        lists = _lists(answers.items, calls, done)
        echoing = at[_ends(routes, route, at, ids)[route[at]] == value] if len(at) else at
        facts.append(_distinct(route[echoing], classes[echoing], np.full(len(echoing), ECHOES)))
        objects += [()] * len(facts[1][0])
        of = np.concatenate((route[at], route[lists]))
        value = np.concatenate((value, np.full(len(lists), LIST)))
        some, sets = _sets(of, value)
        facts.append((some, np.full(len(some), _DONE), np.zeros(len(some), np.int64)))
        objects += sets
    columns = [np.concatenate(one) for one in zip(*facts, strict=True)]
    return Facts(columns[0], columns[1], columns[2], objects)


def _distinct(route: Codes, classes: Codes, shapes: Ids) -> tuple[Codes, Codes, Ids]:
    """Distinct combinations. Most batches have no bodies, and then one number holds each."""
    if not shapes.any():
        both = np.unique(route * _CLASSES + classes)
        return both // _CLASSES, both % _CLASSES, np.zeros(len(both), np.int64)
    order = np.lexsort((shapes, classes, route))
    columns = [one[order] for one in (route, classes, shapes)]
    new = np.ones(len(order), bool)
    new[1:] = np.any([one[1:] != one[:-1] for one in columns], axis=0)
    return columns[0][new], columns[1][new], columns[2][new]


def _returned(objects: pa.Array, calls: Codes, done: np.ndarray) -> tuple[Codes, Ids]:
    """(call, identifier) of what successful calls were answered with; calls as indices into `calls`."""
    rows = np.flatnonzero(done)
    lists = objects.take(pa.array(calls[rows]))
    flat = pc.list_flatten(lists)
    if not len(flat):
        return rows[:0], rows[:0]
    is_returned = pc.equal(flat.field("direction"), "returned").to_numpy(zero_copy_only=False)
    of = pc.list_parent_indices(lists).to_numpy()[is_returned]
    return rows[of], flat.field("value").to_numpy(zero_copy_only=False)[is_returned]


def _lists(items: pa.Array | None, calls: Codes, done: np.ndarray) -> Codes:
    """Successful calls whose answer was a list of something; as indices into `calls`."""
    if items is None or items.null_count == len(items):
        return np.empty(0, np.int64)
    some = items.take(pa.array(calls)).fill_null(0).to_numpy(zero_copy_only=False)
    return np.flatnonzero(done & (some > 0))


def _ends(routes: pa.Table, route: Codes, at: Codes, ids: ObjectIds) -> Ids:
    """For each route the id that its last segment has as an identifier; 0 of those not asked about."""
    asked = np.unique(route[at])
    paths = routes["path"].take(pa.array(asked)).to_pylist()
    out = np.zeros(routes.num_rows, np.int64)
    out[asked] = identified([one.rpartition("/")[2] for one in paths], ids)
    return out


def _sets(route: Codes, value: Ids) -> tuple[Codes, list[tuple[int, ...]]]:
    """Routes, and of each the smallest of the identifiers that it has."""
    order = np.lexsort((value, route))
    route, value = route[order], value[order]
    some, first = np.unique(route, return_index=True)
    parts = np.split(value, first[1:]) if len(some) else []
    return some, [tuple(np.unique(one)[:MOST_OBJECTS].tolist()) for one in parts]
