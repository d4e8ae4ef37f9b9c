"""Templates, first form: a segment that is plainly an identifier becomes a named parameter.

Numbers, UUIDs, hexadecimal and long opaque tokens are identifiers; everything else is a constant. A pure
function of the path, so the order of arrival cannot matter.
"""

import re
from dataclasses import dataclass

from wardgate.match.secrets import UUID, secret_kind
from wardgate.recognise.tokens import MARK

NEEDS_CUTTING = r"/[^/]*[0-9~]"
"""Paths without a match have no identifier (RE2 syntax)."""
MOST_SEGMENTS = 64
_INTEGER = re.compile(r"[+-]?\d+\Z")
_HEX = re.compile(r"(?=[0-9a-fA-F]*[0-9])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_VERSION = re.compile(r"v\d+(?:\.\d+)*\Z", re.IGNORECASE)
_BREAKS = re.compile(r"[-_]+(.)?")


@dataclass(frozen=True, slots=True)
class Template:
    """A template, and the identifiers it took out: (parameter, value), in order."""

    text: str
    identifiers: tuple[tuple[str, str], ...] = ()


def template_of(path: str) -> Template:
    """The template of one redacted path."""
    out: list[str] = []
    identifiers: list[tuple[str, str]] = []
    noun = ""
    used: set[str] = set()
    segments = path.split("/")
    for i, segment in enumerate(segments):
        if i > MOST_SEGMENTS:
            out.append("{rest}")
            break
        if is_identifier(segment):
            name = _fresh(_parameter(noun), used)
            out.append(f"{{{name}}}")
            identifiers.append((name, segment))
        else:
            out.append(segment)
            if _WORD.match(segment) and not _VERSION.match(segment):
                noun = segment
    return Template("/".join(out), tuple(identifiers))


def is_identifier(segment: str) -> bool:
    """Whether a path segment is plainly a value."""
    if not segment or segment.isalpha():
        return False
    if MARK in segment:
        return True
    if _INTEGER.match(segment) or UUID.match(segment) or _HEX.match(segment):
        return True
    return secret_kind(segment) is not None


def _parameter(noun: str) -> str:
    """`orders` → `orderId`, `user-profiles` → `userProfileId`, nothing → `id`."""
    if not noun:
        return "id"
    words = _BREAKS.sub(lambda m: (m[1] or "").upper(), noun)
    words = words[0].lower() + words[1:]
    return f"{_singular(words)}Id"


def _singular(noun: str) -> str:
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("ses", "xes", "ches", "shes")) and len(noun) > 5:
        return noun[:-2]
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3:
        return noun[:-1]
    return noun


def _fresh(name: str, used: set[str]) -> str:
    candidate, n = name, 1
    while candidate in used:
        n += 1
        candidate = f"{name}{n}"
    used.add(candidate)
    return candidate
