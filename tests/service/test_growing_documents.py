"""Captures that grow after they were read: each record counts once, a torn one when it is whole."""

import gzip
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.follow import Follower, Pace
from wardgate.service.followed import Followed
from wardgate.service.ingest import Ingest, Reading, open_input, parts
from wardgate.service.writer import Writer
from wardgate.sources.files import find_inputs
from wardgate.sources.format import Defaults
from wardgate.sources.har import Har
from wardgate.sources.mitmproxy import Mitmproxy

NOW = 1_772_366_400
CLOCK = fixed_clock(NOW * 1_000_000)
OLD, FRESH = NOW - 3600, NOW
EXAMPLES = Path(__file__).parents[1] / "sources" / "examples"
FLOWS = (EXAMPLES / "mitmproxy.flow").read_bytes()
ENDS = [record.offset for record in Mitmproxy().records(io.BytesIO(FLOWS))]
SKIPPED = 1  # the last is a TCP flow


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    home = open_home(tmp_path / "home")
    return Pipeline(Lake(embedded_place(home)), load_key(home.path), CLOCK)


def ingest(pipeline: Pipeline, path: Path, data: bytes, written_at: int = OLD) -> tuple[int, int]:
    """Accepted and rejected of one run over the file as it is now."""
    path.write_bytes(data)
    os.utime(path, (written_at, written_at))
    (report,) = Ingest(pipeline, CLOCK).run(find_inputs([str(path)]), Reading(source="x"))
    return report.accepted, report.rejected


def account(pipeline: Pipeline) -> dict[str, Any]:
    (row,) = pipeline.lake.rows(
        "SELECT sum(read)::INT AS read, sum(accepted)::INT AS accepted, sum(rejected)::INT AS rejected, "
        "sum(skipped)::INT AS skipped FROM lake.ledger"
    ).to_pylist()
    calls = "SELECT count(*) AS n, count(DISTINCT (origin_id, position)) AS d FROM lake.calls"
    (counted,) = pipeline.lake.rows(calls).to_pylist()
    assert counted == {"n": row["accepted"], "d": row["accepted"]}
    assert row["read"] == row["accepted"] + row["rejected"] + row["skipped"]
    return row


