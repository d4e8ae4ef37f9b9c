"""Spans that are calls, as observed calls: OpenTelemetry's HTTP and RPC semantic conventions, old and new.

A server span is a call seen by the application that answers it, a client span one seen by the application
that makes it, so they come out apart. What is not HTTP or gRPC is skipped by the rule `not-http`, what is
neither server nor client by `internal-span`. Of two names for the same thing the stable one wins.

References: OpenTelemetry Semantic Conventions, HTTP spans (1.23 and later; v1.20 and before by its migration
guide) and gRPC; google.rpc.Code for the HTTP status that a gRPC status means.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from wardgate.core.observed import HEADERS, OBSERVED, Parsed, Reason, Reject, observed_table
from wardgate.match.secrets import is_secret_name
from wardgate.sources.access import is_target
from wardgate.sources.grpc_status import http_status
from wardgate.sources.headers import HeaderLists
from wardgate.sources.otlp import CLIENT, SERVER, Attributes, Span, Value, whole_number

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}\Z")
_LAST_NS = 253_402_300_799_000_000_000  # the end of the year 9999
_RANGES = {"status": (100, 999), "port": (1, 65535), "client_port": (1, 65535)}
_REDACTED = frozenset(("redacted", "[redacted]", "<redacted>", "***", "****", "*****"))

_REQUEST_HEADERS = ("http.request.header.", "rpc.request.metadata.", "rpc.grpc.request.metadata.")
_RESPONSE_HEADERS = ("http.response.header.", "rpc.response.metadata.", "rpc.grpc.response.metadata.")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpanCalls:
    """The calls of one request. Everything that is no call is accounted for in `served`."""

    served: Parsed
    made: Parsed
    """Calls that client spans show; accepted ones only."""

    @property
    def rejects(self) -> list[Reject]:
        return self.served.rejects


def calls_of_spans(spans: Iterable[Span]) -> SpanCalls:
    """Observed calls; positions are the spans' numbers in the request."""
    served: list[Row] = []
    made: list[Row] = []
    rejects: list[Reject] = []
    skipped: dict[str, int] = {}
    for position, span in enumerate(spans):
        row = _row(span, position)
        if isinstance(row, Reason):
            rejects.append(Reject(position, row, _written(span)))
        elif isinstance(row, str):
            skipped[row] = skipped.get(row, 0) + 1
        else:
            (served if span.kind == SERVER else made).append(row)
    return SpanCalls(Parsed(_table(served), rejects, skipped), Parsed(_table(made)))


def _row(span: Span, position: int) -> Row | Reason | str:
    """Observed values of one span, or why it is rejected, or the rule that skips it."""
    attributes = span.attributes
    method = _text(attributes, "http.request.method", "http.method")
    system = _text(attributes, "rpc.system", "rpc.system.name")
    is_http = method is not None or any(
        name in attributes for name in ("http.url", "url.full", "http.target", "http.status_code")
    )
    if not is_http and system != "grpc":
        return "not-http"
    if span.kind not in (SERVER, CLIENT):
        return "internal-span"
    if not 0 < span.start_ns <= _LAST_NS:
        return Reason.BAD_TIME
    row = _http(attributes, span.kind) if is_http else _grpc(attributes)
    if isinstance(row, Reason):
        return row
    took = span.end_ns - span.start_ns
    row.update(
        position=position,
        started_at=span.start_ns // 1000,
        precision_us=1,
        duration_us=took // 1000 if 0 <= took <= _LAST_NS else None,
        trace_id=span.trace_id or None,
        span_id=span.span_id or None,
        user_agent=_text(attributes, "user_agent.original", "http.user_agent"),
        login=_text(attributes, "enduser.id", "user.id"),
        environment=_text(span.resource, "deployment.environment.name", "deployment.environment"),
        request_headers=_headers(attributes, _REQUEST_HEADERS),
        response_headers=_headers(attributes, _RESPONSE_HEADERS),
        tls_version=_text(attributes, "tls.protocol.version"),
        tls_cipher=_text(attributes, "tls.cipher"),
        tls_sni=_text(attributes, "tls.client.server_name"),
        tls_fingerprint=_text(attributes, "tls.client.ja3"),
    )
    if span.kind == SERVER:
        row["service_name"] = _text(span.resource, "service.name")
        _add_client(row, attributes)
    else:
        row["upstream"] = _text(attributes, "network.peer.address", "net.sock.peer.addr", "net.peer.ip")
    return row


def _http(attributes: Attributes, kind: int) -> Row | Reason:
    method = _text(attributes, "http.request.method", "http.method")
    if method == "_OTHER":
        method = _text(attributes, "http.request.method_original") or method
    target = _target(attributes)
    if method is None or target is None:
        return Reason.MISSING_FIELD
    if not _METHOD.match(method) or not is_target(target, method):
        return Reason.BAD_REQUEST
    status = _first(attributes, "http.response.status_code", "http.status_code")
    if status is not None and whole_number(status) is None:
        return Reason.BAD_VALUE
    host, port = _authority(attributes, kind)
    return {
        "method": method,
        "target": target,
        "scheme": _text(attributes, "url.scheme", "http.scheme"),
        "host": host,
        "port": port,
        "status": whole_number(status),
        "http_version": _text(attributes, "network.protocol.version", "net.protocol.version", "http.flavor"),
        "request_bytes": whole_number(
            _first(attributes, "http.request.body.size", "http.request.size", "http.request_content_length")
        ),
        "response_bytes": whole_number(
            _first(
                attributes, "http.response.body.size", "http.response.size", "http.response_content_length"
            )
        ),
    }


