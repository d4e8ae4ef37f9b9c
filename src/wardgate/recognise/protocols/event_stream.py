"""Server-sent events: a GET that asks for a stream.

What a POST is answered with is no other operation: many APIs stream an answer only when they are asked to.
"""

from wardgate.recognise.protocols.shape import Found, Hints, Seen

_ACCEPT = "req.accept"
_STREAM = "text/event-stream"


class EventStream:
    """Server-sent events: a GET that asks for an event stream, or is answered with one."""

    name = "sse"
    title = "Server-sent events"
    reference = "HTML Living Standard, 9.2"
    hints = Hints(values=((_ACCEPT, r"(?i)^\s*text/event-stream"),), response_type=r"^text/event-stream")
    reads = ()
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        if seen.method not in (None, "GET"):
            return Found() if seen.claimed else None
        asked = seen.headers.get(_ACCEPT, "").strip().lower().startswith(_STREAM)
        answered = (seen.response_type or "").startswith(_STREAM)
        return Found() if asked or answered or seen.claimed else None
