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
class _Service:
    trie: Trie = field(default_factory=Trie)
    bodies: dict[str, int] = field(default_factory=dict)
    learned_at: int = -1
    settled: Settled | None = None
    labeller: Labeller | None = None


class Services:
    """What was observed of every service, and its templates."""

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self._services: dict[str, _Service] = {}

    def observe(
        self, service: str, seen: Iterable[Observation], bodies: Mapping[str, int] | None = None
    ) -> bool:
        """Take in observations and the texts that bodies hold; whether they say anything new."""
        one = self._services.setdefault(service, _Service())
        before = one.trie.version
        for seen_one in seen:
            one.trie.add(seen_one.path, seen_one.method, seen_one.status, seen_one.shapes)
        changed = one.trie.version != before
        for text, bits in (bodies or {}).items():
            known = one.bodies.get(text, 0)
            if known | bits != known:
                one.bodies[text] = known | bits
                changed = True
        if changed and one.trie.version == before:
            one.trie.version += 1
        return changed

    def forget(self, service: str) -> None:
        """Drop what was observed of a service."""
        self._services.pop(service, None)

    def due(self) -> list[str]:
        """Services that were never learned, or grew enough since."""
        return sorted(
            name
            for name, one in self._services.items()
            if one.trie.version - one.learned_at > max(GROWTH * one.learned_at, 0)
        )

    def labeller(self, service: str, settled: Settled | None = None) -> Labeller:
        """The labels of a service as everything observed makes them."""
        one = self._services.setdefault(service, _Service())
        if one.labeller is None or one.learned_at != one.trie.version or one.settled != settled:
            one.labeller = Labeller(learn(one.trie, self._prior, one.bodies), settled)
            one.learned_at, one.settled = one.trie.version, settled
        return one.labeller
