"""Google Cloud's HTTP(S) load balancers: log entries with an `httpRequest`, as Cloud Logging exports them.

One entry a line (exports to Cloud Storage and Pub/Sub), or a JSON array (`gcloud logging read --format
json`) and the `entries` of the API's answer. The time stamp is when the load balancer received the request,
`latency` lasts until the response was sent. Sizes are numbers or, as 64-bit numbers in JSON are, text.
Entries without `httpRequest` are of other logs and are skipped as `not-http`.
Reference: Google Cloud documentation, "Global external Application Load Balancer logging and monitoring",
"LogEntry", "HttpRequest".
"""

import re

import msgspec

from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_array import JsonArray
from wardgate.sources.json_columns import JsonColumns, go_seconds
from wardgate.sources.json_types import Text
from wardgate.sources.jsonlines import json_fit

_TRACE = re.compile(r"(?:.*/)?([0-9a-fA-F]{32})\Z")


class HttpRequest(msgspec.Struct, gc=False, rename="camel"):
    request_method: str | None = None
    request_url: str | None = None
    request_size: Text | None = None
    status: Text | None = None
    response_size: Text | None = None
    user_agent: str | None = None
    remote_ip: str | None = None
    server_ip: str | None = None
    referer: str | None = None
    latency: Text | None = None
    protocol: str | None = None


class Tls(msgspec.Struct, gc=False):
    protocol: str | None = None
    cipher: str | None = None


class Mtls(msgspec.Struct, gc=False, rename="camel"):
    client_cert_sha256_fingerprint: str | None = None


class Payload(msgspec.Struct, gc=False, rename="camel"):
    tls: Tls | None = None
    mtls: Mtls | None = None


class Labels(msgspec.Struct, gc=False):
    backend_service_name: str | None = None
    forwarding_rule_name: str | None = None
    service_name: str | None = None  # Cloud Run


class Resource(msgspec.Struct, gc=False):
    labels: Labels | None = None


class Entry(msgspec.Struct, gc=False, rename="camel"):
    timestamp: Text | None = None
    receive_timestamp: Text | None = None
    trace: str | None = None
    span_id: str | None = None
    resource: Resource | None = None
    http_request: HttpRequest | None = None
    json_payload: Payload | None = None


_NO_REQUEST = HttpRequest()
_NO_PAYLOAD = Payload()
_NO_LABELS = Labels()


class GoogleLoadBalancer:
    """Google Cloud load balancers' request logs, one log entry a line."""

    name = "google-lb"
    title = "Google Cloud HTTP(S) load balancer log"
    reference = "Google Cloud documentation, Global external Application Load Balancer logging and monitoring"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample,
            self.title,
            ("httpRequest.requestMethod", "httpRequest.requestUrl"),
            ("timestamp|receiveTimestamp", "resource|logName|insertId"),
            lambda entry: "logName" in entry and "httpRequest" not in entry,
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(
            Entry, _fill, timezone=options.timezone, must=("method", "target", "started_at")
        )


class GoogleLoadBalancerArray(JsonArray):
    """Google Cloud load balancers' request logs as `gcloud logging read --format json` writes them."""

    name = "google-lb-array"
    title = "Google Cloud HTTP(S) load balancer log, as a JSON array"
    reference = GoogleLoadBalancer.reference
    lines = GoogleLoadBalancer()
    key = "entries"


def _fill(records: list[Entry], out: JsonColumns) -> None:
    requests = [r.http_request or _NO_REQUEST for r in records]
    payloads = [r.json_payload or _NO_PAYLOAD for r in records]
    labels = [(r.resource and r.resource.labels) or _NO_LABELS for r in records]
    out.skip("not-http", [r.http_request is None and r.timestamp is not None for r in records])
    out.stamp("started_at", [r.timestamp or r.receive_timestamp for r in records])
    out.text("method", [q.request_method for q in requests])
    out.text("target", [q.request_url for q in requests])
    out.text("http_version", [q.protocol for q in requests])
    out.number("status", [q.status for q in requests])
    out.number("duration_s", [q.latency for q in requests], go_seconds)
    out.number("request_bytes", [q.request_size for q in requests])
    out.number("response_bytes", [q.response_size for q in requests])
    out.text("client", [q.remote_ip for q in requests])
    out.text("user_agent", [q.user_agent for q in requests])
    out.text("req.referer", [q.referer for q in requests])
    out.text("upstream", [q.server_ip for q in requests])
    out.text("tls_version", [p.tls and p.tls.protocol for p in payloads])
    out.text("tls_cipher", [p.tls and p.tls.cipher for p in payloads])
    out.text("client_certificate", [p.mtls and p.mtls.client_cert_sha256_fingerprint for p in payloads])
    out.text(
        "service_name",
        [one.backend_service_name or one.service_name or one.forwarding_rule_name for one in labels],
    )
    out.text("trace_id", [_trace(r.trace) for r in records])
    out.text("span_id", [r.span_id for r in records])


def _trace(name: str | None) -> str | None:
    """The trace id in `projects/my-project/traces/<32 hex digits>`."""
    found = _TRACE.match(name) if name else None
    return found[1].lower() if found else None
