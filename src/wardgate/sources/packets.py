"""From tshark's frames to calls: requests and responses found together again, per connection.

HTTP/1 answers in order, so a connection's responses belong to its requests in turn (tshark's own
`http.request_in` is wrong for pipelined requests); HTTP/2 says which stream. A call comes out when its
response is whole; what was never answered comes out when room is needed, or at the end.
Reference: Wireshark's display filter reference, protocols http, http2, tls; RFC 9112 (9.3), RFC 9113 (8.1).
"""

import re
from collections import deque
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from wardgate.core.observed import Reason
from wardgate.sources.access import is_target
from wardgate.sources.content_coding import MOST, decoded
from wardgate.sources.exchanges import Exchange, Headers
from wardgate.sources.stamps import stamp_us

MAX_OPEN = 20_000
"""Calls waiting for their response, at most."""
MAX_WAITING = 128 << 20
"""Bytes of bodies of calls waiting for their response, at most."""

Text = str | list[str | None] | None
"""A field that a frame may hold several times."""


class Frame(msgspec.Struct, gc=False):
    time: Text = msgspec.field(default=None, name="frame_frame_time_epoch")
    protocols: Text = msgspec.field(default=None, name="frame_frame_protocols")


class Ip(msgspec.Struct, gc=False):
    source: Text = msgspec.field(default=None, name="ip_ip_src")
    target: Text = msgspec.field(default=None, name="ip_ip_dst")


class Ipv6(msgspec.Struct, gc=False):
    source: Text = msgspec.field(default=None, name="ipv6_ipv6_src")
    target: Text = msgspec.field(default=None, name="ipv6_ipv6_dst")


class Tcp(msgspec.Struct, gc=False):
    stream: Text = msgspec.field(default=None, name="tcp_tcp_stream")
    source: Text = msgspec.field(default=None, name="tcp_tcp_srcport")
    target: Text = msgspec.field(default=None, name="tcp_tcp_dstport")


class Http(msgspec.Struct, gc=False):
    method: Text = msgspec.field(default=None, name="http_http_request_method")
    uri: Text = msgspec.field(default=None, name="http_http_request_uri")
    request_version: Text = msgspec.field(default=None, name="http_http_request_version")
    request_lines: Text = msgspec.field(default=None, name="http_http_request_line")
    code: Text = msgspec.field(default=None, name="http_http_response_code")
    response_lines: Text = msgspec.field(default=None, name="http_http_response_line")
    length: Text = msgspec.field(default=None, name="http_http_content_length")
    body: Text = msgspec.field(default=None, name="http_http_file_data")


class Http2(msgspec.Struct, gc=False):
    kind: Text = msgspec.field(default=None, name="http2_http2_type")
    stream: Text = msgspec.field(default=None, name="http2_http2_streamid")
    ends: bool | list[bool] | None = msgspec.field(default=None, name="http2_http2_flags_end_stream")
    names: Text = msgspec.field(default=None, name="http2_http2_header_name")
    values: Text = msgspec.field(default=None, name="http2_http2_header_value")
    data: Text = msgspec.field(default=None, name="http2_http2_data_data")
    whole: Text = msgspec.field(default=None, name="http2_http2_body_reassembled_data")


class Tls(msgspec.Struct, gc=False):
    hello: Text = msgspec.field(default=None, name="tls_tls_handshake_type")
    server: Text = msgspec.field(default=None, name="tls_tls_handshake_extensions_server_name")


class Layers(msgspec.Struct, gc=False):
    frame: Frame
    tcp: Tcp | list[Tcp] | None = None
    ip: Ip | list[Ip] | None = None
    ipv6: Ipv6 | list[Ipv6] | None = None
    http: Http | list[Http] | None = None
    http2: Http2 | list[Http2] | None = None
    tls: Tls | list[Tls] | None = None


class Packet(msgspec.Struct, gc=False):
    """One line of `tshark -T ek`."""

    layers: Layers


class Call(msgspec.Struct, gc=False):
    """A call that is being put together."""

    connection: int
    client: tuple[str | None, int | None]
    server: tuple[str | None, int | None]
    secure: bool
    started: tuple[int, int] | None
    sni: str | None = None
    version: str | None = None
    method: str | None = None
    target: str | None = None
    authority: str | None = None
    status: int | None = None
    ended: int | None = None
    asked: list[tuple[str, str]] = msgspec.field(default_factory=list)
    answered: list[tuple[str, str]] = msgspec.field(default_factory=list)
    sent: bytes = b""
    received: bytes = b""
    sent_bytes: int | None = None
    received_bytes: int | None = None

    @property
    def weight(self) -> int:
        return len(self.sent) + len(self.received)


