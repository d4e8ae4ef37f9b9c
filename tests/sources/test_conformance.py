"""Every format of the catalogue against what every format must do. The messages are for a format's author.

To add a format: list it in `sources.catalogue`, put a small example of it in `tests/sources/examples/`
(file stem = format name; documentation addresses and made-up secrets only), and run this file with
`-k <name>`. `make fuzz` runs the mutations some hundred times as often (`WARDGATE_FUZZ` = how many).
"""

import io
import itertools
import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from mutations import RUNS, mutate, mutated, mutations

from wardgate.core.errors import WardgateError
from wardgate.core.observed import Parsed, observed_table
from wardgate.sources.catalogue import builtin_formats, formats
from wardgate.sources.detection import detect
from wardgate.sources.format import DocumentFormat, Format, LineFormat, Lines, Options
from wardgate.sources.reader import MAX_LINE

EXAMPLES = Path(__file__).parent / "examples"
FORMATS = builtin_formats()
LEAD = 0.05
"""How far ahead of every other format a format must be on its own example."""
SECONDS = 1.0
"""CPU time in which any small input must be done with."""
LONGEST = MAX_LINE if RUNS else MAX_LINE // 8
"""Length of a long line, in bytes. A parser never sees one longer than `MAX_LINE`."""

each_format = pytest.mark.parametrize("a_format", FORMATS, ids=lambda one: one.name)
each_line_format = pytest.mark.parametrize(
    "a_format", [one for one in FORMATS if isinstance(one, LineFormat)], ids=lambda one: one.name
)
each_document_format = pytest.mark.parametrize(
    "a_format", [one for one in FORMATS if isinstance(one, DocumentFormat)], ids=lambda one: one.name
)


def example(a_format: Format) -> bytes:
    found = sorted(EXAMPLES.glob(f"{a_format.name}.*"))
    assert found, (
        f"{a_format.name} has no example: put a small one at tests/sources/examples/{a_format.name}.<ext>"
    )
    assert len(found) == 1, f"{a_format.name} has several examples: {[path.name for path in found]}; keep one"
    return found[0].read_bytes()


def parsed(a_format: Format, data: bytes) -> list[Parsed]:
    """What the format makes of `data`; skips the test where the format needs a program that is not here."""
    try:
        if isinstance(a_format, LineFormat):
            return [a_format.parser(Options()).parse(Lines(data))]
        return list(a_format.read(io.BytesIO(data), Options()))
    except WardgateError as error:
        if error.code.endswith("-missing"):
            pytest.skip(f"{a_format.name}: {error}")
        raise


def rows(parts: list[Parsed]) -> dict[int, dict[str, object]]:
    """Rows by position, absent values left out."""
    found = {}
    for part in parts:
        for row in part.table.to_pylist():
            found[row["position"]] = {name: value for name, value in row.items() if value is not None}
    return found


def outcome(parts: list[Parsed]) -> tuple[object, ...]:
    """All that a caller can see of a parse, independent of how it was cut into parts."""
    skipped: dict[str, int] = {}
    for part in parts:
        for rule, count in part.skipped.items():
            skipped[rule] = skipped.get(rule, 0) + count
    rejects = sorted((one.position, str(one.reason), one.raw) for part in parts for one in part.rejects)
    return rows(parts), rejects, skipped


def check_accounts(a_format: Format, data: bytes, parts: list[Parsed]) -> None:
    """read == accepted + rejected + skipped, and every record accounted for once."""
    name = a_format.name
    for part in parts:
        observed_table({column: part.table[column] for column in part.table.column_names})
        assert part.table["position"].null_count == 0, f"{name}: a row has no position"
        assert all(rule and count > 0 for rule, count in part.skipped.items()), f"{name}: an empty skip rule"
    positions = [at for part in parts for at in part.table["position"].to_pylist()]
    positions += [reject.position for part in parts for reject in part.rejects]
    read = sum(part.read for part in parts)
    assert len(set(positions)) == len(positions), f"{name}: a record is accounted for twice"
    assert all(0 <= at < max(read, 1) for at in positions), f"{name}: a position is outside of what was read"
    if isinstance(a_format, LineFormat):
        lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        assert read == lines, f"{name}: {lines} lines went in, {read} were accounted for"


