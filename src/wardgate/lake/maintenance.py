"""Upkeep of the lake beside its writers: merge, fold, drop what is past, and free the disk.

Safe to kill at any moment and to run in several processes. What must hold:
- no row is lost or doubled: every change is one transaction of `rewriting.replace`;
- no file that an open transaction writes or a running reader reads is deleted: files that left the lake go
  after `READERS_S`, longer than any query may take; files the catalogue does not know go after
  `ORPHANS_S`, longer than any transaction may take (`store.LONGEST_TRANSACTION_S`);
- writers wait for milliseconds: reading and writing files is done outside their turn.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS
from wardgate.lake.files import data_files
from wardgate.lake.folding import IDEMPOTENCY, ORIGIN, folded_ledger, merged
from wardgate.lake.freeing import ago, called, flush, free_disk, maintaining
from wardgate.lake.merging import groups, span
from wardgate.lake.retention import DAY_US, retain
from wardgate.lake.rewriting import Turns, refusals, replace
from wardgate.lake.store import LONGEST_TRANSACTION_S, Lake, LakeFull
from wardgate.lake.tables import TABLES

READERS_S = 60.0
"""How long a file stays after it left the lake: the longest that a query may take."""
ORPHANS_S = 2 * LONGEST_TRANSACTION_S
ORPHANS_EVERY_S = 600.0
INLINED = 500
"""Rows of small commits that the catalogue keeps per table before they become a file,"""
FLUSH_EVERY_S = 3600.0
"""or for how long: what is in no file is not dropped by retention."""
_MIN_FOLD = 50
"""Batches of the ledger that must be foldable before it is rewritten."""


@dataclass(slots=True)
class Report:
    """What one run did."""

    merged_files: int = 0
    into_files: int = 0
    merged_rows: int = 0
    folded_rows: int = 0
    """Rows that were said by others: deltas of one key, repeated facts, old batches."""
    flushed_rows: int = 0
    dropped_rows: dict[str, int] = field(default_factory=dict)
    """Rows past their retention, by table."""
    expired_snapshots: int = 0
    deleted_files: int = 0
    orphaned_files: int = 0
    given_up: int = 0
    """Rewrites that another process was faster than; they are tried again."""
    seconds: float = 0.0
    longest_hold_s: float = 0.0
    """The longest that writers were kept waiting."""
    busy: bool = False
    """Another process maintains the lake at the moment; nothing was done."""
    failure: str = ""
    """Code of what ended the run early; the next run goes on from there."""


class Maintainer:
    """Runs upkeep. One at a time per lake; a thread may call `run_once` every so many seconds."""

    def __init__(
        self,
        lake: Lake,
        settings: LakeSettings,
        clock: Clock,
        *,
        readers_s: float = READERS_S,
        orphans_s: float = ORPHANS_S,
        orphans_every_s: float = ORPHANS_EVERY_S,
    ) -> None:
        self._lake = lake
        self._settings = settings
        self._clock = clock
        self._readers_s = readers_s
        self._orphans_s = orphans_s
        self._orphans_every_s = orphans_every_s
        self._orphans_at: float | None = None
        self._flushed_at: float | None = None
        self._turns: Turns | None = None

    def close(self) -> None:
        """Let go of the connection that upkeep has of its own."""
        if self._turns is not None:
            self._turns.close()
            self._turns = None

    def run_once(self) -> Report:
        """One round of upkeep. Never raises for what the next round may mend: see `Report.failure`."""
        report = Report()
        start = time.monotonic()
        try:
            with refusals(self._lake.place), maintaining(self._lake) as free:
                report.busy = not free
                if free:
                    turns = self._turns = self._turns or Turns(self._lake)
                    turns.held_s.clear()
                    self._run(turns, report)
                    report.longest_hold_s = round(turns.longest_s, 3)
        except WardgateError as error:
            report.failure = error.code
        report.seconds = round(time.monotonic() - start, 3)
        return report

    def _run(self, turns: Turns, report: Report) -> None:
        steps: list[Callable[[Turns, Report], None]] = [
            self._free_disk,  # first: the rest needs room
            self._retain,
            self._flush,
            self._merge,
            self._fold_ledger,
            self._free_disk,
            self._orphans,
        ]
        for step in steps:
            try:
                with refusals(self._lake.place):  # on a full disk even reading the catalogue fails
                    step(turns, report)
            except WardgateError as error:
                report.failure = error.code
                if isinstance(error, LakeFull):
                    continue  # retention and freeing may still make room

    def _retain(self, turns: Turns, report: Report) -> None:
        report.dropped_rows = retain(turns, self._settings, self._clock()).rows

    def _flush(self, turns: Turns, report: Report) -> None:
        now = time.monotonic()
        due = self._flushed_at is None or now - self._flushed_at >= FLUSH_EVERY_S
        for table in TABLES:
            report.flushed_rows += flush(turns, table, 1 if due else INLINED)
        if due:
            self._flushed_at = now

    def _merge(self, turns: Turns, report: Report) -> None:
        for table in TABLES:
            cursor = turns.cursor()
            try:
                planned = groups(data_files(cursor, table))
            finally:
                cursor.close()
            for group in planned:
                done = replace(turns, table, group, partial(merged, table, span=span(group)))
                if done is None:
                    report.given_up += 1
                    continue
                report.merged_files += done.files
                report.into_files += done.rows_after > 0
                report.merged_rows += done.rows_before
                report.folded_rows += done.rows_before - done.rows_after

    def _fold_ledger(self, turns: Turns, report: Report) -> None:
        """Fold batches that no retry can name any more, a day's worth at a time."""
        before = (self._clock() - int(IDEMPOTENCY.total_seconds() * 1e6)) // DAY_US * DAY_US
        cursor = turns.cursor()
        try:
            files = [
                one for one in data_files(cursor, "ledger") if one.low_us is not None and one.low_us < before
            ]
            if not files:
                return
            found = cursor.execute(
                f"SELECT count(*) - count(DISTINCT (source, {ORIGIN}, format)) FROM {ALIAS}.ledger "
                f"WHERE committed_at_us < make_timestamp({before})"
            ).fetchone()
        finally:
            cursor.close()
        if found and found[0] >= _MIN_FOLD:
            done = replace(turns, "ledger", files, lambda rows: folded_ledger(rows, before))
            if done is not None:
                report.folded_rows += done.rows_before - done.rows_after

    def _free_disk(self, turns: Turns, report: Report) -> None:
        """Forget old snapshots, and delete files that left the lake long enough ago.

        Stamps of snapshots and deletions are the engine's, so ages are reckoned by its clock.
        """
        expired, deleted = free_disk(turns, self._readers_s)
        report.expired_snapshots += expired
        report.deleted_files += deleted

    def _orphans(self, turns: Turns, report: Report) -> None:
        """Delete files that no commit ever named: what a kill left behind."""
        now = time.monotonic()
        if self._orphans_at is not None and now - self._orphans_at < self._orphans_every_s:
            return
        report.orphaned_files += len(
            called(turns, f"ducklake_delete_orphaned_files('{ALIAS}', older_than => {ago(self._orphans_s)})")
        )
        self._orphans_at = now
