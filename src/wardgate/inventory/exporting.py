"""The inventory, for other tools: OpenAPI 3.1 with the evidence, JSON and CSV.

An exported operation says under `x-wardgate-evidence` why it is there. What a specification says of it, its
parameters and schemas, comes with it; of the rest no more is said than was seen.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from wardgate.inventory.classification import Classification
from wardgate.inventory.evidence import Evidence, Layer
from wardgate.inventory.observed import Observed
from wardgate.inventory.reasons import reason
from wardgate.inventory.specifications.form import (
    Body,
    Kind,
    Operation,
    Parameter,
    Place,
    Request,
    Response,
    Server,
    Shape,
    Specification,
)
from wardgate.inventory.specifications.openapi import PARAMETER
from wardgate.inventory.specifications.writing import openapi

EVIDENCE = "x-wardgate-evidence"
STANDING = "x-wardgate-standing"
CALLS = "x-wardgate-calls"
REASON = "x-wardgate-reason"
OWNERS = "x-wardgate-owners"
SOURCES = "x-wardgate-sources"
FIRST_SEEN = "x-wardgate-first-seen"
LAST_SEEN = "x-wardgate-last-seen"
CONFIDENCE = "x-wardgate-confidence"
"""How sure the template is, where calls alone say so: 0…1."""
_TEXT = Shape(types=("string",))
_RISKY = re.compile(r"\s*[=+\-@\t\r\n]")
_HTTP = re.compile(r"[A-Z]{1,20}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of the inventory. `observed` or `described` may be None, not both."""

    observed: Observed | None
    described: Operation | None
    classification: Classification
    template: str
    """The whole path."""
    method: str | None


def as_openapi(
    service: str, entries: Iterable[Entry], specification: Specification | None = None
) -> dict[str, Any]:
    """An OpenAPI 3.1 document of a service's HTTP operations."""
    said: dict[tuple[str, str, str], Entry] = {}
    operations: dict[tuple[str, str, str], Operation] = {}
    for entry in entries:
        made = _operation(entry)
        if made is not None and made.key not in said:
            said[made.key], operations[made.key] = entry, made
    whole = Specification(
        kind=Kind.OPENAPI_3_1,
        title=service,
        version=specification.version if specification and specification.version else "observed",
        contacts=specification.contacts if specification else (),
        servers=(Server(f"//{service}"),) if re.match(r"[A-Za-z0-9.-]+(:\d+)?\Z", service) else (),
        operations=_with_distinct_ids(operations[key] for key in sorted(operations)),
        schemas=specification.schemas if specification else {},
        schemes=specification.schemes if specification else {},
    )
    return openapi(whole, lambda one: _evidence(said[one.key]))


