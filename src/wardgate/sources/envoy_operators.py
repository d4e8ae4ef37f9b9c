"""Envoy's command operators: which field each fills, the same in format strings and in `json_format`.

Reference: Envoy documentation, "Access logging" (command operators).
"""

import re

from wardgate.sources.header_fields import request_field, response_field

OPERATORS: dict[str, str] = {
    "START_TIME": "started_at",
    "PROTOCOL": "http_version",
    "RESPONSE_CODE": "status",
    "BYTES_RECEIVED": "request_bytes",
    "BYTES_SENT": "response_bytes",
    "DURATION": "duration_ms",
    "RESPONSE_DURATION": "upstream_duration_ms",
    "UPSTREAM_HOST": "upstream",
    "UPSTREAM_REMOTE_ADDRESS": "upstream",
    "UPSTREAM_CLUSTER": "service_name",
    "UPSTREAM_CLUSTER_RAW": "service_name",
    "DOWNSTREAM_REMOTE_ADDRESS": "client",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": "client",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": "client",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": "client",
    "DOWNSTREAM_REMOTE_PORT": "client_port",
    "DOWNSTREAM_LOCAL_PORT": "port",
    "REQUESTED_SERVER_NAME": "tls_sni",
    "DOWNSTREAM_TLS_VERSION": "tls_version",
    "DOWNSTREAM_TLS_CIPHER": "tls_cipher",
    "DOWNSTREAM_PEER_SUBJECT": "client_certificate",
    "DOWNSTREAM_PEER_URI_SAN": "client_certificate",
    "DOWNSTREAM_PEER_FINGERPRINT_256": "client_certificate",
    "TLS_JA3_FINGERPRINT": "tls_fingerprint",
    "TLS_JA4_FINGERPRINT": "tls_fingerprint",
    "TRACE_ID": "trace_id",
    "SPAN_ID": "span_id",
    "STREAM_ID": "request_id",
    "PATH": "target",
    "GRPC_STATUS": "resp.grpc-status",
    "GRPC_STATUS_NUMBER": "resp.grpc-status",
}
"""Operators that are no headers → field."""
HEADER_OPERATORS = frozenset({"REQ", "RESP", "REQUEST_HEADER", "RESPONSE_HEADER"})
OPERATOR = re.compile(r"%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(?::\d+)?%|%%")
"""Name and argument; the name is absent in `%%`, which stands for a percent sign."""
_PREFERRED = ("DOWNSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "UPSTREAM_HOST")
_CLUSTERS = ("PassthroughCluster", "BlackHoleCluster", "InboundPassthroughCluster")


def field_of(operator: str, argument: str) -> str:
    """The field of `%OPERATOR(argument)%`: a header without one is `req.<name>` or `resp.<name>`; "" is none.

    `REQ(X?Y)` is X, else Y. Where Y is a pseudo-header, X stands in for it (`X-ENVOY-ORIGINAL-PATH?:PATH`).
    Pseudo-headers without a field are none.
    """
    if operator not in HEADER_OPERATORS:
        return OPERATORS.get(operator, "")
    first, _, second = argument.partition("?")
    if first.upper() == "X-ENVOY-UPSTREAM-SERVICE-TIME":
        return "upstream_duration_ms"
    is_request = operator.startswith("REQ")
    name = request_field(second if second.startswith(":") else first) if is_request else response_field(first)
    return "" if ".:" in name else name


def preference(operator: str) -> int:
    """Of several operators for one field, those with the lowest are kept."""
    return 0 if operator in _PREFERRED else 1


def service_of(cluster: str) -> str | None:
    """The service a mesh's cluster stands for: `outbound|8000||httpbin.foo.svc.cluster.local` names it."""
    direction, *rest = cluster.split("|")
    if direction in ("inbound", "outbound") and len(rest) == 3:
        return rest[2] or None
    return None if cluster in _CLUSTERS else cluster
