"""Ingesting files: each is opened, recognised by its content, read on from where it was left, and committed.

Reading and recognising one part goes on while the part before it is being committed; nothing is reported
as accepted before its commit. A file that another process is reading (a followed one) is left to it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa

from wardgate.core.clock import Clock
from wardgate.core.errors import Exit, WardgateError
from wardgate.core.memory import give_back
from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.pipeline import Origin, Part, Pipeline, Prepared, Reached
from wardgate.service.claims import Claims
from wardgate.service.opening import Opened, Reading, last_reached, open_input
from wardgate.sources.files import Input, tail_digest
from wardgate.sources.format import DocumentFormat, LineFormat, LineParser, Options
from wardgate.sources.reader import LineChunks
from wardgate.sources.records import Place, RecordFormat, record_parts
from wardgate.sources.text_lines import nothing

__all__ = ["Ingest", "Opened", "Progress", "Reading", "SourceReport", "last_reached", "open_input", "parts"]


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
    busy: int = 0
    """Files that another process is reading, and that were left to it."""

    def add(self, part: Prepared) -> None:
        self.read += part.read
        self.accepted += part.accepted
        self.rejected += part.rejected
        self.skipped += part.skipped


_HELD_MB = 560
"""What a process may hold between two groups, of which some is free already."""
_GROUP_CALLS = 300_000
_GROUP_BYTES = 40 << 20
_GROUP_VALUES = 120_000
"""Distinct values of a group: what is distinct is recognised one by one, and takes most of the memory."""
Progress = Callable[[str, int, int], None]
"""Called with file name, bytes read (decompressed) and records committed so far."""


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

        An input that cannot be opened or recognised does not stop the others: it is `refused`. Raises its
        refusal (`input-…`, `format-…`) where no other could be read.
        """
        reports: dict[tuple[str, str], SourceReport] = {}
        claims = Claims(self._pipeline.lake.place)
        try:
            with ThreadPoolExecutor(1, "commit") as committer:
                for one in inputs:
                    try:
                        self._one(one, reading, reports, claims, committer)
                    except WardgateError as error:
                        if error.exit_code is not Exit.USAGE:
                            raise
                        self.refused.append((one.name, error))
        finally:
            claims.close()
        if self.refused and not reports:
            raise self.refused[0][1]
        yield from reports.values()

    def _one(
        self,
        one: Input,
        reading: Reading,
        reports: dict[tuple[str, str], SourceReport],
        claims: Claims,
        committer: ThreadPoolExecutor,
    ) -> None:
        opened = open_input(self._pipeline, one, reading, self._clock)
        is_mine = claims.take(opened.origin.origin_id)
        if is_mine and self._has_moved(opened):  # another process read on until just now
            opened.stream.close()
            opened = open_input(self._pipeline, one, reading, self._clock)
            is_mine = claims.take(opened.origin.origin_id)
        try:
            key = (opened.origin.source, opened.format.name)
            report = reports.setdefault(key, SourceReport(*key, opened.why))
            report.files += 1
            report.busy += not is_mine
            report.before += opened.position
            if is_mine and not opened.done:
                self._read(opened, reading, report, committer)
        finally:
            opened.stream.close()

    def _has_moved(self, opened: Opened) -> bool:
        left = last_reached(self._pipeline.lake, opened.origin.origin_id)
        return left is not None and left.position != opened.position

    def _read(
        self, opened: Opened, reading: Reading, report: SourceReport, committer: ThreadPoolExecutor
    ) -> None:
        pending: Future[list[bool]] | None = None
        for group in _groups(parts(opened, reading.options)):
            prepared = self._pipeline.prepare_together(
                [self._part(opened.origin, reading.skip.apply(parsed), reached) for parsed, reached in group]
            )
            if pending is not None:
                pending.result()
            pending = committer.submit(self._pipeline.commit, prepared)
            for one in prepared:
                report.add(one)
            give_back(_HELD_MB)
            self._progress(opened.origin.name, group[-1][1].offset, report.accepted)
        if pending is not None:
            pending.result()

    def _part(self, origin: Origin, parsed: Parsed, reached: Reached) -> Part:
        return Part(parsed, origin, reached, self._pipeline.batch_id(origin, reached.position - parsed.read))


def _groups(found: Iterator[tuple[Parsed, Reached]]) -> Iterator[list[tuple[Parsed, Reached]]]:
    """Small parts in groups that are worth a commit, bounded in calls, bytes and distinct values."""
    group: list[tuple[Parsed, Reached]] = []
    calls = size = values = 0
    for one in found:
        group.append(one)
        calls += one[0].read
        size += one[0].table.nbytes
        values += sum(map(_values, one[0].table.columns))
        if calls >= _GROUP_CALLS or size >= _GROUP_BYTES or values >= _GROUP_VALUES:
            yield group
            group, calls, size, values = [], 0, 0, 0
    if group:
        yield group


