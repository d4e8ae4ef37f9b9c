"""A2A between agents: JSON-RPC methods, the paths of the REST binding, and the agent's card.

Names are those of the wire: `message/send` up to version 0.3, `SendMessage` from 1.0 on. The REST binding
has the same names as its version's methods have, so that both bindings read alike.
"""

import re

from wardgate.lake.traits import VERSION
from wardgate.recognise.protocols.messages import Message, members, text
from wardgate.recognise.protocols.names import listed
from wardgate.recognise.protocols.shape import Found, Hints, Seen

CARD = "agent card"
_VERSION = "req.a2a-version"
_OWN = frozenset(
    """
    message/send message/stream tasks/resubscribe tasks/pushNotificationConfig/set
    tasks/pushNotificationConfig/get tasks/pushNotificationConfig/list tasks/pushNotificationConfig/delete
    agent/getAuthenticatedExtendedCard agent/getExtendedCard tasks/send tasks/sendSubscribe
    tasks/pushNotification/set tasks/pushNotification/get
    SendStreamingMessage SubscribeToTask CreateTaskPushNotificationConfig GetTaskPushNotificationConfig
    ListTaskPushNotificationConfigs DeleteTaskPushNotificationConfig GetExtendedAgentCard
    """.split()
)
"""Methods that no other protocol has."""
_SHARED = frozenset("tasks/get tasks/cancel GetTask CancelTask".split())
"""MCP has some of them too, and calls their task `taskId`."""
_CARDS = ("/.well-known/agent-card.json", "/.well-known/agent.json")
_POSTED = r"(?:^|/)message:(?:send|stream)$|/tasks/[^/]+:(?:cancel|subscribe)$"
_REST = re.compile(
    r"(?:(?P<v1>/v1)|/[^/]+)?/(?:message:(?P<message>send|stream)|tasks/[^/:]+:(?P<task>cancel|subscribe)"
    r"|tasks/[^/:]+/pushNotificationConfigs(?P<config>/[^/]+)?|tasks(?P<one>/[^/:]+)?"
    r"|(?P<card>card|extendedAgentCard))\Z"
)
_NEW = {
    "message/send": "SendMessage",
    "message/stream": "SendStreamingMessage",
    "tasks/cancel": "CancelTask",
    "tasks/resubscribe": "SubscribeToTask",
    "tasks/get": "GetTask",
    "tasks/list": "ListTasks",
    "tasks/pushNotificationConfig/set": "CreateTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/get": "GetTaskPushNotificationConfig",
    "tasks/pushNotificationConfig/list": "ListTaskPushNotificationConfigs",
    "tasks/pushNotificationConfig/delete": "DeleteTaskPushNotificationConfig",
    "agent/getAuthenticatedExtendedCard": "GetExtendedAgentCard",
}


class A2a:
    """A2A: methods of the JSON-RPC and REST bindings, agent cards, the context as session."""

    name = "a2a"
    title = "Agent2Agent Protocol"
    reference = "A2A Protocol Specification 0.3 and 1.0, JSON-RPC and HTTP+JSON bindings"
    hints = Hints(
        headers=(_VERSION, "req.a2a-extensions", "req.x-a2a-extensions"),
        body=('"jsonrpc"',),
        post_path=_POSTED,
        path_endings=_CARDS,
    )
    reads = ()
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        marked = seen.claimed or any(name in seen.headers for name in self.hints.headers)
        version = seen.headers.get(_VERSION)
        traits = ((VERSION, version),) if version else ()
        if seen.path.endswith(_CARDS):
            return Found(CARD, None, traits) if seen.method in (None, "GET", "HEAD") else None
        batch = seen.messages
        if batch is not None and batch.problem is None:
            own = [one for one in batch.messages if marked or _is_own(one)]
            if not own or not batch.methods:
                return None
            session = next(filter(None, map(_context, own)), None)
            return Found(listed(batch.methods, cut=batch.cut), session, traits)
        name = _rest_name(seen, marked, (version or "0.3").startswith("0."))
        return Found(name, None, traits) if name is not None else None


def _is_own(message: Message) -> bool:
    if message.method in _OWN:
        return True
    if message.method in _SHARED:
        return text(message.params.id) is not None
    return message.method == "SendMessage" and "messageId" in members(message.params.message)


def _context(message: Message) -> str | None:
    return text(members(message.params.message).get("contextId"))


def _rest_name(seen: Seen, marked: bool, old: bool) -> str | None:
    """The method that a path of the REST binding stands for. Paths that many APIs have need a header."""
    found = _REST.match(seen.path)
    if found is None:
        return None
    method = seen.method or "POST"
    if found["message"]:
        name = f"message/{found['message']}" if method == "POST" else None
    elif found["task"]:
        name = "tasks/cancel" if found["task"] == "cancel" else "tasks/resubscribe"
    elif not marked:
        name = None
    elif "/pushNotificationConfigs" in seen.path:
        with_id = {"GET": "get", "DELETE": "delete"}.get(method)
        without = {"GET": "list", "POST": "set"}.get(method)
        action = with_id if found["config"] else without
        name = f"tasks/pushNotificationConfig/{action}" if action else None
    elif found["card"]:
        name = "agent/getAuthenticatedExtendedCard" if method == "GET" else None
    else:
        name = ("tasks/get" if found["one"] else "tasks/list") if method == "GET" else None
    return name if name is None or (old and found["v1"]) else _NEW[name]
