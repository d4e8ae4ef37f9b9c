"""Documents that are a row of whole records, and may have grown since they were read.

HAR and mitmproxy's flows. Framing (`records`) and meaning (`understood`) are apart, so that a document that
is longer than it was goes on behind the records that were counted: `Place` says how many those were and
proves by the last of them that it is the same document.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, NamedTuple, Protocol, runtime_checkable

import msgspec

from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.sources.exchanges import Exchange, Part
from wardgate.sources.format import Fit, Options


class Record(NamedTuple):
    """One record's bytes; with a reason where they are not all of it."""

    raw: bytes | msgspec.Raw
    broken: Reason | None = None
    offset: int = 0
    """Where the record ends in the stream, for formats that go on by it."""
    tail: bytes = b""
    """The last bytes before `offset`."""

    @property
    def is_whole(self) -> bool:
        """Whether it ends where it should; what is not whole is the last."""
        return self.broken in (None, Reason.TOO_LONG)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a document was read."""

    position: int = 0
    """Records accounted for."""
    whole: int = 0
    """Those of them that were whole: a torn one is read again when it is."""
    offset: int = 0
    proof: int = 0
    """Digest of the last whole record, as `proof` answers it."""
    is_broken_off: bool = False
    """Whether what follows was rejected, as torn or as garbage."""

    @property
    def state(self) -> dict[str, Any]:
        return {"whole": self.whole, "proof": self.proof, "broken_off": self.is_broken_off}

    @classmethod
    def left(cls, position: int, offset: int, state: dict[str, Any]) -> "Place":
        """The place that was kept as position, offset and `state`."""
        whole, proof = int(state.get("whole", 0)), int(state.get("proof", 0))
        return cls(position, whole, offset, proof, bool(state.get("broken_off")))


Understood = Callable[[int, bytes | msgspec.Raw], Exchange | Reason | str]
"""From a position and a whole record: the call, why it is none, or the rule that passes over it."""


@runtime_checkable
class RecordFormat(Protocol):
    """A document format whose records may be read on from."""

    name: str
    title: str
    reference: str
    is_appended: bool
    """Whether programs append records to a document, so that a torn last one may yet become whole."""

    def fit(self, sample: bytes) -> Fit | None: ...

    def read(self, stream: BinaryIO, options: Options) -> Iterator[Parsed]: ...

    def records(self, stream: BinaryIO) -> Iterator[Record]:
        """Every record, in order."""
        ...

    def resumed(self, stream: BinaryIO, left: Place) -> Iterator[Record] | None:
        """The records behind a place; None where the stream is not the one that was left there."""
        ...

    def proof(self, record: Record) -> int:
        """Tells a whole record from others."""
        ...

    def understood(self, options: Options) -> Understood: ...


def record_parts(
    format_: RecordFormat,
    records: Iterator[Record],
    options: Options,
    since: Place | None = None,
    *,
    is_growing: bool = False,
) -> Iterator[tuple[Parsed, Place]]:
    """Records from a place on as parts, each with the place it reaches.

    What was rejected as broken off at `since` is not told again. `is_growing` leaves a torn last one alone.
    """
    understood = format_.understood(options)
    place, part, last = since or Place(), Part(), None
    position, whole, is_broken_off = place.position, place.whole, place.is_broken_off

    def reached() -> Place:
        now = replace(place, position=position, whole=whole, is_broken_off=is_broken_off)
        return now if last is None else replace(now, offset=last.offset, proof=format_.proof(last))

    for record in records:
        if not record.is_whole and (is_broken_off or (is_growing and record.broken is Reason.TRUNCATED)):
            break
        found = record.broken or understood(position, record.raw)
        if isinstance(found, Reason):
            part.reject(Reject(position, found, bytes(record.raw)))
        elif isinstance(found, Exchange):
            part.accept(found)
        else:
            part.skip(found)
        last = record if record.is_whole else last
        position += 1
        whole += record.is_whole
        is_broken_off = not record.is_whole
        if part.full:
            yield part.take(), reached()
    if not part.empty:
        yield part.take(), reached()
