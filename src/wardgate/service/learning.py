"""When templates are learned: at the end of an ingestion, and now and then in a process that stays.

A process that stays learns beside its writer: no commit waits. A service is learned again when a tenth more
was sighted of it, or after a while whatever was; how long that is depends on how long it took.
"""

import time
from collections.abc import Callable, Mapping
from threading import Event

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.keys import Key
from wardgate.inventory.relabelling import Relabelled, relabel
from wardgate.inventory.sighted import learned
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.recognise.templating.prior import shipped
from wardgate.recognise.templating.services import GROWTH
from wardgate.recognise.templating.settled import Settled

SettledOf = Callable[[Lake], Mapping[str, Settled]]
_PATIENCE_S = 60.0
_SHARE = 20
"""Learning takes at most so small a part of the time."""


def nothing_settled(lake: Lake) -> Mapping[str, Settled]:
    """What is settled where nobody settled anything."""
    return {}


def learn_all(
    lake: Lake,
    key: Key,
    clock: Clock,
    settled: SettledOf = nothing_settled,
    pipeline: Pipeline | None = None,
) -> Relabelled:
    """Learn everything that was sighted since, and label as it says. Raises what `Lake.commit` raises."""
    used = pipeline.used_labels() if pipeline is not None else None
    return relabel(lake, key, shipped, clock, settled, used=used)


class Learner:
    """Learns beside a pipeline, every so many seconds."""

    def __init__(
        self, pipeline: Pipeline, clock: Clock, settled: SettledOf = nothing_settled, *, every_s: float = 10.0
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._settled = settled
        self._every_s = every_s
        self._used: dict[str, set[bytes]] = {}
        self._again_at: dict[str, float] = {}
        self._versions: dict[str, int] = {}
        """Of what was learned of each service, which the pipeline has."""

    def run(self, stop: Event, failed: Callable[[WardgateError], None]) -> None:
        """Learn until `stop` is set; `failed` hears of what the next round may mend."""
        while not stop.wait(self._every_s):
            try:
                self.run_once()
            except WardgateError as error:
                failed(error)

    def run_once(self) -> Relabelled:
        """One round. Raises what `Lake.commit` raises; then the next one does it all."""
        for service, labels in self._pipeline.used_labels().items():
            self._used.setdefault(service, set()).update(labels)
        began = time.monotonic()
        done = relabel(
            self._pipeline.lake,
            self._pipeline.key,
            shipped,
            self._clock,
            self._settled,
            used=self._used,
            worth=self._is_worth_it,
        )
        self._used = {}
        self._renew()
        now = time.monotonic()
        for service in done.services:
            self._again_at[service] = now + max(_PATIENCE_S, _SHARE * (now - began))
        return done

    def _renew(self) -> None:
        """Hand the pipeline what was learned last, here or by another process."""
        labellers = {}
        for service, one in learned(self._pipeline.lake).items():
            if self._versions.get(service) != one.version:
                self._versions[service] = one.version
                labeller = one.labeller
                if labeller is not None:
                    labellers[service] = labeller
        self._pipeline.relearned(labellers)

    def _is_worth_it(self, service: str, before: int, now: int) -> bool:
        return now - before > GROWTH * before or time.monotonic() >= self._again_at.get(service, 0.0)
