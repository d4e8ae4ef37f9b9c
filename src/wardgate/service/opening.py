"""From a file to the place where reading it goes on: its format, which origin it is, and how far that got.

An origin is found by content (see `sources.files`). Its id holds the source's name, the digest of its first
telling line and a generation: another file of the source with the same first line has the next generation.
Of several origins that match (one is the other's beginning), it is the one that got furthest.

A match on hardly more than the first line proves little. There, a file that goes on beyond a recorded one
which still stands on the disk as it was left is another file.

A HAR or a flow file is known in the same way by its first record, and by the last that was counted. Any other
document is known by its first bytes and its size; when it has grown, it is refused rather than counted again.
"""

import io
import itertools
import json
import secrets
import stat
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.pipeline import Origin, Pipeline, Reached
from wardgate.service.source_names import source_of
from wardgate.sources.catalogue import format_named
from wardgate.sources.detection import SAMPLE, detect
from wardgate.sources.files import (
    Input,
    document_digest,
    file_id,
    first_digest,
    head_of,
    read_up_to,
    skip_to,
    source_name,
    tail_digest,
    telling_lines,
)
from wardgate.sources.format import Defaults, Format, LineFormat, Options
from wardgate.sources.reader import TAIL, BrokenCompression, read_some
from wardgate.sources.records import Place, RecordFormat
from wardgate.sources.skip_rules import SkipRules

_START = 64
"""Bytes by which a document is told to have grown: a capture's header and its first packet's time."""
_FRESH_US = 60 * 1_000_000
WEAK = 3
"""Telling lines in common that may yet be two files'."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are to be read: what a person said about them."""

    source: str | None = None
    """Name of the source; None: from each file's name."""
    format: str = "auto"
    options: Options = field(default_factory=Options)
    defaults: Defaults = field(default_factory=Defaults)
    skip: SkipRules = field(default_factory=lambda: SkipRules({}))


@dataclass(frozen=True, slots=True)
class Opened:
    """An input whose format and place to go on are known."""

    origin: Origin
    format: Format
    why: str
    stream: BinaryIO = field(repr=False)
    head: bytes = field(default=b"", repr=False)
    """Bytes taken from the stream that are still to be read."""
    position: int = 0
    offset: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    """The parser's state."""
    tail: bytes = field(default=b"", repr=False)
    """The last bytes before `offset`."""
    mark: dict[str, Any] = field(default_factory=dict)
    """What each `Reached.state` of this origin holds beside the parser's state and the tail's digest."""
    inside: bool = False
    """Whether `offset` stands inside a line that is accounted for."""
    cut: int = 0
    """Length of a line before `offset` that was rejected unfinished: when it goes on, it is read again."""
    broken: bool = False
    """Whether the compressed stream broke off at `offset` before, and that is accounted for."""
    done: bool = False
    """Whether there is nothing to read."""
    is_growing: bool = False
    """Whether somebody may be writing the last record at this moment."""

    @property
    def place(self) -> Place:
        """Where a document of records is read on."""
        return Place.left(self.position, self.offset, self.state)


@dataclass(frozen=True, slots=True)
class _Left:
    """An origin that the ledger knows, as it was left."""

    origin_id: int
    name: str
    reached: Reached

    @property
    def file(self) -> str:
        return str(self.reached.state.get("file", ""))


def open_input(
    pipeline: Pipeline,
    one: Input,
    reading: Reading,
    clock: Clock,
    *,
    others: Collection[int] = (),
    usual: str | None = None,
) -> Opened:
    """Find an input's format and the place where it was left.

    `others` are origins that it is known not to be; `usual` is the format that its source had so far, for a
    sample that leaves it open. Raises `input-unreadable`, `input-broken`, `input-empty`, `input-grown` or
    `format-…`.
    """
    stream, sample, nuls = _sampled(one)
    opened: Opened | None = None
    try:
        chosen, why = _format(one.name, sample, reading, usual)
        source = reading.source or source_of(pipeline.lake, one.path, chosen.name)
        finder = _Finder(pipeline, one, reading, chosen, why, others, source)
        if isinstance(chosen, LineFormat):
            opened = finder.lines(stream, sample, nuls)
        elif isinstance(chosen, RecordFormat):
            opened = finder.records(stream, sample, chosen, clock)
        else:
            opened = finder.document(stream, sample, clock)
    finally:
        if opened is None or opened.stream is not stream:
            stream.close()
    return opened


