"""Credentials: found in headers, cookies, queries and certificates, fingerprinted at once.

A token is an instance of a credential: JSON Web Tokens of one issuer, client and subject are one
credential, however often they are renewed. Everything else is its own credential. Claims are read without
checking the signature and are marked unverified. Nothing here keeps a clear value.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from wardgate.core.keys import Key
from wardgate.match.secrets import carries_secret, secret_kind

# Stronger evidence of who is calling comes first: the first credential of a call names its caller.
STRENGTH = (
    "client_certificate",
    "jwt",
    "signature",
    "bearer",
    "api_key",
    "gateway_key",
    "basic",
    "digest",
    "session",
)

API_KEY_HEADERS = frozenset(
    [
        "x-api-key",
        "api-key",
        "apikey",
        "x-apikey",
        "x-auth-token",
        "x-access-token",
        "x-token",
        "ocp-apim-subscription-key",
        "x-goog-api-key",
        "x-functions-key",
        "x-rapidapi-key",
        "x-amz-security-token",
        "private-token",
        "x-vault-token",
        "x-shopify-access-token",
        "x-auth-key",
        "x-gitlab-token",
        "dd-api-key",
        "x-n8n-api-key",
        "x-session-token",
        "x-csrf-token",
    ]
)
NOT_CREDENTIALS = frozenset(
    ["x-csrf-token", "x-xsrf-token", "csrf_token", "xsrf_token", "code", "state", "nonce"]
)
SESSION_COOKIES = re.compile(
    r"(?:^|[-_.])(?:sess|session|sessionid|sessid|sid|phpsessid|jsessionid|connect\.sid|asp\.net_sessionid|"
    r"aspxauth|auth|token|jwt|access_token|id_token|remember[_-]?(?:me|token)|laravel_session|csrftoken_session)"
    r"(?:$|[-_.])|sess(?:ion)?_?id|session",
    re.IGNORECASE,
)
LONGEST = 16_384
_LONG_ENOUGH_FOR_LAST_FOUR = 20


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of a token, unverified. Times in µs."""

    issuer: str | None
    subject: str | None  # keyed hash
    audience: tuple[str, ...]
    client: str | None
    scopes: tuple[str, ...]
    actor: str | None
    issued_at_us: int | None
    not_before_us: int | None
    expires_at_us: int | None
    person: bool  # a subject that is not the client itself

    def row(self) -> dict[str, Any]:
        """As the Call's `claims` struct."""
        return {
            "issuer": self.issuer,
            "subject": self.subject,
            "audience": list(self.audience),
            "client": self.client,
            "scopes": list(self.scopes),
            "actor": self.actor,
            "issued_at_us": self.issued_at_us,
            "not_before_us": self.not_before_us,
            "expires_at_us": self.expires_at_us,
            "verified": False,
        }


@dataclass(frozen=True, slots=True)
class Credential:
    """One recognised credential: fingerprints and what may be shown."""

    kind: str
    place: str
    fingerprint: str
    hint: str
    credential_id: int
    claims: Claims | None = None
    login: str | None = None  # keyed hash of a user name

    @property
    def strength(self) -> int:
        return STRENGTH.index(self.kind) if self.kind in STRENGTH else len(STRENGTH)


