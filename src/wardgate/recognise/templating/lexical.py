"""What a path segment looks like by itself: its kind, its parts and a few measures. Pure and remembered.

A kind never decides alone whether a segment is a value: `/2/tweets` holds a version, `/sha256sum` a constant.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

from wardgate.match.secrets import UUID as _UUID
from wardgate.recognise.tokens import MARK


class Kind(IntEnum):
    """Looks of a segment, the most telling first."""

    INT = 0
    UUID = 1
    HEX = 2
    ULID = 3
    OPAQUE = 4
    PREFIXED = 5
    EMAIL = 6
    DATE = 7
    LOCALE = 8
    NUMBER = 9
    """A decimal, a coordinate, a dotted version without `v`."""
    VERSION = 10
    FILE = 11
    LIST = 12
    MATRIX = 13
    CODED = 14
    """With percent-encoded characters or ones outside of the usual."""
    DOTTED = 15
    COLON = 16
    WORD = 17
    """Lower-case letters."""
    CAMEL = 18
    UPPER = 19
    HYPHENS = 20
    """Words joined by hyphens."""
    UNDERSCORES = 21
    DIGITS_IN_WORD = 22
    """One word with digits in it: `alice42`, `sha256sum`."""
    DIGITS_IN_WORDS = 23
    """Several words with digits: `release-42`, `test_8f3`."""
    OTHER = 24
    EMPTY = 25
    DOMAIN = 26
    """A host name: `shop.example.com`."""


PLAIN_VALUES = frozenset(
    {Kind.INT, Kind.UUID, Kind.HEX, Kind.ULID, Kind.OPAQUE, Kind.PREFIXED, Kind.EMAIL, Kind.DATE}
)
"""Kinds that are values nearly everywhere; subtrees are compared with these made equal."""

_INT = re.compile(r"[+-]?\d+\Z", re.ASCII)
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{8,}\Z")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")
_DATE = re.compile(
    r"(?:\d{4}[-.]\d{2}(?:[-.]\d{2}(?:[T_ ].*)?)?|\d{2}-\d{2}-\d{4}|\d{8}T\d{4,6}Z?"
    r"|\d{4}-W\d{2}|\d{4}-Q[1-4])\Z",
    re.ASCII,
)
_LOCALE = re.compile(r"[a-z]{2,3}[-_](?:[A-Z]{2}|[A-Z][a-z]{3}|\d{3}|[a-z]{2})\Z")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,][+-]?\d+)+\Z", re.ASCII)
_VERSION = re.compile(r"(?:v|V)\d+(?:[._]\d+)*(?:(?:alpha|beta|rc|p)\d*)?\Z")
_EMAIL = re.compile(r"[^@/\s]+(?:@|%40)[^@/\s]+\.[A-Za-z]{2,}\Z")
_FILE = re.compile(r".*[^.]\.[A-Za-z][A-Za-z0-9]{1,4}\Z")
_DOMAIN = re.compile(
    r"(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|app|co|ai|gov|edu|info|biz|cloud|example|test|local|xyz|site|online|uk|de"
    r"|fr|es|it|nl|eu|us|ca|au|in|jp|cn|br|se|ch|at|pl|ru)\Z"
)
_PREFIXED = re.compile(r"[A-Za-z]{1,8}(?:_(?:live|test))?[_-](?=[A-Za-z0-9]*\d)[A-Za-z0-9]{8,}\Z")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SAFE = re.compile(r"[A-Za-z0-9._~@:,;=+!$&'()*-]*\Z")
_OPAQUE_BREAKS = re.compile(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])")


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A segment's looks. `key` is it in lower case; `parts` its words in lower case."""

    kind: Kind
    key: str
    parts: tuple[str, ...]
    length: int
    digits: float
    """Share of digits."""
    plural: bool
    switches: int
    """Changes between letters and digits."""


@lru_cache(maxsize=1 << 16)
def lexeme(segment: str) -> Lexeme:
    """The looks of one segment (without slashes)."""
    digits = sum(map(str.isdigit, segment))
    size = len(segment)
    parts = tuple(one.lower() for one in _PARTS.findall(segment[:80]))
    words = tuple(one for one in parts if not one.isdigit())
    key = segment.lower()
    plural = key.endswith("s") and not key.endswith(("ss", "us", "is")) and size > 3
    switches = len(_OPAQUE_BREAKS.findall(segment[:80])) if digits else 0
    return Lexeme(
        _kind(segment, digits, size, switches),
        key,
        words,
        size,
        digits / size if size else 0,
        plural,
        switches,
    )


def _kind(text: str, digits: int, size: int, switches: int) -> Kind:  # noqa: PLR0912 - a table in order
    if not text:
        return Kind.EMPTY
    if MARK in text:
        return Kind.OPAQUE
    if text.isalpha() and text.isascii():
        return _alphabetic(text, size)
    if digits:
        if _INT.match(text):
            return Kind.INT
        if size == 36 and _UUID.match(text):
            return Kind.UUID
        if _DATE.match(text):
            return Kind.DATE
        if _VERSION.match(text):
            return Kind.VERSION
        if _NUMBER.match(text):
            return Kind.NUMBER
        if _HEX.match(text):
            return Kind.HEX
        if size == 26 and _ULID.match(text):
            return Kind.ULID
    if ";" in text:
        return Kind.MATRIX
    if ("@" in text or "%40" in text) and _EMAIL.match(text):
        return Kind.EMAIL
    if "," in text or "%2C" in text:
        return Kind.LIST
    if _LOCALE.match(text):
        return Kind.LOCALE
    if not _SAFE.match(text):
        return Kind.CODED
    if "." in text:
        if _DOMAIN.match(text):
            return Kind.DOMAIN
        return Kind.FILE if _FILE.match(text) else Kind.DOTTED
    if ":" in text:
        return Kind.COLON
    return _joined(text, digits, size, switches)


def _alphabetic(text: str, size: int) -> Kind:
    if text.islower():
        return Kind.WORD
    if text.isupper():
        return Kind.UPPER
    return Kind.OPAQUE if size >= 8 and _is_jumble(text) else Kind.CAMEL


def _is_jumble(text: str) -> bool:
    """Letters whose case changes as chance has it."""
    changes = sum(a.islower() and b.isupper() for a, b in pairwise(text))
    alone = len(re.findall(r"(?<![A-Z])[A-Z](?![a-z]{2})", text))
    return changes >= 3 and 2 * alone > max(sum(map(str.isupper, text)), 3)


def _joined(text: str, digits: int, size: int, switches: int) -> Kind:
    if digits and _PREFIXED.match(text) and (switches >= 2 or size >= 14):
        return Kind.PREFIXED
    joined = "-" in text or "_" in text
    if digits:
        if not joined:
            mixed = not text.islower() and not text.isupper()
            random = switches >= 3 or (switches >= 2 and (mixed or size >= 10)) or (mixed and size >= 10)
            return Kind.OPAQUE if random and size >= 6 else Kind.DIGITS_IN_WORD
        pieces = re.split(r"[-_]", text)
        longest = max(pieces, key=len)
        if len(longest) >= 10 and len(_OPAQUE_BREAKS.findall(longest)) >= 3:
            return Kind.OPAQUE
        return Kind.DIGITS_IN_WORDS
    if "-" in text and "_" not in text:
        return Kind.HYPHENS
    if "_" in text and "-" not in text:
        return Kind.UNDERSCORES
    return Kind.OTHER