def open_afresh(one: Input, reading: Reading) -> Opened:
    """An input from its beginning, to be looked at: the lake is not asked. Raises as `open_input` does."""
    stream, sample, nuls = _sampled(one)
    try:
        chosen, why = _format(one.name, sample, reading, None)
    except BaseException:
        stream.close()
        raise
    defaults = _defaults(reading.defaults, chosen)
    origin = Origin(reading.source or source_name(one.path), 0, one.name, chosen.name, defaults)
    if isinstance(chosen, LineFormat):
        return Opened(origin, chosen, why, stream, sample, 0, nuls, tail=b"\0" * min(nuls, TAIL))
    return Opened(origin, chosen, why, stream, sample)


def _sampled(one: Input) -> tuple[BinaryIO, bytes, int]:
    """An input's stream, and what `_sample` takes from it."""
    stream = one.open()
    try:
        return stream, *_sample(stream)
    except BrokenCompression as error:
        stream.close()
        raise WardgateError("input-broken", f"{one.name} cannot be decompressed: {error}.") from error
    except OSError as error:
        stream.close()
        raise WardgateError("input-unreadable", f"cannot read {one.name}: {error.strerror}.") from error
    except BaseException:
        stream.close()
        raise


@dataclass(frozen=True, slots=True)
class _Finder:
    pipeline: Pipeline
    one: Input
    reading: Reading
    format: Format
    why: str
    others: Collection[int]
    source: str

    def document(self, stream: BinaryIO, sample: bytes, clock: Clock) -> Opened:
        path = self.one.path
        size = path.stat().st_size if path is not None else clock()
        origin = self._origin(self._id(self._of_once(document_digest(sample, size)), 0))
        mark = {"file": file_id(path), "start": tail_digest(sample[:_START]), "size": size}
        left = last_reached(self.pipeline.lake, origin.origin_id)
        if left is None:
            if path is not None and self._has_grown(mark):
                raise WardgateError(
                    "input-grown",
                    f"{self.one.name} grew after it was read: {self.format.title} cannot be read on.",
                    mend="Write a new file for each stretch; or ingest all of it again under another --name.",
                )
            return Opened(origin, self.format, self.why, stream, sample, mark=mark)
        done = left.complete
        return Opened(origin, self.format, self.why, stream, sample, left.position, mark=mark, done=done)

    def _has_grown(self, mark: dict[str, Any]) -> bool:
        """Whether a shorter document of the same beginning was read from the same path or file before."""
        found = self.pipeline.lake.rows(
            f"SELECT DISTINCT origin, parser_state FROM {ALIAS}.ledger WHERE source = ? AND format = ?",
            [self.source, self.format.name],
        ).to_pylist()
        for row in found:
            before = json.loads(row["parser_state"])
            is_here = row["origin"] == self.one.name or before.get("file") == mark["file"]
            if is_here and before.get("start") == mark["start"] and before.get("size", 0) < mark["size"]:
                return True
        return False

    def records(self, stream: BinaryIO, sample: bytes, format_: RecordFormat, clock: Clock) -> Opened:
        first = next(format_.records(io.BytesIO(sample)), None)
        digest = first_digest(bytes(first.raw)) if first is not None else document_digest(sample, len(sample))
        once = self._of_once(digest)
        known, free = self._known(once) if once == digest else ([], 0)
        known.sort(key=lambda left: left.reached.position, reverse=True)
        is_growing = format_.is_appended and _is_fresh(self.one.path, clock)
        for left in known:
            reached = left.reached
            state = reached.state.get("parser") or {}
            if "whole" not in state:  # a log of the same source, whose first line was not whole
                continue
            place = Place.left(reached.position, reached.offset, state)
            with self.one.open() as probed:
                rest = format_.resumed(probed, place)
                following = next(rest, None) if rest is not None else None
            if rest is not None:
                return Opened(
                    self._origin(left.origin_id),
                    self.format,
                    self.why,
                    self.one.open(),
                    b"",
                    reached.position,
                    reached.offset,
                    state,
                    done=following is None or (place.is_broken_off and not following.is_whole),
                    is_growing=is_growing,
                )
        origin = self._origin(self._id(once, free))
        return Opened(origin, self.format, self.why, stream, sample, is_growing=is_growing)

    def lines(self, stream: BinaryIO, sample: bytes, nuls: int) -> Opened:
        head = head_of(sample)
        digest = self._of_once(head.digest)
        known, free = self._known(digest) if digest == head.digest else ([], 0)
        hint = file_id(self.one.path)
        known.sort(key=lambda left: (left.reached.offset, left.file == hint), reverse=True)
        for left in known:
            opened = self._gone_on(left, hint, sample)
            if opened is not None:
                return opened
        mark = {"file": hint} | ({"open_head": True} if head.is_open else {})
        tail = b"\0" * min(nuls, TAIL)
        origin = self._origin(self._id(digest, free))
        return Opened(origin, self.format, self.why, stream, sample, 0, nuls, tail=tail, mark=mark)

    def _known(self, digest: str) -> tuple[list[_Left], int]:
        """Origins that this file may be, and the first generation that is free."""
        known: list[_Left] = []
        for first in itertools.count(0, 8):
            ids = [self._id(digest, generation) for generation in range(first, first + 8)]
            found = left_where(self.pipeline.lake, ids, self.source if first == 0 else None)
            known += [left for left in found.values() if left.origin_id not in self.others]
            free = [i for i, one in enumerate(ids) if one not in found and one not in self.others]
            if free:
                return known, first + free[0]
        raise AssertionError("unreachable")

    def _gone_on(self, left: _Left, hint: str, sample: bytes) -> Opened | None:
        """The input from where an origin was left; None when it is not that origin."""
        reached = left.reached
        line = reached.state.get("line")
        cut = int(line["cut"]) if isinstance(line, dict) else 0
        stream = self.one.open()
        opened: Opened | None = None
        try:
            before = skip_to(stream, reached.offset, TAIL + cut)
            if before is None and self._is_beginning_of(left):
                opened = self._finished(left, stream)
                return opened
            if before is None or tail_digest(before[-TAIL:]) != reached.state.get("tail"):
                return None
            following, broke = _peeked(stream)
            if following and left.file != hint and self._is_anothers(left, sample):
                return None
            mark = {key: reached.state[key] for key in ("open_head",) if key in reached.state} | {
                "file": hint
            }
            head, offset, tail = following, reached.offset, before[-TAIL:]
            if cut and following[:1] == b"\n":  # it was whole, but for its newline
                head, offset, tail = following[1:], offset + 1, (tail + b"\n")[-TAIL:]
                cut = 0
            elif cut and following:
                head, offset, tail = before[-cut:] + following, offset - cut, before[:-cut][-TAIL:]
                cut = 0
            known_broken = bool(reached.state.get("broken"))
            opened = Opened(
                self._origin(left.origin_id),
                self.format,
                self.why,
                stream,
                head,
                reached.position,
                offset,
                reached.state.get("parser") or {},
                tail,
                mark,
                inside=line == "counted",
                cut=cut,
                broken=known_broken,
                done=not following and (known_broken or not broke),
            )
        except BrokenCompression:
            return None
        finally:
            if opened is None:
                stream.close()
        return opened

    def _finished(self, left: _Left, stream: BinaryIO) -> Opened:
        origin, reached = self._origin(left.origin_id), left.reached
        return Opened(origin, self.format, self.why, stream, b"", reached.position, reached.offset, done=True)

    def _is_beginning_of(self, left: _Left) -> bool:
        """Whether this shorter input is the beginning of the file that an origin was read from (a copy)."""
        path = Path(left.name)
        if not left.file or file_id(path) != left.file:
            return False
        try:
            with self.one.open() as stream, Input(path, left.name).open() as whole:
                length, before = read_up_to(stream, left.reached.offset)
                return bool(length) and skip_to(whole, length) == before
        except (WardgateError, OSError, BrokenCompression):
            return False

    def _is_anothers(self, left: _Left, sample: bytes) -> bool:
        """Whether hardly anything speaks for the origin, and its own file still stands as it was left."""
        if left.reached.offset > len(sample) or telling_lines(sample[: left.reached.offset]) > WEAK:
            return False
        path = Path(left.name)
        if not left.file or file_id(path) != left.file:
            return False
        try:
            with Input(path, left.name).open() as stream:
                before = skip_to(stream, left.reached.offset)
        except (WardgateError, OSError, BrokenCompression):
            return False
        return before is not None and tail_digest(before) == left.reached.state.get("tail")

    def _of_once(self, digest: str) -> str:
        """What is piped in has no identity: each time it is another origin."""
        path = self.one.path
        piped = path is None or not stat.S_ISREG(path.stat().st_mode)
        return f"{digest} {secrets.token_hex(16)}" if piped else digest

    def _id(self, digest: str, generation: int) -> int:
        return self.pipeline.key.id64("origin", f"{self.source}\0{digest}\0{generation}")

    def _origin(self, origin_id: int) -> Origin:
        defaults = _defaults(self.reading.defaults, self.format)
        return Origin(self.source, origin_id, self.one.name, self.format.name, defaults)


