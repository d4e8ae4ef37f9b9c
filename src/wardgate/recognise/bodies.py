"""Bodies as columns: walked together, level by level, they become rows of (document, place).

A place is the way to a value with everything that varies left out: `user.emails[]`, `accounts.*.owner`. Keys
that look like data (identifiers, addresses, tokens) are values, not names: they stand as `*`, so that no
place ever tells them; neither do the keys of a map, which is what has more than `MOST_FIELDS`, in one body or
in all of a batch. Depth, values and bytes are bounded; of too many values the shallowest stay.

Objects of one place with the same keys are one table, and so are records (`recognise.known_shapes`): their
members are cut into columns at C speed, and Python runs once per column. Walked bodies hold raw values and
live only in memory, as observed tables do.
"""

import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import chain, islice

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import astuple

from wardgate.match.secrets import secret_kind
from wardgate.recognise.body_bounds import MOST_DEPTH, MOST_FIELDS, MOST_VALUES
from wardgate.recognise.distinct import Codes
from wardgate.recognise.known_shapes import KnownShapes
from wardgate.recognise.reading_bodies import read_body

_SURELY_FEW = 2 * MOST_VALUES
"""Bytes of the longest body that cannot hold too many values: each takes two."""
_MANY_SHAPES = 32
"""Objects of one place with more sets of keys than this are taken apart key by key."""

_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$:-]{0,63}\Z")
_DATA = re.compile(r"\d{5}|\d.*[-_:].*\d.*[-_:].*\d|[0-9a-fA-F]*\d[0-9a-fA-F]{7}")


class Kind(IntEnum):
    """What stands at a place."""

    NULL = 0
    BOOLEAN = 1
    INTEGER = 2
    NUMBER = 3
    STRING = 4
    ARRAY = 5
    OBJECT = 6
    KEY = 7
    """A key of an object that is data, at the place of the values behind such keys."""


_KINDS: dict[type, Kind] = {
    type(None): Kind.NULL,
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    str: Kind.STRING,
    list: Kind.ARRAY,
    dict: Kind.OBJECT,
}
"""Kinds by type; all other types are of records."""


@dataclass(slots=True)
class Walked:
    """Parallel columns, one row per value; `place` is an index into `places`, of which 0 is the root.

    Rows with a text (strings and keys) come first, then those with a number, then all others.
    """

    document: Codes
    place: Codes
    kind: Codes
    texts: list[str] = field(repr=False)
    numbers: list[int | float] = field(repr=False)
    places: list[str]
    items: Codes
    """For each document the length of its one list: the root, or the only one right below; -1 for none."""
    is_text: npt.NDArray[np.bool_]
    """For each document whether it has no structure: it is one text, or nothing that can be read."""
    cut: int = 0
    """Values and containers left out because of a bound."""


@dataclass(slots=True)
class _Rows:
    """Columns of one family of rows, as they come."""

    place: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    documents: list[Codes] = field(default_factory=list)
    values: list[Sequence[object]] = field(default_factory=list)

    def add(self, place: int, kind: int, documents: Codes, values: Sequence[object] = ()) -> None:
        self.place.append(place)
        self.kind.append(kind)
        self.documents.append(documents)
        self.values.append(values)


_Parts = list[tuple[list[object], Codes]]
_Nodes = dict[int, _Parts]


