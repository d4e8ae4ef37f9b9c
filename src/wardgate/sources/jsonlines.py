"""JSON logs, one object a line: decoded in one go with msgspec, line by line only when one is broken.

A JSON format is a `msgspec.Struct` that names the vendor's fields (all optional, unknown ones ignored) and
a function from a list of those structs to observed columns, and to what is wrong with some of them.
`JsonLinesParser` does the rest: blank lines skipped, broken lines rejected with a reason, positions kept.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from wardgate.core.observed import Parsed, Reason, Reject, observed_table
from wardgate.sources.format import Fit, Lines, State, places_of

_LOOKED_AT = 200  # lines of a sample that decide how well it fits
Record = TypeVar("Record")
Columns = dict[str, pa.Array | pa.ChunkedArray]
ToColumns = Callable[[list[Record]], tuple[Columns, Mapping[int, Reason]]]
"""From decoded records (n) to observed columns of length n, without `position`, and the reasons why some of
them (by index) can be no calls."""


class JsonLinesParser(Generic[Record]):
    """Parses lines into `record` structs, and those into columns."""

    def __init__(self, record: type[Record], to_columns: ToColumns[Record]) -> None:
        self._decoder = msgspec.json.Decoder(record, strict=False)
        self._to_columns = to_columns

    @property
    def state(self) -> State:
        return {}

    def parse(self, lines: Lines) -> Parsed:
        records, positions, rejects, blank = self._decode(lines)
        columns, unfit = self._to_columns(records)
        table = observed_table({"position": pa.array(positions, pa.int64()), **columns})
        if unfit:
            raw = lines.data.split(b"\n")
            keep = np.ones(len(records), bool)
            for i, reason in unfit.items():
                keep[i] = False
                at = int(positions[i])
                rejects.append(Reject(at, reason, raw[at - lines.first]))
            rejects.sort(key=lambda reject: reject.position)
            table = table.filter(pa.array(keep))
        return Parsed(table, rejects, {"blank": blank} if blank else {})

    def _decode(
        self, lines: Lines
    ) -> tuple[list[Record], "np.ndarray[tuple[int], np.dtype[np.int64]]", list[Reject], int]:
        try:
            records = self._decoder.decode_lines(lines.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass
        else:
            if _is_one_object_a_line(lines.data, len(records)):
                return records, np.arange(lines.first, lines.first + len(records), dtype=np.int64), [], 0
        raw = lines.data.split(b"\n")
        if raw and not raw[-1]:
            raw.pop()
        records, positions, rejects, blank = [], [], [], 0
        for at, line in enumerate(raw, lines.first):
            if not line.strip():
                blank += 1
                continue
            try:
                records.append(self._decoder.decode(line))
                positions.append(at)
            except msgspec.ValidationError:
                rejects.append(
                    Reject(at, Reason.BAD_VALUE if line.lstrip()[:1] == b"{" else Reason.NOT_JSON, line)
                )
            except UnicodeDecodeError:
                rejects.append(Reject(at, Reason.NOT_UTF8, line))
            except (msgspec.MsgspecError, RecursionError):
                rejects.append(Reject(at, Reason.NOT_JSON, line))
        return records, np.array(positions, np.int64), rejects, blank


def _is_one_object_a_line(data: bytes, records: int) -> bool:
    """Whether there are as many lines as records, and each begins one: so each is one, and none is blank."""
    raw = np.frombuffer(data, np.uint8)
    starts = places_of(ord("\n"), data) + 1
    if len(starts) and starts[-1] == len(raw):
        starts = starts[:-1]
    return (
        len(raw) > 0
        and len(starts) + 1 == records
        and data[:1] == b"{"
        and bool((raw[starts] == ord("{")).all())
    )


def json_fit(
    sample: bytes,
    title: str,
    must: Sequence[str],
    may: Sequence[str] = (),
    aside: Callable[[dict[str, Any]], bool] | None = None,
) -> Fit | None:
    """Fit of JSON lines by their keys: the share of objects that have all of `must`, more with `may`.

    Score: 0.6 for the must-have keys, up to 0.4 more for the share of `may` seen in the first objects. A
    key is a path divided by dots; `a|b` is either of two. Objects for which `aside` holds do not count: the
    format passes over them by a rule.
    """
    hits, seen, extras = 0, 0, 0.0
    for line in sample.split(b"\n")[:_LOOKED_AT]:
        if not line.strip():
            continue
        try:
            value = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            seen += 1
            continue
        if aside is not None and isinstance(value, dict) and aside(value):
            continue
        seen += 1
        if isinstance(value, dict) and all(_has(value, key) for key in must):
            hits += 1
            extras += sum(_has(value, key) for key in may) / len(may) if may else 1.0
    if not hits:
        return None
    share = hits / seen
    score = share * (0.6 + 0.4 * extras / hits)
    return Fit(score, f"{hits} of {seen} lines are JSON with {', '.join(must)}, as {title} writes")


def _has(value: object, dotted: str) -> bool:
    """Whether nested objects hold the dotted key path (or one of several divided by `|`)."""
    if "|" in dotted:
        return any(_has(value, one) for one in dotted.split("|"))
    if isinstance(value, dict) and dotted in value:
        return True
    for part in dotted.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True
