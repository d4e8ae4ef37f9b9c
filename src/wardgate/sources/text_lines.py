"""The parser of every text layout: the fast path for clean lines, the regular expression for the rest."""

from datetime import tzinfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wardgate.core.observed import Parsed, Reason, Reject, observed_table
from wardgate.sources.access import NUMBERS, Fields, access_columns
from wardgate.sources.columnar import Doubt, Positions, column_plan
from wardgate.sources.format import Fit, LineParser, Lines, State, newlines, places_of
from wardgate.sources.layout import Layout
from wardgate.sources.times import zone

_SMALL = 2048  # lines that are not worth halving again


class TextParser:
    """Parses lines of one layout. `fast=False` uses the reference alone (to compare the two)."""

    def __init__(self, layout: Layout, *, timezone: str | None = None, fast: bool = True) -> None:
        self._layout = layout
        self._pattern = layout.pattern()
        self._names = layout.fields
        self._zone: tzinfo = zone(timezone)
        self._plan = column_plan(layout) if fast else None

    @property
    def state(self) -> State:
        return {}

    def parse(self, lines: Lines) -> Parsed:
        if not lines.data:
            return Parsed(nothing())
        data = lines.data if lines.data.endswith(b"\n") else lines.data + b"\n"
        data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
        count = newlines(data)
        return self.parse_at(data, np.arange(lines.first, lines.first + count, dtype=np.int64))

    def parse_at(self, data: bytes, positions: Positions) -> Parsed:
        """Parse lines that stand at these positions; each ends with a bare newline."""
        parts: list[Parsed] = []
        if self._plan is None:
            self._reference(data.split(b"\n")[:-1], positions, parts)
        else:
            data, positions = self._set_aside(data, positions, parts)
            odd = self._plan.odd_lines(data) if data else None
            if odd is not None:
                data, positions = self._without(odd, data, positions, parts)
            self._columns(data, positions, parts)
        return together(parts)

    def _set_aside(self, data: bytes, positions: Positions, parts: list[Parsed]) -> tuple[bytes, Positions]:
        """Take out lines that the fast path must not see, and give them to the reference."""
        unsure = [byte for byte in (b"\\", b"\r", b"\0") if byte in data]
        broken = not data.isascii() and not _is_utf8(data)
        ends = places_of(10, data)  # a search for b"\n\n" takes three times as long
        blank = data.startswith(b"\n") or (np.diff(ends) == 1).any()
        if not unsure and not broken and not blank:
            return data, positions
        dirty = np.zeros(len(ends), bool)
        for byte in unsure:
            dirty[np.searchsorted(ends, places_of(byte[0], data))] = True
        if broken:
            dirty[np.searchsorted(ends, np.flatnonzero(np.frombuffer(data, np.uint8) >= 0x80))] = True
        starts = np.concatenate(([0], ends[:-1] + 1))
        dirty |= starts == ends
        return self._without(dirty, data, positions, parts)

    def _without(
        self, dirty: npt.NDArray[np.bool_], data: bytes, positions: Positions, parts: list[Parsed]
    ) -> tuple[bytes, Positions]:
        """What remains when the reference has read the `dirty` lines."""
        ends = places_of(10, data)
        starts = np.concatenate(([0], ends[:-1] + 1))
        chosen = np.flatnonzero(dirty)
        self._reference([data[starts[i] : ends[i]] for i in chosen], positions[chosen], parts)
        kept, at = [], 0
        for i in chosen:
            kept.append(data[at : starts[i]])
            at = int(ends[i]) + 1
        kept.append(data[at:])
        return b"".join(kept), positions[~dirty]

    def _columns(self, data: bytes, positions: Positions, parts: list[Parsed]) -> None:
        if not len(positions):
            return
        if self._plan is None:
            raise ValueError("a layout without columns has no fast path")
        try:
            fields, left = self._plan.read(data, len(positions))
        except Doubt:
            if len(positions) <= _SMALL:
                self._reference(data.split(b"\n")[:-1], positions, parts)
                return
            middle = data.find(b"\n", len(data) // 2) + 1
            lines = data.count(b"\n", 0, middle)
            if not 0 < lines < len(positions):
                self._reference(data.split(b"\n")[:-1], positions, parts)
                return
            self._columns(data[:middle], positions[:lines], parts)
            self._columns(data[middle:], positions[lines:], parts)
            return
        raw: list[bytes] = []
        if left.any():
            raw = data.split(b"\n")
            self._reference([raw[i] for i in np.flatnonzero(left)], positions[left], parts)
        if fields:
            self._finish(fields, np.flatnonzero(~left), positions, raw or data, parts)

    def _reference(self, raw: list[bytes], positions: Positions, parts: list[Parsed]) -> None:
        """Every line by the regular expression."""
        rows: list[tuple[str | None, ...]] = []
        kept: list[int] = []
        rejects: list[Reject] = []
        blank = 0
        unescape = self._layout.unescape
        for i, line in enumerate(raw):
            if not line.strip():
                blank += 1
                continue
            found = self._pattern.match(line.decode("utf-8", "replace"))
            if found is None:
                rejects.append(Reject(int(positions[i]), Reason.NOT_FORMAT, line))
                continue
            values: list[str | None] = [
                None if value in ("-", "", None) else value for value in found.groups()
            ]
            if unescape is not None and b"\\" in line:
                values = [unescape(value) if value else value for value in values]
            rows.append(tuple(values))
            kept.append(i)
        skipped = {"blank": blank} if blank else {}
        parts.append(Parsed(nothing(), rejects, skipped))
        if not rows:
            return
        fields: dict[str, pa.Array] = {}
        wrong = np.zeros(len(rows), bool)
        for name, column in zip(self._names, zip(*rows, strict=True), strict=True):
            fields[name] = (
                _numbers(column, NUMBERS[name], wrong) if name in NUMBERS else pa.array(column, pa.string())
            )
        at = np.array(kept)
        if wrong.any():
            bad = at[wrong]
            parts.append(
                Parsed(nothing(), [Reject(int(positions[i]), Reason.BAD_VALUE, raw[i]) for i in bad])
            )
            at = at[~wrong]
            fields = {name: array.filter(pa.array(~wrong)) for name, array in fields.items()}
        if len(at):
            self._finish(fields, at, positions, raw, parts)

    def _finish(
        self,
        fields: Fields,
        rows: "Positions",
        positions: Positions,
        raw: list[bytes] | bytes,
        parts: list[Parsed],
    ) -> None:
        """Observed columns of the rows whose values hold; rejects for those that do not."""
        layout = self._layout
        refined = layout.refine(dict(fields)) if layout.refine is not None else fields
        columns, bad = access_columns(
            refined, layout.stamp, layout.precision_us, self._zone, layout.time_format
        )
        rejects: list[Reject] = []
        good = np.ones(len(rows), bool)
        if bad:
            lines = raw if isinstance(raw, list) else raw.split(b"\n")
            for reason, mask in bad.items():
                rejects += [Reject(int(positions[i]), reason, lines[i]) for i in rows[mask & good]]
                good &= ~mask
        columns["position"] = pa.array(positions[rows], pa.int64())
        table = observed_table(columns)
        parts.append(Parsed(table if good.all() else table.filter(pa.array(good)), rejects))


def layout_fit(layout: Layout, sample: bytes, title: str) -> Fit | None:
    """Fit of a text layout: the share of the sample's lines that have its shape."""
    return parser_fit(TextParser(layout, fast=False), sample, title)


def parser_fit(parser: LineParser, sample: bytes, title: str) -> Fit | None:
    """Fit of what `parser` parses: the share of the sample's first lines that it accepts.

    A scanner's garbage in the request field still has the format's shape and counts for it.
    """
    lines = sample.split(b"\n")[:200]
    parsed = parser.parse(Lines(b"\n".join(lines)))
    seen = parsed.read - sum(parsed.skipped.values())
    shaped = parsed.accepted + sum(reject.reason is Reason.BAD_REQUEST for reject in parsed.rejects)
    if not seen or not parsed.accepted:
        return None
    return Fit(shaped / seen, f"{shaped} of {seen} lines have the shape of {title}")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def nothing() -> pa.Table:
    return pa.table({"position": pa.array([], pa.int64())})


def _numbers(
    column: tuple[str | None, ...], kind: pa.DataType, wrong: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
) -> pa.Array:
    """Strings to numbers; marks in `wrong` the rows whose string is none."""
    convert = float if pa.types.is_floating(kind) else int
    out: list[float | int | None] = []
    for i, value in enumerate(column):
        try:
            number = convert(value) if value is not None else None
        except ValueError:
            number = None
            wrong[i] = True
        if number is not None and not -(2**63) < number < 2**63:
            number = None
            wrong[i] = True
        out.append(number)
    return pa.array(out, kind)


def together(parts: list[Parsed]) -> Parsed:
    """Parts of one chunk as one, rejects in the order of their positions."""
    tables = [part.table for part in parts if part.table.num_rows]
    rejects = sorted(
        (reject for part in parts for reject in part.rejects), key=lambda reject: reject.position
    )
    skipped: dict[str, int] = {}
    for part in parts:
        for rule, count in part.skipped.items():
            skipped[rule] = skipped.get(rule, 0) + count
    if not tables:
        return Parsed(nothing(), rejects, skipped)
    if len(tables) == 1:
        return Parsed(tables[0], rejects, skipped)
    return Parsed(
        pa.concat_tables([_loose(table) for table in tables], promote_options="permissive"), rejects, skipped
    )


def _loose(table: pa.Table) -> pa.Table:
    """Strings without dictionaries, so that parts can be put together."""
    columns = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))