class Recogniser:
    """Turns raw presented values into credentials under one key."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def authorization(self, value: str, place: str = "header:authorization") -> Credential | None:
        """An `Authorization` header, or None when it presents nothing (RFC 9110, 11.6.2)."""
        scheme, _, rest = value.strip().partition(" ")
        rest = rest.strip()[:LONGEST]
        low = scheme.lower()
        if not rest:
            return (
                self.opaque("bearer", place, scheme) if len(scheme) >= 8 and not _is_masked(scheme) else None
            )
        if _is_masked(rest):
            return None
        if low in ("bearer", "dpop", "token", "jwt", "oauth"):
            return self.token(place, rest.removeprefix("token=").strip('"'))
        if low == "basic":
            return self._basic(place, rest)
        if low == "digest":
            found = re.search(r'username="([^"]*)"', rest)
            name = found[1] if found else ""
            return self._made("digest", place, f"digest\0{name}", "Digest", login=name)
        if low.startswith(("aws4-", "aws3")):
            found = re.search(r"Credential=([A-Za-z0-9]+)", rest)
            name = found[1] if found else rest
            return self._made("signature", place, f"aws\0{name}", f"AWS {scheme}")
        if low in ("signature", "hmac", "hawk"):
            found = re.search(r'(?:keyId|id|username)="([^"]*)"', rest)
            return self._made("signature", place, found[1] if found else rest, scheme.title())
        return self.opaque("api_key" if low in ("apikey", "api-key", "key") else "bearer", place, rest)

    def token(self, place: str, value: str) -> Credential:
        """A bearer token: a JSON Web Token with its claims, or opaque."""
        payload = _jwt_payload(value)
        if payload is None:
            return self.opaque("bearer", place, value)
        claims = self._claims(payload)
        identity = [
            claims.issuer or "",
            claims.client or "",
            claims.subject or "",
            _text(payload.get("sid")) or "",
        ]
        stable = any(identity[1:])
        return Credential(
            "jwt",
            place,
            self._key.fingerprint(value),
            f"JWT of {_shown(claims.client or claims.issuer) or 'unknown issuer'}",
            self._key.id64("credential", "jwt\0" + "\0".join(identity) if stable else "value\0" + value),
            claims,
        )

    def api_key(self, place: str, value: str) -> Credential | None:
        """A key in a header, a query parameter or a path; None for a value a log has masked."""
        if not value or _is_masked(value):
            return None
        if _jwt_payload(value) is not None:
            return self.token(place, value)
        return self.opaque("api_key", place, value)

    def gateway_key(self, kind: str, name: str) -> Credential:
        """A key that the gateway names (an AWS API key id, a Kong consumer): its name is not secret."""
        made = self._made("gateway_key", f"gateway:{kind}", name, kind)
        return Credential(
            made.kind,
            made.place,
            made.fingerprint,
            f"{kind} {_shown(name) or ''}".strip(),
            made.credential_id,
        )

    def certificate(self, text: str) -> Credential | None:
        """A client certificate: Envoy's XFCC (`Hash=…;Subject=…`), a subject name, or a fingerprint."""
        if not text.strip() or _is_masked(text):
            return None
        found = re.search(r"(?:^|[;,])Hash=([0-9A-Fa-f]+)", text)
        uri = re.search(r'(?:^|[;,])URI=([^;,"]+)', text)
        subject = re.search(r'Subject="([^"]*)"', text)
        name = (uri and uri[1]) or (subject and subject[1]) or (None if found else text)
        identity = (uri and uri[1]) or (subject and subject[1]) or (found and found[1].lower()) or text
        common = re.search(r"CN\s*=\s*([^,/+]+)", name or "")
        shown = common[1].strip() if common else name
        return self._made("client_certificate", "tls", identity, f"certificate {_shown(shown) or ''}".strip())

    def cookies(self, header: str) -> list[Credential]:
        """The session and token cookies of a `Cookie` header."""
        found = []
        for pair in header[: 4 * LONGEST].split(";")[:100]:
            name, equals, value = pair.strip().partition("=")
            one = self.cookie(name, value) if equals else None
            if one is not None:
                found.append(one)
        return found

    def cookie(self, name: str, value: str) -> Credential | None:
        """One cookie, if it is a session's or a token's."""
        value = value.strip('"')
        if len(value) < 4 or _is_masked(value):
            return None
        bare = name.removeprefix("__Host-").removeprefix("__Secure-")
        place = f"cookie:{bare[:40]}"
        if _jwt_payload(value) is not None:
            return self.token(place, value)
        if not SESSION_COOKIES.search(bare) or bare.lower() in NOT_CREDENTIALS:
            return None
        return self.opaque("session", place, value)

    def opaque(self, kind: str, place: str, value: str) -> Credential:
        value = value[:LONGEST]
        shape = secret_kind(value)
        hint = (
            kind.replace("_", " ")
            if shape in (None, "opaque", "hex")
            else f"{kind.replace('_', ' ')} {shape}"
        )
        if shape is not None and len(value) >= _LONG_ENOUGH_FOR_LAST_FOUR:
            hint += f" …{value[-4:]}"
        return self._made(kind, place, value, hint)

    def login(self, name: str) -> str:
        """A login name, as a keyed hash."""
        return self._key.fingerprint("login\0" + name)[:16]

    def _basic(self, place: str, encoded: str) -> Credential:
        try:
            name, _, _password = (
                base64.b64decode(encoded, validate=False).decode("utf-8", "replace").partition(":")
            )
        except (binascii.Error, ValueError):
            return self.opaque("basic", place, encoded)
        # The credential is the user; the fingerprint is of name and password together.
        return Credential(
            "basic",
            place,
            self._key.fingerprint(encoded),
            "Basic",
            self._key.id64("credential", f"basic\0{name}"),
            login=self.login(name),
        )

    def _made(self, kind: str, place: str, identity: str, hint: str, login: str | None = None) -> Credential:
        return Credential(
            kind,
            place,
            self._key.fingerprint(identity),
            hint,
            self._key.id64("credential", f"{kind}\0{identity}"),
            login=self.login(login) if login else None,
        )

    def _claims(self, payload: dict[str, Any]) -> Claims:
        subject = _text(payload.get("sub"))
        client = (
            _text(payload.get("azp"))
            or _text(payload.get("client_id"))
            or _text(payload.get("cid"))
            or _text(payload.get("appid"))
        )
        scope = payload.get("scope", payload.get("scp", payload.get("scopes")))
        actor = payload.get("act")
        hashed = self._key.fingerprint("subject\0" + subject)[:16] if subject else None
        machine = subject is None or subject == client or payload.get("gty") == "client-credentials"
        return Claims(
            issuer=_shown(_text(payload.get("iss"))),
            subject=hashed,
            audience=tuple(shown for one in _texts(payload.get("aud")) if (shown := _shown(one))),
            client=_shown(client),
            scopes=tuple(shown for one in _texts(scope, split=True) if (shown := _shown(one))),
            actor=_shown(_text(actor.get("sub"))) if isinstance(actor, dict) else None,
            issued_at_us=_time(payload.get("iat")),
            not_before_us=_time(payload.get("nbf")),
            expires_at_us=_time(payload.get("exp")),
            person=not machine,
        )


