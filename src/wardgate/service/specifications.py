"""What the faces may ask of specifications: take them in, set them beside the traffic, hand them out.

A specification is found by the services it describes (`inventory.matching`), looked for anew whenever it is
asked, so that traffic that comes later finds it as well.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import msgspec
import zstandard

from wardgate.core.clock import system_clock
from wardgate.core.errors import WardgateError
from wardgate.inventory import traffic
from wardgate.inventory.body_schemas import BodySchema, body_schemas
from wardgate.inventory.classification import Classification, Standing
from wardgate.inventory.drift import Difference, Drift, drift
from wardgate.inventory.exporting import Entry
from wardgate.inventory.matching import ServiceMatch, described_services
from wardgate.inventory.observed import Observed, observed
from wardgate.inventory.operations import Operation as Found
from wardgate.inventory.operations import operations
from wardgate.inventory.queries import query_names
from wardgate.inventory.scope import Scope
from wardgate.inventory.seen import Seen, seen
from wardgate.inventory.specifications.form import Operation, Specification
from wardgate.inventory.specifications.other_documents import OtherDocuments, Unfetched
from wardgate.inventory.specifications.reading import read_content, read_path
from wardgate.inventory.specifications.redaction import plain_path
from wardgate.lake.store import Lake
from wardgate.net.client import fetch
from wardgate.service.given import Knowledge, as_given, owners_of, specification
from wardgate.service.owners import owners_of_file
from wardgate.service.reading import Asked
from wardgate.service.referred import documents_of, fetching, networks
from wardgate.service.standings import Listed, Standings, matches
from wardgate.state.owners import OwnerFacts
from wardgate.state.specifications import GivenSpecification, Specifications

if TYPE_CHECKING:
    from wardgate.core.settings import OwnerRuleSettings


@dataclass(frozen=True, slots=True)
class Added:
    """One file: the specification it became, or why it did not."""

    path: Path
    given: GivenSpecification | None
    specification: Specification | None
    changed: bool = False
    refusal: WardgateError | None = None
    unfetched: Sequence[Unfetched] = ()
    """Documents that it refers to and that could not be had."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A specification with what was read of it, and the services that it describes now."""

    given: GivenSpecification
    specification: Specification
    matches: list[ServiceMatch]


@dataclass(frozen=True, slots=True)
class Compared:
    """A specification beside one service that it describes."""

    given: GivenSpecification
    match: ServiceMatch
    differences: list[Difference]
    described: int
    observed: int


def add(
    kept: Specifications,
    path: Path,
    *,
    name: str | None = None,
    service: str | None = None,
    fetch_references: bool = False,
    allow: Sequence[str] = (),
) -> Iterator[Added]:
    """Read a file or folder and put every specification in force, under its file's name or `name`.

    With `fetch_references` the documents that it refers to are got: files below its folder, and URLs (`allow`
    has networks, as CIDR, that are reached although they are not public). Files of a folder that hold no
    specification are passed over; others that cannot be read are told. Raises `input-not-found`,
    `fetch-network`, and for a single file whatever keeps it from being read.
    """
    folder = path.is_dir()
    others = documents_of(networks(allow), path if folder else path.parent) if fetch_references else None
    if folder and name is not None:
        raise WardgateError("specification-name", "a name goes to one file, not to a folder.")
    for one in read_path(path, others):
        if one.specification is None:
            if one.refusal is not None and not folder:
                raise one.refusal
            if one.refusal is not None and one.refusal.code != "specification-unknown":
                yield Added(one.path, None, None, refusal=one.refusal)
            continue
        found = one.specification
        kept_name = name or (str(one.path.relative_to(path)) if folder else one.path.name)
        owners = owners_of_file(one.path)
        fetched = one.others.fetched if one.others is not None else []
        given, changed = _keep(kept, found, [one.content, *fetched], kept_name, service, owners)
        unfetched = one.others.unfetched if one.others is not None else ()
        yield Added(one.path, given, found, changed, unfetched=unfetched)


def add_url(
    kept: Specifications,
    url: str,
    *,
    name: str | None = None,
    service: str | None = None,
    allow: Sequence[str] = (),
    fetch_references: bool = False,
) -> Added:
    """Fetch one specification and put it in force, under its host and path or `name`.

    `allow` has networks (CIDR) that are reached although they are not public, by references as well, which
    are only fetched with `fetch_references`. Raises `fetch-…`, `fetch-network` and `specification-…`.
    """
    came = fetch(url, allow=networks(allow))
    others = OtherDocuments(came.url, fetching(networks(allow))) if fetch_references else None
    parts = urlsplit(came.url)
    place = plain_path(f"{parts.hostname}{parts.path}")
    suffix = Path(parts.path).suffix or (".yaml" if "yaml" in came.media_type else "")
    found = read_content(came.content, f"document{suffix}", others)
    fetched = others.fetched if others is not None else []
    given, changed = _keep(kept, found, [came.content, *fetched], name or place, service)
    unfetched = others.unfetched if others is not None else ()
    return Added(Path(given.name), given, found, changed, unfetched=unfetched)


def _keep(
    kept: Specifications,
    found: Specification,
    contents: Sequence[bytes],
    name: str,
    service: str | None,
    owners: Sequence[tuple[str, str]] = (),
) -> tuple[GivenSpecification, bool]:
    return kept.add(
        name=name[:255],
        kind=found.kind.value,
        title=found.title,
        version=found.version,
        service=service,
        digest=hashlib.sha256(b"".join(contents)).hexdigest(),
        operations=len(found.operations),
        left_out=found.left_out_total,
        content=zstandard.compress(msgspec.json.encode(found), 3),
        owners=msgspec.json.encode(owners).decode() if owners else None,
    )


