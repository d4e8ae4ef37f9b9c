"""`make bench-signals`: what content rules notice of known attacks, and where nothing is; and their cost.

Attacks: requests of the OWASP Core Rule Set's own tests, families 930-934 and 941-944, that one of its rules
must notice. Where nothing should be noticed: parameter values labelled normal and lexical traps of
HttpParamsDataset, and the targets of a real site's log. The tests are written by people who know what their
rules look for, and many are fragments: read recall beside the false alarms, not alone.
"""

import csv
import gzip
import io
import json
import re
import sys
import tarfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from wardgate.match.signals.noticing import noticing
from wardgate.match.signals.shape import Side

DATA = next(
    (
        one
        for one in (Path(__file__).resolve().parents[2] / "shared/data", Path("/work/shared/data"))
        if one.exists()
    ),
    Path("missing"),
)
FAMILIES = {"930", "931", "932", "933", "934", "941", "942", "943", "944"}


def crs_requests() -> Iterator[tuple[str, bool, str, list[tuple[Side, str]]]]:
    """(rule of CRS, whether it must notice, description, what the request carries) of each test."""
    import yaml

    with tarfile.open(DATA / "crs_regression_tests.tar.gz") as archive:
        for member in archive.getmembers():
            found = re.search(r"/(\d{6})\.yaml\Z", member.name)
            raw = archive.extractfile(member) if found else None
            if raw is None or found is None or found[1][:3] not in FAMILIES:
                continue
            for test in yaml.safe_load(raw).get("tests", []):
                for stage in test.get("stages", []):
                    asked, log = stage.get("input", {}), stage.get("output", {}).get("log", {})
                    must = int(found[1]) in log.get("expect_ids", [])
                    if must or int(found[1]) in log.get("no_expect_ids", []):
                        yield found[1], must, str(test.get("desc", "")), list(_carried(asked))


def _carried(asked: dict[str, Any]) -> Iterator[tuple[Side, str]]:
    path, _, query = str(asked.get("uri", "/")).partition("?")
    yield Side.PATH, path
    if query:
        yield Side.QUERY, query
    for name, value in (asked.get("headers") or {}).items():
        if name.lower() not in ("host", "accept", "accept-encoding", "content-type", "content-length"):
            yield Side.HEADER, str(value)
    body = asked.get("data")
    if body:
        yield Side.BODY, json.dumps(body) if not isinstance(body, str) else body


def attacks(show: bool) -> float:
    known = noticing()
    total: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    quiet = noticed = 0
    missed: dict[str, list[str]] = defaultdict(list)
    for rule, must, _, carried in crs_requests():
        hit = any(known.of(text, side) for side, text in carried)
        if must:
            total[rule[:3]] += 1
            seen[rule[:3]] += hit
            if not hit:
                missed[rule].append(" ".join(text for _, text in carried)[:160])
        else:
            quiet, noticed = quiet + 1, noticed + hit
    for family in sorted(total):
        print(
            f"crs {family}: {seen[family]:4d} of {total[family]:4d} noticed "
            f"({seen[family] / total[family]:.2f})"
        )
    recall = sum(seen.values()) / sum(total.values())
    print(f"crs, all: {recall:.3f} of {sum(total.values()):,} attacks noticed")
    print(
        f"crs tests in which one rule must stay quiet (not the same as benign): {noticed} of {quiet} noticed"
    )
    for rule, texts in sorted(missed.items()) if show else []:
        print(rule, len(texts), *texts[:4], sep="\n     ")
    return recall


def values(show: bool) -> tuple[float, float]:
    """Share of anomalous and of normal parameter values that some rule notices."""
    known = noticing()
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with tarfile.open(DATA / "http_params.tar.gz") as archive:
        for name in ("train", "test", "test_lexical"):
            raw = archive.extractfile(f"httpparams/payload_{name}.csv")
            if raw is None:
                continue
            for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8", errors="replace")):
                rows["trap" if name == "test_lexical" else row["label"]].append(
                    (row["attack_type"], row["payload"])
                )
    shares = {}
    for label, own in rows.items():
        hits = [(kind, text) for kind, text in own if known.of(quote(text), Side.QUERY)]
        shares[label] = len(hits) / len(own)
        by_kind = Counter(kind for kind, _ in hits)
        print(
            f"http_params, {label}: {len(hits):,} of {len(own):,} noticed ({shares[label]:.4f}) "
            f"{dict(by_kind)}"
        )
        if show and label != "anom":
            for kind, text in hits[:40]:
                print("    ", kind, text, [one.name for one, _ in known.of(quote(text), Side.QUERY)])
    return shares["anom"], shares["norm"]


def real_log(show: bool) -> float:
    known = noticing()
    with gzip.open(DATA / "apache_combined_10k.log.gz", "rt", errors="replace") as lines:
        found = [
            re.search(r'"(?:GET|POST|HEAD|OPTIONS) (\S+)[^"]*" \d+ \S+ "([^"]*)" "([^"]*)"', one)
            for one in lines
        ]
    rows = [one for one in found if one is not None]
    hits = 0
    for one in rows:
        path, _, query = one[1].partition("?")
        parts = ((Side.PATH, path), (Side.QUERY, query), (Side.HEADER, one[2]), (Side.HEADER, one[3]))
        told = {rule.name for side, text in parts for rule, _ in known.of(text, side)}
        hits += bool(told)
        if told and show:
            print("    ", sorted(told), one[1][:120], one[2][:80])
    print(f"a real site's log: {hits} of {len(rows):,} lines noticed")
    texts = pa.array([one[1] for one in rows])
    start = time.process_time()
    for _ in range(20):
        known.notice(texts, Side.QUERY)
    took = (time.process_time() - start) / 20 / len(rows)
    print(f"cost: {took * 1e9:.0f} ns of CPU for each of its targets")
    return hits / len(rows)


def main() -> int:
    if not (DATA / "crs_regression_tests.tar.gz").exists():
        print("the data of this bench is not here: nothing was measured")
        return 2
    show = "--show" in sys.argv
    noticing()
    recall = attacks(show)
    anomalous, normal = values(show)
    real = real_log(show)
    good = recall >= 0.3 and anomalous >= 0.9 and normal <= 0.001 and real <= 0.005
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
