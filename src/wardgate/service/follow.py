"""Following files: what is appended, rotated, compressed, truncated or comes later is read once, and soon.

One thread goes in rounds, at most two a second: it looks for files, reads a slice of each that has grown, and
hands the parts to the writer together, so that they share a commit. The next part of a file is read after the
answer to the one before; after any failure the file is opened again from what the ledger says. So a kill at
any moment changes nothing but the time at which a line is read.

Files are kept open until they are quiet for long after they were renamed away or deleted: what their writer
still puts there is read. Waiting goes by the monotonic clock alone.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from threading import Event

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.events import place_of
from wardgate.core.home import Home
from wardgate.pipeline import Pipeline, Prepared
from wardgate.service.claims import Claims
from wardgate.service.finished import Finished
from wardgate.service.followed import SMALL, Entry, Followed, Source
from wardgate.service.health import HealthFile
from wardgate.service.ingest import Opened, last_reached, open_input
from wardgate.service.same_file import Relation, relation
from wardgate.service.tail import Reader, Replaced, Tail, reader_of
from wardgate.service.watching import Watching
from wardgate.service.writer import Closed, Writer
from wardgate.sources.files import Input
from wardgate.sources.format import LineFormat
from wardgate.sources.records import RecordFormat
from wardgate.sources.rotation import is_compressed

THE_FOLLOWER = 0
"""The claim of the one process that follows a home's files. No origin has this id."""
_MUCH = 256 << 10
"""Bytes left to read that do not wait for the next round."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, how much and how patiently; seconds and bytes."""

    round_s: float = 0.5
    """Between the starts of two rounds, where neither has more than a slice to read."""
    look_s: float = 1.0
    """Between looks for files where notifications do not work; ten times as long where they do."""
    slice_bytes: int = 8 << 20
    """Of one file in one round."""
    round_bytes: int = 8 << 20
    """Of all files in one round; what little is new is read beside it."""
    settled_s: float = 3.0
    """How long a compressed file or a document must stay as it is before it is read."""
    quiet_s: float = 60.0
    """How long a file that was set aside must stay as it is before it is taken to be finished."""
    idle_s: float = 600.0
    """How long any file must stay as it is before it is closed; it is opened again when it changes."""
    most_open: int = 200
    """Files open at a time before those that stay as they are are closed at once."""
    most_openings: int = 50
    """Files opened in one round."""
    retry_s: float = 2.0
    """After a failure; doubled with each, up to thirty times as long."""
    health_s: float = 2.0


