"""Parts that share a commit count as if each were alone, and are recognised as if each were alone."""

import json
import random
from collections.abc import Iterator

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Origin, Part, Pipeline, Reached
from wardgate.service.push_bodies import parsed_lines

NOW = 1_763_000_000_000_000
TOTALS = (
    "SELECT sum(calls)::INT AS calls, sum(linked)::INT AS linked, count(DISTINCT path_id)::INT AS paths, "
    "count(DISTINCT caller_id)::INT AS callers FROM lake.rollups WHERE starts_with(source, ?)"
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    lake = Lake(embedded_place(open_home(tmp_path_factory.mktemp("home"))))
    yield Pipeline(lake, Key(bytes(32)), fixed_clock(NOW))
    lake.close()


def part(pipeline: Pipeline, source: str, number: int, requests: list[str]) -> Part:
    body = "".join(
        json.dumps(
            {
                "ts": "2025-11-13T02:13:20Z",
                "method": "GET",
                "url": f"https://api.example/{request}",
                "request_headers": {
                    "x-request-id": f"{source.partition(' ')[0]}-{request}",
                    "authorization": f"Bearer {request}{'k' * 30}",
                    "user-agent": f"agent-{request}/1.0",
                },
            }
        )
        + "\n"
        for request in requests
    )
    parsed = parsed_lines(body.encode())
    origin = Origin(source, pipeline.key.id64("origin", f"{source}{number}"), source, "wardgate-jsonl")
    return Part(parsed, origin, Reached(parsed.read, complete=True), pipeline.batch_id(origin, 0))


def alone(pipeline: Pipeline, one: Part) -> list[bool]:
    return pipeline.commit([pipeline.prepare(one.parsed, one.origin, one.reached, one.batch_id)])


def totals(pipeline: Pipeline, case: str) -> dict[str, int]:
    (row,) = pipeline.lake.rows(TOTALS, [case]).to_pylist()
    return dict(row)


def parts_of(pipeline: Pipeline, case: str, seed: int) -> list[Part]:
    """Parts of three vantages that saw mostly the same requests, some of them several times."""
    rng = random.Random(seed)
    requests = [f"r{n:02d}" for n in range(20)]
    out = []
    for number in range(9):
        source = f"{case} {rng.choice(['edge', 'gateway', 'app'])}"
        out.append(part(pipeline, source, number, rng.choices(requests, k=8)))
    return out


@pytest.mark.parametrize("seed", range(4))
def test_links_within_a_group_are_those_of_single_commits(pipeline: Pipeline, seed: int) -> None:
    """Parts of one source are linked together, so that is the order which single commits have here."""
    singly = parts_of(pipeline, f"singly{seed}", seed)
    sources = list(dict.fromkeys(one.origin.source for one in singly))
    for one in sorted(singly, key=lambda one: sources.index(one.origin.source)):
        alone(pipeline, one)
    parts = parts_of(pipeline, f"grouped{seed}", seed)
    prepared = [pipeline.prepare(one.parsed, one.origin, one.reached, one.batch_id) for one in parts]
    assert pipeline.commit(prepared) == [True] * 9
    found = totals(pipeline, f"grouped{seed}")
    assert found == totals(pipeline, f"singly{seed}")
    assert found["calls"] + found["linked"] == 72
    assert found["linked"] > 10


def test_two_vantages_in_one_commit_count_once(pipeline: Pipeline) -> None:
    requests = [f"r{n}" for n in range(10)]
    parts = [part(pipeline, "twice edge", 0, requests), part(pipeline, "twice gateway", 0, requests[5:])]
    prepared = [pipeline.prepare(one.parsed, one.origin, one.reached, one.batch_id) for one in parts]
    assert pipeline.commit(prepared) == [True, True]
    assert totals(pipeline, "twice")["calls"] == 10
    assert totals(pipeline, "twice")["linked"] == 5


def test_a_batch_that_is_there_already_links_nothing_again(pipeline: Pipeline) -> None:
    edge = part(pipeline, "again edge", 0, ["r1"])
    gateway = [part(pipeline, "again gateway", n, ["r1"]) for n in range(2)]
    alone(pipeline, edge)
    alone(pipeline, gateway[0])
    assert totals(pipeline, "again") | {"paths": 0, "callers": 0} == {
        "calls": 1,
        "linked": 1,
        "paths": 0,
        "callers": 0,
    }
    # the retry of the first comes in one group with the second, which is another call
    prepared = [
        pipeline.prepare(one.parsed, one.origin, one.reached, one.batch_id) for one in (*gateway, gateway[1])
    ]
    assert pipeline.commit(prepared) == [False, True, False]
    found = totals(pipeline, "again")
    assert (found["calls"], found["linked"]) == (2, 1)


def test_parts_recognised_together_are_what_they_are_alone(pipeline: Pipeline) -> None:
    def parts(source: str) -> list[Part]:
        return [part(pipeline, source, n, [f"r{n}", f"r{n + 1}", "common"]) for n in range(5)]

    fresh = Pipeline(pipeline.lake, Key(bytes(32)), fixed_clock(NOW))
    together = fresh.prepare_together(parts("fresh"))
    for one, whole in zip(parts("fresh"), together, strict=True):
        other = Pipeline(pipeline.lake, Key(bytes(32)), fixed_clock(NOW))
        single = other.prepare(one.parsed, one.origin, one.reached, one.batch_id)
        assert (whole.read, whole.accepted, whole.batch.batch_id) == (
            single.read,
            single.accepted,
            one.batch_id,
        )
        for name, table in single.batch.rows.items():
            rows = whole.batch.rows[name].to_pylist()
            assert sorted(map(str, rows)) == sorted(map(str, table.to_pylist())), name


def test_a_part_that_is_dropped_takes_no_facts_with_it(pipeline: Pipeline) -> None:
    first, second = (part(pipeline, "facts", n, ["same"]) for n in range(2))
    alone(Pipeline(pipeline.lake, Key(bytes(32)), fixed_clock(NOW)), first)
    fresh = Pipeline(pipeline.lake, Key(bytes(32)), fixed_clock(NOW))
    count = (
        "SELECT count(*)::INT AS n FROM lake.callers "
        "WHERE caller_id IN (SELECT caller_id FROM lake.calls WHERE source = 'facts')"
    )
    before = pipeline.lake.rows(count)["n"][0].as_py()
    assert fresh.commit(fresh.prepare_together([first, second])) == [False, True]
    assert pipeline.lake.rows(count)["n"][0].as_py() > before


def test_parts_without_calls_come_with_their_accounts(pipeline: Pipeline) -> None:
    origin = Origin("mixed", 7, "mixed", "wardgate-jsonl")
    bodies = [b"broken\n", b"\n\n", b'{"method":"GET","url":"/a"}\nbroken\n', b""]
    parsed = [parsed_lines(body) for body in bodies]
    together = pipeline.prepare_together(
        [Part(one, origin, Reached(one.read), 1000 + n) for n, one in enumerate(parsed)]
    )
    assert [(one.accepted, one.rejected, one.skipped) for one in together] == [
        (0, 1, 0), (0, 0, 2), (1, 1, 0), (0, 0, 0),
    ]  # fmt: skip
    assert pipeline.commit(together) == [True] * 4
    found = pipeline.lake.rows("SELECT sum(read)::INT AS n FROM lake.ledger WHERE source = 'mixed'")
    assert found["n"][0].as_py() == 5
