"""Bodies as columns: each distinct JSON body is walked once, and its values become rows of (document, place).

A place is the way to a value with everything that varies left out: `user.emails[]`, `accounts.*.owner`. Keys
that look like data (identifiers, addresses, tokens) are values, not names: they stand as `*`, so that no
place ever tells them. Depth, values and bytes are bounded; what is beyond is left out and counted.

Walked bodies hold raw values and live only in memory, as observed tables do.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice, repeat

import msgspec
import numpy as np

from wardgate.match.secrets import secret_kind
from wardgate.recognise.distinct import Codes

MOST_BYTES = 1 << 20
"""Longest body that is decoded."""
MOST_VALUES = 5_000
"""Values of one body that are looked at."""
MOST_DEPTH = 32
MOST_FIELDS = 200
"""An object with more fields is a map: its keys are data."""

_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$:-]{0,63}\Z")
_DATA = re.compile(r"\d{5}|\d.*[-_:].*\d.*[-_:].*\d|[0-9a-fA-F]*\d[0-9a-fA-F]{7}")
_DECODER = msgspec.json.Decoder()


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


class _Object:
    """Stands where an object stood, so that nothing of a walked document is kept but its scalars."""


class _Array:
    """Stands where an array stood."""


# Plain integers, which become arrays faster than an enumeration's.
_KINDS: dict[type, int] = {
    type(None): int(Kind.NULL),
    bool: int(Kind.BOOLEAN),
    int: int(Kind.INTEGER),
    float: int(Kind.NUMBER),
    str: int(Kind.STRING),
    _Object: int(Kind.OBJECT),
    _Array: int(Kind.ARRAY),
}
_CONTAINERS: dict[type, object] = {dict: _Object(), list: _Array()}
_MOST_SHAPES = 20_000


@dataclass(slots=True)
class Walked:
    """Parallel columns, one row per value; `place` is an index into `places`, of which 0 is the root."""

    document: Codes
    place: Codes
    kind: Codes
    values: list[object] = field(repr=False)
    """Scalars as decoded; marks where arrays and objects stood."""
    places: list[str]
    cut: int = 0
    """Values left out because of a bound."""


class Walker:
    """Walks documents, collecting columns until they are taken. Objects of a known shape cost no look-ups."""

    def __init__(self) -> None:
        self._places = [""]
        self._children: dict[tuple[int, str], int] = {}
        self._shapes: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        self._document: list[int] = []
        self._many: list[int] = []
        self._place: list[int] = []
        self._values: list[object] = []
        self._keys: list[int] = []
        self._cut = 0

    def add(self, document: int, body: bytes) -> bool:
        """Walk one body; False where it is no JSON object or array, or too long to be decoded."""
        if len(body) > MOST_BYTES or body[:64].lstrip()[:1] not in (b"{", b"["):
            return False
        try:
            root = _DECODER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        before = len(self._values)
        self._place.append(0)
        self._values.append(_CONTAINERS[type(root)])
        self._walk(root)
        self._document.append(document)
        self._many.append(len(self._values) - before)
        return True

    def taken(self) -> Walked:
        """What was walked."""
        kind = np.fromiter(map(_KINDS.__getitem__, map(type, self._values)), np.int64, len(self._values))
        kind[self._keys] = Kind.KEY
        document = np.repeat(np.array(self._document, np.int64), np.array(self._many, np.int64))
        place = np.array(self._place, np.int64)
        return Walked(document, place, kind, self._values, self._places, self._cut)

    def _walk(self, root: object) -> None:
        """Every container on the stack has its own row already; its members get theirs here."""
        places, values = self._place, self._values
        most = len(values) + MOST_VALUES
        stack: list[tuple[int, object, int]] = [(0, root, 0)]
        while stack:
            place, node, depth = stack.pop()
            left = most - len(values)
            if left <= 0 or depth >= MOST_DEPTH:
                self._cut += 1
            elif type(node) is dict:
                if len(node) > left:
                    self._cut += len(node) - left
                    node = dict(islice(node.items(), left))
                children = self._shapes.get((place, tuple(node))) or self._shape(place, node)
                places += children
                self._take(children, node.values(), depth, stack)
            elif type(node) is list:
                self._cut += max(0, len(node) - left)
                child = self._items(place)
                members = node[:left]
                places += [child] * len(members)
                self._take(repeat(child), members, depth, stack)

    def _take(
        self,
        children: Iterable[int],
        members: Collection[object],
        depth: int,
        stack: list[tuple[int, object, int]],
    ) -> None:
        """Members become values; those that hold others go on the stack."""
        kinds = set(map(type, members))
        if dict not in kinds and list not in kinds:
            self._values += members
            return
        marks, values = _CONTAINERS, self._values
        for child, one in zip(children, members, strict=False):
            kind = type(one)
            if kind is dict or kind is list:
                stack.append((child, one, depth + 1))
                values.append(marks[kind])
            else:
                values.append(one)

    def _shape(self, place: int, node: dict[str, object]) -> list[int]:
        """The places of an object's fields. Keys that are data get rows of their own."""
        is_map = len(node) > MOST_FIELDS
        children = [-1 if is_map else self._child(place, key) for key in node]
        if -1 not in children:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[place, tuple(node)] = children
            return children
        behind = self._behind(place)
        for key, child in zip(node, children, strict=True):
            if child < 0:
                self._keys.append(len(self._values))
                self._place.append(behind)
                self._values.append(key)
        return [behind if child < 0 else child for child in children]

    def _child(self, place: int, key: str) -> int:
        """The place behind a key; -1 where the key is data."""
        known = self._children.get((place, key))
        if known is None and is_name(key):
            known = self._children[place, key] = self._new(place, key)
        return -1 if known is None else known

    def _behind(self, place: int) -> int:
        """The place behind the keys that are data."""
        known = self._children.get((place, "*"))
        if known is None:
            known = self._children[place, "*"] = self._new(place, "*")
        return known

    def _items(self, place: int) -> int:
        known = self._children.get((place, "[]"))
        if known is None:
            self._places.append(f"{self._places[place]}[]")
            known = self._children[place, "[]"] = len(self._places) - 1
        return known

    def _new(self, place: int, name: str) -> int:
        parent = self._places[place]
        self._places.append(f"{parent}.{name}" if parent else name)
        return len(self._places) - 1


def is_name(key: str) -> bool:
    """Whether a key names a field, and does not tell an identifier, an address or a secret."""
    return bool(_NAME.match(key)) and not _DATA.search(key) and secret_kind(key) is None
