"""Traefik's access log as JSON (`accessLog.format: json`).

`StartUTC` is when processing of the request started, the durations are nanoseconds, header fields are
`request_<Name>` (sent by the client), `origin_<Name>` and `downstream_<Name>` (of the response). Fields and
headers can be dropped or written as REDACTED: of a header that presents a credential this says that there was
one, of all else nothing. Traefik's own log goes to the same output where no file is configured; its lines are
skipped as `not-access-log`.
Reference: Traefik documentation, "Access Logs".
"""

from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_columns import REDACTED, JsonColumns
from wardgate.sources.json_keys import ABSENT, JsonObject, KeyedRecords
from wardgate.sources.jsonlines import json_fit

KEYS: dict[str, tuple[str, ...]] = {
    "method": ("RequestMethod",),
    "target": ("RequestPath",),
    "http_version": ("RequestProtocol",),
    "scheme": ("RequestScheme",),
    "host": ("RequestHost", "RequestAddr"),
    "port": ("RequestPort",),
    "client": ("ClientHost", "ClientAddr"),
    "client_port": ("ClientPort",),
    "login": ("ClientUsername",),
    "status": ("DownstreamStatus",),
    "request_bytes": ("RequestContentSize",),
    "response_bytes": ("DownstreamContentSize",),
    "duration_ns": ("Duration",),
    "upstream_duration_ns": ("OriginDuration",),
    "upstream_status": ("OriginStatus",),
    "upstream": ("ServiceAddr",),
    "service_name": ("ServiceName",),
    "tls_version": ("TLSVersion",),
    "tls_cipher": ("TLSCipher",),
    "client_certificate": ("TLSClientSubject",),
    "trace_id": ("trace_id", "TraceId"),
    "span_id": ("span_id", "SpanId"),
}
_PLACES = {"request_": "request", "downstream_": "response"}


class TraefikJson:
    """Traefik's access log in its JSON format."""

    name = "traefik-json"
    title = "Traefik JSON access log"
    reference = "Traefik documentation, Access Logs"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample,
            self.title,
            ("RequestMethod", "RequestPath"),
            ("DownstreamStatus|OriginStatus", "Duration|StartUTC|StartLocal|ClientAddr|ClientHost"),
            _is_own_log,
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(
            JsonObject, _fill, timezone=options.timezone, absent=(*ABSENT, *sorted(REDACTED))
        )


def _fill(records: list[JsonObject], out: JsonColumns) -> None:
    keyed = KeyedRecords(records)
    keyed.fill(KEYS, out)
    starts = keyed.values(("StartUTC", "StartLocal")) or [None] * out.count
    written = keyed.values(("time",)) or [None] * out.count
    if "tls_version" in out.fields:  # 1.3
        versions = out.fields["tls_version"].to_pylist()
        out.text("tls_version", [f"TLSv{one}" if one and one[0].isdigit() else one for one in versions])
    out.stamp("started_at", starts)
    out.stamp("ended_at", [None if start else end for start, end in zip(starts, written, strict=True)])
    keyed.headers(out, _header_of)
    out.skip("not-access-log", [_is_own_log(record) for record in records])


def _header_of(key: str) -> tuple[str, str] | None:
    for prefix, place in _PLACES.items():
        if key.startswith(prefix):
            return place, key.removeprefix(prefix).lower()
    return None


def _is_own_log(record: JsonObject) -> bool:
    """Whether a record is a message of Traefik itself, not of a request."""
    return (
        "level" in record
        and ("msg" in record or "message" in record)
        and not any(key.startswith(("Request", "Downstream", "Client")) for key in record)
    )
