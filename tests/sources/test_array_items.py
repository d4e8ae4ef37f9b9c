"""Items of an array in a large JSON document: the same as a decoder finds, however the bytes come."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.sources.array_items import ArrayItems

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def items(document: bytes, size: int, max_item: int = 1 << 20) -> tuple[list[bytes], ArrayItems]:
    scanner = ArrayItems(("log", "entries"), max_item)
    found = []
    for at in range(0, len(document), size):
        found += scanner.feed(document[at : at + size])
    return [one.raw for one in found], scanner


@given(
    st.lists(_json, max_size=5),
    st.dictionaries(st.sampled_from(["a", "pages", "entries", "log"]), _json),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_items_are_those_of_the_array(
    entries: list[object], around: dict[str, object], size: int, indent: int | None, ascii_only: bool
) -> None:
    log = {**around, "x": {"entries": [1]}}
    log.pop("entries", None)
    document = json.dumps(
        {**around, "log": {**log, "entries": entries, "z": [1]}, "end": [around]}, indent=indent
    )
    found, scanner = items(document.encode(), size)
    assert [json.loads(one) for one in found] == entries
    assert scanner.found and scanner.done and not scanner.partial


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_was_whole_comes_out_of_a_document_that_breaks_off(size: int) -> None:
    found, scanner = items(rb'{"log": {"entries": [{"a": "}]\""}, [1, [2]], 3, "x", {"b": [', size)
    assert found == [rb'{"a": "}]\""}', b"[1, [2]]", b"3", b'"x"']
    assert not scanner.done
    assert scanner.partial == b'{"b": ['


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b'{"entries": [1]}',
        b'{"log": [1]}',
        b'{"log": {"entries": {}}}',
        b'[{"log":{"entries":[1]}}]',
    ],
)
def test_no_such_array(document: bytes) -> None:
    found, scanner = items(document, 7)
    assert not found
    assert not scanner.found


def test_an_item_past_the_limit_is_passed_over_and_the_next_one_found() -> None:
    long = b'{"text": "' + b"x" * 100_000 + b'"}'
    scanner = ArrayItems(("log", "entries"), 50_000)
    document = b'{"log": {"entries": [{"a": 1}, ' + long + b', {"b": 2}]}}'
    found = [one for at in range(0, len(document), 999) for one in scanner.feed(document[at : at + 999])]
    assert [(one.too_long, one.raw[:8]) for one in found] == [
        (False, b'{"a": 1}'),
        (True, b'{"text":'),
        (False, b'{"b": 2}'),
    ]
    assert len(found[1].raw) <= 4096


@pytest.mark.parametrize(
    "filler", [b"[", b'{"a":', b'{"a":[', b'"', b'\\"', b"\\", b"]", b"{}", b"[[],", b"1,"]
)
def test_hostile_nesting_costs_no_more_than_reading_it(filler: bytes) -> None:
    document = b'{"log": {"entries": [{"x": ' + filler * (2_000_000 // len(filler))
    before = time.process_time()
    _, scanner = items(document, 1 << 16, max_item=1 << 16)
    assert time.process_time() - before < 3
    assert len(scanner.partial) <= 1 << 16


_alike = st.lists(
    st.fixed_dictionaries(
        {
            "startedDateTime": st.sampled_from(
                ["2026-11-14T10:00:00Z", '},{"startedDateTime":"2026', "}\\\n"]
            ),
            "request": st.lists(st.fixed_dictionaries({"startedDateTime": st.text(max_size=4)}), max_size=3),
        }
    ),
    min_size=2,
    max_size=8,
)


@given(
    _alike,
    st.sampled_from([None, 1]),
    st.integers(20, 400),
    st.integers(0, 60),
    st.sampled_from([40, 1 << 20]),
)
def test_many_items_alike_are_those_that_come_one_by_one(
    entries: list[object], indent: int | None, size: int, torn: int, max_item: int
) -> None:
    document = json.dumps({"log": {"entries": entries, "z": [1]}}, indent=indent).encode()
    document = document[: len(document) - torn]
    one_by_one, slow = items(document, 1, max_item)
    at_once, quick = items(document, size, max_item)
    assert at_once == one_by_one
    assert (quick.partial, quick.done) == (slow.partial, slow.done)


def test_an_item_that_is_no_json_ends_where_its_brackets_do() -> None:
    good = b'{"startedDateTime": "2026-11-14T10:00:00Z", "time": 1}'
    document = b'{"log": {"entries": [' + b", ".join([good, good, good, b"{no json}", good, good]) + b"]}}"
    found, _ = items(document, 1 << 20)
    assert found == [good, good, good, b"{no json}", good, good]
