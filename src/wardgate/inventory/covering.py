"""Specifications beside the services they describe: the evidence they give of each operation.

A specification that describes no service that was ever called covers the one it names: by hand, by its
server's host, or, where it names none, one called like itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from wardgate.inventory.evidence import Evidence, Layer, Says
from wardgate.inventory.matching import Described, described_services, operations_at, places
from wardgate.inventory.names import plain_name, skeleton
from wardgate.inventory.seen import Labelled, Seen
from wardgate.inventory.specifications.form import Outline, Outlined

Key = tuple[str, str, str, str]
"""Protocol, method, form of the template, name: what makes an operation of a service the same."""


@dataclass(frozen=True, slots=True)
class Given:
    """A specification in force, as far as evidence needs it."""

    name: str
    added_at_us: int
    outline: Outline
    service: str | None = None
    """The service somebody said it describes."""
    owners: tuple[tuple[str, str], ...] = ()
    """(owner, where it is said) of the file it came from, as CODEOWNERS has it."""


@dataclass(frozen=True)
class Covering:
    """One specification over one service."""

    given: Given
    service: str
    base: str
    why: str = ""
    """How the service was told, as `matching.ServiceMatch` has it; empty: it was never called."""
    found: Described[Outlined] | None = field(default=None, repr=False)
    """What told the service, where that is at hand."""

    @cached_property
    def operations(self) -> tuple[Outlined, ...]:
        return operations_at(self.given.outline, self.given.outline.operations, self.service)

    @cached_property
    def lookup(self) -> Described[Outlined]:
        whole = self.operations is self.given.outline.operations
        return self.found if self.found is not None and whole else Described(self.operations, self.base)

    @cached_property
    def covers(self) -> Evidence:
        return Evidence(Layer.SPECIFICATION, Says.COVERS, self.given.name, self.given.added_at_us)

    def template(self, one: Outlined) -> str:
        """Where an operation is: with the base path, unless it goes by name."""
        return one.template if one.name is not None else self.base + one.template

    def evidence(self, one: Outlined) -> list[Evidence]:
        """What the specification says of one of its operations."""
        says = Says.DEPRECATED if one.deprecated else Says.EXISTS
        return [
            Evidence(Layer.SPECIFICATION, says, self.given.name, self.given.added_at_us),
            *self.owned(one),
        ]

    def evidence_of_preflight(self) -> list[Evidence]:
        """Of a question whether something that is described may be asked (`OPTIONS`)."""
        said = Evidence(
            Layer.SPECIFICATION, Says.EXISTS, self.given.name, self.given.added_at_us, detail="preflight"
        )
        return [said, *self.owned()]

    def owned(self, one: Outlined | None = None) -> list[Evidence]:
        """Who answers for an operation, or for all, as CODEOWNERS and the description have it."""
        if one is None or one.owner is None:
            return list(self._owned_whole)
        return self._owned(one.owner)

    @cached_property
    def _owned_whole(self) -> list[Evidence]:
        return self._owned(None)

    def _owned(self, owner: str | None) -> list[Evidence]:
        """CODEOWNERS say who answers for a whole file, and not for what names an owner of its own there."""
        files = () if owner else self.given.owners
        out = [Evidence(Layer.CODE, Says.OWNED, place, detail=who) for who, place in files]
        said = owner or self.given.outline.owner
        named = (
            said.split(", ")
            if said
            else [each.name or each.email or "" for each in self.given.outline.contacts]
        )
        return out + [
            Evidence(Layer.SPECIFICATION, Says.OWNED, self.given.name, detail=each) for each in named if each
        ]


@dataclass(frozen=True, slots=True)
class NeverCalled:
    """An operation that is described and was never called."""

    service: str
    template: str
    outlined: Outlined
    coverings: list[tuple[Covering, Outlined]] = field(default_factory=list)

    @property
    def method(self) -> str | None:
        return self.outlined.method

    @property
    def protocol(self) -> str:
        return self.outlined.protocol

    @property
    def operation(self) -> str | None:
        return self.outlined.name


def coverings(given: Iterable[Given], called: Seen) -> dict[str, list[Covering]]:
    """Service → the specifications that describe it."""
    out: dict[str, list[Covering]] = {}
    for one in given:
        matches = described_services(one.outline, called, one.service)
        found = [Covering(one, each.service, each.base, each.why, each.lookup) for each in matches]
        found = found or [_unseen(one)]
        for each in found:
            out.setdefault(each.service, []).append(each)
    return out


def _unseen(given: Given) -> Covering:
    found = places(given.outline.servers)
    first = next((one for one in found if one.name), found[0] if found else None)
    return Covering(given, (first.name if first else "") or given.name, first.base if first else "")


def never_called(found: Sequence[Covering], called: Sequence[Labelled]) -> list[NeverCalled]:
    """What the specifications of one service describe, and nothing that was called is, by template."""
    out: dict[Key, NeverCalled] = {}
    for covering in found:
        hits = {id(one): one for each in called if (one := covering.lookup.of(each)) is not None}
        met = {key_of(covering.template(one), one) for one in hits.values()}
        for one in covering.operations:
            template = covering.template(one)
            key = key_of(template, one)
            if key not in met:
                known = out.setdefault(key, NeverCalled(covering.service, template, one))
                known.coverings.append((covering, one))
    return sorted(out.values(), key=lambda one: (one.template, one.method or "", one.operation or ""))


def key_of(template: str, one: Outlined) -> Key:
    """What tells an operation of a service from others."""
    path = skeleton(template.rstrip("/") or "/")
    return one.protocol, one.method or "", path, plain_name(one.name) if one.name else ""