def test_names_are_unique() -> None:
    names = [one.name for one in FORMATS]
    assert len(set(names)) == len(names)
    strays = {path.stem for path in EXAMPLES.iterdir()} - set(names)
    assert not strays, f"examples of formats that are not in the catalogue: {sorted(strays)}"


@each_format
def test_shape(a_format: Format) -> None:
    kind = type(a_format).__name__
    assert isinstance(a_format, LineFormat | DocumentFormat), (
        f"{kind} lacks something: a format has name, title, reference, fit() and parser() or read()"
    )
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", a_format.name), (
        f"{kind}.name is {a_format.name!r}; it must be lower case with dashes"
    )
    assert a_format.title.strip(), f"{kind}.title is empty: call the format as its vendor does"
    assert a_format.reference.strip(), (
        f"{kind}.reference is empty: name the document that describes the format"
    )
    first = (type(a_format).__doc__ or "").strip().split("\n")[0]
    assert first and first[-1] in ".:", (
        f"{kind} needs a docstring whose first line is a sentence for its users"
    )


@each_format
def test_detected_from_its_own_example(a_format: Format) -> None:
    found = detect(example(a_format), "the example")
    assert found.format.name == a_format.name, (
        f"the example of {a_format.name} is taken for {found.format.name}: {found.fit.why}"
    )
    assert 0 <= found.fit.score <= 1, f"{a_format.name}: a fit's score lies in 0…1"
    assert found.fit.why, f"{a_format.name}: a fit says why"
    for other, fit in found.others:
        assert found.fit.score - fit.score >= LEAD, (
            f"on its own example {a_format.name} scores {found.fit.score:.2f} ({found.fit.why}), "
            f"too near to {other.name} with {fit.score:.2f} ({fit.why})"
        )


@each_format
def test_accepts_its_own_example(a_format: Format) -> None:
    data = example(a_format)
    parts = parsed(a_format, data)
    check_accounts(a_format, data, parts)
    rejects = [(one.position, str(one.reason)) for part in parts for one in part.rejects]
    assert not rejects, f"{a_format.name} rejects records of its own example: {rejects}"
    found = rows(parts)
    assert found, f"{a_format.name} accepts nothing of its own example"
    for position, row in found.items():
        for column in ("method", "target"):
            assert row.get(column), f"{a_format.name}: record {position} of the example has no {column}"


@each_line_format
def test_the_last_line_may_lack_its_newline(a_format: LineFormat) -> None:
    data = example(a_format).rstrip(b"\n")
    whole = outcome(parsed(a_format, data + b"\n"))
    assert outcome(parsed(a_format, data)) == whole, f"{a_format.name} loses an unfinished last line"


@each_format
@pytest.mark.parametrize("data", [b"", b"\n", b"\0", b"{}\n", b"[]", b"\xff\xfe\n", b"null\n", b"# \n"])
def test_next_to_nothing(a_format: Format, data: bytes) -> None:
    a_format.fit(data)
    check_accounts(a_format, data, parsed(a_format, data))


def cut(data: bytes, seed: int) -> Iterator[bytes]:
    """`data` in a few chunks of whole lines, cut at random."""
    dice = random.Random(seed)
    ends = [found.end() for found in re.finditer(rb"\n", data[:-1])]
    at = 0
    for end in [*sorted(dice.sample(ends, min(len(ends), dice.randint(1, 6)))), len(data)]:
        yield data[at:end]
        at = end


def in_chunks(a_format: LineFormat, data: bytes, seed: int) -> list[Parsed]:
    """Each chunk by a parser of its own, which knows of the earlier ones only the JSON-able state."""
    parts, state, first = [], None, 0
    for chunk in cut(data, seed):
        parser = a_format.parser(Options(), state)
        parts.append(parser.parse(Lines(chunk, first)))
        state = json.loads(json.dumps(parser.state))
        first += chunk.count(b"\n")
    return parts


