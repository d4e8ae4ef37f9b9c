"""Client addresses: the peer, the forwarded chain, and how much of it is believed.

Only configured proxies are believed. Walking the chain from the right, each proxy vouches for the entry to
its left; the first address that is no proxy is the client. Without configured proxies the peer is the client.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.errors import WardgateError

_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_V4 = rf"^(?:{_BYTE}\.){{3}}{_BYTE}$"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Client:
    """An address as text (canonical), its /24 or /48, and the port if one was shown."""

    address: str
    network: str
    port: int | None = None


def parse_clients(texts: list[str]) -> tuple[list[str | None], list[str | None], list[int | None]]:
    """Addresses, networks and ports of distinct client texts; None where a text is no address.

    Plain dotted addresses, nearly all there are, are recognised in Arrow.
    """
    array = pa.array(texts, pa.string())
    plain = pc.match_substring_regex(array, _PLAIN_V4)
    networks: list[str | None] = pc.replace_substring_regex(array, r"\.[0-9]+$", ".0/24").to_pylist()
    addresses: list[str | None] = list(texts)
    ports: list[int | None] = [None] * len(texts)
    for i in np.flatnonzero(~plain.to_numpy(zero_copy_only=False)).tolist():
        one = parse_client(texts[i])
        addresses[i], networks[i], ports[i] = (
            (one.address, one.network, one.port) if one else (None, None, None)
        )
    return addresses, networks, ports


def parse_client(text: str) -> Client | None:
    """`1.2.3.4`, `1.2.3.4:567`, `[2001:db8::1]:567`, `::ffff:1.2.3.4`; None if it is none."""
    port: int | None = None
    text = text.strip().strip('"')
    if text.startswith("["):
        inner, _, rest = text[1:].partition("]")
        text, tail = inner, rest.removeprefix(":")
        port = _port(tail)
    elif text.count(":") == 1:
        text, _, tail = text.partition(":")
        port = _port(tail)
    address = _address(text.partition("%")[0])
    if address is None:
        return None
    return Client(str(address), network_of(address), port)


def network_of(address: Address) -> str:
    """The /24 (IPv4) or /48 (IPv6) an address belongs to."""
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _port(text: str) -> int | None:
    return int(text) if text.isdecimal() and 0 < int(text[:6]) < 65536 else None


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def parse_networks(blocks: Iterable[str]) -> tuple[Network, ...]:
    """CIDR blocks of proxies. Raises `proxies-malformed`."""
    out = []
    for block in blocks:
        try:
            out.append(ipaddress.ip_network(block, strict=False))
        except ValueError as error:
            raise WardgateError(
                "proxies-malformed", f"{block!r} is no network such as 10.0.0.0/8."
            ) from error
    return tuple(out)


def forwarded_chain(text: str) -> list[str]:
    """Entries of `X-Forwarded-For`, or `for=` of `Forwarded` (RFC 7239), left to right; no invalid ones."""
    out = []
    for part in text.split(",")[:50]:
        for pair in part.split(";"):
            name, equals, value = pair.strip().partition("=")
            entry = value if equals and name.lower() == "for" else pair if not equals else ""
            client = parse_client(entry) if entry.strip() else None
            if client is not None:
                out.append(client.address)
    return out


class Proxies:
    """The proxies whose word is believed."""

    def __init__(self, blocks: Iterable[str]) -> None:
        self._networks = parse_networks(blocks)
        self.believes = lru_cache(maxsize=65536)(self._believes)

    def _believes(self, address: str) -> bool:
        found = _address(address)
        return found is not None and any(found.version == n.version and found in n for n in self._networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, peer: str, chain: list[str]) -> tuple[str, int]:
        """The believed client, and how many entries of the chain's right end were vouched for."""
        client, believed = peer, 0
        for entry in reversed(chain):
            if not self.believes(client):
                break
            client, believed = entry, believed + 1
        return client, believed
