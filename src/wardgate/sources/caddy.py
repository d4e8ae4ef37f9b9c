"""Caddy's access log: structured JSON, one object a request.

Caddy writes a line when it has handled the request, so `ts` is the end; `duration` is seconds (a float), or
a Go duration (`duration_format string`), and a whole number counts nanoseconds (`duration_format nano`).
`ts` may be written in any of the time formats. Credentials in headers are REDACTED unless `log_credentials`
is on, which says that there were some. Lines of Caddy's other loggers are skipped as `not-access-log`: those
of `http.log.error` are about requests that the access log holds as well.
Reference: Caddy documentation, "How Logging Works", "log (Caddyfile directive)".
"""

import msgspec

from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_columns import REDACTED, JsonColumns, go_seconds
from wardgate.sources.json_types import Headers, Text, Whole
from wardgate.sources.jsonlines import json_fit

_TLS_VERSIONS = {769: "TLSv1.0", 770: "TLSv1.1", 771: "TLSv1.2", 772: "TLSv1.3"}
_CIPHERS = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
}
"""Cipher suites Go's TLS server chooses from by default (IANA TLS Cipher Suites)."""


class Tls(msgspec.Struct, gc=False):
    version: Whole | None = None
    cipher_suite: Whole | None = None
    server_name: str | None = None
    client_common_name: str | None = None


class Request(msgspec.Struct, gc=False):
    client_ip: str | None = None
    remote_ip: str | None = None
    remote_port: Text | None = None
    remote_addr: str | None = None
    proto: str | None = None
    method: str | None = None
    host: str | None = None
    uri: str | None = None
    headers: Headers | None = None
    tls: Tls | None = None


class LogEntry(msgspec.Struct, gc=False):
    ts: Text | None = None
    logger: str | None = None
    msg: str | None = None
    request: Request | None = None
    bytes_read: Text | None = None
    user_id: str | None = None
    duration: Text | None = None
    size: Text | None = None
    status: Text | None = None
    resp_headers: Headers | None = None
    trace_id: str | None = msgspec.field(name="traceID", default=None)
    span_id: str | None = msgspec.field(name="spanID", default=None)


_NO_REQUEST, _NO_TLS = Request(), Tls()


class Caddy:
    """Caddy's JSON access log."""

    name = "caddy"
    title = "Caddy access log"
    reference = "Caddy documentation, How Logging Works"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample,
            self.title,
            (
                "request.method",
                "request.uri",
                "request.host|request.proto|request.remote_ip|request.remote_addr",
                "status",
            ),
            ("ts", "logger|duration|size"),
            lambda entry: _is_other_log(entry.get("logger"), "request" in entry),
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(
            LogEntry,
            _fill,
            timezone=options.timezone,
            must=("method", "target", "ended_at"),
            absent=("", *sorted(REDACTED)),
        )


def _fill(records: list[LogEntry], out: JsonColumns) -> None:
    requests = [r.request or _NO_REQUEST for r in records]
    tls = [q.tls or _NO_TLS for q in requests]
    out.skip(
        "not-access-log",
        [r.msg is not None and _is_other_log(r.logger, r.request is not None) for r in records],
    )
    out.stamp("ended_at", [r.ts for r in records])
    out.text("method", [q.method for q in requests])
    out.text("target", [q.uri for q in requests])
    out.text("http_version", [q.proto for q in requests])
    out.text("scheme", [None if q is _NO_REQUEST else "https" if q.tls else "http" for q in requests])
    out.text("host", [q.host for q in requests])
    out.number("status", [r.status for r in records])
    out.number("duration_s", [_seconds(r.duration) for r in records], go_seconds)
    out.number("request_bytes", [r.bytes_read for r in records])
    out.number("response_bytes", [r.size for r in records])
    out.text("client", [q.client_ip or q.remote_ip or q.remote_addr for q in requests])
    out.number("client_port", [q.remote_port for q in requests])
    out.text("login", [r.user_id for r in records])
    out.text("tls_version", [_TLS_VERSIONS.get(one.version or 0) for one in tls])
    out.text("tls_cipher", [_cipher(one.cipher_suite) for one in tls])
    out.text("tls_sni", [one.server_name for one in tls])
    out.text("client_certificate", [one.client_common_name and f"CN={one.client_common_name}" for one in tls])
    out.text("trace_id", [r.trace_id for r in records])
    out.text("span_id", [r.span_id for r in records])
    out.headers("request_headers", [q.headers for q in requests])
    out.headers("response_headers", [r.resp_headers for r in records])


def _is_other_log(logger: object, has_request: bool) -> bool:
    """Whether an entry is of another logger than the access log's."""
    if isinstance(logger, str) and logger:
        return not logger.startswith("http.log.access")
    return not has_request


def _seconds(duration: Text | None) -> Text | None:
    return duration / 1e9 if isinstance(duration, int) else duration


def _cipher(number: int | None) -> str | None:
    return _CIPHERS.get(number, f"0x{number:04X}") if number is not None and 0 < number < 65536 else None
