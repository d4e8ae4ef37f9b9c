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
from wardgate.recognise.addresses import Proxies
from wardgate.recognise.calls import Context, Recognition
from wardgate.service.ingest import parts
from wardgate.service.opening import Reading, open_afresh
from wardgate.sources.files import Input


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
        self._opened = open_afresh(one, reading)
        self.format = self._opened.format.name
        self.why = self._opened.why
        self._options = reading.options
        self._recognition = Recognition(key)
        self._clock = clock

    def __iter__(self) -> Iterator[Understood]:
        origin = self._opened.origin
        context = Context(
            source=origin.source,
            origin_id=origin.origin_id,
            batch_id=0,
            received_at_us=self._clock(),
            vantage=origin.defaults.vantage,
            environment=origin.defaults.environment,
            team=origin.defaults.team,
            service=origin.defaults.service,
            proxies=Proxies(origin.defaults.proxies),
        )
        with self._opened.stream:
            for parsed, _ in parts(self._opened, self._options, chunk=1 << 20):
                yield Understood(
                    self._recognition.recognise(parsed.table, context).calls,
                    [Aside(one.position, one.reason.value, shape(one.raw)) for one in parsed.rejects],
                    parsed.skipped,
                )
