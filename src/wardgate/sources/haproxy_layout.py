"""HAProxy `log-format` strings as layouts.

Reference: HAProxy Configuration Manual, "8.2.6 Custom log format". Runs of spaces are one space there, and
`%hr`, `%hs` are nothing at all where a frontend captures no header: such a format is several layouts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from wardgate.core.errors import WardgateError
from wardgate.sources.haproxy_fields import CLIENT, Captures, refined
from wardgate.sources.header_fields import request_field, response_field
from wardgate.sources.layout import Field, Layout, Piece, unescape_c, unescape_json

HTTP = (
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq "
    "%hr %hs %{+Q}r"
)
HTTPS = HTTP + (
    " %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc"
)
CLF = (
    '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc '
    "%ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl"
)
"""`option httplog`, `option httpslog` and `option httplog clf`, as the manual spells them out."""

_SERVER = "server_pair"
_PAIRS = {"%ci:%cp": f"%{CLIENT}", "%si:%sp": f"%{_SERVER}", "%bi:%bp": "%bi", "%fi:%fp": "%fi"}
_VARIABLES: dict[str, str] = {
    CLIENT: CLIENT,
    _SERVER: "upstream",
    "ci": "client",
    "cp": "client_port",
    "r": "request",
    "HM": "method",
    "HU": "target",
    "HPO": "target",
    "HP": "target",
    "HQ": "query",
    "HV": "http_version",
    "ST": "status",
    "B": "response_bytes",
    "U": "request_bytes",
    "Ta": "duration_ms",
    "Tt": "duration_ms",
    "Tr": "upstream_duration_ms",
    "tr": "time_clf",
    "trg": "time_clf",
    "trl": "time_clf",
    "t": "time_clf",
    "T": "time_clf",
    "Tl": "time_clf",
    "Ts": "time_epoch",
    "ID": "request_id",
    "ft": "frontend",
    "f": "frontend",
    "b": "backend",
    "s": "server",
    "sslv": "tls_version",
    "sslc": "tls_cipher",
}
_SAMPLES = {
    "src": "client",
    "src_port": "client_port",
    "method": "method",
    "path": "target",
    "pathq": "target",
    "url": "target",
    "query": "query",
    "status": "status",
    "unique-id": "request_id",
    "ssl_fc_sni": "tls_sni",
    "ssl_fc_protocol": "tls_version",
    "ssl_fc_cipher": "tls_cipher",
    "ssl_c_s_dn": "client_certificate",
}
_STRINGS = {"r", "HM", "HU", "HPO", "HP", "HQ", "HV", "ft", "f", "b", "s", "ts", "tsc", "CC", "CS", "ID"}
_STRINGS |= {"ci", "fi", "bi", "si", "sslv", "sslc", "hr", "hs", "H"}  # what %{+Q} puts into quotes
_TOKEN = re.compile(r"%%|%(?:\{([^}]*)\})?(?:\[((?:[^\[\]]|\[[^\]]*\])*)\]|([A-Za-z_]+))")
_ZONED = {"trg", "trl", "T", "Tl"}
_HEADER = re.compile(r"(req|res|capture\.req|capture\.res)\.f?hdr\(([^),]+)\)|hdr\(([^),]+)\)")


@dataclass(slots=True)
class _Translation:
    """One `log-format` on its way to a layout."""

    captures: Mapping[str, Captures]
    blocks: tuple[str, ...]  # which of %hr and %hs this variant's lines hold
    slots: Captures  # what capture.req.hdr(N) refers to
    pieces: list[Piece] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    quoted: bool = False

    def literal(self, text: str) -> None:
        last = self.pieces[-1] if self.pieces else None
        if isinstance(last, str) and last != "}":  # a captured value ends at the first brace
            self.pieces.pop()
            text = last + text
        text = re.sub(" +", " ", text)  # as HAProxy does
        text = text if self.pieces else text.lstrip(" ")
        if text:
            self.pieces.append(text)

    def variable(self, name: str, sample: str | None, quote: bool, following: str) -> None:
        if name in ("hr", "hs"):
            if name in self.blocks:
                self.literal("{")
                self.pieces.append(Field(f"captured_{name}" if self.captures else "", "words"))
                self.pieces.append("}")
            return
        if name in ("hrl", "hsl"):
            columns = [request_field(one) for one in self.slots.request]
            if name == "hsl":
                columns = [response_field(one) for one in self.slots.response]
            for column in columns:
                self.literal('"')
                self.pieces.append(Field(self._once(column), "quoted"))
                self.literal('" ')
            return
        kept = _VARIABLES.get(name, "") if sample is None else _sample_field(sample, self.slots)
        kept = self._once(kept)
        if quote:
            self.literal('"')
        inside = quote or (following.startswith('"') and self._in_quotes())
        if inside:
            self.pieces.append(Field(kept, "quoted"))
        elif name in _ZONED:
            self.pieces.append(Field(kept, "words", spaces=1))
        elif name == "r":
            self.pieces.append(Field(kept, "words", spaces=2) if following else Field(kept, "rest"))
        else:
            self.pieces.append(Field(kept, "word"))
        if quote:
            self.literal('"')

    def _once(self, column: str) -> str:
        """The field, unless an earlier variable fills it already."""
        column = "" if column in self.used else column
        self.used.add(column)
        return column

    def _in_quotes(self) -> bool:
        return sum(piece.count('"') for piece in self.pieces if isinstance(piece, str)) % 2 == 1


def haproxy_layouts(text: str, captures: Mapping[str, Captures] | None = None) -> list[Layout]:
    """The layouts of one `log-format`: one for each way in which the captured blocks may be there.

    `captures` says by frontend which headers the blocks hold. Raises `layout-empty`.
    """
    captures = captures or {}
    text = text.strip()
    for pair, single in _PAIRS.items():
        text = text.replace(pair, single)
    variants: list[tuple[str, ...]] = [()]
    if re.search("%h[rs](?![a-z])", text):
        variants = [("hr", "hs"), ("hr",), ()]
    return [_layout(text, captures, blocks) for blocks in variants]


def _layout(text: str, captures: Mapping[str, Captures], blocks: tuple[str, ...]) -> Layout:
    slots = next(iter(captures.values())) if len(captures) == 1 else Captures()
    translation = _Translation(captures, blocks, slots)
    flags: set[str] = set()
    every = False
    at = 0
    for found in _TOKEN.finditer(text):
        translation.literal(text[at : found.start()])
        at = found.end()
        if found[0] == "%%":
            translation.literal("%")
            continue
        own = set((found[1] or "").replace(",", " ").split())
        flags |= own
        if found[3] == "o":
            every = (every or "+Q" in own) and "-Q" not in own
            continue
        quote = ("+Q" in own or every) and "-Q" not in own and (found[3] is None or found[3] in _STRINGS)
        translation.variable(found[3] or "", found[2], quote, text[at:])
    translation.literal(text[at:])
    pieces = _trimmed(translation.pieces)
    if not {"request", "target"} & translation.used:
        raise WardgateError("layout-empty", "the log-format holds no request such as %r or %HU.")
    unescape = unescape_c if "+E" in flags else unescape_json if "json(" in text else None
    precise = re.search(r"%(\{[^}]*\})?tr?(?![a-zA-Z])", text) is not None

    def refine(fields: dict[str, pa.Array]) -> dict[str, pa.Array]:
        return refined(fields, captures)

    return Layout(
        tuple(pieces), unescape, stamp="start", precision_us=1000 if precise else 1_000_000, refine=refine
    )


def _sample_field(sample: str, slots: Captures) -> str:
    """The field of `%[…]`: a sample fetch, perhaps with converters."""
    found = _HEADER.match(sample)
    if found is None:
        return _SAMPLES.get(sample.partition(",")[0].strip(), "")
    kind, name, plain_name = found.groups()
    if plain_name:
        return request_field(plain_name)
    if kind in ("req", "res"):
        return request_field(name) if kind == "req" else response_field(name)
    names = slots.request if kind == "capture.req" else slots.response
    if not name.isdecimal() or int(name) >= len(names):
        return ""
    return request_field(names[int(name)]) if kind == "capture.req" else response_field(names[int(name)])


def _trimmed(pieces: list[Piece]) -> list[Piece]:
    """Without the space that stood before an empty last variable."""
    if pieces and isinstance(pieces[-1], str):
        last = pieces[-1].rstrip()
        return [*pieces[:-1], last] if last else pieces[:-1]
    return pieces
