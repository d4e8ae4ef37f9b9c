"""JSON documents that hold many records in one array, read with the line format of those records.

What `gcloud logging read --format json` prints, what Azure's Event Hubs carry (`{"records": […]}`, one
after another), what Kong's plugins post in batches. The items are found by `ArrayItems` in bounded memory
and handed to the line parser as lines, so a record means the same in either form. Positions count items.
"""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from wardgate.core.observed import Parsed, Reason, Reject, observed_table
from wardgate.sources.array_items import ArrayItems, Item
from wardgate.sources.format import Fit, LineFormat, LineParser, Lines, Options
from wardgate.sources.reader import MAX_LINE, BrokenCompression, read_some

_PIECE = 1 << 18
_KEPT = 4096  # bytes of a document that is none, kept to show its shape
_LOOKED_AT = 50
_BOM = b"\xef\xbb\xbf"


class JsonArray:
    """A document format: `lines` reads the items, `key` is where the array stands in an object."""

    name: str
    title: str
    reference: str
    lines: LineFormat
    key: str

    def fit(self, sample: bytes) -> Fit | None:
        head = sample.removeprefix(_BOM).lstrip()
        path = _path(head, self.key)
        if path is None:
            return None
        scanner = ArrayItems(path, MAX_LINE)
        items = scanner.feed(head)[:_LOOKED_AT]
        found = self.lines.fit(b"\n".join(_line(item.raw) for item in items)) if items else None
        if found is None:
            return None
        return Fit(found.score, f"a JSON array whose items fit: {found.why}")

    def read(self, stream: BinaryIO, options: Options) -> Iterator[Parsed]:
        parser = self.lines.parser(options)
        position = 0
        for items, broken in _documents(stream, self.key):
            if items:
                yield _parsed(parser, items, position)
                position += len(items)
            if broken is not None:
                nothing = observed_table({"position": pa.array([], pa.int64())})
                yield Parsed(nothing, [Reject(position, broken[0], broken[1])])
                position += 1


def _path(head: bytes, key: str) -> tuple[str, ...] | None:
    """The way to the array: none for an array, the key in an object; None for anything else."""
    if head.startswith(b"["):
        return ()
    return (key,) if head.startswith(b"{") else None


def _documents(stream: BinaryIO, key: str) -> Iterator[tuple[list[Item], tuple[Reason, bytes] | None]]:
    """Items as they come, of one document after another; last, what was wrong with the rest."""
    scanner: ArrayItems | None = None
    left = head = b""
    is_first = True
    for piece in _pieces(stream):
        left += piece
        while left:
            if scanner is None:
                if is_first and len(left) < len(_BOM) and _BOM.startswith(left):
                    break  # the rest of the mark may come
                left = (left.removeprefix(_BOM) if is_first else left).lstrip(b" \t\r\n,}")
                path = _path(left, key)
                if path is None:
                    break
                scanner, head, is_first = ArrayItems(path, MAX_LINE), left[:_KEPT], False
            items = scanner.feed(left)
            left = left[scanner.used :]
            if items:
                yield items, None
            if scanner.done:
                scanner = None
        if left:
            break
    if scanner is not None:
        is_whole = not scanner.found and not scanner.open
        reason = Reason.NOT_FORMAT if is_whole else Reason.TRUNCATED
        yield [], (reason, scanner.partial[:_KEPT] or head)
    elif left:
        yield [], (Reason.NOT_FORMAT, left[:_KEPT])


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            piece = read_some(stream, _PIECE)
        except BrokenCompression:
            return
        if not piece:
            return
        yield piece


def _parsed(parser: LineParser, items: list[Item], first: int) -> Parsed:
    long = [i for i, item in enumerate(items) if item.too_long]
    data = b"\n".join(b"" if item.too_long else _line(item.raw) for item in items) + b"\n"
    parsed = parser.parse(Lines(data, first))
    for i in long:  # stood in as blank lines, to keep the count
        parsed.rejects.append(Reject(first + i, Reason.TOO_LONG, items[i].raw))
    if long:
        parsed.skipped["blank"] -= len(long)
        parsed.skipped = {rule: count for rule, count in parsed.skipped.items() if count}
        parsed.rejects.sort(key=lambda one: one.position)
    return parsed


def _line(item: bytes) -> bytes:
    """An item on one line: a newline is white space in JSON, and cannot stand inside its strings."""
    return item.replace(b"\n", b" ")