class Walker:
    """Walks the bodies of one batch."""

    def __init__(self, shapes: KnownShapes | None = None) -> None:
        """`shapes`: those of bodies met before, where they are kept."""
        self._shapes = shapes or KnownShapes(is_name)
        self.places = [""]
        """Every place met so far; the index of one never changes."""
        self.parents = [0]
        """For each place the one it is below."""
        self._children: dict[tuple[int, str], int] = {}
        self._texts, self._numbers, self._others = _Rows(), _Rows(), _Rows()
        self._objects: _Nodes = {}
        self._arrays: _Nodes = {}
        self._records: dict[tuple[int, type], _Parts] = {}
        self._items: Codes = np.empty(0, np.int64)
        """Of the bodies that are being walked: `Walked.items`."""
        self._left: int | None = None
        """Values that may yet be taken; None where there cannot be too many."""
        self._cut = 0

    def walk(self, bodies: Sequence[bytes], families: Sequence[int] | None = None) -> Walked:
        """The rows of bodies, numbered from 0. `families` says which are alike (None: all).

        Ask for some hundred at a time: what is decoded of more does not stay in the processor's caches.
        """
        with uncollected():
            return self._walked(bodies, families or [0] * len(bodies))

    def _walked(self, bodies: Sequence[bytes], families: Sequence[int]) -> Walked:
        roots: list[object] = []
        documents: list[int] = []
        large: list[int] = []
        is_text = np.zeros(len(bodies), bool)
        items = np.full(len(bodies), -1, np.int64)
        read = self._shapes.read
        for document, body in enumerate(bodies):
            if len(body) > _SURELY_FEW:
                large.append(document)
                continue
            root = read(families[document], body)
            if root is None or type(root) is str:
                is_text[document] = True
            if root is not None:
                roots.append(root)
                documents.append(document)
        self._items = items
        if roots:
            items[documents] = list(map(_items, roots))
            self._descend(roots, np.array(documents, np.int64))
        for document in large:  # each alone, since its values must be counted
            root = read_body(bodies[document])
            is_text[document] = type(root) is str or root is None
            if root is not None:
                items[document] = _items(root)
                self._left = MOST_VALUES
                self._descend([root], np.array([document], np.int64))
                self._left = None
        return self._taken(items, is_text)

    def _descend(self, roots: list[object], documents: Codes) -> None:
        self._emit(0, roots, documents)
        depth = 0
        while self._objects or self._arrays or self._records:
            objects, arrays, records = self._objects, self._arrays, self._records
            self._objects, self._arrays, self._records = {}, {}, {}
            if depth >= MOST_DEPTH:
                waiting = (*objects.values(), *arrays.values(), *records.values())
                self._cut += sum(len(nodes) for parts in waiting for nodes, _ in parts)
                return
            for place, parts in objects.items():
                self._fields(place, *_together(parts))
            for (place, kind), parts in records.items():
                self._slots(place, kind, *_together(parts))
            for place, parts in arrays.items():
                self._members(place, *_together(parts))
            depth += 1

    def _fields(self, place: int, nodes: list[object], documents: Codes) -> None:
        """Objects of one place, by their keys."""
        nodes = self._allowed(nodes, _first_fields)
        documents = documents[: len(nodes)]
        keys: list[tuple[str, ...]] = list(map(tuple, nodes))  # type: ignore[arg-type]
        if keys.count(keys[0]) == len(keys):
            self._table(place, keys[0], nodes, documents)
            return
        shapes: dict[tuple[str, ...], list[int]] = {}
        for at, one in enumerate(keys):
            shapes.setdefault(one, []).append(at)
        if len(shapes) > _MANY_SHAPES:
            self._by_key(place, nodes, documents)
            return
        for one, rows in shapes.items():
            self._table(place, one, [nodes[at] for at in rows], documents[rows])

    def _table(self, place: int, keys: tuple[str, ...], nodes: list[object], documents: Codes) -> None:
        """Objects with the same keys: a column for each key."""
        wide = len(keys)
        flat: list[object] = list(chain.from_iterable(map(dict.values, nodes)))  # type: ignore[arg-type]
        is_map = wide > MOST_FIELDS
        for at, key in enumerate(keys):
            child = -1 if is_map else self._child(place, key)
            if child < 0:
                child = self._behind(place)
                self._texts.add(child, Kind.KEY, documents, [key] * len(nodes))
            self._emit(child, flat[at::wide], documents)

    def _slots(self, place: int, kind: type, nodes: list[object], documents: Codes) -> None:
        """Records of one kind: a column for each of their fields."""
        keys = kind.__struct_encode_fields__  # type: ignore[attr-defined]
        wide = len(keys)
        flat: list[object] = list(chain.from_iterable(map(astuple, nodes)))  # type: ignore[arg-type]
        columns = [flat[at::wide] for at in range(wide)]
        for key, column in zip(keys, columns, strict=True):
            self._emit(self._child(place, key), column, documents)
        if place == 0:
            self._items[documents] = _lengths(columns, len(nodes))

    def _by_key(self, place: int, nodes: list[object], documents: Codes) -> None:
        """Objects of very many shapes."""
        columns: dict[str, tuple[list[object], list[int]]] = {}
        for at, node in enumerate(nodes):
            is_map = len(node) > MOST_FIELDS  # type: ignore[arg-type]
            for key, value in node.items():  # type: ignore[attr-defined]
                column = columns.get(key)
                if column is None:
                    column = columns[key] = ([], [])
                column[0].append(value)
                column[1].append(~at if is_map else at)
        behind: list[tuple[list[object], Codes]] = []
        for key, (values, rows) in columns.items():
            at_row = np.array(rows, np.int64)
            child = self._child(place, key)
            as_data = at_row < 0 if child >= 0 else np.ones(len(rows), bool)
            if as_data.any():
                chosen = np.flatnonzero(as_data).tolist()
                its = documents[np.where(at_row < 0, ~at_row, at_row)[chosen]]
                behind.append(([values[i] for i in chosen], its))
                self._texts.add(self._behind(place), Kind.KEY, its, [key] * len(chosen))
            if not as_data.all():
                chosen = np.flatnonzero(~as_data).tolist()
                self._emit(child, [values[i] for i in chosen], documents[at_row[chosen]])
        if behind:
            self._emit(self._behind(place), *_together(behind))

    def _members(self, place: int, nodes: list[object], documents: Codes) -> None:
        """Arrays of one place: all they hold stands at one place."""
        nodes = self._allowed(nodes, _first_members)
        sizes = np.fromiter(map(len, nodes), np.int64, len(nodes))  # type: ignore[arg-type]
        flat: list[object] = list(chain.from_iterable(nodes))  # type: ignore[arg-type]
        if flat:
            self._emit(self._items_of(place), flat, np.repeat(documents[: len(nodes)], sizes))

    def _allowed(self, nodes: list[object], first) -> list[object]:  # type: ignore[no-untyped-def]
        """Containers, as many and as much of each as may be taken."""
        if self._left is None:
            return nodes
        out: list[object] = []
        for node in nodes:
            beyond = max(len(node) - self._left, 0)  # type: ignore[arg-type]
            out.append(first(node, self._left) if beyond else node)
            self._cut += beyond
            self._left -= len(out[-1])  # type: ignore[arg-type]
        return out

    def _emit(self, place: int, column: list[object], documents: Codes) -> None:
        """Values of one place become rows; those that hold others wait for the next level."""
        kinds = set(map(type, column))
        if len(kinds) == 1:
            kind = kinds.pop()
            if kind is not msgspec.UnsetType:
                self._take(place, kind, column, documents)
            return
        types = list(map(type, column))
        kinds.discard(msgspec.UnsetType)
        for kind in sorted(kinds, key=_order):
            rows = [at for at, one in enumerate(types) if one is kind]
            own: list[object] = [None] * len(rows) if kind is type(None) else [column[at] for at in rows]
            self._take(place, kind, own, documents[rows])

    def _take(self, place: int, kind: type, column: list[object], documents: Codes) -> None:
        code = _kind(kind)
        if kind is str:
            self._texts.add(place, code, documents, column)
        elif kind is int or kind is float:
            self._numbers.add(place, code, documents, column)
        else:
            self._others.add(place, code, documents)
            if kind is dict:
                self._objects.setdefault(place, []).append((column, documents))
            elif kind is list:
                self._arrays.setdefault(place, []).append((column, documents))
            elif code == Kind.OBJECT:
                self._records.setdefault((place, kind), []).append((column, documents))

    def _child(self, place: int, key: str) -> int:
        """The place behind a key; -1 where the key is data."""
        known = self._children.get((place, key))
        if known is None:
            known = self._children[place, key] = self._new(place, key) if is_name(key) else -1
        return known

    def _behind(self, place: int) -> int:
        """The place behind the keys that are data."""
        known = self._children.get((place, "*"))
        if known is None:
            known = self._children[place, "*"] = self._new(place, "*")
        return known

    def _items_of(self, place: int) -> int:
        known = self._children.get((place, "[]"))
        if known is None:
            known = self._children[place, "[]"] = self._new(place, "[]")
        return known

    def _new(self, place: int, name: str) -> int:
        self.places.append(child_place(self.places[place], name))
        self.parents.append(place)
        return len(self.places) - 1

    def _taken(self, items: Codes, is_text: npt.NDArray[np.bool_]) -> Walked:
        families = (self._texts, self._numbers, self._others)
        segments = [one for rows in families for one in rows.documents]
        sizes = np.fromiter(map(len, segments), np.int64, len(segments))
        found = Walked(
            np.concatenate(segments) if segments else np.empty(0, np.int64),
            np.repeat(np.array([at for rows in families for at in rows.place], np.int64), sizes),
            np.repeat(np.array([at for rows in families for at in rows.kind], np.int64), sizes),
            list(chain.from_iterable(self._texts.values)),  # type: ignore[arg-type]
            list(chain.from_iterable(self._numbers.values)),  # type: ignore[arg-type]
            self.places,
            items,
            is_text,
            self._cut,
        )
        self._texts, self._numbers, self._others, self._cut = _Rows(), _Rows(), _Rows(), 0
        return found


