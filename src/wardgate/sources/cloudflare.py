"""Cloudflare Logpush (and Logpull), dataset `http_requests`, as newline-delimited JSON.

Every field is optional: people choose them. `EdgeStartTimestamp` is when the edge received the request,
`EdgeEndTimestamp` when it had sent the response; both as RFC 3339, unix or unixnano, numbers or strings.
A duration is only made of the two where they are finer than a millisecond. A Worker's subrequest is a record
of its own with its own `RayID`, which the origin sees; the ray of the request that made it, `ParentRayID`, is
its trace, so that `lake.linking` finds the two. `RequestHeaders`, `ResponseHeaders` and `Cookies` are the
custom fields, which may hold credentials.
Reference: Cloudflare Logs documentation, "HTTP requests", "Log Output Options", "Custom fields", "Worker
subrequests".
"""

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_columns import JsonColumns, cookie_header
from wardgate.sources.json_types import Headers, Whole
from wardgate.sources.jsonlines import json_fit

_NO_PARENT = ("", "00")
_NO_TLS = pa.array(["none", "NONE"])


class Request(msgspec.Struct, gc=False):
    """The fields of one record that say something about the call, in the order in which they come."""

    ClientIP: str | None = None
    ClientMTLSAuthCertFingerprint: str | None = None
    ClientRequestBytes: Whole | None = None
    ClientRequestHost: str | None = None
    ClientRequestMethod: str | None = None
    ClientRequestPath: str | None = None
    ClientRequestProtocol: str | None = None
    ClientRequestReferer: str | None = None
    ClientRequestScheme: str | None = None
    ClientRequestURI: str | None = None
    ClientRequestUserAgent: str | None = None
    ClientSrcPort: Whole | None = None
    ClientSSLCipher: str | None = None
    ClientSSLProtocol: str | None = None
    ClientXRequestedWith: str | None = None
    Cookies: Headers | None = None
    EdgeEndTimestamp: int | str | None = None
    EdgeResponseBodyBytes: Whole | None = None
    EdgeResponseBytes: Whole | None = None
    EdgeResponseContentType: str | None = None
    EdgeResponseStatus: Whole | None = None
    EdgeStartTimestamp: int | str | None = None
    JA3Hash: str | None = None
    JA4: str | None = None
    OriginIP: str | None = None
    OriginResponseDurationMs: Whole | None = None
    OriginResponseStatus: Whole | None = None
    OriginResponseTime: Whole | None = None
    ParentRayID: str | None = None
    RayID: str | None = None
    RequestHeaders: Headers | None = None
    ResponseFields: Headers | None = None
    ResponseHeaders: Headers | None = None


class Cloudflare:
    """Cloudflare's HTTP request logs: one JSON object a line, with the fields you chose."""

    name = "cloudflare"
    title = "Cloudflare Logpush http_requests"
    reference = "Cloudflare Logs documentation, HTTP requests"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample,
            self.title,
            ("ClientRequestMethod", "ClientRequestURI|ClientRequestPath"),
            ("RayID|ClientIP|ClientRequestHost", "EdgeStartTimestamp|EdgeEndTimestamp|EdgeResponseStatus"),
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(Request, _fill, timezone=options.timezone, finish=_finish)


def _fill(records: list[Request], out: JsonColumns) -> None:
    out.stamp("started_at", [r.EdgeStartTimestamp for r in records])
    out.stamp("ended_at", [r.EdgeEndTimestamp for r in records])
    out.text("method", [r.ClientRequestMethod for r in records])
    out.text("target", [r.ClientRequestURI or r.ClientRequestPath for r in records])
    out.text("http_version", [r.ClientRequestProtocol for r in records])
    out.text("scheme", [r.ClientRequestScheme for r in records])
    out.text("host", [r.ClientRequestHost for r in records])
    out.text("client", [r.ClientIP for r in records])
    out.whole("client_port", [r.ClientSrcPort for r in records])
    out.text("user_agent", [r.ClientRequestUserAgent for r in records])
    out.text("req.referer", [r.ClientRequestReferer for r in records])
    out.text("req.x-requested-with", [r.ClientXRequestedWith for r in records])
    out.whole("request_bytes", [r.ClientRequestBytes for r in records])
    out.whole("status", [r.EdgeResponseStatus for r in records])
    out.whole(
        "response_bytes",
        [
            r.EdgeResponseBytes if r.EdgeResponseBytes is not None else r.EdgeResponseBodyBytes
            for r in records
        ],
    )
    out.text("response_content_type", [r.EdgeResponseContentType for r in records])
    out.text("tls_version", [r.ClientSSLProtocol for r in records])
    out.text("tls_cipher", [r.ClientSSLCipher for r in records])
    out.text("tls_fingerprint", [r.JA4 or r.JA3Hash for r in records])
    out.text("client_certificate", [r.ClientMTLSAuthCertFingerprint for r in records])
    out.text("upstream", [r.OriginIP for r in records])
    out.whole("upstream_status", [r.OriginResponseStatus for r in records])
    _upstream_duration(records, out)
    out.text("request_id", [r.RayID for r in records])
    out.text("trace_id", [r.ParentRayID if r.ParentRayID not in _NO_PARENT else None for r in records])
    out.headers("request_headers", _request_headers(records))
    out.headers("response_headers", [r.ResponseFields or r.ResponseHeaders for r in records])


def _upstream_duration(records: list[Request], out: JsonColumns) -> None:
    """`OriginResponseDurationMs` replaces `OriginResponseTime`, which counted nanoseconds."""
    out.whole("upstream_duration_ms", [r.OriginResponseDurationMs for r in records])
    if out.fields["upstream_duration_ms"].null_count:
        out.whole("old", [r.OriginResponseTime for r in records])
        old = pc.divide(out.fields.pop("old").cast(pa.float64()), 1e6)
        out.fields["upstream_duration_ms"] = out.fields["upstream_duration_ms"].fill_null(old)


def _finish(columns: dict[str, pa.Array]) -> None:
    """The duration, end minus start, where the stamps are fine enough; and no TLS where it says so."""
    for name in ("tls_version", "tls_cipher"):
        is_none = pc.is_in(columns[name], _NO_TLS)
        columns[name] = pc.if_else(is_none, pa.scalar(None, pa.string()), columns[name])
    fine = pc.less_equal(columns["precision_us"], 1000).fill_null(False)
    if pc.any(fine, min_count=0).as_py():
        start, end = (columns[name].cast(pa.int64()) for name in ("started_at", "ended_at"))
        between = pc.subtract(end, start)
        known = pc.and_(fine, pc.greater_equal(between, 0))
        columns["duration_us"] = pc.if_else(known, between, pa.scalar(None, pa.int64()))


def _request_headers(records: list[Request]) -> list[Headers | None]:
    headers = [r.RequestHeaders for r in records]
    cookies = [r.Cookies for r in records]
    if not any(cookies):
        return headers
    return [
        {**(known or {}), "cookie": cookie_header(jar)} if jar else known
        for known, jar in zip(headers, cookies, strict=True)
    ]
