"""The spine: exact accounting, nothing doubled, and one call counted once however often it was seen."""

import json
from pathlib import Path

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Origin, Pipeline, Reached
from wardgate.service.ingest import Ingest, Reading, SourceReport
from wardgate.sources.catalogue import format_named
from wardgate.sources.files import find_inputs
from wardgate.sources.format import Lines, Options

NOW = 1_763_000_000_000_000
CLOCK = fixed_clock(NOW)
LINE = (
    '203.0.113.{n} - - [14/Nov/2025:10:{m:02d}:01 +0000] "GET /users/{n} HTTP/1.1" 200 {n} "-" "curl/8.1"\n'
)


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    home = open_home(tmp_path / "home")
    return Pipeline(Lake(embedded_place(home)), load_key(home.path), CLOCK)


def ingest(pipeline: Pipeline, path: Path, **reading: str) -> SourceReport:
    (report,) = Ingest(pipeline, CLOCK).run(find_inputs([str(path)]), Reading(**reading))  # type: ignore[arg-type]
    return report


def one(pipeline: Pipeline, sql: str) -> dict[str, object]:
    (row,) = pipeline.lake.rows(sql).to_pylist()
    return row


def lines(count: int) -> str:
    return "".join(LINE.format(n=i % 200, m=i % 60) for i in range(count))


