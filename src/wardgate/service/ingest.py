"""Ingesting files: each is opened, recognised by its content, read on from where it was left, and committed.

Reading and recognising one part goes on while the part before it is being committed; nothing is reported
as accepted before its commit.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from wardgate.core.clock import Clock
from wardgate.core.errors import Exit, WardgateError
from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.pipeline import Origin, Pipeline, Prepared, Reached
from wardgate.sources.catalogue import format_named
from wardgate.sources.detection import SAMPLE, detect
from wardgate.sources.files import (
    TAIL,
    Input,
    document_digest,
    head_digest,
    skip_to,
    source_name,
    tail_digest,
)
from wardgate.sources.format import Defaults, DocumentFormat, Format, LineFormat, Options
from wardgate.sources.reader import BrokenCompression, LineChunks, read_some


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are to be read: what a person said about them."""

    source: str | None = None
    """Name of the source; None: from each file's name."""
    format: str = "auto"
    options: Options = field(default_factory=Options)
    defaults: Defaults = field(default_factory=Defaults)


@dataclass(slots=True)
class SourceReport:
    """What came of one source: the accounting, and why its format was taken."""

    name: str
    format: str
    why: str
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    before: int = 0
    """Records that an earlier run had committed already."""
    files: int = 0

    def add(self, part: Prepared) -> None:
        self.read += part.read
        self.accepted += part.accepted
        self.rejected += part.rejected
        self.skipped += part.skipped


Progress = Callable[[str, int, int], None]
"""Called with file name, bytes read (decompressed) and records committed so far."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An input whose format and place to go on are known."""

    origin: Origin
    format: Format
    why: str
    sample: bytes = field(repr=False)
    stream: BinaryIO = field(repr=False)
    position: int = 0
    offset: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    tail: bytes = field(default=b"", repr=False)
    done: bool = False


class Ingest:
    """Ingests inputs one after the other through one pipeline."""

    def __init__(self, pipeline: Pipeline, clock: Clock, progress: Progress | None = None) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._progress = progress or (lambda name, size, records: None)
        self.refused: list[tuple[str, WardgateError]] = []
        """Inputs that could not be read at all, and why."""

    def run(self, inputs: list[Input], reading: Reading) -> Iterator[SourceReport]:
        """Reports by source, in order of first appearance, after everything was committed.

        An input that cannot be opened or recognised does not stop the others: it is `refused`. Raises the
        refusal (`input-…`, `format-…`) where nothing else was asked for, or where none could be read.
        """
        reports: dict[tuple[str, str], SourceReport] = {}
        with ThreadPoolExecutor(1, "commit") as committer:
            for one in inputs:
                try:
                    opened = open_input(self._pipeline, one, reading, self._clock)
                except WardgateError as error:
                    if error.exit_code is not Exit.USAGE:
                        raise
                    self.refused.append((one.name, error))
                    continue
                key = (opened.origin.source, opened.format.name)
                report = reports.setdefault(key, SourceReport(*key, opened.why))
                report.files += 1
                report.before += opened.position
                if not opened.done:
                    self._read(opened, reading, report, committer)
                opened.stream.close()
        if self.refused and not reports:
            raise self.refused[0][1]
        yield from reports.values()

    def _read(
        self, opened: Opened, reading: Reading, report: SourceReport, committer: ThreadPoolExecutor
    ) -> None:
        pending: Future[list[bool]] | None = None
        for parsed, reached in parts(opened, reading.options):
            prepared = self._pipeline.prepare(parsed, opened.origin, reached)
            if pending is not None:
                pending.result()
            pending = committer.submit(self._pipeline.commit, [prepared])
            report.add(prepared)
            self._progress(opened.origin.name, reached.offset, report.accepted)
        if pending is not None:
            pending.result()


def look_into(one: Input, reading: Reading) -> tuple[BinaryIO, bytes, Format, str]:
    """An input's stream, the sample taken from its front, its format, and why it is that one."""
    stream = one.open()
    try:
        sample = _sample(stream)
    except BrokenCompression as error:
        raise WardgateError("input-broken", f"{one.name} cannot be decompressed: {error}.") from error
    except OSError as error:
        raise WardgateError("input-unreadable", f"cannot read {one.name}: {error.strerror}.") from error
    return stream, sample, *_format(one.name, sample, reading)


