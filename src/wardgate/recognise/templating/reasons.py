"""Why a path has its template: per segment the decision, how likely a value is, and what moved it most.

The likelihoods are the trees' own; each reason's weight is the log-odds that its measure added (above zero
speaks for a value). The measures' names are in `evidence`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wardgate.recognise.templating.company import SECOND
from wardgate.recognise.templating.evidence import NAMES
from wardgate.recognise.templating.learner import HALF, Judge
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.surroundings import PARAMETER, Group, Surroundings
from wardgate.recognise.templating.trie import Trie

_MOST = 6
_ALL = NAMES + SECOND
_GUESS = _ALL.index("first guess")
COMPANY = "company"
"""The reason that is no measure of a segment: what most of those beside it are."""
_NOTABLE = 0.1


@dataclass(frozen=True, slots=True)
class Reason:
    """One measure, its value, and the log-odds it added."""

    measure: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on one segment. `likely` is the probability of being a value."""

    segment: str
    is_value: bool
    likely: float
    siblings: int
    reasons: tuple[Reason, ...]


def why(trie: Trie, prior: Prior, bodies: Mapping[str, int] | None, path: str) -> list[Decision]:
    """The decisions along one path; ends where the path leaves what was learned."""
    trie = trie.narrowed()
    around = Surroundings.of(trie.root, prior.vocabulary, bodies)
    judge = Judge(trie, prior, around)
    judge.look_about()
    group = Group.of([trie.root], ())
    out: list[Decision] = []
    for segment in path.split("/")[1:]:
        if segment not in group.children:
            break
        ((segments, measures, alone, likely),) = judge.likely([group], prior.third)
        at = segments.index(segment)
        weights = _whole(prior, measures[at])
        order = np.argsort(-np.abs(weights), kind="stable")[:_MOST]
        is_value = bool(likely[at] > HALF and segment)
        reasons = tuple(
            Reason(_ALL[k], round(float(measures[at][k]), 3), round(float(weights[k]), 3)) for k in order
        )
        moved = _log_odds(float(likely[at])) - _log_odds(float(alone[at]))
        if abs(moved) >= _NOTABLE:
            others = (float(alone.sum()) - float(alone[at])) / max(len(alone) - 1, 1)
            reasons = (Reason(COMPANY, round(others, 3), round(moved, 3)), *reasons)
        out.append(Decision(segment, is_value, round(float(likely[at]), 3), len(segments) - 1, reasons))
        values = [s for s, one in zip(segments, likely, strict=True) if one > HALF and s]
        chosen = values if is_value else [segment]
        nodes = [node for s in chosen for node in group.children[s]]
        group = Group.of(nodes, (*group.above, PARAMETER if is_value else segment))
    return out


def _whole(prior: Prior, row: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The log-odds that each measure added to the last look, what the first made of it included."""
    weights = prior.third.reasons(row)
    first = prior.first.reasons(row[: len(NAMES)])
    total = float(first.sum())
    if abs(total) > _NOTABLE:  # what the first guess added is what its own measures said
        weights[: len(NAMES)] += first * (weights[_GUESS] / total)
        weights[_GUESS] = 0.0
    return weights


def _log_odds(likely: float) -> float:
    least = min(max(likely, 0.001), 0.999)
    return math.log(least / (1 - least))
