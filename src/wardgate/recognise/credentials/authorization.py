"""`Authorization` and `Proxy-Authorization` (RFC 9110, 11.6): each scheme by what it really presents.

Some schemes carry a secret (Bearer, Basic, keys), some only prove one (Digest, signatures): of the latter the
public name is kept and what was computed is dropped. Schemes are as registered with IANA, and as the large
services document their own.
"""

import base64
import binascii
import re
from collections.abc import Callable

from wardgate.recognise.credentials.credential import Credential
from wardgate.recognise.credentials.json_web_token import parts_of, token
from wardgate.recognise.credentials.maker import LONGEST, Maker, is_masked
from wardgate.recognise.credentials.signature import cloud_signature, key_pair_signature, parameters_of

_SHORTEST = 8
_BEARER = frozenset("bearer dpop pop token jwt oauth gnap zoho-oauthtoken bot x-access-token session".split())
_SIGNED = frozenset("signature hawk hmac mac escher acs eg1-hmac-sha256 hmac-sha256".split())
_SIGNATURE_OF_ACCOUNT = frozenset(
    "sharedkey sharedkeylite sharedaccesssignature aws goog1 oss cos obs".split()
)
_KEYS = frozenset(
    """
    apikey api-key api_key key ssws geniekey sso-key klaviyo-api-key splunk privatetoken accesskey x-api-key
    apitoken server-token application-key appkey secret client-key discogs link authkey
    """.split()
)

Scheme = Callable[[Maker, str, str, str], Credential | None]


def authorization(maker: Maker, value: str, place: str) -> Credential | None:
    """What one such header presents; None for nothing, or for what a log has masked."""
    scheme, _, rest = value.strip()[: 2 * LONGEST].partition(" ")
    rest = rest.strip()
    if not rest:
        return _bare(maker, place, scheme)
    if is_masked(rest):
        return None
    low = scheme.lower().rstrip(":")
    known = _SCHEMES.get(low)
    if known is not None:
        return known(maker, place, scheme, rest)
    if low.startswith(("aws4-", "aws3", "goog4-", "oss4-", "acs3-", "tc3-", "sdk-hmac", "x-ams4-", "hmac-")):
        return cloud_signature(maker, place, scheme, rest)
    if is_masked(scheme) or len(rest) < 4:
        return None
    # An unknown scheme: named parameters only if there is no plain token.
    return token(maker, place, rest, "api_key")


def _bare(maker: Maker, place: str, value: str) -> Credential | None:
    """A value without a scheme: a key, sent as some clients do."""
    if len(value) < _SHORTEST or is_masked(value) or value.lower() in _SCHEMES:
        return None
    return token(maker, place, value)


def _bearer(maker: Maker, place: str, scheme: str, rest: str) -> Credential | None:
    if scheme.lower() == "oauth" and "oauth_consumer_key=" in rest:
        return key_pair_signature(maker, place, "OAuth 1.0", rest)
    rest = re.sub(r"\A(?:token|access_token)\s*=\s*", "", rest).split(",")[0].strip().strip('"')
    again = rest.partition(" ")
    if again[0].lower() == "bearer" and again[2]:  # `Bearer Bearer …`, as some clients send
        rest = again[2].strip()
    return token(maker, place, rest) if len(rest) >= 4 and not is_masked(rest) else None


def _basic(maker: Maker, place: str, _: str, encoded: str) -> Credential | None:
    try:
        clear = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        return maker.secret("basic", place, encoded)
    name, colon, password = clear.partition(":")
    if is_masked(clear) or (not name and not password):
        return None
    if not name or not colon or name.lower() in _NO_USERS:
        # The password alone is the secret: `:key`, `x-oauth-basic:token`, `token:…`.
        return token(maker, place, password if colon else name, "api_key")
    if colon and not password and len(name) >= 16:
        # A key sent as user name with an empty password, as payment services have it.
        return token(maker, place, name, "api_key")
    # The credential is the user; the instance is name and password together, and a changed one shows.
    return maker.named("basic", place, f"login\0{name}", "Basic", instance=encoded, login=name)


