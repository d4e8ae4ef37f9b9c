"""What evidence is drawn from: the nodes that one template merges, and what holds for a whole service.

Bits about bodies are kept per segment, and per path where an answer lists what stands behind it (`bodies`).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.recognise.templating.lexical import lexeme
from wardgate.recognise.templating.trie import Node
from wardgate.recognise.templating.vocabulary import Vocabulary

PARAMETER = "{}"
IN_BODY_AS_ID = 1
"""The segment stands in a body as the value of a field that names identifiers."""
IN_BODY_AS_VALUE = 2
IN_BODY_AS_KEY = 4
BODIES = 8
"""Set on the service's entry "" where bodies were seen at all."""
LISTED = 16
"""Of a path: its parent's answer lists it."""
LISTS = 32
"""Of a path: its answer lists something."""
ECHOES = 1
"""Among shapes: the answer names the last segment of its own path as what identifies it."""


@dataclass(slots=True)
class Surroundings:
    """What holds for a whole service: where texts stand, what bodies hold, how usual a body's shape is."""

    vocabulary: Vocabulary
    bodies: Mapping[str, int] = field(default_factory=dict)
    """Segment → bits `IN_BODY_…`; the entry "" says whether bodies were seen."""
    places: Counter[str] = field(default_factory=Counter)
    """Segment → nodes of the trie that it is."""
    ends: Counter[str] = field(default_factory=Counter)
    """Segment → nodes that it is and that have no children."""
    parts: Counter[str] = field(default_factory=Counter)
    """Word → nodes whose segment holds it."""
    shapes: Counter[int] = field(default_factory=Counter)
    shape_total: int = 0
    listed: set[int] = field(default_factory=set)
    """Nodes (by `id`) that their parent's answer lists."""
    lists: set[int] = field(default_factory=set)
    """Nodes whose answers list something."""
    sizes: dict[int, int] = field(default_factory=dict)
    """Nodes (by `id`) that have children → nodes below."""
    top: int = 0
    """The root (by `id`)."""

    @staticmethod
    def of(root: Node, vocabulary: Vocabulary, bodies: Mapping[str, int] | None = None) -> "Surroundings":
        """Walks a service's trie once."""
        found = Surroundings(vocabulary, bodies or {}, top=id(root))
        waiting = [root]
        inner: list[Node] = []
        if found.bodies:
            found._note_lists(root)
        while waiting:
            node = waiting.pop()
            inner.append(node)
            found.places.update(node.children.keys())
            for child in node.children.values():
                for shape in child.shapes:
                    if shape != ECHOES:
                        found.shapes[shape] += 1
                        found.shape_total += 1
            found.ends.update(segment for segment, child in node.children.items() if not child.children)
            waiting += [child for child in node.children.values() if child.children]
        for node in reversed(inner):  # children stand behind their parents
            below = sum(found.sizes.get(id(child), 0) for child in node.children.values())
            found.sizes[id(node)] = len(node.children) + below
        for segment, times in found.places.items():
            for part in set(lexeme(segment).parts):
                found.parts[part] += times
        return found

    def _note_lists(self, root: Node) -> None:
        waiting = [("", root)]
        while waiting:
            path, node = waiting.pop()
            if self.bodies.get(path, 0) & LISTS:
                self.lists.add(id(node))
            for segment, child in node.children.items():
                below = f"{path}/{segment}"
                if self.bodies.get(below, 0) & LISTED:
                    self.listed.add(id(child))
                waiting.append((below, child))


@dataclass(slots=True)
class Group:
    """A node of the trie of templates: the raw nodes that its template merges."""

    nodes: list[Node]
    above: tuple[str, ...]
    """The template's segments so far, parameters as `{}`."""
    children: dict[str, list[Node]] = field(default_factory=dict)

    @staticmethod
    def of(nodes: list[Node], above: tuple[str, ...]) -> "Group":
        children: dict[str, list[Node]] = {}
        for node in nodes:
            for segment, child in node.children.items():
                children.setdefault(segment, []).append(child)
        return Group(nodes, above, dict(sorted(children.items())))
