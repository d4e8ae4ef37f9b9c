"""The learner that stays: a trie per service, and its labels made anew only where something changed.

`observe` costs by what is handed in. `labeller` learns a service again when its trie has changed since, so
its answer is a pure function of everything observed, however it was split. `due` names the services that
grew by so much that learning again pays: a fixed share of their size, which keeps all relearning linear.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wardgate.recognise.templating.labelling import Labeller
from wardgate.recognise.templating.learner import learn
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.settled import Settled
from wardgate.recognise.templating.trie import Trie

GROWTH = 0.1
"""Share of new observations from which on a service is due."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One distinct thing seen. `shapes` are `bodies.shape_of` of successful responses."""

    path: str
    method: str | None = None
    status: int | None = None
    shapes: tuple[int, ...] = ()


@dataclass(slots=True)
class Service:
    """What was observed of one service, and the labels it has."""

    trie: Trie = field(default_factory=Trie)
    bodies: Mapping[str, int] = field(default_factory=dict)
    learned_at: int = -1
    settled: Settled | None = None
    labeller: Labeller | None = None

    def is_due(self, growth: float = GROWTH) -> bool:
        """Whether it was never learned, or grew by more than that share since."""
        return self.trie.version - self.learned_at > max(growth * self.learned_at, 0)

    def learned(self, prior: Prior, settled: Settled | None = None) -> Labeller:
        """The labels that everything observed makes; learned again only where something has changed."""
        if self.labeller is None or self.learned_at != self.trie.version or self.settled != settled:
            self.labeller = Labeller(learn(self.trie, prior, self.bodies), settled)
            self.learned_at, self.settled = self.trie.version, settled
        return self.labeller


class Services:
    """What was observed of every service, and its templates."""

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self._services: dict[str, Service] = {}

    def observe(
        self, service: str, seen: Iterable[Observation], bodies: Mapping[str, int] | None = None
    ) -> bool:
        """Take in observations and the texts that bodies hold; whether they say anything new."""
        one = self._services.setdefault(service, Service())
        before = one.trie.version
        for seen_one in seen:
            one.trie.add(seen_one.path, seen_one.method, seen_one.status, seen_one.shapes)
        changed = one.trie.version != before
        more = dict(one.bodies)
        for text, bits in (bodies or {}).items():
            more[text] = more.get(text, 0) | bits
        if more != one.bodies:
            one.bodies = more
            one.trie.version += 0 if changed else 1
            changed = True
        return changed

    def forget(self, service: str) -> None:
        """Drop what was observed of a service."""
        self._services.pop(service, None)

    def due(self) -> list[str]:
        """Services that were never learned, or grew enough since."""
        return sorted(name for name, one in self._services.items() if one.is_due())

    def labeller(self, service: str, settled: Settled | None = None) -> Labeller:
        """The labels of a service as everything observed makes them."""
        return self._services.setdefault(service, Service()).learned(self._prior, settled)
