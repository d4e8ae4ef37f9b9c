"""Bytes in: plain, gzip, zstd or bzip2, from files or standard input, as chunks of whole lines.

Memory is bounded whatever comes: a compressed bomb is read as a stream, a line longer than `MAX_LINE` is
kept aside as one reject and passed over without being held.
"""

import bz2
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, cast

import zstandard

from wardgate.core.observed import Reason, Reject
from wardgate.sources.format import Lines, newlines

MAX_LINE = 1 << 20
"""Longest line taken, in bytes. Longer ones are rejected as `too-long`."""
TAIL = 256
"""Bytes before a position whose digest proves that a stream is still the same."""
CHUNK = 16 << 20
"""Bytes handed to a parser at a time when there is plenty."""
_KEPT = 4096  # bytes of an over-long line that a reject keeps for its masked shape

_MAGIC = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst", b"BZh": "bz2"}


class BrokenCompression(Exception):  # noqa: N818 - a state of the input
    """The compressed stream ends or breaks; what came before it was read."""


def decompressed(raw: BinaryIO) -> tuple[BinaryIO, str]:
    """`raw` read through what its first bytes say, and the compression's name ("" for none)."""
    buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw))
    head = buffered.peek(8)[:8]
    name = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")
    if not name:
        return cast(BinaryIO, buffered), ""
    if name == "gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=buffered)), name
    if name == "bz2":
        return cast(BinaryIO, bz2.BZ2File(buffered)), name
    return cast(BinaryIO, zstandard.ZstdDecompressor().stream_reader(buffered, read_across_frames=True)), name


def read_some(stream: BinaryIO, size: int) -> bytes:
    """At most `size` bytes, b"" at the end. Raises `BrokenCompression` where a stream breaks, not before."""
    if not isinstance(stream, gzip.GzipFile | bz2.BZ2File):
        return _read(stream.read, size)
    parts: list[bytes] = []  # one large read would lose what came before the break
    while size > 0:
        try:
            data = _read(stream.read1, size)
        except BrokenCompression:
            if not parts:
                raise
            break
        if not data:
            break
        parts.append(data)
        size -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _read(read: Callable[[int], bytes], size: int) -> bytes:
    try:
        return read(size)
    except (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile) as error:
        raise BrokenCompression(str(error)) from error
    except OSError as error:
        if error.errno is None:  # bz2 reports bad data this way
            raise BrokenCompression(str(error)) from error
        raise


@dataclass(slots=True)
class LineChunks:
    """Cuts a stream into `Lines`, never inside a line. Iterate; over-long lines come out in `rejects`.

    `offset` and `position` say what has been handed out so far, in bytes and lines (over-long ones
    included). With `partial_tail=False` an unfinished last line is left for later (a followed file).
    """

    stream: BinaryIO
    position: int = 0
    offset: int = 0
    chunk: int = CHUNK
    max_line: int = MAX_LINE
    partial_tail: bool = True
    head: bytes = field(default=b"", repr=False)
    """Bytes already taken from the stream (the sample)."""
    tail: bytes = field(default=b"", repr=False)
    """The last bytes before `offset`, at most `TAIL`."""
    inside: bool = False
    """Whether `offset` stands inside a line that has been handed out or rejected: its rest is passed over."""
    unfinished: int = 0
    """Length of the unfinished last line that was handed out; 0 when there was none."""
    rejects: list[Reject] = field(default_factory=list)
    broken: str | None = None
    """What was wrong with the compressed stream, if it broke off."""

    def __iter__(self) -> Iterator[Lines]:
        rest = self._behind_newline(self.head) if self.inside else self.head
        self.head = b""
        at_end = self.inside
        while not at_end:
            more = self._read(max(self.chunk - len(rest), 1 << 16))
            at_end = not more
            cut = more.rfind(b"\n") + 1
            if cut and not at_end:  # the usual case, with one copy of the bytes
                with memoryview(more) as view:
                    data = b"".join((rest, view[:cut])) if rest or cut < len(more) else more
                rest = more[cut:]
                yield from self._whole(data)
                continue
            data = rest + more if rest else more
            end = data.rfind(b"\n") + 1
            if at_end and end < len(data) and (self.partial_tail or self.broken):
                end = len(data)
            if end == 0 and len(data) > self.max_line:
                self.rejects.append(Reject(self.position, Reason.TOO_LONG, data[:_KEPT]))
                self.position += 1
                self.inside = True
                rest = self._behind_newline(data)
                at_end = self.inside
                continue
            rest = data[end:]
            if end:
                yield from self._whole(data[:end] if end < len(data) else data)

    def _read(self, size: int) -> bytes:
        try:
            return read_some(self.stream, size)
        except BrokenCompression as error:
            self.broken = str(error)
            return b""

    def _behind_newline(self, data: bytes) -> bytes:
        """Pass over the rest of a line, however long, in constant memory; answers what was read beyond it."""
        while True:
            end = data.find(b"\n") + 1
            if end:
                self.inside = False
                self._advance(data[:end])
                return data[end:]
            self._advance(data)
            data = self._read(1 << 20)
            if not data:
                return b""

    def _whole(self, data: bytes) -> Iterator[Lines]:
        """Hand out whole lines, taking over-long ones out."""
        start = 0
        while len(data) - start > self.max_line:
            cut = self._long_line(data, start)
            if cut is None:
                break
            begin, end = cut
            if begin > start:
                yield self._hand_out(data[start:begin])
            self.rejects.append(Reject(self.position, Reason.TOO_LONG, data[begin : begin + _KEPT]))
            self.position += 1
            self._advance(data[begin:end])
            self.inside = data[end - 1 : end] != b"\n"
            start = end
        if start < len(data):
            yield self._hand_out(data[start:] if start else data)

    def _long_line(self, data: bytes, start: int) -> tuple[int, int] | None:
        """The next line longer than the limit: hops of `max_line` find it without looking at every line."""
        at = start
        while at < len(data):
            hop = data.rfind(b"\n", at, at + self.max_line + 1)
            if hop >= 0:
                at = hop + 1
                continue
            if len(data) - at <= self.max_line:
                return None
            end = data.find(b"\n", at)
            return at, len(data) if end < 0 else end + 1
        return None

    def _hand_out(self, data: bytes) -> Lines:
        lines = Lines(data, self.position)
        self.position += newlines(data)
        self._advance(data)
        if not data.endswith(b"\n"):
            self.position += 1
            self.inside = True
            self.unfinished = len(data) - data.rfind(b"\n") - 1
        return lines

    def _advance(self, data: bytes) -> None:
        self.offset += len(data)
        self.tail = data[-TAIL:] if len(data) >= TAIL else (self.tail + data)[-TAIL:]
