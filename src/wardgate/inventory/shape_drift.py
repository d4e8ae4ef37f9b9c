"""Where an observed shape is not the described one, field by field.

Names of schemas are looked up and alternatives put together, each schema once, so that schemas which refer to
one another in loops or in thousands of ways cost no more than there are of them.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from wardgate.inventory.specifications.form import Shape

DEEPEST = 12
MOST_NESTED = 150
"""Names and alternatives within one another."""
MOST = 200
"""Differences told of one body."""


class Side(StrEnum):
    """How two shapes differ in one place."""

    OBSERVED_ONLY = "observed-only"
    MISSING = "missing"
    TYPE = "type"


def differences(described: Shape, observed: Shape, schemas: Mapping[str, Shape]) -> list[tuple[Side, str]]:
    """(how, where) of a body; a place is `.field`, `[]` for what a list holds."""
    out: list[tuple[Side, str]] = []
    for found in _between(described, observed, _Whole(schemas), "", 0):
        if len(out) >= MOST:
            break
        out.append(found)
    return out


def _between(
    described: Shape, observed: Shape, whole: "_Whole", place: str, depth: int
) -> Iterator[tuple[Side, str]]:
    if depth >= DEEPEST:
        return
    known = whole.of(described)
    if known.types and observed.types:
        allowed = set(known.types) | ({"integer"} if "number" in known.types else set())
        if set(observed.types) - allowed:
            yield Side.TYPE, place or "."
            return
    open_ended = known.more is not None or not known.fields or bool(known.any_of)
    for name, shape in observed.fields.items():
        if name in known.fields:
            yield from _between(known.fields[name], shape, whole, f"{place}.{name}", depth + 1)
        elif known.more is not None:
            yield from _between(known.more, shape, whole, f"{place}.{name}", depth + 1)
        elif not open_ended or known.closed:
            yield Side.OBSERVED_ONLY, f"{place}.{name}"
    if observed.fields:
        for name in known.required:
            if name not in observed.required:
                yield Side.MISSING, f"{place}.{name}"
    if known.items is not None and observed.items is not None:
        yield from _between(known.items, observed.items, whole, f"{place}[]", depth + 1)


class _Whole:
    """Shapes with their names looked up and their parts put together."""

    def __init__(self, schemas: Mapping[str, Shape]) -> None:
        self._schemas = schemas
        self._known: dict[str, Shape] = {}
        self._depth = 0

    def of(self, shape: Shape) -> Shape:
        """One shape. Of alternatives, all fields are known, and what each one asks for is required."""
        if shape.ref is None and not (shape.all_of or shape.any_of or shape.one_of):
            return shape
        if shape.ref in self._known:
            return self._known[shape.ref]
        if self._depth >= MOST_NESTED:
            return Shape()
        self._depth += 1
        try:
            if shape.ref is None:
                return self._together(shape)
            self._known[shape.ref] = Shape()  # what a loop finds
            self._known[shape.ref] = self.of(self._schemas.get(shape.ref, Shape()))
            return self._known[shape.ref]
        finally:
            self._depth -= 1

    def _together(self, shape: Shape) -> Shape:
        fields, required, types = dict(shape.fields), set(shape.required), set(shape.types)
        more, items, closed, loose = shape.more, shape.items, shape.closed, False
        for part in (self.of(one) for one in shape.all_of):
            fields.update(part.fields)
            required.update(part.required)
            types.update(part.types)
            more, items, closed = more or part.more, items or part.items, closed or part.closed
            loose = loose or bool(part.any_of)
        alternatives = [self.of(one) for one in (*shape.any_of, *shape.one_of)]
        if alternatives:
            for part in alternatives:
                fields.update(part.fields)
                more, items = more or part.more, items or part.items
                loose = loose or not part.types or ("object" in part.types and not part.fields)
            required.update(set.intersection(*(set(part.required) for part in alternatives)))
            types = (
                types | {name for part in alternatives for name in part.types}
                if all(part.types for part in alternatives)
                else set()
            )
        return Shape(
            types=tuple(sorted(types)),
            fields=fields,
            required=tuple(sorted(required)),
            items=items,
            more=more,
            closed=closed,
            any_of=(Shape(),) if loose else (),
        )
