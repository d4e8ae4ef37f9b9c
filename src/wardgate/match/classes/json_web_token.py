"""JSON Web Tokens: three parts, the first of which decodes to a header."""

import base64
import binascii

import msgspec

from wardgate.match.classes.shape import DataClass, Pattern


def has_header(value: str) -> bool:
    """The first part is a JOSE header: a JSON object that names an algorithm."""
    head = value.partition(".")[0]
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


def _made(header: bytes) -> str:
    first, second = (
        base64.urlsafe_b64encode(one).decode().rstrip("=") for one in (header, b'{"sub":"1234567890"}')
    )
    return f"{first}.{second}.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk"


JSON_WEB_TOKEN = DataClass(
    name="jwt",
    title="JSON Web Token",
    reference="RFC 7519; RFC 7515, 3.1",
    patterns=(
        Pattern(
            r"(?:^|[^A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*){1,3})",
            alone=0.97,
            named=0.99,
            within=True,
            valid=has_header,
        ),
    ),
    found=(
        ("", _made(b'{"alg":"HS256","typ":"JWT"}')),
        ("log", "Bearer " + _made(b'{"typ":"JWT","alg":"none"}') + " sent"),
    ),
    passed=(
        ("", _made(b'{"type":"page"}')),
        ("", "eyJhbGciOiJIUzI1NiJ9"),
        ("cursor", "eyJpZCI6MTIzNDU2Nzg5MH0="),
    ),
)
