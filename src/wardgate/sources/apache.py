"""Apache HTTP Server access logs: common, combined, vhost_combined, and any `LogFormat`.

Reference: Apache HTTP Server documentation, "Apache Module mod_log_config". `%t` is the time the request
was received.
"""

import re
from pathlib import Path

from wardgate.core.errors import WardgateError
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.layout import Field, Layout, Piece, unescape_c
from wardgate.sources.nginx import chosen_layout
from wardgate.sources.several_layouts import SeveralLayouts
from wardgate.sources.text_lines import TextParser, layout_fit

COMMON = '%h %l %u %t "%r" %>s %b'
COMBINED = COMMON + ' "%{Referer}i" "%{User-Agent}i"'
VHOST_COMBINED = "%v:%p " + COMBINED

_DIRECTIVE = re.compile(r"%(?:!?\d{3}(?:,\d{3})*)?[<>]?(?:\{([^}]*)\})?(\^?[a-zA-Z]{1,2}|%)")
_TWO_LETTERS = {"^FU", "^FB", "^to", "^ti"}

_PLAIN: dict[str, str] = {
    "h": "client",
    "a": "client",
    "u": "login",
    "t": "time_clf",
    "r": "request",
    "m": "method",
    "U": "target",
    "q": "query",
    "H": "http_version",
    "s": "status",
    "B": "response_bytes",
    "b": "response_bytes",
    "O": "",
    "I": "request_bytes",
    "D": "duration_us",
    "T": "duration_s",
    "v": "host",
    "V": "host",
    "p": "port",
    "L": "request_id",
}
_REQUEST_HEADERS = {
    "user-agent": "user_agent",
    "x-forwarded-for": "forwarded_for",
    "host": "host",
    "x-request-id": "request_id",
    "traceparent": "traceparent",
    "content-type": "request_content_type",
}
_ENVIRONMENT = {
    "SSL_PROTOCOL": "tls_version",
    "SSL_CIPHER": "tls_cipher",
    "SSL_TLS_SNI": "tls_sni",
    "SSL_CLIENT_S_DN": "client_certificate",
    "UNIQUE_ID": "request_id",
}
_EPOCHS = {"sec", "msec", "usec"}
_STRFTIME_PARTS = {"%d/%b/%Y:%H:%M:%S %z": "time_clf", "%F %T": "time_iso", "%FT%T%z": "time_iso"}


def apache_layout(text: str) -> Layout:
    """The layout of one `LogFormat` string (quotes already unescaped)."""
    pieces: list[Piece] = []
    used: set[str] = set()
    at, quoted, literal, precision = 0, False, "", 1_000_000
    for found in _DIRECTIVE.finditer(text):
        literal += text[at : found.start()]
        at = found.end()
        if found[2] == "%":
            literal += "%"
            continue
        letter = found[2] if found[2] in _TWO_LETTERS else found[2][0]
        at -= len(found[2]) - len(letter)
        if literal:
            pieces.append(literal)
            quoted ^= literal.count('"') % 2 == 1
        literal = ""
        name = _name(letter, found[1])
        if name == "time_epoch":
            precision = {"sec": 1_000_000, "msec": 1000, "usec": 1}[
                (found[1] or "").removeprefix("begin:").removeprefix("end:")
            ]
        field = "" if name in used else name
        used.add(name)
        if letter == "t" and found[1] is None:
            pieces += ["[", Field(field, "words", spaces=1), "]"]
            continue
        whole = quoted and text[at : at + 1] == '"'
        pieces.append(_piece(letter, found[1], field, whole, not text[at:]))
    literal += text[at:]
    if literal:
        pieces.append(literal)
    if not used:
        raise WardgateError("layout-empty", "the LogFormat holds no directive such as %r.")
    return Layout(_merged(pieces), unescape_c, stamp="start", precision_us=precision)


def _name(letter: str, argument: str | None) -> str:
    if letter == "i":
        header = (argument or "").lower()
        return _REQUEST_HEADERS.get(header, f"req.{header}")
    if letter == "o":
        header = (argument or "").lower()
        return "response_content_type" if header == "content-type" else f"resp.{header}"
    if letter == "C":
        return f"cookie.{argument}"
    if letter in "ex":
        return _ENVIRONMENT.get(argument or "", "")
    if letter == "T":
        return {"ms": "duration_ms", "us": "duration_us"}.get(argument or "s", "duration_s")
    if letter == "t" and argument:
        form = argument.removeprefix("begin:").removeprefix("end:")
        if form in _EPOCHS:
            return "time_epoch"
        for parts, field in _STRFTIME_PARTS.items():
            if form == parts:
                return field
        if form.startswith(("%Y-%m-%d", "%F")):
            return "time_iso"
        raise WardgateError(
            "layout-time",
            f"the time format %{{{argument}}}t cannot be read back.",
            mend="Log %t or %{%Y-%m-%dT%H:%M:%S%z}t.",
        )
    if letter == "a" and argument == "c":
        return ""
    return _PLAIN.get(letter, "")


def _piece(letter: str, argument: str | None, field: str, quoted: bool, last: bool) -> Field:
    if quoted:
        return Field(field, "quoted")
    if letter == "r":
        return Field(field, "words", spaces=2)
    if letter == "t" and argument and " " in argument:
        return Field(field, "words", spaces=argument.count(" "))
    if letter in "io":
        return Field(field, "rest" if last else "list")
    return Field(field, "word")


def _merged(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Neighbouring literals become one."""
    out: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        else:
            out.append(piece)
    return tuple(out)


_LOG_FORMAT = re.compile(
    r'^\s*LogFormat\s+"((?:[^"\\]|\\.)*)"(?:\s+(\S+))?\s*$', re.MULTILINE | re.IGNORECASE
)


def apache_formats(config: Path) -> dict[str, Layout]:
    """Every `LogFormat` of a configuration file, by nickname. Raises `config-unreadable`."""
    try:
        text = config.read_text("utf-8", "replace").replace("\\\n", "")
    except OSError as error:
        raise WardgateError("config-unreadable", f"cannot read {config}: {error.strerror}.") from error
    layouts = {"combined": apache_layout(COMBINED), "common": apache_layout(COMMON)}
    for found in _LOG_FORMAT.finditer(text):
        layouts[found[2] or "default"] = apache_layout(unescape_c(found[1]))
    return layouts


class Apache:
    """Common, `vhost_combined`, or any `LogFormat`; combined logs are NGINX's and Apache's alike."""

    name = "apache"
    title = "Apache access log"
    reference = "Apache HTTP Server documentation, mod_log_config"

    def fit(self, sample: bytes) -> Fit | None:
        fits = [
            layout_fit(apache_layout(text), sample, f"Apache's {name} format")
            for name, text in (("common", COMMON), ("vhost_combined", VHOST_COMBINED))
        ]
        return max((fit for fit in fits if fit), key=lambda fit: fit.score, default=None)

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        if options.config is None and options.layout is None:
            standard = [apache_layout(text) for text in (COMBINED, VHOST_COMBINED, COMMON)]
            return SeveralLayouts(standard, timezone=options.timezone)
        return TextParser(self.layout(options), timezone=options.timezone)

    def layout(self, options: Options) -> Layout:
        if options.config is not None:
            return chosen_layout(apache_formats(options.config), options, "Apache")
        return apache_layout(options.layout or COMBINED)