class Conversations:
    """Puts calls together, frame by frame."""

    def __init__(self, *, max_open: int = MAX_OPEN, max_waiting: int = MAX_WAITING) -> None:
        self._max_open = max_open
        self._max_waiting = max_waiting
        self._open: dict[tuple[int, int], Call] = {}
        """By connection and HTTP/2 stream; HTTP/1 requests are numbered below zero. Oldest first."""
        self._turns: dict[int, deque[int]] = {}
        """By connection, the HTTP/1 requests that wait for their response, in order."""
        self._requests = 0
        self._waiting = 0
        self._greeted: dict[int, str | None] = {}
        """TLS connections that showed no call yet, with the server name they asked for."""

    def frame(self, packet: Packet) -> Iterator[Call | str]:
        """Calls that this frame completes; or the rule that passes over a response without its request."""
        layers = packet.layers
        tcp = _last(layers.tcp)
        if tcp is None:
            return
        connection = _integer(tcp.stream)
        if connection is None:
            return
        for hello in _each(layers.tls):
            if "1" in _texts(hello.hello):
                self._greeted[connection] = _first(hello.server)
        ip: Ip | Ipv6 | None = _last(layers.ipv6) or _last(layers.ip)
        source = (_first(ip.source) if ip else None, _integer(tcp.source))
        target = (_first(ip.target) if ip else None, _integer(tcp.target))
        time = _first(layers.frame.time)
        at = stamp_us(time) if time else None
        secure = ":tls:" in (_first(layers.frame.protocols) or "")
        blank = Call(connection, source, target, secure, at, sni=self._greeted.get(connection))
        for http in _each(layers.http):
            if http.method is not None or http.code is not None:
                self._greeted.pop(connection, None)
            if http.method is not None:
                self._asked(msgspec.structs.replace(blank), http)
            elif http.code is not None:
                yield from self._answered(connection, http, at)
        for part in _each(layers.http2):
            self._greeted.pop(connection, None)
            yield from self._part(blank, part, at)
        while len(self._open) > self._max_open or self._waiting > self._max_waiting:
            yield self._close(next(iter(self._open)))

    def rest(self) -> Iterator[Call | str]:
        """At the end: the calls that were not answered, and TLS connections that could not be looked into."""
        while self._open:
            yield self._close(next(iter(self._open)))
        for _ in self._greeted:
            yield "encrypted"

    def _asked(self, call: Call, http: Http) -> None:
        call.version = _first(http.request_version)
        call.method, call.target = _first(http.method), _first(http.uri)
        call.asked = _lines(http.request_lines)
        call.sent = _file(http)
        call.sent_bytes = _integer(http.length) if http.length else len(call.sent)
        self._requests += 1
        self._open[call.connection, -self._requests] = call
        self._turns.setdefault(call.connection, deque(maxlen=_TURNS)).append(-self._requests)
        self._waiting += call.weight

    def _answered(self, connection: int, http: Http, at: tuple[int, int] | None) -> Iterator[Call | str]:
        status = _integer(http.code)
        if status is not None and 100 <= status < 200 and status != 101:
            return
        turns = self._turns.get(connection)
        if not turns:
            yield "no-request"
            return
        key = (connection, turns.popleft())
        if not turns:
            del self._turns[connection]
        call = self._open.get(key)
        if call is None:  # came out already, to make room
            return
        self._waiting -= call.weight
        call.status, call.ended = status, at[0] if at else None
        call.answered = _lines(http.response_lines)
        call.received = _file(http)
        call.received_bytes = _integer(http.length) if http.length else len(call.received)
        self._waiting += call.weight
        yield self._close(key)

    def _part(self, blank: Call, part: Http2, at: tuple[int, int] | None) -> Iterator[Call | str]:
        """One HTTP/2 frame."""
        stream = _integer(part.stream)
        if not stream or _first(part.kind) == _PUSH_PROMISE:
            return
        key = (blank.connection, stream)
        if part.names is not None:
            yield from self._headers(key, blank, part)
        call = self._open.get(key)
        if call is None:
            return
        if part.data is not None or part.whole is not None:
            self._data(call, part, blank.client == call.client)
        if _first(part.kind) == _RESET or (_is_set(part.ends) and blank.client != call.client):
            call.ended = at[0] if at else None
            yield self._close(key)

    def _headers(self, key: tuple[int, int], blank: Call, part: Http2) -> Iterator[Call | str]:
        """A request, a response, an interim response, or trailers."""
        headers = list(zip(_texts(part.names), _texts(part.values), strict=False))
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        plain = [(name, value) for name, value in headers if not name.startswith(":")]
        call = self._open.get(key)
        if ":method" in pseudo:
            if call is not None:
                yield self._close(key)
            call = self._open[key] = msgspec.structs.replace(blank, version="HTTP/2.0", asked=plain)
            call.method, call.authority = pseudo[":method"], pseudo.get(":authority")
            call.target = pseudo.get(":path") or call.authority
            call.sent_bytes = call.received_bytes = 0
        elif call is None:
            if ":status" in pseudo:
                yield "no-request"
        elif ":status" in pseudo:
            status = _integer(pseudo[":status"])
            if status is None or not 100 <= status < 200:
                call.status, call.answered = status, plain
        elif blank.client == call.client:
            call.asked += plain
        else:
            call.answered += plain

    def _data(self, call: Call, part: Http2, asks: bool) -> None:
        """A body's bytes. The last frame has all of it, and as data without the coding where tshark could."""
        piece, whole = _hex(part.data), _hex(part.whole)
        before = call.weight
        if asks:
            call.sent_bytes = len(whole) if whole else (call.sent_bytes or 0) + len(piece)
            call.sent = piece if whole else (call.sent + piece)[:MOST]
        else:
            call.received_bytes = len(whole) if whole else (call.received_bytes or 0) + len(piece)
            call.received = piece if whole else (call.received + piece)[:MOST]
        self._waiting += call.weight - before

    def _close(self, key: tuple[int, int]) -> Call:
        call = self._open.pop(key)
        self._waiting -= call.weight
        return call


