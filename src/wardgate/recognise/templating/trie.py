"""The distinct paths of one service as a trie of segments, with what was seen at each end.

A pure function of the set of what was added: masks are unions, samples keep the smallest hashes. Bounded: a
node keeps at most so many children of a sort, so a million siblings cost what some hundred do; depth ends at
`DEEPEST`. Where there are more than `MOST_NODES` all the same, templates are learned from a copy in which
every node keeps half as many, as often as needed; what is held itself is halved beyond `MOST_HELD`.
"""

import re
from collections.abc import Iterable, Iterator
from zlib import crc32

from wardgate.match.secrets import UUID
from wardgate.recognise.templating.lexical import PLAIN_VALUES, lexeme

DEEPEST = 32
"""Segments beyond are one rest."""
MOST_SHAPES = 4
MOST_OBJECTS = 48
"""Identifiers of one path's answers that are kept, those of the smallest ids."""
LIST = 0
"""Among the identifiers of a path's answers: one of them was a list."""
METHODS = {
    "GET": 1,
    "HEAD": 2,
    "POST": 4,
    "PUT": 8,
    "PATCH": 16,
    "DELETE": 32,
    "OPTIONS": 64,
}
OTHER_METHOD = 128
WIDTHS = (512, 128, 8, 2, 1)
"""Children of a node that are kept, of those whose looks leave it open, below so many nodes that left some
out; of plain values an eighth is kept. So a trie has a largest size, whatever is sent."""
MOST_NODES = 1 << 16
"""Nodes that are learned from at most."""
MOST_HELD = 1 << 19
"""Nodes at most; until there are so many, what is held is the same in whatever order it came."""
_ALL = 1 << 32
_DIGIT = re.compile("[0-9]")


class Node:
    """One segment below one other. `methods` and `statuses` are masks of what ended here.

    `objects` are keyed ids of the identifiers that answers returned.
    """

    __slots__ = ("children", "full", "methods", "objects", "shapes", "statuses", "version")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.methods = 0
        self.statuses = 0
        self.shapes: tuple[int, ...] = ()
        self.objects: tuple[int, ...] = ()
        self.version = 0
        self.full: tuple[int, int] | None = None
        """Highest hash kept of plain values and of others, once children were left out."""

    @property
    def overflows(self) -> bool:
        """Whether it has had as many children as are kept, or more."""
        return self.full is not None and (self.full[0] < _ALL or self.full[1] < _ALL)

    @property
    def ends(self) -> bool:
        return self.methods != 0


