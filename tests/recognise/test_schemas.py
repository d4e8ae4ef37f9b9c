"""What schemas are made of: what is counted, and that neither order nor batches matter."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.keys import Key
from wardgate.core.observed import OBSERVED
from wardgate.inventory.body_schemas import BodySchema, schemas_of
from wardgate.recognise import schemas
from wardgate.recognise.body_bounds import MOST_FIELDS, MOST_VALUES
from wardgate.recognise.carried import BodyReader

READER = BodyReader(Key(b"k" * 32))
Tally = Counter[tuple[Any, ...]]


def tallied(bodies: list[object], groups: list[int] | None = None) -> Tally:
    """Tallies of bodies that came in one batch."""
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in bodies]
    column = pa.chunked_array([pa.array(raw, OBSERVED["request_body"])])
    of = np.array(groups if groups is not None else [0] * len(raw), np.int64)
    out: Tally = Counter()
    for row in READER.read(column, of, "body:").tallies.table().to_pylist():
        out[row["group"], row["place"], row["kind"], row["format"], row["constant"]] += row["count"]
    return out


def schema_of(tally: Tally, group: int = 0) -> BodySchema:
    names = ("place", "kind", "format", "constant")
    fixed = {"operation_id": 1, "direction": "request", "status": 0, "media_type": "application/json"}
    rows = [
        {**fixed, **dict(zip(names, key[1:], strict=True)), "count": count}
        for key, count in tally.items()
        if key[0] == group
    ]
    return next(iter(schemas_of(rows)))


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
    assert schema_of(tallied([{"items": orders}])).json_schema() == {
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
        {"kind": "glpat-abcdefgh12345678"},
        {"kind": "sk_live_abcdefgh12345678"},
    ],
)
def test_what_may_be_somebodys_is_no_constant(values: dict[str, object]) -> None:
    told = repr(tallied([values] * 50))
    for secret in ("bob", "sesame", "abcdef", "Ann", "ann@", "Zk3J"):
        assert secret not in told


def test_words_are_constants_only_where_nothing_else_stands() -> None:
    told = tallied([{"state": "open", "kind": "a"}, {"state": "A text.", "kind": "b"}])
    assert {key[1]: key[4] for key in told if key[4]} == {"kind": "b"} | {"kind": "b"}
    assert told[0, "state", "string", "plain", None] == 2
    many = tallied([{"state": f"w{chr(97 + i)}"} for i in range(schemas.MOST_CONSTANTS + 1)])
    assert many[0, "state", "string", "plain", None] == schemas.MOST_CONSTANTS + 1


def test_each_group_has_its_own_schema() -> None:
    told = tallied([{"a": 1}, {"b": 1}, {"a": 1}, {"a": 1}], [0, 1, 0, 1])
    assert told[0, "a", "integer", None, None] == 2 and told[1, "a", "integer", None, None] == 1
    assert (0, "b", "integer", None, None) not in told


def test_a_map_in_many_bodies_does_not_explode() -> None:
    names = [f"{a}{b}n" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrst"]
    told = tallied([{"users": {name: {"age": 1}}, "v": 1} for name in names], [0] * len(names))
    assert {key[1] for key in told} == {"", "v", "users", "users.*", "users.*.age"}
    assert told[0, "users.*.age", "integer", None, None] == len(names)
    # Elsewhere the same keys may be fields.
    mixed = tallied([{"users": {name: 1}} for name in [*names, "an", "bn"]], [0] * len(names) + [1, 1])
    assert {key[1] for key in mixed if key[0] == 1} == {"", "users", "users.an", "users.bn"}


def test_a_body_of_any_size_costs_a_bounded_schema() -> None:
    wide = {f"f{i}": {f"g{j}": 1 for j in range(MOST_FIELDS)} for i in range(MOST_FIELDS)}
    told = tallied(
        [wide, {"list": list(range(20 * MOST_VALUES))}, {f"k{i}": 1 for i in range(90_000)}], [0, 1, 1]
    )
    assert len({key[1] for key in told if key[0] == 0}) == schemas.MOST_PLACES


@pytest.mark.parametrize("body", [b"", b"{", b"[1,", b"plain", b"[" * 100_000, b"\x00" * 50, b"1"])
def test_what_is_no_document_has_no_schema(body: bytes) -> None:
    assert not tallied([body])


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
@given(st.lists(JSON, min_size=1, max_size=8), st.randoms(use_true_random=False), st.integers(1, 8))
def test_order_and_batches_do_not_matter(bodies: list[object], random, most: int) -> None:  # type: ignore[no-untyped-def]
    before, schemas.MOST_CONSTANTS = schemas.MOST_CONSTANTS, most
    try:
        whole = schema_of(tallied(bodies))
        shuffled = random.sample(bodies, len(bodies))
        cut = random.randint(0, len(bodies))
        parts = [shuffled[:cut], shuffled[cut:]]
        halves = schema_of(sum((tallied(one) for one in parts if one), Counter()))
        singles = schema_of(sum((tallied([one]) for one in shuffled), Counter()))
    finally:
        schemas.MOST_CONSTANTS = before
    assert halves.bodies == singles.bodies == whole.bodies == len(bodies)
    assert halves.json_schema() == singles.json_schema() == whole.json_schema()
