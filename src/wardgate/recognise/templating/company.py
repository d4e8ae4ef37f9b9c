"""The second look's measures: what the first look said of siblings, of the same text and of other parameters.

Texts and words are compared over a whole service, place by place; a place never speaks for itself. `SECOND`
names the columns that stand behind those of `evidence`.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from wardgate.recognise.templating.evidence import SAME_BELOW, Matrix, rest
from wardgate.recognise.templating.lexical import Kind, lexeme
from wardgate.recognise.templating.surroundings import PARAMETER, Group
from wardgate.recognise.templating.trie import Node

SECOND = (
    "first guess",
    "siblings' guess",
    "highest of siblings",
    "lowest of siblings",
    "siblings guessed values",
    "alike siblings' guess",
    "same text elsewhere, guess",
    "same text elsewhere, places",
    "same words elsewhere, guess",
    "same text elsewhere, highest",
    "values of other parameters, mean number",
    "parameters elsewhere",
    "its looks among parameters elsewhere",
    "its looks among constants elsewhere, number",
    "same parent elsewhere, guess",
    "below siblings of the parent, guess",
    "siblings' text elsewhere, guess",
    "same words elsewhere, highest",
    "same words elsewhere, values",
    "same words elsewhere, constants",
    "siblings' words elsewhere, guess",
    "siblings with one of its words, guess",
    "siblings with the same below, guess",
)
"""Columns of the second look: what the first said of the company."""


def second_rows(
    group: Group, segments: list[str], first: Matrix, guess: npt.NDArray[np.float64], elsewhere: "Elsewhere"
) -> Matrix:
    """The first measures, and what the first look said of siblings and of the same text elsewhere."""
    count = len(segments)
    out = np.zeros((count, len(SECOND)), np.float32)
    values = int((guess > 0.5).sum())
    order = np.sort(guess)
    looks = [lexeme(segment) for segment in segments]
    guesses = guess.tolist()
    every = _Others([("",)] * count, guesses)
    of_kind = _Others([(one.kind,) for one in looks], guesses)
    of_words = _Others([one.parts[:_MOST_WORDS] for one in looks], guesses)
    of_below = _Others([(below(group.children[segment]),) for segment in segments], guesses)
    key = "/".join(group.above)
    others_of = [elsewhere.of(segment, key) for segment in segments]
    known = [mean for mean, places, _ in others_of if places]
    known_sum, known_count = sum(known), len(known)
    words_of = [elsewhere.of_words(segment, key) for segment in segments]
    worded = [mean for mean, *_ in words_of if mean >= 0]
    worded_sum, worded_count = sum(worded), len(worded)
    number, parameters = elsewhere.numbers(key)
    parent = elsewhere.below(group.above)
    cousins = elsewhere.beside(group.above)
    for at, own in enumerate(guesses):
        mean, places, most = others_of[at]
        words, words_most, as_values, as_constants = words_of[at]
        as_value, as_constant = elsewhere.looks(looks[at].kind, key)
        others = count - 1
        out[at] = (
            own,
            every.guess(at),
            (order[-1] if order[-1] != own or count == 1 else order[-2]) if others else -1.0,
            (order[0] if order[0] != own or count == 1 else order[1]) if others else -1.0,
            math.log1p(values - (own > 0.5)),
            of_kind.guess(at),
            mean,
            min(places, 8),
            words,
            most,
            number,
            math.log1p(parameters),
            as_value / parameters if parameters else -1.0,
            math.log1p(as_constant),
            parent,
            cousins,
            rest(known_sum, mean if places else -1.0, known_count),
            words_most,
            math.log1p(as_values),
            math.log1p(as_constants),
            rest(worded_sum, words, worded_count),
            of_words.guess(at),
            of_below.guess(at),
        )
    return np.concatenate((first, out), axis=1)


_MOST_WORDS = 8
_MOST_BELOW = 16


def below(nodes: Sequence[Node]) -> tuple[str, ...]:
    """What stands below a child, plain values all the same: by it siblings are compared."""
    names = {
        PARAMETER if lexeme(name).kind in SAME_BELOW else name for node in nodes for name in node.children
    }
    return tuple(sorted(names)[:_MOST_BELOW])


class _Others:
    """Guesses of the siblings that have something in common with a child: of each, its marks."""

    def __init__(self, marks: Sequence[Sequence[Hashable]], guesses: list[float]) -> None:
        self._marks = [tuple(dict.fromkeys(one)) for one in marks]
        self._guesses = guesses
        self._sums: dict[Hashable, tuple[float, int]] = {}
        for own, guess in zip(self._marks, guesses, strict=True):
            for mark in own:
                total, count = self._sums.get(mark, (0.0, 0))
                self._sums[mark] = (total + guess, count + 1)

    def guess(self, at: int) -> float:
        """Mean guess, over a child's marks, of the others that have the mark; -1 where none has one."""
        own = self._guesses[at]
        means = [
            (total - own) / (count - 1)
            for total, count in (self._sums[mark] for mark in self._marks[at])
            if count > 1
        ]
        return sum(means) / len(means) if means else -1.0


