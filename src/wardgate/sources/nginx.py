"""NGINX access logs: `combined`, and any `log_format` read from the user's own configuration.

Reference: NGINX, "Module ngx_http_log_module" and the variable indexes of the http, upstream and ssl
modules. A line is written when the request ends.
"""

import re
from pathlib import Path

from wardgate.core.errors import WardgateError
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.layout import Field, Layout, Piece, unescape_c, unescape_json
from wardgate.sources.text_lines import TextParser, layout_fit

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
)

VARIABLES: dict[str, str] = {
    "remote_addr": "client",
    "remote_port": "client_port",
    "remote_user": "login",
    "time_local": "time_clf",
    "time_iso8601": "time_iso",
    "msec": "time_epoch",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "target",
    "document_uri": "target",
    "args": "query",
    "query_string": "query",
    "status": "status",
    "body_bytes_sent": "response_bytes",
    "bytes_sent": "response_bytes",
    "request_length": "request_bytes",
    "request_time": "duration_s",
    "upstream_response_time": "upstream_duration_s",
    "upstream_addr": "upstream",
    "upstream_status": "upstream_status",
    "host": "host",
    "http_host": "host",
    "server_name": "host",
    "scheme": "scheme",
    "server_port": "port",
    "server_protocol": "http_version",
    "http_user_agent": "user_agent",
    "http_x_forwarded_for": "forwarded_for",
    "proxy_add_x_forwarded_for": "forwarded_for",
    "request_id": "request_id",
    "http_x_request_id": "request_id",
    "http_traceparent": "traceparent",
    "otel_trace_id": "trace_id",
    "otel_span_id": "span_id",
    "ssl_protocol": "tls_version",
    "ssl_cipher": "tls_cipher",
    "ssl_server_name": "tls_sni",
    # One certificate, told in several variables: recognition puts them together.
    "ssl_client_s_dn": "req.ssl-client-s-dn",
    "ssl_client_s_dn_legacy": "req.ssl-client-s-dn",
    "ssl_client_i_dn": "req.ssl-client-i-dn",
    "ssl_client_serial": "req.ssl-client-serial",
    "ssl_client_fingerprint": "req.ssl-client-fingerprint",
    "ssl_client_verify": "req.ssl-client-verify",
    "ssl_client_escaped_cert": "req.ssl-client-cert",
    "content_type": "request_content_type",
    "http_content_type": "request_content_type",
    "sent_http_content_type": "response_content_type",
}
"""NGINX variable → field. Where two lead to one field, the one that stands first here is kept."""

_PREFERENCE = {name: i for i, name in enumerate(VARIABLES)}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_LISTS = re.compile(
    r"upstream_\w+|http_x_forwarded_for|proxy_add_x_forwarded_for|sent_http_\w+|http_\w+|realip_\w+"
)


def nginx_layout(text: str, escape: str = "default") -> Layout:
    """The layout of one `log_format` string."""
    names = [one[0] or one[1] for one in _VARIABLE.findall(text)]
    if not names:
        raise WardgateError("layout-empty", "the log format holds no variable such as $request.")
    kept = _kept(names)
    pieces: list[Piece] = []
    at, quoted, seen = 0, False, set[str]()
    for found in _VARIABLE.finditer(text):
        literal = text[at : found.start()]
        if literal:
            pieces.append(literal)
            quoted ^= literal.count('"') % 2 == 1
        name = found[1] or found[2]
        field = kept.get(name, "") if name not in seen else ""
        seen.add(name)
        following = text[found.end() : found.end() + 1]
        pieces.append(_field(name, field, quoted and following == '"', following))
        at = found.end()
    if text[at:]:
        pieces.append(text[at:])
    precise = "time_epoch" in kept.values() and not {"time_clf", "time_iso"} & set(kept.values())
    unescape = {"json": unescape_json, "none": None}.get(escape, unescape_c)
    return Layout(tuple(pieces), unescape, precision_us=1000 if precise else 1_000_000)


