"""From a service's trie to its templates: top down, level by level, several times.

At each node of the templates the children are judged together (`evidence`), the values among them merged, and
what is below them judged as one. Every further look also knows what the one before said of siblings and of
the same texts, words and parents in other places (`company`). A pure function of trie, prior, bodies and what
people and descriptions settled.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from wardgate.recognise.templating.company import Elsewhere, second_rows
from wardgate.recognise.templating.evidence import NAMES, Matrix, rows
from wardgate.recognise.templating.judgement import Scores, Trees
from wardgate.recognise.templating.lexical import Kind
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.surroundings import PARAMETER, Group, Surroundings
from wardgate.recognise.templating.trie import Node, Trie

HALF = 0.5
_AGAIN = 1
"""Looks of the last kind, but the last."""
_PULL = 0.2
_MANY = 8
_KNOWN = NAMES.index("known as a constant")
_WELL_KNOWN = math.log1p(20)
"""How many APIs must have a word as a constant for it to be one among values."""
_ALIKE = NAMES.index("siblings of its looks")
_ONLY_ONE = NAMES.index("named as what there is one of")
_DEPTH = NAMES.index("depth")
_UNDER_HALF = 0.45
_FORGONE = 0.74
"""How much a constant taken for a value costs, by a value taken for a constant: that is many operations."""
_RATHER = 0.85
_LEANING = NAMES.index("its words in data rather than names, mean")
_IN_NAMES = -1.6
_HARDLY = 0.9
"""What is hardly a value by itself is none if its words stand in the paths of APIs, and not in data."""
_OWN = NAMES.index("children of its own")
_DEEPER = NAMES.index("deeper words of its own")
_SHARED = NAMES.index("siblings that share a child")
_KNOWN_BELOW = NAMES.index("children known as constants")
_SOMEWHERE = 0.5
_ONE = math.log1p(1) + 1e-3
_LOW = 0.2
_VERSION = NAMES.index("looks: version")
_VERSIONS = math.log1p(4) + 1e-3
"""So many versions beside one another are an API's; more may be somebody's releases."""
_NO_WORDS = [
    NAMES.index(f"looks: {one}")
    for one in (
        "number",
        "uuid, hex, ulid or opaque",
        "e-mail or date",
        "locale",
        "host name",
        "file",
        "unusual characters",
    )
]
_NATURE = (
    ("looks: number", 1, 0.9),
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
    trie = trie.narrowed()
    around = Surroundings.of(trie.root, prior.vocabulary, bodies)
    judge = Judge(trie, prior, around)
    judge.look_about()
    return judge.place()


_Key = tuple[tuple[str, ...], tuple[int, ...]]


@dataclass(slots=True)
class Judge:
    """Looks at one service again and again; `elsewhere` is what the last look said, place by place."""

    trie: Trie
    prior: Prior
    around: Surroundings
    elsewhere: Elsewhere | None = None
    measured: dict[_Key, tuple[list[str], Matrix, Scores]] = field(default_factory=dict)
    """What was measured and first guessed, by place and merged nodes: most are the same in every look."""

    def look_about(self) -> None:
        """The first look, and those by which its guesses reach places that know nothing by themselves."""
        self.look(None)
        self.look(self.prior.second)
        for _ in range(_AGAIN):
            self.look(self.prior.third)

    def look(self, trees: Trees | None) -> None:
        """One look by these trees, or by the first guess, and what it says of every place."""
        said = Elsewhere()
        for group, _, segments, likely in self._walk(trees):
            said.note("/".join(group.above), segments, likely)
        self.elsewhere = said

    def place(self) -> Place:
        """The last look's tree of templates."""
        top = Place("")
        for _ in self._walk(self.prior.third, top):
            pass
        return top

    def groups(self, trees: Trees | None) -> list[Group]:
        """The nodes that a look by these trees merges."""
        return [group for group, *_ in self._walk(trees)]

    def likely(self, groups: list[Group], trees: Trees) -> list[tuple[list[str], Matrix, Scores, Scores]]:
        """Per group segments, measures, and how likely each is a value: by itself, and in company."""
        measured = self.measures(groups)
        return [
            (list(group.children), measures, alone, in_company(alone, measures))
            for group, measures, alone in zip(groups, measured, _apart(trees, measured), strict=True)
        ]

    def measures(self, groups: list[Group]) -> list[Matrix]:
        """Per group all measures of its children, those of the last look's guesses included."""
        said = self.elsewhere or Elsewhere()
        return [
            second_rows(group, segments, matrix, guess, said)
            for group, (segments, matrix, guess) in zip(groups, self._measured(groups), strict=True)
        ]

    def _walk(
        self, trees: Trees | None, top: Place | None = None
    ) -> Iterator[tuple[Group, Place, list[str], Scores]]:
        """Top down and level by level: each group, its place, its segments and how likely they are values."""
        level = [(Group.of([self.trie.root], ()), top or Place(""))]
        while level:
            groups = [group for group, _ in level]
            if trees is None:
                judged = [(segments, guess) for segments, _, guess in self._measured(groups)]
            else:
                judged = [(segments, one) for segments, _, _, one in self.likely(groups, trees)]
            after: list[tuple[Group, Place]] = []
            for (group, place), (segments, likely) in zip(level, judged, strict=True):
                yield group, place, segments, likely
                after += _split(group, place, segments, likely)
            level = after

    def _measured(self, groups: list[Group]) -> list[tuple[list[str], Matrix, Scores]]:
        """Per group its segments, measures and the first guess."""
        keys = [(group.above, tuple(map(id, group.nodes))) for group in groups]
        fresh = [(g, key) for g, key in zip(groups, keys, strict=True) if key not in self.measured]
        made = [rows(group, self.around) for group, _ in fresh]
        guesses = _apart(self.prior.first, [matrix for _, matrix in made]) if made else []
        for (_, key), (segments, matrix), guess in zip(fresh, made, guesses, strict=True):
            self.measured[key] = segments, matrix, guess
        return [self.measured[key] for key in keys]


