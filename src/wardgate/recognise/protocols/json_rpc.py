"""JSON-RPC over HTTP: the method is the operation."""

from wardgate.recognise.protocols.names import listed
from wardgate.recognise.protocols.shape import TOO_LARGE, UNREADABLE, Found, Hints, Seen

ANSWER = "(answer)"
"""A body with results alone: an answer that a client sends to what it was asked."""


class JsonRpc:
    """JSON-RPC: the method of a request, alone or in a batch."""

    name = "json-rpc"
    title = "JSON-RPC"
    reference = "JSON-RPC 2.0 Specification"
    hints = Hints(request_type=r"^application/json-?rpc", body=('"jsonrpc"',))
    reads = ()
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        batch = seen.messages
        if batch is None:
            return Found() if seen.body is None and seen.request_type else None
        if batch.problem is not None:
            return Found(TOO_LARGE if batch.problem == "large" else UNREADABLE)
        return Found(listed(batch.methods or (ANSWER,), cut=batch.cut))
