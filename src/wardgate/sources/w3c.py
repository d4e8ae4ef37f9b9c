"""IIS, HTTP.sys and other servers' logs in the W3C extended format.

Reference: Microsoft Learn, "W3C Logging" (HTTP Server API) and "Enhanced Logging for IIS 8.5". A
line is written when the response was sent; stamps are UTC. `s-ip` is the server, `c-ip` the client. IIS
counts `time-taken` in milliseconds; the W3C's draft, and those who follow it (Tomcat, WebLogic), in seconds.
Spaces are written `+`, and so is a `+` of the client's own: in headers it is a space again behind a scheme, a
comma, a semicolon and between quotes, where no value has any other.
"""

import re
from functools import partial

import pyarrow as pa

from wardgate.sources.access import by_distinct
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.header_fields import request_field, response_field
from wardgate.sources.layout import Field, Layout, Piece, Refine
from wardgate.sources.text_lines import parser_fit
from wardgate.sources.w3c_lines import Header, W3cParser

_FIELDS: dict[str, str] = {
    "date": "date",
    "time": "time",
    "cs-method": "method",
    "cs-uri": "url",
    "cs-uri-stem": "target",
    "cs-uri-query": "query",
    "cs-uri-scheme": "scheme",
    "cs-username": "login",
    "cs-version": "http_version",
    "cs-host": "host",
    "c-ip": "client",
    "c-port": "client_port",
    "s-port": "port",
    "s-sitename": "service_name",
    "sc-status": "status",
    "sc-bytes": "response_bytes",
    "cs-bytes": "request_bytes",
    "bytes": "response_bytes",
    "x-forwarded-for": "forwarded_for",
    "x-request-id": "request_id",
    "traceparent": "traceparent",
}
"""Field identifier → field; `cs(Name)` and `sc(Name)` are headers."""

_SPACED = re.compile(r"(?<=[,;])\+|(?<=\")\+(?=\")")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z-]{1,19}|AWS4-[A-Z0-9-]{8,24})\+(?=.)")
_SCHEMES = ("req.authorization", "req.proxy-authorization", "req.x-authorization")
_HEADER = re.compile(r"(cs|sc)\(([A-Za-z0-9_-]{1,64})\)\Z")
_FIELDS_LINE = re.compile(rb"^#\s*Fields\s*:([^\n]*)", re.MULTILINE | re.IGNORECASE)
_SECONDS = re.compile(r"apache tomcat|weblogic|oracle|jigsaw", re.IGNORECASE)


def w3c_field(identifier: str) -> str:
    """The field that a W3C field identifier fills; "" for none."""
    found = _HEADER.match(identifier)
    if found is not None:
        return request_field(found[2]) if found[1] == "cs" else response_field(found[2])
    return _FIELDS.get(identifier.lower(), "")


def w3c_layout(header: Header, delimiter: str) -> Layout:
    """The layout of lines under these directives."""
    names = {one: w3c_field(one) for one in header.fields}
    if "time-taken" in names:
        names["time-taken"] = "duration_s" if _SECONDS.search(header.software) else "duration_ms"
    date = header.date if "date" not in header.fields else ""
    return columns_layout(header, names, delimiter, partial(_refined, date=date))


def columns_layout(header: Header, names: dict[str, str], delimiter: str, refine: Refine) -> Layout:
    """Columns divided by `delimiter`. Two that lead to one field: the first is kept."""
    pieces: list[Piece] = []
    used: set[str] = set()
    for identifier in header.fields:
        name = names.get(identifier, "")
        name = "" if name in used else name
        used.add(name)
        pieces += [delimiter] if pieces else []
        pieces.append(Field(name))
    return Layout(tuple(pieces), delimiter=delimiter, refine=refine)


def _refined(fields: dict[str, pa.Array], *, date: str) -> dict[str, pa.Array]:
    if "url" in fields and "target" in fields:
        del fields["url"]
    if "user_agent" in fields:
        fields["user_agent"] = by_distinct(fields["user_agent"], _spaced, pa.string())
    for name, values in fields.items():
        if name in _SCHEMES:
            fields[name] = by_distinct(values, _authorization, pa.string())
        elif name == "client_certificate" or name.startswith("req."):
            fields[name] = by_distinct(values, _header, pa.string())
    if "forwarded_for" in fields:
        fields["forwarded_for"] = by_distinct(fields["forwarded_for"], _chain, pa.string())
    if date and "date" not in fields and "time" in fields:
        fields["date"] = pa.array([date] * len(fields["time"]), pa.string())
    return fields


def _spaced(value: str) -> str:
    return value.replace("+", " ")


def _chain(value: str) -> str:
    return value.replace("+", "")


def _header(value: str) -> str:
    return _SPACED.sub(" ", value) if "+" in value else value


def _authorization(value: str) -> str:
    found = _SCHEME.match(value)
    if found is None:
        return _header(value)
    rest = value[found.end() :].removeprefix(found[0])  # some clients write the scheme twice
    return f"{found[1]} {_header(rest)}"


def directives_fit(parser: LineParser, sample: bytes, what: str) -> Fit | None:
    """Fit of a file with directives; one that holds nothing else yet fits by them."""
    if all(line[:1] == b"#" or not line.strip() for line in sample.split(b"\n")):
        return Fit(1.0, f"its directives: {what}")
    return parser_fit(parser, sample, what)


def given_fields(options: Options) -> State | None:
    """Fields a person names for a file whose `#Fields` line is lost (`--layout "date time c-ip …"`)."""
    if not options.layout:
        return None
    return {"fields": options.layout.removeprefix("#Fields:").split()}


class W3c:
    """W3C extended log files, as IIS and HTTP.sys write them; their directives say what they hold."""

    name = "w3c"
    title = "W3C extended log (IIS)"
    reference = "Microsoft Learn, W3C Logging; W3C, Extended Log File Format"

    def fit(self, sample: bytes) -> Fit | None:
        fields = {
            name.decode("utf-8", "replace") for one in _FIELDS_LINE.findall(sample) for name in one.split()
        }
        asked = fields & {"cs-uri", "cs-uri-stem"}
        if not asked or any(name.startswith("x-edge-") for name in fields):
            return None
        return directives_fit(self.parser(Options()), sample, f"its #Fields, which name {min(asked)}")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return W3cParser(w3c_layout, state or given_fields(options), timezone=options.timezone)
