"""Credentials in queries and matrix parameters: keys and tokens, presigned and signed URLs.

All that one target carries is looked at together: a presigned URL has a key's name, a session token and a
signature, and is one credential. A signed URL whose signer has no name is one way in, not a credential for
each signature; a shared access signature without a key's name is a secret of its own.
"""

from collections.abc import Sequence

from wardgate.match.secrets import secret_kind
from wardgate.recognise.credentials.credential import Credential, Part
from wardgate.recognise.credentials.json_web_token import parts_of, token
from wardgate.recognise.credentials.maker import Maker, is_masked
from wardgate.recognise.credentials.names import is_no_credential, is_strong_parameter, may_be_key
from wardgate.recognise.credentials.signature import PRESIGNED, SIGNATURES, access_key

SHAPED = "shaped"
"""Place of a value that was given away by its shape and not by its parameter's name: `shaped:<name>`."""
_SESSION_TOKENS = ("x-amz-security-token", "x-oss-security-token", "q-token")
_SHORTEST = 6


def in_target(maker: Maker, carried: Sequence[tuple[str, str]]) -> tuple[Credential, ...]:
    """The credentials among a target's (place, value) pairs, each once."""
    named = {place.partition(":")[2]: value for place, value in reversed(carried)}
    found: list[Credential] = []
    signed = _signed(maker, named)
    if signed is not None:
        found.append(signed)
    for place, value in carried:
        side, _, name = place.partition(":")
        if name in PRESIGNED or name in SIGNATURES or len(value) < _SHORTEST or is_masked(value):
            continue
        one = _shaped(maker, name, value) if side == SHAPED else _named(maker, place, name, value)
        if one is None:
            continue
        if name in _SESSION_TOKENS and signed is not None:
            continue
        found.append(one)
    seen: dict[tuple[int, str], Credential] = {}
    for one in found:
        seen.setdefault((one.credential_id, one.place), one)
    return tuple(seen.values())


def _named(maker: Maker, place: str, name: str, value: str) -> Credential | None:
    if is_no_credential(name):
        return None
    value = value.removeprefix("Bearer ").strip()
    says_nothing = not is_strong_parameter(name) and secret_kind(value) is None and parts_of(value) is None
    if says_nothing and (len(value) < 12 or value.isalpha() or "_" in value):
        return None
    kind = "session" if "sess" in name or name == "sid" else "api_key"
    return token(maker, place, value, kind)


def _shaped(maker: Maker, name: str, value: str) -> Credential | None:
    """A token that says what it is, under a name that does not."""
    if is_no_credential(name):
        return None
    if parts_of(value) is not None:
        return token(maker, f"query:{name[:40]}", value) if may_be_key(name) else None
    if secret_kind(value) in (None, "opaque", "hex"):
        return None
    return token(maker, f"query:{name[:40]}", value, "api_key")


def _signed(maker: Maker, named: dict[str, str]) -> Credential | None:
    for name, vendor in PRESIGNED.items():
        if named.get(name):
            return access_key(maker, f"query:{name}", vendor, named[name])
    for name in ("sig", *sorted(SIGNATURES - {"sig"})):
        value = named.get(name)
        if not value or is_masked(value) or len(value) < 16:
            continue
        if name == "sig":  # a shared access signature is handed around like a key
            return maker.secret("signed_url", "query:sig", value, hint="shared access signature")
        return maker.named(
            "signed_url", f"query:{name}", f"signed-url\0{name}", "signed URL", part=Part.WHOLE
        )
    return None
