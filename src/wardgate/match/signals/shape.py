"""The shape of a content rule: what a user, a detector or the gate writes to have content noticed.

Content is gone after recognition, so rules look at it as it passes and leave *signals*: rule, place, count. A
rule says nothing about intent: it notices, and whoever reads signals decides. Patterns are RE2: no lookaround,
linear time. They are asked of text with its percent-encoding undone (up to three times), in any case.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Side(StrEnum):
    """Where text stands in a call."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"


EVERYWHERE = frozenset(Side)


def anything(text: str) -> bool:
    """The validator of a rule that needs none."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentRule:
    """One thing to notice.

    name: stable, lower case, dashes. title: what people read. reference: what standard or weakness it is about.
    patterns: RE2; any of them suffices. sides: where it looks.
    version: raise it whenever patterns change: the lake remembers since when each version has been looking.
    needs: RE2 of what a raw text must hold for the rule to have a chance, if that is more than percent-encoding
    or punctuation that ordinary paths lack; default: the patterns themselves.
    valid: asked about each text that matched; only what it accepts counts.
    found, passed: examples that must and must not be noticed.
    """

    name: str
    title: str
    reference: str
    patterns: tuple[str, ...]
    sides: frozenset[Side] = EVERYWHERE
    version: int = 1
    needs: str = ""
    valid: Callable[[str], bool] = anything
    found: tuple[str, ...] = field(default=(), repr=False)
    passed: tuple[str, ...] = field(default=(), repr=False)
