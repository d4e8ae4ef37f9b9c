"""From a service's trie to its templates: top down, twice, level by level.

At each node of the templates the children are judged together (`evidence`), the values among them merged, and
what is below them judged as one. The second look also knows what the first said of siblings, of children and
of the same text in other places. A pure function of trie, prior, bodies and what people and descriptions
settled.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from wardgate.recognise.templating.evidence import (
    NAMES,
    PARAMETER,
    Elsewhere,
    Group,
    Matrix,
    Surroundings,
    rows,
    second_rows,
)
from wardgate.recognise.templating.judgement import Trees
from wardgate.recognise.templating.lexical import Kind
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.trie import Node, Trie

HALF = 0.5
_PULL = 0.25
_MANY = 8
_KNOWN = NAMES.index("known as a constant")
_WELL_KNOWN = math.log1p(20)
_KNOWN_FIRST = math.log1p(8)
"""How many APIs must have a word as a constant: for one among values, and for a first segment."""
_ALIKE = NAMES.index("siblings of its looks")
_DEPTH = NAMES.index("depth")
_FEW = 0.35
_UNDER_HALF = 0.45
_LOW = 0.2
"""First segments are constants among constants: `/base64`, `/sha256sum`."""
_DIGITS_IN_WORD = NAMES.index("looks: word with digits")
_NATURE = (
    ("looks: number", 2, 0.9),
    ("looks: uuid, hex, ulid or opaque", 2, 0.75),
    ("looks: e-mail or date", 1, 0.9),
    ("looks: locale", 2, 0.75),
    ("looks: host name", 0, 0.75),
)
"""Looks, how many siblings of them make it sure, and how sure."""
_LENGTH = NAMES.index("length")
_SURE = 0.9
_BY_ITSELF = (
    ("looks: number", 5, 60),
    ("looks: e-mail or date", 6, 60),
    ("looks: uuid, hex, ulid or opaque", 16, 60),
)
"""Looks that are sure without any sibling, from so many characters on: a lone UUID is no constant."""


@dataclass(slots=True)
class Place:
    """A node of the tree of templates. `sure` is the probability of the decision that led here."""

    segment: str
    sure: float = 1.0
    constants: dict[str, "Place"] = field(default_factory=dict)
    parameter: "Place | None" = None
    values: dict[str, float] = field(default_factory=dict)
    """Known values of the parameter, with their probability."""
    ends: bool = False
    usual: Kind | None = None
    """What most of them look like, where the values themselves are not at hand."""


def learn(trie: Trie, prior: Prior, bodies: Mapping[str, int] | None = None) -> Place:
    """The tree of templates of one service."""
    trie.settle()
    around = Surroundings.of(trie.root, prior.vocabulary, bodies)
    return _look(trie, prior, around, first_look(trie, prior, around), prior.second)


def first_look(trie: Trie, prior: Prior, around: Surroundings) -> Elsewhere:
    """What the first look says of every text, place by place."""
    elsewhere = Elsewhere()
    _look(trie, prior, around, elsewhere, None)
    return elsewhere


def _look(
    trie: Trie, prior: Prior, around: Surroundings, elsewhere: Elsewhere, second: Trees | None
) -> Place:
    top = Place("")
    level = [(Group.of([trie.root], ()), top)]
    while level:
        judged = _judged([group for group, _ in level], prior, around, elsewhere, second)
        after: list[tuple[Group, Place]] = []
        for (group, place), (segments, likely) in zip(level, judged, strict=True):
            after += _split(group, place, segments, likely)
        level = after
    return top


def _judged(
    groups: list[Group], prior: Prior, around: Surroundings, elsewhere: Elsewhere, second: Trees | None
) -> list[tuple[list[str], npt.NDArray[np.float64]]]:
    """Per group its children's segments and how likely each is a value."""
    found = [rows(group, around) for group in groups]
    if not found:
        return []
    likely = _apart(prior.first, [matrix for _, matrix in found])
    if second is None:
        for group, (segments, _), guess in zip(groups, found, likely, strict=True):
            elsewhere.note("/".join(group.above), segments, guess)
        return [(segments, guess) for (segments, _), guess in zip(found, likely, strict=True)]
    again = [
        second_rows(group, segments, matrix, guess, elsewhere)
        for group, (segments, matrix), guess in zip(groups, found, likely, strict=True)
    ]
    likely = [in_company(one, matrix) for one, matrix in zip(_apart(second, again), again, strict=True)]
    return [(segments, one) for (segments, _), one in zip(found, likely, strict=True)]


def in_company(likely: npt.NDArray[np.float64], measures: Matrix) -> npt.NDArray[np.float64]:
    """Probabilities moved a little towards those of the siblings, the more the more siblings there are.

    A word that many APIs have as a constant (`me`, `search`) is not drawn among values.
    """
    count = len(likely)
    likely = np.maximum(likely, by_nature(measures))
    if count < 2:
        return likely
    known = measures[:, _KNOWN] > _WELL_KNOWN
    first = measures[:, _DEPTH] == 0
    likely = np.where(first & (measures[:, _KNOWN] > _KNOWN_FIRST), np.minimum(likely, _LOW), likely)
    others = (likely.sum() - likely) / (count - 1)
    odd = first & (others < _FEW) & (measures[:, _DIGITS_IN_WORD] > 0)
    likely = np.where(odd, np.minimum(likely, _UNDER_HALF), likely)
    pull = _PULL * (2 * others - 1) * min(count, _MANY) / _MANY
    pull[(pull > 0) & known] = 0
    return np.asarray(np.clip(likely + pull, 0, 1))


def by_nature(measures: Matrix) -> npt.NDArray[np.float64]:
    """The least probability of what looks like an identifier, where several of the kind stand together."""
    floor = np.zeros(len(measures))
    unknown = measures[:, _KNOWN] == 0
    for look, longer, most in _BY_ITSELF:
        long = (measures[:, _LENGTH] >= longer) & (measures[:, _LENGTH] <= most)
        floor[(measures[:, NAMES.index(look)] > 0) & long & unknown] = _SURE
    for look, siblings, least in _NATURE:
        alike = (measures[:, NAMES.index(look)] > 0) & (measures[:, _ALIKE] > math.log1p(siblings) - 1e-3)
        floor[alike] = least
    return floor


def _apart(trees: Trees, matrices: list[Matrix]) -> list[npt.NDArray[np.float64]]:
    likely = trees.likely(np.concatenate(matrices))
    ends = np.cumsum([len(one) for one in matrices])
    return np.split(likely, ends[:-1])


def _split(
    group: Group, place: Place, segments: list[str], likely: npt.NDArray[np.float64]
) -> list[tuple[Group, Place]]:
    """Hang the children below their place; answers the groups that have children themselves."""
    values: list[Node] = []
    after: list[tuple[Group, Place]] = []
    for segment, one in zip(segments, likely.tolist(), strict=True):
        nodes = group.children[segment]
        if one > HALF and segment:
            values += nodes
            place.values[segment] = one
            continue
        child = Place(segment, 1 - one, ends=any(node.ends for node in nodes))
        place.constants[segment] = child
        if any(node.children for node in nodes):
            after.append((Group.of(nodes, (*group.above, segment)), child))
    if values:
        sure = sum(place.values.values()) / len(place.values)
        child = place.parameter = Place(PARAMETER, sure, ends=any(node.ends for node in values))
        if any(node.children for node in values):
            after.append((Group.of(values, (*group.above, PARAMETER)), child))
    return after
