"""Rows to learn from: children of the nodes of made traffic, and whether they are values.

Nodes are merged as they truly are, and as earlier looks merge them: a look must know what to make of what the
look before got wrong.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from templating.descriptions import Description
from templating.traffic import NEVER, Traffic, traffic
from templating.words import Counts
from wardgate.recognise.templating.evidence import rows
from wardgate.recognise.templating.judgement import Trees
from wardgate.recognise.templating.learner import Judge
from wardgate.recognise.templating.lexical import lexeme
from wardgate.recognise.templating.surroundings import PARAMETER, Group, Surroundings
from wardgate.recognise.templating.trie import Node, Trie
from wardgate.recognise.templating.vocabulary import Vocabulary


def trie_of(made: Traffic) -> Trie:
    trie = Trie()
    for one in made.calls:
        trie.add(one.path, one.method or None, None, one.shapes)
    trie.settle()
    return trie


@dataclass(slots=True)
class Truth:
    """What is true of a raw node: in how many paths it is a value, and in how many a constant."""

    values: int = 0
    constants: int = 0
    templates: set[str] = field(default_factory=set)
    """Templates that go wrong where it is judged wrongly."""


_MOST_BELOW = 40
_ALONE = 0.01


def truths(trie: Trie, made: Traffic) -> dict[int, Truth]:
    """The truth of every node (by `id`) of a service's trie."""
    out: dict[int, Truth] = defaultdict(Truth)
    for path, template in sorted({(one.path, one.template) for one in made.calls}):
        segments, true = path.split("/")[1:], template.split("/")[1:]
        if len(segments) != len(true):
            continue
        node = trie.root
        for segment, one in zip(segments, true, strict=True):
            child = node.children.get(segment)
            if child is None:
                break
            node = child
            known = out[id(node)]
            known.values += one == PARAMETER
            known.constants += one != PARAMETER
            known.templates.add(template)
    return out


def true_groups(trie: Trie, truth: dict[int, Truth]) -> Iterator[Group]:
    """The groups that the true templates make, top down."""
    waiting = [Group.of([trie.root], ())]
    while waiting:
        group = waiting.pop()
        if not group.children:
            continue
        yield group
        values: list[Node] = []
        for segment, nodes in group.children.items():
            if share(nodes, truth) > 0.5:
                values += nodes
            else:
                waiting.append(Group.of(nodes, (*group.above, segment)))
        if values:
            waiting.append(Group.of(values, (*group.above, PARAMETER)))


def share(nodes: list[Node], truth: dict[int, Truth]) -> float:
    """Share of the paths through some nodes in which they are values."""
    known = [truth[id(node)] for node in nodes if id(node) in truth]
    values = sum(one.values for one in known)
    return values / max(values + sum(one.constants for one in known), 1)


_MADE_UP = 0.2


def vocabulary_words(all_of: Iterable[Description]) -> tuple[list[str], list[str]]:
    """Words for made slugs, and words that are constants.

    Words are what descriptions have in examples (the usual ones oftener), what their fields are named, and
    what only sounds like a word.
    """
    data: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    constants: Counter[str] = Counter()
    for one in all_of:
        seen: set[str] = set()
        for path in one.paths:
            for segment in path.template.split("/"):
                if "{" not in segment and segment:
                    constants[segment] += 1
            for keys in path.keys.values():
                for key in keys:
                    seen.update(lexeme(key[:60]).parts)
            for parameter in path.parameters.values():
                for value in parameter.values:
                    seen.update(lexeme(value[:60]).parts)
        parts.update(seen)
        data.update(one.data)

    def fit(word: str) -> bool:
        return 3 <= len(word) <= 12 and word not in NEVER

    words = [w for w, n in sorted(data.items()) for _ in range(n.bit_length()) if fit(w)]
    named = [w for w in sorted(parts) if fit(w)]
    rng = random.Random(len(words))
    size = len(words)
    words += [rng.choice(named) for _ in range(size // 3)]
    words += [_sounding(rng, named) for _ in range(int(size * _MADE_UP))]
    usual = [one for one, n in constants.items() for _ in range(min(n, 20)) if n > 1]
    return sorted(words), sorted(usual)


def _sounding(rng: random.Random, words: list[str]) -> str:
    """The beginning of one word and the end of another."""
    first, second = rng.choice(words), rng.choice(words)
    return (first[: rng.choice((2, 3, 4))] + second[-rng.choice((2, 3, 4, 5)) :])[:12]


@dataclass(frozen=True, slots=True)
class Rows:
    """Measures of one group's children, their share of being a value, and what each weighs."""

    measures: np.ndarray
    truth: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, slots=True)
class Service:
    """One service's made traffic, as its trie has it, and the words that it is judged with."""

    family: str
    trie: Trie
    around: Surroundings
    truth: dict[int, Truth]

    def rows(self, group: Group, measures: np.ndarray) -> Rows:
        """What a group's measures are to be learned as."""
        y = np.array([share(nodes, self.truth) for nodes in group.children.values()])
        under = [
            len({one for node in nodes if id(node) in self.truth for one in self.truth[id(node)].templates})
            for nodes in group.children.values()
        ]
        weight = weights(y) * np.sqrt(np.clip(under, 1, _MOST_BELOW))
        alone = not group.above and len(y) == 1  # nothing tells whether it is the only tenant
        return Rows(measures, y, weight * (_ALONE if alone else 1))


def weights(y: np.ndarray) -> np.ndarray:
    """Rows of one group: ten values of one parameter are hardly more than three."""
    yes, no = max(int((y > 0.5).sum()), 1), max(int((y <= 0.5).sum()), 1)
    return np.where(y > 0.5, yes**-0.4, no**-0.4)


def services(
    all_of: list[Description], family: dict[str, str], counts: Counts, seed: int, most: int, repeat: int
) -> Iterator[Service]:
    """Services of all descriptions, judged with the vocabulary that their family did not help to make."""
    words, constants = vocabulary_words(all_of)
    whole = counts.vocabulary()
    by_family: dict[str, list[Description]] = defaultdict(list)
    for one in all_of:
        if one.paths:
            by_family[family[one.provider]].append(one)
    for name, members in sorted(by_family.items()):
        rng = random.Random(f"{seed}/{name}")
        vocabulary = counts.without_one(name, whole)
        chosen = rng.sample(members, most) if len(members) > most else members
        for one in chosen:
            for _ in range(repeat):
                none = rng.random() < 0.12
                made = traffic(one, rng, words, constants)
                trie = trie_of(made)
                around = Surroundings.of(trie.root, Vocabulary() if none else vocabulary, made.bodies)
                yield Service(name, trie, around, truths(trie, made))


def first_rows(one: Service) -> list[Rows]:
    """Rows of the first look, of the true groups."""
    return [one.rows(group, rows(group, one.around)[1]) for group in true_groups(one.trie, one.truth)]


def later_rows(one: Service, judge: Judge, before: Trees | None) -> list[Rows]:
    """Rows of the look that comes next: of the true groups, and of those that the look before merged."""
    groups = [*true_groups(one.trie, one.truth), *judge.groups(before)]
    return [one.rows(group, measures) for group, measures in zip(groups, judge.measures(groups), strict=True)]
