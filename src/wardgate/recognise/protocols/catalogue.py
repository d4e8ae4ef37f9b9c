"""Every protocol recognition knows, in the order they are asked: the first that says yes is right.

Those that are special cases of others come before them: MCP and A2A are JSON-RPC, and their streams are
server-sent events. What none of them knows is `http`.
"""

from collections.abc import Sequence

from wardgate.recognise.protocols.a2a import A2a
from wardgate.recognise.protocols.event_stream import EventStream
from wardgate.recognise.protocols.graphql import GraphQl
from wardgate.recognise.protocols.grpc import Grpc, GrpcWeb
from wardgate.recognise.protocols.json_rpc import JsonRpc
from wardgate.recognise.protocols.mcp import Mcp
from wardgate.recognise.protocols.shape import ProtocolKind
from wardgate.recognise.protocols.soap import Soap
from wardgate.recognise.protocols.websocket import WebSocket

HTTP = "http"
"""Everything else: REST, pages and files."""


def protocols() -> Sequence[ProtocolKind]:
    """The protocols in their order."""
    return (
        Grpc(),
        GrpcWeb(),
        Mcp(),
        A2a(),
        JsonRpc(),
        GraphQl(),
        Soap(),
        WebSocket(),
        EventStream(),
    )
