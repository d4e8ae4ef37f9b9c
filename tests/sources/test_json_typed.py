"""Chunks that Arrow reads in columns, and chunks that it must leave to the other ways."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from wardgate.sources.json_typed import typed_columns

KINDS = {"id": "text", "status": "whole", "at": "stamp", "headers": "map", "never": "text"}
PLAIN = {"id": "7", "status": 200, "at": "2026-11-14T00:00:00Z", "other": 1, "flag": True, "share": 0.5}


def read(*lines: bytes) -> dict[str, pa.Array] | None:
    data = b"".join(line + b"\n" for line in lines)
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    return typed_columns(data, ends, KINDS)


def line(**changed: Any) -> bytes:
    return json.dumps(PLAIN | changed).encode()


def test_fields_become_columns_of_their_type() -> None:
    found = read(line(), line(id="é", status=None), b'{"at":"x"}')
    assert found is not None
    assert found["id"].to_pylist() == ["7", "é", None]
    assert found["status"].to_pylist() == [200, None, None]
    assert found["at"].to_pylist() == ["2026-11-14T00:00:00Z"] * 2 + ["x"]
    assert found["never"].to_pylist() == found["headers"].to_pylist() == [None] * 3
    assert pa.types.is_dictionary(found["id"].type)


def test_stamps_may_be_numbers() -> None:
    found = read(line(at=1_790_000_000), line(at=1_790_000_001))
    assert found is not None
    assert found["at"].to_pylist() == [1_790_000_000, 1_790_000_001]


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"{}{}",
        b"{} {}",
        b'{"id":"8"}{"id":"9"}',
        b'{"id":',
        b'"8"}',
        b"[1]",
        b"null",
        b' {"id":"8"}',
        b'{"id":"8"}\r',
        b'{"id":8}',
        b'{"id":true}',
        b'{"id":["8"]}',
        b'{"id":{"8":1}}',
        b'{"status":"200"}',
        b'{"status":200.0}',
        b'{"status":2e2}',
        b'{"status":9223372036854775808}',
        b'{"at":1790000000}',
        b'{"headers":{"a":"b"}}',
        b'{"never":"seen in the first line"}',
        b'{"unknown":1}',
        b'{"id":"8","id":"9"}',
        b'{"id":"\\ud800"}',
        b'{"id":"8",}',
        b"{'id':'8'}",
        b'{"id":"a\x01"}',
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_anything_else_is_left_to_the_other_ways(odd: bytes, before: bool) -> None:
    lines = [odd, line()] if before else [line(), odd]
    found = read(*lines)
    if found is not None:  # where it came first, it may be as the fields should be
        assert before
        assert found["id"].to_pylist()[1] == "7"
        assert len(found["id"]) == 2


def test_lines_that_only_together_are_as_many_objects_as_lines() -> None:
    assert read(b'{"id":"1"}{"id":"2"}', b"", b'{"id":"3"}') is None
    assert read(b'{"id":"1"}{"id":"2"}', b'{"id":', b'"3"}') is None
    assert read(b'{"id":"1","other":[{}', b'{}]}{"id":"2"}') is None


def test_depth_has_no_end_and_costs_nothing_else() -> None:
    deep = b'{"id":"8","other":' + b"[" * 300_000 + b"]" * 300_000 + b"}"
    assert read(line(), deep) is None
    assert read(deep, line()) is None
