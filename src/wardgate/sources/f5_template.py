"""F5 BIG-IP request logging templates as layouts.

Reference: F5, "BIG-IP Acceleration: Concepts", Using the Request Logging Profile (Request Logging
parameters). `$NAME` and `${NAME}` are parameters or headers; values are written as they come, so a value in
a key-value template ends where the template's next literal begins. A template with a response's parameters
is written when the response is, one without when the request comes.
"""

import re
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.errors import WardgateError
from wardgate.sources.access import by_distinct, plain
from wardgate.sources.header_fields import request_field
from wardgate.sources.layout import Field, Layout, Piece

PARAMETERS: dict[str, str] = {
    "CLIENT_IP": "client",
    "CLIENT_PORT": "client_port",
    "HTTP_REQUEST": "request",
    "HTTP_METHOD": "method",
    "HTTP_URI": "target",
    "HTTP_PATH": "target",
    "HTTP_QUERY": "query",
    "HTTP_VERSION": "http_version",
    "HTTP_STATCODE": "status",
    "HTTP_STATUS": "status_line",
    "RESPONSE_USECS": "duration_us",
    "RESPONSE_MSECS": "duration_ms",
    "RESPONSE_SIZE": "response_bytes",
    "SERVER_IP": "server_ip",
    "SERVER_PORT": "server_port",
    "VIRTUAL_PORT": "port",
    "VIRTUAL_NAME": "service_name",
    "DATE_NCSA": "time_clf",
    "DATE_HTTP": "time_text",
    "TIME_UNIX": "time_epoch",
    "NCSA_USER": "login",
}
"""Parameter → field; where two fill one field, the one that stands first here is kept."""
_RESPONSE = {"HTTP_STATCODE", "HTTP_STATUS", "RESPONSE_USECS", "RESPONSE_MSECS", "RESPONSE_SIZE"}
_PARTS = {"DATE_YYYY", "DATE_MM", "DATE_MON", "DATE_DD", "DATE_D", "TIME_HMS", "TIME_MSECS", "TIME_OFFSET"}
_PARTS |= {"TIME_HH24", "TIME_HRS", "TIME_MM", "TIME_SECS", "TIME_SS"}
_IGNORED = re.compile(
    r"(?:BIGIP|DATE|HTTP|NCSA|NULL|RESPONSE|SERVER|SNAT|TIME|VIRTUAL|WAM)(?:_[A-Z0-9_]+)?\Z"
)
_COMMON = '$CLIENT_IP $NULL $NCSA_USER $DATE_NCSA "$HTTP_REQUEST" $HTTP_STATCODE $RESPONSE_SIZE'
_MACROS = {"NCSA_COMMON": _COMMON, "NCSA_COMBINED": _COMMON + ' "${Referer}" "${User-agent}"'}
_MACRO = re.compile(r"\$(?:(NCSA_COMMON|NCSA_COMBINED)\b|\{(NCSA_COMMON|NCSA_COMBINED)\})")
_VARIABLE = re.compile(r"\$(?:\{([^}\s]+)\}|([A-Za-z][A-Za-z0-9_]*))")
_WORDS = {"time_clf": 2, "time_text": 6}
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_PREFERENCE = {name: i for i, name in enumerate(PARAMETERS)}


@dataclass(slots=True)
class _Pieces:
    pieces: list[Piece] = field(default_factory=list)

    def literal(self, text: str) -> None:
        if self.pieces and isinstance(self.pieces[-1], str):
            text = str(self.pieces.pop()) + text
        if text:
            self.pieces.append(text)

    def variable(self, name: str, quoted: bool, keyed: bool, following: str) -> None:
        """A value up to the literal `following` (which may be empty: the end of the line)."""
        if quoted:
            self.pieces.append(Field(name, "words" if keyed else "quoted"))
        elif name == "request" and following[:1] in ("", " "):
            self._divided(("method", "target", "http_version"))
        elif name in _WORDS and following[:1] in ("", " "):
            self._divided(tuple(f"{name}.{i}" for i in range(_WORDS[name])))
        elif not following:
            self.pieces.append(Field(name, "rest"))
        else:
            self.pieces.append(Field(name, "words" if following[0] != " " else "word"))

    def _divided(self, names: tuple[str, ...]) -> None:
        for i, name in enumerate(names):
            if i:
                self.literal(" ")
            self.pieces.append(Field(name))


