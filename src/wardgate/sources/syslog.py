"""Syslog messages: what stands before the content, and the content without it.

RFC 5424 (The Syslog Protocol) and RFC 3164 (The BSD syslog Protocol) as programs really write it: without a
host (HAProxy; NGINX with `nohostname`), a tag or a stamp, with an ISO 8601 stamp (rsyslog), with nothing at
all. A header that is missing or broken loses nothing: the content is then the whole message. The record's
own stamp is what counts, not the header's.
"""

import re
from dataclasses import dataclass, field

_STAMP_3164 = rb"[A-Z][a-z]{2} (?: \d|\d\d)(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,9})?"
_STAMP_5424 = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_TAG = rb"([^ :\[\]\"{}]{1,128})(?:\[[^\]\n]{0,64}\])?: ?(?!//)"
_NEW = re.compile(
    rb"<\d{1,3}>[1-9]\d{0,2} (?:-|" + _STAMP_5424 + rb") ([^ ]{1,255}) ([^ ]{1,255}) [^ ]{1,255} [^ ]{1,255} "
    rb'(?:-|(?:\[[^ =\]"]{1,255}(?: [^ =\]"]{1,255}="(?:[^"\\]|\\.)*+")*+\])+)(?: |\Z)',
    re.DOTALL,
)
_OLD = re.compile(rb"<\d{1,3}>(?:" + _STAMP_3164 + rb"|" + _STAMP_5424 + rb") ")
_HOST_AND_TAG = re.compile(rb"(?:([^ \[\]\"{}]{0,254}[^ \[\]\"{}:]) )?" + _TAG)
_HOST = re.compile(rb"([^ \[\]\"{}=]{1,255}) ")
_TAG_ALONE = re.compile(rb"(?=[A-Za-z_/])" + _TAG)
_PRIORITY = re.compile(rb"<\d{1,3}>")
_BOM = b"\xef\xbb\xbf"
_COOKIE = re.compile(rb"@cee: ?")
_ENDS = b"\r\n\0"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `host` and `app` are as the header gives them, "" where it does not."""

    host: str
    app: str
    content: bytes = field(repr=False)


def read_message(raw: bytes) -> Message:
    """The message in one datagram or frame. Never raises; line breaks inside its content become spaces."""
    raw = raw.rstrip(_ENDS)
    host, app, at = _header(raw)
    content = raw[at:].removeprefix(_BOM)
    cookie = _COOKIE.match(content)
    content = content[cookie.end() :] if cookie else content
    if b"\n" in content:
        content = content.replace(b"\n", b" ")
    return Message(_name(host), _name(app), content)


def _header(raw: bytes) -> tuple[bytes, bytes, int]:
    """Host, application and where the content begins."""
    found = _NEW.match(raw)
    if found is not None:
        return found[1], found[2], found.end()
    found = _OLD.match(raw)
    if found is not None:
        rest = found.end()
        named = _HOST_AND_TAG.match(raw, rest)
        if named is not None:
            return named[1] or b"", named[2], named.end()
        named = _HOST.match(raw, rest)
        return (named[1], b"", named.end()) if named is not None else (b"", b"", rest)
    found = _PRIORITY.match(raw)
    if found is None:
        return b"", b"", 0
    named = _TAG_ALONE.match(raw, found.end())
    return (b"", named[1], named.end()) if named is not None else (b"", b"", found.end())


def _name(raw: bytes) -> str:
    return "" if raw == b"-" else raw.decode("utf-8", "replace")
