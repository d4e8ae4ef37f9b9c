"""What was observed of an operation, as far as it can be set beside a specification.

What no source showed is None, and nothing is concluded from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.body_schemas import BodySchema
from wardgate.inventory.operations import Operation
from wardgate.inventory.specifications.form import Shape


@dataclass(frozen=True, slots=True)
class Observed:
    """One observed operation. `template` is the whole path, base path included."""

    service: str
    method: str | None
    template: str
    protocol: str = "http"
    operation: str | None = None
    operation_id: int = 0
    calls: int = 0
    statuses: tuple[int, ...] | None = None
    """Classes of status that were answered: 2 for 200…299."""
    queries: Mapping[str, float] | None = None
    """Query parameter → share of calls that had it."""
    requests: Mapping[str, Shape] | None = None
    """Media type → shape of the bodies that were sent."""
    responses: Mapping[str, Mapping[str, Shape]] | None = None
    """Status → media type → shape of the bodies that were answered."""
    refused: int = 0
    """Calls that were answered by 4xx."""
    anonymous: tuple[int, int] | None = None
    """(Calls without a credential, all calls) where a source sees that shows credentials; None: none does."""
    confidence: float | None = None
    """How sure the template is, 0…1; None where nobody said."""
    was_found: bool = True
    """Whether anything but `not found` ever came back."""
    first_seen: datetime | None = None
    last_seen: datetime | None = None


def observed(
    one: Operation,
    queries: Mapping[str, float] | None = None,
    anonymous: tuple[int, int] | None = None,
    was_found: bool = True,
    bodies: Sequence[BodySchema] = (),
) -> Observed:
    """What the inventory's listing says of an operation, and what is known of its bodies."""
    requests = {each.media_type: each.shape() for each in bodies if each.direction == "request"}
    responses: dict[str, dict[str, Shape]] = {}
    for each in bodies:
        if each.direction == "response" and each.status:
            responses.setdefault(str(each.status), {})[each.media_type] = each.shape()
    counts = (one.status_1xx, one.status_2xx, one.status_3xx, one.status_4xx, one.status_5xx)
    return Observed(
        service=one.service,
        method=one.method,
        template=one.template,
        protocol=one.protocol,
        operation=one.operation,
        operation_id=one.operation_id or 0,
        calls=one.calls,
        statuses=tuple(at for at, n in enumerate(counts, 1) if n) or None,
        queries=queries,
        requests=requests or None,
        responses=responses or None,
        refused=one.status_4xx,
        anonymous=anonymous,
        confidence=one.confidence,
        was_found=was_found,
        first_seen=one.first_seen,
        last_seen=one.last_seen,
    )
