"""mitmproxy's flow files (`mitmdump -w`), read without mitmproxy: its pins would bind half of ours.

A file is a row of typed netstrings, one dictionary a flow. Position is the flow's index; a file that grew is
read on behind its last whole flow. Flow format versions 10 (mitmproxy 6) to 21 (mitmproxy 11) are known by
`mitmproxy.io.compat`, which lists what each changed; of newer ones, what has kept its name is read. TCP, UDP
and DNS flows are passed over.
"""

import hashlib
import ssl
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from wardgate.core.observed import Parsed, Reason
from wardgate.sources.access import is_target
from wardgate.sources.content_coding import decoded
from wardgate.sources.exchanges import Exchange, Headers, http_version
from wardgate.sources.files import skip_to, tail_digest
from wardgate.sources.format import Fit, Options
from wardgate.sources.headers import header_text
from wardgate.sources.reader import TAIL, BrokenCompression, read_some
from wardgate.sources.records import Place, Record, Understood, record_parts
from wardgate.sources.tnetstrings import DIGITS, Dictionary, MalformedError

MAX_FLOW = 64 << 20
"""Longest flow taken, in bytes; longer ones are read past."""
_PIECE = 1 << 20
_KEPT = 4096
_YEAR_10000 = 253_402_300_800
_NOTHING = Dictionary(b"", 0, 0)


class Mitmproxy:
    """Flow files of mitmproxy, mitmdump and mitmweb."""

    name = "mitmproxy"
    title = "mitmproxy flow file"
    reference = "mitmproxy documentation, flow files; mitmproxy.io.tnetstring and mitmproxy.io.compat"
    vantage = "client"
    is_appended = True

    def __init__(self, *, max_flow: int = MAX_FLOW) -> None:
        self._max_flow = max_flow

    def fit(self, sample: bytes) -> Fit | None:
        colon = sample.find(b":", 0, DIGITS + 1)
        if colon < 1 or not sample[:colon].isdigit():
            return None
        seen = [name for name in ("version", "type", "client_conn") if _key(name) in sample]
        if not seen:
            return None
        return Fit(
            0.7 + 0.1 * len(seen), f"typed netstrings with {', '.join(seen)}, as mitmproxy's flows have"
        )

    def read(self, stream: BinaryIO, options: Options) -> Iterator[Parsed]:
        return (parsed for parsed, _ in record_parts(self, self.records(stream), options))

    def records(self, stream: BinaryIO) -> Iterator[Record]:
        return _flows(_Source(stream), self._max_flow)

    def resumed(self, stream: BinaryIO, left: Place) -> Iterator[Record] | None:
        try:
            before = skip_to(stream, left.offset)
        except BrokenCompression:
            return None
        if before is None or (left.whole and tail_digest(before) != left.proof):
            return None
        return _flows(_Source(stream, left.offset, before), self._max_flow)

    def proof(self, record: Record) -> int:
        return tail_digest(record.tail)

    def understood(self, options: Options) -> Understood:
        return _understood


def _understood(position: int, raw: bytes | msgspec.Raw) -> Exchange | Reason | str:
    try:
        return _exchange(position, Dictionary.whole(bytes(raw)))
    except MalformedError:
        return Reason.BAD_VALUE


def _key(name: str) -> bytes:
    return f"{len(name)}:{name};".encode()


