"""One followed file that is being read: a plain one as it grows, any other from where it was left to its end.

Nothing is handed out that may not be of the file any more: after each read, the bytes before it must still be
what they were. A file that was truncated or written anew under our hands is `Replaced`.
"""

import io
import os
from collections.abc import Iterator
from typing import Protocol

from wardgate.core.observed import Parsed
from wardgate.pipeline import Reached
from wardgate.service.ingest import parsed_lines, parts
from wardgate.service.opening import Opened
from wardgate.sources.files import is_plain
from wardgate.sources.format import LineFormat, Options
from wardgate.sources.reader import MAX_LINE, TAIL, LineChunks
from wardgate.sources.text_lines import together

Part = tuple[Parsed, Reached]


class Replaced(Exception):  # noqa: N818 - a state of the file
    """The file is another one now, or begins anew."""


class Reader(Protocol):
    """Reads on from where an origin was left."""

    opened: Opened
    is_over: bool
    """Whether the input was read to its end and will not grow."""

    def read(self, size: int, *, final: bool = False) -> Part | None:
        """What there is, about `size` bytes of it. `final`: an unfinished last line counts as one.

        The next part may be read when this one was committed. Raises `Replaced` or `OSError`.
        """
        ...

    @property
    def lag(self) -> int:
        """Bytes that are there and were not read."""
        ...

    def close(self) -> None: ...


class Tail:
    """A plain file that may grow."""

    is_over = False

    def __init__(self, opened: Opened, format_: LineFormat, options: Options) -> None:
        self.opened = opened
        self.offset = opened.offset
        self._position = opened.position
        self._tail = opened.tail
        self._inside = opened.inside
        self._cut = opened.cut
        self._expected = opened.head
        self._handle = opened.stream.fileno()
        self._parser = format_.parser(options, opened.state or None)
        self._seen = (-1, -1)

    @property
    def size(self) -> int:
        return os.fstat(self._handle).st_size

    @property
    def lag(self) -> int:
        return max(self.size - self.offset, 0)

    def begin(self, size: int) -> bytes:
        """The first bytes of the file."""
        return os.pread(self._handle, size, 0)

    def before(self, offset: int) -> bytes:
        """The last bytes before an offset, as they stand in the file now."""
        start = max(offset - TAIL, 0)
        return os.pread(self._handle, offset - start, start)

    def is_intact(self) -> bool:
        """Whether what was read still stands in the file."""
        return self.size >= self.offset and self.before(self.offset) == self._tail

    def read(self, size: int, *, final: bool = False) -> Part | None:
        status = os.fstat(self._handle)
        seen = (status.st_size, status.st_mtime_ns)
        if seen == self._seen and not final:
            return None
        data = os.pread(self._handle, max(size, MAX_LINE + 1), self.offset)
        if not self.is_intact() or not data.startswith(self._expected[: len(data)]):
            raise Replaced
        is_all = self.offset + len(data) >= status.st_size
        if is_all:
            self._seen = seen
        self._expected = self._expected if not data else b""
        data = self._healed(data)
        if not data:
            return None
        chunks = LineChunks(
            io.BytesIO(data),
            self._position,
            self.offset,
            chunk=len(data) + 1,
            partial_tail=final and is_all,  # elsewhere it is only this slice that ends inside a line
            tail=self._tail,
            inside=self._inside,
        )
        found = list(parsed_lines(chunks, self._parser, self.opened.mark))
        self._position, self.offset = chunks.position, chunks.offset
        self._tail, self._inside = chunks.tail, chunks.inside
        if not found:
            return None
        return together([parsed for parsed, _ in found]) if len(found) > 1 else found[0][0], found[-1][1]

    def _healed(self, data: bytes) -> bytes:
        """With a line put together again that was rejected unfinished and goes on now."""
        if not data or not self._cut:
            return data
        cut, self._cut = self._cut, 0
        if data[:1] == b"\n":  # it was whole
            self.offset += 1
            self._tail = (self._tail + b"\n")[-TAIL:]
            return data[1:]
        self.offset -= cut
        self._tail = self.before(self.offset)
        return os.pread(self._handle, cut, self.offset) + data

    def close(self) -> None:
        self.opened.stream.close()


class Whole:
    """A compressed file or a document: read to its end, in parts."""

    def __init__(self, opened: Opened, options: Options, size: int, chunk: int) -> None:
        self.opened = opened
        self.is_over = False
        self.lag = size
        self._parts: Iterator[Part] = parts(opened, options, chunk)

    def read(self, size: int, *, final: bool = False) -> Part | None:
        part = next(self._parts, None)
        if part is None:
            self.is_over = True
            self.lag = 0
        return part

    def close(self) -> None:
        self.opened.stream.close()


def reader_of(opened: Opened, options: Options, size: int, chunk: int) -> Reader:
    """The reader of an input whose file has `size` bytes, decompressed `chunk` bytes at a time."""
    if is_plain(opened.stream) and isinstance(opened.format, LineFormat):
        return Tail(opened, opened.format, options)
    return Whole(opened, options, size, chunk)
