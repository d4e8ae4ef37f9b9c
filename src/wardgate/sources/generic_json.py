"""Access logs as JSON under common key names: what people write with NGINX's `log_format escape=json`.

Read are NGINX's variable names, those of Apache and Logstash (`clientip`, `verb`), of the Elastic Common
Schema (`http.request.method`, flat or nested) and what application servers use. A duration is only taken
where its unit is in the name or is NGINX's (`request_time`: seconds). Servers write a line when the response
is sent, so the stamp is the end, unless the key says that it is the start.
Reference: NGINX documentation, ngx_http_log_module; Elastic Common Schema, HTTP, URL, Source fields.
"""

from collections.abc import Sequence

import msgspec
import pyarrow as pa

from wardgate.sources.access import is_target, split_request
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser, mended
from wardgate.sources.json_columns import JsonColumns
from wardgate.sources.json_keys import (
    ABSENT,
    JsonObject,
    KeyedRecords,
    header_of,
    settle_queries,
    value_at,
)

_SCORE = 0.54
"""Below what a format scores that knows its own keys."""
_ENDED = ("msec", "time_iso8601", "@timestamp", "timestamp", "time", "ts", "time_local", "datetime")
_STARTED = ("start_time", "started_at", "request_start", "start_timestamp")
_METHOD = ("request_method", "method", "http_method", "verb", "http.request.method", "req.method")
_TARGET = (
    "request_uri", "uri", "url", "path", "request_path", "request_url", "url_path", "url.original",
    "url.path", "http.url", "req.url",
)  # fmt: skip
_STATUS = (
    "status", "status_code", "statusCode", "response_code", "response_status", "http_status",
    "http_status_code", "code", "http.response.status_code", "res.statusCode", "response",
)  # fmt: skip
KEYS: dict[str, tuple[str, ...]] = {
    "ended_at": _ENDED,
    "started_at": _STARTED,
    "status": _STATUS,
    "query": ("args", "query_string", "query", "url.query"),
    "http_version": ("server_protocol", "protocol", "http_version", "httpversion", "request_protocol",
                     "proto", "http.version"),
    "scheme": ("scheme", "request_scheme", "url.scheme"),
    "host": ("http_host", "host", "server_name", "vhost", "virtual_host", "request_host", "domain",
             "url.domain", "http.host"),
    "port": ("server_port", "url.port"),
    "client": ("remote_addr", "client_ip", "clientip", "remote_ip", "client_addr", "client_address",
               "source_ip", "src_ip", "ip", "client", "source.ip", "client.ip", "source.address",
               "req.remoteAddress"),
    "client_port": ("remote_port", "client_port", "source.port"),
    "forwarded_for": ("http_x_forwarded_for", "x_forwarded_for", "x-forwarded-for",
                      "proxy_add_x_forwarded_for", "forwarded_for", "xff"),
    "login": ("remote_user", "user", "username", "auth_user", "user_name", "user.name"),
    "user_agent": ("http_user_agent", "user_agent", "user-agent", "useragent", "agent", "ua",
                   "user_agent.original"),
    "request_bytes": ("request_length", "request_bytes", "request_size", "http.request.bytes"),
    "response_bytes": ("body_bytes_sent", "bytes_sent", "response_bytes", "response_size", "response_length",
                       "bytes", "size", "http.response.bytes", "http.response.body.bytes"),
    "duration_us": ("duration_us", "request_time_us"),
    "duration_ms": ("duration_ms", "request_time_ms", "response_time_ms", "latency_ms", "elapsed_ms"),
    "duration_s": ("request_time", "duration_s", "duration_seconds", "request_duration"),
    "duration_ns": ("event.duration", "duration_ns"),
    "request_id": ("request_id", "req_id", "x_request_id", "x-request-id", "http_x_request_id", "requestId",
                   "http.request.id"),
    "traceparent": ("traceparent", "http_traceparent"),
    "trace_id": ("otel_trace_id", "trace_id", "traceId", "trace.id"),
    "span_id": ("otel_span_id", "span_id", "spanId", "span.id"),
    "tls_version": ("ssl_protocol", "tls_version", "tls_protocol", "tls.version"),
    "tls_cipher": ("ssl_cipher", "tls_cipher", "tls.cipher"),
    "tls_sni": ("ssl_server_name", "tls_sni", "sni", "tls.client.server_name"),
    "client_certificate": ("ssl_client_fingerprint", "ssl_client_s_dn"),
    "upstream": ("upstream_addr", "upstream", "upstream_host"),
    "upstream_status": ("upstream_status",),
    "upstream_duration_s": ("upstream_response_time",),
    "service_name": ("service.name", "service"),
    "environment": ("environment", "env", "service.environment"),
    "request_content_type": ("http_content_type", "content_type"),
    "response_content_type": ("sent_http_content_type", "response_content_type", "http.response.mime_type"),
}  # fmt: skip
"""Field → keys, preferred first."""

