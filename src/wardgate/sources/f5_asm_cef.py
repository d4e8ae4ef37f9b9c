r"""F5 ASM / Advanced WAF events in ArcSight's Common Event Format.

Reference: F5, "BIG-IP ASM: Implementations", Logging Application Security Events (storage format Common Event
Format); ArcSight, "Implementing ArcSight Common Event Format (CEF)". Header fields are divided by `|`,
extensions by ` key=`; `\=`, `\|` and `\\` stand for themselves. The first of equal keys counts.
"""

import re

from wardgate.sources.f5_asm_events import EventParser
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.text_lines import parser_fit

_HEADER = re.compile(r"CEF:\s*\d+\|F5\|(?:[^|\\]|\\.)*(?:\|(?:[^|\\]|\\.)*){4}\|\s*")
_KEY = re.compile(r"(?:\A|(?<=\s))([A-Za-z][A-Za-z0-9_.]{0,63})=")
_ESCAPED = re.compile(r"\\([=|\\])")
_KEYS = {
    "src": "ip_client",
    "spt": "src_port",
    "dst": "dest_ip",
    "dpt": "dest_port",
    "requestMethod": "method",
    "app": "protocol",
    "rt": "date_time",
    "suser": "username",
    "externalId": "support_id",
    "request": "uri",
    "act": "request_status",
}
_LABELS = {
    "policy_name": "policy_name",
    "http_class_name": "http_class_name",
    "web_application_name": "web_application_name",
    "response_code": "response_code",
    "x_forwarded_for_header_value": "x_forwarded_for_header_value",
    "full_request": "request",
}
"""What `cs1Label`, `cn1Label`… may say, and the key of the key-value format that their value has there."""
_DATE = "%b %d %Y %H:%M:%S"


def extensions(text: str) -> dict[str, str]:
    """CEF extensions, escapes undone."""
    found: dict[str, str] = {}
    keys = list(_KEY.finditer(text))
    for i, key in enumerate(keys):
        if key[1] not in found:
            end = keys[i + 1].start() if i + 1 < len(keys) else len(text)
            value = text[key.end() : end].strip()
            found[key[1]] = _ESCAPED.sub(r"\1", value) if "\\" in value else value
    return found


def event_of(line: str) -> dict[str, str] | None:
    """One event by the keys of F5's key-value format; None where the line is no CEF of F5's."""
    header = _HEADER.search(line)
    if header is None:
        return None
    raw = extensions(line[header.end() :].removesuffix("#015"))  # a syslog daemon's spelling of CR
    event = {name: raw[key] for key, name in _KEYS.items() if key in raw}
    for key, label in raw.items():
        name = _LABELS.get(label) if key.endswith("Label") else None
        if name is not None and key.removesuffix("Label") in raw:
            event.setdefault(name, raw[key.removesuffix("Label")])
    return event


class F5AsmCef:
    """Events of F5 ASM and Advanced WAF in the Common Event Format (CEF)."""

    name = "f5-asm-cef"
    title = "F5 ASM / Advanced WAF events (CEF)"
    reference = "F5, BIG-IP ASM Implementations: Logging Application Security Events"

    def fit(self, sample: bytes) -> Fit | None:
        return parser_fit(self.parser(Options()), sample, "F5 ASM events in CEF")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return EventParser(event_of, _DATE, options.timezone)