def _values(column: pa.ChunkedArray) -> int:
    """Distinct values of a column, as far as it is known; of numbers none."""
    if pa.types.is_dictionary(column.type):
        return sum(len(chunk.dictionary) for chunk in column.chunks)
    return len(column) if pa.types.is_string(column.type) and column.null_count < len(column) else 0


def parts(opened: Opened, options: Options, chunk: int | None = None) -> Iterator[tuple[Parsed, Reached]]:
    """What is left of an input, in parts, each with the place it reaches. The last one is complete."""
    if isinstance(opened.format, LineFormat):
        yield from _line_parts(opened, opened.format, options, chunk)
    elif isinstance(opened.format, RecordFormat):
        yield from _record_parts(opened, opened.format, options)
    else:
        yield from _document_parts(opened, opened.format, options)


def _line_parts(
    opened: Opened, format_: LineFormat, options: Options, chunk: int | None
) -> Iterator[tuple[Parsed, Reached]]:
    chunks = line_chunks(opened, opened.stream)
    if chunk is not None:
        chunks.chunk = chunk
    parser = format_.parser(options, opened.state or None)
    held: tuple[Parsed, Reached] | None = None
    for parsed, reached in parsed_lines(chunks, parser, opened.mark):
        if held is not None:
            yield held
        held = parsed, reached
    if chunks.broken is not None and not (opened.broken and chunks.offset == opened.offset):
        if held is not None:
            yield held
        parsed = Parsed(nothing(), [Reject(chunks.position, Reason.TRUNCATED, b"")])
        chunks.position += 1
        held = parsed, reached_by(chunks, parser, opened.mark | {"broken": True}, parsed)
    if held is not None:
        parsed, reached = held
        yield parsed, Reached(reached.position, reached.offset, reached.state, complete=True)


def line_chunks(opened: Opened, stream: BinaryIO) -> LineChunks:
    """The lines of an opened input, from where it was left."""
    return LineChunks(
        stream, opened.position, opened.offset, head=opened.head, tail=opened.tail, inside=opened.inside
    )


def parsed_lines(
    chunks: LineChunks, parser: LineParser, mark: dict[str, Any]
) -> Iterator[tuple[Parsed, Reached]]:
    """Chunks of lines as parts, with what was too long among them."""
    for lines in chunks:
        parsed = parser.parse(lines)
        parsed.rejects = sorted(parsed.rejects + chunks.rejects, key=lambda one: one.position)
        chunks.rejects = []
        yield parsed, reached_by(chunks, parser, mark, parsed)
    if chunks.rejects:
        parsed = Parsed(nothing(), chunks.rejects)
        chunks.rejects = []
        yield parsed, reached_by(chunks, parser, mark, parsed)


def reached_by(chunks: LineChunks, parser: LineParser, mark: dict[str, Any], parsed: Parsed) -> Reached:
    """The place that a part reaches, with all that is needed to know the file again and to go on there."""
    state = {"parser": parser.state, "tail": tail_digest(chunks.tail), **mark}
    if chunks.inside:
        last = parsed.rejects[-1] if parsed.rejects else None
        is_cut = (
            last is not None and last.position == chunks.position - 1 and last.reason is not Reason.TOO_LONG
        )
        state["line"] = {"cut": chunks.unfinished} if is_cut and chunks.unfinished else "counted"
    return Reached(chunks.position, chunks.offset, state)


def _record_parts(
    opened: Opened, format_: RecordFormat, options: Options
) -> Iterator[tuple[Parsed, Reached]]:
    since = opened.place
    if since.position:
        records = format_.resumed(opened.stream, since)
    else:
        records = format_.records(_Rejoined(opened.head, opened.stream))  # type: ignore[arg-type]
    held: tuple[Parsed, Place] | None = None
    for one in record_parts(format_, records or iter(()), options, since, is_growing=opened.is_growing):
        if held is not None:
            yield held[0], _reached(held[1])
        held = one
    if held is not None:
        yield held[0], _reached(held[1], complete=True)


def _reached(place: Place, *, complete: bool = False) -> Reached:
    return Reached(place.position, place.offset, {"parser": place.state}, complete)


def _document_parts(
    opened: Opened, format_: DocumentFormat, options: Options
) -> Iterator[tuple[Parsed, Reached]]:
    import pyarrow.compute as pc

    position = 0
    held: tuple[Parsed, Reached] | None = None
    for part in format_.read(_Rejoined(opened.head, opened.stream), options):  # type: ignore[arg-type]
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
        held = parsed, Reached(position, state=opened.mark)
    if held is not None:
        yield held[0], Reached(held[1].position, state=opened.mark, complete=True)


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
