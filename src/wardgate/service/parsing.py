"""Parsing without keeping: a file through its format and recognition, to check how it is understood.

Nothing is written but the installation's key, which makes the fingerprints the same as those of the
inventory. What comes out is what the lake would hold: redacted.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from wardgate.core.clock import Clock
from wardgate.core.keys import Key
from wardgate.match.secrets import shape
from wardgate.pipeline import Origin
from wardgate.recognise.addresses import Proxies
from wardgate.recognise.calls import Context, Recognition
from wardgate.service.ingest import Opened, Reading, look_into, parts
from wardgate.sources.files import Input, source_name


@dataclass(frozen=True, slots=True)
class Aside:
    """A record that was kept aside: where (record number from 0), why, and its masked shape."""

    position: int
    reason: str
    shape: str


@dataclass(frozen=True, slots=True)
class Understood:
    """One part of a file: its calls (`CALL_SCHEMA`), what was kept aside, and what rules passed over."""

    calls: pa.Table
    rejects: list[Aside]
    skipped: dict[str, int]


class Parsing:
    """One input being parsed. `format` and `why` are known at once; iterate for the parts."""

    def __init__(self, one: Input, reading: Reading, key: Key, clock: Clock) -> None:
        """Raises `input-…` or `format-…`."""
        self._stream, self._sample, self._format, self.why = look_into(one, reading)
        self.format = self._format.name
        self._reading = reading
        self._name = one.name
        self._source = reading.source or source_name(one.path)
        self._recognition = Recognition(key)
        self._clock = clock

    def __iter__(self) -> Iterator[Understood]:
        defaults = self._reading.defaults
        context = Context(
            source=self._source,
            origin_id=0,
            batch_id=0,
            received_at_us=self._clock(),
            vantage=defaults.vantage,
            environment=defaults.environment,
            team=defaults.team,
            service=defaults.service,
            proxies=Proxies(defaults.proxies),
        )
        origin = Origin(self._source, 0, self._name, self.format, defaults)
        opened = Opened(origin, self._format, self.why, self._sample, self._stream)
        for parsed, _ in parts(opened, self._reading.options, chunk=1 << 20):
            yield Understood(
                self._recognition.recognise(parsed.table, context).calls,
                [Aside(one.position, one.reason.value, shape(one.raw)) for one in parsed.rejects],
                parsed.skipped,
            )
        self._stream.close()