class Elsewhere:
    """What the first look said of every text, place by place, and of the service's parameters together."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, int]] = {}
        self._highest: dict[str, tuple[float, str, float]] = {}
        """Text → highest guess, its place, and the highest of the other places."""
        self._own: dict[tuple[str, str], float] = {}
        self._words: dict[str, tuple[float, int]] = {}
        self._own_words: dict[tuple[str, str], tuple[float, int]] = {}
        self._as_values: Counter[str] = Counter()
        """Word → values that hold it."""
        self._own_values: Counter[tuple[str, str]] = Counter()
        self._highest_words: dict[str, tuple[float, str, float]] = {}
        self._numbers: dict[str, float] = {}
        """Place → logarithm of its number of values, where there are some."""
        self._number = 0.0
        self._looks: dict[Kind, int] = {}
        """Looks → places where it is a value."""
        self._constants: dict[Kind, int] = {}
        self._own_looks: dict[str, tuple[frozenset[Kind], Counter[Kind]]] = {}
        self._below: dict[str, tuple[float, int]] = {}
        self._own_below: dict[str, float] = {}
        self._beside: dict[str, tuple[float, int]] = {}

    def note(self, place: str, segments: list[str], guess: npt.NDArray[np.float64]) -> None:
        """Remember a group's guesses."""
        kinds: set[Kind] = set()
        constants: Counter[Kind] = Counter()
        for segment, one in zip(segments, guess.tolist(), strict=True):
            looks = lexeme(segment)
            total, places = self._sums.get(segment, (0.0, 0))
            self._sums[segment] = (total + one, places + 1)
            self._own[place, segment] = one
            _note_highest(self._highest, segment, one, place)
            for part in looks.parts[:_MOST_WORDS]:
                _note_highest(self._highest_words, part, one, place)
                if one > 0.5:
                    self._as_values[part] += 1
                    self._own_values[place, part] += 1
                total, places = self._words.get(part, (0.0, 0))
                self._words[part] = (total + one, places + 1)
                total, places = self._own_words.get((place, part), (0.0, 0))
                self._own_words[place, part] = (total + one, places + 1)
            if one > 0.5:
                kinds.add(looks.kind)
            else:
                constants[looks.kind] += 1
        values = int((guess > 0.5).sum())
        if values:
            self._numbers[place] = math.log1p(values)
        for kind in kinds:
            self._looks[kind] = self._looks.get(kind, 0) + 1
        for kind, times in constants.items():
            self._constants[kind] = self._constants.get(kind, 0) + times
        self._own_looks[place] = (frozenset(kinds), constants)
        share = values / len(segments) if segments else 0.0
        noun = place.rpartition("/")[2]
        total, places = self._below.get(noun, (0.0, 0))
        self._below[noun] = (total + share, places + 1)
        self._own_below[place] = share
        if place:
            higher = place.rpartition("/")[0]
            total, places = self._beside.get(higher, (0.0, 0))
            self._beside[higher] = (total + share, places + 1)

    def of(self, segment: str, place: str) -> tuple[float, int, float]:
        """Mean guess of the text in other places (-1 where there is none), how many they are, the highest."""
        total, places = self._sums.get(segment, (0.0, 0))
        own = self._own.get((place, segment))
        most, where, other = self._highest.get(segment, (-1.0, "", -1.0))
        if own is not None:
            total, places = total - own, places - 1
            most = other if where == place else most
        return (total / places, places, most) if places > 0 else (-1.0, 0, -1.0)

    def of_words(self, segment: str, place: str) -> tuple[float, float, int, int]:
        """Of what holds the segment's words in other places: mean and highest guess (-1 where there is none),
        how many of them are values, and how many are constants.
        """
        means: list[float] = []
        highest, as_values, as_constants = -1.0, 0, 0
        for part in lexeme(segment).parts[:_MOST_WORDS]:
            total, places = self._words.get(part, (0.0, 0))
            own, here = self._own_words.get((place, part), (0.0, 0))
            if places > here:
                means.append((total - own) / (places - here))
                values = self._as_values[part] - self._own_values[place, part]
                as_values, as_constants = as_values + values, as_constants + places - here - values
                most, where, other = self._highest_words[part]
                highest = max(highest, other if where == place else most)
        return sum(means) / len(means) if means else -1.0, highest, as_values, as_constants

    def numbers(self, place: str) -> tuple[float, int]:
        """Of the service's other parameters: their values' mean number (logarithm), and how many they are.

        -1 where there are none. Sums are rounded, so that the order of places does not show.
        """
        if not self._number:
            self._number = math.fsum(self._numbers.values())
        own = self._numbers.get(place)
        total, count = self._number - (own or 0.0), len(self._numbers) - (own is not None)
        return (round(total / count, 6), count) if count else (-1.0, 0)

    def looks(self, kind: Kind, place: str) -> tuple[int, int]:
        """In how many other places such looks are a value, and how many other constants have them."""
        kinds, constants = self._own_looks.get(place, (frozenset(), Counter()))
        return self._looks.get(kind, 0) - (kind in kinds), self._constants.get(kind, 0) - constants[kind]

    def below(self, above: tuple[str, ...]) -> float:
        """Share of values below the same parent's name in other places; -1 where there is none."""
        if not above or above[-1] == PARAMETER:
            return -1.0
        total, places = self._below.get(above[-1], (0.0, 0))
        own = self._own_below.get("/".join(above))
        if own is not None:
            total, places = total - own, places - 1
        return round(total / places, 6) if places > 0 else -1.0

    def beside(self, above: tuple[str, ...]) -> float:
        """Share of values below the parent's siblings; -1 where nothing is."""
        if not above:
            return -1.0
        total, places = self._beside.get("/".join(above[:-1]), (0.0, 0))
        own = self._own_below.get("/".join(above))
        if own is not None:
            total, places = total - own, places - 1
        return round(total / places, 6) if places > 0 else -1.0


def _note_highest(highest: dict[str, tuple[float, str, float]], text: str, guess: float, place: str) -> None:
    """Keep a text's highest guess, its place, and the highest of all other places."""
    most, where, other = highest.get(text, (-1.0, "", -1.0))
    if where == place:
        highest[text] = (max(most, guess), place, other)
    elif guess > most or (guess == most and place < where):
        highest[text] = (guess, place, most)
    else:
        highest[text] = (most, where, max(other, guess))
