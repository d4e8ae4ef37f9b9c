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
_MOST_SKELETONS = 50_000
_PLAIN = re.compile(
    r"(?<=/)(\d+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?=/|\Z)",
    re.ASCII,
)
_INTEGER = re.compile(r"[+-]?\d+\Z", re.ASCII)
_HEX = re.compile(r"(?=[0-9a-fA-F]*[0-9])(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_VERSION = re.compile(r"v\d+(?:\.\d+)*\Z", re.IGNORECASE)
NAME = re.compile(r"\{[^{}/]*\}")
"""A parameter of a template."""
_BREAKS = re.compile(r"[-_.]+(.)?")


@dataclass(frozen=True, slots=True)
class Template:
    """A template, and the identifiers it took out: parameters and their values, in order."""

    text: str
    parameters: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class Templates:
    """`template_of`, remembering the shapes of paths it has met (bounded).

    Paths that differ in plain numbers and UUIDs only share a skeleton, and are cut by it.
    """

    def __init__(self) -> None:
        self._skeletons: dict[str, Template | None] = {}

    def of(self, path: str) -> Template:
        """The template of one redacted path."""
        pieces = _PLAIN.split(path)
        skeleton = "0".join(pieces[::2])
        if skeleton not in self._skeletons:
            if len(self._skeletons) >= _MOST_SKELETONS:
                self._skeletons.clear()
            self._skeletons[skeleton] = self._learn(path, len(pieces) // 2)
        known = self._skeletons[skeleton]
        if known is None:
            return template_of(path)
        return Template(known.text, known.parameters, tuple(pieces[1::2]))

    def _learn(self, path: str, plain: int) -> Template | None:
        """The template all paths of this skeleton share; None where other segments are identifiers too."""
        template = template_of(path)
        return template if len(template.values) == plain and "0" not in template.text else None


def template_of(path: str) -> Template:
    """The template of one redacted path, segment by segment."""
    out: list[str] = []
    parameters: list[str] = []
    values: list[str] = []
    noun = ""
    for i, segment in enumerate(path.split("/")):
        if i > MOST_SEGMENTS:
            out.append("{rest}")
            break
        if is_identifier(segment):
            name = _fresh(parameter_name(noun), parameters)
            out.append(f"{{{name}}}")
            parameters.append(name)
            values.append(segment)
        else:
            out.append(segment)
            if _WORD.match(segment) and not _VERSION.match(segment):
                noun = segment
    return Template("/".join(out), tuple(parameters), tuple(values))


def erased(template: str) -> str:
    """A template without the names of its parameters: what an operation's id is made of."""
    return NAME.sub("{}", template) if "{" in template else template


def is_identifier(segment: str) -> bool:
    """Whether a path segment is plainly a value."""
    if not segment or segment.isalpha():
        return False
    if MARK in segment:
        return True
    if _INTEGER.match(segment) or UUID.match(segment) or _HEX.match(segment):
        return True
    return secret_kind(segment) is not None


def parameter_name(noun: str) -> str:
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


def _fresh(name: str, used: list[str]) -> str:
    candidate, n = name, 1
    while candidate in used:
        n += 1
        candidate = f"{name}{n}"
    return candidate
