"""A parser for lines that may each have one of several layouts.

A proxy writes `{…}` only where headers are captured, a load balancer appends fields over the years, one
mesh has gateways of different versions: one log then holds several layouts. Each line goes to the first
layout that takes its shape. The layouts exclude one another, so their order is only a matter of speed,
and it is taken from the first lines of each chunk; those of `otherwise` may overlap and come last, in
their own order.
"""

from collections.abc import Sequence

import numpy as np

from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.sources.columnar import Positions
from wardgate.sources.format import Lines, State, newlines
from wardgate.sources.layout import Layout
from wardgate.sources.text_lines import TextParser, together

_LOOKED_AT = 20  # lines of a chunk that decide which layout is tried first


class SeveralLayouts:
    """Parses lines of any of `layouts`, else of `otherwise`; a line that fits none is `not-format`."""

    def __init__(
        self, layouts: Sequence[Layout], *, otherwise: Sequence[Layout] = (), timezone: str | None = None
    ) -> None:
        self._choices = [(one.pattern(), TextParser(one, timezone=timezone)) for one in layouts]
        self._last = [TextParser(one, timezone=timezone) for one in otherwise]

    @property
    def state(self) -> State:
        return {}

    def parse(self, lines: Lines) -> Parsed:
        data = lines.data if lines.data.endswith(b"\n") or not lines.data else lines.data + b"\n"
        data = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data
        count = newlines(data)
        return self.parse_at(data, np.arange(lines.first, lines.first + count, dtype=np.int64))

    def parse_at(self, data: bytes, positions: Positions) -> Parsed:
        """Parse lines that stand at these positions; each ends with a bare newline."""
        parts: list[Parsed] = []
        for parser in self._in_order(data):
            parsed = parser.parse_at(data, positions)
            strange = [one for one in parsed.rejects if one.reason is Reason.NOT_FORMAT]
            parsed.rejects = [one for one in parsed.rejects if one.reason is not Reason.NOT_FORMAT]
            parts.append(parsed)
            if not strange:
                break
            data = b"".join(one.raw + b"\n" for one in strange)
            positions = np.array([one.position for one in strange], np.int64)
        else:
            parts[-1].rejects += [Reject(one.position, Reason.NOT_FORMAT, one.raw) for one in strange]
        return together(parts)

    def _in_order(self, data: bytes) -> list[TextParser]:
        head = [line.decode("utf-8", "replace") for line in data.split(b"\n", _LOOKED_AT)[:_LOOKED_AT]]
        hits = [sum(pattern.match(line) is not None for line in head) for pattern, _ in self._choices]
        order = sorted(range(len(hits)), key=lambda i: -hits[i])
        return [self._choices[i][1] for i in order] + self._last