def in_company(likely: npt.NDArray[np.float64], measures: Matrix) -> npt.NDArray[np.float64]:
    """Probabilities moved a little towards those of the siblings, the more the more siblings there are.

    A word that many APIs have as a constant (`me`, `search`) is not drawn among values.
    """
    count = len(likely)
    named = (measures[:, _LEANING] < _IN_NAMES) & (likely < _HARDLY)
    likely = np.where(named, np.minimum(likely, _UNDER_HALF), likely / (likely + (1 - likely) * _FORGONE))
    likely = np.maximum(likely, by_nature(measures))
    likely = np.where(_apart_from_siblings(measures) & (likely < _RATHER), np.minimum(likely, _LOW), likely)
    only = (measures[:, _ONLY_ONE] > 0) & (likely < _SURE)
    likely = np.where(only, np.minimum(likely, _UNDER_HALF), likely)
    version = (measures[:, _VERSION] > 0) & (measures[:, _ALIKE] < _VERSIONS)
    likely = np.where(version, np.minimum(likely, _LOW), likely)
    if count < 2:  # nothing tells a first word from the only tenant's name
        wordy = measures[:, _NO_WORDS].sum(axis=1) == 0
        return np.where((measures[:, _DEPTH] == 0) & wordy, np.minimum(likely, _LOW), likely)
    known = measures[:, _KNOWN] > _WELL_KNOWN
    others = (likely.sum() - likely) / (count - 1)
    pull = _PULL * (2 * others - 1) * min(count, _MANY) / _MANY
    pull[(pull > 0) & (known | named)] = 0
    pull[(pull > 0) & (measures[:, _ONLY_ONE] > 0)] = 0
    return np.asarray(np.clip(likely + pull, 0, 1))


def _apart_from_siblings(measures: Matrix) -> npt.NDArray[np.bool_]:
    """What has below it what no sibling has, and other APIs have as constants: no place's value.

    Where there are no siblings, several different ones below it say the same.
    """
    own = measures[:, _OWN] > 0
    if len(measures) > 1:
        own &= (measures[:, _SHARED] <= 0) & (measures[:, _KNOWN_BELOW] > _SOMEWHERE)
    else:
        own &= (measures[:, _OWN] > _ONE) | (measures[:, _DEEPER] > _ONE)
    wordy = measures[:, _NO_WORDS].sum(axis=1) == 0
    return np.asarray(own & wordy & (measures[:, _DEPTH] > 0))


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
