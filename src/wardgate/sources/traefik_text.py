r"""Traefik's access log in its `common` format: the common log format and what Traefik adds to it.

Reference: Traefik documentation, "Access Logs" (Common Log Format). The stamp is the request's start. Quoted
values are Go strings (`\"`, `\x00`, `\u00e9`), the request line is not escaped.
"""

import re

import pyarrow as pa

from wardgate.sources.access import by_distinct
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.layout import Field, Layout
from wardgate.sources.text_lines import TextParser, layout_fit

_ESCAPE = re.compile(
    r"((?:\\\\)+)|\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{3})|(.))", re.DOTALL
)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}


def unescape_go(value: str) -> str:
    r"""Undo the escapes of a Go string literal; `\xHH` are bytes of UTF-8."""
    if "\\" not in value:
        return value
    out = bytearray()
    at = 0
    for found in _ESCAPE.finditer(value):
        out += value[at : found.start()].encode("utf-8", "surrogateescape")
        at = found.end()
        slashes, byte, short, long, octal, single = found.groups()
        if slashes:
            out += b"\\" * (len(slashes) // 2)
        elif byte or octal:
            out.append(int(byte, 16) if byte else int(octal, 8) & 255)
        elif short or long:
            code = int(short or long, 16)
            out += chr(code).encode("utf-8", "replace") if code < 0x110000 else b"?"
        else:
            out += _NAMED.get(single, single).encode("utf-8", "surrogateescape")
    out += value[at:].encode("utf-8", "surrogateescape")
    return out.decode("utf-8", "replace")


def traefik_layout() -> Layout:
    """Client, user, start, request, status, size, referrer, agent, count, router, server, milliseconds."""
    return Layout(
        (
            Field("client"),
            " - ",
            Field("login"),
            " [",
            Field("time_clf", "words", spaces=1),
            '] "',
            Field("request", "quoted"),
            '" ',
            Field("status"),
            " ",
            Field("response_bytes"),
            ' "',
            Field("req.referer", "quoted"),
            '" "',
            Field("user_agent", "quoted"),
            '" ',
            Field(""),
            ' "',
            Field("service_name", "quoted"),
            '" "',
            Field("upstream", "quoted"),
            '" ',
            Field("duration_ms"),
            "ms",
        ),
        unescape_go,
        stamp="start",
        refine=_refined,
    )


def _refined(fields: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The upstream as the other proxies write it: without a scheme."""
    fields["upstream"] = by_distinct(fields["upstream"], _address, pa.string())
    return fields


def _address(url: str) -> str:
    return url.partition("://")[2] or url


class TraefikText:
    """Traefik's default access log: the common log format with router, server and duration."""

    name = "traefik-common"
    title = "Traefik access log (common)"
    reference = "Traefik documentation, Access Logs"

    def fit(self, sample: bytes) -> Fit | None:
        return layout_fit(traefik_layout(), sample, "Traefik's common log format")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return TextParser(traefik_layout())
