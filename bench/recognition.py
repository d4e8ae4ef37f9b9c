"""`make bench-recognition`: templates against what descriptions and recorded traffic say.

Four figures: made paths of 340 descriptions; recorded traffic of API clients, with and without bodies; every
kind of identifier among constants that look like values; cost. The first two with priors whose words and
trees have not seen the provider they are scored on, nor those that look like it (three folds of providers;
none of those kept for acceptance). Set-level F1 compares sets of templates with parameter names erased. Each
figure is printed beside what is needed; the exit code is 1 where one is missed.
"""

import argparse
import gzip
import json
import resource
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from templating import kinds, recordings
from templating.clients import CLIENTS
from templating.descriptions import descriptions
from templating.folds import FOLDS, fold_of, fold_priors
from templating.words import RESERVED, families
from wardgate.recognise.templating.naming import PARAMETER
from wardgate.recognise.templating.prior import Prior
from wardgate.service.templating import Templating

SYNTHETIC = Path(__file__).resolve().parents[2] / "shared" / "data" / "path_templates_synthetic.json.gz"


def erased(template: str) -> str:
    return "/".join(
        PARAMETER if one.startswith("{") and one.endswith("}") else one for one in template.split("/")
    )


def f1(got: set[str], true: set[str]) -> float:
    return 2 * len(got & true) / (len(got) + len(true)) if got or true else 1.0


def synthetic(prior_of) -> dict[str, float]:
    rows = json.loads(gzip.decompress(SYNTHETIC.read_bytes()))
    by_spec: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        by_spec[row["spec"]][row["path"]] = row["template"]
    scores, shares = [], []
    for spec, truth in sorted(by_spec.items()):
        found = Templating(prior_of(spec.removesuffix(".json").split("__")[0]))
        for path in truth:
            found.add(None, None, path)
        got = {one.path: erased(one.label.template) for one in found.labels()}
        scores.append(f1(set(got.values()), set(truth.values())))
        shares.append(sum(got.get(path) == true for path, true in truth.items()) / len(truth))
    return {"f1": sum(scores) / len(scores), "share": sum(shares) / len(shares), "descriptions": len(scores)}


def recorded(prior_of, show: bool) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    all_of = descriptions()
    for client in CLIENTS:
        calls = list(recordings.calls(client))
        truth = recordings.Truth(client, all_of)
        row: dict[str, float] = {"calls": len(calls)}
        for mode in ("without bodies", "with bodies"):
            found = Templating(prior_of(client.exclude[0]))
            for one in calls:
                bodies = (one.request, one.response) if mode == "with bodies" else (None, None)
                found.add(one.method, one.host, one.path, one.status, *bodies)
            got: dict[str, str] = {}
            true: dict[str, str] = {}
            for one in found.labels():
                known = truth.of(one.path)
                if known is not None:
                    got[one.path], true[one.path] = erased(one.label.template), known
            row[mode] = f1(set(got.values()), set(true.values()))
            row[f"share {mode}"] = sum(got[p] == true[p] for p in got) / max(len(got), 1)
            row["paths"], row["templates"] = len(got), len(set(true.values()))
            if show:
                print(f"-- {client.requirement} {mode}: {row[mode]:.3f}")
                print("   too many:", sorted(set(got.values()) - set(true.values()))[:25])
                print("   missed:  ", sorted(set(true.values()) - set(got.values()))[:25])
        out[client.requirement] = row
    return out


def identifiers(prior: Prior, show: bool, seeds: int = 3) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for bodies in ("distinct", "alike", "absent"):
        exact: dict[str, list[int]] = defaultdict(list)
        for seed in range(seeds):
            cases = {"mixed": kinds.mixed(seed, bodies)}
            cases |= {kind: kinds.alone(kind, seed, bodies) for kind in kinds.KINDS}
            for name, case in cases.items():
                found = Templating(prior)
                for method, path, body in case.calls:
                    found.add(method, "api.example", path, 200, None, body)
                filed: dict[str, set[str]] = defaultdict(set)
                got = {(one.method, one.path): erased(one.label.template) for one in found.labels()}
                for key, template in got.items():
                    filed[template].add(case.truth[key])
                right = {
                    true
                    for true in set(case.truth.values())
                    if all(got[key] == t for key, t in case.truth.items() if t == true)
                    and filed[true] == {true}
                }
                exact[name].append(len(right))
                if show and len(right) < 47:
                    wrong = sorted({(t, got[k]) for k, t in case.truth.items() if got[k] != t})
                    print(f"-- {bodies} {name} {seed}: {len(right)}", wrong[:6])
        out[bodies] = {name: min(found) for name, found in exact.items()}
    return out