def last_reached(lake: Lake, origin_id: int) -> Reached | None:
    """How far an origin has been committed."""
    left = left_where(lake, [origin_id], None).get(origin_id)
    return left.reached if left is not None else None


def left_where(lake: Lake, origin_ids: Collection[int], source: str | None) -> dict[int, _Left]:
    """Origins as they were left: those with an id, and those of `source` whose first line was not whole."""
    marks = ", ".join("?" * len(origin_ids))
    where = f"origin_id IN ({marks})"
    parameters: list[Any] = list(origin_ids)
    if source is not None:
        where += """ OR (source = ? AND contains(parser_state, '"open_head": true'))"""
        parameters.append(source)
    found = lake.rows(
        "SELECT origin_id, origin, next_position, next_offset, parser_state, complete "
        f"FROM {ALIAS}.ledger WHERE {where} QUALIFY row_number() OVER "
        "(PARTITION BY origin_id ORDER BY next_position DESC, committed_at_us DESC) = 1",
        parameters,
    ).to_pylist()
    return {
        row["origin_id"]: _Left(
            row["origin_id"],
            row["origin"],
            Reached(
                row["next_position"], row["next_offset"], json.loads(row["parser_state"]), row["complete"]
            ),
        )
        for row in found
    }


def _format(name: str, sample: bytes, reading: Reading, usual: str | None) -> tuple[Format, str]:
    if reading.format != "auto":
        return format_named(reading.format), "as told by --format"
    try:
        found = detect(sample, name, reading.options)
    except WardgateError:
        if usual is not None and sample.strip():
            known = format_named(usual)
            fit = known.fit(sample)
            if fit is not None:
                return known, f"as before; {fit.why}"
        raise
    return found.format, found.fit.why


def _defaults(given: Defaults, format_: Format) -> Defaults:
    """What holds for every call: what a person said, else what the format implies."""
    vantage = given.vantage or getattr(format_, "vantage", None)
    return given if vantage == given.vantage else replace(given, vantage=vantage)


def _is_fresh(path: Path | None, clock: Clock) -> bool:
    """Whether a file was written to just now."""
    try:
        return path is not None and abs(clock() - path.stat().st_mtime_ns // 1000) < _FRESH_US
    except OSError:
        return False


def _sample(stream: BinaryIO) -> tuple[bytes, int]:
    """The first bytes, and how many NUL bytes came before them.

    NULs stand at the front of a log that was truncated under a program which goes on writing where it was.
    """
    out, nuls = b"", 0
    while len(out) < SAMPLE:
        data = read_some(stream, SAMPLE - len(out))
        if not data:
            break
        if not out:
            bare = data.lstrip(b"\0")
            nuls += len(data) - len(bare)
            data = bare
        out += data
    return out, nuls


def _peeked(stream: BinaryIO) -> tuple[bytes, bool]:
    """Some bytes that follow, taken from the stream, and whether it breaks off here."""
    try:
        return read_some(stream, 1 << 16), False
    except BrokenCompression:
        return b"", True
