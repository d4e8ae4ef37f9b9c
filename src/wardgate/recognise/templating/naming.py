"""Names of parameters: from the noun before them, else from what their values look like."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from wardgate.recognise.templates import parameter_name
from wardgate.recognise.templating.lexical import Kind, lexeme

PARAMETER = "{}"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")
_VERSION = re.compile(r"v\d+(?:\.\d+)*\Z", re.IGNORECASE)
_BY_KIND = {
    Kind.EMAIL: "email",
    Kind.DATE: "date",
    Kind.LOCALE: "locale",
    Kind.FILE: "file",
    Kind.VERSION: "version",
}


def names_of(segments: Sequence[str], kinds: Sequence[Kind | None]) -> list[str]:
    """Names of the `{}` among segments, in order; `kinds` are the usual looks of their values."""
    out: list[str] = []
    noun = ""
    for segment, kind in zip(segments, kinds, strict=True):
        if segment == PARAMETER:
            name = _name(noun, kind)
            candidate, n = name, 1
            while candidate in out:
                n += 1
                candidate = f"{name}{n}"
            out.append(candidate)
        elif _WORD.match(segment) and not _VERSION.match(segment):
            noun = segment
    return out


def usual_kind(values: Iterable[str]) -> Kind | None:
    """The looks that more than half of the values have."""
    counts = Counter(lexeme(one).kind for one in values)
    if not counts:
        return None
    kind, n = max(counts.items(), key=lambda one: (one[1], one[0]))
    return kind if 2 * n > counts.total() else None


def _name(noun: str, kind: Kind | None) -> str:
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    return parameter_name(noun)
