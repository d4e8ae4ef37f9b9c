"""The one way out: GET over HTTP, to addresses that are nobody's inside, within limits of size and time.

Whoever names a URL must not reach what only this machine can: loopback, private networks, the cloud's
metadata service. So a host is resolved once, every address it has must be public, and the connection goes to
the address that was judged, not to the name again (a second answer of the DNS may differ). Each redirect is
judged anew. Private addresses are reached only where `allow` names their network. Proxies of the environment
are not used.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Timer
from urllib.parse import SplitResult, urljoin, urlsplit

from wardgate import __version__
from wardgate.core.errors import Exit, WardgateError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]
MOST_BYTES = 64 << 20
TIMEOUT_S = 30.0
MOST_REDIRECTS = 3
LONGEST_URL = 2000
_CHUNK = 1 << 16
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost."""

    most_bytes: int = MOST_BYTES
    timeout_s: float = TIMEOUT_S
    """For everything together, redirects included."""
    redirects: int = MOST_REDIRECTS


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the body as sent, its media type, and the URL it came from in the end."""

    url: str
    media_type: str
    content: bytes


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, as the system resolves it. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def fetch(
    url: str,
    *,
    allow: Sequence[Network] = (),
    limits: Limits | None = None,
    resolver: Resolve = resolve,
    tls: ssl.SSLContext | None = None,
) -> Fetched:
    """The body behind a URL. `allow`: networks that are reached although they are not public.

    Raises `fetch-url`, `fetch-refused` (a private address), `fetch-failed`, `fetch-status`,
    `fetch-too-large`, `fetch-too-slow` or `fetch-redirects`. No message holds the URL, whose path or query
    may be a secret.
    """
    limits = limits or Limits()
    ends = time.monotonic() + limits.timeout_s
    secure = False
    for _ in range(limits.redirects + 1):
        parts = _checked(url, secure)
        secure = secure or parts.scheme == "https"
        try:
            answer = _once(parts, allow, limits, ends, resolver, tls)
        except TimeoutError:
            raise _too_slow(limits) from None
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= ends:
                raise _too_slow(limits) from None
            raise WardgateError(
                "fetch-failed", f"the URL cannot be fetched: {type(error).__name__}.", exit_code=Exit.FAILED
            ) from None
        if isinstance(answer, Fetched):
            return answer
        url = urljoin(url, answer)
    raise WardgateError("fetch-redirects", f"the URL redirects more than {limits.redirects} times.")


def _checked(url: str, secure: bool) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable, parts = None, urlsplit("")
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL
    if not usable or not plain or parts.scheme not in ("http", "https"):
        raise WardgateError("fetch-url", "that is no URL of http or https that can be fetched.")
    if parts.username is not None or parts.password is not None:
        raise WardgateError("fetch-url", "a URL with user or password is not fetched.")
    if secure and parts.scheme == "http":
        raise WardgateError("fetch-url", "the URL redirects from https to http, which is not followed.")
    return parts


def _once(
    parts: SplitResult,
    allow: Sequence[Network],
    limits: Limits,
    ends: float,
    resolver: Resolve,
    tls: ssl.SSLContext | None,
) -> Fetched | str:
    """One request: what came, or where it redirects to."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _judged(resolver(host, port), allow)
    raw = socket.create_connection((address, port), timeout=_left(ends))
    connection = http.client.HTTPConnection(host, port)
    # A peer that sends a byte now and then never meets the socket's own limit.
    watch = Timer(_left(ends), lambda: _shut(raw))
    watch.daemon = True
    watch.start()
    try:
        if parts.scheme == "https":
            context = tls or ssl.create_default_context()
            raw = context.wrap_socket(raw, server_hostname=host)
        connection.sock = raw
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        raw.settimeout(_left(ends))
        connection.request(
            "GET",
            target,
            headers={
                "User-Agent": f"wardgate/{__version__}",
                "Accept-Encoding": "identity",
                "Connection": "close",
            },
        )
        response = connection.getresponse()
        if response.status in _REDIRECTS:
            if not (location := response.headers.get("Location")):
                raise http.client.HTTPException
            return location
        if response.status != 200:
            raise WardgateError(
                "fetch-status", f"the URL answered with status {response.status}.", exit_code=Exit.FAILED
            )
        content = bytearray()
        while True:
            raw.settimeout(_left(ends))
            more = response.read1(_CHUNK)
            if not more:
                break
            content += more
            if len(content) > limits.most_bytes:
                raise WardgateError(
                    "fetch-too-large", f"the URL answers more than {limits.most_bytes:,} bytes."
                )
        _left(ends)  # ended by the watch, what came is not all
        if response.length:
            raise http.client.IncompleteRead(b"")
        return Fetched(parts.geturl(), response.headers.get_content_type(), bytes(content))
    finally:
        watch.cancel()
        connection.close()
        raw.close()


def _shut(raw: socket.socket) -> None:
    with contextlib.suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)


def _judged(found: list[str], allow: Sequence[Network]) -> str:
    """The first of a host's addresses, once all are judged. Raises `fetch-refused`."""
    for text in found:
        if not is_reachable(ipaddress.ip_address(text.partition("%")[0]), allow):
            raise WardgateError(
                "fetch-refused",
                "the URL's host has an address that is not public.",
                mend="Save the document and name the file.",
            )
    if not found:
        raise OSError("no address")
    return found[0]


def is_reachable(address: Address, allow: Sequence[Network] = ()) -> bool:
    """Whether an address is public, or in a network that is allowed; what it wraps is judged as well."""
    inner: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        inner += [one for one in (address.ipv4_mapped, address.sixtofour) if one is not None]
        inner += list(address.teredo or ())
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address.version == one.version and address in one for one in allow):
        return True
    return all(
        one.is_global and not one.is_multicast and not one.is_reserved for one in inner if one not in _NAT64
    )


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _too_slow(limits: Limits) -> WardgateError:
    return WardgateError(
        "fetch-too-slow", f"the URL takes longer than {limits.timeout_s:g} s.", exit_code=Exit.FAILED
    )
