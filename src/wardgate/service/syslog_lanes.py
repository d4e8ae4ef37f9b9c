"""What came by syslog, sorted: one lane for each source, host and application, each with a format of its own.

A lane whose format is not configured keeps its first messages back until their format can be told. Where it
cannot (nothing fits, or several formats do), they are rejected after a while and that is told: a person must
say the format. Syslog has no answer to the sender, so what is kept back here is lost if the process is
killed, as is what waits in the system's buffers.
"""

from dataclasses import dataclass, field

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.pipeline import Origin, Reached
from wardgate.service.opening import Reading
from wardgate.sources.catalogue import format_named
from wardgate.sources.detection import detect
from wardgate.sources.format import LineFormat, LineParser, Lines
from wardgate.sources.text_lines import nothing

ENOUGH = 20
"""Messages from which a format is told; or fewer, when no more come for `PATIENCE_S`."""
PATIENCE_S = 2.0
MOST_KEPT = 1000
"""Messages kept back at most, and `LONGEST_S` for how long at most, before they are rejected."""
MOST_KEPT_BYTES = 256 << 10
LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class SyslogSource:
    """A source that is taken from syslog. Empty `hosts` and `apps` take all."""

    name: str
    reading: Reading
    hosts: frozenset[str] = frozenset()
    """Senders' addresses, or host names as messages give them."""
    apps: frozenset[str] = frozenset()

    def takes(self, sender: str, host: str, app: str) -> bool:
        return (not self.hosts or sender in self.hosts or host in self.hosts) and (
            not self.apps or app in self.apps
        )


def line_format(reading: Reading) -> LineFormat | None:
    """The configured format; None where it is to be found. Raises `format-unknown` or `syslog-format`."""
    if reading.format == "auto":
        return None
    found = format_named(reading.format)
    if not isinstance(found, LineFormat):
        raise WardgateError("syslog-format", f"{found.name} is not lines and cannot come by syslog.")
    return found


@dataclass(slots=True)
class Arrived:
    """Messages of one lane, in the order in which they came."""

    contents: list[bytes] = field(default_factory=list, repr=False)
    faulty: list[tuple[Reason, bytes]] = field(default_factory=list, repr=False)
    size: int = 0


class Lane:
    """One lane: a parser, or what is kept back until there is one. Used by one thread at a time."""

    def __init__(self, source: SyslogSource, host: str, app: str, origin_id: int, clock: Clock) -> None:
        self.source = source
        self.name = f"{app or 'any'}@{host or 'any'}"
        self.why = "as configured"
        self.error: str | None = None
        self.error_at_us: int | None = None
        self._origin_id = origin_id
        self._clock = clock
        self._position = 0
        self._parser: LineParser | None = None
        self._format: LineFormat | None = None
        self._kept: list[bytes] = []
        self._kept_since: float | None = None
        self._tried = 0  # messages that did not tell the format
        configured = line_format(source.reading)
        if configured is not None:
            self._use(configured)

    @property
    def format(self) -> str | None:
        return self._format.name if self._format is not None else None

    @property
    def origin(self) -> Origin:
        """What its records are said to come from."""
        name = f"syslog {self.name}"
        reading = self.source.reading
        return Origin(self.source.name, self._origin_id, name, self.format or "", reading.defaults)

    @property
    def has_kept(self) -> bool:
        return bool(self._kept)

    def parse(self, arrived: Arrived, now: float, *, final: bool = False) -> tuple[Parsed, Reached] | None:
        """What can be made of what came, and of what was kept back; None while all is kept back."""
        contents = arrived.contents
        if self._parser is None:
            self._kept += contents
            contents = []
            if self._kept and (final or self._is_time(now)):
                contents, fitting = self._told(now, final)
                if not fitting:
                    return self._rejected(contents, arrived) if contents or arrived.faulty else None
        if not contents and not arrived.faulty:
            return None
        return self._parsed(contents, arrived)

    def _is_time(self, now: float) -> bool:
        if self._kept_since is None:
            self._kept_since = now
        waited = now - self._kept_since
        if self._tried:
            return len(self._kept) >= 2 * self._tried or waited >= LONGEST_S
        return len(self._kept) >= ENOUGH or waited >= PATIENCE_S

    def _told(self, now: float, final: bool) -> tuple[list[bytes], bool]:
        """What is no longer kept back, and whether its format is known now."""
        try:
            found = detect(b"\n".join(self._kept) + b"\n", f"syslog from {self.name}")
            if not isinstance(found.format, LineFormat):
                raise WardgateError("format-not-recognised", f"syslog from {self.name} is in no line format.")
        except WardgateError as error:
            self.error, self.error_at_us = f"[{error.code}] {error.message}", self._clock()
            self._tried = len(self._kept)
            since = self._kept_since if self._kept_since is not None else now
            too_many = len(self._kept) > MOST_KEPT or sum(map(len, self._kept)) > MOST_KEPT_BYTES
            if not (final or too_many or now - since >= LONGEST_S):
                return [], False
            return self._released(), False
        self.why = found.fit.why
        self._use(found.format)
        return self._released(), True

    def _released(self) -> list[bytes]:
        kept, self._kept, self._kept_since, self._tried = self._kept, [], None, 0
        return kept

    def _use(self, format_: LineFormat) -> None:
        self._format = format_
        self._parser = format_.parser(self.source.reading.options)
        self.error = self.error_at_us = None

    def _parsed(self, contents: list[bytes], arrived: Arrived) -> tuple[Parsed, Reached]:
        parsed = Parsed(nothing())
        if contents and self._parser is not None:
            parsed = self._parser.parse(Lines(b"\n".join(contents) + b"\n", self._position))
        self._position += len(contents)
        return self._with_faulty(self.source.reading.skip.apply(parsed), arrived)

    def _rejected(self, contents: list[bytes], arrived: Arrived) -> tuple[Parsed, Reached]:
        rejects: list[Reject] = []
        blank = 0
        for at, one in enumerate(contents, self._position):
            if one.strip():
                rejects.append(Reject(at, Reason.NOT_FORMAT, one))
            else:
                blank += 1
        self._position += len(contents)
        skipped = {"blank": blank} if blank else {}
        return self._with_faulty(Parsed(nothing(), rejects, skipped), arrived)

    def _with_faulty(self, parsed: Parsed, arrived: Arrived) -> tuple[Parsed, Reached]:
        for reason, raw in arrived.faulty:
            parsed.rejects.append(Reject(self._position, reason, raw))
            self._position += 1
        return parsed, Reached(self._position)
