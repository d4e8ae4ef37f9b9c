"""Addresses with ports and connection types, as load balancers write them into one column."""

import pyarrow as pa

from wardgate.sources.access import by_distinct, dictionary

_KINDS: dict[str, tuple[str, str | None]] = {
    "http": ("http", None),
    "https": ("https", None),
    "h2": ("https", None),
    "grpc": ("http", "grpc"),
    "grpcs": ("https", "grpc"),
    "ws": ("ws", "websocket"),
    "wss": ("wss", "websocket"),
}


def address_and_port(pairs: pa.Array) -> tuple[pa.Array, pa.Array]:
    """`192.0.2.1:80`, `2001:db8::1:80`, `[2001:db8::1]:80`: the addresses (string) and ports (int64).

    The last colon divides; where no digits follow it, the whole is the address.
    """
    encoded = dictionary(pairs)
    parts = [_parts(pair) for pair in encoded.dictionary.to_pylist()]
    addresses = pa.array([address for address, _ in parts], pa.string())
    ports = pa.array([port for _, port in parts], pa.int64())
    return addresses.take(encoded.indices), ports.take(encoded.indices)


def schemes(kinds: pa.Array) -> tuple[pa.Array, pa.Array]:
    """`http`, `https`, `h2`, `grpcs`, `ws`, `wss`: the schemes, and the protocols where they say one."""
    return (
        by_distinct(kinds, lambda kind: _KINDS.get(kind.lower(), (None, None))[0], pa.string()),
        by_distinct(kinds, lambda kind: _KINDS.get(kind.lower(), (None, None))[1], pa.string()),
    )


def _parts(pair: str) -> tuple[str | None, int | None]:
    address, colon, port = pair.rpartition(":")
    if colon and address and port.isascii() and port.isdecimal() and len(port) <= 5:
        return address.strip("[]") or None, int(port)
    return pair.strip("[]") or None, None
