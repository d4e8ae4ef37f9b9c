"""What syslog senders sent and what is not committed yet: sorted into lanes, bounded, committed together.

Connections put frames in; one thread takes everything out about twice a second, has it parsed and recognised,
and waits for its commit. While too much waits, connections are not read (TCP and TLS senders are held back,
the kernel counts what it drops of UDP). What a commit refuses is tried again until it is taken: the same
part, with the same batch id.
"""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.observed import Parsed
from wardgate.pipeline import Origin, Pipeline, Prepared, Reached
from wardgate.service.health import SourceHealth, State
from wardgate.service.opening import Reading
from wardgate.service.syslog_lanes import Arrived, Lane, SyslogSource
from wardgate.service.writer import Closed, Writer
from wardgate.sources.syslog import read_message
from wardgate.sources.syslog_framing import Frame
from wardgate.sources.text_lines import nothing

MOST_BYTES = 32 << 20
"""Bytes of messages that may wait for their commit."""
_OVERHEAD = 200  # what a message costs beside its bytes
_MOST_LANES = 500
_RETRY_S = 1.0
NOBODYS = SyslogSource("syslog-unclaimed", Reading())
"""Stands for messages that no source takes: they are counted, and passed over by the rule `no-source`."""

Key = tuple[str, str, str]
Taken = dict[Key, Arrived]


