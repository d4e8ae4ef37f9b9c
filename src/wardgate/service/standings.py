"""What the faces may ask of operations with their standing: documented, shadow, zombie, unused…

A page of operations costs by its own size: only what is shown gets its evidence. Asking for one standing, or
counting them, looks at the kinds of evidence of all operations first, and at the evidence of those that fit.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.inventory import traffic
from wardgate.inventory.classification import Classification, Standing, classify, strongest
from wardgate.inventory.covering import Covering, NeverCalled, coverings, never_called
from wardgate.inventory.evidence import Evidence
from wardgate.inventory.judging import Judge
from wardgate.inventory.operations import Operation
from wardgate.inventory.reasons import reason
from wardgate.inventory.seen import Called, Seen, seen
from wardgate.inventory.specifications.form import Outlined
from wardgate.lake.store import Lake
from wardgate.service import reading
from wardgate.service.given import Knowledge
from wardgate.service.reading import Asked

STANDINGS = tuple(one.value for one in Standing)
NOBODY = "none"
UNOWNED = "unowned"


@dataclass(frozen=True, slots=True)
class Listed:
    """One operation with what is judged of it. Files and pages have no classification."""

    operation: Operation
    classification: Classification | None
    reason: str = ""
    described: tuple[tuple[Covering, Outlined], ...] = ()
    """Where specifications describe it."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of operations, those never called last, and how many there are in all."""

    rows: list[Listed]
    total: int
    never_called: int
    """Of `total`, those that are described and were never called."""


