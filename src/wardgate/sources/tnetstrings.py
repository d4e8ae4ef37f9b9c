"""Typed netstrings, as mitmproxy writes them: `<length>:<payload><type>`, read lazily and without trust.

Reference: the tnetstrings specification, and mitmproxy's `mitmproxy.io.tnetstring`, which adds `;` for text.
Only what is asked for is decoded; a length that points outside of what holds it, or nesting past `DEPTH`,
is `MalformedError`.
"""

DIGITS = 12
"""A length has at most this many digits."""
DEPTH = 32

Value = None | bool | int | float | bytes | str | list["Value"] | dict[str, "Value"]


class MalformedError(ValueError):
    """No typed netstring. Says nothing of the bytes."""


_BYTES, _TEXT, _LIST, _DICT, _NULL = b",;]}~"


class Dictionary:
    """The members of one dictionary; each is decoded when it is asked for."""

    __slots__ = ("_data", "_spans")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        """The members that lie in `data` from `at` up to `end`. Raises `MalformedError`."""
        self._data = data
        self._spans: dict[bytes, tuple[int, int]] = {}
        spans = self._spans
        while at < end:
            start, stop = _span(data, at, end)
            if data[stop] != _TEXT and data[stop] != _BYTES:
                raise MalformedError
            at = stop + 1
            spans[data[start:stop]] = span = _span(data, at, end)
            at = span[1] + 1

    @classmethod
    def whole(cls, data: bytes) -> "Dictionary":
        """The one dictionary that `data` is. Raises `MalformedError`."""
        start, stop = _span(data, 0, len(data))
        if data[stop] != _DICT or stop + 1 != len(data):
            raise MalformedError
        return cls(data, start, stop)

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._spans

    def value(self, name: str) -> Value:
        """A member decoded whole; None where it is absent or null. Raises `MalformedError`."""
        span = self._spans.get(name.encode())
        return _value(self._data, span[0], span[1], 0) if span is not None else None

    def inside(self, name: str) -> "Dictionary | None":
        """A member that is a dictionary; None where it is absent or null. Raises `MalformedError`."""
        span = self._spans.get(name.encode())
        if span is None or self._data[span[1]] == _NULL:
            return None
        if self._data[span[1]] != _DICT:
            raise MalformedError
        return Dictionary(self._data, span[0], span[1])


def decode(data: bytes) -> Value:
    """The one value that `data` is, decoded whole. Raises `MalformedError`."""
    start, stop = _span(data, 0, len(data))
    if stop + 1 != len(data):
        raise MalformedError
    return _value(data, start, stop, 0)


def _span(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the payload of the value at `at` begins and where its type byte stands, which is before `end`."""
    colon = data.find(b":", at, at + DIGITS + 1)
    digits = data[at:colon]
    if colon < 0 or not digits.isdigit():
        raise MalformedError
    stop = colon + 1 + int(digits)
    if stop >= end:
        raise MalformedError
    return colon + 1, stop


def _value(data: bytes, start: int, stop: int, depth: int) -> Value:
    kind = data[stop]
    if kind == _BYTES:
        return data[start:stop]
    if kind == _TEXT:
        return data[start:stop].decode("utf-8", "replace")
    if kind not in (_LIST, _DICT):
        return _scalar(kind, data[start:stop])
    if depth >= DEPTH:
        raise MalformedError
    values = []
    at = start
    while at < stop:
        inner = _span(data, at, stop)
        values.append(_value(data, inner[0], inner[1], depth + 1))
        at = inner[1] + 1
    if kind == _LIST:
        return values
    if len(values) % 2 or not all(isinstance(key, str | bytes) for key in values[::2]):
        raise MalformedError
    return {_key(key): value for key, value in zip(values[::2], values[1::2], strict=True)}


def _key(key: Value) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _scalar(kind: int, payload: bytes) -> Value:
    name = chr(kind)
    if name == "~" and not payload:
        return None
    if name == "!" and payload in (b"true", b"false"):
        return payload == b"true"
    try:
        if name == "#" and len(payload) <= 20:
            return int(payload)
        if name == "^" and len(payload) <= 40:
            return float(payload)
    except ValueError:
        pass
    raise MalformedError
