"""Kong Gateway's logging plugins (file-log, http-log, tcp-log, udp-log, syslog): one JSON object a request.

`started_at` is the start of the request in milliseconds (seconds in old versions), latencies are
milliseconds: `request` from first byte read to last byte sent, `proxy` the upstream's. Kong names who
authenticated: the consumer, else the credential's own id. `authorization` headers are written as REDACTED,
which counts as absent; other credentials stand in the headers.
Reference: Kong documentation, "File Log" and "HTTP Log" (log format).
"""

from typing import Any

import msgspec

from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_array import JsonArray
from wardgate.sources.json_columns import JsonColumns
from wardgate.sources.json_types import Headers, Text
from wardgate.sources.jsonlines import json_fit

HeaderMap = Headers | list[Any]
"""Lua writes an empty map as an empty list."""


class Tls(msgspec.Struct, gc=False):
    version: str | None = None
    cipher: str | None = None


class Request(msgspec.Struct, gc=False):
    id: str | None = None
    method: str | None = None
    uri: str | None = None
    url: str | None = None
    size: Text | None = None
    headers: HeaderMap | None = None
    tls: Tls | None = None


class Response(msgspec.Struct, gc=False):
    status: Text | None = None
    size: Text | None = None
    headers: HeaderMap | None = None


class Latencies(msgspec.Struct, gc=False):
    request: Text | None = None
    proxy: Text | None = None


class Named(msgspec.Struct, gc=False):
    """A consumer, a service or a route."""

    id: str | None = None
    name: str | None = None
    username: str | None = None
    custom_id: Text | None = None


class Uuid(msgspec.Struct, gc=False):
    uuid: str | None = None


class Entity(msgspec.Struct, gc=False):
    """The credential that was presented."""

    id: str | None = None
    consumer_id: str | Uuid | None = None


class Try(msgspec.Struct, gc=False):
    ip: str | None = None
    port: int | None = None


class LogEntry(msgspec.Struct, gc=False):
    started_at: Text | None = None
    client_ip: str | None = None
    request: Request | None = None
    response: Response | None = None
    latencies: Latencies | None = None
    upstream_status: Text | None = None
    tries: list[Try] | dict[str, Any] | None = None
    service: Named | None = None
    route: Named | None = None
    consumer: Named | None = None
    authenticated_entity: Entity | None = None


_NO_REQUEST, _NO_RESPONSE, _NO_LATENCIES, _NO_TLS = Request(), Response(), Latencies(), Tls()


class Kong:
    """Kong Gateway's logs, as its logging plugins write them."""

    name = "kong"
    title = "Kong logging plugins' JSON"
    reference = "Kong documentation, File Log and HTTP Log, log format"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample,
            self.title,
            ("request.method", "request.uri|request.url", "latencies"),
            ("response.status", "started_at|client_ip"),
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(
            LogEntry, _fill, timezone=options.timezone, must=("method", "target", "started_at")
        )


class KongArray(JsonArray):
    """Kong Gateway's logs as the HTTP Log plugin posts several at once: an array of entries."""

    name = "kong-array"
    title = "Kong logging plugins' JSON, as an array"
    reference = Kong.reference
    lines = Kong()
    key = "entries"


def _fill(records: list[LogEntry], out: JsonColumns) -> None:
    requests = [r.request or _NO_REQUEST for r in records]
    responses = [r.response or _NO_RESPONSE for r in records]
    latencies = [r.latencies or _NO_LATENCIES for r in records]
    tls = [q.tls or _NO_TLS for q in requests]
    out.stamp("started_at", [r.started_at for r in records])
    out.text("method", [q.method for q in requests])
    out.text("target", [q.uri or q.url for q in requests])
    out.text("scheme", [_origin(q.url)[0] for q in requests])
    out.text("host", [_origin(q.url)[1] for q in requests])
    out.number("status", [p.status for p in responses])
    out.number("request_bytes", [q.size for q in requests])
    out.number("response_bytes", [p.size for p in responses])
    out.number("duration_ms", [one.request for one in latencies])
    out.number("upstream_duration_ms", [one.proxy for one in latencies])
    out.text("upstream_status", [r.upstream_status for r in records])
    out.text("upstream", [_upstream(r.tries) for r in records])
    out.text("client", [r.client_ip for r in records])
    out.text("request_id", [q.id for q in requests])
    out.text("tls_version", [one.version for one in tls])
    out.text("tls_cipher", [one.cipher for one in tls])
    out.text("service_name", [_name(r.service) or _name(r.route) for r in records])
    named = [_credential(r) for r in records]
    out.text("credential_name", [name for name, _ in named])
    out.text("credential_kind", [kind for _, kind in named])
    out.headers("request_headers", [_map(q.headers) for q in requests])
    out.headers("response_headers", [_map(p.headers) for p in responses])


def _origin(url: str | None) -> tuple[str | None, str | None]:
    """Scheme and authority of `http://localhost:8000/example-route`."""
    scheme, mark, rest = (url or "").partition("://")
    if not mark:
        return None, None
    return scheme, rest.split("/", 1)[0].split("?", 1)[0]


def _upstream(tries: list[Try] | dict[str, Any] | None) -> str | None:
    """The address of the last try."""
    if not isinstance(tries, list) or not tries or not tries[-1].ip:
        return None
    last = tries[-1]
    return f"{last.ip}:{last.port}" if last.port is not None else last.ip


def _name(one: Named | None) -> str | None:
    return (one.name or one.id) if one is not None else None


def _credential(record: LogEntry) -> tuple[Text | None, str | None]:
    """Who Kong says has authenticated: the consumer by its name or id, else the credential by its id."""
    consumer, entity = record.consumer, record.authenticated_entity
    if consumer is not None and (name := consumer.username or consumer.custom_id or consumer.id):
        return name, "consumer"
    if entity is None:
        return None, None
    owner = entity.consumer_id.uuid if isinstance(entity.consumer_id, Uuid) else entity.consumer_id
    if owner:
        return owner, "consumer"
    return (entity.id, "credential_id") if entity.id else (None, None)


def _map(headers: HeaderMap | None) -> Headers | None:
    return headers if isinstance(headers, dict) else None
