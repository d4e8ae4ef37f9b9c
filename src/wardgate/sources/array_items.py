"""The items of one array inside a JSON document of any size, as raw bytes, in bounded memory.

For documents too large to hold, or broken off: every item that is whole comes out, whatever follows. Only
brackets and strings are looked at; whether an item is good JSON is for its decoder to say. Each byte is
looked at a fixed number of times (items that look like the one before are taken many at a time, by the JSON
decoder: a tenth of the price), and no more than `max_item` bytes of one item are kept, so neither
endless strings nor endless nesting cost more than reading them. (ijson's `items` builds the path of every
nesting level as a string: 100 kB of `[` take it more than 20 GB.)
"""

import re
from dataclasses import dataclass, field

import msgspec

_KEPT = 4096  # bytes of an over-long item that are kept to show its shape
_QUOTE, _COLON, _OPEN, _CLOSE = b'"'[0], b":"[0], frozenset(b"{["), frozenset(b"}]")

_OUTSIDE = re.compile(rb'[^"{}\[\]:]*+')
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BETWEEN = re.compile(rb"[ \t\r\n,]*+")
_OPENING = re.compile(rb"[{\[]*+")
_SCALAR = re.compile(rb'[^ \t\r\n,"{}\[\]]*+')


def _filler(levels: int) -> bytes:
    """What lies between brackets, with whole strings, and whole values nested up to `levels` deep."""
    text = rb'[^"{}\[\]]*+'
    string = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
    filler = text + rb"(?:" + string + text + rb")*+"
    for _ in range(levels):
        filler = text + rb"(?:(?:" + string + rb"|[{\[]" + filler + rb"[}\]])" + text + rb")*+"
    return filler


_MARK = 24
"""Bytes that tell where an item ends and the next begins: how the one ended, and how the other does."""
_FILLER = re.compile(_filler(3), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its bytes, or its first bytes when it was longer than the limit."""

    raw: bytes = field(repr=False)
    too_long: bool = False


class ArrayItems:
    """Feed it the document in pieces of any size; it answers the items that became whole.

    `path` names the array by the keys that lead to it. `found` says that it began, `done` that it ended;
    `partial` is what has come of an item that is not whole yet; `used` is how much of the last piece was
    looked at (all of it, unless the array ended there).
    """

    def __init__(self, path: tuple[str, ...], max_item: int) -> None:
        self._path = [f'"{key}"'.encode() for key in path]
        self._max_item = max_item
        self._items: list[Item] = []
        self._kept = bytearray()
        self._length = 0
        self._depth = 0  # of nesting in the document; once the array is found, in the item
        self._in_string = False
        self._escaped = False
        self._keys = [b""] * len(path)  # the key open on each level that matters; `[` in an array
        self._key = b""
        self._mark = b""  # how the last item ended and the next began
        self.found = False
        self.done = False
        self.used = 0

    @property
    def partial(self) -> bytes:
        return bytes(self._kept)

    @property
    def open(self) -> bool:
        """Whether the document, as far as it came, goes on."""
        return self.found or self._depth > 0 or self._in_string

    def feed(self, data: bytes) -> list[Item]:
        """The items that `data` completes. What follows the array is passed over."""
        at = 0
        leaping = True
        while at < len(data) and not self.done:
            if leaping and self.found and not self._depth and not self._length:
                end = self._leap(data, at) if self._mark else at
                leaping = end > at or not self._mark
                at = end
            before = at
            at = self._step(data, at) if self.found else self._seek(data, at)
            self._learn(data, before, at)
        self.used = at
        items, self._items = self._items, []
        return items

    def _leap(self, data: bytes, at: int) -> int:
        """Take all items up to the last place that looks like the end of one; `at` where there is none.

        What the decoder takes for a list of whole items is one: a place inside of a string, or deeper, leaves
        a string or a bracket open.
        """
        start = _end(_BETWEEN, data, at)
        end = data.rfind(self._mark, start) + 1
        if end <= start:
            return at
        try:
            found = msgspec.json.decode(b"[%b]" % data[start:end], type=list[msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return at
        for one in found:
            raw = bytes(one)
            too_long = len(raw) > self._max_item
            self._items.append(Item(raw[:_KEPT] if too_long else raw, too_long))
        return end

    def _learn(self, data: bytes, at: int, end: int) -> None:
        """Where an item ended just now inside of `data`, note how it did and how the next one begins."""
        if self.found and not self.done and not self._depth and not self._length and end > at:
            following = _end(_BETWEEN, data, end)
            if following > end and len(data) - following >= _MARK:
                self._mark = data[end - 1 : following + _MARK]

    def _seek(self, data: bytes, at: int) -> int:
        """One step before the array: follow the keys."""
        if self._in_string:
            end = self._string(data, at)
            self._key = (self._key + data[at : min(end, at + _KEPT)])[:_KEPT]
            return end
        at = _end(_OUTSIDE, data, at)
        if at == len(data):
            return at
        byte, level = data[at], self._depth
        if byte == _QUOTE:
            self._in_string, self._key = True, b'"'
        elif byte == _COLON:
            if 0 < level <= len(self._keys) and self._keys[level - 1] != b"[":
                self._keys[level - 1] = self._key
        elif byte in _CLOSE:
            self._depth = max(level - 1, 0)
        elif byte == b"["[0] and level == len(self._path) and self._keys == self._path:
            self.found, self._depth = True, 0
        else:
            if level < len(self._keys):
                self._keys[level] = b"[" if byte == b"["[0] else b""
            self._depth += 1
        return at + 1

    def _step(self, data: bytes, at: int) -> int:
        """One step inside the array: to the next bracket that matters, or to the end of a string."""
        if self._in_string:
            end = self._string(data, at)
        elif self._depth:
            end = _end(_FILLER, data, at)
            if end < len(data):
                end = self._enter(data, end)
        elif self._length:
            end = _end(_SCALAR, data, at)
            if end == at:
                self._whole()
                return at
            self._keep(data[at:end])
            return end
        else:
            at = _end(_BETWEEN, data, at)
            if at == len(data):
                return at
            if data[at] in _CLOSE:
                self.done = True
                return at + 1
            end = self._enter(data, at)
        self._keep(data[at:end])
        if not self._depth and not self._in_string and data[end - 1] in b'}]"':
            self._whole()
        return end

    def _enter(self, data: bytes, at: int) -> int:
        """Past the byte at `at`; a run of opening brackets is one step."""
        byte = data[at]
        if byte in _OPEN:
            end = _end(_OPENING, data, at)
            self._depth += end - at
            return end
        if byte in _CLOSE:
            self._depth -= 1
        elif byte == _QUOTE:
            self._in_string = True
        return at + 1

    def _string(self, data: bytes, at: int) -> int:
        """Where the string that is open at `at` ends, just after its quote, or where `data` does."""
        if self._escaped:
            self._escaped = False
            at += 1
        end = _end(_IN_STRING, data, at)
        if end >= len(data):
            return len(data)
        if data[end] == _QUOTE:
            self._in_string = False
        else:  # a backslash at the end of the piece
            self._escaped = True
        return end + 1

    def _keep(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length <= self._max_item:
            self._kept += piece
        else:
            self._kept += piece[:_KEPT]
            del self._kept[_KEPT:]

    def _whole(self) -> None:
        too_long = self._length > self._max_item
        self._items.append(Item(bytes(self._kept), too_long))
        self._kept.clear()
        self._length = 0


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    return found.end() if found is not None else at
