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
_PAIRS = 30


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

    def __bool__(self) -> bool:
        return bool(self.words)

    def row(self, word: str) -> tuple[int, ...]:
        return self.words.get(word, (0,) * _COLUMNS)

    def pair(self, first: str, second: str) -> int:
        return self.pairs.get(f"{first}/{second}", 0)

    def part(self, word: str) -> int:
        return self.parts.get(word, 0)

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
