"""SOAP: the action, and the first element of the body.

An action that says another operation than the body's element does is a known way past a gateway: the name
then shows both. Bodies are read by an XML parser that refuses document types and entities, only up to the
element that is asked for, and within a bound.
"""

import re
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from wardgate.recognise.protocols.shape import TOO_LARGE, UNREADABLE, Found, Hints, Seen

_ACTION = "req.soapaction"
_MOST_BYTES = 64 << 10
"""Bytes in which the body's first element must stand; headers with signatures come before it."""
_PARAMETER = re.compile(r";\s*action\s*=\s*\"?([^\";]*)", re.IGNORECASE)
_LAST = re.compile(r"([^/#:\s]+)/?\s*\Z")
_ENVELOPE = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,40}:)?Envelope[\s>]")
_NAMESPACES = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope")
_ENDINGS = ("request", "in", "input", "message", "requestmessage", "soapin", "")


class Soap:
    """SOAP: action of the header or content type, and the body's first element."""

    name = "soap"
    title = "SOAP"
    reference = "SOAP 1.1, 6.1.1; SOAP 1.2 Part 2, 6.5.3"
    hints = Hints(
        headers=(_ACTION,),
        request_type=r"^application/soap\+xml",
        body=(":Envelope", "<Envelope"),
    )
    reads = ()
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        kind = seen.request_type or ""
        marked = seen.claimed or _ACTION in seen.headers or kind.startswith("application/soap+xml")
        element = _first_element(seen.body)
        if element is None and not marked:
            return None
        action = _action(seen.headers.get(_ACTION), kind)
        if action is None or element is None:
            return Found(action or element)
        if element in (UNREADABLE, TOO_LARGE) or _agree(action, element):
            return Found(action)
        return Found(f"{action} (body: {element})")


def _action(header: str | None, content_type: str) -> str | None:
    """The last part of the action's address: `http://shop.example/Orders/GetOrder` is `GetOrder`."""
    value = (header or "").strip().strip("\"'")
    if not value:
        found = _PARAMETER.search(content_type)
        value = found[1].strip() if found else ""
    found = _LAST.search(value)
    return found[1] if found else None


def _agree(action: str, element: str) -> bool:
    """Whether both name one operation, as toolkits derive one from the other."""
    first, second = action.lower(), element.lower()
    return any(first == second + ending or second == first + ending for ending in _ENDINGS)


class _Done(Exception):  # noqa: N818 - the end of reading, no error
    def __init__(self, name: str | None) -> None:
        super().__init__()
        self.name = name


class _Target:
    """Takes the parser's events up to the body's first element; keeps no tree."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_body = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.lstrip("{").rpartition("}")
        self._depth += 1
        if self._depth == 1 and (name != "Envelope" or namespace not in _NAMESPACES):
            raise _Done(None)
        if self._depth == 2:
            self._in_body = name == "Body" and namespace in _NAMESPACES
        if self._depth == 3 and self._in_body:
            raise _Done(name)

    def end(self, tag: str) -> None:
        self._depth -= 1

    def data(self, text: str) -> None: ...

    def close(self) -> None: ...


def _first_element(body: bytes | None) -> str | None:
    """Local name of the body's first element; None where it is no envelope."""
    if body is None or _ENVELOPE.search(body[:_MOST_BYTES]) is None:
        return None
    parser: Any = DefusedXMLParser(target=_Target(), forbid_dtd=True)
    try:
        parser.feed(body[:_MOST_BYTES])
        if len(body) > _MOST_BYTES:
            return TOO_LARGE
        parser.close()
    except _Done as done:
        return done.name
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return UNREADABLE
    return UNREADABLE
