"""References within a document, followed with an end: loops, other documents and dead ends are noted."""

from typing import Any
from urllib.parse import unquote

from wardgate.inventory.specifications.notes import Notes, Pointer, below

_MOST_STEPS = 50


class References:
    """Follows the `$ref`s of one document."""

    def __init__(self, document: dict[str, Any], notes: Notes) -> None:
        self._document = document
        self._notes = notes

    def follow(self, value: Any, pointer: Pointer) -> tuple[Any, Pointer]:
        """A value with its references followed, and where it is; None where they lead nowhere."""
        seen: set[str] = set()
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            reference = value["$ref"]
            if reference in seen or len(seen) >= _MOST_STEPS:
                self._notes.add("reference-loop", pointer)
                return None, pointer
            seen.add(reference)
            found = self.at(reference, pointer)
            if found is None:
                return None, pointer
            value, pointer = found, reference
        return value, pointer

    def at(self, reference: str, pointer: Pointer) -> Any:
        """The value a reference leads to; None, noted at `pointer`, where it leads nowhere here."""
        if not reference.startswith("#"):
            self._notes.add("reference-remote", below(pointer, "$ref"))
            return None
        at: Any = self._document
        for step in reference[1:].split("/")[1:]:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(at, dict) and name in at:
                at = at[name]
            elif isinstance(at, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(at):
                at = at[int(name[:9])]
            else:
                self._notes.add("reference-missing", below(pointer, "$ref"))
                return None
        return at
