"""What words say of a place: do its children read like the names of an API, or like data?

Measures beside those of `evidence`, whose columns they follow: words in the examples of public descriptions
against words in their paths, words that are made of known ones or inflect one another, constants that are
known beside one another, and how much of the service hangs below each.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wardgate.recognise.templating.lexical import Kind, Lexeme, lexeme
from wardgate.recognise.templating.surroundings import Group, Surroundings
from wardgate.recognise.templating.vocabulary import START

WORDING = (
    "its words in data, mean",
    "its words in data rather than names, mean",
    "its words in data rather than names, most",
    "siblings' words in data rather than names",
    "made of known words",
    "siblings of its stem",
    "what is below it, by what is below a sibling",
    "share of the service below it",
    "siblings that it is known beside",
    "siblings known beside others, share",
    "siblings known below the parent, share",
    "siblings with nothing below, share",
    "siblings that stand elsewhere, share",
)
_MOST_PARTS = 8
_ENDINGS = ("ing", "ies", "ed", "es", "er", "y", "s", "d", "e")
_STEM = 3
_Column = npt.NDArray[np.float64]


def wording(group: Group, around: Surroundings) -> npt.NDArray[np.float64]:
    """The measures of `WORDING`, one row per child in the order of the group's children."""
    looks = [lexeme(segment) for segment in group.children]
    count = len(looks)
    sizes = np.array(
        [sum(around.sizes.get(id(node), 0) for node in nodes) for nodes in group.children.values()], float
    )
    noun = group.above[-1].lower() if group.above else START
    paired = np.array([around.vocabulary.pair(noun, one.key) > 0 for one in looks], float)
    elsewhere = np.array(
        [around.places[segment] > len(nodes) for segment, nodes in group.children.items()], float
    )
    beside = _beside(looks, around)
    return np.column_stack(
        [
            *_data(looks, around),
            [_compound(one, around) for one in looks],
            np.log1p(_of_one_stem(list(group.children))),
            np.log((sizes + 1) / (sizes.sum() / max(count, 1) + 1)),
            sizes / max(around.sizes.get(around.top, 0), 1),
            np.log1p(beside),
            _share_of_others(beside > 0),
            _share_of_others(paired),
            _share_of_others(sizes == 0),
            _share_of_others(elsewhere),
        ]
    )


def _data(looks: Sequence[Lexeme], around: Surroundings) -> list[_Column]:
    """How usual the words are in data; how much more than in names: on average, the most, of siblings."""
    vocabulary = around.vocabulary
    usual, mean, most = (np.zeros(len(looks)) for _ in range(3))
    worded = np.array([bool(one.parts) for one in looks])
    for at, one in enumerate(looks):
        parts = one.parts[:_MOST_PARTS]
        if parts:
            leanings = [vocabulary.leaning(part) for part in parts]
            usual[at] = sum(math.log1p(vocabulary.data.get(part, 0)) for part in parts) / len(parts)
            mean[at], most[at] = sum(leanings) / len(leanings), max(leanings)
    others = worded.sum() - worded
    siblings = np.where(others > 0, (mean.sum() - mean) / np.maximum(others, 1), 0.0)
    return [usual, mean, most, siblings]


def _compound(one: Lexeme, around: Surroundings) -> float:
    """Of a word that is not known itself, how known those are that it is made of: `marketdata`."""
    if one.kind is not Kind.WORD or around.vocabulary.part(one.parts[0]):
        return 0.0
    return around.vocabulary.compound(one.key)


def _of_one_stem(segments: Sequence[str]) -> _Column:
    stems = [stem(segment) for segment in segments]
    times = Counter(stems)
    return np.array([times[one] - 1 if one else 0 for one in stems], float)


def _beside(looks: Sequence[Lexeme], around: Surroundings) -> _Column:
    """How many of the others each is known beside."""
    words = {one.key for one in looks}
    known = {word: around.vocabulary.beside.get(word, ()) for word in words}
    return np.array([sum(other in words for other in known[one.key]) for one in looks], float)


def _share_of_others(holds: npt.NDArray[np.bool_] | _Column) -> _Column:
    """Share of the others of which something holds; -1 where there are none."""
    others = len(holds) - 1
    return (holds.sum() - holds) / others if others else np.full(len(holds), -1.0)


def stem(segment: str) -> str:
    """A word without what inflects it: `unflag`, `flagged` → `flag`; "" of what is no word."""
    name, dot, rest = segment.lower().partition(".")
    if not name.isalpha():
        return ""
    if name.startswith("un") and len(name) > _STEM + 2:
        name = name[2:]
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= _STEM:
            name = name[: -len(ending)]
            break
    if len(name) > _STEM and name[-1] == name[-2]:
        name = name[:-1]
    return name + dot + rest
