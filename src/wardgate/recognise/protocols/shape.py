"""The one shape of a protocol: where it shows itself cheaply, and a closer look at what shows it.

A protocol is a plain class with `name`, `title`, `reference`, `hints` and `read`; the first line of its
docstring is shown to users. `hints` are asked of whole columns, once per distinct value, so that calls of
other protocols cost next to nothing. `read` sees one distinct exchange that fits a hint and says what it is.
It is a pure function: the same exchange is the same operation, whoever saw it and whatever came before.
`tests/recognise/protocols/test_conformance.py` tells the author of a new one what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl

import msgspec

from wardgate.lake.traits import CLIENT_NAME, VERSION
from wardgate.recognise.protocols.messages import Batch, read_messages

MOST_BYTES = 1 << 20
"""Longest request body that is decoded."""
UNREADABLE = "(unreadable)"
"""Stands for a name that is in a body which cannot be read."""
TOO_LARGE = "(too large)"
"""Stands for a name that is in a body, or a document, past what is read."""
_MOST_PARAMETERS = 100


@dataclass(frozen=True, slots=True)
class Hints:
    """Where a protocol shows itself; any one of them is enough for a closer look. Patterns are RE2's."""

    request_type: str | None = None
    """Pattern of the request's content type, in any case, with its parameters."""
    response_type: str | None = None
    """Pattern of the response's."""
    post_path: str | None = None
    """Pattern of the path of calls with POST, or where no method is shown."""
    path_endings: tuple[str, ...] = ()
    """Literal ends of the path of any call. A pattern would cost every log."""
    query: str | None = None
    """Pattern of the query."""
    headers: tuple[str, ...] = ()
    """Headers (`req.mcp-method`) whose presence is a hint."""
    values: tuple[tuple[str, str], ...] = ()
    """(header, pattern of its value)."""
    statuses: tuple[int, ...] = ()
    body: tuple[str, ...] = ()
    """Texts of which a request body must hold one. They are looked for in every body."""


@dataclass(frozen=True)
class Seen:
    """One distinct exchange, as far as the source shows it. Holds raw values: it lives in memory only."""

    method: str | None = None
    path: str = "/"
    """Secrets in it are tokens already."""
    query: str | None = field(default=None, repr=False)
    request_type: str | None = None
    """Content type: the type in lower case, its parameters as sent."""
    response_type: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Those that the protocol's `reads` and `hints` name."""
    body: bytes | None = field(default=None, repr=False)
    answer: bytes | None = field(default=None, repr=False)
    """The response's body, for protocols with `reads_answers`."""
    claimed: bool = False
    """The source itself says that it is this protocol; only its name is asked for."""

    @cached_property
    def messages(self) -> Batch | None:
        """The body as JSON-RPC messages; None where it is none, or there is no body."""
        return read_messages(self.body, MOST_BYTES)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The query's parameters, decoded; the first of each name."""
        try:
            pairs = parse_qsl(self.query or "", max_num_fields=_MOST_PARAMETERS, errors="replace")
        except ValueError:  # more fields than that
            return {}
        out: dict[str, str] = {}
        for name, value in pairs:
            out.setdefault(name, value)
        return out

    def json(self) -> object:
        """The body decoded; None where it is no JSON."""
        if self.body is None or len(self.body) > MOST_BYTES:
            return None
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None


class Found(NamedTuple):
    """What an exchange is. Names and values may be raw: they are masked and bounded by who asked."""

    operation: str | None = None
    """The name that the path does not hold, in its readable form."""
    session: str | None = None
    """Session id as sent."""
    traits: tuple[tuple[str, str], ...] = ()
    """(trait, value): what is learned of the route besides. See `TRAITS`."""
    outcome: int | None = None
    """HTTP status that means what the protocol's own status means, where HTTP's says nothing."""


TRAITS = (VERSION, CLIENT_NAME)
"""What a protocol may say of a route: its version, and what clients call the operation."""


class ProtocolKind(Protocol):
    """What `catalogue.py` lists."""

    @property
    def name(self) -> str:
        """As it stands in the Call's `protocol`."""

    @property
    def title(self) -> str: ...

    @property
    def reference(self) -> str:
        """Whose document says how it looks, with its section or revision."""

    @property
    def hints(self) -> Hints: ...

    @property
    def reads(self) -> tuple[str, ...]:
        """Headers that `read` looks at besides those of its hints."""

    @property
    def reads_answers(self) -> bool:
        """Whether `read` looks at the response's body."""

    def read(self, seen: Seen) -> Found | None:
        """What the exchange is; None where it is something else. Never raises."""
        ...