def _field(name: str, field: str, quoted: bool, following: str) -> Field:
    if quoted:
        return Field(field, "quoted")
    if not following:
        return Field(field, "rest" if _LISTS.fullmatch(name) else "word")
    if name == "time_local":
        return Field(field, "words", spaces=1)
    if name == "request":
        return Field(field, "words", spaces=2)
    return Field(field, "list" if _LISTS.fullmatch(name) else "word")


def _kept(names: list[str]) -> dict[str, str]:
    """Which variable fills which field: one each, the preferred one."""
    by_field: dict[str, str] = {}
    for name in names:
        field = VARIABLES.get(name) or _header_field(name)
        if not field:
            continue
        rival = by_field.get(field)
        if rival is None or _PREFERENCE.get(name, 999) < _PREFERENCE.get(rival, 999):
            by_field[field] = name
    if "request" in by_field:
        for redundant in ("method", "target", "query"):
            by_field.pop(redundant, None)
    if by_field.get("target") == "request_uri":
        by_field.pop("query", None)
    for better, worse in (("time_epoch", "time_iso"), ("time_epoch", "time_clf"), ("time_iso", "time_clf")):
        if better in by_field:
            by_field.pop(worse, None)
    return {name: field for field, name in by_field.items()}


def _header_field(name: str) -> str:
    for prefix, field in (
        ("sent_http_", "resp."),
        ("upstream_http_", "resp."),
        ("http_", "req."),
        ("cookie_", "cookie."),
    ):
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            return field + (rest if field == "cookie." else rest.replace("_", "-"))
    return ""


def nginx_formats(config: Path) -> dict[str, Layout]:
    """Every `log_format` of a configuration and its includes, by name. Raises `config-unreadable`."""
    import crossplane

    try:
        payload = crossplane.parse(
            str(config), comments=False, combine=False, check_ctx=False, check_args=False
        )
    except OSError as error:
        raise WardgateError("config-unreadable", f"cannot read {config}: {error.strerror}.") from error
    layouts = {"combined": nginx_layout(COMBINED)}
    for file in payload["config"]:
        for args in _log_formats(file["parsed"]):
            name, *strings = args
            escape = "default"
            if strings and strings[0].startswith("escape="):
                escape = strings.pop(0).removeprefix("escape=")
            layouts[name] = nginx_layout("".join(strings), escape)
    return layouts


def _log_formats(block: list[dict[str, object]]) -> list[list[str]]:
    found: list[list[str]] = []
    for directive in block:
        args = directive.get("args")
        if directive.get("directive") == "log_format" and isinstance(args, list):
            found.append(args)
        inner = directive.get("block")
        if isinstance(inner, list):
            found += _log_formats(inner)
    return found


def chosen_layout(layouts: dict[str, Layout], options: Options, server: str) -> Layout:
    """The layout a person meant, out of a configuration's. Raises `layout-unknown` or `layout-several`."""
    if options.layout_name:
        if options.layout_name not in layouts:
            raise WardgateError(
                "layout-unknown",
                f"{options.config} has no {server} log format {options.layout_name!r};",
                mend=f"it has {', '.join(layouts)}.",
            )
        return layouts[options.layout_name]
    own = {name: layout for name, layout in layouts.items() if name not in ("combined", "common")}
    if len(own) == 1:
        return next(iter(own.values()))
    if not own:
        return next(iter(layouts.values()))
    raise WardgateError(
        "layout-several",
        f"{options.config} has several log formats: {', '.join(own)}.",
        mend="Say which with --layout-name.",
    )


class Nginx:
    """`combined` unless a `log_format` or a configuration is given."""

    name = "nginx"
    title = "NGINX access log"
    reference = "NGINX documentation, ngx_http_log_module"

    def fit(self, sample: bytes) -> Fit | None:
        return layout_fit(nginx_layout(COMBINED), sample, "NGINX's (and Apache's) combined format")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return TextParser(self.layout(options), timezone=options.timezone)

    def layout(self, options: Options) -> Layout:
        if options.config is not None:
            return chosen_layout(nginx_formats(options.config), options, "NGINX")
        return nginx_layout(options.layout or COMBINED)
