"""Cookies: sessions and tokens, by name or by being a token; what measures or balances load is left alone."""

from collections.abc import Iterator

from wardgate.recognise.credentials.credential import Credential
from wardgate.recognise.credentials.json_web_token import parts_of, token
from wardgate.recognise.credentials.maker import LONGEST, Maker, is_masked
from wardgate.recognise.credentials.names import is_no_credential, is_session_cookie
from wardgate.recognise.credentials.signature import access_key

MOST = 100
_SHORTEST = 4


def pairs(header: str) -> Iterator[tuple[str, str]]:
    """Names (without `__Host-` and `__Secure-`) and values of a `Cookie` header."""
    for pair in header[: 4 * LONGEST].split(";")[:MOST]:
        name, equals, value = pair.strip().partition("=")
        if equals:
            yield bare(name), value.strip('"')


def bare(name: str) -> str:
    return name.removeprefix("__Host-").removeprefix("__Secure-")


def place_of(name: str) -> str:
    return f"cookie:{name[:40]}"


def cookies(maker: Maker, header: str) -> list[Credential]:
    """The session and token cookies of a `Cookie` header."""
    made = (cookie(maker, name, value) for name, value in pairs(header))
    return [one for one in made if one is not None]


def cookie(maker: Maker, name: str, value: str) -> Credential | None:
    """One cookie, if it is a session's or a token's."""
    name, value = bare(name), value.strip('"')
    if len(value) < _SHORTEST or is_masked(value):
        return None
    if name == "CloudFront-Key-Pair-Id":
        return access_key(maker, place_of(name), "cloudfront", value)
    value = value.removeprefix("Bearer%20").removeprefix("Bearer ")
    if parts_of(value) is not None and not is_no_credential(name.lower()):
        return token(maker, place_of(name), value)
    if not is_session_cookie(name) or is_no_credential(name.lower()):
        return None
    return maker.secret("session", place_of(name), value)
