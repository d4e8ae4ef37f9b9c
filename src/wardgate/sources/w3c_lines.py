"""The W3C extended log file: directives that say what the columns are, anywhere in the file.

Reference: W3C Working Draft WD-logfile-960323, "Extended Log File Format". `#Fields` may come again with
other fields; what was last said is the parser's state, so that a followed file can be gone on with. Columns
are divided by spaces, or by tabs (CloudFront). A value that holds spaces is quoted, a quote in it doubled;
IIS does neither and writes `+`. Lines before any `#Fields` cannot be read: `missing-field`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.sources.columnar import Positions
from wardgate.sources.format import Lines, State, newlines
from wardgate.sources.layout import Layout
from wardgate.sources.text_lines import TextParser, nothing, together

_DIRECTIVE = re.compile(rb"^#[^\n]*", re.MULTILINE)
_NAMED = re.compile(rb"#\s*(Fields|Software|Date)\s*:\s*(.*)", re.DOTALL | re.IGNORECASE)
_TOKEN = re.compile(r'"((?:[^"]|"")*)"(?= |\Z)|([^ ]+)')
_MANY_FIELDS = 256
_LONG = 4096


@dataclass(frozen=True, slots=True)
class Header:
    """What the directives said last."""

    fields: tuple[str, ...] = ()
    software: str = ""
    date: str = ""

    @property
    def quotes(self) -> bool:
        """Whether values may be quoted. IIS never does, and logs a client's quotes as they come."""
        return not self.software.lower().startswith("microsoft")


LayoutOf = Callable[[Header, str], Layout]
"""The layout of lines under a header, with this delimiter."""


class W3cParser:
    """Parses lines by the directives before them."""

    def __init__(self, layout_of: LayoutOf, state: State | None = None, *, timezone: str | None = None):
        self._layout_of = layout_of
        self._timezone = timezone
        known = state or {}
        self._header = Header(
            tuple(known.get("fields", ())), known.get("software", ""), known.get("date", "")
        )

    @property
    def state(self) -> State:
        return asdict(self._header) | {"fields": list(self._header.fields)}

    def parse(self, lines: Lines) -> Parsed:
        """A chunk of lines; those under the same directives are read together."""
        data = lines.data if lines.data.endswith(b"\n") or not lines.data else lines.data + b"\n"
        data = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data
        groups: dict[tuple[Header, str], list[tuple[bytes, Positions]]] = {}
        directives = 0
        for header, body, first in self._bodies(data):
            if header is None:
                directives += 1
                continue
            positions = np.arange(lines.first + first, lines.first + first + newlines(body), dtype=np.int64)
            for delimiter, some, at in _divided(body, positions):
                groups.setdefault((header, delimiter), []).append((some, at))
        parts = [self._parse(*key, some) for key, some in groups.items()]
        if directives:
            parts.append(Parsed(nothing(), skipped={"directive": directives}))
        return together(parts)

    def _bodies(self, data: bytes) -> Iterator[tuple[Header | None, bytes, int]]:
        """Runs of lines with their header and first line number; a directive with None."""
        at = line = 0
        if data.startswith(b"#") or b"\n#" in data:
            for found in _DIRECTIVE.finditer(data):
                body = data[at : found.start()]
                if body:
                    yield self._header, body, line
                    line += newlines(body)
                self._directive(found[0])
                yield None, b"", line
                line += 1
                at = found.end() + 1
        if at < len(data):
            yield self._header, data[at:], line

    def _directive(self, line: bytes) -> None:
        found = _NAMED.match(line[:_LONG])
        if found is None:
            return
        value = found[2].decode("utf-8", "replace").strip()
        match found[1].lower():
            case b"fields":
                self._header = replace(self._header, fields=tuple(value.split()[:_MANY_FIELDS]))
            case b"software":
                self._header = replace(self._header, software=value[:200])
            case b"date":
                self._header = replace(self._header, date=value[:10])

    def _parse(self, header: Header, delimiter: str, some: list[tuple[bytes, Positions]]) -> Parsed:
        data = b"".join(body for body, _ in some)
        positions = np.concatenate([at for _, at in some])
        layout = self._layout_of(header, delimiter)
        if not {"target", "url"} & set(layout.fields):
            return _without_fields(data, positions)
        parser = TextParser(layout, timezone=self._timezone)
        if delimiter == " " and header.quotes and b'"' in data:
            return _with_quotes(parser, data, positions, len(header.fields))
        return parser.parse_at(data, positions)


def _divided(body: bytes, positions: Positions) -> Iterator[tuple[str, bytes, Positions]]:
    """Lines with tabs apart from lines without: decided line by line, not by the company they keep."""
    if b"\t" not in body:
        yield " ", body, positions
        return
    raw = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(raw == 10)
    tabbed = np.zeros(len(ends), bool)
    tabbed[np.searchsorted(ends, np.flatnonzero(raw == 9))] = True
    if tabbed.all():
        yield "\t", body, positions
        return
    lines = body.split(b"\n")
    for delimiter, mask in (("\t", tabbed), (" ", ~tabbed)):
        yield delimiter, b"".join(lines[i] + b"\n" for i in np.flatnonzero(mask)), positions[mask]


def _with_quotes(parser: TextParser, data: bytes, positions: Positions, columns: int) -> Parsed:
    """Lines whose quoted values hold spaces: those are written `+`, as IIS does, and then read alike."""
    raw = data.split(b"\n")[:-1]
    bare = b"".join(_unquoted(line, columns) + b"\n" for line in raw)
    parsed = parser.parse_at(bare, positions)
    by_position = dict(zip(positions.tolist(), raw, strict=True))
    parsed.rejects = [Reject(one.position, one.reason, by_position[one.position]) for one in parsed.rejects]
    return parsed


def _unquoted(line: bytes, columns: int) -> bytes:
    if b'"' not in line:
        return line
    text = line.decode("utf-8", "surrogateescape")
    values = [
        one[1].replace('""', '"').replace(" ", "+") if one[1] is not None else one[2]
        for one in _TOKEN.finditer(text)
    ]
    if len(values) != columns:  # not quoting, but a client's own quotes
        return line
    return " ".join(value or "-" for value in values).encode("utf-8", "surrogateescape")


def _without_fields(data: bytes, positions: Positions) -> Parsed:
    rejects = []
    blank = 0
    for line, at in zip(data.split(b"\n")[:-1], positions.tolist(), strict=True):
        if line.strip():
            rejects.append(Reject(at, Reason.MISSING_FIELD, line))
        else:
            blank += 1
    return Parsed(nothing(), rejects, {"blank": blank} if blank else {})
