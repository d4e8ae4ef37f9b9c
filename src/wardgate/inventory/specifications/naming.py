"""Names as OpenAPI's components may have them: letters, digits, dots, dashes and underscores."""

import re
from collections.abc import Iterable

from wardgate.inventory.specifications.notes import Notes, Pointer, below

_NAME = re.compile(r"[A-Za-z0-9._-]+\Z")
_OTHER = re.compile(r"[^A-Za-z0-9._-]")


def component_names(names: Iterable[str], notes: Notes, pointer: Pointer) -> dict[str, str]:
    """Name in the document → name in the form; distinct, and the same wherever it is allowed."""
    names = list(names)
    out = {name: name for name in names if _NAME.match(name)}
    taken = set(out)
    for name in names:
        if name in out:
            continue
        notes.add("schema-renamed", below(pointer, name))
        base = plain = _OTHER.sub("_", name) or "_"
        n = 1
        while plain in taken:
            n += 1
            plain = f"{base}_{n}"
        taken.add(plain)
        out[name] = plain
    return out
