"""Shapes of bodies met before: what is decoded into them costs half, and holds half the memory.

Bodies of one operation are alike. From some of them a record is learned (`msgspec.Struct`: a slot for each
field instead of a dictionary for each object), with every field optional and none unknown: a body that does
not fit is decoded as any other and teaches the record what it lacks. So a record never changes what is read,
only how long it takes. Objects whose keys are data, and what is an object in some bodies only, stay plain.

Learned per family (whose bodies they are, as the caller says), for a process, within bounds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from wardgate.recognise.body_bounds import MOST_DEPTH, MOST_FIELDS
from wardgate.recognise.reading_bodies import OPENING, Body, read_body

ENOUGH = 48
"""Bodies of a family that are read before its record is made."""
_MISSES = 16
"""Bodies that did not fit, before it is made anew."""
_MOST_MAKES = 8
_GIVEN_UP = 64
"""Bodies that did not fit the last record, and were more than half of all, before there is none any more."""
_MOST_NODES = 600
"""Places of one record."""
_MOST_NODES_IN_ALL = 60_000
_MOST_FAMILIES = 20_000

IsName = Callable[[str], bool]
Decode = Callable[[bytes], Any]


@dataclass(slots=True)
class _Node:
    """What stood at one place of a family's bodies."""

    objects: int = 0
    lists: int = 0
    nulls: int = 0
    others: int = 0
    fields: dict[str, "_Node"] = field(default_factory=dict)
    items: "_Node | None" = None
    is_map: bool = False
    """Some key was data: no record can name it."""


class _Family:
    """What is known of the bodies of one family."""

    __slots__ = ("decode", "makes", "misses", "nodes", "reads", "root", "seen")

    def __init__(self) -> None:
        self.root = _Node()
        self.nodes = 1
        self.seen = 0
        self.reads = 0
        self.misses = 0
        self.makes = 0
        self.decode: Decode | None = None


class KnownShapes:
    """Reads bodies as `read_body` does, and objects of a known shape as records. For one thread at a time."""

    def __init__(self, is_name: IsName) -> None:
        """`is_name`: whether a key names a field, and is not data."""
        self._is_name = is_name
        self._families: dict[int, _Family] = {}
        self._nodes = 0
        self._numbers = count()

    def read(self, family: int, raw: bytes) -> Body | Struct | list[Struct] | None:
        """A body's values; None for nothing that can be read."""
        known = self._families.get(family)
        if known is None:
            known = self._begin(family)
        if known.decode is not None:
            known.reads += 1
            try:
                read: Struct | list[Struct] = known.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                known.misses += 1
            else:
                return read
        root = read_body(raw)
        if known.makes < _MOST_MAKES:
            if type(root) is not str and raw[:1] in OPENING:
                self._learn(known, root)
        elif known.misses >= _GIVEN_UP and 2 * known.misses > known.reads:
            known.decode = None
        return root

    def _begin(self, family: int) -> _Family:
        if len(self._families) >= _MOST_FAMILIES or self._nodes >= _MOST_NODES_IN_ALL:
            self._families.clear()
            self._nodes = 0
        known = self._families[family] = _Family()
        return known

    def _learn(self, known: _Family, root: object) -> None:
        before = known.nodes
        self._meet(known, known.root, root, 0)
        self._nodes += known.nodes - before
        known.seen += 1
        is_due = known.misses >= _MISSES if known.makes else known.seen >= ENOUGH
        if is_due:
            known.reads = known.misses = 0
            known.makes += 1
            known.decode = _decoder(known.root, self._numbers)

    def _meet(self, known: _Family, node: _Node, value: object, depth: int) -> None:
        if isinstance(value, dict):
            node.objects += 1
            node.is_map |= len(value) > MOST_FIELDS or depth >= MOST_DEPTH
            if node.is_map:
                return
            for key, one in value.items():
                inner = node.fields.get(key)
                if inner is None:
                    is_full = len(node.fields) >= MOST_FIELDS or known.nodes >= _MOST_NODES
                    if is_full or not self._is_name(key):
                        node.is_map = True
                        return
                    inner = node.fields[key] = _Node()
                    known.nodes += 1
                self._meet(known, inner, one, depth + 1)
        elif isinstance(value, list):
            node.lists += 1
            if node.items is None:
                node.items = _Node()
                known.nodes += 1
            for one in value:
                self._meet(known, node.items, one, depth + 1)
        elif value is None:
            node.nulls += 1
        else:
            node.others += 1


def _decoder(root: _Node, numbers: Iterator[int]) -> Decode | None:
    """What decodes a family's bodies; None where a record would say nothing of them."""
    kind = _type(root, numbers)
    return None if kind is Any else msgspec.json.Decoder(kind).decode


def _type(node: _Node, numbers: Iterator[int]) -> Any:
    """The type of what stands at a place; `Any` is read as it comes."""
    kind: Any = Any
    if node.objects and not (node.lists or node.others or node.is_map) and node.fields:
        kind = _record(node, numbers)
    elif node.lists and not (node.objects or node.others) and node.items is not None:
        inner = _type(node.items, numbers)
        kind = Any if inner is Any else list[inner]  # type: ignore[valid-type]
    return kind | None if node.nulls and kind is not Any else kind


def _record(node: _Node, numbers: Iterator[int]) -> type[Struct]:
    """A record of a place's fields; its name says when it was made."""
    fields = []
    for at, (key, inner) in enumerate(node.fields.items()):
        kind = _type(inner, numbers)
        kind = kind if kind is Any else kind | UnsetType
        fields.append((f"f{at}", kind, msgspec.field(name=key, default=UNSET)))
    return msgspec.defstruct(f"Record{next(numbers):08}", fields, gc=False, forbid_unknown_fields=True)
