"""One process of several on a lake: `python one_process.py ROLE PLACE COUNT`, PLACE as JSON.

Not a test: `test_several_processes` starts it.
"""

import json
import sys
from pathlib import Path

from wardgate.core.keys import Key
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS, Place
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake
from wardgate.pipeline import Origin, Pipeline, Reached
from wardgate.sources.catalogue import format_named
from wardgate.sources.format import Lines, Options

KEY = Key(b"t" * 32)
NOON = 1_790_000_000_000_000


def write(lake: Lake, name: str, count: int) -> None:
    """Commit `count` batches of 40 calls as the source `name`, each of them twice."""
    pipeline = Pipeline(lake, KEY, lambda: NOON)
    for number in range(count):
        lines = "".join(
            f"192.0.2.{n} - - [21/Sep/2026:14:13:20 +0000] "
            f'"GET /{name}/{number}/{n} HTTP/1.1" 200 1 "-" "a"\n'
            for n in range(40)
        )
        parsed = format_named("nginx").parser(Options(), None).parse(Lines(lines.encode(), number * 40))  # type: ignore[union-attr]
        origin = Origin(name, KEY.id64("origin", name), name, "nginx")
        part = pipeline.prepare(parsed, origin, Reached(number * 40 + 40))
        pipeline.commit([part])
        pipeline.commit([part])


def link(lake: Lake, name: str, count: int) -> None:
    """Commit `count` calls as the source `name`, one a batch; other sources saw the same ones."""
    pipeline = Pipeline(lake, KEY, lambda: NOON)
    parser = format_named("wardgate-jsonl").parser(Options(), None)  # type: ignore[union-attr]
    origin = Origin(name, KEY.id64("origin", name), name, "wardgate-jsonl")
    for number in range(count):
        seen = {"method": "GET", "url": "http://shop.example/", "ts": "2026-09-21T14:13:20Z"}
        headers = {"x-request-id": f"00000000-0000-4000-8000-{number:012d}"}
        row = json.dumps({**seen, "request_headers": headers}) + "\n"
        part = pipeline.prepare(parser.parse(Lines(row.encode(), number)), origin, Reached(number + 1))
        pipeline.commit([part])


def maintain(lake: Lake, name: str, count: int) -> None:
    maintainer = Maintainer(lake, LakeSettings(), lambda: NOON, readers_s=5, orphans_s=30, orphans_every_s=0)
    done = []
    while not Path(name).exists():
        report = maintainer.run_once()
        done.append({"hold": report.longest_hold_s, "merged": report.merged_files, "failure": report.failure})
    print(json.dumps(done))


def read(lake: Lake, name: str, count: int) -> None:
    reads = 0
    while not Path(name).exists():
        (row,) = lake.rows(f"""
            SELECT (SELECT count(*) FROM {ALIAS}.calls) AS calls,
                   (SELECT coalesce(sum(calls), 0) FROM {ALIAS}.rollups)::BIGINT AS rolled,
                   (SELECT coalesce(sum(accepted), 0) FROM {ALIAS}.ledger)::BIGINT AS accepted
        """).to_pylist()
        assert row["calls"] == row["rolled"] == row["accepted"], row
        reads += 1
    print(reads)


if __name__ == "__main__":
    role, place, name, count = sys.argv[1:]
    given = json.loads(place)
    lock = Path(given["lock"]) if given["lock"] else None
    lake = Lake(Place(given["catalog"], given["data"], Path(given["scratch"]), lock, given["settings"]))
    {"write": write, "link": link, "maintain": maintain, "read": read}[role](lake, name, int(count))
    lake.close()
