"""The prior's words: how many providers of public API descriptions use a word as a constant, and beside what.

Counts are of providers (look-alikes count as one), never of paths, so that one wide API cannot outvote the
rest.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

START = "^"
"""What stands before the first segment."""
END = "$"

CONSTANT = 0
LEADS = 1
"""Is followed by a parameter."""
LEADS_ON = 2
"""Is followed by a constant."""
FOLLOWS = 3
"""Stands behind a parameter."""
FOLLOWS_ON = 4
"""Stands behind a constant."""
_COLUMNS = 5
_PIECE = 3
_KNOWN_PIECE = 3
_LONGEST_COMPOUND = 30
"""Letters of a piece, providers that have it, and letters of what is cut."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Counts of providers. `words[word]` has the five columns above; `pairs` are constants in succession."""

    words: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    pairs: Mapping[str, int] = field(default_factory=dict)
    """`first/second` → providers."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """Words inside of compound constants → providers."""
    letters: Mapping[str, float] = field(default_factory=dict)
    """Log-probability of a letter behind two others (`abc` → log p(c | ab)), in constants."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Noun → the name its parameter mostly has."""
    data: Mapping[str, int] = field(default_factory=dict)
    """Words in the examples that descriptions give of data → providers."""
    beside: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Constant → constants that stand beside it, below the same → providers; both ways."""

    def __bool__(self) -> bool:
        return bool(self.words)

    def row(self, word: str) -> tuple[int, ...]:
        return self.words.get(word, (0,) * _COLUMNS)

    def pair(self, first: str, second: str) -> int:
        return self.pairs.get(f"{first}/{second}", 0)

    def part(self, word: str) -> int:
        return self.parts.get(word, 0)

    def leaning(self, word: str) -> float:
        """Log-odds that a word stands in data rather than in the names of an API."""
        return log_odds(self.data.get(word, 0), self.parts.get(word, 0))

    def compound(self, word: str) -> float:
        """How known the least known of the pieces is that make up a word: `market` `data`; else 0."""
        size = len(word)
        if not 2 * _PIECE <= size <= _LONGEST_COMPOUND:
            return 0.0
        best = [0.0] * (size + 1)
        best[0] = math.inf
        for end in range(_PIECE, size + 1):
            for start in range(end - _PIECE + 1):
                if best[start] > best[end] and not (start == 0 and end == size):
                    known = self.parts.get(word[start:end], 0)
                    if known >= _KNOWN_PIECE:
                        best[end] = max(best[end], min(best[start], math.log1p(known)))
        return best[size]

    def spelling(self, text: str) -> float:
        """Mean log-probability of the letters; about -2 for words, below -3 for noise."""
        low = f"^^{text.lower()}$"
        known = self.letters
        if not known:
            return 0.0
        total = 0.0
        for i in range(2, len(low)):
            total += known.get(low[i - 2 : i + 1], -6.0)
        return total / (len(low) - 2)


def log_odds(yes: int, no: int) -> float:
    """Smoothed log-odds."""
    return math.log((yes + 0.5) / (no + 0.5))


def letter_model(words: Iterable[str], most: int) -> dict[str, float]:
    """Trigram log-probabilities over distinct words; the `most` frequent ones."""
    counts: dict[str, int] = {}
    starts: dict[str, int] = {}
    for word in sorted(set(words)):
        low = f"^^{word}$"
        for i in range(2, len(low)):
            counts[low[i - 2 : i + 1]] = counts.get(low[i - 2 : i + 1], 0) + 1
            starts[low[i - 2 : i]] = starts.get(low[i - 2 : i], 0) + 1
    kept = sorted(counts, key=lambda one: (-counts[one], one))[:most]
    return {one: round(math.log(counts[one] / starts[one[:2]]), 2) for one in sorted(kept)}


def both_ways(found: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """`Vocabulary.beside` from pairs that are told once each."""
    out: dict[str, dict[str, int]] = {}
    for first, others in found.items():
        for second, n in others.items():
            out.setdefault(first, {})[second] = n
            out.setdefault(second, {})[first] = n
    return out
