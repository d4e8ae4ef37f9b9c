"""Akamai DataStream 2 logs of delivery properties, as JSON or structured (space- or tab-delimited).

Values are text, and hold URL-encoding for white space and whatever is not printable ASCII. `reqTimeSec` is
when the edge server accepted the request; a call lasts from reading the request (`reqEndTimeMSec`) over the
turn-around (`turnAroundTimeMSec`) to the last byte sent (`transferTimeMSec`). JSON leaves out what is
absent, the structured form writes `-`. That form has no names in it: give the stream's fields in their
order as the layout, by their JSON keys, divided as in the log.
Reference: Akamai documentation, DataStream 2, "Log format", "Data set parameters".
"""

from collections.abc import Callable, Sequence
from urllib.parse import unquote, unquote_plus

import msgspec

from wardgate.core.errors import WardgateError
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser, NotFormatError
from wardgate.sources.json_columns import JsonColumns
from wardgate.sources.json_keys import ABSENT
from wardgate.sources.json_types import Text
from wardgate.sources.jsonlines import json_fit

KEYS = {
    "time": "reqTimeSec",
    "method": "reqMethod",
    "path": "reqPath",
    "query": "queryStr",
    "host": "reqHost",
    "port": "reqPort",
    "protocol": "proto",
    "status": "statusCode",
    "client": "cliIP",
    "forwarded_for": "xForwardedFor",
    "user_agent": "UA",
    "referer": "referer",
    "cookie": "cookie",
    "request_id": "reqId",
    "total_bytes": "totalBytes",
    "body_bytes": "bytes",
    "content_type": "rspContentType",
    "tls_version": "tlsVersion",
    "reading_ms": "reqEndTimeMSec",
    "turn_around_ms": "turnAroundTimeMSec",
    "transfer_ms": "transferTimeMSec",
}
"""Our names → JSON keys of the data set fields that say something about the call."""


class Request(msgspec.Struct, gc=False, rename=KEYS):
    time: Text | None = None
    method: str | None = None
    path: str | None = None
    query: str | None = None
    host: str | None = None
    port: Text | None = None
    protocol: str | None = None
    status: Text | None = None
    client: str | None = None
    forwarded_for: str | None = None
    user_agent: str | None = None
    referer: str | None = None
    cookie: str | None = None
    request_id: str | None = None
    total_bytes: Text | None = None
    body_bytes: Text | None = None
    content_type: str | None = None
    tls_version: str | None = None
    reading_ms: Text | None = None
    turn_around_ms: Text | None = None
    transfer_ms: Text | None = None


class Akamai:
    """Akamai DataStream 2 logs; the structured form by giving the fields in their order."""

    name = "akamai"
    title = "Akamai DataStream 2"
    reference = "Akamai documentation, DataStream 2, Log format"

    def fit(self, sample: bytes) -> Fit | None:
        return json_fit(
            sample, self.title, ("reqMethod", "reqPath"), ("reqHost|cliIP", "reqTimeSec|statusCode")
        )

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return JsonAccessParser(
            Request,
            _fill,
            timezone=options.timezone,
            absent=ABSENT,
            must=("method", "target", "started_at"),
            decode=_structured(options.layout) if options.layout else None,
        )


def _structured(layout: str) -> Callable[[bytes], Request]:
    """What reads lines of the structured form. Raises `layout-empty`."""
    delimiter = "\t" if "\t" in layout else " "
    names = layout.strip().split(delimiter)
    if not {"reqMethod", "reqPath"} <= set(names):
        raise WardgateError(
            "layout-empty",
            "the layout names no reqMethod and reqPath.",
            mend="Give the stream's fields in their order, by their JSON keys.",
        )
    ours = {key: name for name, key in KEYS.items()}
    kept = [(i, ours[key]) for i, key in enumerate(names) if key in ours]

    def decode(line: bytes) -> Request:
        values = line.decode("utf-8", "replace").rstrip("\r").split(delimiter)
        if len(values) != len(names):
            raise NotFormatError
        return Request(**{name: values[i] for i, name in kept if values[i] not in ABSENT})

    return decode


def _fill(records: list[Request], out: JsonColumns) -> None:
    out.stamp("started_at", [r.time for r in records])
    out.text("method", [r.method for r in records])
    out.text("target", [_path(r.path) for r in records])
    out.text("query", [_query(r.query) for r in records])
    out.text("host", [r.host for r in records])
    out.number("port", [r.port for r in records])
    out.text("scheme", [r.protocol.lower() if r.protocol in ("HTTP", "HTTPS") else None for r in records])
    out.text("http_version", [r.protocol if r.protocol and "/" in r.protocol else None for r in records])
    out.number("status", [r.status for r in records])
    out.text("client", [r.client for r in records])
    out.converted("forwarded_for", [r.forwarded_for for r in records], _decoded)
    out.converted("user_agent", [r.user_agent for r in records], _decoded)
    out.converted("req.referer", [r.referer for r in records], _decoded)
    out.converted("req.cookie", [r.cookie for r in records], _decoded)
    out.text("request_id", [r.request_id for r in records])
    out.number("response_bytes", [r.total_bytes or r.body_bytes for r in records])
    out.converted("response_content_type", [r.content_type for r in records], _decoded)
    out.text("tls_version", [r.tls_version for r in records])
    _duration(records, out)


def _duration(records: Sequence[Request], out: JsonColumns) -> None:
    """The sum of a call's phases, where the turn-around is known."""
    total = [0.0] * len(records)
    for phase in ("turn_around_ms", "reading_ms", "transfer_ms"):
        out.number("duration_ms", [getattr(r, phase) for r in records])
        values = out.fields["duration_ms"].to_pylist()
        if phase == "turn_around_ms":
            known = [value is not None for value in values]
        total = [sum_ + (value or 0.0) for sum_, value in zip(total, values, strict=True)]
    out.number(
        "duration_ms", [sum_ if is_known else None for sum_, is_known in zip(total, known, strict=True)]
    )


def _path(value: str | None) -> str | None:
    """The path as it was asked for: Akamai may encode its slashes and leave out the first."""
    if value is None or value in ABSENT or value.startswith("/") or not value.isprintable():
        return value
    path = unquote(value) if "%2F" in value.upper() else value
    return path if path.startswith("/") else f"/{path}"


def _query(value: str | None) -> str | None:
    """The query as it was sent; encoded as a whole it has no `=` of its own."""
    if value is None:
        return None
    return unquote(value) if "=" not in value and "%3D" in value.upper() else value


def _decoded(value: str) -> str:
    """A header's value without URL-encoding; a `+` is a space only where nothing else is one."""
    if "%" not in value:
        return value
    return unquote(value) if "%20" in value or " " in value else unquote_plus(value)
