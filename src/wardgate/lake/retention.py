"""Dropping what is past its time: calls by age, by service and by the lake's size; rejects; rollups.

Files that are wholly past go as they are; a file that is partly past is rewritten without those rows, once
for each day of the limit, so that the work is not repeated with every run. The ledger and the facts stay:
the accounting of what was read must remain true, and rollups name paths, credentials and callers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS
from wardgate.lake.files import TIMES, DataFile, data_files
from wardgate.lake.merging import TARGET
from wardgate.lake.rewriting import Turns, replace

DAY_US = 86_400_000_000


@dataclass(slots=True)
class Dropped:
    """Rows that went, by table."""

    rows: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, rows: int) -> None:
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows


def retain(turns: Turns, settings: LakeSettings, now_us: int) -> Dropped:
    """Drop everything past its retention. Raises what `replace` raises."""
    dropped = Dropped()
    _calls_by_age(turns, settings, now_us, dropped)
    for table, days in (
        ("rejects", settings.reject_retention_days),
        ("rollups", settings.rollup_retention_days),
        ("latencies", settings.rollup_retention_days),
        ("schemas", settings.rollup_retention_days),
        ("data_classes", settings.rollup_retention_days),
    ):
        if days is not None:
            _drop(turns, table, _limit(now_us, days), {}, dropped)
    if settings.retention_bytes is not None:
        _calls_by_size(turns, settings.retention_bytes, dropped)
    return dropped


def _calls_by_age(turns: Turns, settings: LakeSettings, now_us: int, dropped: Dropped) -> None:
    by_service = {name: _limit(now_us, days) for name, days in settings.service_retention_days.items()}
    general = _limit(now_us, settings.retention_days) if settings.retention_days is not None else None
    if general is not None or by_service:
        _drop(turns, "calls", general, by_service, dropped)


def _limit(now_us: int, days: int) -> int:
    """The start of the first day that is kept."""
    return (now_us - days * DAY_US) // DAY_US * DAY_US


def _drop(
    turns: Turns, table: str, general: int | None, by_service: Mapping[str, int], dropped: Dropped
) -> None:
    """Drop rows older than `general`, and those of a service older than its own limit instead."""
    past = _past(TIMES[table], general, by_service)
    latest = max([one for one in (general, *by_service.values()) if one is not None])
    earliest = min([one for one in (general, *by_service.values()) if one is not None])
    cursor = turns.cursor()
    try:
        files = data_files(cursor, table)
        candidates = [one for one in files if one.low_us is not None and one.low_us < latest]
        whole = [one for one in candidates if _wholly_past(one, general, earliest)]
        for group in _portions(whole):
            _replaced(turns, table, group, "false", dropped)
        gone = {one.path for one in whole}
        rest = [one for one in candidates if one.path not in gone]
        if rest:
            names = ", ".join("'" + one.path.replace("'", "''") + "'" for one in rest)
            found = cursor.execute(
                f"SELECT DISTINCT filename FROM {ALIAS}.{table} WHERE filename IN ({names}) AND ({past})"
            ).fetchall()
            hit = {path for (path,) in found}
            for one in rest:
                if one.path in hit:
                    _replaced(turns, table, [one], f"NOT coalesce({past}, false)", dropped)
    finally:
        cursor.close()


def _wholly_past(one: DataFile, general: int | None, earliest: int) -> bool:
    return general is not None and one.high_us is not None and one.high_us < min(general, earliest)


def _past(time: str, general: int | None, by_service: Mapping[str, int]) -> str:
    """The condition that holds for rows past their time."""
    cases = [
        f"WHEN service = '{name.replace(chr(39), chr(39) * 2)}' THEN {time} < make_timestamp({limit})"
        for name, limit in by_service.items()
    ]
    otherwise = f"{time} < make_timestamp({general})" if general is not None else "false"
    return f"CASE {' '.join(cases)} ELSE {otherwise} END" if cases else otherwise


def _replaced(turns: Turns, table: str, files: list[DataFile], keep: str, dropped: Dropped) -> None:
    done = replace(turns, table, files, lambda rows: f"SELECT * FROM {rows} WHERE {keep}")
    if done is not None:
        dropped.add(table, done.rows_before - done.rows_after)


def _calls_by_size(turns: Turns, most: int, dropped: Dropped) -> None:
    """Drop the files with the oldest calls until the lake is no larger than `most` bytes."""
    from wardgate.lake.tables import TABLES

    cursor = turns.cursor()
    try:
        total = sum(one.size for table in TABLES for one in data_files(cursor, table))
        calls = sorted(data_files(cursor, "calls"), key=lambda one: (one.high_us or 0, one.number))
    finally:
        cursor.close()
    past = []
    for one in calls:
        if total <= most:
            break
        past.append(one)
        total -= one.size
    for group in _portions(past):
        _replaced(turns, "calls", group, "false", dropped)


def _portions(files: list[DataFile]) -> list[list[DataFile]]:
    """Groups small enough for one short swap each."""
    out: list[list[DataFile]] = []
    size = 0
    for one in files:
        if not out or size + one.size > TARGET:
            out.append([])
            size = 0
        out[-1].append(one)
        size += one.size
    return out
