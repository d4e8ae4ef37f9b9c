"""What a body holds, by what it is and not by what its content type says: as objects, lists and texts.

JSON as it is; XML, and forms of both encodings, as objects of the same kind; all other text is one text, and
bytes are nothing. Whoever reads the result bounds its depth and values.
"""

import msgspec

from wardgate.match.finder import LONGEST
from wardgate.recognise.body_bounds import MOST_BYTES
from wardgate.recognise.form_bodies import read_form
from wardgate.recognise.multipart_bodies import looks_multipart, read_multipart
from wardgate.recognise.xml_bodies import looks_xml, read_xml

Body = dict[str, object] | list[object] | str
OPENING = (b"{", b"[")
"""What JSON objects and arrays begin with."""
_DECODER = msgspec.json.Decoder()
_MOST_NULS = 8


def read_body(raw: bytes) -> Body | None:
    """A body's values; None for nothing that can be read."""
    root = structured(raw)
    if root is None and looks_multipart(raw):
        root = read_multipart(raw[:MOST_BYTES], _part)
    return text_of(raw, is_form=True) if root is None else root


def structured(raw: bytes) -> dict[str, object] | list[object] | None:
    """A JSON object or array, or an XML document; None where it is none, or too long to be decoded."""
    if len(raw) > MOST_BYTES:
        return None
    if raw[:1] in OPENING or raw[:64].lstrip()[:1] in OPENING:
        try:
            root: dict[str, object] | list[object] = _DECODER.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return root
    return read_xml(raw) if looks_xml(raw) else None


def text_of(raw: bytes, *, is_form: bool = False) -> dict[str, object] | str | None:
    """The beginning of a text, or a form's fields where it may be one; None for bytes that are no text."""
    cut = raw[: 4 * LONGEST]
    if is_form:
        fields = read_form(cut)
        if fields is not None:
            return fields
    text = cut.decode("utf-8", "ignore")
    if not text or text.count("\0") > _MOST_NULS:
        return None
    return text[:LONGEST]


def _part(raw: bytes) -> object:
    """What a part of a multipart body holds; None for bytes."""
    root = structured(raw)
    return (text_of(raw) if raw else "") if root is None else root
