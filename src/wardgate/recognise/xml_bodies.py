"""XML bodies, SOAP's among them, as objects: elements by their local names, attributes as `@name`.

An element that only holds text is that text; beside attributes or other elements its text is `$`. One that
comes twice below another is a list there. Document types and entities are refused: such a body, one that is
not well-formed, and a page of HTML are texts, as every other text is. Of too many elements the first stay.
"""

import re
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from wardgate.match.finder import LONGEST
from wardgate.recognise.body_bounds import MOST_DEPTH, MOST_VALUES

_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml\s|!--|[A-Za-z_])")
_PAGE = frozenset("html body div span ul ol li h1 h2 h3 h4 h5 h6 img script style nav button".split())
"""What a page, or a part of one, begins with."""
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class _Enough(Exception):  # noqa: N818 - the end of reading, no error
    pass


class _Page(Exception):  # noqa: N818 - no document of this kind
    pass


def looks_xml(raw: bytes) -> bool:
    """Whether a body begins as an XML document does."""
    return _OPENING.match(raw) is not None


def read_xml(raw: bytes) -> dict[str, object] | None:
    """A document's root element; None where it is none."""
    target = _Target()
    parser: Any = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        parser.feed(raw)
        parser.close()
    except _Enough:
        pass
    except (_Page, ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    return target.root()


class _Element:
    """An element that is open."""

    __slots__ = ("fields", "is_nil", "name", "size", "texts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: dict[str, object] = {}
        self.texts: list[str] = []
        self.size = 0
        self.is_nil = False

    def add(self, name: str, value: object) -> None:
        if name not in self.fields:
            self.fields[name] = value
            return
        there = self.fields[name]
        if isinstance(there, list):
            there.append(value)
        else:
            self.fields[name] = [there, value]

    def held(self) -> object:
        text = "".join(self.texts).strip()
        if not self.fields:
            return None if self.is_nil and not text else text
        return {**self.fields, "$": text} if text else self.fields


class _Target:
    """Takes the parser's events; what is too deep or too much is left out."""

    def __init__(self) -> None:
        self._open = [_Element("")]
        self._deeper = 0
        self._values = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._values += 1 + len(attributes)
        if self._values > MOST_VALUES:
            raise _Enough
        if self._deeper or len(self._open) > MOST_DEPTH:
            self._deeper += 1
            return
        name = _local(tag)
        if len(self._open) == 1 and name.lower() in _PAGE:
            raise _Page
        element = _Element(name)
        for key, value in attributes.items():
            if key == _NIL:
                element.is_nil = value.strip() in ("true", "1")
            else:
                element.add(f"@{_local(key)}", value[:LONGEST])
        self._open.append(element)

    def end(self, tag: str) -> None:
        if self._deeper:
            self._deeper -= 1
        else:
            self._close()

    def data(self, text: str) -> None:
        inner = self._open[-1]
        if not self._deeper and inner.size < LONGEST:
            inner.texts.append(text[: LONGEST - inner.size])
            inner.size += len(text)

    def close(self) -> None: ...

    def root(self) -> dict[str, object]:
        """The document, with what is still open."""
        while len(self._open) > 1:
            self._close()
        return self._open[0].fields

    def _close(self) -> None:
        element = self._open.pop()
        self._open[-1].add(element.name, element.held())


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
