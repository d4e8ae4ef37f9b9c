"""HAR 1.2 (HTTP Archive): what browsers, proxies and API clients export, with headers and bodies.

Position is the entry's index. An entry of wrong types is kept aside by itself; a document that breaks off
yields its whole entries first. Up to `WHOLE` bytes are held at once, larger documents are read as a stream.
Reference: "HAR 1.2 Spec", Jan Odvarko; `_`-prefixed fields as Chrome DevTools and Playwright write them.
"""

import binascii
from collections.abc import Iterator
from datetime import tzinfo
from hashlib import blake2b
from itertools import chain, islice
from typing import BinaryIO
from urllib.parse import urlencode

import msgspec

from wardgate.core.observed import Parsed, Reason
from wardgate.sources.access import is_target
from wardgate.sources.array_items import ArrayItems
from wardgate.sources.content_coding import decoded
from wardgate.sources.exchanges import Exchange, Headers, http_version
from wardgate.sources.format import Fit, Options
from wardgate.sources.reader import BrokenCompression, read_some
from wardgate.sources.records import Place, Record, Understood, record_parts
from wardgate.sources.stamps import stamp_us
from wardgate.sources.times import zone

WHOLE = 64 << 20
"""Largest document held at once, in bytes."""
MAX_ENTRY = 64 << 20
"""Longest entry taken from a larger one, in bytes."""
_PIECE = 1 << 20
_KEPT = 4096
_PATH = ("log", "entries")
_BROWSERS_OWN = frozenset({"data", "blob", "about", "javascript", "filesystem"})


class Header(msgspec.Struct, gc=False):
    """A header, a cookie or a parameter."""

    name: str = ""
    value: str | None = None


class PostData(msgspec.Struct, rename="camel", gc=False):
    """A request's body: as text, or as the parameters of a form."""

    mime_type: str | None = None
    text: str | None = None
    params: list[Header] | None = None
    encoding: str | None = None


class Request(msgspec.Struct, rename="camel", gc=False):
    method: str | None = None
    url: str | None = None
    http_version: str | None = None
    headers: list[Header] | None = None
    cookies: list[Header] | None = None
    post_data: PostData | None = None
    body_size: float | None = None


class Content(msgspec.Struct, rename="camel", gc=False):
    """A response's body, decompressed."""

    size: float | None = None
    mime_type: str | None = None
    text: str | None = None
    encoding: str | None = None


class Response(msgspec.Struct, rename="camel", gc=False):
    status: float | None = None
    http_version: str | None = None
    headers: list[Header] | None = None
    cookies: list[Header] | None = None
    content: Content | None = None
    body_size: float | None = None


class Timings(msgspec.Struct, gc=False):
    """Milliseconds; -1 or absent where a phase did not happen. `ssl` is part of `connect`."""

    blocked: float | None = None
    dns: float | None = None
    connect: float | None = None
    send: float | None = None
    wait: float | None = None
    receive: float | None = None


class Entry(msgspec.Struct, gc=False):
    request: Request
    response: Response | None = None
    started: str | None = msgspec.field(default=None, name="startedDateTime")
    time: float | None = None
    timings: Timings | None = None
    server: str | None = msgspec.field(default=None, name="serverIPAddress")
    messages: list[msgspec.Raw] | None = msgspec.field(default=None, name="_webSocketMessages")


class Log(msgspec.Struct, gc=False):
    entries: list[msgspec.Raw]


class Document(msgspec.Struct, gc=False):
    log: Log