class Follower:
    """Follows the files of some sources until it is stopped, before the writer is closed."""

    def __init__(
        self,
        pipeline: Pipeline,
        writer: Writer,
        followed: Sequence[Followed],
        home: Home,
        clock: Clock,
        *,
        pace: Pace | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipeline = pipeline
        self._writer = writer
        self._sources = [Source(one, pipeline.lake, clock) for one in followed]
        self._clock = clock
        self._pace = pace or Pace()
        self._now = monotonic
        self._claims = Claims(pipeline.lake.place)
        self._held: dict[int, Entry] = {}
        self._health = HealthFile(home, "files", clock)
        self._stopping = Event()
        self._wake = Event()
        self._watching = Watching(self._wake)
        self._finished = Finished(home, pipeline.lake)
        self._looked_at = self._told_at = float("-inf")
        self._look_took = 0.0
        self._opened_now = 0
        self._has_read = False

    @property
    def sources(self) -> list[Source]:
        return self._sources

    def run(self, stop: Event) -> None:
        """Follow until `stop` is set; the round it is in ends. While another process follows, wait for it."""
        self._stopping = stop
        try:
            while not self._claims.take(THE_FOLLOWER):
                if self._stopping.wait(1.0):
                    return
            while not self._stopping.is_set():
                start = self._now()
                has_more = self.round()
                self._wait(start, has_more)
        finally:
            self._watching.close()
            for source in self._sources:
                for entry in source.entries.values():
                    self._let_go(entry)
            self._claims.close()
            self._health.remove()
            self._finished.save()

    def _wait(self, start: float, has_more: bool) -> None:
        """Until the next round is due. What was told during the last one calls for it too."""
        if not has_more:
            self._stopping.wait(max(start + self._pace.round_s - self._now(), 0))
            until = self._now() + 10 * self._pace.look_s
            while not (self._is_pressed() or self._stopping.is_set() or self._now() >= until):
                if self._wake.wait(self._pace.round_s):
                    break

    def _is_pressed(self) -> bool:
        """Whether to look again soon though nobody says that something changed."""
        return (
            self._has_read
            or not self._watching.is_working
            or any(source.is_waiting for source in self._sources)
        )

    def _watch(self) -> None:
        folders = [folder for source in self._sources for folder in source.followed.folders]
        self._watching.watch(folders, recursive=any(one.followed.is_deep for one in self._sources))

    def round(self) -> bool:
        """Look, read, commit; answers whether there is more to read at once."""
        is_woken = self._wake.is_set()
        self._wake.clear()  # before looking: what is told from here on may not be seen in this round
        self._look(is_woken)
        self._opened_now = 0
        left = self._pace.round_bytes
        has_more = False
        sent: list[_Sent] = []
        turns = [(source, entry, entry.lag) for source in self._sources for entry in source.entries.values()]
        turns.sort(key=lambda one: (one[2] > SMALL, one[1].mtime_ns))  # what is new, then the oldest
        for source, entry, lag in turns:
            if self._stopping.is_set():
                break
            if left <= 0 and lag > SMALL:
                has_more = True
                break
            size = self._advance(source, entry, self._pace.slice_bytes, sent)
            left -= size
            has_more |= size > 0 and entry.lag >= _MUCH
        self._has_read = bool(sent)
        self._settle(sent)
        for source in self._sources:
            self._finish(source)
        self._tell()
        return has_more or self._opened_now >= self._pace.most_openings

    def _look(self, is_woken: bool) -> None:
        """Look for files when something moved, or from time to time; less often where looking takes long."""
        now = self._now()
        pause = max(self._pace.look_s, 20 * self._look_took)
        if self._watching.is_working and not is_woken:
            pause *= 10
        if not self._watching.moved.is_set() and now < self._looked_at + pause:
            return
        self._watching.moved.clear()
        self._looked_at = now
        for source in self._sources:
            source.look(now)
        self._look_took = self._now() - now
        self._watch()

    def _advance(self, source: Source, entry: Entry, size: int, sent: list["_Sent"]) -> int:
        """Read a slice of one file; answers about how many bytes that were."""
        if self._now() < entry.retry_at:
            return 0
        try:
            if entry.reader is None and not self._open(source, entry):
                return 0
            return self._read(source, entry, size, sent)
        except Replaced:
            self._let_go(entry)
        except Closed:
            self._let_go(entry)
        except WardgateError as error:
            self._failed(entry, error.code, error.message)
        except OSError as error:
            self._failed(entry, "input-unreadable", f"cannot read {entry.path}: {error.strerror}.")
        except Exception as error:  # noqa: BLE001 - a defect in one format must not stop the others
            self._failed(entry, "defect", f"{type(error).__name__} at {place_of(error)}, in {entry.path}.")
        return 0

    def _read(self, source: Source, entry: Entry, size: int, sent: list["_Sent"]) -> int:
        reader = entry.reader
        if reader is None:
            return 0
        before = reader.lag
        part = reader.read(size, final=self._is_quiet(entry))
        if part is not None:
            parsed = source.reading.skip.apply(part[0])
            prepared = self._pipeline.prepare(parsed, reader.opened.origin, part[1])
            sent.append(_Sent(source, entry, prepared, self._writer.submit(prepared)))
            source.last_record_at_us = self._clock()
            entry.changed_at = self._now()
        if isinstance(reader, Tail):
            return max(before - reader.lag, 0)
        return 0 if part is None else size

    def _open(self, source: Source, entry: Entry) -> bool:
        """Find the place where a file was left and claim its origin; False: not now."""
        is_due = entry.is_due(self._now(), self._pace.settled_s)
        if not is_due or self._opened_now >= self._pace.most_openings:
            return False
        self._opened_now += 1
        entry.looked()
        if is_compressed(entry.path) and self._finished.is_known(entry):
            return False
        others: set[int] = set()
        while True:
            opened = self._located(source, entry, others)
            if opened is None:
                return False
            holder = self._held.get(opened.origin.origin_id)
            if holder is None:
                return self._claim(source, entry, opened)
            opened.stream.close()
            if not self._may_be_mine(entry, holder, opened.origin.origin_id, others):
                return False

    def _located(self, source: Source, entry: Entry, others: set[int]) -> Opened | None:
        """The file from where it was left; None when there is nothing to tell it by yet."""
        one = Input(entry.path, str(entry.path))
        reading = source.reading
        try:
            opened = open_input(self._pipeline, one, reading, self._clock, others=others, usual=source.format)
        except WardgateError as error:
            if error.code == "input-empty":
                return None
            raise
        is_read_once = not isinstance(opened.format, LineFormat | RecordFormat) and not opened.done
        if is_read_once and self._now() - entry.changed_at < self._pace.settled_s:
            opened.stream.close()
            entry.looked_size = -1
            return None
        if entry.is_still_there() and (not opened.mark.get("open_head") or self._is_quiet(entry)):
            return opened
        opened.stream.close()
        if entry.is_set_aside:
            entry.looked_size = -1  # in time it is taken as it is
        return None

    def _may_be_mine(self, entry: Entry, holder: Entry, origin_id: int, others: set[int]) -> bool:
        """Whether to look again for the origin of a file, as one that another file holds may not be it."""
        match relation(entry, holder):
            case Relation.OTHER:
                others.add(origin_id)
            case Relation.COPY:
                entry.copy_of = origin_id
                return False
            case Relation.REPLACED:
                self._let_go(holder)
            case Relation.GOES_ON:
                self._let_go(holder)
                holder.copy_of = origin_id
                holder.looked()
        return True

    def _claim(self, source: Source, entry: Entry, opened: Opened) -> bool:
        origin_id = opened.origin.origin_id
        if not self._claims.take(origin_id):
            opened.stream.close()
            raise WardgateError("input-busy", f"{entry.path} is being read by another process.")
        left = last_reached(self._pipeline.lake, origin_id)
        if left is not None and left.position != opened.position:  # it was read on until just now
            opened.stream.close()
            self._claims.release(origin_id)
            entry.looked_size = -1
            return False
        source.format, source.why = opened.format.name, opened.why
        reader = reader_of(opened, source.reading.options, entry.size, self._pace.slice_bytes)
        if opened.done and (entry.is_set_aside or not isinstance(reader, Tail)):
            opened.stream.close()
            self._claims.release(origin_id)
            entry.succeeded()
            if is_compressed(entry.path):
                self._finished.put(entry, origin_id)
            return False
        entry.reader = reader
        entry.copy_of = None
        self._held[origin_id] = entry
        return True

    def _settle(self, sent: list["_Sent"]) -> None:
        """Wait for the answers of a round. What is not known to be committed is opened anew."""
        given_up_at: float | None = None
        for one in sent:
            while True:
                try:
                    is_new = one.answer.result(timeout=0.2)
                except NotYet:
                    if self._stopping.is_set():
                        given_up_at = given_up_at or self._now() + 10
                        if self._now() > given_up_at:
                            return
                    continue
                except Closed:
                    self._let_go(one.entry)
                except Exception as error:  # noqa: BLE001
                    code = error.code if isinstance(error, WardgateError) else "defect"
                    self._failed(one.entry, code, f"{type(error).__name__}.")
                else:
                    if is_new:
                        one.source.committed(one.part)
                        one.entry.succeeded()
                    else:
                        self._let_go(one.entry)
                break

    def _failed(self, entry: Entry, code: str, message: str) -> None:
        if entry.is_gone:
            entry.keep()
        self._let_go(entry)
        entry.failed(self._now(), self._pace.retry_s, f"[{code}] {message}", self._clock())

    def _finish(self, source: Source) -> None:
        """Close what is over, and what was set aside and is quiet; forget what is gone."""
        idle_s = self._pace.idle_s if len(self._held) < self._pace.most_open else self._pace.settled_s
        for key, entry in list(source.entries.items()):
            if entry.copy_of is not None and entry.copy_of not in self._held:
                entry.copy_of = None
                entry.looked_size = -1
            reader = entry.reader
            if reader is not None and (reader.is_over or self._is_done_with(entry, reader, idle_s)):
                if reader.is_over:
                    self._finished.put(entry, reader.opened.origin.origin_id)
                self._let_go(entry)
                entry.looked()
            if entry.is_gone and entry.reader is None and entry.error is None:
                entry.drop()
                del source.entries[key]

    def _is_done_with(self, entry: Entry, reader: Reader, idle_s: float) -> bool:
        """Whether all was read (where the file is quiet, an unfinished last line too) and nothing comes."""
        if not isinstance(reader, Tail) or reader.lag:
            return False
        return self._is_quiet(entry) or (not entry.is_gone and self._now() - entry.changed_at >= idle_s)

    def _is_quiet(self, entry: Entry) -> bool:
        """Whether a file that was set aside is not written any more."""
        return entry.is_read_once or (
            entry.is_set_aside and self._now() - entry.changed_at >= self._pace.quiet_s
        )

    def _let_go(self, entry: Entry) -> None:
        """Close a file; it is opened again from what the ledger says, when it must be."""
        reader, entry.reader = entry.reader, None
        if reader is not None:
            origin_id = reader.opened.origin.origin_id
            reader.close()
            del self._held[origin_id]
            self._claims.release(origin_id)
            entry.looked_size = -1

    def _tell(self) -> None:
        if self._now() >= self._told_at + self._pace.health_s:
            self._told_at = self._now()
            self._health.write([source.health() for source in self._sources])
            self._finished.save()


@dataclass(slots=True)
class _Sent:
    source: Source
    entry: Entry
    part: Prepared
    answer: "Future[bool]" = field(repr=False)
