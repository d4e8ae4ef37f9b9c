"""Schemas of an operation's bodies, per direction, status and media type, from the tallies in the lake.

What stood at each place adds up over batches (`recognise.schemas`), so that a schema is a pure function of
the bodies seen: types, formats, required fields, null, and enumerations where words were few and seen often.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from wardgate.inventory.scope import Scope, question
from wardgate.inventory.specifications.form import Shape
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.recognise.formats import PLAIN
from wardgate.recognise.schemas import MOST_CONSTANTS, MOST_PLACES, depth

ENOUGH = 20
"""Values seen before a handful of constants is called an enumeration."""
_DEEPEST = 40
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(slots=True)
class Stats:
    """What stood at one place. Counts are of values, one per body and occurrence."""

    kinds: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    constants: dict[str | None, int] = field(default_factory=dict)
    """By word; under None the strings that are none."""

    def add(self, kind: str, format_: str | None, constant: str | None, count: int) -> None:
        self.kinds[kind] = self.kinds.get(kind, 0) + count
        if kind == "string":
            form = format_ or PLAIN
            self.formats[form] = self.formats.get(form, 0) + count
            self.constants[constant] = self.constants.get(constant, 0) + count


@dataclass(frozen=True, slots=True)
class BodySchema:
    """One schema of an operation's bodies."""

    operation_id: int
    direction: str
    """request or response."""
    status: int
    """Of responses; 0 where none was shown, and for requests."""
    media_type: str
    bodies: int
    """Bodies seen."""
    is_cut: bool
    """Whether places were left out, being too many."""
    places: Mapping[str, Stats]

    def json_schema(self) -> dict[str, Any]:
        """As JSON Schema 2020-12: types, formats, required fields, enumerations, null."""
        return _json_schema(self.places)

    def shape(self) -> Shape:
        """As specifications have it.

        Forms write every value as text, so nothing is said of types there; of XML, whose elements and
        attributes specifications describe in another way, nothing at all.
        """
        if self.media_type.endswith(("/xml", "+xml")):
            return Shape()
        found = _shape(self.json_schema(), 0)
        return _untyped(found) if self.media_type in _FORMS else found


def body_schemas(lake: Lake, scope: Scope) -> list[BodySchema]:
    """All schemas of the operations of a scope, in the order of operation, direction, status and media type.

    The scope's times do not matter: schemas say what was ever seen.
    """
    found = question(scope).ask(
        lake,
        f"""SELECT operation_id, direction, status, media_type, place, kind, format, constant,
                   sum(count)::BIGINT AS count
            FROM {ALIAS}.schemas JOIN known USING (path_id)
            GROUP BY ALL ORDER BY operation_id, direction, status, media_type""",
    )
    return list(schemas_of(found))


def schemas_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[BodySchema]:
    """Schemas from tallies: rows as `lake.tables.SCHEMAS` has them, with the operation's id."""
    places: dict[tuple[int, str, int, str], dict[str, Stats]] = defaultdict(dict)
    for row in rows:
        own = places[row["operation_id"], row["direction"], row["status"], row["media_type"]]
        stats = own.setdefault(row["place"], Stats())
        stats.add(row["kind"], row["format"], row["constant"], row["count"])
    for (operation, direction, status, media_type), own in places.items():
        kept = dict(sorted(own.items(), key=lambda one: depth(one[0]))[:MOST_PLACES])
        bodies = sum(own[""].kinds.values()) if "" in own else 0
        yield BodySchema(operation, direction, status, media_type, bodies, len(kept) < len(own), kept)


def _json_schema(places: Mapping[str, Stats]) -> dict[str, Any]:
    nodes = {text: _node(stats) for text, stats in places.items()}
    properties: dict[str, dict[str, Any]] = {}
    required: dict[str, list[str]] = {}
    for text, stats in sorted(places.items()):
        parent, name = _parent(text)
        if not text or parent not in nodes:
            continue
        if name == "[]":
            nodes[parent]["items"] = nodes[text]
        elif name == "*":
            nodes[parent]["additionalProperties"] = nodes[text]
        else:
            properties.setdefault(parent, {})[name] = nodes[text]
            if sum(stats.kinds.values()) >= places[parent].kinds.get("object", 0):
                required.setdefault(parent, []).append(name)
    for text, node in nodes.items():
        if text in properties:
            node["properties"] = properties[text]
        if text in required:
            node["required"] = required[text]
    return nodes.get("", {})


def _parent(text: str) -> tuple[str, str]:
    if text.endswith("[]"):
        return text[:-2], "[]"
    parent, _, name = text.rpartition(".")
    return parent, name


def _node(stats: Stats) -> dict[str, Any]:
    kinds = set(stats.kinds)
    if "number" in kinds:
        kinds.discard("integer")
    types = sorted(kinds)
    node: dict[str, Any] = {"type": types[0] if len(types) == 1 else types}
    if len(stats.formats) == 1 and PLAIN not in stats.formats:
        node["format"] = next(iter(stats.formats))
    words = [one for one in stats.constants if one is not None]
    strings = stats.kinds.get("string", 0)
    if (
        words
        and len(words) == len(stats.constants) <= MOST_CONSTANTS
        and strings >= max(ENOUGH, 3 * len(words))
        and kinds <= {"string", "null"}
    ):
        node["enum"] = [*sorted(words), *([None] if "null" in kinds else [])]
    return node


def _untyped(one: Shape) -> Shape:
    """A shape without the types of its texts."""
    return structs.replace(
        one,
        types=() if one.types == ("string",) else one.types,
        fields={name: _untyped(field) for name, field in one.fields.items()},
        items=None if one.items is None else _untyped(one.items),
        more=None if one.more is None else _untyped(one.more),
    )


def _shape(node: Mapping[str, Any], deep: int) -> Shape:
    types = node.get("type", ())
    if deep >= _DEEPEST:
        return Shape(types=(types,) if isinstance(types, str) else tuple(types))
    inner = node.get("additionalProperties")
    return Shape(
        types=(types,) if isinstance(types, str) else tuple(types),
        format=node.get("format"),
        values=tuple(node.get("enum", ())),
        fields={name: _shape(one, deep + 1) for name, one in node.get("properties", {}).items()},
        required=tuple(node.get("required", ())),
        items=_shape(node["items"], deep + 1) if "items" in node else None,
        more=_shape(inner, deep + 1) if inner is not None else None,
    )
