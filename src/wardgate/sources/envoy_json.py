"""Envoy's and Istio's JSON access logs (`json_format`, `accessLogEncoding: JSON`).

The keys are Istio's defaults and those people commonly choose; any others are read with the format itself
as the layout: a JSON object of command operators, as it stands in the configuration. `%START_TIME%` is the
start of the request, `%DURATION%` counts milliseconds. Older versions write numbers in quotes and `-` for
what is not there, newer ones numbers and null. A sidecar logs TCP connections to the same file: records
whose method and path are there and empty are no calls, and are skipped as `not-http`.
Reference: Istio documentation, "Envoy Access Logs"; Envoy documentation, "Access logging".
"""

from collections.abc import Sequence

import msgspec

from wardgate.core.errors import WardgateError
from wardgate.sources.envoy_operators import OPERATOR, field_of, preference, service_of
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_columns import JsonColumns
from wardgate.sources.json_keys import ABSENT, HeaderOf, JsonObject, KeyedRecords, header_of
from wardgate.sources.jsonlines import json_fit

KEYS: dict[str, tuple[str, ...]] = {
    "started_at": ("start_time", "timestamp", "time", "@timestamp", "ts"),
    "method": ("method", "request_method", "req_method", ":method"),
    "target": ("path", "x_envoy_original_path", "x-envoy-original-path", "request_path", "uri",
               "request_uri", ":path"),
    "http_version": ("protocol", "request_protocol"),
    "scheme": ("scheme", "x_forwarded_proto", ":scheme"),
    "status": ("response_code", "status", "status_code", "code"),
    "duration_ms": ("duration", "duration_ms", "request_time", "total_duration"),
    "upstream_duration_ms": ("upstream_service_time", "upstream_response_time", "response_duration"),
    "request_bytes": ("bytes_received",),
    "response_bytes": ("bytes_sent",),
    "client": ("downstream_remote_address", "downstream_direct_remote_address", "remote_address", "client_ip",
               "client_address", "source_ip", "downstream_remote_address_without_port"),
    "forwarded_for": ("x_forwarded_for", "x-forwarded-for"),
    "user_agent": ("user_agent", "user-agent"),
    "request_id": ("request_id", "x_request_id", "x-request-id"),
    "traceparent": ("traceparent",),
    "trace_id": ("trace_id", "traceId", "x_b3_traceid", "x-b3-traceid"),
    "span_id": ("span_id", "spanId"),
    "host": ("authority", "host", ":authority"),
    "tls_sni": ("requested_server_name", "sni_host", "sni"),
    "tls_version": ("downstream_tls_version", "tls_version", "tls_protocol"),
    "tls_cipher": ("downstream_tls_cipher", "tls_cipher"),
    "tls_fingerprint": ("tls_ja4_fingerprint", "tls_ja3_fingerprint", "ja4", "ja3"),
    "client_certificate": ("x_forwarded_client_cert", "x-forwarded-client-cert", "downstream_peer_subject",
                           "downstream_peer_uri_san", "downstream_peer_fingerprint_256"),
    "upstream": ("upstream_host", "upstream_address"),
    "service_name": ("upstream_cluster",),
    "request_content_type": ("content_type", "content-type", "request_content_type"),
    "response_content_type": ("response_content_type",),
}  # fmt: skip
"""Field → keys: Istio's default first, then what is often written in its place."""

_SIDES = {"req": "request", "resp": "response"}
_OWN = "upstream_cluster|response_flags|upstream_response_flags|response_code_details|upstream_service_time"


class EnvoyJson:
    """Envoy's or Istio's JSON access log; other keys than Istio's by giving the `json_format`."""

    name = "envoy-json"
    title = "Envoy / Istio JSON access log"
    reference = "Istio documentation, Envoy Access Logs; Envoy documentation, Access logging"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample,
            self.title,
            ("path|request_path|request_uri|request", "response_code|status", _OWN),
            ("start_time|timestamp", "upstream_host|upstream_address|upstream_cluster"),
            lambda record: _is_connection(record, ("method", "path")),
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        keys, place_of = _layout(options.layout) if options.layout else (KEYS, header_of)
        return JsonAccessParser(
            JsonObject,
            lambda records, out: _fill(records, out, keys, place_of),
            timezone=options.timezone,
            absent=ABSENT,
        )


def _fill(
    records: list[JsonObject], out: JsonColumns, keys: dict[str, tuple[str, ...]], place_of: HeaderOf
) -> None:
    keyed = KeyedRecords(records)
    keyed.fill(keys, out)
    requests = keyed.values(("request",))
    if requests is not None:
        out.request([value if isinstance(value, str) else None for value in requests])
    grpc = keyed.values(("grpc_status", "grpc_status_number"))
    if grpc is not None:
        out.text("protocol", [None if value is None else "grpc" for value in grpc])
        out.text("resp.grpc-status", grpc)
    if "service_name" in out.fields:
        out.converted("service_name", out.fields["service_name"].to_pylist(), service_of)
    named = [key for field in ("method", "target") for key in keys.get(field, ())]
    if "method" in out.fields and out.fields["method"].null_count:
        out.skip("not-http", [_is_connection(record, named) for record in records])
    keyed.headers(out, place_of)


def _is_connection(record: JsonObject, named: Sequence[str]) -> bool:
    """Whether method and path are there and say nothing: the record of a TCP connection."""
    there = [key for key in named if key in record]
    return (
        len(there) > 1
        and "request" not in record
        and all(record[key] is None or record[key] == "-" for key in there)
    )


def _layout(text: str) -> tuple[dict[str, tuple[str, ...]], HeaderOf]:
    """Keys per field, and what headers the other keys hold, from a `json_format`. Raises `layout-empty`."""
    try:
        template = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError):
        template = {}
    known = []
    for key, value in template.items():
        found = OPERATOR.fullmatch(value) if isinstance(value, str) else None
        if found is not None and found[1]:
            known.append((preference(found[1]), key, field_of(found[1], found[2] or "")))
    known.sort(key=lambda one: one[0])
    keys: dict[str, list[str]] = {}
    headers: dict[str, tuple[str, str]] = {}
    for _, key, field in known:
        side, dot, header = field.partition(".")
        if dot:
            headers[key] = _SIDES[side], header
        elif field:
            keys.setdefault(field, []).append(key)
    if "method" not in keys or "target" not in keys:
        raise WardgateError(
            "layout-empty",
            "the layout is no JSON object with %REQ(:METHOD)% and %REQ(:PATH)% in it.",
            mend="Give the json_format as it stands in Envoy's configuration.",
        )
    return {field: tuple(names) for field, names in keys.items()}, headers.get
