r"""Lines that a syslog daemon wrote to a file: what it put before the message is taken off.

RFC 3164 (`<134>Feb  6 12:14:14 host haproxy[14389]: …`, with or without priority and host, or with an
ISO 8601 stamp as rsyslog and journald write it) and RFC 5424 (`<134>1 2026-11-14T… host app 123 - - …`).
The message's own stamp is what counts: the daemon's has no year and no fraction.
"""

import re

from wardgate.core.observed import Parsed, Reject
from wardgate.sources.format import LineParser, Lines, State

_STAMP = rb"(?:[A-Z][a-z]{2} [ 0-3]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:?\d\d))"
_PREFIX = re.compile(
    rb"^(?:<\d{1,3}>1 " + _STAMP + rb"(?: [^ \n]{1,255}){4} (?:-|\[[^\]\n]{0,1000}\]) ?"
    rb"|(?:<\d{1,3}>)?" + _STAMP + rb" (?:[^ \n\[\]\"]{1,255} )?[^ \n:\[\]\"]{1,64}(?:\[\d{1,10}\])?: ?"
    rb"|<\d{1,3}>)",
    re.MULTILINE,
)


def without_prefix(data: bytes) -> bytes:
    """`data` with the syslog header taken off every line that has one."""
    return _PREFIX.sub(b"", data)


class WithoutSyslogPrefix:
    """A parser of what stands after the prefix. Rejects keep the line as it came."""

    def __init__(self, inner: LineParser) -> None:
        self._inner = inner

    @property
    def state(self) -> State:
        return self._inner.state

    def parse(self, lines: Lines) -> Parsed:
        data = lines.data if lines.data.endswith(b"\n") or not lines.data else lines.data + b"\n"
        bare = without_prefix(data)
        parsed = self._inner.parse(Lines(bare, lines.first))
        if parsed.rejects and len(bare) != len(data):
            raw = data.split(b"\n")
            parsed.rejects = [
                Reject(one.position, one.reason, raw[one.position - lines.first].removesuffix(b"\r"))
                for one in parsed.rejects
            ]
        return parsed
