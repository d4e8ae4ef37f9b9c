"""F5 BIG-IP request logging (Local Traffic): the documented templates, or your own.

Reference: F5, "BIG-IP Acceleration: Concepts", Using the Request Logging Profile; F5 BIG-IP Telemetry
Streaming, "Event Listener class" (LTM Request Log profile), whose key-value templates are the ones found by
themselves. A profile that logs requests and responses writes each call twice: once a response has been seen,
request events are passed over by the rule `request-event`.
"""

import re

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
    """Lines of the documented templates; request events count until the first response event."""

    def __init__(self, state: State | None) -> None:
        layouts = [f5_layout(one) for one in (RESPONSE, REQUEST, REQUEST_BEFORE_DATES)]
        self._inner = SeveralLayouts(layouts)
        self._responses = bool((state or {}).get("responses"))

    @property
    def state(self) -> State:
        return {"responses": self._responses}

    def parse(self, lines: Lines) -> Parsed:
        data = lines.data if lines.data.endswith(b"\n") or not lines.data else lines.data + b"\n"
        data = data.replace(b"\r\n", b"\n") if b"\r\n" in data else data
        raw = data.split(b"\n")[:-1]
        keep = np.ones(len(raw), bool)
        for i, line in enumerate(raw):
            found = _KIND.match(line)
            if found is not None and found[1] == b"response":
                self._responses = True
            elif found is not None and self._responses:
                keep[i] = False
        positions = np.arange(lines.first, lines.first + len(raw), dtype=np.int64)
        if keep.all():
            return self._inner.parse_at(data, positions)
        kept = b"".join(raw[i] + b"\n" for i in np.flatnonzero(keep))
        passed_over = Parsed(nothing(), skipped={"request-event": int((~keep).sum())})
        return together([self._inner.parse_at(kept, positions[keep]), passed_over])
