"""Shapes of bodies met before: learned, mended, given up, and never wrong."""

import json
from typing import Any

import msgspec
import pytest

from wardgate.recognise import known_shapes
from wardgate.recognise.bodies import is_name
from wardgate.recognise.body_bounds import MOST_FIELDS
from wardgate.recognise.known_shapes import ENOUGH, KnownShapes
from wardgate.recognise.reading_bodies import read_body


def plain(read: Any) -> Any:
    """What was read, with records as dictionaries."""
    if isinstance(read, msgspec.Struct):
        names = type(read).__struct_encode_fields__
        values = msgspec.structs.astuple(read)
        return {name: plain(one) for name, one in zip(names, values, strict=True) if one is not msgspec.UNSET}
    if isinstance(read, dict):
        return {name: plain(one) for name, one in read.items()}
    return [plain(one) for one in read] if isinstance(read, list) else read


def taught(*bodies: Any, family: int = 1) -> KnownShapes:
    shapes = KnownShapes(is_name)
    for _ in range(ENOUGH):
        for one in bodies:
            shapes.read(family, json.dumps(one).encode())
    return shapes


ORDER = {
    "id": 7,
    "items": [{"sku": "a", "price": {"amount": 1.5}}, {"sku": "b", "price": None}],
    "note": None,
}


def test_objects_of_a_known_shape_are_records() -> None:
    shapes = taught(ORDER)
    read: Any = shapes.read(1, json.dumps(ORDER).encode())
    assert isinstance(read, msgspec.Struct) and plain(read) == ORDER
    assert isinstance(shapes.read(2, json.dumps(ORDER).encode()), dict)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": "text now", "items": [], "note": {"as": "an object"}}',
        b'{"items": [{"price": {}}]}',
        b'{"items": null}',
        b'{"items": {"sku": 1}}',
        b'{"items": [1, [2], null, {"sku": null}]}',
        b'{"id": 1, "new": 2}',
        b'{"ID": 1}',
        b'{"\\u0069d": 1}',
        b'{"id": 1, "id": 2}',
        b'{"items": [{"price": {"amount": 1, "ghp_k3Jd9sk3Jd9sk3Jd9sk3Jd9sk3Jd9sk3Jd9s": 2}}]}',
        b'{"id": 123456789012345678901234567890, "note": -0}',
        b"[]",
        b'[{"id": 1}]',
        b"null",
        b"{}",
        b'{"id": 1} trailing',
        b'{"id": 1,}',
        b'{"id": 01}',
        b'{"id": NaN}',
        b'{"id": "\xff"}',
        b'{"id": "\\ud800"}',
        b"{",
        b"",
        b"<id>1</id>",
        b"id=1&note=",
        b"[" * 5_000,
    ],
)
def test_a_body_is_read_as_without_records(raw: bytes) -> None:
    shapes = taught(ORDER)
    for _ in range(3):
        assert plain(shapes.read(1, raw)) == read_body(raw)


def test_what_does_not_fit_mends_the_record() -> None:
    shapes = taught(ORDER)
    other = {"id": 7, "customer": {"name": "Ann"}}
    kinds = [type(shapes.read(1, json.dumps(other).encode())) for _ in range(40)]
    assert kinds[0] is dict and kinds[-1] is not dict
    assert plain(shapes.read(1, json.dumps(other).encode())) == other
    assert plain(shapes.read(1, json.dumps(ORDER).encode())) == ORDER


def test_a_body_that_does_not_fit_now_and_then_costs_no_record() -> None:
    shapes = taught(ORDER)
    for at in range(1_000):
        odd = at % 3 == 0
        body = {f"own{'abcdefghij'[at % 10]}x{at % 997}": 1} if odd else ORDER
        assert plain(shapes.read(1, json.dumps(body).encode())) == body
    assert isinstance(shapes.read(1, json.dumps(ORDER).encode()), msgspec.Struct)


def test_keys_that_are_data_are_in_no_record() -> None:
    body = {
        "by": {"17-3-00": {"n": 1}, "ann@example.org": {"n": 2}},
        "wide": {f"w{i}x": i for i in range(201)},
    }
    read: Any = taught(body).read(1, json.dumps(body).encode())
    assert isinstance(read, msgspec.Struct) and plain(read) == body
    assert type(read).__struct_encode_fields__ == ("by", "wide")
    assert all(type(one) is dict for one in msgspec.structs.astuple(read))
    assert len(body["wide"]) > MOST_FIELDS


def test_what_never_settles_is_given_up_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    real = msgspec.json.Decoder
    monkeypatch.setattr(msgspec.json, "Decoder", lambda kind: made.append(kind) or real(kind))
    monkeypatch.setattr(known_shapes, "_MOST_FAMILIES", 50)
    shapes = KnownShapes(is_name)
    for at in range(3_000):
        body = {"id": 1, f"own{'abcdefghij'[at % 10]}x{at % 997}": {"a": at}}
        assert plain(shapes.read(1, json.dumps(body).encode())) == body
    assert 1 <= len(made) <= known_shapes._MOST_MAKES
    assert shapes._families[1].decode is None
    for at in range(500):
        shapes.read(at, b'{"id": 1}')
    assert len(shapes._families) <= 50
