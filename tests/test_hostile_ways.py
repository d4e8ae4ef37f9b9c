"""Records with credentials, broken at random, in every layout: accounted for, recognised, nothing in clear.

`tests/sources/test_conformance.py` breaks each format's example; here are the layouts and configurations that
people give, and recognition behind them. `make fuzz` makes many more.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from mutations import mutate, mutated, mutations
from records import SOURCES, written
from ways import SECRET, TOKEN

from wardgate.core.keys import Key
from wardgate.match.secrets import shape
from wardgate.recognise.calls import Context, Recognition
from wardgate.sources.catalogue import format_named
from wardgate.sources.format import LineFormat, Lines, Options

KEY = Key(b"k" * 32)
SECONDS = 2.0
"""CPU time for parsing and recognising some tens of records."""
LINES = [name for name, source in SOURCES.items() if isinstance(format_named(source.format), LineFormat)]


def reader(name: str, folder: Path) -> tuple[bytes, Callable[[bytes], Any]]:
    """A source's records, and what parses such bytes."""
    file, source, _, config = written(name, folder)
    layout = Options(layout=source.layout, config=config)
    found = format_named(source.format)
    assert isinstance(found, LineFormat)
    return file.read_bytes(), lambda data: found.parser(layout).parse(Lines(data))


@pytest.mark.parametrize("name", LINES)
def test_broken_records(name: str, tmp_path: Path) -> None:
    data, parse = reader(name, tmp_path)

    @mutated(8)
    @given(mutations)
    def run(changes: list[tuple[str, float, float, bytes]]) -> None:
        hostile = mutate(data, changes)
        began = time.process_time()
        parsed = parse(hostile)
        found = Recognition(KEY).recognise(parsed.table, Context("s", 1, 2, 1_770_000_000_000_000))
        assert time.process_time() - began < SECONDS
        lines = hostile.count(b"\n") + (not hostile.endswith(b"\n") and bool(hostile))
        assert parsed.read == lines and found.calls.num_rows == parsed.accepted
        tables = (found.calls, found.credentials, found.instances, found.callers, found.paths)
        kept = json.dumps([one.to_pylist() for one in tables], default=str)
        kept += "".join(shape(one.raw) for one in parsed.rejects)
        assert [one for one in (SECRET, TOKEN, "hunter2hunter2") if one in kept] == []

    run()