def cost(prior: Prior, paths: int) -> dict[str, float]:
    def made(count: int):
        for i in range(count):
            n = i * 2654435761 % 10**9
            kind = i % 5
            if kind == 0:
                yield f"/api/v1/users/{n}/orders/{i}"
            elif kind == 1:
                yield f"/api/v1/users/user-{n}/profile"
            elif kind == 2:
                yield f"/api/v1/files/{n:08x}-{i % 65536:04x}-4000-8000-{n:012x}"
            elif kind == 3:
                yield f"/api/v1/shops/shop{i % 5000}/items/item-{n}"
            else:
                yield f"/api/v1/articles/{'abcdefghij'[i % 10]}{n:x}-about-{i % 997}/comments/{i % 100}"

    start = time.process_time()
    found = Templating(prior)
    for path in made(paths):
        found.add("GET", "api.example", path)
    templates = {one.label.template for one in found.labels()}
    return {
        "paths": paths,
        "cpu_seconds": time.process_time() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "templates": len(templates),
    }


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and what is needed: at least so much, or at most."""

    name: str
    value: float
    needed: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.value <= self.needed if self.at_most else self.value >= self.needed

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{'met   ' if self.met else 'MISSED'} {self.name}: {self.value:.3f} ({sign} {self.needed:g})"


def of_synthetic(found: dict[str, float]) -> list[Figure]:
    return [
        Figure("made paths, F1", found["f1"], 0.92),
        Figure("made paths, share right", found["share"], 0.95),
    ]


def of_recorded(found: dict[str, dict[str, float]]) -> list[Figure]:
    out = []
    for mode, least in (("without bodies", 0.88), ("with bodies", 0.90)):
        scores = [row[mode] for row in found.values()]
        out.append(Figure(f"recorded {mode}, F1 on average", sum(scores) / len(scores), least))
        out.append(Figure(f"recorded {mode}, the worst", min(scores), 0.75))
    return out


def of_kinds(found: dict[str, dict[str, float]]) -> list[Figure]:
    return [
        Figure(f"kinds of identifiers of 47, bodies {bodies}", min(of.values()), 45)
        for bodies, of in found.items()
    ]


def of_cost(found: list[dict[str, float]]) -> list[Figure]:
    some, many = found
    return [
        Figure("a million paths, CPU-seconds", many["cpu_seconds"], 60, at_most=True),
        Figure("a million paths, MB", many["peak_mb"], 2048, at_most=True),
        Figure("ten times the paths, times", many["cpu_seconds"] / some["cpu_seconds"], 12, at_most=True),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("synthetic", "recorded", "kinds", "cost"), action="append")
    parser.add_argument("--paths", type=int, default=1_000_000)
    parser.add_argument("--show", action="store_true", help="print what is wrong")
    given = parser.parse_args()
    wanted = given.only or ["synthetic", "recorded", "kinds", "cost"]
    from wardgate.recognise.templating.prior import shipped

    figures: list[Figure] = []

    def say(name: str, found, judged: list[Figure]) -> None:
        print(json.dumps({name: found}), flush=True)
        print(*judged, sep="\n", flush=True)
        figures.extend(judged)

    if "cost" in wanted:  # first, so that its memory is its own
        costs = [cost(shipped(), given.paths // 10), cost(shipped(), given.paths)]
        say("cost", costs, of_cost(costs))
    if "kinds" in wanted:
        found = identifiers(shipped(), given.show)
        say("kinds", found, of_kinds(found))
    if "synthetic" in wanted or "recorded" in wanted:
        all_of = [one for one in descriptions() if not one.provider.startswith(RESERVED)]
        family = families(all_of)
        priors = fold_priors(all_of, family)

        def prior_of(provider: str) -> Prior:
            name = family.get(provider, provider)
            return priors.without(name, fold_of(name, FOLDS))

        if "synthetic" in wanted:
            scores = synthetic(prior_of)
            say("synthetic", scores, of_synthetic(scores))
        if "recorded" in wanted:
            rows = recorded(prior_of, given.show)
            say("recorded", rows, of_recorded(rows))
    sys.exit(not all(one.met for one in figures))


if __name__ == "__main__":
    main()
