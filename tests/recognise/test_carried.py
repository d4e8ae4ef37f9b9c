"""What a reader of bodies tells does not depend on what it has read before."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from wardgate.core.keys import Key
from wardgate.match.signals.noticing import noticing
from wardgate.recognise import known_shapes
from wardgate.recognise.carried import BodyReader, Carried

KEY = Key(b"k" * 32)


def told(found: Carried) -> list[Any]:
    """All that was told, in an order of its own."""
    row, place, value = found.objects
    assert found.signals is not None
    located = [
        Counter(zip(of.thing.tolist(), of.data_class.tolist(), shown, of.count.tolist(), strict=True))
        for of in (found.located, found.signals)
        for shown in [[of.places[at] for at in of.place.tolist()]]
    ]
    return [
        found.shapes.tolist(),
        found.items.tolist(),
        Counter(zip(row.tolist(), place.to_pylist(), value.tolist(), strict=True)),
        *located,
        Counter(map(str, found.tallies.table().to_pylist())),
    ]


def order(n: int) -> dict[str, Any]:
    return {
        "id": n,
        "state": ("open", "paid")[n % 2],
        "customer": {"email": f"u{n}@example.org", "phone": None if n % 3 else "+14155552671"},
        "items": [{"sku": f"a{i}", "note": "1' OR '1'='1"} for i in range(n % 4)],
        **({"by": {f"00{n}-17-000{n}": {"n": n}}} if n % 5 == 0 else {}),
        **({"tags": ["x", 1, None]} if n % 7 == 0 else {}),
    }


BODIES = [json.dumps(order(n)).encode() for n in range(120)]
OTHERS = [
    b"id=7&email=ann%40example.org",
    b"<order><id>7</id></order>",
    b"plain",
    b"[1, 2]",
    b"\x00" * 20,
    None,
]


@pytest.mark.parametrize("enough", [1, 8, 10_000])
def test_records_that_were_learned_before_change_nothing(
    enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_shapes, "ENOUGH", enough)
    column = pa.chunked_array([pa.array([*BODIES, *OTHERS, *BODIES[:9]], pa.large_binary())])
    groups = np.arange(len(column)) % 3
    families = np.array([11, 12, 11])
    reader = BodyReader(KEY)
    first = told(reader.read(column, groups, "body:", noticing(), families))
    again = told(reader.read(column, groups, "body:", noticing(), families))
    monkeypatch.setattr(known_shapes, "ENOUGH", 10**9)
    plain = told(BodyReader(KEY).read(column, groups, "body:", noticing()))
    assert first == again == plain
    assert plain[1][:4] == [-1, 1, 2, 3] and plain[1][-12] == 2  # the first has two lists
    assert sum(plain[3].values()) > 100 and plain[4]
