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
from wardgate.sources.json_table import JsonTable, Seen, first_of
from wardgate.sources.json_types import Headers, Whole
from wardgate.sources.jsonlines import json_fit

_NO_PARENT = pa.array(["", "00"])
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


_TABLE = JsonTable(Request, ("ClientRequestMethod", "ClientRequestURI|ClientRequestPath"))


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
        return JsonAccessParser(Request, _fill, timezone=options.timezone, finish=_finish, table=_TABLE)


def _fill(seen: Seen, out: JsonColumns) -> None:
    out.stamp("started_at", seen.EdgeStartTimestamp)
    out.stamp("ended_at", seen.EdgeEndTimestamp)
    out.text("method", seen.ClientRequestMethod)
    out.text("target", first_of(seen.ClientRequestURI, seen.ClientRequestPath))
    out.text("http_version", seen.ClientRequestProtocol)
    out.text("scheme", seen.ClientRequestScheme)
    out.text("host", seen.ClientRequestHost)
    out.text("client", seen.ClientIP)
    out.whole("client_port", seen.ClientSrcPort)
    out.text("user_agent", seen.ClientRequestUserAgent)
    out.text("req.referer", seen.ClientRequestReferer)
    out.text("req.x-requested-with", seen.ClientXRequestedWith)
    out.whole("request_bytes", seen.ClientRequestBytes)
    out.whole("status", seen.EdgeResponseStatus)
    out.whole("response_bytes", pc.coalesce(seen.EdgeResponseBytes, seen.EdgeResponseBodyBytes))
    out.text("response_content_type", seen.EdgeResponseContentType)
    out.text("tls_version", seen.ClientSSLProtocol)
    out.text("tls_cipher", seen.ClientSSLCipher)
    out.text("tls_fingerprint", first_of(seen.JA4, seen.JA3Hash))
    out.text("client_certificate", seen.ClientMTLSAuthCertFingerprint)
    out.text("upstream", seen.OriginIP)
    out.whole("upstream_status", seen.OriginResponseStatus)
    _upstream_duration(seen, out)
    out.text("request_id", seen.RayID)
    out.text("trace_id", _parents(seen.ParentRayID))
    out.headers("request_headers", _request_headers(seen))
    out.headers("response_headers", _response_headers(seen))


def _upstream_duration(seen: Seen, out: JsonColumns) -> None:
    """`OriginResponseDurationMs` replaces `OriginResponseTime`, which counted nanoseconds."""
    out.whole("upstream_duration_ms", seen.OriginResponseDurationMs)
    if out.fields["upstream_duration_ms"].null_count and seen.OriginResponseTime.null_count < seen.count:
        out.whole("old", seen.OriginResponseTime)
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


def _parents(rays: pa.Array) -> pa.Array:
    """The parent's ray; Cloudflare writes `00` where there is none."""
    if rays.null_count == len(rays):
        return rays
    rays = rays.cast(pa.string())
    return pc.if_else(pc.is_in(rays, _NO_PARENT), pa.scalar(None, pa.string()), rays)


def _request_headers(seen: Seen) -> list[Headers | None]:
    headers: list[Headers | None] = seen.RequestHeaders
    if not any(seen.Cookies):
        return headers
    return [
        {**(known or {}), "cookie": cookie_header(jar)} if jar else known
        for known, jar in zip(headers, seen.Cookies, strict=True)
    ]


def _response_headers(seen: Seen) -> list[Headers | None]:
    if not any(seen.ResponseFields):
        return seen.ResponseHeaders  # type: ignore[no-any-return]
    return [one or other for one, other in zip(seen.ResponseFields, seen.ResponseHeaders, strict=True)]