def child_place(parent: str, name: str) -> str:
    """The place of a field (or `*`, or `[]`: what a list holds) below another."""
    if name == "[]":
        return f"{parent}[]"
    return f"{parent}.{name}" if parent else name


def is_name(key: str) -> bool:
    """Whether a key names a field, and does not tell an identifier, an address or a secret."""
    return bool(_NAME.match(key)) and not _DATA.search(key) and secret_kind(key) is None


@contextmanager
def uncollected() -> Iterator[None]:
    """Without collecting garbage: what is decoded has no cycles, and would be looked through again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _kind(kind: type) -> Kind:
    return _KINDS.get(kind, Kind.OBJECT)


def _order(kind: type) -> tuple[int, str]:
    return _kind(kind), kind.__name__


def _lengths(columns: list[list[object]], rows: int) -> Codes:
    """As `_items`, of records, by their columns."""
    lists, length = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    for column in columns:
        if list in set(map(type, column)):
            sizes = (len(one) if type(one) is list else -1 for one in column)
            own = np.fromiter(sizes, np.int64, rows)
            lists += own >= 0
            length += np.maximum(own, 0)
    return np.where(lists == 1, length, -1)


def _items(root: object) -> int:
    """The length of a document's one list: itself, or the only one right below; -1 for none or a record."""
    if type(root) is list:
        return len(root)
    if type(root) is dict:
        lists = [one for one in root.values() if type(one) is list]
    else:
        return -1
    return len(lists[0]) if len(lists) == 1 else -1


def _together(parts: Iterable[tuple[list[object], Codes]]) -> tuple[list[object], Codes]:
    nodes, documents = zip(*parts, strict=True)
    if len(nodes) == 1:
        return nodes[0], documents[0]
    return list(chain.from_iterable(nodes)), np.concatenate(documents)


def _first_fields(node: dict[str, object], most: int) -> dict[str, object]:
    return dict(islice(node.items(), most))


def _first_members(node: list[object], most: int) -> list[object]:
    return node[:most]
