"""Walking bodies in columns says what a plain walk of one document says, within bounds."""

import json
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.match.finder import LONGEST
from wardgate.recognise import bodies, known_shapes
from wardgate.recognise.bodies import Kind, Walked, Walker, is_name
from wardgate.recognise.body_bounds import MOST_DEPTH, MOST_FIELDS, MOST_VALUES
from wardgate.recognise.known_shapes import KnownShapes

Rows = Counter[tuple[int, str, str, str]]


def walked(*raw: bytes) -> Walked:
    return Walker().walk(raw)


def rows_of(found: Walked) -> Rows:
    """(document, place, kind, value) of all rows; containers and constants of JSON have no value."""
    values = [*found.texts, *map(repr, found.numbers)]
    values += [""] * (len(found.kind) - len(values))
    return Counter(
        (document, found.places[place], Kind(kind).name, value)
        for document, place, kind, value in zip(
            found.document.tolist(), found.place.tolist(), found.kind.tolist(), values, strict=True
        )
    )


def plain(document: int, root: Any) -> Rows:
    """The same by a walk that is easy to believe: one value after another, level by level."""
    out: Rows = Counter()
    level = [("", root)]
    for depth in range(MOST_DEPTH + 1):
        below: list[tuple[str, Any]] = []
        for place, value in level:
            text = value if isinstance(value, str) else repr(value) if type(value) in (int, float) else ""
            out[document, place, _kind(value), text] += 1
            if depth == MOST_DEPTH:
                continue
            if isinstance(value, dict):
                is_map = len(value) > MOST_FIELDS
                for key, one in value.items():
                    named = is_name(key) and not is_map
                    child = (f"{place}." if place else "") + (key if named else "*")
                    if not named:
                        out[document, child, "KEY", key] += 1
                    below.append((child, one))
            elif isinstance(value, list):
                below += [(f"{place}[]", one) for one in value]
        level = below
    return out


def _kind(value: object) -> str:
    names = {type(None): "NULL", bool: "BOOLEAN", int: "INTEGER", float: "NUMBER", str: "STRING"}
    return names.get(type(value)) or ("ARRAY" if isinstance(value, list) else "OBJECT")


KEYS = st.sampled_from(
    ["id", "user", "state", "a.b", "", "17-3-00", "ann@example.org", "ghp_" + "k3Jd9s" * 6]
)
JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(0, 1), st.text(max_size=5)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
).filter(lambda one: isinstance(one, (dict, list)))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(JSON, min_size=1, max_size=6), st.integers(0, 3))
def test_columns_are_what_a_plain_walk_finds(documents: list[Any], many_shapes: int) -> None:
    before, bodies._MANY_SHAPES = bodies._MANY_SHAPES, many_shapes
    try:
        found = walked(*(json.dumps(one).encode() for one in documents))
    finally:
        bodies._MANY_SHAPES = before
    expected: Rows = Counter()
    for document, one in enumerate(documents):
        expected += plain(document, one)
    assert rows_of(found) == expected
    assert found.cut == 0 and not found.is_text.any()


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(JSON, st.booleans()), min_size=1, max_size=12), st.integers(1, 4))
def test_records_of_known_shapes_change_nothing(drawn: list[tuple[Any, bool]], enough: int) -> None:
    """Each document comes twice, some written otherwise than a program would."""
    raw = [json.dumps(one, indent=1 if odd else None).encode() for one, odd in drawn] * 2
    raw += [one.replace(b'"id"', b'"\\u0069d"').replace(b'"state"', b'"user"') for one in raw]
    before, known_shapes.ENOUGH = known_shapes.ENOUGH, enough
    try:
        shapes = KnownShapes(is_name)
        found = Walker(shapes).walk(raw, [7] * len(raw))
        again = Walker(shapes).walk(raw, [7] * len(raw))
    finally:
        known_shapes.ENOUGH = before
    expected: Rows = Counter()
    for document, one in enumerate(raw):
        expected += plain(document, json.loads(one))
    assert rows_of(found) == rows_of(again) == expected
    fresh = [walked(one) for one in raw]
    assert again.items.tolist() == [one.items[0] for one in fresh]


