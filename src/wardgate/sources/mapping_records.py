"""Records of a mapping file's JSON or delimited format: which key or column fills which field."""

import csv
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import msgspec
import pyarrow as pa

from wardgate.core.observed import Parsed, Reason
from wardgate.sources.access import NUMBERS
from wardgate.sources.format import Lines, State
from wardgate.sources.json_access import JsonAccessParser, NotFormatError
from wardgate.sources.json_columns import JsonColumns
from wardgate.sources.json_keys import JsonObject, value_at
from wardgate.sources.mapping_file import WHOLE, Mapping
from wardgate.sources.text_lines import nothing, together
from wardgate.sources.times import text_time, zone

_STAMPS = ("time_iso", "time_clf", "time_epoch")
_ABSENT = ("", "-")


def json_parser(mapping: Mapping, timezone: str | None) -> JsonAccessParser[JsonObject]:
    """Parses JSON lines by key paths."""
    fill = _Fill(mapping, zone(timezone))
    return JsonAccessParser(JsonObject, fill, timezone=timezone, absent=_ABSENT)


class _Fill:
    """Fills columns from records (objects, or rows by column name)."""

    def __init__(self, mapping: Mapping, default_zone: tzinfo) -> None:
        self._mapping = mapping
        self._zone = default_zone

    def __call__(self, records: list[JsonObject], out: JsonColumns) -> None:
        stamp = "started_at" if self._mapping.stamp == "start" else "ended_at"
        values = {
            name: [_present(value_at(record, path)) for record in records]
            for name, path in self._mapping.fields.items()
        }
        for name, value in self._mapping.constant.items():
            values.setdefault(name, [value] * len(records))
        if "date" in values and "time" in values:
            days, times = values.pop("date"), values.pop("time")
            values["time_iso"] = [
                f"{day} {time}" if day is not None and time is not None else None
                for day, time in zip(days, times, strict=True)
            ]
        for name, found in values.items():
            if name in _STAMPS:
                out.stamp(stamp, found)
            elif name == "time_text":
                self._text_stamps(stamp, found, out)
            elif name in WHOLE:
                _whole(name, found, out)
            elif name in NUMBERS:
                out.number(name, found)
            elif name != "request":
                out.text("target" if name == "url" else name, found)
        if "request" in values:
            out.request([one if isinstance(one, str) else None for one in values["request"]])

    def _text_stamps(self, stamp: str, values: Sequence[object], out: JsonColumns) -> None:
        form = self._mapping.time_format or ""
        times = [text_time(one, form, self._zone) if isinstance(one, str) else None for one in values]
        out.stamps[stamp] = pa.array(times, pa.int64())
        out.columns["precision_us"] = pa.array([self._mapping.precision_us] * out.count, pa.int64())
        out.reject(
            Reason.BAD_TIME,
            [time is None and one is not None for time, one in zip(times, values, strict=True)],
        )


def _present(value: object) -> object:
    return None if value in _ABSENT else value


def _whole(name: str, values: Sequence[object], out: JsonColumns) -> None:
    """Header maps and bodies; a body that is no text stays as JSON."""
    if name.endswith("_headers"):
        out.headers(name, [one if isinstance(one, dict) else None for one in values])
        return
    bodies = [_body(one) for one in values]
    out.columns[name] = pa.array(bodies, pa.large_binary())


def _body(value: object) -> bytes | None:
    if value is None:
        return None
    return value.encode("utf-8", "replace") if isinstance(value, str) else msgspec.json.encode(value)


class CsvParser:
    """Parses delimited lines; the first line names the columns unless the mapping does."""

    def __init__(self, mapping: Mapping, timezone: str | None, state: State | None) -> None:
        self._mapping = mapping
        self._timezone = timezone
        self._columns: list[str] | None = (state or {}).get("columns") or list(mapping.columns) or None

    @property
    def state(self) -> State:
        return {"columns": self._columns}

    def parse(self, lines: Lines) -> Parsed:
        """Lines of cells; a header's is skipped by the rule `header`. A record is one line."""
        skipped: dict[str, int] = {}
        data, first = lines.data, lines.first
        while self._columns is None and data:
            line, _, data = data.partition(b"\n")
            first += 1
            if not line.strip():
                skipped["blank"] = skipped.get("blank", 0) + 1
                continue
            self._columns = [name.strip() for name in self._cells(line.removeprefix(b"\xef\xbb\xbf")) or []]
            skipped["header"] = 1
        if not data:
            return Parsed(nothing(), skipped=skipped)
        inner: JsonAccessParser[JsonObject] = JsonAccessParser(
            JsonObject,
            _Fill(self._mapping, zone(self._timezone)),
            timezone=self._timezone,
            absent=_ABSENT,
            decode=self._decode,
        )
        return together([inner.parse(Lines(data, first)), Parsed(nothing(), skipped=skipped)])

    def _decode(self, line: bytes) -> dict[str, Any]:
        cells = self._cells(line)
        columns = self._columns or []
        if cells is None or len(cells) != len(columns):
            raise NotFormatError
        return dict(zip(columns, cells, strict=True))

    def _cells(self, line: bytes) -> list[str] | None:
        text = line.decode("utf-8", "replace").removesuffix("\r")
        try:
            return next(csv.reader([text], delimiter=self._mapping.delimiter, strict=True), None)
        except csv.Error:
            return None
