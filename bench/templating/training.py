"""Rows to learn from: every child of every true node of made traffic, and whether it is a value."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from templating.descriptions import Description
from templating.traffic import NEVER, Traffic, traffic
from templating.words import Counts
from wardgate.recognise.templating.evidence import rows
from wardgate.recognise.templating.surroundings import PARAMETER, Group, Surroundings
from wardgate.recognise.templating.trie import Node, Trie
from wardgate.recognise.templating.vocabulary import Vocabulary


def trie_of(made: Traffic) -> Trie:
    trie = Trie()
    for one in made.calls:
        trie.add(one.path, one.method or None, None, one.shapes)
    trie.settle()
    return trie


def labels(made: Traffic) -> dict[tuple[str, ...], dict[str, float]]:
    """True node (template's segments) → child → share of paths in which it is a value."""
    votes: dict[tuple[str, ...], dict[str, Counter[bool]]] = defaultdict(lambda: defaultdict(Counter))
    for one in {(c.path, c.template) for c in made.calls}:
        path, template = one[0].split("/")[1:], one[1].split("/")[1:]
        if len(path) != len(template):
            continue
        for at, (segment, true) in enumerate(zip(path, template, strict=True)):
            votes[tuple(template[:at])][segment][true == PARAMETER] += 1
    return {
        place: {seg: c[True] / (c[True] + c[False]) for seg, c in found.items()}
        for place, found in votes.items()
    }


_MOST_BELOW = 40


def hanging(made: Traffic) -> dict[tuple[str, ...], dict[str, set[str]]]:
    """True node → constant or `{}` below it → templates that go wrong where it is judged wrongly."""
    out: dict[tuple[str, ...], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for template in {one.template for one in made.calls}:
        parts = template.split("/")[1:]
        for at, part in enumerate(parts):
            out[tuple(parts[:at])][part].add(template)
    return out


def true_groups(trie: Trie, truth: dict[tuple[str, ...], dict[str, float]]):
    """The groups that the true templates make, top down."""
    waiting = [Group.of([trie.root], ())]
    while waiting:
        group = waiting.pop()
        if not group.children or group.above not in truth:
            continue
        yield group
        values: list[Node] = []
        known = truth[group.above]
        for segment, nodes in group.children.items():
            share = known.get(segment, 0.0)
            if share > 0.5:
                values += nodes
            else:
                waiting.append(Group.of(nodes, (*group.above, segment)))
        if values:
            waiting.append(Group.of(values, (*group.above, PARAMETER)))


def vocabulary_words(all_of: list[Description]) -> tuple[list[str], list[str]]:
    """Words for made slugs (parts of every name there is), and words that are constants."""
    parts: Counter[str] = Counter()
    constants: Counter[str] = Counter()
    from wardgate.recognise.templating.lexical import lexeme

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
    words = sorted(w for w, n in parts.items() if 3 <= len(w) <= 12 and w not in NEVER)
    usual = [one for one, n in constants.items() for _ in range(min(n, 20)) if n > 1]
    return words, sorted(usual)


@dataclass(frozen=True, slots=True)
class Service:
    """One service's made traffic.

    `groups` are (group without its nodes, segments, measures, share of being a value, weight).
    """

    family: str
    groups: list[tuple[Group, list[str], np.ndarray, np.ndarray, np.ndarray]]


def weights(y: np.ndarray) -> np.ndarray:
    """Rows of one group: ten values of one parameter are hardly more than three."""
    yes, no = max(int((y > 0.5).sum()), 1), max(int((y <= 0.5).sum()), 1)
    return np.where(y > 0.5, yes**-0.4, no**-0.4)


def made_rows(made: Traffic, vocabulary: Vocabulary):
    """`Service.groups` of every true group of one service's traffic."""
    trie = trie_of(made)
    truth = labels(made)
    below = hanging(made)
    around = Surroundings.of(trie.root, vocabulary, made.bodies)
    out = []
    for group in true_groups(trie, truth):
        segments, matrix = rows(group, around)
        known = truth[group.above]
        y = np.array([known.get(one, 0.0) for one in segments])
        hangs = below[group.above]
        under = np.array(
            [len(hangs[PARAMETER if v > 0.5 else one]) for one, v in zip(segments, y, strict=True)]
        )
        out.append(
            (
                Group([], group.above),
                segments,
                matrix,
                y,
                weights(y) * np.sqrt(np.clip(under, 1, _MOST_BELOW)),
            )
        )
    return out


def services(
    all_of: list[Description], family: dict[str, str], counts: Counts, seed: int, most: int, repeat: int
):
    """Services of all descriptions, measured with the vocabulary that their family did not help to make."""
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
                yield Service(name, made_rows(made, Vocabulary() if none else vocabulary))