def _with_distinct_ids(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    seen: set[str] = set()
    out = []
    for one in operations:
        out.append(replace(one, operation_id=None) if one.operation_id in seen else one)
        if one.operation_id:
            seen.add(one.operation_id)
    return tuple(out)


def _operation(entry: Entry) -> Operation | None:
    """The entry as an operation under its whole path; None where OpenAPI has no place for it."""
    method = (entry.method or "").upper()
    if not _HTTP.match(method) or not entry.template.startswith("/"):
        return None
    if entry.described is not None:
        if entry.described.name is not None:
            return None
        renamed = _path_parameters(entry.described.parameters, entry.template)
        return replace(
            entry.described, template=entry.template, method=method, parameters=renamed, servers=()
        )
    seen = entry.observed
    if seen is None or seen.operation is not None or seen.protocol != "http":
        return None
    queries = (Parameter(name, Place.QUERY, False, _TEXT) for name in sorted(seen.queries or {}))
    return Operation(
        template=entry.template,
        method=method,
        parameters=_path_parameters(tuple(queries), entry.template),
        request=Request(False, tuple(Body(*one) for one in seen.requests.items())) if seen.requests else None,
        responses=_responses(seen),
    )


def _path_parameters(given: tuple[Parameter, ...], template: str) -> tuple[Parameter, ...]:
    wanted = dict.fromkeys(PARAMETER.findall(template))
    kept = [one for one in given if one.place is not Place.PATH or one.name in wanted]
    there = {one.name for one in kept if one.place is Place.PATH}
    added = [Parameter(name, Place.PATH, True, _TEXT) for name in wanted if name not in there]
    return tuple(sorted([*kept, *added], key=lambda one: (one.place, one.name)))


def _responses(seen: Observed) -> tuple[Response, ...]:
    out = {
        status: Response(status, tuple(Body(*one) for one in bodies.items()))
        for status, bodies in (seen.responses or {}).items()
    }
    for kind in seen.statuses or ():
        if not any(status[0] == str(kind) for status in out):
            out[f"{kind}XX"] = Response(f"{kind}XX")
    return tuple(out.values())


def _evidence(entry: Entry) -> dict[str, Any]:
    judged = entry.classification
    out: dict[str, Any] = {
        STANDING: judged.standing.value,
        REASON: reason(judged),
        OWNERS: list(judged.owners),
        EVIDENCE: [evidence_row(one) for one in (*judged.because, *judged.owned_by)],
    }
    if entry.observed is not None:
        seen = entry.observed
        out[CALLS] = seen.calls
        out[SOURCES] = _sources(judged)
        for name, when in ((FIRST_SEEN, seen.first_seen), (LAST_SEEN, seen.last_seen)):
            if when is not None:
                out[name] = _time(when)
        if seen.confidence is not None:
            out[CONFIDENCE] = round(seen.confidence, 3)
    return out


def _sources(judged: Classification) -> list[str]:
    """The sources that saw it."""
    return sorted({one.source for one in judged.because if one.layer is Layer.TRAFFIC})


def _time(when: datetime) -> str:
    """RFC 3339, of a naive time in UTC."""
    return when.isoformat(timespec="microseconds") + "Z"


def evidence_row(one: Evidence) -> dict[str, Any]:
    """Evidence as JSON has it."""
    row: dict[str, Any] = {"layer": one.layer.value, "says": one.says.value, "source": one.source}
    if one.detail:
        row["detail"] = one.detail
    if one.first_seen_us is not None:
        row["first_seen_us"] = one.first_seen_us
    if one.last_seen_us is not None:
        row["last_seen_us"] = one.last_seen_us
    return row


def rows(service: str, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """One flat row an operation, of every protocol."""
    return [
        {
            "service": service,
            "protocol": (entry.observed or entry.described or _NEITHER).protocol,
            "method": entry.method,
            "template": entry.template,
            "operation": entry.observed.operation
            if entry.observed
            else entry.described and entry.described.name,
            "standing": entry.classification.standing.value,
            "owners": list(entry.classification.owners),
            "calls": entry.observed.calls if entry.observed else 0,
            "deprecated": bool(entry.described and entry.described.deprecated),
            "first_seen": _time(entry.observed.first_seen)
            if entry.observed and entry.observed.first_seen
            else None,
            "last_seen": _time(entry.observed.last_seen)
            if entry.observed and entry.observed.last_seen
            else None,
            "confidence": entry.observed.confidence if entry.observed else None,
            "sources": _sources(entry.classification),
            "reason": reason(entry.classification),
            "evidence": [
                evidence_row(one) for one in (*entry.classification.because, *entry.classification.owned_by)
            ],
        }
        for entry in entries
    ]


def as_csv(found: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV. A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    out = io.StringIO()
    names = [
        "service",
        "protocol",
        "method",
        "template",
        "operation",
        "standing",
        "owners",
        "calls",
        "deprecated",
        "first_seen",
        "last_seen",
        "confidence",
        "reason",
    ]
    writer = csv.DictWriter(out, [*names, "sources", "evidence"], lineterminator="\n")
    writer.writeheader()
    for row in found:
        flat = {name: row[name] for name in names}
        flat["owners"] = ", ".join(row["owners"])
        flat["sources"] = " ".join(row["sources"])
        flat["evidence"] = " ".join(
            f"{one['layer']}:{one['says']}:{one['source']}" for one in row["evidence"]
        )
        writer.writerow({name: _plain(value) for name, value in flat.items()})
    return out.getvalue()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _RISKY.match(value) else value


_NEITHER = Operation("/", None)
