"""What a source saw, before it means anything: the vocabulary between sources and recognition.

A source's parser answers each chunk of its input with `Parsed`: a table whose columns are a subset of
`OBSERVED` (a column that is not there was not seen; null is absent), the records that did not fit, and
counts of what a rule skipped. `Parsed.read` is exactly accepted + rejected + skipped.

Observed tables hold raw secrets and live only in memory, between the parser and `recognise`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

HEADERS = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))
"""Headers as seen, in order; names in any case; a repeated header is repeated."""

_TIME = pa.timestamp("us")

OBSERVED: dict[str, pa.DataType] = {
    # Where the record stands in its origin: line number or entry number, from 0. Always present.
    "position": pa.int64(),
    # Time (UTC). Give the one that the source stamps; recognition derives start = end - duration.
    "started_at": _TIME,
    "ended_at": _TIME,
    "precision_us": pa.int64(),
    # The request. `target` may be origin-form, absolute-form, authority-form or `*`, with its query.
    "method": pa.string(),
    "target": pa.string(),
    "query": pa.string(),  # when the source keeps it apart from the target; without "?"
    "http_version": pa.string(),
    "scheme": pa.string(),
    "host": pa.string(),  # may carry a port
    "port": pa.int32(),
    # The outcome.
    "status": pa.int16(),
    "duration_us": pa.int64(),
    "request_bytes": pa.int64(),
    "response_bytes": pa.int64(),
    # The client as the source saw it, and what it was told (X-Forwarded-For, left to right).
    "client": pa.string(),  # may carry a port; may be bracketed IPv6
    "client_port": pa.int32(),
    "forwarded_for": pa.string(),
    "user_agent": pa.string(),
    "login": pa.string(),  # the authenticated user name a server logs ($remote_user, %u)
    # Keys a gateway knows by name: a public identifier of a credential, not its secret.
    "credential_name": pa.string(),
    "credential_kind": pa.string(),
    # Linking.
    "request_id": pa.string(),
    "traceparent": pa.string(),
    "trace_id": pa.string(),
    "span_id": pa.string(),
    # TLS and the way to the upstream.
    "tls_version": pa.string(),
    "tls_cipher": pa.string(),
    "tls_sni": pa.string(),
    "tls_fingerprint": pa.string(),  # JA3 or JA4
    "client_certificate": pa.string(),  # XFCC, a subject name, or a certificate's own fingerprint
    "upstream": pa.string(),
    "upstream_status": pa.int16(),
    "upstream_duration_us": pa.int64(),
    # What only the source can know about the call's kind.
    "protocol": pa.string(),  # "grpc", "graphql", "websocket"…
    "operation": pa.string(),  # a name that is not in the path: an RPC method, a tool
    "service_name": pa.string(),  # the source's own name for the service, when there is no host
    "environment": pa.string(),
    # Headers and bodies. A source that logs single headers gives `req.<name>` / `resp.<name>` columns
    # (string, name in lower case) and `cookie.<name>` columns; one that sees all gives the lists.
    "request_headers": HEADERS,
    "response_headers": HEADERS,
    "request_body": pa.large_binary(),
    "response_body": pa.large_binary(),
    "request_content_type": pa.string(),
    "response_content_type": pa.string(),
}

HEADER_PREFIXES = ("req.", "resp.", "cookie.")
"""Columns of one header or one cookie each."""


class Reason(StrEnum):
    """Why a record was kept aside. Codes are stable; `REASONS` says what each means."""

    NOT_FORMAT = "not-format"
    NOT_JSON = "not-json"
    NOT_UTF8 = "not-utf8"
    TOO_LONG = "too-long"
    TRUNCATED = "truncated"
    BAD_TIME = "bad-time"
    BAD_REQUEST = "bad-request"
    MISSING_FIELD = "missing-field"
    BAD_VALUE = "bad-value"


REASONS: dict[Reason, str] = {
    Reason.NOT_FORMAT: "the line does not have the shape of the format",
    Reason.NOT_JSON: "the line is not a JSON object",
    Reason.NOT_UTF8: "the line's structure is not valid UTF-8",
    Reason.TOO_LONG: "the record is longer than the limit",
    Reason.TRUNCATED: "the input ends inside the record",
    Reason.BAD_TIME: "the time stamp cannot be read",
    Reason.BAD_REQUEST: "the request is not HTTP (a scanner's or another protocol's bytes)",
    Reason.MISSING_FIELD: "a field that the format must have is absent",
    Reason.BAD_VALUE: "a field's value is of the wrong type or out of range",
}


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that did not fit. `raw` is for masking at once; it is never stored or shown."""

    position: int
    reason: Reason
    raw: bytes = field(repr=False)


@dataclass(slots=True)
class Parsed:
    """A parser's answer to one chunk of input."""

    table: pa.Table
    rejects: list[Reject] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    """Rule → count of records passed over: `blank`, `directive`, `health-check`…"""

    @property
    def accepted(self) -> int:
        return int(self.table.num_rows)

    @property
    def read(self) -> int:
        return self.accepted + len(self.rejects) + sum(self.skipped.values())


def observed_table(columns: dict[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    """A table of observed columns, checked against the vocabulary (names and types, dictionaries allowed)."""
    for name, column in columns.items():
        wanted = pa.string() if name.startswith(HEADER_PREFIXES) else OBSERVED.get(name)
        if wanted is None:
            raise ValueError(f"{name!r} is not an observed column")
        found = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if found != wanted:
            raise ValueError(f"observed column {name!r} is {column.type}, not {wanted}")
    if "position" not in columns:
        raise ValueError("an observed table needs its positions")
    return pa.table(columns)
