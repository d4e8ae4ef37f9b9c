"""F5 BIG-IP request logging (Local Traffic): the documented templates, or your own.

Reference: F5, "BIG-IP Acceleration: Concepts", Using the Request Logging Profile; F5 BIG-IP Telemetry
Streaming, "Event Listener class" (LTM Request Log profile), whose key-value templates are the ones found by
themselves. A profile that logs requests and responses writes each call twice: once a response is in sight,
request events are passed over by the rule `request-event`. A request that was counted before, because it came
alone at the front of a stream, is known by its fields: its response is passed over by `response-event`.
"""

import re
from hashlib import blake2b

import numpy as np

from wardgate.core.observed import Parsed
from wardgate.sources.f5_template import f5_layout
from wardgate.sources.format import Fit, LineParser, Lines, Options, State
from wardgate.sources.several_layouts import SeveralLayouts
from wardgate.sources.syslog_prefix import WithoutSyslogPrefix
from wardgate.sources.text_lines import TextParser, nothing, parser_fit, together

_EVENT = (
    'hostname="$BIGIP_HOSTNAME",client_ip="$CLIENT_IP",server_ip="$SERVER_IP",http_method="$HTTP_METHOD",'
    'http_uri="$HTTP_URI",virtual_name="$VIRTUAL_NAME"'
)
REQUEST = f'event_source="request_logging",{_EVENT},event_timestamp="$DATE_HTTP"'
RESPONSE = (
    f'event_source="response_logging",{_EVENT},event_timestamp="$DATE_HTTP",http_statcode="$HTTP_STATCODE",'
    'http_status="$HTTP_STATUS",response_ms="$RESPONSE_MSECS"'
)
REQUEST_BEFORE_DATES = f'event_source="request_logging",{_EVENT}'
_KIND = re.compile(rb'^[^\n"]{0,300}event_source="(request|response)_logging"', re.MULTILINE)
_CALL = re.compile(
    rb'client_ip="([^\n]*?)",server_ip="[^\n]*?",(http_method="[^\n]*?",http_uri="[^\n]*?",virtual_name="[^\n]*?")'
)
_OPEN = 200
"""Counted requests whose responses may come, at most: where there are responses, one is soon in sight."""
_PATIENCE = 10_000
"""Responses to others after which a request is taken to have none."""


class F5RequestLog:
    """F5 BIG-IP request logging by Telemetry Streaming's templates, or by a template of your own."""

    name = "f5-request-log"
    title = "F5 BIG-IP request logging profile"
    reference = "F5, Using the Request Logging Profile; F5 Telemetry Streaming, Event Listener class"

    def fit(self, sample: bytes) -> Fit | None:
        return parser_fit(self.parser(Options()), sample, "F5's documented request logging templates")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        if options.layout:
            return WithoutSyslogPrefix(TextParser(f5_layout(options.layout), timezone=options.timezone))
        return WithoutSyslogPrefix(_EventParser(state))


class _EventParser:
    """Lines of the documented templates, each call once."""

    def __init__(self, state: State | None) -> None:
        layouts = [f5_layout(one) for one in (RESPONSE, REQUEST, REQUEST_BEFORE_DATES)]
        self._inner = SeveralLayouts(layouts)
        self._responses = bool((state or {}).get("responses"))
        self._open: list[int] = list((state or {}).get("open") or [])
        """Digests of the latest requests that were counted, while no response had been seen."""
        self._others = int((state or {}).get("others") or 0)

    @property
    def state(self) -> State:
        waiting = {"open": self._open, "others": self._others} if self._open else {}
        return {"responses": self._responses} | waiting

    def parse(self, lines: Lines) -> Parsed:
        data = lines.data if lines.data.endswith(b"\n") or not lines.data else lines.data + b"\n"
        data = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data
        raw = data.split(b"\n")[:-1]
        kinds = [found[1] if (found := _KIND.match(line)) is not None else b"" for line in raw]
        self._responses = self._responses or b"response" in kinds
        passed_over = {"request-event": 0, "response-event": 0}
        keep = np.ones(len(raw), bool)
        for i, (line, kind) in enumerate(zip(raw, kinds, strict=True)):
            if kind == b"request" and self._responses:
                keep[i] = False
                passed_over["request-event"] += 1
            elif kind == b"request":
                self._open = [*self._open[1 - _OPEN :], _digest(line)]
            elif kind == b"response" and self._open and self._is_counted(line):
                keep[i] = False
                passed_over["response-event"] += 1
        positions = np.arange(lines.first, lines.first + len(raw), dtype=np.int64)
        if keep.all():
            return self._inner.parse_at(data, positions)
        kept = b"".join(raw[i] + b"\n" for i in np.flatnonzero(keep))
        skipped = {rule: count for rule, count in passed_over.items() if count}
        return together([self._inner.parse_at(kept, positions[keep]), Parsed(nothing(), skipped=skipped)])

    def _is_counted(self, response: bytes) -> bool:
        """Whether the call was counted at its request."""
        digest = _digest(response)
        if digest in self._open:
            self._open.remove(digest)
            return True
        self._others += 1
        if self._others >= _PATIENCE:
            self._open, self._others = [], 0
        return False


def _digest(line: bytes) -> int:
    """What a call's two events have in common, as a number: no masking takes it for a secret."""
    found = _CALL.search(line)
    told = b"\0".join(found.groups()) if found is not None else line
    return int.from_bytes(blake2b(told, digest_size=6).digest(), "big")
