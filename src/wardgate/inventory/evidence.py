"""Evidence: one reason to believe that an operation exists, or is as it is.

Each layer adds evidence; nothing stores a judgement. What is known of a whole service (that some source
could have seen its calls, that a specification describes it) is evidence for each of its operations, too.
`classification` turns evidence into a standing; a new layer is a new value here, and nothing else changes.
"""

from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """Where evidence comes from."""

    TRAFFIC = "traffic"
    SPECIFICATION = "specification"
    GATEWAY = "gateway"
    CODE = "code"
    PROBE = "probe"
    PERSON = "person"
    RULE = "rule"
    """What somebody laid down for many operations at once: for a host, for paths."""


class Says(StrEnum):
    """What evidence says."""

    EXISTS = "exists"
    """The operation is there: called and answered, described, routed, written, or it answered a probe."""
    TRIED = "tried"
    """It was called, and nothing but `not found` came back: that is no proof that it is there."""
    DEPRECATED = "deprecated"
    """It is there, and ought not to be used any more."""
    IN_SIGHT = "in-sight"
    """Had it been called, this source would have shown it."""
    COVERS = "covers"
    """This specification describes the service: what is there ought to be in it."""
    OWNED = "owned"
    """Somebody answers for it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason. Times are µs since 1970 (UTC); None where the layer knows none."""

    layer: Layer
    says: Says
    source: str
    """Name of the log, the specification, the file and line, the rule, the person."""
    first_seen_us: int | None = None
    last_seen_us: int | None = None
    detail: str = ""
    """Of `OWNED`: who."""

    @property
    def _order(self) -> tuple[str, str, str, str, int, int]:
        first = -1 if self.first_seen_us is None else self.first_seen_us
        last = -1 if self.last_seen_us is None else self.last_seen_us
        return self.layer, self.says, self.source, self.detail, first, last

    def __lt__(self, other: "Evidence") -> bool:
        return self._order < other._order