class _Source:
    """A stream that can be looked ahead into. Holds no more than is asked for."""

    def __init__(self, stream: BinaryIO, offset: int = 0, tail: bytes = b"") -> None:
        """`stream` from `offset` on; `tail` are the last bytes before."""
        self._stream = stream
        self._ahead = bytearray()
        self.offset = offset
        """How many bytes were taken or passed."""
        self.tail = tail
        """The last of them, at most `TAIL`."""

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end; a compressed stream that breaks is at its end."""
        while len(self._ahead) < size:
            try:
                piece = read_some(self._stream, _PIECE)
            except BrokenCompression:
                break
            if not piece:
                break
            self._ahead += piece
        return bytes(memoryview(self._ahead)[:size])

    def take(self, size: int) -> bytes:
        taken = self.peek(size)
        del self._ahead[: len(taken)]
        self.offset += len(taken)
        self.tail = taken[-TAIL:] if len(taken) >= TAIL else (self.tail + taken)[-TAIL:]
        return taken

    def skip(self, size: int) -> bool:
        """Past the next bytes; False where there are not as many."""
        while size:
            passed = len(self.take(min(size, _PIECE)))
            if not passed:
                return False
            size -= passed
        return True


def _flows(source: _Source, most: int) -> Iterator[Record]:
    """Each flow; with a reason where it is too long or not whole. Garbage ends the file."""
    while head := source.peek(DIGITS + 1):
        digits, colon, _ = head.partition(b":")
        if not colon or not digits.isdigit():
            breaks_off = digits.isdigit() and len(digits) <= DIGITS
            yield Record(source.peek(_KEPT), Reason.TRUNCATED if breaks_off else Reason.NOT_FORMAT)
            return
        size = len(digits) + 1 + int(digits) + 1
        if size > most:
            kept = source.peek(_KEPT)
            whole, broken = source.skip(size), Reason.TOO_LONG
        else:
            kept = source.take(size)
            whole, broken = len(kept) == size, None
        if not whole:
            yield Record(kept, Reason.TRUNCATED)
            return
        yield Record(kept, broken, source.offset, source.tail)


def _exchange(position: int, flow: Dictionary) -> Exchange | Reason | str:
    """The call; or the reason why it cannot be one, or the rule that passes over it.

    Raises `MalformedError`.
    """
    kind = _text(flow, "type")
    if kind != "http":
        return "not-http" if kind else Reason.MISSING_FIELD
    request, response = _inside(flow, "request"), _inside(flow, "response")
    method, authority = _text(request, "method"), _text(request, "authority")
    target = _text(request, "path") or (authority if method == "CONNECT" else None)
    if not method or not target:
        return Reason.MISSING_FIELD
    if not is_target(target, method):
        return Reason.BAD_REQUEST
    asked, answered = _headers(request), _headers(response)
    # `host` is where the proxy connected to; what the client asked for stands in the message itself.
    named = authority or _header(asked, "host")
    client, server = _inside(flow, "client_conn"), _inside(flow, "server_conn")
    address, client_port = _address(client, "peername", "address")
    upstream, upstream_port = _address(server, "peername", "ip_address", "address")
    start, end = _seconds(request, "timestamp_start"), _seconds(response, "timestamp_end")
    sent, received = _bytes(request, "content"), _bytes(response, "content")
    return Exchange(
        position=position,
        method=method,
        target=target,
        started_at=start,
        precision_us=1 if start is not None else None,
        duration_us=end - start if start is not None and end is not None else None,
        scheme=_text(request, "scheme"),
        host=named or _text(request, "host"),
        port=None if named else _integer(request, "port"),
        http_version=http_version(_text(request, "http_version")),
        status=_integer(response, "status_code"),
        request_bytes=len(sent) if sent is not None else None,
        response_bytes=len(received) if received is not None else None,
        client=address,
        client_port=client_port,
        upstream=f"{upstream}:{upstream_port}" if upstream and upstream_port else upstream,
        tls_version=_text(client, "tls_version"),
        tls_cipher=_text(client, "cipher") or _text(client, "cipher_name"),
        tls_sni=_text(client, "sni"),
        client_certificate=_certificate(client),
        protocol="websocket" if _is_websocket(flow) else None,
        request_headers=asked,
        response_headers=answered,
        request_body=_body(sent, asked),
        response_body=_body(received, answered),
    )


def _is_websocket(flow: Dictionary) -> bool:
    return flow.inside("websocket") is not None or "websocket" in _inside(flow, "metadata")


def _inside(parent: Dictionary, name: str) -> Dictionary:
    return parent.inside(name) or _NOTHING


def _bytes(parent: Dictionary, name: str) -> bytes | None:
    value = parent.value(name)
    if value is not None and not isinstance(value, bytes):
        raise MalformedError
    return value


def _text(parent: Dictionary, name: str) -> str | None:
    """Text or bytes as text; "" is absent."""
    value = parent.value(name)
    if isinstance(value, bytes):
        value = header_text(value)
    if value is not None and not isinstance(value, str):
        raise MalformedError
    return value or None


def _number(parent: Dictionary, name: str) -> float | int | None:
    value = parent.value(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise MalformedError
    return value


def _integer(parent: Dictionary, name: str) -> int | None:
    value = _number(parent, name)
    return int(value) if value is not None and abs(value) < 1 << 53 else None


def _seconds(parent: Dictionary, name: str) -> int | None:
    """Seconds since 1970 as µs."""
    value = _number(parent, name)
    return round(value * 1_000_000) if value is not None and 0 < value < _YEAR_10000 else None


def _address(connection: Dictionary, *names: str) -> tuple[str | None, int | None]:
    """Host and port under the first of the names that has any (versions call it differently)."""
    for name in names:
        value = connection.value(name)
        if isinstance(value, list) and len(value) >= 2:
            host, port = value[0], value[1]
            if isinstance(host, bytes):
                host = header_text(host)
            if isinstance(host, str) and isinstance(port, int):
                return host or None, port if 0 < port < 65536 else None
    return None, None


def _headers(message: Dictionary) -> Headers | None:
    pairs = message.value("headers")
    if pairs is None:
        return None
    names, values = [], []
    for pair in pairs if isinstance(pairs, list) else [None]:
        match pair:
            case [bytes(name), bytes(value)]:
                names.append(header_text(name))
                values.append(header_text(value))
            case _:
                raise MalformedError
    return names, values


def _header(headers: Headers | None, wanted: str) -> str | None:
    names, values = headers or ((), ())
    return next((value for name, value in zip(names, values, strict=True) if name.lower() == wanted), None)


def _body(content: bytes | None, headers: Headers | None) -> bytes | None:
    return decoded(content, _header(headers, "content-encoding")) or None if content else None


def _certificate(client: Dictionary) -> str | None:
    """SHA-256 of the certificate that the client showed."""
    shown = client.value("certificate_list")
    if not isinstance(shown, list) or not shown or not isinstance(shown[0], bytes):
        return None
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown[0].decode("ascii"))).hexdigest()
    except ValueError:
        return None
