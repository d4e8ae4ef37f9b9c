"""What an import leaves out, said: where, and why, bounded however much it is."""

from typing import Any

from wardgate.inventory.specifications.form import LeftOut

Pointer = str | tuple[Any, ...]
"""A JSON pointer or a line: text, or a pointer with the names that lead on from it."""
EACH = 50
"""How many places are kept of each kind."""
LONGEST = 240

REASONS: dict[str, str] = {
    "reference-remote": "a reference to another document, which was not fetched",
    "reference-missing": "a reference to nothing",
    "reference-loop": "references that lead back to themselves",
    "wrong-type": "a value of another type than the specification language has here",
    "too-deep": "nested too deeply",
    "duplicate-key": "a key that is there twice; the last one counts",
    "duplicate-operation": "an operation that is there twice; the first one counts",
    "duplicate-operation-id": "an operationId that another operation has",
    "duplicate-parameter": "a parameter that is there twice; the last one counts",
    "path-parameter-undeclared": "a parameter of the path that is declared nowhere; taken for text",
    "path-parameter-stray": "a path parameter that is not in the path",
    "path-malformed": "a path without a leading slash, or with a constraint in a parameter; it was mended",
    "webhook": "a webhook or callback: a call that goes out, not an operation of this service",
    "status-malformed": "a response under something other than a status",
    "method-unknown": "something under a path that is no method",
    "security-unknown": "a security scheme of an unknown type",
    "schema-renamed": "a schema whose name has other characters than allowed; they became underscores",
    "document-further": "further documents in the same file",
    "tag-unknown": "a YAML tag that means nothing here; its value is taken for text",
    "postman-malformed": "an item that is neither a folder nor a request",
    "proto-option": "an HTTP rule that is not understood",
}
"""Code → what it means. Shown with every note and in the documentation."""


class Notes:
    """Collects what is left out."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._kept: list[LeftOut] = []

    def add(self, code: str, place: Pointer) -> None:
        """One more thing left out, for one of `REASONS`, at a JSON pointer or line."""
        seen = self._seen.get(code, 0)
        self._seen[code] = seen + 1
        if seen < EACH:
            text = written(place)
            text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
            self._kept.append(LeftOut(code, text, REASONS[code]))

    @property
    def kept(self) -> tuple[LeftOut, ...]:
        return tuple(self._kept)

    @property
    def total(self) -> int:
        return sum(self._seen.values())


def below(pointer: Pointer, *names: str | int) -> Pointer:
    """The JSON pointer of something below `pointer`; put together only where it is noted."""
    return (pointer, *names)


def written(pointer: Pointer) -> str:
    """A pointer as text."""
    steps: list[str] = []
    while isinstance(pointer, tuple):
        pointer, *names = pointer
        steps += [str(one).replace("~", "~0").replace("/", "~1") for one in reversed(names)]
    return "/".join((pointer, *reversed(steps)))