class Dribble(io.RawIOBase):
    """A stream that hands out a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes, seed: int) -> None:
        self._inner = io.BytesIO(data)
        self._sizes = itertools.cycle(random.Random(seed).choices((1, 7, 100, 5000), k=50))

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        most = next(self._sizes)
        return self._inner.read(most if size < 0 else min(size, most))

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@each_line_format
@pytest.mark.parametrize("seed", range(4))
def test_chunks_change_nothing(a_format: LineFormat, seed: int) -> None:
    data = example(a_format)
    whole = parsed(a_format, data)
    assert outcome(in_chunks(a_format, data, seed)) == outcome(whole), (
        f"{a_format.name}: rows depend on how the input is cut. What one chunk must tell the next "
        "(a header line) belongs into the parser's state, and state is JSON."
    )


@each_document_format
def test_short_reads_change_nothing(a_format: DocumentFormat) -> None:
    data = example(a_format)
    whole = outcome(parsed(a_format, data))
    pieces = list(a_format.read(Dribble(data, 1), Options()))  # type: ignore[arg-type]
    assert outcome(pieces) == whole, (
        f"{a_format.name} depends on how many bytes a read returns: loop until a read is empty"
    )


@each_document_format
def test_an_example_that_breaks_off(a_format: DocumentFormat) -> None:
    data = example(a_format)
    whole = rows(parsed(a_format, data))
    for share in (0.5, 0.9):
        broken = data[: int(len(data) * share)]
        parts = parsed(a_format, broken)
        check_accounts(a_format, broken, parts)
        assert rows(parts).keys() <= whole.keys()
        assert any(one.reason == "truncated" for part in parts for one in part.rejects), (
            f"{a_format.name}: a document that breaks off ends with a reject `truncated`"
        )


def survive(a_format: Format, data: bytes) -> list[Parsed]:
    """Parse hostile input within the time limit; answer what came of it."""
    before = time.process_time()
    try:
        a_format.fit(data)
        parts = parsed(a_format, data)
    except Exception as error:
        raise AssertionError(
            f"{a_format.name} raises {type(error).__name__} on hostile input. "
            "What does not fit is a Reject with its Reason, never an exception."
        ) from error
    spent = time.process_time() - before
    assert spent < SECONDS, f"{a_format.name} spent {spent:.1f} s of CPU on {len(data)} bytes"
    check_accounts(a_format, data, parts)
    return parts


@each_format
def test_hostile_input(a_format: Format) -> None:
    data = example(a_format)
    slow = hasattr(a_format, "program")  # each parse starts a program

    @mutated(3 if slow else 25)
    @given(mutations)
    def run(changes: list[tuple[str, float, float, bytes]]) -> None:
        hostile = mutate(data, changes)
        parts = survive(a_format, hostile)
        if isinstance(a_format, LineFormat):
            cut_up = in_chunks(a_format, hostile, len(hostile))
            assert outcome(cut_up) == outcome(parts), (
                f"{a_format.name}: cutting hostile input changes its rows"
            )

    run()


@each_line_format
def test_a_hostile_line_of_the_longest_kind(a_format: LineFormat) -> None:
    line = max(example(a_format).split(b"\n"), key=len)
    for filler in (b"A", b'"', b"\\", b" ", b"[", b"\xff", b'{"a":', b"GET / ", b"0,"):
        half = len(line) // 2
        many = filler * ((LONGEST - len(line) - 1) // len(filler))
        survive(a_format, line[:half] + many + line[half:] + b"\n")


def test_every_fit_survives_every_example() -> None:
    for path in sorted(EXAMPLES.iterdir()):
        data = path.read_bytes()
        for one in formats().values():
            for sample in (data, data[: len(data) // 2], data[::-1], data.replace(b" ", b"\0")):
                one.fit(sample)