_NO_USERS = frozenset(
    "x-oauth-basic x-token-auth oauth2 oauth x-access-token __token__ _token apikey api".split()
)


def _digest(maker: Maker, place: str, _: str, rest: str) -> Credential | None:
    """RFC 7616: the user's name counts, hashed; response, nonce and the rest are not kept."""
    found = parameters_of(rest)
    name = found.get("username") or found.get("username*", "").rpartition("'")[2]
    if not name:
        return None
    return maker.named("digest", place, f"login\0{name}", "Digest", login=name)


def _negotiate(maker: Maker, place: str, scheme: str, rest: str) -> Credential | None:
    """RFC 4559: a Kerberos ticket hides its user; NTLM names it in its third message."""
    try:
        raw = base64.b64decode(rest + "=" * (-len(rest) % 4), validate=False)
    except (binascii.Error, ValueError):
        return None
    at = raw.find(b"NTLMSSP\0")
    if at >= 0:
        name = _ntlm_user(raw[at:])
        return maker.named("ntlm", place, f"login\0{name}", "NTLM", login=name) if name else None
    if len(raw) < 16:
        return None
    # Each call has an authenticator of its own: all are one way in, and the server's log has the name.
    return maker.named("negotiate", place, "negotiate\0kerberos", f"{scheme.title()} (Kerberos ticket)")


def _ntlm_user(message: bytes) -> str | None:
    """User (and domain) of an AUTHENTICATE message ([MS-NLMP] 2.2.1.3); None for the messages before it."""
    if len(message) < 64 or message[8:12] != b"\x03\0\0\0":
        return None
    encoding = "utf-16-le" if message[60] & 1 else "latin-1"

    def field(at: int) -> str:
        length, start = (
            int.from_bytes(message[at : at + 2], "little"),
            int.from_bytes(message[at + 4 : at + 8], "little"),
        )
        return message[start : start + length].decode(encoding, "replace")

    domain, user = field(28), field(36)
    return f"{domain}\\{user}" if domain and user else user or None


def _signed(maker: Maker, place: str, scheme: str, rest: str) -> Credential | None:
    return key_pair_signature(maker, place, scheme.title(), rest)


def _of_account(maker: Maker, place: str, scheme: str, rest: str) -> Credential | None:
    """`AWS key:signature`, `SharedKey account:signature`, `SharedAccessSignature sr=…&skn=…`."""
    if "sig=" in rest:
        found = dict(pair.partition("=")[::2] for pair in rest.split("&"))
        name = f"{found.get('sr', '')} {found.get('skn', '')}".strip()
    else:
        name = rest.rpartition(":")[0] or rest
    vendor = "aws" if scheme.lower() == "aws" else scheme.lower()
    return maker.named("signature", place, f"{vendor}\0{name}", f"{scheme} signature")


def _key(maker: Maker, place: str, scheme: str, rest: str) -> Credential | None:
    found = re.search(r'(?:^|[\s,])(?:key|token|api_?key)\s*=\s*"?([^",\s]+)', rest)
    value = found[1] if found else rest.strip('"')
    return token(maker, place, value, "api_key") if len(value) >= 4 and not is_masked(value) else None


def _web_push(maker: Maker, place: str, _: str, rest: str) -> Credential | None:
    """RFC 8292: the token is renewed, the application server's key is not."""
    found = parameters_of(rest)
    if found.get("k"):
        return maker.named("signature", place, f"vapid\0{found['k']}", "VAPID", instance=found.get("t"))
    return token(maker, place, found["t"]) if parts_of(found.get("t", "")) else None


_SCHEMES: dict[str, Scheme] = {
    "basic": _basic,
    "digest": _digest,
    "negotiate": _negotiate,
    "ntlm": _negotiate,
    "kerberos": _negotiate,
    "vapid": _web_push,
    **dict.fromkeys(_BEARER, _bearer),
    **dict.fromkeys(_SIGNED, _signed),
    **dict.fromkeys(_SIGNATURE_OF_ACCOUNT, _of_account),
    **dict.fromkeys(_KEYS, _key),
}
