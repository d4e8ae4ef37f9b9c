"""Schemas of bodies: what is inferred, and that neither order nor batches matter."""

import json
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.recognise import schemas
from wardgate.recognise.bodies import MOST_DEPTH, MOST_FIELDS, MOST_VALUES, Walker
from wardgate.recognise.schemas import Schema, infer, json_schema, merge


def schema_of(*bodies: object) -> Schema:
    """The schema of bodies that came in one batch."""
    walker = Walker()
    read = [walker.add(i, json.dumps(one).encode()) for i, one in enumerate(bodies)]
    documents = np.flatnonzero(read)
    ones = np.ones(len(documents), np.int64)
    return infer(walker.taken(), documents, 0 * documents, ones).get(0, Schema({}))


def test_a_schema_says_types_formats_required_null_and_enumerations() -> None:
    orders = [
        {
            "id": i,
            "state": ["open", "closed", "in_progress"][i % 3],
            "total": 10 if i % 2 else 10.5,
            "at": "2026-11-14T10:00:00Z",
            "note": None if i % 5 == 0 else "some text",
            "customer": {"name": "Ann", "status": "gold"},
            **({"ref": "3f2504e0-4f89-41d3-9a0c-0305e82c3301"} if i % 4 else {}),
        }
        for i in range(30)
    ]
    assert json_schema(schema_of({"items": orders})) == {
        "type": "object",
        "properties": {
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "at": {"type": "string", "format": "date-time"},
                        "customer": {
                            "type": "object",
                            "properties": {
                                "name": {"type": "string"},
                                "status": {"type": "string", "enum": ["gold"]},
                            },
                            "required": ["name", "status"],
                        },
                        "id": {"type": "integer"},
                        "note": {"type": ["null", "string"]},
                        "ref": {"type": "string", "format": "uuid"},
                        "state": {"type": "string", "enum": ["closed", "in_progress", "open"]},
                        "total": {"type": "number"},
                    },
                    "required": ["at", "customer", "id", "note", "state", "total"],
                },
            }
        },
        "required": ["items"],
    }


@pytest.mark.parametrize(
    "values",
    [
        {"assignee": "bob"},
        {"password": "sesame"},
        {"token": "abcdef"},
        {"firstName": "Ann"},
        {"accounts": {"ann@example.org": {"state": "open"}}},
        {"kind": "Zk3Jd9sLq2WvXz7PbTn5YcRm8HgFt4"},
    ],
)
def test_what_may_be_somebodys_is_no_constant(values: dict[str, object]) -> None:
    told = repr(schema_of(*[values] * 50))
    for secret in ("bob", "sesame", "abcdef", "Ann", "ann@", "Zk3J"):
        assert secret not in told


def test_keys_that_are_data_share_a_place() -> None:
    schema = schema_of({"by_id": {f"0000{i}aa-17": {"n": i} for i in range(5)}})
    assert set(schema.places) == {"", "by_id", "by_id.*", "by_id.*.n"}
    assert json_schema(schema)["properties"]["by_id"]["additionalProperties"]["type"] == "object"  # type: ignore[index]


def test_a_body_of_any_size_and_depth_costs_a_bounded_schema() -> None:
    deep: object = 1
    for _ in range(400):
        deep = {"a": deep}
    wide = {f"f{i}": {f"g{j}": 1 for j in range(MOST_FIELDS)} for i in range(MOST_FIELDS)}
    schema = schema_of(
        deep, wide, {"list": list(range(20 * MOST_VALUES))}, {f"k{i}": 1 for i in range(90_000)}
    )
    assert len(schema.places) == schemas.MOST_PLACES
    assert schema.is_cut
    assert max(text.count(".") for text in schema_of(deep).places) < MOST_DEPTH


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,", b'{"a":\xff}', b"plain", b"[" * 100_000, b"\x00" * 50, b"1"]
)
def test_what_is_no_json_document_has_no_schema(body: bytes) -> None:
    assert not Walker().add(0, body)


WORDS = st.sampled_from(
    ["open", "closed", "A-1", "ann@example.org", "2026-11-14", "", "x y", *"abcdefghijklmnopqrstuvw"]
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(0, 1), WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["state", "id", "user", "kind", "17-3-00", "ann@example.org"]), inner, max_size=4
        ),
    ),
    max_leaves=8,
).filter(lambda one: isinstance(one, (dict, list)))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(JSON, min_size=1, max_size=8), st.randoms(use_true_random=False), st.integers(2, 30))
def test_order_and_batches_do_not_matter(bodies: list[object], random, most: int) -> None:  # type: ignore[no-untyped-def]
    before = schemas.MOST_PLACES, schemas.MOST_CONSTANTS
    schemas.MOST_PLACES, schemas.MOST_CONSTANTS = most, most // 2
    try:
        whole = schema_of(*bodies)
        shuffled = random.sample(bodies, len(bodies))
        cut = random.randint(0, len(bodies))
        halves = merge(schema_of(*shuffled[:cut]), schema_of(*shuffled[cut:]))
        singles = reduce(merge, [schema_of(one) for one in shuffled], Schema({}))
        assert halves == whole
        assert singles == whole
        assert json_schema(singles) == json_schema(whole)
    finally:
        schemas.MOST_PLACES, schemas.MOST_CONSTANTS = before