def f5_layout(template: str) -> Layout:
    """The layout of one template. Raises `layout-empty`."""
    text = _MACRO.sub(lambda found: _MACROS[found[1] or found[2]], template.strip())
    variables = list(_VARIABLE.finditer(text))
    names = [one[1] or one[2] for one in variables]
    kept = _kept(names)
    out = _Pieces()
    at, quoted, keyed = 0, False, False
    seen: set[str] = set()
    for i, found in enumerate(variables):
        literal = text[at : found.start()]
        if literal:
            out.literal(literal)
            quoted ^= literal.count('"') % 2 == 1
            keyed = literal.endswith(('="', ':"', ': "'))
        at = found.end()
        following = text[at : variables[i + 1].start() if i + 1 < len(variables) else len(text)]
        name = kept.get(names[i], "") if names[i] not in seen else ""
        seen.add(names[i])
        out.variable(name, quoted and following.startswith('"'), keyed, following)
    out.literal(text[at:])
    if not {"request", "target"} & set(kept.values()):
        raise WardgateError(
            "layout-empty",
            "the template holds no request such as $HTTP_URI.",
            mend="Log at least $HTTP_METHOD and $HTTP_URI.",
        )
    return Layout(
        tuple(out.pieces),
        None,
        stamp="end" if _RESPONSE & set(names) else "start",
        time_format=_HTTP_DATE,
        refine=_refined,
    )


def _kept(names: list[str]) -> dict[str, str]:
    """Which variable fills which field: one each, the preferred one."""
    by_field: dict[str, str] = {}
    for name in names:
        filled = f"part.{name}" if name in _PARTS else _field(name)
        rival = by_field.get(filled)
        if filled and (rival is None or _PREFERENCE.get(name, 999) < _PREFERENCE.get(rival, 999)):
            by_field[filled] = name
    return {name: filled for filled, name in by_field.items()}


def _field(name: str) -> str:
    if name in PARAMETERS:
        return PARAMETERS[name]
    return "" if _IGNORED.match(name) else request_field(name)


def _refined(fields: dict[str, pa.Array]) -> dict[str, pa.Array]:
    for name, words in _WORDS.items():
        if f"{name}.0" in fields:
            parts = [plain(fields.pop(f"{name}.{i}")) for i in range(words)]
            fields[name] = pc.binary_join_element_wise(*parts, " ")
    if not {"time_clf", "time_text", "time_epoch"} & fields.keys():
        _compose_time(fields)
    if "server_ip" in fields:
        server = plain(fields["server_ip"])
        port = fields.get("server_port")
        with_port = pc.binary_join_element_wise(server, plain(port), ":") if port is not None else server
        fields["upstream"] = pc.coalesce(with_port, server)
    if "status_line" in fields and "status" not in fields:
        fields["status"] = by_distinct(fields["status_line"], _leading_status, pa.int64())
    if "http_version" in fields:
        fields["http_version"] = by_distinct(fields["http_version"], _version, pa.string())
    if "query" in fields:
        fields["query"] = by_distinct(fields["query"], lambda q: q.removeprefix("?") or None, pa.string())
    return fields


def _compose_time(fields: dict[str, pa.Array]) -> None:
    """One ISO stamp from a template's date and time parameters, where they suffice."""

    def part(*names: str) -> pa.Array | None:
        found = next((fields[f"part.{name}"] for name in names if f"part.{name}" in fields), None)
        return plain(found) if found is not None else None

    year, month = part("DATE_YYYY"), part("DATE_MM", "DATE_MON")
    day, clock = part("DATE_DD", "DATE_D"), part("TIME_HMS")
    hour, minute, second = part("TIME_HH24", "TIME_HRS"), part("TIME_MM"), part("TIME_SECS", "TIME_SS")
    if clock is None and hour is not None and minute is not None and second is not None:
        clock = pc.binary_join_element_wise(hour, minute, second, ":")
    if year is None or month is None or day is None or clock is None:
        return
    months = by_distinct(month, _month, pa.string())
    days = by_distinct(day, lambda text: text.zfill(2), pa.string())
    date = pc.binary_join_element_wise(year, months, days, "-")
    whole = pc.binary_join_element_wise(date, clock, " ")
    offset = part("TIME_OFFSET")
    if offset is not None:
        zones = by_distinct(offset, _offset, pa.string())
        whole = pc.binary_join_element_wise(whole, zones, "")
    fields["time_iso"] = whole


_MONTHS = {
    name: f"{i:02}"
    for i, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_OFFSET = re.compile(r"([+-]?)(\d{1,2}):?(\d\d)?\Z")


def _month(text: str) -> str:
    return _MONTHS.get(text[:3].lower(), text.zfill(2))


def _offset(text: str) -> str:
    """`-0700`, `-07:00` or hours alone, as ISO 8601 has it; nothing where it is none of them."""
    found = _OFFSET.match(text)
    return f"{found[1] or '+'}{int(found[2]):02}:{found[3] or '00'}" if found is not None else ""


def _leading_status(text: str) -> int | None:
    head = text.strip().removeprefix("HTTP/").partition(" ")
    digits = head[0] if head[0].isdecimal() else head[2][:3]
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) == 3 else None


def _version(text: str) -> str:
    return text if text.upper().startswith("HTTP") else f"HTTP/{text}"