class Intake:
    """All lanes. `put` and `take` belong to the event loop's thread, `commit` to the committing thread."""

    def __init__(
        self, pipeline: Pipeline, writer: Writer, sources: Sequence[SyslogSource], clock: Clock
    ) -> None:
        self._pipeline = pipeline
        self._writer = writer
        self._sources = sources
        self._clock = clock
        self._run = f"{clock()} {secrets.token_hex(8)}"
        self._waiting: Taken = {}
        self._lanes: dict[Key, Lane] = {}
        self._keys: dict[tuple[str, str, str], Key] = {}
        self._unclaimed = 0
        self.pending = 0
        """Bytes that wait, those being committed included."""
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.is_large = asyncio.Event()
        self._counts: dict[str, Counter[str]] = {}
        self._last_record_us: dict[str, int] = {}
        self._last_commit_us: dict[str, int] = {}
        self._errors: dict[str, tuple[str, int]] = {}
        self._stopping = False
        for one in sources:  # a wrong format is refused now, not at the first message
            Lane(one, "", "", 0, clock)

    def put(self, frames: list[Frame], sender: str) -> None:
        """Take frames in; afterwards `has_room` may be unset, and then nothing more should be read."""
        for frame in frames:
            message = read_message(frame.data)
            key = self._key(sender, message.host, message.app)
            arrived = self._waiting.get(key)
            if arrived is None:
                arrived = self._waiting[key] = Arrived()
            if frame.fault is not None:
                arrived.faulty.append((frame.fault, frame.data))
            else:
                arrived.contents.append(message.content)
            size = len(message.content) + _OVERHEAD
            arrived.size += size
            self.pending += size
        if self.pending > MOST_BYTES:
            self.has_room.clear()
        if self.pending > MOST_BYTES // 8:
            self.is_large.set()

    def take(self) -> Taken:
        """Everything that waits, and an empty place for each lane that keeps messages back."""
        taken, self._waiting = self._waiting, {}
        self.is_large.clear()
        for key, lane in self._lanes.items():
            if lane.has_kept and key not in taken:
                taken[key] = Arrived()
        return taken

    def done(self, taken: Taken) -> None:
        """What was taken is committed: there is room again."""
        self.pending -= sum(one.size for one in taken.values())
        if self.pending <= MOST_BYTES // 2:
            self.has_room.set()

    def commit(self, taken: Taken, *, final: bool = False) -> None:
        """Parse and commit; returns when all of it is durable. Raises `Closed` when the writer is closing."""
        now = time.monotonic()
        parts: list[tuple[str, Prepared]] = []
        for key, arrived in taken.items():
            source, origin, parsed, reached = self._parsed(key, arrived, now, final)
            if parsed is not None:
                parts.append((source, self._pipeline.prepare(parsed, origin, reached)))
                self._last_record_us[source] = self._clock()
        while parts:
            answers = [(source, part, self._writer.submit(part)) for source, part in parts]
            parts = [
                (source, part) for source, part, answer in answers if not self._is_done(source, part, answer)
            ]
            if parts:
                time.sleep(_RETRY_S)

    def _parsed(
        self, key: Key, arrived: Arrived, now: float, final: bool
    ) -> tuple[str, Origin, Parsed | None, Reached]:
        lane = self._lanes[key]
        if lane.source is NOBODYS:
            count = len(arrived.contents) + len(arrived.faulty)
            self._unclaimed += count
            parsed = Parsed(nothing(), skipped={"no-source": count}) if count else None
            return lane.source.name, lane.origin, parsed, Reached(self._unclaimed)
        found = lane.parse(arrived, now, final=final)
        if found is None:
            return lane.source.name, lane.origin, None, Reached(0)
        return lane.source.name, lane.origin, *found

    def _is_done(self, source: str, part: Prepared, answer: "Future[bool]") -> bool:
        try:
            is_new = answer.result()
        except Closed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the part is still here
            code = error.code if isinstance(error, WardgateError) else type(error).__name__
            self._errors[source] = f"[{code}] what came is not committed; trying again.", self._clock()
            return False
        self._errors.pop(source, None)
        self._last_commit_us[source] = self._clock()
        if is_new:
            counts = self._counts.setdefault(source, Counter())
            counts.update(
                read=part.read, accepted=part.accepted, rejected=part.rejected, skipped=part.skipped
            )
        return True

    def _key(self, sender: str, host: str, app: str) -> Key:
        """The lane of a message. Beyond a number of lanes, the rest of a source share one."""
        known = self._keys.get((sender, host, app))
        if known is not None:
            return known
        source = next((one for one in self._sources if one.takes(sender, host, app)), NOBODYS)
        host = host or sender
        key = (source.name, host, app)
        if source is NOBODYS or (key not in self._lanes and len(self._lanes) >= _MOST_LANES):
            key = (source.name, "", "")
        if len(self._keys) < 4 * _MOST_LANES:
            self._keys[sender, host, app] = key
        if key not in self._lanes:
            origin_id = self._pipeline.key.id64("origin", "\0".join((*key, self._run)))
            self._lanes[key] = Lane(source, key[1], key[2], origin_id, self._clock)
        return key

    def health(self, dropped: int, notes: Sequence[str]) -> list[SourceHealth]:
        """How each source is doing. What the kernel dropped cannot be told apart by source."""
        found = [self._source_health(one, dropped, notes) for one in self._sources]
        if self._unclaimed:
            found.append(
                SourceHealth(
                    NOBODYS.name,
                    "syslog",
                    "failing",
                    skipped=self._unclaimed,
                    read=self._unclaimed,
                    error="[syslog-no-source] messages come that no source takes.",
                    notes=("widen syslog_hosts or syslog_apps of a source",),
                )
            )
        return found

    def _source_health(self, one: SyslogSource, dropped: int, notes: Sequence[str]) -> SourceHealth:
        lanes = [lane for key, lane in list(self._lanes.items()) if key[0] == one.name]
        counts = self._counts.get(one.name, Counter())
        failing = next((lane for lane in lanes if lane.error is not None), None)
        error, error_at = self._errors.get(one.name, (None, None))
        if error is None and failing is not None:
            error, error_at = failing.error, failing.error_at_us
        formats = sorted({lane.format for lane in lanes if lane.format})
        state: State = "failing" if error else "following" if lanes else "waiting"
        told = [f"{lane.name}: {lane.format}" for lane in lanes if lane.format][:5]
        return SourceHealth(
            source=one.name,
            kind="syslog",
            state=state,
            format=", ".join(formats) or None,
            why=next((lane.why for lane in lanes if lane.format), ""),
            inputs=len(lanes),
            lag_bytes=sum(arrived.size for key, arrived in list(self._waiting.items()) if key[0] == one.name),
            read=counts["read"],
            accepted=counts["accepted"],
            rejected=counts["rejected"],
            skipped=counts["skipped"],
            dropped=dropped,
            last_record_at_us=self._last_record_us.get(one.name),
            last_commit_at_us=self._last_commit_us.get(one.name),
            error=error,
            error_at_us=error_at,
            notes=(*notes, *told),
        )
