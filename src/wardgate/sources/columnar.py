"""The fast path for text layouts: clean lines read in columns by Arrow's CSV reader.

It must never mean anything else than the layout's regular expression. So it takes only lines without
backslashes, carriage returns, NULs and broken UTF-8, whose quotes stand around just the columns that the
layout quotes, checks that every newline ended exactly one row, that literals stand where they must, and that
numbers are numbers. What fails any of these is left to the reference: single rows where they can be named,
else the chunk is halved until the doubt is small.
"""

import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from wardgate.sources.access import NUMBERS
from wardgate.sources.format import places_of
from wardgate.sources.layout import Field, Layout, Piece

Positions = npt.NDArray[np.int64]
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
_ABSENT = ["-", ""]


class Doubt(Exception):  # noqa: N818 - a state of mind, not a failure
    """The rows cannot be trusted to be the lines; ask the reference."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one delimited column (or `width` of them) of the layout holds."""

    pieces: tuple[Piece, ...]
    first: int
    width: int

    @property
    def literal(self) -> str | None:
        if all(isinstance(piece, str) for piece in self.pieces):
            return "".join(str(piece) for piece in self.pieces)
        return None

    @property
    def single(self) -> Field | None:
        """The field, when the cell is nothing else."""
        if len(self.pieces) == 1 and isinstance(self.pieces[0], Field):
            return self.pieces[0]
        return None

    @property
    def dropped(self) -> bool:
        """Whether nothing of the cell is kept, so that it need not be read."""
        return self.single is not None and not self.single.name


