"""JSON schemas, as OpenAPI 2.0 to 3.2 write them, as shapes.

A reference to a named schema stays a name, so loops among schemas need no end. Other references are followed
where they stand; one that leads back into itself is noted and means anything.
"""

from collections.abc import Iterable
from typing import Any

from wardgate.inventory.specifications.form import Scalar, Shape
from wardgate.inventory.specifications.naming import component_names
from wardgate.inventory.specifications.notes import Notes, Pointer, below
from wardgate.inventory.specifications.references import References

ANYTHING = Shape()
TYPES = frozenset(("array", "boolean", "integer", "null", "number", "object", "string"))
MOST_VALUES = 1000
DEEPEST = 100
"""Levels of one shape; whatever walks it later has room on the stack."""
DEEPEST_INLINED = 20
MOST_INLINED = 200_000
"""Shapes that references other than to named schemas may make, in all."""


class Shapes:
    """Makes shapes of one document's schemas. `home` is the pointer that named schemas are under."""

    def __init__(self, references: References, notes: Notes, home: str, names: Iterable[str]) -> None:
        self._references = references
        self._notes = notes
        self._home = home + "/"
        self._within: list[str] = []
        self._inlined = 0
        self._depth = 0
        self.names = component_names(names, notes, home)

    def of(self, schema: Any, pointer: Pointer) -> Shape:
        """The shape of the schema at `pointer`."""
        if not isinstance(schema, dict):
            if not isinstance(schema, bool):
                self._notes.add("wrong-type", pointer)
            return ANYTHING
        if self._depth >= DEEPEST:
            self._notes.add("too-deep", pointer)
            return ANYTHING
        self._depth += 1
        try:
            return self._of(schema, pointer)
        finally:
            self._depth -= 1

    def _of(self, schema: dict[str, Any], pointer: Pointer) -> Shape:
        self._inlined += bool(self._within)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(reference, pointer)
        types = self._types(schema, pointer)
        fields = self._fields(schema, pointer)
        more = schema.get("additionalProperties")
        given = schema.get("format")
        return Shape(
            types=types,
            format=given if isinstance(given, str) else None,
            fields=fields,
            required=self._required(schema, pointer),
            items=self._items(schema, pointer),
            more=self.of(more, below(pointer, "additionalProperties")) if isinstance(more, dict) else None,
            closed=more is False,
            values=self._values(schema, pointer, types),
            all_of=self._each(schema, "allOf", pointer),
            any_of=self._each(schema, "anyOf", pointer),
            one_of=self._each(schema, "oneOf", pointer),
        )

    def _referred(self, reference: str, pointer: Pointer) -> Shape:
        if reference.startswith(self._home):
            name = reference[len(self._home) :].replace("~1", "/").replace("~0", "~")
            if name in self.names:
                return Shape(ref=self.names[name])
        if reference in self._within:
            self._notes.add("reference-loop", below(pointer, "$ref"))
            return ANYTHING
        found = self._references.at(reference, pointer)
        if found is None:
            return ANYTHING
        self._within.append(reference)
        try:
            if len(self._within) > DEEPEST_INLINED or self._inlined > MOST_INLINED:
                self._notes.add("too-deep", below(pointer, "$ref"))
                return ANYTHING
            return self.of(found, reference)
        finally:
            self._within.pop()

    def _types(self, schema: dict[str, Any], pointer: Pointer) -> tuple[str, ...]:
        given = schema.get("type")
        listed = given if isinstance(given, list) else [] if given is None else [given]
        if listed == ["file"]:  # OpenAPI 2.0
            return ("string",)
        types = {one for one in listed if isinstance(one, str) and one in TYPES}
        if len(types) < len(listed):
            self._notes.add("wrong-type", below(pointer, "type"))
        if types and (schema.get("nullable") is True or schema.get("x-nullable") is True):
            types.add("null")
        return tuple(sorted(types))

    def _fields(self, schema: dict[str, Any], pointer: Pointer) -> dict[str, Shape]:
        given = schema.get("properties")
        if given is None:
            return {}
        if not isinstance(given, dict):
            self._notes.add("wrong-type", below(pointer, "properties"))
            return {}
        return {name: self.of(one, below(pointer, "properties", name)) for name, one in given.items()}

    def _required(self, schema: dict[str, Any], pointer: Pointer) -> tuple[str, ...]:
        given = schema.get("required")
        if isinstance(given, list):
            names = {one for one in given if isinstance(one, str)}
            if len(names) == len(given):
                return tuple(sorted(names))
        elif given is None or isinstance(given, bool):  # a boolean is draft 3's, as old documents have it
            return ()
        else:
            names = set()
        self._notes.add("wrong-type", below(pointer, "required"))
        return tuple(sorted(names))

    def _items(self, schema: dict[str, Any], pointer: Pointer) -> Shape | None:
        given = schema.get("items")
        return None if given is None else self.of(given, below(pointer, "items"))

    def _values(self, schema: dict[str, Any], pointer: Pointer, types: tuple[str, ...]) -> tuple[Scalar, ...]:
        given = [schema["const"]] if "const" in schema else schema.get("enum")
        if given is None:
            return ()
        if not isinstance(given, list):
            self._notes.add("wrong-type", below(pointer, "enum"))
            return ()
        plain = [one for one in given if one is None or isinstance(one, (str, int, float))]
        if len(plain) < len(given):
            self._notes.add("wrong-type", below(pointer, "enum"))
            return ()
        distinct = {(type(one).__name__, one): one for one in plain}
        return tuple(distinct.values())[:MOST_VALUES]

    def _each(self, schema: dict[str, Any], name: str, pointer: Pointer) -> tuple[Shape, ...]:
        given = schema.get(name)
        if given is None:
            return ()
        if not isinstance(given, list):
            self._notes.add("wrong-type", below(pointer, name))
            return ()
        return tuple(self.of(one, below(pointer, name, at)) for at, one in enumerate(given))