def open_input(pipeline: Pipeline, one: Input, reading: Reading, clock: Clock) -> Opened:
    """Find an input's format and the place where it was left."""
    stream, sample, chosen, why = look_into(one, reading)
    name = reading.source or source_name(one.path)
    if isinstance(chosen, LineFormat):
        digest = head_digest(sample)
    else:
        size = one.path.stat().st_size if one.path is not None else clock()
        digest = document_digest(sample, size)
    if one.path is None:
        digest = f"{digest} {clock()} {os.getpid()}"
    for generation in itertools.count():
        origin_id = pipeline.key.id64("origin", f"{name}\0{digest}\0{generation}")
        origin = Origin(name, origin_id, one.name, chosen.name, reading.defaults)
        left = last_reached(pipeline.lake, origin_id)
        if left is None:
            return Opened(origin, chosen, why, sample, stream)
        if not isinstance(chosen, LineFormat):
            return Opened(origin, chosen, why, sample, stream, left.position, 0, {}, b"", left.complete)
        fresh = one.open()
        tail = skip_to(fresh, left.offset)
        if tail is not None and tail_digest(tail) == left.state.get("tail"):
            stream.close()
            state = left.state.get("parser") or {}
            return Opened(origin, chosen, why, b"", fresh, left.position, left.offset, state, tail)
        fresh.close()
    raise AssertionError("unreachable")


def parts(opened: Opened, options: Options, chunk: int | None = None) -> Iterator[tuple[Parsed, Reached]]:
    """What is left of an input, in parts, each with the place it reaches. The last one is complete."""
    if isinstance(opened.format, LineFormat):
        yield from _line_parts(opened, opened.format, options, chunk)
    else:
        yield from _document_parts(opened, opened.format, options)


def _line_parts(
    opened: Opened, format_: LineFormat, options: Options, chunk: int | None
) -> Iterator[tuple[Parsed, Reached]]:
    chunks = LineChunks(opened.stream, opened.position, opened.offset, head=opened.sample)
    if chunk is not None:
        chunks.chunk = chunk
    parser = format_.parser(options, opened.state or None)
    tail = opened.tail
    held: tuple[Parsed, Reached] | None = None
    for lines in chunks:
        parsed = parser.parse(lines)
        tail = (tail + lines.data[-TAIL:])[-TAIL:] if chunks.rejects == [] else lines.data[-TAIL:]
        parsed.rejects += chunks.rejects
        chunks.rejects = []
        if held is not None:
            yield held
        state = {"parser": parser.state, "tail": tail_digest(tail)}
        held = parsed, Reached(chunks.position, chunks.offset, state)
    if chunks.broken is not None:
        chunks.rejects.append(Reject(chunks.position, Reason.TRUNCATED, b""))
        chunks.position += 1
    if held is not None and not chunks.rejects:
        parsed, reached = held
        yield parsed, Reached(reached.position, reached.offset, reached.state, complete=True)
        return
    if held is not None:
        yield held
    if chunks.rejects:
        import pyarrow as pa

        nothing = Parsed(pa.table({"position": pa.array([], pa.int64())}), chunks.rejects)
        yield (
            nothing,
            Reached(chunks.position, chunks.offset, {"parser": parser.state, "tail": ""}, complete=True),
        )


def _document_parts(
    opened: Opened, format_: DocumentFormat, options: Options
) -> Iterator[tuple[Parsed, Reached]]:
    import pyarrow.compute as pc

    position = 0
    held: tuple[Parsed, Reached] | None = None
    for part in format_.read(_Rejoined(opened.sample, opened.stream), options):  # type: ignore[arg-type]
        parsed = part
        start, position = position, position + parsed.read
        if position <= opened.position:
            continue
        if start < opened.position:  # committed in part before a kill
            keep = pc.greater_equal(parsed.table["position"], opened.position)
            rejects = [one for one in parsed.rejects if one.position >= opened.position]
            table = parsed.table.filter(keep)
            done = position - opened.position - table.num_rows - len(rejects)
            parsed = Parsed(table, rejects, {"skipped": done} if done else {})
        if held is not None:
            yield held
        held = parsed, Reached(position)
    if held is not None:
        yield held[0], Reached(held[1].position, complete=True)


class _Rejoined:
    """A stream with the sample that was taken from its front put back."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._rest.read(size)
        if size is None or size < 0:
            head, self._head = self._head, b""
            return head + self._rest.read()
        head, self._head = self._head[:size], self._head[size:]
        return head


def last_reached(lake: Lake, origin_id: int) -> Reached | None:
    """How far an origin has been committed."""
    import json

    found = lake.rows(
        f"SELECT next_position, next_offset, parser_state, complete FROM {ALIAS}.ledger WHERE origin_id = ? "
        "ORDER BY next_position DESC, committed_at_us DESC LIMIT 1",
        [origin_id],
    ).to_pylist()
    if not found:
        return None
    row = found[0]
    return Reached(row["next_position"], row["next_offset"], json.loads(row["parser_state"]), row["complete"])


def _format(name: str, sample: bytes, reading: Reading) -> tuple[Format, str]:
    if reading.format != "auto":
        return format_named(reading.format), "as told by --format"
    found = detect(sample, name)
    return found.format, found.fit.why


def _sample(stream: BinaryIO) -> bytes:
    out = b""
    while len(out) < SAMPLE:
        data = read_some(stream, SAMPLE - len(out))
        if not data:
            break
        out += data
    return out


def seconds_since(start: float) -> float:
    return round(time.monotonic() - start, 3)
