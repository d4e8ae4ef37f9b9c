"""JSON-RPC messages out of a body, alone or in a batch, as far as recognition needs them.

Only the members that tell what is asked are decoded; everything else is passed over where it stands. Of
several members with one name the last counts, as most parsers have it.
"""

from dataclasses import dataclass, field

import msgspec

MOST_MESSAGES = 100
"""Messages of one batch that are looked at."""
_ABSENT = msgspec.Raw(b"")
_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Message(msgspec.Struct, gc=False):
    jsonrpc: msgspec.Raw = _ABSENT
    method: msgspec.Raw = _ABSENT
    params: msgspec.Raw = _ABSENT
    result: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT


class Parameters(msgspec.Struct, gc=False, rename="camel"):
    """Members of `params` that name things. Each is text, or something else that names nothing."""

    name: msgspec.Raw = _ABSENT
    uri: msgspec.Raw = _ABSENT
    id: msgspec.Raw = _ABSENT
    task_id: msgspec.Raw = _ABSENT
    message: msgspec.Raw = _ABSENT
    protocol_version: msgspec.Raw = _ABSENT
    meta: msgspec.Raw = msgspec.field(default=_ABSENT, name="_meta")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `method` is None in an answer."""

    method: str | None
    params: Parameters = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of a body. `problem`: it says it is JSON-RPC, and cannot be read (`broken`, `large`)."""

    messages: tuple[Message, ...] = ()
    cut: bool = False
    problem: str | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(one.method for one in self.messages if one.method is not None)


_one = msgspec.json.Decoder(_Message)
_many = msgspec.json.Decoder(list[msgspec.Raw])
_parameters = msgspec.json.Decoder(Parameters)
_text = msgspec.json.Decoder(str)


def read_messages(body: bytes | None, most_bytes: int) -> Batch | None:
    """The JSON-RPC messages of a body; None where it is something else."""
    if not body:
        return None
    start = body[:64].lstrip()[:1]
    if start not in (b"{", b"["):
        return None
    if len(body) > most_bytes:
        return Batch(problem="large") if b'"jsonrpc"' in body[:most_bytes] else None
    try:
        raw = [body] if start == b"{" else [bytes(one) for one in _many.decode(body)]
        decoded = [_one.decode(one) for one in raw[:MOST_MESSAGES]]
    except _ERRORS:
        return Batch(problem="broken") if b'"jsonrpc"' in body else None
    if not decoded or not any(bytes(one.jsonrpc) for one in decoded):
        return None
    messages = tuple(Message(text(one.method), _params(one.params)) for one in decoded)
    return Batch(messages, len(raw) > MOST_MESSAGES)


def text(raw: msgspec.Raw | None) -> str | None:
    """A JSON string; None for everything else."""
    try:
        return _text.decode(raw) if raw is not None and bytes(raw)[:1] == b'"' else None
    except _ERRORS:
        return None


def members(raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """A JSON object's members, undecoded; nothing for everything else."""
    try:
        found: dict[str, msgspec.Raw] = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except _ERRORS:
        return {}
    return found


def _params(raw: msgspec.Raw) -> Parameters:
    try:
        return _parameters.decode(raw) if bytes(raw)[:1] == b"{" else Parameters()
    except _ERRORS:
        return Parameters()