@dataclass(slots=True)
class ColumnPlan:
    """How to read a layout in columns; made once per layout by `column_plan`."""

    cells: list[_Cell]
    columns: int
    skeleton: bytes
    """The delimiters and quotes of a line, what stands between quotes left out."""
    delimiter: str
    patterns: dict[int, re.Pattern[str]] = field(default_factory=dict)

    def read(self, data: bytes, count: int) -> tuple[dict[str, pa.Array], npt.NDArray[np.bool_]]:
        """Fields of the `count` lines in `data`, and which lines are left to the reference.

        The arrays have one entry for every line that is not left. Raises `Doubt`.
        """
        left: list[int] = []

        def odd(row: pacsv.InvalidRow) -> str:
            left.append(row.number)
            return "skip"

        names = [str(i) for i in range(self.columns)]
        wanted = [
            i for cell in self.cells if not cell.dropped for i in range(cell.first, cell.first + cell.width)
        ]
        try:
            table = pacsv.read_csv(
                pa.py_buffer(data),
                pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 16),
                pacsv.ParseOptions(
                    delimiter=self.delimiter,
                    quote_char='"' if self.quoted else False,
                    double_quote=False,
                    ignore_empty_lines=False,
                    invalid_row_handler=odd,
                ),
                pacsv.ConvertOptions(
                    column_types=self._types(),
                    include_columns=[names[i] for i in wanted],
                    null_values=["-"] if self._has_dash else _ABSENT,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid as error:
            raise Doubt from error
        if table.num_rows + len(left) != count:
            raise Doubt
        mask = np.zeros(count, bool)
        mask[[number - 1 for number in left]] = True
        if table.num_rows == 0:
            return {}, mask
        arrays = {i: _one(table.column(at)) for at, i in enumerate(wanted)}
        if self._has_dash:
            dashes = {cell.first for cell in self.cells if cell.literal == "-"}
            arrays = {i: one if i in dashes else _without_empty(one) for i, one in arrays.items()}
        return self._fields(arrays), mask

    @property
    def _has_dash(self) -> bool:
        """Whether a dash of its own stands in the layout: there, nothing at all is not the same."""
        return any(cell.literal == "-" for cell in self.cells)

    @property
    def quoted(self) -> bool:
        return b'"' in self.skeleton

    def odd_lines(self, data: bytes) -> npt.NDArray[np.bool_] | None:
        """Lines whose quotes are not those of the layout, exactly; None where there are none.

        Arrow would take `"a"b`, or quotes around another column, as well. `data` ends with a newline.
        """
        if not self.quoted:
            return None
        quote, space = ord('"'), ord(self.delimiter)
        marks = np.frombuffer(data.translate(None, _all_but(self.delimiter)), np.uint8)
        is_quote = marks == quote
        inside = np.logical_xor.accumulate(is_quote)  # from an opening quote on
        whole = marks[~inside | is_quote].tobytes()
        raw = np.frombuffer(data, np.uint8)
        quotes = places_of(quote, data)
        beside = np.concatenate((raw[quotes[::2] - 1], raw[quotes[1::2] + 1]))
        lines = len(whole) // (len(self.skeleton) + 1)
        clean = whole == (self.skeleton + b"\n") * lines
        if clean and ((beside == space) | (beside == ord("\n"))).all():
            return None
        return self._odd_lines(marks, raw, quotes)

    def _odd_lines(
        self, marks: npt.NDArray[np.uint8], raw: npt.NDArray[np.uint8], quotes: Positions
    ) -> npt.NDArray[np.bool_]:
        """The same line by line: each begins outside of quotes, whatever the one before it left open."""
        space, newline = ord(self.delimiter), ord("\n")
        is_quote, is_end = marks == ord('"'), marks == newline
        seen = np.cumsum(is_quote, dtype=np.int64)
        ends = np.flatnonzero(is_end)
        line = np.cumsum(is_end, dtype=np.int64) - is_end
        seen -= np.concatenate(([0], seen[ends[:-1]]))[line]
        kept = marks[(marks != space) | (seen & 1 == 0)].tobytes()
        odd = np.array([one != self.skeleton for one in kept.split(b"\n")[:-1]], bool)
        beside = np.where(seen[is_quote] & 1 == 1, raw[quotes - 1], raw[quotes + 1])
        loose = (beside != space) & (beside != newline)
        odd[line[is_quote][loose]] = True
        return odd

    def _types(self) -> dict[str, pa.DataType]:
        types: dict[str, pa.DataType] = {}
        for cell in self.cells:
            if cell.dropped:
                continue
            for i in range(cell.first, cell.first + cell.width):
                types[str(i)] = _DICTIONARY
            if cell.single is not None and cell.single.name in NUMBERS:
                types[str(cell.first)] = NUMBERS[cell.single.name]
        return types

    def _fields(self, arrays: dict[int, pa.Array]) -> dict[str, pa.Array]:
        out: dict[str, pa.Array] = {}
        for cell in self.cells:
            if cell.dropped:
                continue
            array = arrays[cell.first]
            for i in range(1, cell.width):
                array = _joined(array, arrays[cell.first + i], self.delimiter)
            if cell.literal is not None:
                _check_literal(array, cell.literal)
            elif cell.single is not None:
                _check_finite(array)
                out[cell.single.name] = array
            else:
                self._extract(cell, array, out)
        return out

    def _extract(self, cell: _Cell, array: pa.Array, out: dict[str, pa.Array]) -> None:
        """Fields between literals inside one column, once per distinct value."""
        pattern = self.patterns.get(cell.first)
        if pattern is None:
            pattern = self.patterns[cell.first] = Layout(cell.pieces).pattern()
        if array.null_count:
            raise Doubt
        found = [pattern.match(value) for value in array.dictionary.to_pylist()]
        if not all(found):
            raise Doubt
        names = [piece.name for piece in cell.pieces if isinstance(piece, Field) and piece.name]
        for group, name in enumerate(names, 1):
            values = [match[group] if match is not None else None for match in found]
            values = [None if value in _ABSENT else value for value in values]
            if name in NUMBERS:
                try:
                    out[name] = pa.array(values, pa.string()).cast(NUMBERS[name]).take(array.indices)
                except pa.ArrowInvalid as error:
                    raise Doubt from error
            else:
                out[name] = pc.dictionary_encode(pa.array(values, pa.string()).take(array.indices))


def column_plan(layout: Layout) -> ColumnPlan | None:
    """The plan for a layout, or None where it is not made of delimited columns."""
    cells: list[list[Piece]] = [[]]
    quoted = False
    skeleton = ""
    for piece in layout.pieces:
        if isinstance(piece, Field):
            if (piece.shape == "quoted") != quoted or piece.shape == "rest":
                return None
            if piece.shape == "words" and not piece.spaces:
                return None
            cells[-1].append(piece)
            skeleton += layout.delimiter * piece.spaces
            continue
        for part in re.split(f'({re.escape(layout.delimiter)}|")', piece):
            if part == '"':
                quoted = not quoted
                skeleton += part
                if quoted == bool(cells[-1]):  # quotes must be whole columns
                    return None
            elif part == layout.delimiter and not quoted:
                cells.append([])
                skeleton += part
            elif part:
                cells[-1].append(part)
    if any(not cell for cell in cells) or quoted:
        return None
    plan, first = [], 0
    for pieces in cells:
        width = 1 + sum(piece.spaces for piece in pieces if isinstance(piece, Field))
        plan.append(_Cell(tuple(pieces), first, width))
        first += width
    return ColumnPlan(plan, first, skeleton.encode(), layout.delimiter)


@cache
def _all_but(delimiter: str) -> bytes:
    """Every byte that is no structure."""
    return bytes(byte for byte in range(256) if byte not in (10, ord('"'), ord(delimiter)))


def _check_finite(array: pa.Array) -> None:
    """Raise `Doubt` where a floating number is none that a log could mean (`nan`, `1e999`)."""
    if pa.types.is_floating(array.type):
        finite = pc.less(pc.abs(array), 2.0**63)
        if not pc.all(finite, min_count=0).as_py():
            raise Doubt


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.unify_dictionaries().combine_chunks()


def _without_empty(array: pa.Array) -> pa.Array:
    """Nothing at all is absent, but where it stands for a literal."""
    if not pa.types.is_dictionary(array.type):
        return array
    empty = pc.equal(array.dictionary, "")
    if not pc.any(empty, min_count=0).as_py():
        return array
    indices = pc.if_else(empty.take(array.indices), pa.scalar(None, pa.int32()), array.indices)
    return pa.DictionaryArray.from_arrays(indices, array.dictionary)


def _joined(left: pa.Array, right: pa.Array, delimiter: str) -> pa.Array:
    """Two columns that are one value with a delimiter inside (a CLF stamp and its zone)."""
    if left.null_count or right.null_count:
        raise Doubt
    if len(right.dictionary) == 1:
        tail = right.dictionary[0].as_py()
        values = pc.binary_join_element_wise(left.dictionary, pa.scalar(tail, pa.string()), delimiter)
        return pa.DictionaryArray.from_arrays(left.indices, values)
    whole = pc.binary_join_element_wise(left.cast(pa.string()), right.cast(pa.string()), delimiter)
    return pc.dictionary_encode(whole)


def _check_literal(array: pa.Array, literal: str) -> None:
    """Raise `Doubt` unless every value is the literal ("-" was read as null)."""
    if literal in _ABSENT:
        if array.null_count != len(array):
            raise Doubt
    elif array.null_count or array.dictionary.to_pylist() != [literal]:
        raise Doubt
