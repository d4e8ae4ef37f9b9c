"""MCP over HTTP: JSON-RPC methods, with the tool, prompt or resource that they name.

From revision 2026-07-28 on, headers say what the body says, so that gateways need not read it. Where the two
differ somebody is misleading a gateway: the name then shows both.
"""

import base64
import binascii

from wardgate.lake.traits import VERSION
from wardgate.recognise.protocols.json_rpc import ANSWER
from wardgate.recognise.protocols.messages import Message, members, text
from wardgate.recognise.protocols.names import listed
from wardgate.recognise.protocols.shape import TOO_LARGE, UNREADABLE, Found, Hints, Seen
from wardgate.recognise.templates import template_of

_METHOD = "req.mcp-method"
_NAME = "req.mcp-name"
_SESSION = "req.mcp-session-id"
_VERSION = "req.mcp-protocol-version"
_GIVEN_SESSION = "resp.mcp-session-id"
_OWN = frozenset(
    """
    server/discover tools/list tools/call resources/list resources/templates/list resources/read
    resources/subscribe resources/unsubscribe prompts/list prompts/get completion/complete logging/setLevel
    sampling/createMessage elicitation/create roots/list subscriptions/listen notifications/initialized
    notifications/cancelled notifications/progress notifications/message notifications/tools/list_changed
    notifications/prompts/list_changed notifications/resources/list_changed notifications/resources/updated
    notifications/roots/list_changed notifications/elicitation/complete notifications/tasks/status
    notifications/subscriptions/acknowledged
    """.split()
)
"""Methods that no other protocol has."""
_SHARED = frozenset("tasks/get tasks/cancel tasks/list tasks/result".split())
"""A2A has some of them too, and calls their task `id`."""
_NAMED_BY = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "resources/subscribe": "uri",
    "resources/unsubscribe": "uri",
}
_META_VERSION = "io.modelcontextprotocol/protocolVersion"
_DISCOVERY = "/.well-known/"
"""Clients of MCP send its version to the authorization server's metadata too, which speaks OAuth."""
_ENCODED = "=?base64?"


class Mcp:
    """MCP: method and tool, prompt or resource, from bodies or headers; session and version."""

    name = "mcp"
    title = "Model Context Protocol over HTTP"
    reference = "Model Context Protocol, revisions 2024-11-05 to 2026-07-28"
    hints = Hints(headers=(_METHOD, _SESSION, _VERSION, _GIVEN_SESSION), body=('"jsonrpc"',))
    reads = (_NAME,)
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        headers = seen.headers
        marked = seen.claimed or any(name in headers for name in self.hints.headers)
        batch = seen.messages
        session = headers.get(_SESSION) or headers.get(_GIVEN_SESSION) or _of_query(seen)
        version = headers.get(_VERSION)
        if batch is None:
            if not marked or _DISCOVERY in seen.path:
                return None
            return Found(_from_headers(seen), session, _versions(version))
        if batch.problem is not None:
            if not marked:
                return None
            name = TOO_LARGE if batch.problem == "large" else UNREADABLE
            return Found(_from_headers(seen) or name, session, _versions(version))
        if not marked and not any(map(_is_own, batch.messages)):
            return None
        version = version or next(filter(None, map(_own_version, batch.messages)), None)
        names = [_name(one) for one in batch.messages if one.method is not None]
        name = listed(names or [ANSWER], cut=batch.cut)
        told = _from_headers(seen)
        if told is not None and told not in (name, *batch.methods):
            name = f"{name} (header: {told})"
        return Found(name, session, _versions(version))


def _of_query(seen: Seen) -> str | None:
    """The session as revision 2024-11-05 has it: in the address that a stream of events gave."""
    return seen.parameters.get("session_id") or seen.parameters.get("sessionId")


def _is_own(message: Message) -> bool:
    method, params = message.method, message.params
    if method in _OWN:
        return True
    if method in _SHARED:
        return text(params.task_id) is not None
    return method == "initialize" and text(params.protocol_version) is not None


def _name(message: Message) -> str:
    method = message.method or ANSWER
    member = _NAMED_BY.get(method)
    if member is None:
        return method
    named = text(message.params.name if member == "name" else message.params.uri)
    return _joined(method, named)


def _joined(method: str, named: str | None) -> str:
    if not named:
        return method
    return f"{method} {resource(named) if _NAMED_BY.get(method) == 'uri' else named}"


def resource(uri: str) -> str:
    """A resource's address without what varies: identifiers named, no query, no user information."""
    scheme, mark, rest = uri.partition("://")
    if not mark:
        return uri.partition("?")[0]
    authority, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{template_of(slash + path[:1000]).text}"


def _from_headers(seen: Seen) -> str | None:
    method = seen.headers.get(_METHOD)
    return _joined(method, _decoded(seen.headers.get(_NAME))) if method else None


def _decoded(value: str | None) -> str | None:
    """A header's value; what does not fit into a header comes as `=?base64?…?=`."""
    if value is None or not (value.startswith(_ENCODED) and value.endswith("?=")):
        return value
    try:
        return base64.b64decode(value[len(_ENCODED) : -2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return UNREADABLE


def _own_version(message: Message) -> str | None:
    """The version that a message itself speaks: of the handshake, or of each request."""
    return text(message.params.protocol_version) or text(members(message.params.meta).get(_META_VERSION))


def _versions(version: str | None) -> tuple[tuple[str, str], ...]:
    return ((VERSION, version),) if version else ()
