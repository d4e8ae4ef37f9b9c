"""Drift: where a specification and what was observed part, in both directions.

A pure function of the two. What was not observable says nothing: absence counts only where a source would
have shown it. Differences name parameters and fields, never values.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from wardgate.inventory.matching import Described, operations_at
from wardgate.inventory.observed import Observed
from wardgate.inventory.shape_drift import Side, differences
from wardgate.inventory.specifications.form import Operation, Place, Specification

FEW = 5
"""Calls from which on a parameter or field that never comes says something."""


class Drift(StrEnum):
    """What differs."""

    UNDESCRIBED = "operation-undescribed"
    UNCALLED = "operation-uncalled"
    DEPRECATED = "operation-deprecated-called"
    PARAMETER_UNDESCRIBED = "parameter-undescribed"
    PARAMETER_MISSING = "parameter-required-missing"
    PARAMETER_UNUSED = "parameter-unused"
    STATUS_UNDESCRIBED = "status-undescribed"
    MEDIA_UNDESCRIBED = "media-type-undescribed"
    FIELD_UNDESCRIBED = "field-undescribed"
    FIELD_MISSING = "field-required-missing"
    FIELD_TYPE = "field-type-differs"
    AUTH_MISSING = "auth-missing"
    AUTH_UNDESCRIBED = "auth-undescribed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `place` names the parameter, status or field; empty for the whole operation."""

    drift: Drift
    method: str | None
    template: str
    operation: str | None = None
    place: str = ""
    calls: int = 0
    operation_id: int = 0
    """Of the observed operation; 0 where there is none."""


def drift(
    specification: Specification, base: str, observed: Sequence[Observed], service: str = ""
) -> list[Difference]:
    """All differences of one service, in the order of templates. Without a name, hosts are not looked at."""
    operations = specification.operations
    if service:
        operations = operations_at(specification, operations, service)
    described = Described(operations, base)
    out: list[Difference] = []
    called: dict[tuple[str, str, str], list[Observed]] = {}
    for one in observed:
        found = described.of(one)
        if found is not None:
            called.setdefault(found.key, []).append(one)
        elif one.was_found and not described.covers_preflight(one):
            out.append(_of(Drift.UNDESCRIBED, one))
    for operation in operations:
        seen = called.get(operation.key)
        if seen is None:
            out.append(
                Difference(
                    Drift.UNCALLED,
                    operation.method,
                    base + operation.template if operation.name is None else operation.template,
                    operation.name,
                )
            )
            continue
        for one in seen:
            out += _within(specification, operation, one)
    return sorted(
        out, key=lambda one: (one.template, one.operation or "", one.method or "", one.drift, one.place)
    )


def _of(kind: Drift, one: Observed, place: str = "") -> Difference:
    return Difference(kind, one.method, one.template, one.operation, place, one.calls, one.operation_id)


def _within(specification: Specification, described: Operation, one: Observed) -> Iterable[Difference]:
    if described.deprecated:
        yield _of(Drift.DEPRECATED, one)
    yield from _parameters(specification, described, one)
    yield from _statuses(described, one)
    yield from _auth(described, one)
    yield from _bodies(specification, described, one)


def _parameters(specification: Specification, described: Operation, one: Observed) -> Iterable[Difference]:
    if one.queries is None:
        return
    known = {each.name: each for each in described.parameters if each.place is Place.QUERY}
    keys = {each.name for each in specification.schemes.values() if each.place is Place.QUERY}
    for name in one.queries:
        plain = name.removesuffix("[]").partition("[")[0]
        if name not in known and plain not in known and f"{plain}[]" not in known and name not in keys:
            yield _of(Drift.PARAMETER_UNDESCRIBED, one, f"query:{name}")
    for name, parameter in known.items():
        share = max(
            (each for key, each in one.queries.items() if key == name or key.startswith(f"{name}[")),
            default=0,
        )
        if parameter.required and share < 1:
            yield _of(Drift.PARAMETER_MISSING, one, f"query:{name}")
        elif not share and one.calls >= FEW:
            yield _of(Drift.PARAMETER_UNUSED, one, f"query:{name}")


def _statuses(described: Operation, one: Observed) -> Iterable[Difference]:
    said = {each.status for each in described.responses}
    if not said or "default" in said:
        return
    for kind in one.statuses or ():
        if not any(status[0] == str(kind) for status in said):
            yield _of(Drift.STATUS_UNDESCRIBED, one, f"{kind}XX")


def _auth(described: Operation, one: Observed) -> Iterable[Difference]:
    """Calls that were refused say nothing: refusing is what authentication is for.

    Nobody counted which calls without a credential were refused, so they are taken to be all that were.
    """
    if one.anonymous is None or described.security is None:
        return
    without, every = one.anonymous
    needed = bool(described.security) and () not in described.security
    if needed and (without > one.refused if one.statuses else without == every):
        yield _of(Drift.AUTH_MISSING, one, "" if without == every else "some calls")
    elif not described.security and without == 0:
        yield _of(Drift.AUTH_UNDESCRIBED, one)


def _bodies(specification: Specification, described: Operation, one: Observed) -> Iterable[Difference]:
    said = {each.media_type: each.shape for each in described.request.bodies} if described.request else {}
    for media_type, shape in (one.requests or {}).items():
        if media_type not in said:
            yield _of(Drift.MEDIA_UNDESCRIBED, one, f"request {media_type}")
            continue
        for side, place in differences(said[media_type], shape, specification.schemas):
            yield _of(_DRIFTS[side], one, f"request{place}")
    for status, bodies in (one.responses or {}).items():
        by_status = {each.status: each for each in described.responses}
        response = by_status.get(status) or by_status.get(f"{status[0]}XX") or by_status.get("default")
        if response is None:
            continue  # said of the status already
        expected = {each.media_type: each.shape for each in response.bodies}
        for media_type, shape in bodies.items():
            if media_type not in expected:
                yield _of(Drift.MEDIA_UNDESCRIBED, one, f"response {status} {media_type}")
                continue
            for side, place in differences(expected[media_type], shape, specification.schemas):
                yield _of(_DRIFTS[side], one, f"response {status}{place}")


_DRIFTS = {
    Side.OBSERVED_ONLY: Drift.FIELD_UNDESCRIBED,
    Side.MISSING: Drift.FIELD_MISSING,
    Side.TYPE: Drift.FIELD_TYPE,
}