_MAPS = {
    "request": ("request_headers", "headers", "req.headers"),
    "response": ("response_headers", "res.headers"),
}


class GenericJson:
    """JSON access logs with common key names, such as NGINX's `log_format … escape=json`."""

    name = "generic-json"
    title = "JSON access log"
    reference = "NGINX documentation, ngx_http_log_module; Elastic Common Schema"

    def fit(self, sample: bytes) -> Fit | None:
        seen = hits = 0
        for line in sample.split(b"\n")[:50]:
            if line.strip():
                seen += 1
                hits += _is_call(line)
        if not hits:
            return None
        return Fit(
            _SCORE * hits / seen,
            f"{hits} of {seen} lines are JSON objects with a request and its status or time",
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(JsonObject, _fill, timezone=options.timezone, absent=ABSENT)


def _is_call(line: bytes) -> bool:
    try:
        record = msgspec.json.decode(mended(line))
    except (msgspec.MsgspecError, RecursionError):
        return False
    if not isinstance(record, dict):
        return False
    request = record.get("request")
    whole = isinstance(request, str) and split_request(request) is not None
    target = any(isinstance(value_at(record, key), str) for key in (*_TARGET, "request"))
    if not whole and not (target and any(isinstance(value_at(record, key), str) for key in _METHOD)):
        return False
    return any(value_at(record, key) is not None for key in (*_STATUS, *_ENDED, *_STARTED))


def _fill(records: list[JsonObject], out: JsonColumns) -> None:
    keyed = KeyedRecords(records, nested=True)
    keyed.fill(KEYS, out)
    methods = keyed.values(_METHOD)
    targets = keyed.values(_TARGET)
    if methods is not None:
        out.text("method", methods)
    if targets is not None:
        out.text("target", targets)
    _requests(keyed.values(("request",)), methods, out)
    settle_queries(out)
    keyed.headers(out, header_of, _MAPS)
    _bodies(records, out)


def _requests(requests: Sequence[object] | None, methods: Sequence[object] | None, out: JsonColumns) -> None:
    """`request` is a request line, or (Logstash) the target beside `verb`."""
    if requests is None:
        return
    lines: list[str | None] = []
    targets: list[str | None] = []
    for request, method in zip(requests, methods or [None] * out.count, strict=True):
        text = request if isinstance(request, str) and request not in ABSENT else None
        alone = method is not None and text is not None and is_target(text) and split_request(text) is None
        targets.append(text if alone else None)
        lines.append(None if alone else text)
    out.request(lines)
    out.fields["target"] = out.fields["target"].fill_null(pa.array(targets, pa.string()))


def _bodies(records: list[JsonObject], out: JsonColumns) -> None:
    """`$request_body`, as text."""
    bodies = [record.get("request_body") for record in records]
    if any(bodies):
        out.columns["request_body"] = pa.array(
            [body.encode() if isinstance(body, str) and body not in ABSENT else None for body in bodies],
            pa.large_binary(),
        )