def _target(attributes: Attributes) -> str | None:
    """What was asked for: the whole URL, or the path with its query; else the route's template."""
    path = attributes.get("url.path")
    if isinstance(path, str):  # may be empty
        query = _text(attributes, "url.query")
        return f"{path or '/'}?{query.removeprefix('?')}" if query else path or "/"
    return _text(attributes, "http.target", "url.full", "http.url", "http.route")


def _authority(attributes: Attributes, kind: int) -> tuple[str | None, int | None]:
    """Host and port, as far as the target does not hold them."""
    if kind == CLIENT:
        host = _text(attributes, "server.address", "net.peer.name", "http.host")
        port = whole_number(_first(attributes, "server.port", "net.peer.port"))
    else:
        host = _text(attributes, "server.address", "http.host", "net.host.name", "http.server_name")
        port = whole_number(_first(attributes, "server.port", "net.host.port"))
    if host is not None and host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"  # conventions write IPv6 bare
    return host, port


def _grpc(attributes: Attributes) -> Row | Reason:
    """A gRPC call, which on the wire is `POST /service/method` (gRPC over HTTP2)."""
    method = _text(attributes, "rpc.method")
    service = _text(attributes, "rpc.service")
    name = f"{service}/{method}" if service and method else method
    if not name or "/" not in name.strip("/"):
        return Reason.MISSING_FIELD
    name = name.strip("/")
    if not is_target(f"/{name}", "POST"):
        return Reason.BAD_REQUEST
    return {
        "method": "POST",
        "target": f"/{name}",
        "host": _text(attributes, "server.address", "net.host.name", "net.peer.name"),
        "port": whole_number(_first(attributes, "server.port", "net.host.port")),
        "protocol": "grpc",
        "operation": name,
        "status": _grpc_status(_first(attributes, "rpc.response.status_code", "rpc.grpc.status_code")),
        "http_version": _text(attributes, "network.protocol.version"),
    }


def _grpc_status(value: Value) -> int | None:
    number = whole_number(value)
    return http_status(number if number is not None else value if isinstance(value, str) else None)


def _add_client(row: Row, attributes: Attributes) -> None:
    """The connection's peer is the client; what a proxy told of the client is a forwarded address."""
    peer = _text(attributes, "network.peer.address", "net.sock.peer.addr", "net.peer.ip")
    told = _text(attributes, "client.address", "http.client_ip")
    row["client"] = peer or told
    row["client_port"] = whole_number(
        _first(attributes, "network.peer.port", "net.sock.peer.port", "net.peer.port")
        if peer
        else _first(attributes, "client.port")
    )
    if peer and told and told != peer:
        row["forwarded_for"] = told


def _headers(attributes: Attributes, prefixes: tuple[str, ...]) -> list[tuple[str, str]] | None:
    found = []
    for key, value in attributes.items():
        for prefix in prefixes:
            if key.startswith(prefix):
                name = key[len(prefix) :].replace("_", "-")  # as conventions before 1.23 wrote dashes
                values = value if isinstance(value, list) else [value]
                found += [
                    (name, one)
                    for one in values
                    if isinstance(one, str) and (one.lower() not in _REDACTED or is_secret_name(name))
                ]
    return found or None


def _first(attributes: Attributes, *names: str) -> Value:
    return next((attributes[name] for name in names if attributes.get(name) not in (None, "")), None)


def _text(attributes: Attributes, *names: str) -> str | None:
    """The first that is a text, and not an empty one."""
    values = (attributes.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value), None)


def _table(rows: list[Row]) -> pa.Table:
    columns: dict[str, pa.Array] = {"position": pa.array([row["position"] for row in rows], pa.int64())}
    names = dict.fromkeys(name for row in rows for name, value in row.items() if value is not None)
    for name in names:
        values = [row.get(name) for row in rows]
        kind = OBSERVED[name]
        if kind == HEADERS:
            columns[name] = _header_column(values)
        elif pa.types.is_integer(kind):
            low, high = _RANGES.get(name, (0, (1 << 63) - 1))
            columns[name] = pa.array(
                [one if one is not None and low <= one <= high else None for one in values], kind
            )
        elif pa.types.is_timestamp(kind):
            columns[name] = pa.array(values, pa.int64()).cast(kind)
        else:
            columns[name] = pa.array(values, kind)
    return observed_table(columns)


def _header_column(lists: list[list[tuple[str, str]] | None]) -> pa.ListArray:
    column = HeaderLists()
    for one in lists:
        if one is None:
            column.add_absent()
        else:
            column.add((name for name, _ in one), (value for _, value in one))
    return column.array()


def _written(span: Span) -> bytes:
    """A span's attributes as a line, for the masked record of a reject."""
    plain: Mapping[str, Value] = {key: value for key, value in span.attributes.items() if value is not None}
    return msgspec.json.encode(plain)
