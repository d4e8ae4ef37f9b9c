"""The Call: one observed request with its response, as a row of an Arrow batch.

This schema is the contract between recognition and everything after it. Null means absent: the source did
not show it. Units are in the names. Identifiers (`*_id` as int64) are keyed (`core.keys`), stable for an
installation. `call_id`, as shown to people, is `origin_id` in hex and `position`.
"""

from dataclasses import dataclass

import pyarrow as pa

TIME = pa.timestamp("us")

CREDENTIAL = pa.struct(
    [
        ("kind", pa.string()),  # bearer, jwt, basic, api_key, session, client_certificate…
        ("place", pa.string()),  # header:authorization, query:api_key, cookie:session…
        ("fingerprint", pa.string()),  # keyed; 32 hex digits
        ("key_id", pa.string()),  # which installation key made the fingerprint
        ("hint", pa.string()),  # what may be shown: kind, known prefix, last four of long random ones
        ("credential_id", pa.int64()),  # the credential this is an instance of
    ]
)
CLAIMS = pa.struct(
    [
        ("issuer", pa.string()),
        ("subject", pa.string()),  # keyed hash: a subject may be a person's name
        ("audience", pa.list_(pa.string())),
        ("client", pa.string()),
        ("scopes", pa.list_(pa.string())),
        ("actor", pa.string()),  # `act`: who acts for the subject
        ("issued_at_us", TIME),
        ("not_before_us", TIME),
        ("expires_at_us", TIME),
        ("verified", pa.bool_()),  # false: read from the token, signature not checked
    ]
)
OBJECT = pa.struct(
    [
        ("parameter", pa.string()),
        ("value", pa.int64()),  # keyed hash of the identifier
        ("direction", pa.string()),  # asked | returned
    ]
)
DATA_CLASS = pa.struct([("data_class", pa.string()), ("place", pa.string()), ("count", pa.int32())])
SIGNAL = pa.struct([("matcher", pa.string()), ("place", pa.string()), ("count", pa.int32())])


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the Call: name, Arrow type, whether it may be null, and what it says."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = True