def test_a_walker_keeps_the_indices_of_its_places() -> None:
    walker = Walker()
    first = walker.walk([b'{"a": 1}'])
    second = walker.walk([b'{"b": {"a": "x"}}'])
    assert rows_of(first) == plain(0, {"a": 1})
    assert rows_of(second) == plain(0, {"b": {"a": "x"}})
    assert [second.places[at] for at in first.place.tolist()] == ["a", ""]


def test_depth_is_bounded() -> None:
    deep: object = 1
    for _ in range(400):
        deep = {"a": deep}
    found = walked(json.dumps(deep).encode(), b"[" * 900 + b"]" * 900)
    assert max(place.count(".") for place in found.places) == MOST_DEPTH - 1
    assert found.cut == 2


@pytest.mark.parametrize(
    "body",
    [
        {"list": list(range(20 * MOST_VALUES))},
        {f"k{i}": i for i in range(3 * MOST_VALUES)},
        {"rows": [{"a": 1, "b": [1, 2, 3]}] * MOST_VALUES, "first": "kept"},
    ],
)
def test_the_shallowest_of_too_many_values_stay(body: dict[str, Any]) -> None:
    found = walked(json.dumps(body).encode())
    values = sum(int(kind) != Kind.KEY for kind in found.kind.tolist())
    assert MOST_VALUES <= values <= MOST_VALUES + 1  # and the root
    assert found.cut > 0
    if "first" in body:
        assert "first" in found.places


def test_keys_that_are_identifiers_share_a_place() -> None:
    body = {
        "by_id": {f"0000{i}aa-17": {"n": i} for i in range(50)},
        "wide": {f"w{i}x": 1 for i in range(201)},
    }
    assert set(walked(json.dumps(body).encode()).places) == {
        "",
        "by_id",
        "wide",
        "by_id.*",
        "by_id.*.n",
        "wide.*",
    }


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b"[1, 2, 3]", 3),
        (b"[]", 0),
        (b'{"data": [1, 2], "total": 7}', 2),
        (b'{"a": [1], "b": [2]}', -1),
        (b'{"a": 1}', -1),
        (b'"text"', -1),
        (b"", -1),
    ],
)
def test_items_are_those_of_the_one_list(body: bytes, items: int) -> None:
    assert walked(body).items.tolist() == [items]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"plain text", "plain text"),
        (b"{", "{"),
        (b'{"a":\xff}', '{"a":}'),
        (b"[" * 100_000, "[" * LONGEST),
        (b'{"a": 1} trailing', '{"a": 1} trailing'),
        (b"<user><name>Ann</user>", "<user><name>Ann</user>"),
    ],
)
def test_what_is_no_document_is_one_text(body: bytes, text: str) -> None:
    found = walked(body)
    assert rows_of(found) == Counter({(0, "", "STRING", text): 1})
    assert found.is_text.tolist() == [True]


@pytest.mark.parametrize("body", [b"", b"\x00" * 50, b"\x89PNG" + b"\x00" * 20])
def test_bytes_say_nothing(body: bytes) -> None:
    found = walked(body)
    assert not len(found.kind) and found.is_text.tolist() == [True]


def test_duplicate_keys_and_huge_numbers_are_read() -> None:
    found = walked(b'{"a": 1, "a": "last", "n": 123456789012345678901234567890, "e": 1e400}')
    assert not found.is_text.any() or rows_of(found)  # a number beyond all range may make it a text
    assert "last" in found.texts[0]


def test_forms_are_objects() -> None:
    form = urlencode(
        [("user[email]", "a@example.org"), ("tag", "x"), ("tag", "y"), ("items[0][id]", "7"), ("e", "")]
    )
    found = walked(form.encode())
    assert rows_of(found) == plain(
        0, {"user": {"email": "a@example.org"}, "tag": ["x", "y"], "items": {"0": {"id": "7"}}, "e": ""}
    )
    assert found.is_text.tolist() == [False]