def show(kept: Specifications, lake: Lake, name: str) -> Shown:
    """All that is known of one specification in force. Raises `specification-not-there`."""
    (given,) = _named(kept, name)
    found = specification(kept, given)
    return Shown(given, found, described_services(found, seen(lake), given.service))


def differences_of(kept: Specifications, lake: Lake, operation_id: int) -> list[tuple[str, Difference]]:
    """(specification, difference) of one operation that was called, of all specifications in force."""
    rows = operations(lake, Scope(operation_ids=(operation_id,))).rows
    if not rows or not kept.in_force():
        return []
    return [
        (one.given.name, each)
        for one in compare(kept, lake, service=rows[0].service)
        for each in one.differences
        if each.operation_id == operation_id
    ]


def compare(
    kept: Specifications, lake: Lake, *, name: str | None = None, service: str | None = None
) -> list[Compared]:
    """Every specification in force beside every service it describes. Raises `specification-not-there`."""
    by_service = _observed(lake, service)
    called = Seen(by_service)
    out = []
    for given in _named(kept, name):
        found = specification(kept, given)
        for match in described_services(found, called, given.service):
            if service is None or match.service == service:
                there = by_service.get(match.service, [])
                differences = drift(found, match.base, there, match.service)
                out.append(Compared(given, match, differences, len(found.operations), len(there)))
    return out


def inventory(
    kept: Specifications, lake: Lake, service: str, rules: "Sequence[OwnerRuleSettings]" = ()
) -> tuple[list[Entry], Specification | None]:
    """Every operation of a service that is observed or described, classified; and the fullest specification.

    `rules` are the configuration's owner rules. Raises `service-unknown`.
    """
    given = [as_given(one, specification(kept, one)) for one in kept.in_force()]
    owners = owners_of(OwnerFacts(kept.state, system_clock), rules)
    look = Standings(lake, Knowledge(given, owners))
    name = None if "*" in service else service  # a name is no pattern here
    found = look.listing(Asked(service=name, static=False), system_clock)
    listed = [one for one in found.rows if one.operation.service == service]
    if not listed:
        raise WardgateError(
            "service-unknown",
            "no calls to that service were seen, and no specification describes it;",
            mend="`wardgate services` lists those that were called.",
        )
    by_id = _all_observed(lake, [one.operation for one in listed], Scope(service=name, static=False))
    whole = [one.given.outline for one in look.covers(service)]
    fullest = max(whole, key=lambda one: len(one.operations), default=None)
    return [_entry(one, by_id) for one in listed], cast(Specification | None, fullest)


def _entry(listed: Listed, by_id: dict[int, Observed]) -> Entry:
    one = listed.operation
    described = next(iter(listed.described), None)
    template = described[0].template(described[1]) if described else one.template
    shown = None if one.operation_id is None else by_id[one.operation_id]
    full = cast(Operation | None, described[1] if described else None)
    return Entry(
        shown, full, listed.classification or Classification(Standing.UNKNOWN, ()), template, one.method
    )


def kind_asked(kind: str | None) -> str | None:
    """A kind of difference, or a pattern of kinds, that there is. Raises `difference-unknown`."""
    if kind and not any(matches(one.value, kind) for one in Drift):
        raise WardgateError(
            "difference-unknown",
            "there is no such kind of difference;",
            mend=f"there are {', '.join(one.value for one in Drift)}.",
        )
    return kind


def is_about(one: Difference, method: str | None, template: str | None, kind: str | None = None) -> bool:
    """Whether a difference is one that is asked for; `*` in template and kind is any text."""
    if method and (one.method or "").upper() != method.upper():
        return False
    return matches(one.template, template) and matches(one.drift.value, kind)


def _named(kept: Specifications, name: str | None) -> list[GivenSpecification]:
    found = [one for one in kept.in_force() if name is None or one.name == name]
    if not found:
        raise WardgateError(
            "specification-not-there",
            "there is no specification of that name;" if name else "there are no specifications;",
            mend="`wardgate spec list` shows all." if name else "`wardgate spec add FILE` takes one in.",
        )
    return found


def _observed(lake: Lake, service: str | None) -> dict[str, list[Observed]]:
    """What was observed of every service, or of one."""
    scope = Scope(service=service, static=False)
    found = operations(lake, scope).rows
    by_id = _all_observed(lake, found, scope)
    out: dict[str, list[Observed]] = {}
    for one in found:
        if one.operation_id is not None:
            out.setdefault(one.service, []).append(by_id[one.operation_id])
    return out


def _all_observed(lake: Lake, found: Sequence[Found], scope: Scope) -> dict[int, Observed]:
    """Operation → what was observed of it.

    One never seen with a query has no query parameters where its service's calls show queries at all;
    elsewhere nothing is known of them.
    """
    names = query_names(lake, scope)
    shown = {one.service for one in found if one.operation_id in names}
    anonymous = traffic.presented(lake, scope)
    bodies: dict[int, list[BodySchema]] = {}
    for each in body_schemas(lake, scope):
        bodies.setdefault(each.operation_id, []).append(each)
    refused = [one.operation_id for one in found if one.operation_id and one.status_4xx == one.calls > 0]
    tried = traffic.only_tried(lake, refused)
    return {
        one.operation_id: observed(
            one,
            names.get(one.operation_id, {} if one.service in shown else None),
            anonymous.get(one.operation_id),
            one.operation_id not in tried,
            bodies.get(one.operation_id, ()),
        )
        for one in found
        if one.operation_id is not None
    }
