"""CODEOWNERS files, as GitHub and GitLab write them: who answers for which files.

The last pattern that fits counts; with GitLab's sections, the last one of each section, and those of all
sections together. A section's default owners stand in for lines that name none; `!` takes files out of their
section. GitHub's patterns are made by the `codeowners` library and matched by RE2, so that no pattern costs
more than the path is long.

Sources: GitHub's "About code owners", GitLab's "Code Owners: syntax and error handling".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import re2
from codeowners import path_to_regex
from msgspec import Struct

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.redaction import plain_path

MOST_BYTES = 3 << 20
"""GitHub reads no larger one."""
MOST_LINES = 50_000
LONGEST = 1000
PLACES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
"""Where the two look for it, from the repository's top."""
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s.*)?)\Z")
_OWNER = re.compile(r"@{1,2}[A-Za-z0-9][\w./-]*\Z|[^\s@:/]+@[^\s@:/]+\Z")
_COMMENT = re.compile(r"(?<!\\)\s#.*|\A\s*#.*")
_SPACE = "\0"
_QUIET = re2.Options()
_QUIET.log_errors = False


class Line(Struct, frozen=True, array_like=True):
    """One line that names files."""

    number: int
    section: str
    pattern: str
    owners: tuple[str, ...] = ()
    excludes: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """The lines of a file that are understood, and the numbers of the others."""

    lines: tuple[Line, ...]
    left_out: tuple[int, ...]


def parse(content: bytes) -> Parsed:
    """The lines of a file. Raises `codeowners-unreadable`."""
    if len(content) > MOST_BYTES:
        raise WardgateError("codeowners-unreadable", f"the file is larger than {MOST_BYTES >> 20} MiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WardgateError("codeowners-unreadable", f"the file is not UTF-8 (byte {error.start}).") from None
    section = ""
    defaults: tuple[str, ...] = ()
    lines: list[Line] = []
    left_out: list[int] = []
    for number, given in enumerate(text.splitlines(), 1):
        plain = _COMMENT.sub("", given).strip()
        if not plain:
            continue
        head = _SECTION.match(plain)
        if head is not None:
            section, defaults = head["name"].strip().lower(), _owners(head["owners"].split())
            continue
        made = _line(number, section, plain, defaults)
        if made is None or len(lines) >= MOST_LINES:
            left_out.append(number)
        else:
            lines.append(made)
    return Parsed(tuple(lines), tuple(left_out))


def _line(number: int, section: str, text: str, defaults: tuple[str, ...]) -> Line | None:
    pattern, *words = text.replace("\\ ", _SPACE).split()
    pattern = pattern.replace(_SPACE, " ").replace("\\#", "#")
    excludes = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    owners = _owners(words)
    if not pattern or len(pattern) > LONGEST or len(owners) < len(words) or plain_path(pattern) != pattern:
        return None
    if _compiled(pattern, section) is None:
        return None
    return Line(number, section, pattern, owners or (defaults if section else ()), excludes)


def _owners(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in words if _OWNER.match(one)))


def _compiled(pattern: str, section: str) -> Any:
    if section and "/" in pattern[1:-1] and not pattern.startswith("/"):
        pattern = f"**/{pattern}"  # GitLab looks for it in every folder
    try:
        made = path_to_regex(pattern).pattern
        for end in (r"(?:\Z|/)", r"\Z"):
            if made.endswith(end):  # RE2 calls the end of a text `\z`
                made = made.removesuffix(end) + end.replace("Z", "z")
        return re2.compile(made, _QUIET)
    except (ValueError, re.error, re2.error):
        return None


class Codeowners:
    """Finds the owners of files. `name` is shown as where it is said."""

    def __init__(self, name: str, lines: Iterable[Line]) -> None:
        self._name = name
        self._lines = tuple(lines)

    @cached_property
    def _sections(self) -> list[list[tuple[Any, Line]]]:
        """The lines of each section, the last first."""
        out: dict[str, list[tuple[Any, Line]]] = {}
        for one in reversed(self._lines):
            out.setdefault(one.section, []).append((_compiled(one.pattern, one.section), one))
        return list(out.values())

    def of(self, path: str) -> list[tuple[str, str]]:
        """(owner, where it is said) of a file or folder, by its path from the repository's top."""
        file = path.strip("/")
        folder = f"{file}/"
        found: dict[str, str] = {}
        for section in self._sections:
            fitting = (one for compiled, one in section if compiled.search(file) or compiled.search(folder))
            hit = next(fitting, None)
            if hit is not None and not hit.excludes:
                for owner in hit.owners:
                    found.setdefault(owner, f"{self._name}:{hit.number}")
        return sorted(found.items())