def _jwt_payload(token: str) -> dict[str, Any] | None:
    """The claims of a compact JWS, unverified; None when it is not one."""
    parts = token.split(".")
    if len(parts) != 3 or len(parts[0]) < 8 or not token.isascii():
        return None
    try:
        header, payload = (msgspec.json.decode(_base64url(part)) for part in parts[:2])
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        return None
    if isinstance(header, dict) and isinstance(payload, dict) and ("alg" in header or "typ" in header):
        return payload
    return None


def _base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_masked(value: str) -> bool:
    """What a log wrote in a secret's place: `***`, `REDACTED`, `<hidden>`, `-`."""
    bare = value.strip().strip("<>[]()\"'")
    return not bare.strip("*xX.-") or bare.lower() in (
        "redacted",
        "hidden",
        "masked",
        "filtered",
        "null",
        "undefined",
        "none",
    )


def _text(value: object) -> str | None:
    return value[:300] if isinstance(value, str) and value else None


def _texts(value: object, split: bool = False) -> list[str]:
    if isinstance(value, str):
        return value[:2000].split()[:50] if split else [value[:300]]
    if isinstance(value, list):
        return [one[:300] for one in value[:50] if isinstance(one, str)]
    return []


def _time(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        return None
    return int(value * 1_000_000)


_UNSHOWABLE = re.compile(r"[^\x20-\x7e]")
_shown_text: Callable[[str], str] = lambda text: _UNSHOWABLE.sub("?", text)  # noqa: E731


def _shown(text: str | None) -> str | None:
    """A claim or name that may be stored: never anything that looks like a secret or a person's address."""
    if not text:
        return None
    if secret_kind(text) is not None or "@" in text or carries_secret(text):
        return None
    return _shown_text(text)[:200]