COLUMNS: tuple[Column, ...] = (
    # Which record this was.
    Column(
        "origin_id", pa.int64(), "keyed id of what was read: one file's generation, one pushed batch", False
    ),
    Column("position", pa.int64(), "record number in its origin, from 0", False),
    Column("batch_id", pa.int64(), "the committed batch it came in with", False),
    Column("source", pa.string(), "name of the source", False),
    Column("request_id", pa.string(), "the gateway's request id, as an id shared between vantages"),
    Column(
        "trace_id",
        pa.string(),
        "W3C trace id, 32 hex digits; of a Cloudflare Worker's subrequest, its parent's ray, 16",
    ),
    Column("span_id", pa.string(), "W3C span id, 16 hex digits"),
    Column(
        "link_id", pa.int64(), "keyed id of request id, or of trace, method and path; equal means same call"
    ),
    Column("is_linked", pa.bool_(), "true: another vantage's row already counts this call", False),
    # When.
    Column(
        "started_at_us",
        TIME,
        "start of the request, UTC; end minus duration where a log stamps the end",
        False,
    ),
    Column("precision_us", pa.int64(), "resolution of the source's stamp, in µs", False),
    Column("received_at_us", TIME, "when Wardgate read it, UTC", False),
    # Where it was seen, and for whom.
    Column("vantage", pa.string(), "edge, gateway, sidecar, application or client"),
    Column("environment", pa.string(), "production, staging…, as configured or observed"),
    Column("team", pa.string(), "the team the source is configured to belong to"),
    # What was asked.
    Column(
        "service",
        pa.string(),
        "the API that received it: scheme-less host and port, or the source's name",
        False,
    ),
    Column("scheme", pa.string(), "http, https, ws, wss"),
    Column("host", pa.string(), "host, lower case, without port"),
    Column("port", pa.int32(), "port, where it was shown"),
    Column("method", pa.string(), "HTTP method as sent"),
    Column("path", pa.string(), "path with secrets replaced by keyed tokens", False),
    Column("query", pa.string(), "query string with secrets replaced by keyed tokens"),
    Column("http_version", pa.string(), "HTTP/1.1, HTTP/2.0…"),
    Column("protocol", pa.string(), "http, grpc, graphql, websocket…", False),
    Column("operation", pa.string(), "a name the path does not hold: an RPC method, a tool, a GraphQL field"),
    Column(
        "path_id",
        pa.int64(),
        "keyed id of service, protocol, method, path and operation; never changes",
        False,
    ),
    # What came of it.
    Column("status", pa.int16(), "HTTP status; null where the source shows none"),
    Column("duration_us", pa.int64(), "duration in µs"),
    Column("request_bytes", pa.int64(), "bytes in, as the source counts them"),
    Column("response_bytes", pa.int64(), "bytes out, as the source counts them"),
    Column("request_content_type", pa.string(), "media type without parameters"),
    Column("response_content_type", pa.string(), "media type without parameters"),
    Column("item_count", pa.int64(), "items in a JSON response: the length of its one top-level list"),
    # Who was at the other end of the wire.
    Column("client_address", pa.string(), "the address believed to be the client's"),
    Column("client_network", pa.string(), "its /24 or /48"),
    Column("client_port", pa.int32(), "port, where it was shown"),
    Column("forwarded_for", pa.list_(pa.string()), "the forwarded chain, left to right"),
    Column(
        "forwarded_believed", pa.int16(), "how many of its right-most entries configured proxies vouch for"
    ),
    Column("user_agent", pa.string(), "as sent, secrets masked"),
    Column("tls_version", pa.string(), "TLSv1.3…"),
    Column("tls_cipher", pa.string(), "cipher suite"),
    Column("tls_sni", pa.string(), "server name asked for"),
    Column("tls_fingerprint", pa.string(), "JA3 or JA4 of the client"),
    Column("upstream", pa.string(), "where the gateway sent it"),
    Column("upstream_status", pa.int16(), "status the upstream answered"),
    Column("upstream_duration_us", pa.int64(), "how long the upstream took, in µs"),
    # With what, and by whom.
    Column("credentials", pa.list_(CREDENTIAL), "every credential presented; several may come together"),
    Column("credential_id", pa.int64(), "the strongest of them"),
    Column("claims", CLAIMS, "claims of a token, unverified unless marked"),
    Column("session", pa.string(), "keyed hash of the session cookie or session id"),
    Column("login", pa.string(), "keyed hash of the login name"),
    Column("caller_id", pa.int64(), "who is behind it, as far as can be told", False),
    Column("caller_kind", pa.string(), "person, service, agent, crawler, scanner, unknown", False),
    # What it touched and carried.
    Column("objects", pa.list_(OBJECT), "object identifiers, asked for or returned"),
    Column("data_classes", pa.list_(DATA_CLASS), "classes of data, where and how many"),
    Column("request_schema", pa.int64(), "id of the request body's schema"),
    Column("response_schema", pa.int64(), "id of the response body's schema"),
    Column("cors_allow_origin", pa.string(), "Access-Control-Allow-Origin"),
    Column("cors_allow_credentials", pa.bool_(), "Access-Control-Allow-Credentials"),
    Column("cache_control", pa.string(), "Cache-Control of the response"),
    Column("rate_limit", pa.string(), "RateLimit or X-RateLimit-Limit of the response"),
    Column("signals", pa.list_(SIGNAL), "what content rules noticed: matcher, place, count"),
    # What the gate did.
    Column("gate_sequence", pa.int64(), "sequence number of the gate's decision set"),
    Column("gate_effect", pa.string(), "allow, deny, limit, step-up, observe"),
    Column("gate_mode", pa.string(), "enforce or observe"),
)

CALL_SCHEMA = pa.schema([pa.field(c.name, c.type, c.nullable) for c in COLUMNS])