def test_calls_rollups_and_facts_agree(pipeline: Pipeline, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(lines(500) + "rubbish\n\n" + lines(3))
    report = ingest(pipeline, log)
    assert (report.read, report.accepted, report.rejected, report.skipped) == (505, 503, 1, 1)
    assert one(pipeline, "SELECT count(*) AS n, count(DISTINCT position) AS d FROM lake.calls") == {
        "n": 503,
        "d": 503,
    }
    assert one(
        pipeline, "SELECT sum(calls)::INT AS n, sum(response_bytes)::INT AS b FROM lake.rollups"
    ) == one(pipeline, "SELECT count(*)::INT AS n, sum(response_bytes)::INT AS b FROM lake.calls")
    orphans = "SELECT count(*) AS n FROM lake.rollups WHERE path_id NOT IN (SELECT path_id FROM lake.paths)"
    assert one(pipeline, orphans) == {"n": 0}
    orphans = (
        "SELECT count(*) AS n FROM lake.rollups WHERE caller_id NOT IN (SELECT caller_id FROM lake.callers)"
    )
    assert one(pipeline, orphans) == {"n": 0}
    assert one(
        pipeline, "SELECT count(DISTINCT template) AS t, count(DISTINCT operation_id) AS o FROM lake.paths"
    ) == {
        "t": 1,
        "o": 1,
    }
    reject = one(pipeline, "SELECT position, reason, shape FROM lake.rejects")
    assert reject == {"position": 500, "reason": "not-format", "shape": "aaaaaaa"}


def test_reading_a_file_again_doubles_nothing_and_goes_on_where_it_stopped(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    log.write_text(lines(100))
    assert ingest(pipeline, log).accepted == 100
    again = ingest(pipeline, log)
    assert (again.read, again.before) == (0, 100)
    with log.open("a") as file:
        file.write(lines(7))
    more = ingest(pipeline, log)
    assert (more.read, more.before) == (7, 100)
    assert one(pipeline, "SELECT count(*) AS n FROM lake.calls") == {"n": 107}
    ledger = "SELECT sum(read)::INT AS r, max(next_position) AS p FROM lake.ledger"
    assert one(pipeline, ledger) == {"r": 107, "p": 107}


def test_a_part_that_was_committed_is_not_committed_again(pipeline: Pipeline, tmp_path: Path) -> None:
    from wardgate.service.ingest import open_input, parts

    log = tmp_path / "access.log"
    log.write_text(lines(10))
    opened = open_input(pipeline, find_inputs([str(log)])[0], Reading(), CLOCK)
    ((parsed, reached),) = parts(opened, Reading().options)
    part = pipeline.prepare(parsed, opened.origin, reached)
    assert pipeline.commit([part]) == [True]
    assert pipeline.commit([part]) == [False]
    assert one(pipeline, "SELECT count(*) AS n FROM lake.calls") == {"n": 10}


def _seen(path: Path, calls: list[tuple[str, str]]) -> Path:
    """Wardgate JSON Lines of (request id, path) pairs, all in one minute."""
    path.write_text(
        "".join(
            json.dumps({"ts": "2025-11-14T10:00:01Z", "method": "GET", "url": f"https://api.example{target}",
                        "status": 200, "request_headers": {"x-request-id": request}}) + "\n"
            for request, target in calls
        )
    )  # fmt: skip
    return path


def test_a_call_seen_at_two_vantages_counts_once(pipeline: Pipeline, tmp_path: Path) -> None:
    edge = _seen(tmp_path / "edge.jsonl", [("aa01aa01", "/a"), ("aa02aa02", "/b"), ("aa03aa03", "/c")])
    gateway = _seen(tmp_path / "gateway.jsonl", [("aa02aa02", "/b"), ("aa03aa03", "/c"), ("aa04aa04", "/d")])
    ingest(pipeline, edge, source="edge")
    ingest(pipeline, gateway, source="gateway")
    assert one(pipeline, "SELECT sum(calls)::INT AS calls, sum(linked)::INT AS linked FROM lake.rollups") == {
        "calls": 4,
        "linked": 2,
    }
    linked = pipeline.lake.rows(
        "SELECT source, path FROM lake.calls WHERE is_linked ORDER BY path"
    ).to_pylist()
    assert linked == [{"source": "gateway", "path": "/b"}, {"source": "gateway", "path": "/c"}]


def test_retries_within_one_source_are_calls_of_their_own(pipeline: Pipeline, tmp_path: Path) -> None:
    twice = _seen(tmp_path / "edge.jsonl", [("aa01aa01", "/a"), ("aa01aa01", "/a")])
    ingest(pipeline, twice, source="edge")
    more = _seen(tmp_path / "gw.jsonl", [("aa01aa01", "/a")] * 3)
    ingest(pipeline, more, source="gateway")
    assert one(pipeline, "SELECT sum(calls)::INT AS calls, sum(linked)::INT AS linked FROM lake.rollups") == {
        "calls": 3,
        "linked": 2,
    }


def test_parts_that_show_different_things_are_committed_together(pipeline: Pipeline) -> None:
    """What one part shows and another does not has another form in memory; it must not matter."""
    parser = format_named("wardgate-jsonl").parser(Options())  # type: ignore[union-attr]
    shown: list[dict[str, object]] = [
        {"client_ip": "192.0.2.7"},
        {
            "status": 200,
            "request_headers": {"authorization": "Bearer abcdefgh12345678", "x-request-id": "a1" * 8},
        },
        {"duration_ms": 5, "url": "http://x.example/a?page=2"},
    ]
    parts = []
    for number, more in enumerate(shown, 1):
        row = json.dumps({"method": "GET", "url": "http://x.example/a", **more}) + "\n"
        origin = Origin("push", number, "push", "wardgate-jsonl")
        parts.append(pipeline.prepare(parser.parse(Lines(row.encode())), origin, Reached(1), number))
    assert pipeline.commit(parts) == [True, True, True]
    found = one(
        pipeline, f"SELECT count(*) AS calls, count(query) AS q, count(status) AS s FROM {ALIAS}.calls"
    )
    assert found == {"calls": 3, "q": 1, "s": 1}
    assert one(pipeline, f"SELECT sum(calls)::BIGINT AS calls FROM {ALIAS}.rollups") == {"calls": 3}


def test_parts_of_a_file_may_be_read_in_different_ways(pipeline: Pipeline, tmp_path: Path) -> None:
    """Cloudflare's clean lines are read in columns, others one by one: also from one part to the next."""
    log = tmp_path / "edge.jsonl"
    clean = [json.dumps(_ray(f"{n:016x}", f"/orders/{n}")) for n in range(60)]
    odd = json.dumps(_ray("1234567890123456", "/odd"))
    with log.open("w") as file:
        for n in range(400):  # several parts
            file.write("\n".join(clean + ([odd] if n > 300 else [])) + "\n" + " " * 60_000 + "\n")
    report = ingest(pipeline, log)
    assert (report.accepted, report.skipped, report.rejected) == (400 * 60 + 99, 400, 0)


def test_late_calls_land_in_their_own_minute(pipeline: Pipeline, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(LINE.format(n=1, m=30) + LINE.format(n=1, m=5) + LINE.format(n=1, m=30))
    ingest(pipeline, log)
    minutes = pipeline.lake.rows(
        "SELECT minute(minute_us)::INT AS m, sum(calls)::INT AS n FROM lake.rollups GROUP BY ALL ORDER BY m"
    ).to_pylist()
    assert minutes == [{"m": 5, "n": 1}, {"m": 30, "n": 2}]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.log", b"", "input-empty"),
        ("notes.txt", b"dear diary\nnothing here is a log\n", "format-not-recognised"),
        ("torn.log.gz", b"\x1f\x8b\x08\x00garbage", "input-broken"),
    ],
)
def test_a_wrong_input_is_refused_by_code(
    pipeline: Pipeline, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WardgateError) as refused:
        ingest(pipeline, path)
    assert refused.value.code == code
    assert "diary" not in str(refused.value)


RAYS = {"client": "710e98d93d50357d", "passed on": "710e98d9367f357f", "again": "710e98d9367f3580"}


def _ray(ray: str, path: str, parent: str = "00", **fields: str) -> dict[str, object]:
    """A record of Cloudflare's log; `parent` is the ray of the request whose Worker made this one."""
    return {
        "ClientRequestMethod": "GET", "ClientRequestHost": "api.example", "ClientRequestURI": path,
        "EdgeStartTimestamp": "2025-11-14T10:00:01Z", "EdgeResponseStatus": 200, "RayID": RAYS.get(ray, ray),
        "ParentRayID": RAYS.get(parent, parent), **fields,
    }  # fmt: skip


CLIENT = _ray("client", "/a?x=1")
PASSED_ON = _ray("passed on", "/a", "client", ClientRequestScheme="http")
AGAIN = _ray("again", "/a", "client")
NO_PARENT = {**CLIENT, "ParentRayID": ""}
WORKERS = {
    "passed on": ([[CLIENT, PASSED_ON]], ["passed on"]),
    "passed on, logged first": ([[PASSED_ON, NO_PARENT]], ["passed on"]),
    "passed on, in a later file": ([[CLIENT], [PASSED_ON]], ["passed on"]),
    "passed on, in a file before": ([[PASSED_ON], [CLIENT]], ["client"]),
    "passed on twice": ([[CLIENT, PASSED_ON, AGAIN]], ["passed on"]),
    "passed on twice, files apart": ([[PASSED_ON], [CLIENT], [AGAIN]], ["client"]),
    "another path": ([[CLIENT, _ray("passed on", "/b", "client")]], []),
    "another method": ([[CLIENT, {**PASSED_ON, "ClientRequestMethod": "POST"}]], []),
    "another host": ([[CLIENT, {**PASSED_ON, "ClientRequestHost": "users.example"}]], []),
    "its own parent": ([[_ray("client", "/a", "client")]], []),
    "the client's request was not logged": ([[PASSED_ON]], []),
    "a Worker behind a Worker": (
        [[CLIENT, PASSED_ON, _ray("again", "/a", "passed on")]],
        ["again", "passed on"],
    ),
}


@pytest.mark.parametrize("case", WORKERS)
def test_what_a_worker_passes_on_counts_once_and_what_it_asks_elsewhere_by_itself(
    case: str, pipeline: Pipeline, tmp_path: Path
) -> None:
    files, wanted = WORKERS[case]
    for n, records in enumerate(files):
        log = tmp_path / f"{n}.json"
        log.write_text("".join(json.dumps(record) + "\n" for record in records))
        ingest(pipeline, log, source="edge")
    linked = pipeline.lake.rows("SELECT request_id FROM lake.calls WHERE is_linked").to_pylist()
    assert sorted(row["request_id"] for row in linked) == sorted(RAYS[one] for one in wanted)
    assert one(
        pipeline, "SELECT sum(calls + linked)::INT AS rows, sum(linked)::INT AS linked FROM lake.rollups"
    ) == {
        "rows": sum(map(len, files)),
        "linked": len(wanted),
    }


@pytest.mark.parametrize("first", ["edge", "gateway"])
def test_the_gateway_behind_a_worker_sees_the_same_call(
    first: str, pipeline: Pipeline, tmp_path: Path
) -> None:
    """The origin sees the subrequest's ray, and the edge's log holds both."""
    edge, gateway = tmp_path / "edge.json", tmp_path / "gateway.jsonl"
    edge.write_text("".join(json.dumps(record) + "\n" for record in (CLIENT, PASSED_ON)))
    _seen(gateway, [(RAYS["passed on"], "/a")])
    for name in ("edge", "gateway") if first == "edge" else ("gateway", "edge"):
        ingest(pipeline, edge if name == "edge" else gateway, source=name)
    assert one(pipeline, "SELECT sum(calls)::INT AS calls, sum(linked)::INT AS linked FROM lake.rollups") == {
        "calls": 1,
        "linked": 2,
    }
