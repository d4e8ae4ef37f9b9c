"""Azure Application Gateway access logs (Standard and WAF, v1 and v2), as resource logs.

One record a line (storage accounts), or `{"records": […]}` (Event Hubs). `timeTaken` is in seconds in v2
and in milliseconds in v1, which is told by its instances' names and its `requestQuery`: there v1 puts what
it knows of the backend behind the client's own query. A record is written when the response has been sent,
so its stamp is the end. Records of other categories are skipped (`other-category`), and so are those of v2
with client 127.0.0.1, which are the gateway's own (`gateway-internal`), as the documentation advises.
Reference: Azure documentation, "Diagnostic logs for Application Gateway".
"""

from urllib.parse import parse_qs

import msgspec

from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_array import JsonArray
from wardgate.sources.json_columns import JsonColumns
from wardgate.sources.json_keys import ABSENT
from wardgate.sources.json_types import Text
from wardgate.sources.jsonlines import json_fit

_CATEGORY = "ApplicationGatewayAccessLog"
_V1_QUERY = "X-AzureApplicationGateway-"


class Properties(msgspec.Struct, gc=False, rename="camel"):
    instance_id: str | None = None
    client_ip: str | None = msgspec.field(name="clientIP", default=None)
    client_port: Text | None = None
    http_method: str | None = None
    original_request_uri: str | None = msgspec.field(name="originalRequestUriWithArgs", default=None)
    request_uri: str | None = None
    request_query: str | None = None
    user_agent: str | None = None
    UserAgent: str | None = msgspec.field(name="UserAgent", default=None)
    http_status: Text | None = None
    http_version: str | None = None
    received_bytes: Text | None = None
    sent_bytes: Text | None = None
    time_taken: Text | None = None
    transaction_id: str | None = None
    ssl_cipher: str | None = None
    ssl_protocol: str | None = None
    ssl_client_certificate_fingerprint: str | None = None
    server_routed: str | None = None
    server_status: Text | None = None
    server_response_latency: Text | None = None
    original_host: str | None = None
    host: str | None = None
    content_type: str | None = None

    @property
    def is_v1(self) -> bool:
        return "Role_IN_" in (self.instance_id or "") or _V1_QUERY in (self.request_query or "")


class LogRecord(msgspec.Struct, gc=False, rename="camel"):
    time: Text | None = None
    time_stamp: Text | None = None
    category: str | None = None
    properties: Properties | None = None


class _Backend(msgspec.Struct, gc=False):
    """What v1 puts behind the client's query."""

    query: str | None = None
    routed: str | None = None
    status: str | None = None
    request_id: str | None = None


_NO_PROPERTIES = Properties()
_NO_BACKEND = _Backend()


class AzureAppGateway:
    """Azure Application Gateway access logs, one record a line."""

    name = "azure-app-gateway"
    title = "Azure Application Gateway access log"
    reference = "Azure documentation, Diagnostic logs for Application Gateway"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample,
            self.title,
            ("properties.httpMethod", "properties.requestUri|properties.originalRequestUriWithArgs"),
            ("category|operationName", "properties.clientIP|properties.httpStatus"),
            lambda record: record.get("category", _CATEGORY) not in (None, _CATEGORY),
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(
            LogRecord,
            _fill,
            timezone=options.timezone,
            must=("method", "target", "ended_at"),
            absent=ABSENT,
        )


class AzureAppGatewayRecords(JsonArray):
    """Azure Application Gateway access logs as Event Hubs carry them: records in an array."""

    name = "azure-app-gateway-records"
    title = "Azure Application Gateway access log, as an array of records"
    reference = AzureAppGateway.reference
    lines = AzureAppGateway()
    key = "records"


def _fill(records: list[LogRecord], out: JsonColumns) -> None:
    seen = [r.properties or _NO_PROPERTIES for r in records]
    old = [p.is_v1 for p in seen]
    behind = [_backend(p.request_query) if v1 else _NO_BACKEND for p, v1 in zip(seen, old, strict=True)]
    out.skip("other-category", [r.category not in (None, _CATEGORY) for r in records])
    out.skip(
        "gateway-internal",
        [p.client_ip == "127.0.0.1" and not v1 for p, v1 in zip(seen, old, strict=True)],
    )
    out.stamp("ended_at", [r.time_stamp or r.time for r in records])
    out.text("method", [p.http_method for p in seen])
    out.text("target", [p.original_request_uri or p.request_uri for p in seen])
    out.text("query", [_query(p, b, v1) for p, b, v1 in zip(seen, behind, old, strict=True)])
    out.text("http_version", [p.http_version for p in seen])
    out.text("host", [p.original_host or p.host for p in seen])
    out.number("status", [p.http_status for p in seen])
    out.number("request_bytes", [p.received_bytes for p in seen])
    out.number("response_bytes", [p.sent_bytes for p in seen])
    out.number("duration_ms", [p.time_taken for p in seen])
    out.scale("duration_ms", [1.0 if v1 else 1000.0 for v1 in old])
    out.text("client", [p.client_ip for p in seen])
    out.number("client_port", [p.client_port for p in seen])
    out.text("user_agent", [p.user_agent or p.UserAgent for p in seen])
    out.text("request_id", [p.transaction_id or b.request_id for p, b in zip(seen, behind, strict=True)])
    out.text("tls_version", [p.ssl_protocol for p in seen])
    out.text("tls_cipher", [p.ssl_cipher for p in seen])
    out.text("client_certificate", [p.ssl_client_certificate_fingerprint for p in seen])
    out.text("upstream", [p.server_routed or b.routed for p, b in zip(seen, behind, strict=True)])
    out.text("upstream_status", [p.server_status or b.status for p, b in zip(seen, behind, strict=True)])
    out.text("upstream_duration_s", [p.server_response_latency for p in seen])
    out.text("response_content_type", [p.content_type for p in seen])


def _query(properties: Properties, backend: _Backend, v1: bool) -> str | None:
    """The client's query, where the target does not hold it."""
    if "?" in (properties.original_request_uri or properties.request_uri or ""):
        return None
    return backend.query if v1 else properties.request_query


def _backend(query: str | None) -> _Backend:
    """v1's `requestQuery`: the client's own, then `X-AzureApplicationGateway-CACHE-HIT=0&SERVER-ROUTED=…`."""
    own, mark, rest = (query or "").partition(_V1_QUERY)
    try:
        known = {name: values[0] for name, values in parse_qs(mark + rest, max_num_fields=16).items()}
    except ValueError:
        known = {}
    return _Backend(
        query=own.rstrip("&") or None,
        routed=known.get("SERVER-ROUTED"),
        status=known.get("SERVER-STATUS"),
        request_id=known.get("X-AzureApplicationGateway-LOG-ID"),
    )
