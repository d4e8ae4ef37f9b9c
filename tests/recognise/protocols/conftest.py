"""Calls from exchanges as a source would show them."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from wardgate.core.keys import Key
from wardgate.core.observed import HEADERS, OBSERVED, observed_table
from wardgate.recognise.calls import Context, Recognised, Recognition

KEY = Key(b"k" * 32)
CONTEXT = Context("test", 1, 1, 1_763_000_000_000_000)
Row = dict[str, Any]


def observed(rows: Sequence[Row]) -> pa.Table:
    """An observed table; headers are maps, bodies bytes or what becomes JSON."""
    columns: dict[str, pa.Array] = {"position": pa.array(range(len(rows)), pa.int64())}
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        kind = OBSERVED[name]
        if kind == HEADERS:
            values = [
                None if one is None else [{"name": key, "value": value} for key, value in one.items()]
                for one in values
            ]
        elif name.endswith("_body"):
            values = [
                one if one is None or isinstance(one, bytes) else json.dumps(one).encode() for one in values
            ]
        columns[name] = pa.array(values, kind)
    return observed_table(columns)


@pytest.fixture
def recognise() -> Callable[..., Recognised]:
    """Recognises exchanges (`method` POST, status 200 unless they say otherwise), by one process."""
    recognition = Recognition(KEY)

    def run(*rows: Row, context: Context = CONTEXT) -> Recognised:
        return recognition.recognise(
            observed([{"method": "POST", "status": 200, "host": "api.example", **row} for row in rows]),
            context,
        )

    return run


@pytest.fixture
def spoken(recognise: Callable[..., Recognised]) -> Callable[..., list[tuple[str, str | None]]]:
    """(protocol, operation) of each exchange."""

    def run(*rows: Row) -> list[tuple[str, str | None]]:
        calls = recognise(*rows).calls
        return list(zip(calls["protocol"].to_pylist(), calls["operation"].to_pylist(), strict=True))

    return run
