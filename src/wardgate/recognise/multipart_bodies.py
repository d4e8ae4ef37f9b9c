"""Multipart bodies (RFC 7578, RFC 2046) as objects: a part is a field by the name that it gives itself.

A part that is JSON or XML holds what it says. A file's name is looked at with its content, as one text: both
may tell of a person. Bodies that were cut off hold what came before. Parts without names (a batch of
requests) are a list. Of a part's headers only the name and file name of its `Content-Disposition` are read.
"""

import logging
import re
from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from wardgate.recognise.body_bounds import MOST_FIELDS
from wardgate.recognise.form_bodies import fields

_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=?-][0-9A-Za-z'()+_,./:=? -]{0,69})\r\n")
_HEADER = re.compile(rb"(?i)\r\ncontent-[a-z-]{1,40}:")
_HEADERS_WITHIN = 2_000
"""Bytes behind the boundary in which a part's first header of content stands."""

_UNHEARD = logging.Logger("multipart", logging.CRITICAL + 1)
"""What the parser would warn of is callers' doing."""

Read = Callable[[bytes], object]


class _Enough(Exception):  # noqa: N818 - the end of reading, no error
    pass


def looks_multipart(raw: bytes) -> bool:
    """Whether a body begins with a boundary and a part's headers."""
    found = _BOUNDARY.match(raw)
    return found is not None and _HEADER.search(raw, found.end() - 2, _HEADERS_WITHIN) is not None


def read_multipart(raw: bytes, read: Read) -> dict[str, object] | list[object] | None:
    """The fields of a multipart body, each as `read` has its bytes; None where it is none."""
    found = _BOUNDARY.match(raw)
    if found is None:
        return None
    parts = _Parts(read)
    parser = MultipartParser(
        found[1].rstrip(),
        {
            "on_part_begin": parts.begin,
            "on_header_field": parts.name,
            "on_header_value": parts.value,
            "on_header_end": parts.header,
            "on_part_data": parts.data,
            "on_part_end": parts.end,
        },
    )
    parser.logger = _UNHEARD
    try:
        parser.write(raw)
    except _Enough:
        pass
    except (FormParserError, ValueError):
        if not parts.found:
            return None
    else:
        parts.end()
    return parts.all()


class _Parts:
    """Takes the parser's events."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self.found: list[tuple[str | None, object]] = []
        self._name, self._value = bytearray(), bytearray()
        self._own: tuple[str | None, str | None] = None, None
        self._content: bytearray | None = None

    def begin(self) -> None:
        if len(self.found) >= MOST_FIELDS:
            raise _Enough
        self._name, self._value, self._own = bytearray(), bytearray(), (None, None)
        self._content = bytearray()

    def name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header(self) -> None:
        if bytes(self._name).strip().lower() == b"content-disposition":
            _, options = parse_options_header(self._value.decode("latin-1"))
            self._own = _text(options.get(b"name")), _text(options.get(b"filename"))
        self._name, self._value = bytearray(), bytearray()

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._content is not None:
            self._content += data[start:end]

    def end(self) -> None:
        """A part is whole, or the body ends in it."""
        if self._content is None:
            return
        name, file = self._own
        held = self._read(bytes(self._content))
        if file is not None and (held is None or isinstance(held, str)):
            held = f"{file}\n{held}" if held else file
        self.found.append((name, held))
        self._content = None

    def all(self) -> dict[str, object] | list[object]:
        if all(name is None for name, _ in self.found):
            return [held for _, held in self.found]
        return fields((name or "", held) for name, held in self.found)


def _text(raw: bytes | None) -> str | None:
    """A parameter as browsers send it: UTF-8."""
    return None if raw is None else raw.decode("utf-8", "replace")