class Har:
    """HTTP Archive (HAR) files, as browsers' developer tools, proxies and API clients export them."""

    name = "har"
    title = "HTTP Archive (HAR) 1.2"
    reference = "HAR 1.2 Spec (Jan Odvarko)"
    vantage = "client"
    is_appended = False

    def __init__(self, *, whole: int = WHOLE, max_entry: int = MAX_ENTRY) -> None:
        self._whole = whole
        self._max_entry = max_entry

    def fit(self, sample: bytes) -> Fit | None:
        head = sample.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not head.startswith(b"{") or b'"log"' not in head[:_KEPT]:
            return None
        marks = [b'"entries"', b'"startedDateTime"', b'"creator"', b'"version"']
        seen = [mark.decode().strip('"') for mark in marks if mark in head]
        if not seen:
            return None
        return Fit(0.6 + 0.1 * len(seen), f"a JSON object with log, {', '.join(seen)}, as HAR has them")

    def read(self, stream: BinaryIO, options: Options) -> Iterator[Parsed]:
        return (parsed for parsed, _ in record_parts(self, self.records(stream), options))

    def records(self, stream: BinaryIO) -> Iterator[Record]:
        return (Record(raw, broken) for raw, broken in _entries(stream, self._whole, self._max_entry))

    def resumed(self, stream: BinaryIO, left: Place) -> Iterator[Record] | None:
        """Behind the entries that were there: an export made again later begins with them."""
        records = self.records(stream)
        if not left.whole:
            return records
        last = next(islice(records, left.whole - 1, None), None)
        return records if last is not None and last.is_whole and self.proof(last) == left.proof else None

    def proof(self, record: Record) -> int:
        return int.from_bytes(blake2b(bytes(record.raw), digest_size=8).digest(), "big")

    def understood(self, options: Options) -> Understood:
        default_zone = zone(options.timezone)
        decoder = msgspec.json.Decoder(Entry, strict=False)

        def call(position: int, raw: bytes | msgspec.Raw) -> Exchange | Reason | str:
            try:
                return _exchange(position, decoder.decode(raw), default_zone)
            except msgspec.ValidationError:
                return Reason.BAD_VALUE
            except UnicodeDecodeError:
                return Reason.NOT_UTF8
            except (msgspec.MsgspecError, RecursionError):
                return Reason.NOT_JSON

        return call


def _entries(
    stream: BinaryIO, whole: int, max_entry: int
) -> Iterator[tuple[bytes | msgspec.Raw, Reason | None]]:
    """Each entry's bytes; with a reason where it is not whole, or where there is no entry to be found."""
    head = b"".join(_pieces(stream, whole + 1)).removeprefix(b"\xef\xbb\xbf")
    if len(head) <= whole:
        try:
            entries = msgspec.json.decode(head, type=Document).log.entries
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # what is whole in it, the scanner finds
        else:
            yield from ((raw, None) for raw in entries)
            return
    scanner = ArrayItems(_PATH, max_entry)
    cut = (head[at : at + _PIECE] for at in range(0, len(head), _PIECE))
    for piece in chain(cut, _pieces(stream)):
        for item in scanner.feed(piece):
            yield item.raw, Reason.TOO_LONG if item.too_long else None
        if scanner.done:
            return
    if scanner.found or scanner.partial:
        yield scanner.partial[:_KEPT], Reason.TRUNCATED
    elif head.strip():
        reason = Reason.TRUNCATED if scanner.open else Reason.MISSING_FIELD
        yield head[:_KEPT], reason if head.lstrip().startswith(b"{") else Reason.NOT_FORMAT


def _pieces(stream: BinaryIO, most: int | None = None) -> Iterator[bytes]:
    """The stream's bytes, `most` of them at most; a compressed stream that breaks is at its end."""
    while most is None or most > 0:
        try:
            piece = read_some(stream, _PIECE if most is None else min(_PIECE, most))
        except BrokenCompression:
            return
        if not piece:
            return
        if most is not None:
            most -= len(piece)
        yield piece


