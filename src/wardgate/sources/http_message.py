r"""A raw HTTP message as a log field holds it: start line, headers and body, with `\r\n` spelled out.

Security products log whole requests into one field. What stands there may be cut anywhere.
"""

import re
from dataclasses import dataclass

_BREAK = re.compile(r"\\r\\n|\r\n")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}\Z")
_MOST_HEADERS = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One message, with as many header names as values. `body` is None where there is none to be seen."""

    start: str
    names: list[str]
    values: list[str]
    body: bytes | None


def read_message(text: str) -> Message:
    """The parts of a message; a line that is no header is passed over."""
    head, divider, body = _divided(text)
    start, *lines = _BREAK.split(head)
    names, values = [], []
    for line in lines[:_MOST_HEADERS]:
        name, colon, value = line.partition(":")
        if colon and _NAME.match(name):
            names.append(name)
            values.append(value.strip())
    whole = _BREAK.sub("\r\n", body).encode("utf-8", "surrogateescape") if divider and body else None
    return Message(start.strip(), names, values, whole)


def _divided(text: str) -> tuple[str, str, str]:
    for divider in ("\\r\\n\\r\\n", "\r\n\r\n"):
        head, found, body = text.partition(divider)
        if found:
            return head, found, body
    return text, "", ""