class Trie:
    """All paths of one service."""

    def __init__(self) -> None:
        self.root = Node()
        self.version = 0
        self._widths: tuple[int, ...] = WIDTHS
        self._made = 0  # nodes, since it was settled

    def holds(self, path: str) -> bool:
        """Whether a path is in it, to its end."""
        node = self.root
        for segment in path.split("/")[1 : DEEPEST + 1]:
            child = node.children.get(segment)
            if child is None:
                return False
            node = child
        return True

    def paths(self) -> Iterator[tuple[str, "Node"]]:
        """Every path that ends in it, with the node it ends at."""
        waiting = [("", self.root)]
        while waiting:
            place, node = waiting.pop()
            if node.ends:
                yield place, node
            waiting += [(f"{place}/{name}", child) for name, child in node.children.items()]

    def merge(
        self,
        path: str,
        methods: int,
        statuses: int,
        shapes: Iterable[int] = (),
        objects: Iterable[int] = (),
    ) -> bool:
        """Take in masks of what was seen of a path, and what answered; whether that changed anything."""
        return self._add(path, methods, statuses, shapes, objects)

    def make_room(self, path: str) -> bool:
        """Take in a path of which nothing else is told yet; False where it is left out, which is for good."""
        node = self.root
        for segment in path.split("/")[1 : DEEPEST + 1]:
            child = node.children.get(segment)
            if child is None:
                if node.full is not None and not _fits(node.full, segment):
                    return False
                self._add(path, 0, 0, ())
                return True
            node = child
        return True

    def add(
        self, path: str, method: str | None = None, status: int | None = None, shapes: Iterable[int] = ()
    ) -> bool:
        """Take in one observation; whether it changed anything."""
        return self._add(path, method_mask(method), 1 << (status // 100) if status else 1, shapes)

    def _add(
        self, path: str, mask: int, outcome: int, shapes: Iterable[int], objects: Iterable[int] = ()
    ) -> bool:
        segments = path.split("/")[1:]
        del segments[DEEPEST:]
        if self._made > MOST_HELD:
            self.settle()
        node = self.root
        way = [node]
        above = 0
        for segment in segments:
            child = node.children.get(segment)
            if child is None:
                if node.full is not None and not _fits(node.full, segment):
                    return False
                child = node.children[segment] = Node()
                self._made += 1
                if len(node.children) > 2 * self._widths[above]:
                    _trim(node, self._widths[above])
                    if segment not in node.children:
                        self._touch(way)
                        return True
            if node.full is not None and node.overflows:
                above = min(above + 1, len(WIDTHS) - 1)
            node = child
            way.append(node)
        answered = _smallest(node.shapes, shapes, MOST_SHAPES)
        returned = _smallest(node.objects, objects, MOST_OBJECTS)
        if (
            node.methods | mask == node.methods
            and node.statuses | outcome == node.statuses
            and answered == node.shapes
            and returned == node.objects
        ):
            return False
        node.shapes, node.objects = answered, returned
        node.methods |= mask
        node.statuses |= outcome
        self._touch(way)
        return True

    def _touch(self, way: list[Node]) -> None:
        self.version += 1
        for node in way:
            node.version = self.version

    def settle(self) -> None:
        """Trim every node exactly, so that what is kept does not depend on the order of arrival."""
        self._narrow(MOST_HELD)
        self._made = 0

    def narrowed(self) -> "Trie":
        """Itself, settled; or a copy of no more than `MOST_NODES` where it has more."""
        self._made = 0
        if self._narrow(MOST_HELD) <= MOST_NODES:
            return self
        copy = Trie()
        copy.root, copy.version, copy._widths = _copied(self.root), self.version, self._widths
        copy._narrow(MOST_NODES)
        return copy

    def _narrow(self, most: int) -> int:
        """Trim every node, to half as many as often as needed; how many are left."""
        count = self._trimmed()
        while count > most and self._widths[0] > 1:
            self._widths = tuple(max(one // 2, 1) for one in self._widths)
            count = self._trimmed()
        return count

    def _trimmed(self) -> int:
        """Trim every node to the widths as they are; how many are left."""
        waiting = [(self.root, 0)]
        count = 0
        while waiting:
            node, above = waiting.pop()
            count += 1
            width = self._widths[above]
            if len(node.children) > width // 8:
                _trim(node, width)
            below = min(above + 1, len(WIDTHS) - 1) if node.overflows else above
            waiting += [(child, below) for child in node.children.values()]
        return count

    def flooded(self) -> list[str]:
        """Places that had more different children than are kept: many identifiers, or a scan."""
        found: list[str] = []
        waiting = [("", self.root)]
        while waiting:
            place, node = waiting.pop()
            if node.overflows:
                found.append(place or "/")
            waiting += [(f"{place}/{name}", child) for name, child in node.children.items() if child.children]
        return sorted(found)


def _copied(root: Node) -> Node:
    """A tree of the same nodes that can be trimmed by itself."""
    top = Node()
    waiting = [(root, top)]
    while waiting:
        node, copy = waiting.pop()
        for name in ("methods", "statuses", "shapes", "objects", "version", "full"):
            setattr(copy, name, getattr(node, name))
        for segment, child in node.children.items():
            copy.children[segment] = Node()
            waiting.append((child, copy.children[segment]))
    return top


def _smallest(known: tuple[int, ...], more: Iterable[int], most: int) -> tuple[int, ...]:
    """The smallest of both together, sorted: whatever their order of arrival."""
    fresh = [one for one in more if one not in known]
    return tuple(sorted({*known, *fresh})[:most]) if fresh else known


def _fits(full: tuple[int, int], segment: str) -> bool:
    low = _hash(segment)
    if low > full[0] and low > full[1]:
        return False
    return low <= full[0 if is_plain(segment) else 1]


def _trim(node: Node, width: int) -> None:
    """Keep the children of the smallest hashes, of plain values and of others."""
    kept: list[str] = []
    limits = []
    for plain, most in ((True, max(width // 8, 1)), (False, width)):
        found = sorted((_hash(one), one) for one in node.children if is_plain(one) == plain)
        kept += [one for _, one in found[:most]]
        limits.append(found[most - 1][0] if len(found) >= most else _ALL)
    before = node.full or (_ALL, _ALL)
    node.full = (min(before[0], limits[0]), min(before[1], limits[1]))
    if len(kept) < len(node.children):
        node.children = {one: node.children[one] for one in sorted(kept)}


def is_plain(segment: str) -> bool:
    """Whether a segment looks like a value wherever it stands."""
    if segment.isascii() and segment.isdigit():
        return True
    if len(segment) == 36 and UUID.match(segment) and _DIGIT.search(segment):
        return True  # what `lexeme` says of it as well, at a tenth of the price
    return lexeme(segment).kind in PLAIN_VALUES


def method_mask(method: str | None) -> int:
    """A method as `Node.methods` has it."""
    return METHODS.get(method.upper(), OTHER_METHOD) if method else 256


def _hash(segment: str) -> int:
    return crc32(segment.encode("utf-8", "surrogatepass")) * 2654435761 % (1 << 32)
