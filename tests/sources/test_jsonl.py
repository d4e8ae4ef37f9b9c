"""Wardgate's own JSON Lines: what each field may be, and what each wrong value is called."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.core.observed import Parsed
from wardgate.sources.detection import detect
from wardgate.sources.format import LineFormat, Lines, Options
from wardgate.sources.jsonl import WardgateJsonLines


def parse(*records: object, timezone: str | None = None) -> Parsed:
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in records]
    return WardgateJsonLines().parser(Options(timezone=timezone)).parse(Lines(b"\n".join(lines) + b"\n"))


def row(**fields: Any) -> dict[str, Any]:
    (found,) = parse({"method": "GET", "url": "/a", **fields}).table.to_pylist()
    return found


def test_method_and_url_are_enough() -> None:
    assert {name: value for name, value in row().items() if value is not None} == {
        "position": 0,
        "method": "GET",
        "target": "/a",
    }


@pytest.mark.parametrize(
    ("ts", "started", "precision"),
    [
        ("2026-11-14T10:00:01Z", "2026-11-14T10:00:01", 1_000_000),
        ("2026-11-14T12:00:01.5+02:00", "2026-11-14T10:00:01.500000", 100_000),
        ("2026-11-14T10:00:01.123456789Z", "2026-11-14T10:00:01.123456", 1),
        ("2026-11-14 10:00:01,250Z", "2026-11-14T10:00:01.250000", 1_000),
        (1794650401, "2026-11-14T10:00:01", 1_000_000),
        (1794650401.25, "2026-11-14T10:00:01.250000", 10_000),
        (1794650401250, "2026-11-14T10:00:01.250000", 1_000),
        (1794650401250123, "2026-11-14T10:00:01.250123", 1),
        (1794650401250123456, "2026-11-14T10:00:01.250123", 1),
        ("1794650401", "2026-11-14T10:00:01", 1_000_000),
    ],
)
def test_time_stamps(ts: object, started: str, precision: int) -> None:
    found = row(ts=ts)
    assert (found["started_at"].isoformat(), found["precision_us"]) == (started, precision)


def test_a_stamp_without_zone_is_in_the_sources_zone() -> None:
    parsed = parse({"method": "GET", "url": "/", "ts": "2026-07-01T12:00:00"}, timezone="Europe/Berlin")
    assert parsed.table["started_at"][0].as_py() == datetime(2026, 7, 1, 10)  # noqa: DTZ001


def test_headers_and_bodies() -> None:
    found = row(
        request_headers={"Cookie": ["a=1", "b=2"], "Content-Length": 12, "X-None": None},
        request_body='{"a":1}',
        response_headers={},
    )
    assert [(one["name"], one["value"]) for one in found["request_headers"]] == [
        ("Cookie", "a=1"),
        ("Cookie", "b=2"),
        ("Content-Length", "12"),
    ]
    assert found["request_body"] == b'{"a":1}'
    assert found["response_headers"] == []
    assert found["response_body"] is None


@given(st.lists(st.none() | st.just("") | st.text(max_size=9) | st.just({"a": [1]}), min_size=1, max_size=12))
def test_bodies_of_many_calls_stay_with_their_calls(bodies: list[object]) -> None:
    lines = [json.dumps({"method": "GET", "url": "/", "request_body": one}) for one in bodies]
    column = parse("\n".join(lines).encode()).table["request_body"]
    column.validate(full=True)
    expected = [one.encode() if isinstance(one, str) else one and json.dumps(one).encode() for one in bodies]
    assert column.to_pylist() == expected


def test_a_json_body_keeps_its_numbers_as_written() -> None:
    parsed = parse(
        b'{"method":"PUT","url":"/a","request_body":{"price": 12.50, "id": 123456789012345678901}}'
    )
    assert parsed.table["request_body"][0].as_py() == b'{"price": 12.50, "id": 123456789012345678901}'


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_body_comes_back(body: object) -> None:
    found = row(response_body=body)["response_body"]
    if body is None:
        assert found is None
    elif isinstance(body, str):
        assert found == body.encode()
    else:
        assert json.loads(found) == body


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"url": "/a"}, "missing-field"),
        ({"method": "GET"}, "missing-field"),
        ({"method": "GET", "url": ""}, "missing-field"),
        ({"method": "GET", "url": "not a target"}, "bad-request"),
        ({"method": "G T", "url": "/a"}, "bad-request"),
        ({"method": 7, "url": "/a"}, "bad-value"),
        ({"method": "GET", "url": "/a", "status": "many"}, "bad-value"),
        ({"method": "GET", "url": "/a", "status": 1000}, "bad-value"),
        ({"method": "GET", "url": "/a", "request_headers": ["a: b"]}, "bad-value"),
        ({"method": "GET", "url": "/a", "ts": "yesterday"}, "bad-time"),
        ({"method": "GET", "url": "/a", "ts": 10**30}, "bad-time"),
        ({"method": "GET", "url": "/a", "ts": True}, "bad-value"),
        (b'["GET", "/a"]', "not-json"),
        (b'{"method":"GET","url":"/a"', "not-json"),
        (b'{"method":"GET","url":"/\xff"}', "not-utf8"),
        (b'{"method":"GET","url":"/a","request_body":' + b"[" * 100_000, "not-json"),
    ],
)
def test_lines_that_do_not_fit_are_kept_with_their_reason(line: object, reason: str) -> None:
    good = {"method": "GET", "url": "/a"}
    parsed = parse(good, line, good)
    assert parsed.table["position"].to_pylist() == [0, 2]
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [(1, reason)]


def test_two_objects_on_a_line_and_a_blank_one_are_not_two_good_lines() -> None:
    line = b'{"method":"GET","url":"/a"}'
    parsed = WardgateJsonLines().parser(Options()).parse(Lines(line + line + b"\n\n"))
    assert (parsed.accepted, [str(one.reason) for one in parsed.rejects], parsed.skipped) == (
        0,
        ["not-json"],
        {"blank": 1},
    )


CALL = {"method": "GET", "url": "/v1/a"}
STAMP = "2026-03-01T10:00:00Z"
WHOSE = {
    "least": (CALL, "wardgate-jsonl"),
    "all": ({**CALL, "ts": STAMP, "status": 200, "duration_ms": 1.5, "client_ip": "::1"}, "wardgate-jsonl"),
    "headers only": ({**CALL, "request_headers": {"accept": "*/*"}}, "wardgate-jsonl"),
    "more than we know": ({**CALL, "ts": 1, "status": 200, "tenant": "x", "time": STAMP}, "wardgate-jsonl"),
    "a unit nobody tells": ({**CALL, "latency": 12}, "wardgate-jsonl"),
    "null": ({**CALL, "ts": STAMP, "status": 200, "remote_addr": None}, "wardgate-jsonl"),
    "its own time and status": ({**CALL, "time": STAMP, "status_code": 200, "latency": 12}, "generic-json"),
    "its own time": ({**CALL, "time": STAMP, "status": 200, "duration_ms": 12}, "generic-json"),
    "its own status": ({**CALL, "ts": 1_772_359_200, "statusCode": 200}, "generic-json"),
    "its own duration": ({**CALL, "ts": STAMP, "status": 200, "request_time": 0.012}, "generic-json"),
    "its own client": ({**CALL, "ts": STAMP, "status": 200, "remote_addr": "192.0.2.1"}, "generic-json"),
}


@pytest.mark.parametrize("case", WHOSE)
def test_what_other_programs_write_is_told_from_ours_and_loses_nothing(case: str) -> None:
    record, wanted = WHOSE[case]
    data = json.dumps(record).encode() + b"\n"
    found = detect(data * 3, "app.log").format
    assert found.name == wanted
    assert isinstance(found, LineFormat)
    (one,) = found.parser(Options()).parse(Lines(data)).table.to_pylist()
    assert bool(one.get("status")) == bool({"status", "status_code", "statusCode"} & record.keys())
    assert bool(one.get("started_at") or one.get("ended_at")) == bool({"ts", "time"} & record.keys())
    assert bool(one.get("duration_us")) == bool({"duration_ms", "request_time"} & record.keys())
    assert bool(one.get("client")) == ("client_ip" in record or bool(record.get("remote_addr")))
