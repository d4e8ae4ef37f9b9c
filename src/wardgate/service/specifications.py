"""What the faces may ask of specifications: take them in, set them beside the traffic, hand them out.

A specification is found by the services it describes (`inventory.matching`), looked for anew whenever it is
asked, so that traffic that comes later finds it as well.
"""

import hashlib
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import zstandard

from wardgate.core.errors import WardgateError
from wardgate.inventory.classification import classify
from wardgate.inventory.drift import Difference, drift
from wardgate.inventory.evidence import Evidence, Layer, Says
from wardgate.inventory.exporting import Entry
from wardgate.inventory.matching import Described, ServiceMatch, described_services, operations_at
from wardgate.inventory.observed import Observed, observed
from wardgate.inventory.operations import operations
from wardgate.inventory.queries import query_names
from wardgate.inventory.scope import Scope
from wardgate.inventory.specifications.form import Specification
from wardgate.inventory.specifications.reading import read_content, read_path
from wardgate.inventory.specifications.redaction import plain_path
from wardgate.lake.store import Lake
from wardgate.net.client import fetch
from wardgate.state.specifications import GivenSpecification, Specifications

_MOST_CONTENT = 1 << 30


@dataclass(frozen=True, slots=True)
class Added:
    """One file: the specification it became, or why it did not."""

    path: Path
    given: GivenSpecification | None
    specification: Specification | None
    changed: bool = False
    refusal: WardgateError | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A specification beside one service that it describes."""

    given: GivenSpecification
    match: ServiceMatch
    differences: list[Difference]
    described: int
    observed: int


def add(
    kept: Specifications, path: Path, *, name: str | None = None, service: str | None = None
) -> Iterator[Added]:
    """Read a file or folder and put every specification in force, under its file's name or `name`.

    Files of a folder that hold no specification are passed over; others that cannot be read are told. Raises
    `input-not-found`, and for a single file whatever keeps it from being read.
    """
    folder = path.is_dir()
    if folder and name is not None:
        raise WardgateError("specification-name", "a name goes to one file, not to a folder.")
    for one in read_path(path):
        if one.specification is None:
            if one.refusal is not None and not folder:
                raise one.refusal
            if one.refusal is not None and one.refusal.code != "specification-unknown":
                yield Added(one.path, None, None, refusal=one.refusal)
            continue
        found = one.specification
        kept_name = name or (str(one.path.relative_to(path)) if folder else one.path.name)
        given, changed = _keep(kept, found, one.content, kept_name, service)
        yield Added(one.path, given, found, changed)


def add_url(
    kept: Specifications,
    url: str,
    *,
    name: str | None = None,
    service: str | None = None,
    allow: Sequence[str] = (),
) -> Added:
    """Fetch one specification and put it in force, under its host and path or `name`.

    `allow` has networks (CIDR) that are reached although they are not public. Raises `fetch-…`,
    `fetch-network` and `specification-…`.
    """
    try:
        networks = [ipaddress.ip_network(one) for one in allow]
    except ValueError:
        raise WardgateError("fetch-network", "a network is not given as CIDR, such as 10.0.0.0/8.") from None
    came = fetch(url, allow=networks)
    parts = urlsplit(came.url)
    place = plain_path(f"{parts.hostname}{parts.path}")
    suffix = Path(parts.path).suffix or (".yaml" if "yaml" in came.media_type else "")
    found = read_content(came.content, f"document{suffix}")
    given, changed = _keep(kept, found, came.content, name or place, service)
    return Added(Path(given.name), given, found, changed)


def _keep(
    kept: Specifications, found: Specification, content: bytes, name: str, service: str | None
) -> tuple[GivenSpecification, bool]:
    return kept.add(
        name=name[:255],
        kind=found.kind.value,
        title=found.title,
        version=found.version,
        service=service,
        digest=hashlib.sha256(content).hexdigest(),
        operations=len(found.operations),
        left_out=found.left_out_total,
        content=zstandard.compress(msgspec.json.encode(found), 3),
    )


def specification(kept: Specifications, given: GivenSpecification) -> Specification:
    """What was read of a specification."""
    content = zstandard.ZstdDecompressor().decompress(kept.content(given), max_output_size=_MOST_CONTENT)
    return msgspec.json.decode(content, type=Specification)


def compare(
    kept: Specifications, lake: Lake, *, name: str | None = None, service: str | None = None
) -> list[Compared]:
    """Every specification in force beside every service it describes. Raises `specification-not-there`."""
    by_service = _observed(lake, service)
    out = []
    for given in _named(kept, name):
        found = specification(kept, given)
        for match in described_services(found, by_service, given.service):
            if service is None or match.service == service:
                seen = by_service.get(match.service, [])
                differences = drift(found, match.base, seen, match.service)
                out.append(Compared(given, match, differences, len(found.operations), len(seen)))
    return out


def inventory(kept: Specifications, lake: Lake, service: str) -> tuple[list[Entry], Specification | None]:
    """Every operation of a service that is observed or described, classified; and the fullest specification.

    Raises `service-unknown`.
    """
    by_service = _observed(lake, service)
    seen = by_service.get(service, [])
    described: list[tuple[GivenSpecification, Specification, ServiceMatch]] = []
    for given in kept.in_force():
        found = specification(kept, given)
        matches = described_services(found, by_service or {service: []}, given.service)
        described += [(given, found, match) for match in matches if match.service == service]
    if not seen and not described:
        raise WardgateError(
            "service-unknown",
            "no calls to that service were seen, and no specification describes it;",
            mend="`wardgate services` lists those that were called.",
        )
    return list(_entries(seen, described)), max(
        (found for _, found, _ in described), key=lambda one: len(one.operations), default=None
    )


def _entries(
    seen: list[Observed], described: list[tuple[GivenSpecification, Specification, ServiceMatch]]
) -> Iterator[Entry]:
    lookups = [
        (given, found, match, Described(operations_at(found, match.service), match.base))
        for given, found, match in described
    ]
    in_sight = [Evidence(Layer.TRAFFIC, Says.IN_SIGHT, seen[0].service)] if seen else []
    met: set[tuple[int, tuple[str, str, str]]] = set()
    for one in seen:
        evidence = [
            Evidence(Layer.TRAFFIC, Says.EXISTS, one.service, _us(one.first_seen), _us(one.last_seen)),
            *in_sight,
        ]
        first, template = None, one.template
        for given, found, match, lookup in lookups:
            operation = lookup.of(one)
            if operation is None:
                continue
            met.add((given.id, operation.key))
            says = Says.DEPRECATED if operation.deprecated else Says.EXISTS
            evidence.append(Evidence(Layer.SPECIFICATION, says, given.name, given.added_at_us))
            evidence += _owners(given, found, operation.owner)
            if first is None:
                first = operation
                template = (
                    operation.template if operation.name is not None else match.base + operation.template
                )
        yield Entry(one, first, classify(evidence), template, one.method)
    for given, found, match, _ in lookups:
        for operation in operations_at(found, match.service):
            if (given.id, operation.key) in met:
                continue
            says = Says.DEPRECATED if operation.deprecated else Says.EXISTS
            evidence = [
                Evidence(Layer.SPECIFICATION, says, given.name, given.added_at_us),
                *_owners(given, found, operation.owner),
                *in_sight,
            ]
            template = operation.template if operation.name is not None else match.base + operation.template
            yield Entry(None, operation, classify(evidence), template, operation.method)


def _owners(given: GivenSpecification, found: Specification, owner: str | None) -> list[Evidence]:
    named = [owner] if owner else [one.name or one.email or "" for one in found.contacts]
    return [Evidence(Layer.SPECIFICATION, Says.OWNED, given.name, detail=one) for one in named if one]


def _us(when: datetime | None) -> int | None:
    return None if when is None else int(when.replace(tzinfo=UTC).timestamp() * 1_000_000)


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
    """What was observed of every service, or of one.

    An operation never seen with a query has no query parameters where its service's calls show queries at
    all; elsewhere nothing is known of them.
    """
    scope = Scope(service=service, static=False)
    names = query_names(lake, scope)
    found = operations(lake, scope).rows
    shown = {one.service for one in found if one.operation_id in names}
    out: dict[str, list[Observed]] = {}
    for one in found:
        queries = names.get(one.operation_id, {} if one.service in shown else None)
        out.setdefault(one.service, []).append(observed(one, queries))
    return out