def exchange(position: int, call: Call) -> Exchange | Reason:
    """The call in observed terms, or why it cannot be one."""
    if not call.method or not call.target:
        return Reason.MISSING_FIELD
    if not is_target(call.target, call.method):
        return Reason.BAD_REQUEST
    named = call.authority or _header(call.asked, "host")
    address, port = call.server
    websocket = call.status == 101 and (_header(call.answered, "upgrade") or "").lower() == "websocket"
    return Exchange(
        position=position,
        method=call.method,
        target=call.target,
        started_at=call.started[0] if call.started else None,
        precision_us=call.started[1] if call.started else None,
        duration_us=call.ended - call.started[0] if call.started and call.ended else None,
        scheme="https" if call.secure else "http",
        host=call.authority or (None if named else address),
        port=None if named else port,
        http_version=call.version,
        status=call.status,
        request_bytes=call.sent_bytes,
        response_bytes=call.received_bytes if call.status is not None else None,
        client=call.client[0],
        client_port=call.client[1],
        upstream=_joined(address, port),
        tls_sni=call.sni,
        protocol="websocket" if websocket else None,
        request_headers=_unzipped(call.asked),
        response_headers=_unzipped(call.answered) if call.status is not None else None,
        request_body=_body(call.sent, call.asked),
        response_body=_body(call.received, call.answered),
    )


_PUSH_PROMISE, _RESET = "5", "3"  # RFC 9113, section 6
_TURNS = 10_000
_HEX = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2})*\Z")
_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
Layer = TypeVar("Layer")


def _each(layer: Layer | list[Layer] | None) -> list[Layer]:
    if layer is None:
        return []
    return layer if isinstance(layer, list) else [layer]


def _last(layer: Layer | list[Layer] | None) -> Layer | None:
    """The innermost, where packets are tunnelled in packets."""
    each = _each(layer)
    return each[-1] if each else None


def _texts(value: Text) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [one or "" for one in value]


def _first(value: Text) -> str | None:
    texts = _texts(value)
    return texts[0] if texts else None


def _integer(value: Text) -> int | None:
    text = _first(value) or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _is_set(flag: bool | list[bool] | None) -> bool:
    return any(flag) if isinstance(flag, list) else bool(flag)


def _lines(value: Text) -> list[tuple[str, str]]:
    """`Name: value` lines as pairs."""
    pairs = (line.partition(":") for line in _texts(value))
    return [(name.strip(), value.strip()) for name, colon, value in pairs if colon]


def _hex(value: Text) -> bytes:
    joined = "".join(_texts(value)).replace(":", "")
    try:
        return bytes.fromhex(joined)
    except ValueError:
        return b""


def _file(http: Http) -> bytes:
    """A body of HTTP/1, without chunks and coding: text in tshark 4.0, octets in later ones."""
    text = _first(http.body)
    if not text:
        return b""
    if _HEX.match(text) and _first(http.length) != str(len(text)):
        return _hex(text)
    return text.encode("utf-8", "replace")[:MOST]


def _body(raw: bytes, headers: list[tuple[str, str]]) -> bytes | None:
    """Without its content coding, where tshark did not undo it."""
    coding = (_header(headers, "content-encoding") or "").strip().lower()
    magic = _MAGIC.get(coding)
    return (decoded(raw, coding) if magic and raw.startswith(magic) else raw) or None


def _header(headers: list[tuple[str, str]], wanted: str) -> str | None:
    return next((value for name, value in headers if name.lower() == wanted), None)


def _unzipped(headers: list[tuple[str, str]]) -> Headers:
    return [name for name, _ in headers], [value for _, value in headers]


def _joined(address: str | None, port: int | None) -> str | None:
    if not address or not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
