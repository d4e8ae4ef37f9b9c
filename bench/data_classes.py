"""`make bench-data-classes`: recall and false alarms of data classes, and their speed.

Recall on two sets that are told apart: values of our own makers, in the documented formats
(`labelled_values.py`), and of somebody else's (`others_values.py`). False alarms on two as well: benign
values made as APIs carry them, and real ones from recorded bodies (`recorded_values.py`). A value is found
when its class is among those told; a false alarm is any class told of a made benign value, and of a recorded
one any class that the recordings are known not to hold. Check digits are also tried wrong.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa

from labelled_values import Labelled, labelled
from others_values import others
from recorded_values import ABSENT, recorded
from wardgate.match.finder import finder

RECALL, ALARMS = 0.97, 1
"""At least; at most, per 10,000."""


def found_in(rows: list[Labelled]) -> tuple[list[set[str]], float]:
    """Classes found in each row, and CPU-seconds. Rows of benign kinds show their kind by name."""
    known = finder()
    names = sorted({one.name for one in rows})
    at = {name: i for i, name in enumerate(names)}
    values = pa.array([one.value for one in rows], pa.string())
    name_of = np.array([at[one.name] for one in rows], np.int64)
    bare = np.array([one.bare for one in rows], bool)
    start = time.process_time()
    hits = known.find(values, names, name_of, bare)
    took = time.process_time() - start
    out: list[set[str]] = [set() for _ in rows]
    for row, one in zip(hits.row.tolist(), hits.data_class.tolist(), strict=True):
        out[row].add(known.classes[one].name)
    return out, took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=400, help="values of every class")
    parser.add_argument("--benign", type=int, default=200_000, help="benign values")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-recorded", action="store_true", help="without recorded bodies (a download)")
    parser.add_argument("--show", action="store_true", help="show some of what was missed or found wrongly")
    asked = parser.parse_args()
    found_in(labelled(1, 2, 100))  # compile
    rows = labelled(asked.seed, asked.each, asked.benign)
    found, _ = found_in(rows)

    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    confused: dict[str, Counter[str]] = defaultdict(Counter)
    false: Counter[tuple[str, str]] = Counter()
    wrongly: Counter[str] = Counter()
    checked = benign = 0
    examples: dict[str, list[str]] = defaultdict(list)
    for one, classes in zip(rows, found, strict=True):
        if one.label.startswith("!"):
            checked += 1
            if one.label[1:] in classes:
                wrongly[one.label[1:]] += 1
                examples[one.label].append(f"{one.name}: {one.value!r}")
        elif one.label:
            total[one.label] += 1
            right[one.label] += one.label in classes
            for other in classes - {one.label}:
                confused[one.label][other] += 1
            if one.label not in classes:
                examples[one.label].append(f"{one.name}: {one.value!r} {sorted(classes)}")
        else:
            benign += 1
            for other in classes:
                false[one.name, other] += 1
                examples[f"benign {other}"].append(f"{one.name}: {one.value!r}")
    print(f"{'class':32} {'recall':>7} {'wrong digit':>11}  also taken for")
    for label in sorted(total):
        others = ", ".join(f"{name} {count}" for name, count in confused[label].most_common(3))
        print(f"{label:32} {right[label] / total[label]:7.3f} {wrongly[label]:11d}  {others}")
    recall = sum(right.values()) / sum(total.values())
    worst = min(right[label] / total[label] for label in total)
    alarms = sum(false.values()) / benign * 10_000
    print(f"\nrecall {recall:.4f}, worst class {worst:.3f} (at least .97): {sum(total.values())} values")
    print(f"false {alarms:.2f} per 10,000 of {benign} benign values; at most 1")
    print(f"wrong check digits found: {sum(wrongly.values())} of {checked}")
    for (name, other), count in false.most_common(12):
        print(f"   {count:5d} {other} under {name}")
    if asked.show:
        for label, some in sorted(examples.items()):
            print(label, *some[:4], sep="\n     ")
    fine = _others(asked.seed, asked.each // 4, asked.show)
    if not asked.no_recorded:
        fine = _recorded(asked.show) and fine
    quiet = [one for one in rows if not one.label]
    _, took = found_in(quiet)
    _, mixed = found_in(rows)
    print(f"per CPU-second: {len(quiet) / took:,.0f} benign values, {len(rows) / mixed:,.0f} of all")
    return 0 if recall >= RECALL and worst >= RECALL and alarms <= ALARMS and fine else 1


def _others(seed: int, each: int, show: bool) -> bool:
    """Recall on values that others made."""
    rows = others(seed, each)
    found, _ = found_in(rows)
    missed: dict[str, list[str]] = defaultdict(list)
    total = Counter(one.label for one in rows)
    for one, classes in zip(rows, found, strict=True):
        if one.label not in classes:
            missed[one.label].append(f"{one.name}: {one.value!r}")
    recall = 1 - sum(map(len, missed.values())) / len(rows)
    print(
        f"\nmade by others: recall {recall:.4f} of {len(rows)} values of {len(total)} classes (at least .97)"
    )
    for label, values in sorted(missed.items()):
        print(f"   {label:32} {1 - len(values) / total[label]:.3f}")
        if show:
            print(*values[:6], sep="\n        ")
    return recall >= RECALL


def _recorded(show: bool) -> bool:
    """False alarms on what stood in recorded bodies."""
    rows = recorded()
    found, _ = found_in(rows)
    hits: dict[str, list[str]] = defaultdict(list)
    for one, classes in zip(rows, found, strict=True):
        for label in classes:
            hits[label].append(f"{one.name}: {one.value[:60]!r}")
    false = sum(len(values) for label, values in hits.items() if label in ABSENT)
    alarms = false / len(rows) * 10_000
    print(f"\nrecorded bodies: false {alarms:.2f} per 10,000 of {len(rows)} values; at most {ALARMS}")
    for label, values in sorted(hits.items(), key=lambda one: -len(one[1])):
        print(f"   {label:32} {len(values):5d} {'FALSE' if label in ABSENT else ''}")
        if show:
            print(*values[:: max(len(values) // 6, 1)], sep="\n        ")
    return alarms <= ALARMS


if __name__ == "__main__":
    sys.exit(main())