class Standings:
    """One look at an installation: what is loaded is kept until it is let go."""

    def __init__(self, lake: Lake, knowledge: Knowledge) -> None:
        self._lake = lake
        self._knowledge = knowledge
        self._sights: dict[str, list[Evidence]] = {}

    @cached_property
    def seen(self) -> Seen:
        """Everything that was ever called."""
        return seen(self._lake)

    @cached_property
    def _judge(self) -> Judge:
        given = self._knowledge.given
        return Judge(coverings(given, self.seen) if given else {}, self._knowledge.owners)

    @cached_property
    def never_called(self) -> list[NeverCalled]:
        """What is described and was never called, by service."""
        out: list[NeverCalled] = []
        for service in sorted(self._judge.services):
            called = [*self.seen.by_service.get(service, ()), *self.seen.files.get(service, ())]
            out += never_called(self._judge.covers(service), called)
        return out

    def listing(self, asked: Asked, clock: Clock) -> Listing:
        """Operations as `reading.operations` has them, each judged; then those that were never called.

        Raises `standing-unknown` besides.
        """
        wanted = _standing(asked.standing)
        never = [
            one
            for one in self._never_called(asked)
            if wanted in (None, self._standing_of_never(one))
            and self._is_owned(one.service, one, asked.owner)
        ]
        if wanted is not None or asked.owner:
            asked = replace(asked, operation_ids=self._having(wanted, asked.owner))
        found = reading.operations(self._lake, asked, clock)
        rows = list(self._judged(found.rows))
        start = max(asked.offset - found.total, 0)
        left = None if asked.limit is None else asked.limit - len(rows)
        rows += [self._listed(one) for one in never[start : None if left is None else start + left]]
        return Listing(rows, found.total + len(never), len(never))

    def evidence(self, operation_id: int) -> Iterator[Evidence]:
        """All that is known of one operation. Raises `operation-unknown`."""
        one = self.called(operation_id)
        yield from traffic.by_source(self._lake, [operation_id]).get(operation_id, ())
        yield from self._judge.evidence(one.service, one)

    def evidence_of_never_called(self, one: NeverCalled) -> list[Evidence]:
        """All that is known of an operation that is described and was never called."""
        return self._judge.evidence_of_never_called(one, self._in_sight(one.service))

    def covers(self, service: str) -> Sequence[Covering]:
        """The specifications that describe a service."""
        return self._judge.covers(service)

    def is_judged(self, operation_id: int) -> bool:
        """Whether it is an API operation that was called: files and pages have no standing."""
        return any(one.operation_id == operation_id for _, one in self.every())

    def called(self, operation_id: int) -> Called:
        """What an operation that was called is called. Raises `operation-unknown`."""
        for operations in self.seen.by_service.values():
            for one in operations:
                if isinstance(one, Called) and one.operation_id == operation_id:
                    return one
        raise WardgateError(
            "operation-unknown",
            "no operation that was called has that id;",
            mend="`wardgate operations --json` lists them.",
        )

    def counts(self) -> dict[str, dict[str, int]]:
        """Service → standing → how many of its operations have it; `unowned`: how many nobody owns."""
        out: dict[str, Counter[str]] = {}
        tried = self._tried
        for service, one in self.every():
            counter = out.setdefault(service, Counter())
            counter[self._judge.standing(service, one, one.operation_id in tried).value] += 1
            counter[UNOWNED] += not self._judge.owners(service, one)
        for each in self.never_called:
            counter = out.setdefault(each.service, Counter())
            counter[self._standing_of_never(each).value] += 1
            counter[UNOWNED] += not self._judge.owners(each.service, each)
        names = (*STANDINGS, UNOWNED)
        return {service: {name: n[name] for name in names if n[name]} for service, n in out.items()}

    def service_owners(self, service: str) -> list[str]:
        """Who answers for a service as a whole."""
        said = strongest(self._judge.owned_service(service))
        return sorted({one.detail or one.source for one in said})

    def every(self) -> Iterator[tuple[str, Called]]:
        """Every operation that was called some time, with its service."""
        for service, operations in self.seen.by_service.items():
            for one in operations:
                if isinstance(one, Called):
                    yield service, one

    @cached_property
    def _tried(self) -> set[int]:
        """Of what is undescribed, that which nothing shows to be there."""
        shadows = [
            one.operation_id
            for service, one in self.every()
            if self._judge.standing(service, one) is Standing.SHADOW
        ]
        return traffic.only_tried(self._lake, shadows)

    def _having(self, wanted: Standing | None, owner: str | None) -> tuple[int, ...]:
        tried = self._tried if wanted in (Standing.SHADOW, Standing.UNKNOWN) else set()
        return tuple(
            one.operation_id
            for service, one in self.every()
            if wanted in (None, self._judge.standing(service, one, one.operation_id in tried))
            and self._is_owned(service, one, owner)
        )

    def _is_owned(self, service: str, one: Called | NeverCalled, owner: str | None) -> bool:
        """Whether it has that owner; with the word none, whether it has no owner."""
        if not owner:
            return True
        owners = self._judge.owners(service, one)
        return not owners if owner.lower() == NOBODY else owner in owners

    def _judged(self, operations: Sequence[Operation]) -> Iterator[Listed]:
        ids = [one.operation_id for one in operations if one.operation_id is not None and not one.static]
        by_source = traffic.by_source(self._lake, ids)
        for one in operations:
            if one.static or one.operation_id is None:
                yield Listed(one, None)
                continue
            evidence = [*by_source.get(one.operation_id, ()), *self._judge.evidence(one.service, one)]
            found = classify(evidence)
            yield Listed(one, found, reason(found), tuple(self._judge.described(one.service, one)))

    def _never_called(self, asked: Asked) -> Iterable[NeverCalled]:
        """Those that fit; none where callers, credentials or calls are asked for."""
        about_calls = asked.credential or asked.caller or asked.min_calls or asked.data_class
        within = (asked.since or asked.until) and not asked.standing
        if about_calls or within or asked.static:
            return []
        return [one for one in self.never_called if _fits(one, asked)]

    def _standing_of_never(self, one: NeverCalled) -> Standing:
        return Standing.UNUSED if one.service in self.seen.by_service else Standing.NOT_OBSERVABLE

    def _listed(self, one: NeverCalled) -> Listed:
        found = classify(self.evidence_of_never_called(one))
        return Listed(_uncalled(one), found, reason(found), tuple(one.coverings))

    def _in_sight(self, service: str) -> list[Evidence]:
        if service not in self._sights:
            is_seen = service in self.seen.by_service
            self._sights[service] = traffic.in_sight(self._lake, service) if is_seen else []
        return self._sights[service]


def _standing(text: str | None) -> Standing | None:
    if not text:
        return None
    if text not in STANDINGS:
        raise WardgateError(
            "standing-unknown", "that is no standing;", mend=f"there are {', '.join(STANDINGS)}."
        )
    return Standing(text)


def _fits(one: NeverCalled, asked: Asked) -> bool:
    """As `inventory.scope` narrows what was called."""
    text = f"{one.template} {one.operation or ''}".lower()
    return (
        matches(one.service, asked.service)
        and matches(one.template, asked.template)
        and (not asked.method or (one.method or "").upper() == asked.method.upper())
        and (not asked.search or asked.search.lower() in text)
    )


def matches(text: str, pattern: str | None) -> bool:
    """Whether a text is what a filter asks for; `*` is any text, and without a filter everything is."""
    if not pattern:
        return True
    if "*" not in pattern:
        return text == pattern
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _uncalled(one: NeverCalled) -> Operation:
    return Operation(
        operation_id=None,
        service=one.service,
        protocol=one.protocol,
        method=one.method,
        template=one.template,
        operation=one.operation,
        static=False,
        calls=0,
        linked=0,
        first_seen=None,
        last_seen=None,
        status_1xx=0,
        status_2xx=0,
        status_3xx=0,
        status_4xx=0,
        status_5xx=0,
        error_share=None,
        p50_us=None,
        p95_us=None,
        callers=0,
        credentials=0,
        no_credential_share=None,
    )
