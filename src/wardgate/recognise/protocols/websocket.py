"""WebSocket: an upgrade of HTTP/1.1, seen by its header or its status."""

from wardgate.recognise.protocols.shape import Found, Hints, Seen

_UPGRADE = "req.upgrade"
_VERSION = "req.sec-websocket-version"


class WebSocket:
    """WebSocket: requests to upgrade, and connections that were upgraded."""

    name = "websocket"
    title = "WebSocket"
    reference = "RFC 6455, 4.1 and 4.2"
    hints = Hints(headers=(_UPGRADE, _VERSION), statuses=(101,))
    reads = ()
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        upgrade = seen.headers.get(_UPGRADE)
        if upgrade is not None:
            wanted = [one.strip().lower() for one in upgrade.split(",")]
            return Found() if "websocket" in wanted else None
        return Found() if seen.status == 101 or seen.claimed or _VERSION in seen.headers else None
