"""A request with its response as captures hold them, gathered into observed columns.

Captures (HAR, flows, packets) show whole messages, one exchange at a time. Each becomes one `Exchange`;
a few thousand together become one table. What a value means is decided here once for all captures.
"""

from collections.abc import Sequence
from operator import attrgetter

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.observed import HEADERS, OBSERVED, Parsed, Reject, observed_table
from wardgate.sources.headers import HeaderLists

BATCH = 1000
"""Exchanges in one part, at most."""
BATCH_BYTES = 16 << 20
"""Bytes of bodies in one part, about: a part closes when it has more."""

Headers = tuple[Sequence[str], Sequence[str]]
"""Names and values, of equal length."""


class Exchange(msgspec.Struct, gc=False):
    """One call as a capture shows it. Fields are observed columns; None is absent."""

    position: int
    method: str
    target: str
    started_at: int | None = None
    """µs since 1970, UTC."""
    precision_us: int | None = None
    duration_us: int | None = None
    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    http_version: str | None = None
    status: int | None = None
    request_bytes: int | None = None
    response_bytes: int | None = None
    client: str | None = None
    client_port: int | None = None
    upstream: str | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    tls_sni: str | None = None
    client_certificate: str | None = None
    protocol: str | None = None
    request_content_type: str | None = None
    response_content_type: str | None = None
    request_headers: Headers | None = None
    response_headers: Headers | None = None
    request_body: bytes | None = None
    response_body: bytes | None = None


_VERSIONS = {
    "h2": "HTTP/2.0",
    "http/2": "HTTP/2.0",
    "http/2.0": "HTTP/2.0",
    "h3": "HTTP/3.0",
    "http/3": "HTTP/3.0",
    "http/3.0": "HTTP/3.0",
    "http/1.1": "HTTP/1.1",
    "http/1.0": "HTTP/1.0",
    "http/0.9": "HTTP/0.9",
}
_RANGES = {"status": (100, 999), "port": (1, 65535), "client_port": (1, 65535)}
_LARGEST = (1 << 63) - 1


def http_version(name: str | None) -> str | None:
    """The version as an access log writes it; None where the capture has no such thing to say."""
    lower = (name or "").lower()
    found = _VERSIONS.get(lower)
    if found is None and lower.startswith("h3-"):
        return "HTTP/3.0"
    return found


def exchange_table(exchanges: Sequence[Exchange]) -> pa.Table:
    """Observed columns of the exchanges, without those that none of them has.

    Integers must fit 64 bits. Those out of their range are absent: a status is 100…999, a port 1…65535, a
    size or duration not negative.
    """
    columns: dict[str, pa.Array] = {}
    for name in Exchange.__struct_fields__:
        values = list(map(attrgetter(name), exchanges))
        absent = not values or (values[0] is None and values.count(None) == len(values))
        if absent and name != "position":
            continue
        kind = OBSERVED[name]
        if kind == HEADERS:
            columns[name] = _headers(values)
        elif name == "started_at":
            columns[name] = pa.array(values, pa.int64()).cast(kind)
        elif pa.types.is_integer(kind):
            numbers = pa.array(values, pa.int64())
            low, high = _RANGES.get(name, (0, _LARGEST))
            inside = pc.and_(pc.greater_equal(numbers, low), pc.less_equal(numbers, high))
            columns[name] = pc.if_else(inside, numbers, pa.scalar(None, pa.int64())).cast(kind)
        else:
            columns[name] = pa.array(values, kind)
    return observed_table(columns)


def _headers(lists: list[Headers | None]) -> pa.ListArray:
    column = HeaderLists()
    for one in lists:
        if one is None:
            column.add_absent()
        else:
            column.add(*one)
    return column.array()


class Part:
    """What has come of a capture since the last part was handed out."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._rejects: list[Reject] = []
        self._skipped: dict[str, int] = {}
        self._bytes = 0

    def accept(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)
        self._bytes += len(exchange.request_body or b"") + len(exchange.response_body or b"")

    def reject(self, reject: Reject) -> None:
        self._rejects.append(reject)
        self._bytes += len(reject.raw)

    def skip(self, rule: str) -> None:
        self._skipped[rule] = self._skipped.get(rule, 0) + 1

    @property
    def full(self) -> bool:
        return len(self._exchanges) + len(self._rejects) >= BATCH or self._bytes >= BATCH_BYTES

    @property
    def empty(self) -> bool:
        return not self._exchanges and not self._rejects and not self._skipped

    def take(self) -> Parsed:
        """The part as it is, and begin the next."""
        done = Parsed(exchange_table(self._exchanges), self._rejects, self._skipped)
        self._exchanges, self._rejects, self._skipped, self._bytes = [], [], {}, 0
        return done
