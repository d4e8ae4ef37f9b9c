"""Asking all content rules about many texts at once: columns in, (text, rule, count) out.

One vectorised question leaves out the texts in which no rule has a chance, which in ordinary traffic is nearly
all of them; the rest have their percent-encoding undone and are asked of one RE2 Set per side. Nothing here
keeps a text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote_plus

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2

from wardgate.core.errors import WardgateError
from wardgate.match.signals.catalogue import content_rules
from wardgate.match.signals.shape import ContentRule, Side

LONGEST = 16_384
"""Characters of a text that are looked at."""
MOST = 100
"""Occurrences in one text that are counted."""
_ENCODED = r"%[0-9A-Fa-f]{2}|%u[0-9A-Fa-f]{4}"
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Noticed:
    """Rules that noticed something: parallel columns. `rule` is an index into `Noticing.rules`."""

    text: Codes
    rule: Codes
    count: Codes


class Noticing:
    """Asks the given rules. Thread-safe once made; making it compiles every pattern (some ms)."""

    def __init__(self, rules: Iterable[ContentRule]) -> None:
        self.rules = tuple(rules)
        self._sides = {side: _Side(self.rules, side) for side in Side}

    def notice(self, texts: pa.Array, side: Side) -> Noticed:
        """What the rules of a side notice in distinct `texts` (strings; nulls say nothing)."""
        asked = self._sides[side]
        if not len(texts) or asked.is_empty:
            return _noticed([])
        chance = pc.fill_null(pc.match_substring_regex(texts, asked.net), False)
        out: list[tuple[int, int, int]] = []
        at = np.flatnonzero(chance.to_numpy(zero_copy_only=False))
        raw = texts.take(pa.array(at)).cast(pa.binary()).to_pylist()
        for text, value in zip(at.tolist(), raw, strict=True):
            if asked.may_hold(value):
                out += [(text, rule, count) for rule, count in asked.of(value.decode())]
        return _noticed(out)

    def net(self, side: Side) -> str:
        """RE2 without which a raw text need not be asked: it leaves out nearly all that is ordinary."""
        return self._sides[side].net

    def asked(self, text: str, side: Side) -> list[tuple[int, int]]:
        """(index of the rule, count) of what is noticed in one text."""
        return self._sides[side].of(text)

    def of(self, text: str, side: Side) -> list[tuple[ContentRule, int]]:
        """Rules that notice something in one text, and how often."""
        return [(self.rules[rule], count) for rule, count in self._sides[side].of(text)]


class _Side:
    """The patterns that look at one side."""

    def __init__(self, rules: tuple[ContentRule, ...], side: Side) -> None:
        self._rules = rules
        own = [(at, one) for at, one in enumerate(rules) if side in one.sides]
        self._patterns = [(at, _compiled(one, pattern)) for at, one in own for pattern in one.patterns]
        self.is_empty = not self._patterns
        options = re2.Options()
        options.max_mem = 128 << 20
        options.case_sensitive = False
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        for _, one in own:
            for pattern in one.patterns:
                self._set.Add(pattern)
        if self._patterns:
            self._set.Compile()
        needed = dict.fromkeys(
            one.needs or "(?i:" + "|".join(one.patterns) + ")" for _, one in own if one.patterns
        )
        self.net = "|".join((_ENCODED, *(f"(?:{one})" for one in needed)))

    def may_hold(self, raw: bytes) -> bool:
        """Whether `of` may answer anything of a text in UTF-8: most that the net lets through hold nothing."""
        is_plain = b"%" not in raw and b"+" not in raw and len(raw) <= LONGEST
        return not is_plain or self._set.Match(raw) is not None

    def of(self, text: str) -> list[tuple[int, int]]:
        plain = decoded(text[:LONGEST])
        found: dict[int, int] = {}
        for at in self._set.Match(plain) or ():
            rule, pattern = self._patterns[at]
            if not self._rules[rule].valid(plain):
                continue
            count = 0
            for _ in pattern.finditer(plain):
                count += 1
                if count >= MOST:
                    break
            found[rule] = max(found.get(rule, 0), count, 1)
        return sorted(found.items())


def decoded(text: str) -> str:
    """A text as what it is meant for would read it: percent-encoding undone three times, `+` as a space."""
    for _ in range(3):
        if "%" not in text and "+" not in text:
            break
        once = unquote_plus(text, errors="replace")
        if once == text:
            break
        text = once
    return text.encode("utf-8", "replace").decode()


@cache
def noticing() -> Noticing:
    """All rules, ready to be asked."""
    return Noticing(content_rules())


def _compiled(rule: ContentRule, pattern: str) -> "re2._Regexp":
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if error.args else "not RE2"
        raise WardgateError(
            "content-rule-malformed", f"{rule.name}: {why} in {re.sub(r'[^ -~]', '?', pattern)!r}."
        ) from error


def _noticed(found: list[tuple[int, int, int]]) -> Noticed:
    texts, rules, counts = zip(*found, strict=True) if found else ((), (), ())
    return Noticed(np.array(texts, np.int64), np.array(rules, np.int64), np.array(counts, np.int64))