def _exchange(position: int, entry: Entry, default_zone: tzinfo) -> Exchange | Reason | str:
    """The call; or the reason why it cannot be one, or the rule that passes over it."""
    request, response = entry.request, entry.response or _NO_RESPONSE
    method, url = request.method, request.url
    if not method or not url:
        return Reason.MISSING_FIELD
    if not url.startswith(("https://", "http://")) and _is_other_scheme(url):
        return "not-http"
    if not is_target(url, method):
        return Reason.BAD_REQUEST
    stamp = stamp_us(entry.started, default_zone) if entry.started else None
    if stamp is None and entry.started:
        return Reason.BAD_TIME
    content = response.content or _NO_CONTENT
    websocket = entry.messages or url[:3].lower() in ("ws:", "wss")
    return Exchange(
        position=position,
        method=method,
        target=url,
        started_at=stamp[0] if stamp else None,
        precision_us=stamp[1] if stamp else None,
        duration_us=_duration(entry),
        http_version=http_version(request.http_version) or http_version(response.http_version),
        status=_whole(response.status),
        request_bytes=_whole(request.body_size),
        response_bytes=_size(response.body_size, content.size),
        upstream=entry.server or None,
        protocol="websocket" if websocket else None,
        request_content_type=None if request.headers else _media((request.post_data or _NO_POST).mime_type),
        response_content_type=None if response.headers else _media(content.mime_type),
        request_headers=_headers(request.headers, request.cookies, "cookie"),
        response_headers=_headers(response.headers, response.cookies, "set-cookie"),
        request_body=_posted(request.post_data, _coding(request.headers)),
        response_body=_decoded(content.text, content.encoding, _coding(response.headers)),
    )


def _is_other_scheme(url: str) -> bool:
    """Whether the browser asked itself, not a server: `data:`, `blob:`, an extension's own pages."""
    scheme, colon, rest = url.partition(":")
    lower = scheme.lower()
    if not colon or lower in ("http", "https", "ws", "wss"):
        return False
    return lower in _BROWSERS_OWN or (rest.startswith("//") and lower.replace("-", "").isalnum())


def _duration(entry: Entry) -> int | None:
    """`time`, else the sum of the phases that happened."""
    ms = entry.time
    if (ms is None or ms < 0) and entry.timings is not None:
        phases = [
            value for value in msgspec.structs.astuple(entry.timings) if value is not None and value >= 0
        ]
        ms = sum(phases) if phases else None
    return round(ms * 1000) if ms is not None and 0 <= ms < 9e12 else None


def _headers(pairs: list[Header] | None, cookies: list[Header] | None, cookie_header: str) -> Headers | None:
    """Headers without HTTP/2's pseudo-headers; cookies that stand only in their own list become one each."""
    if pairs is None and not cookies:
        return None
    pairs = pairs or []
    if pairs and pairs[0].name.startswith(":"):
        pairs = [one for one in pairs if not one.name.startswith(":")]
    names = [one.name for one in pairs]
    values = [one.value or "" for one in pairs]
    if cookies and not any(name.lower() == cookie_header for name in names):
        names += [cookie_header] * len(cookies)
        values += [f"{one.name}={one.value or ''}" for one in cookies]
    return names, values


def _media(name: str | None) -> str | None:
    return name if name and name != "x-unknown" else None


def _posted(post: PostData | None, codings: str | None) -> bytes | None:
    if post is None:
        return None
    if post.text:
        return _decoded(post.text, post.encoding, codings)
    if post.params:
        return urlencode([(one.name, one.value or "") for one in post.params]).encode()
    return None


def _decoded(text: str | None, encoding: str | None, codings: str | None) -> bytes | None:
    """A body's bytes. It should stand there decompressed; some tools put it in as it crossed the wire."""
    if not text:
        return None
    if encoding != "base64":
        return text.encode()
    try:
        body = binascii.a2b_base64(text)
    except ValueError:
        return None
    if not codings or _is_text(body):
        return body
    return decoded(body, codings) or body


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _coding(headers: list[Header] | None) -> str | None:
    return next((one.value for one in headers or () if one.name.lower() == "content-encoding"), None)


def _size(sent: float | None, body: float | None) -> int | None:
    """Bytes sent; where the tool does not know (-1), the body's."""
    return _whole(sent if sent is not None and sent >= 0 else body)


def _whole(number: float | None) -> int | None:
    return int(number) if number is not None and abs(number) < 9e15 else None


_NO_RESPONSE, _NO_CONTENT, _NO_POST = Response(), Content(), PostData()
