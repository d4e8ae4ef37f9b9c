"""The one shape of a format: how a source's records look, and how they become observed calls.

A line format turns whole lines into `Parsed`; a document format (HAR, a capture) turns a byte stream into a
sequence of `Parsed`. Both are plain classes with the attributes below, no base class needed; they are
listed, in order, in `sources.catalogue`. One conformance suite (`tests/sources/test_conformance.py`) runs
every listed format through hostile input and teaches what a new one lacks. A format whose records are always
seen from one place may say so by an attribute `vantage`, which holds where a person says nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from wardgate.core.observed import Parsed

_PIECE = 1 << 18
State = dict[str, Any]
"""What a parser must remember between chunks (JSON-able): a W3C `#Fields` line, a CSV header."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of one origin. `data` ends with a newline, save perhaps at the end of the input."""

    data: bytes = field(repr=False)
    first: int = 0
    """Position (line number from 0) of the first line."""


def newlines(data: bytes) -> int:
    """How many there are; NumPy counts in a third of the time that `bytes.count` takes."""
    return sum(int(np.count_nonzero(piece == 10)) for piece in _pieces(data))


def places_of(byte: int, data: bytes) -> npt.NDArray[np.int64]:
    """Where a byte stands, in order."""
    found = [np.flatnonzero(piece == byte) + at * _PIECE for at, piece in enumerate(_pieces(data))]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _pieces(data: bytes) -> Iterator[npt.NDArray[np.uint8]]:
    """The bytes in pieces that, with what is made of them, stay in the processor's cache."""
    raw = np.frombuffer(data, np.uint8)
    return (raw[start : start + _PIECE] for start in range(0, len(raw), _PIECE))


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a format fits a sample: `score` in 0…1, and the reason in words a person can check."""

    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say about a source that its bytes do not."""

    layout: str | None = None
    """A log format string in the vendor's own syntax."""
    config: Path | None = None
    """A server configuration (`nginx.conf`, `httpd.conf`, a mapping) that holds the format."""
    layout_name: str | None = None
    """Which of that configuration's formats, when it has several."""
    timezone: str | None = None
    """IANA name for stamps that carry no zone; default UTC."""


class LineParser(Protocol):
    """Parses chunks of one origin in order; `state` lets another process go on where this one stopped."""

    def parse(self, lines: Lines) -> Parsed: ...

    @property
    def state(self) -> State: ...


@runtime_checkable
class LineFormat(Protocol):
    """A format whose records are lines."""

    name: str
    """Stable, lower case, with dashes: `nginx-combined`."""
    title: str
    """As its vendor calls it."""
    reference: str
    """The vendor's document that describes it (title, not necessarily an address)."""

    def fit(self, sample: bytes) -> Fit | None:
        """How well `sample` (the first whole lines of an input, at most 256 KiB) is of this format."""
        ...

    def parser(self, options: Options, state: State | None = None) -> LineParser: ...


@runtime_checkable
class DocumentFormat(Protocol):
    """A format that is one document or a binary stream; positions are entry numbers from 0."""

    name: str
    title: str
    reference: str

    def fit(self, sample: bytes) -> Fit | None: ...

    def read(self, stream: BinaryIO, options: Options) -> Iterator[Parsed]:
        """Yields parts of at most some thousand entries, in order, in bounded memory.

        A document that breaks off yields what was whole, then a `Reject` with `Reason.TRUNCATED`.
        """
        ...


Format = LineFormat | DocumentFormat


@dataclass(frozen=True, slots=True)
class Defaults:
    """Facts that hold for every call of a source, from its format or its configuration."""

    vantage: str | None = None
    environment: str | None = None
    team: str | None = None
    service: str | None = None
    proxies: tuple[str, ...] = ()
    """CIDR blocks of proxies whose forwarded chain is believed."""
    extra: Mapping[str, str] = field(default_factory=dict)