CUTS = {
    "at a flow's end": ([(ENDS[1], OLD), (ENDS[4], OLD)], 0),
    "one by one": ([(end, FRESH) for end in ENDS], 0),
    "torn, just now": ([(ENDS[1] + 700, FRESH), (ENDS[3] + 1, FRESH), (ENDS[5] - 1, FRESH)], 0),
    "torn, and left so": ([(ENDS[1] + 700, OLD), (ENDS[1] + 700, OLD), (ENDS[1] + 900, OLD)], 1),
    "torn twice": ([(ENDS[1] + 700, OLD), (ENDS[4] + 3, OLD), (ENDS[4] + 3, FRESH)], 2),
    "torn in its length": ([(ENDS[2] + 2, FRESH), (ENDS[2] + 2, OLD)], 1),
    "torn at the front": ([(ENDS[0] - 9, FRESH), (ENDS[0] + 5, FRESH)], 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CUTS)
@pytest.mark.parametrize("press", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_flow_file_goes_on_where_it_was(case: str, press: Any, pipeline: Pipeline, tmp_path: Path) -> None:
    cuts, torn = CUTS[case]
    for size, written_at in cuts:
        ingest(pipeline, tmp_path / "a.flow", press(FLOWS[:size]), written_at)
    ingest(pipeline, tmp_path / "a.flow", press(FLOWS))
    assert ingest(pipeline, tmp_path / "a.flow", press(FLOWS)) == (0, 0)
    found = account(pipeline)
    assert (found["accepted"], found["rejected"], found["skipped"]) == (len(ENDS) - SKIPPED, torn, SKIPPED)
    with_other_name = tmp_path / "renamed.flow"
    assert ingest(pipeline, with_other_name, FLOWS) == (0, 0)


def test_another_flow_file_that_begins_alike_is_another(pipeline: Pipeline, tmp_path: Path) -> None:
    ingest(pipeline, tmp_path / "a.flow", FLOWS[: ENDS[2]])
    other = FLOWS[: ENDS[0]] + FLOWS[ENDS[3] : ENDS[6]]
    assert ingest(pipeline, tmp_path / "b.flow", other) == (4, 0)
    assert ingest(pipeline, tmp_path / "a.flow", FLOWS[: ENDS[3]]) == (1, 0)
    assert ingest(pipeline, tmp_path / "b.flow", other) == (0, 0)


def test_a_kill_between_two_parts_loses_and_doubles_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "a.flow"
    path.write_bytes(FLOWS[: ENDS[5]] * 300)  # two parts
    os.utime(path, (OLD, OLD))
    opened = open_input(pipeline, find_inputs([str(path)])[0], Reading(source="x"), CLOCK)
    with opened.stream:
        parsed, reached = next(parts(opened, Reading().options))
    pipeline.commit([pipeline.prepare(parsed, opened.origin, reached)])
    before = account(pipeline)["accepted"]
    assert 0 < before < 1800
    assert ingest(pipeline, path, path.read_bytes()) == (1800 - before, 0)
    assert account(pipeline)["accepted"] == 1800


def entry(number: int) -> dict[str, Any]:
    return {
        "startedDateTime": f"2026-03-01T10:00:{number:02}.250Z", "time": number + 0.5,
        "request": {"method": "GET", "url": f"https://a.example/v1/{number}"}, "response": {"status": 200},
    }  # fmt: skip


def har(*numbers: int, pages: int = 1, indent: int | None = None) -> bytes:
    shown = [{"id": f"page_{n}", "title": "x" * 50} for n in range(pages)]
    log = {"version": "1.2", "pages": shown, "entries": [entry(n) for n in numbers]}
    return json.dumps({"log": log}, indent=indent).encode()


EXPORTS = {
    "grown": ([har(0, 1), har(0, 1, 2, 3)], 4, 0),
    "grown, with more pages": ([har(0, 1), har(0, 1, 2, pages=3)], 3, 0),
    "grown twice, and the same again": ([har(0, indent=2), har(0, 1, indent=2), har(0, 1, indent=2)], 2, 0),
    "broken off, then whole": ([har(0, 1, 2)[:-60], har(0, 1, 2)], 3, 1),
    "broken off, and again": ([har(0, 1, 2)[:-60], har(0, 1, 2)[:-50]], 2, 1),
    "another session": ([har(0, 1), har(2, 3)], 4, 0),
    "begins alike, and is another": ([har(0, 1, 2), har(0, 2, 3)], 6, 0),
    "nothing in it": ([har(), har()], 0, 0),
}


@pytest.mark.parametrize("case", EXPORTS)
def test_a_har_that_is_exported_again_goes_on_behind_its_entries(
    case: str, pipeline: Pipeline, tmp_path: Path
) -> None:
    exports, accepted, rejected = EXPORTS[case]
    for one in exports:
        ingest(pipeline, tmp_path / "session.har", one, FRESH)
    if accepted:
        found = account(pipeline)
        assert (found["accepted"], found["rejected"]) == (accepted, rejected)


def test_a_har_too_large_to_hold_is_the_same_document(pipeline: Pipeline, tmp_path: Path) -> None:
    small, large = Har(), Har(whole=100)
    data = har(0, 1, 2, indent=1)
    assert [small.proof(one) for one in small.records(io.BytesIO(data))] == [
        large.proof(one) for one in large.records(io.BytesIO(data))
    ]


def test_a_followed_flow_file_is_counted_as_it_grows(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "live.flow"
    writer, home = Writer(pipeline, gather_s=0), open_home(tmp_path / "home")
    followed = Followed("x", (str(path),), Reading(format="mitmproxy"))
    now = 1000.0
    follower = Follower(
        pipeline, writer, [followed], home, CLOCK, pace=Pace(look_s=0, health_s=0), monotonic=lambda: now
    )
    for size in (700, ENDS[0], ENDS[2] + 100, ENDS[2] + 900, ENDS[5], len(FLOWS)):
        path.write_bytes(FLOWS[:size])
        os.utime(path, (FRESH, FRESH + size / 1e6))
        for _ in range(3):
            now += 1.0
            follower.round()
        whole = sum(end <= size for end in ENDS)
        if whole:
            assert account(pipeline)["read"] == whole
    follower._watching.close()
    writer.close()
    assert account(pipeline)["rejected"] == 0


@pytest.mark.parametrize(
    ("name", "data", "said", "wanted"),
    [
        ("a.har", har(0), None, "client"),
        ("a.har", har(0), "gateway", "gateway"),
        ("a.flow", FLOWS, None, "client"),
        ("a.jsonl", b'{"method":"GET","url":"/a"}\n', None, None),
    ],
)
def test_captures_are_seen_from_the_client_where_nobody_says_otherwise(
    name: str, data: bytes, said: str | None, wanted: str | None, pipeline: Pipeline, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    reading = Reading(source="x", defaults=Defaults(vantage=said, team="t"))
    list(Ingest(pipeline, CLOCK).run(find_inputs([str(tmp_path / name)]), reading))
    found = pipeline.lake.rows("SELECT DISTINCT vantage, team FROM lake.calls").to_pylist()
    assert found == [{"vantage": wanted, "team": "t"}]


def array(*numbers: int) -> bytes:
    """As `gcloud logging read --format json` writes them."""
    line = (EXAMPLES / "google-lb.jsonl").read_bytes().splitlines()[0]
    return b"[" + b",".join(line.replace(b"https://", b"https://n%d." % n) for n in numbers) + b"]"


def test_a_document_that_cannot_be_read_on_is_refused_when_it_has_grown(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    path = tmp_path / "lb.json"
    assert ingest(pipeline, path, array(0, 1)) == (2, 0)
    assert ingest(pipeline, path, array(0, 1)) == (0, 0)
    with pytest.raises(WardgateError, match="grew after it was read") as refused:
        ingest(pipeline, path, array(0, 1, 2))
    assert refused.value.code == "input-grown"
    assert ingest(pipeline, tmp_path / "other.json", array(3, 4, 5)) == (3, 0)
    assert account(pipeline)["accepted"] == 5


def test_a_followed_document_is_read_when_it_is_finished(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "lb.json"
    writer, home = Writer(pipeline, gather_s=0), open_home(tmp_path / "home")
    now = 1000.0
    follower = Follower(
        pipeline, writer, [Followed("x", (str(path),), Reading())], home, CLOCK,
        pace=Pace(look_s=0, health_s=0, settled_s=3, retry_s=1), monotonic=lambda: now,
    )  # fmt: skip
    for count in (2, 3, 4):
        path.write_bytes(array(*range(count)))
        for _ in range(2):
            now += 1.0
            follower.round()
    assert follower.sources[0].health().read == 0
    for _ in range(3):
        now += 2.0
        follower.round()
    assert account(pipeline)["accepted"] == 4
    path.write_bytes(array(*range(5)))
    for _ in range(3):
        now += 2.0
        follower.round()
    health = follower.sources[0].health()
    follower._watching.close()
    writer.close()
    assert account(pipeline)["accepted"] == 4
    assert health.state == "failing" and "[input-grown]" in (health.error or "")
