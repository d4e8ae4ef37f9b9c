"""JSON Web Tokens (RFC 7519): read without checking their signature, and marked so.

Tokens of one issuer, client, subject and session are one credential, however often they are renewed. What
names none of them is a credential by its value. A proof-of-possession token that wraps another (`at`) is the
one it wraps.
"""

import base64
import binascii
import hashlib
import json
from typing import Any

import msgspec

from wardgate.recognise.credentials.credential import Claims, Credential, Part
from wardgate.recognise.credentials.maker import LONGEST, Maker, shown

Payload = dict[str, Any]


def token(maker: Maker, place: str, value: str, kind: str = "bearer") -> Credential:
    """A bearer token: a JSON Web Token with its claims, or opaque."""
    value = value[:LONGEST]
    read = parts_of(value)
    if read is None:
        return maker.secret(kind, place, value, hint="JWE" if _is_encrypted(value) else "")
    _, payload = read
    inner = payload.get("at")
    if isinstance(inner, str) and inner != value and parts_of(inner) is not None:
        return token(maker, place, inner, kind)
    claims = claims_of(maker, payload)
    session = text(payload.get("sid")) or ""
    identity = [claims.issuer or "", claims.client or "", claims.subject or "", session]
    who = shown(claims.client or claims.issuer) or "unknown issuer"
    if not any(identity[1:]):
        made = maker.secret("jwt", place, value)
        return Credential(
            "jwt", place, made.fingerprint, f"JWT of {who}", made.credential_id, claims,
            expires_at_us=claims.expires_at_us,
        )  # fmt: skip
    return maker.named(
        "jwt",
        place,
        "jwt\0" + "\0".join(identity),
        f"JWT of {who}",
        instance=value,
        claims=claims,
        name=claims.client,
        is_agent=claims.actor is not None,
        expires_at_us=claims.expires_at_us,
    )


def proof(maker: Maker, place: str, value: str) -> Credential | None:
    """The key behind a DPoP proof (RFC 9449): known by its thumbprint (RFC 7638), each proof an instance."""
    read = parts_of(value[:LONGEST])
    key = read[0].get("jwk") if read is not None else None
    if not isinstance(key, dict):
        return None
    members = {name: key[name] for name in ("crv", "e", "k", "kty", "n", "x", "y") if name in key}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"), default=str)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).decode().rstrip("=")
    return maker.named("proof_key", place, f"jkt\0{thumbprint}", "DPoP proof key", part=Part.COMPANION)


def parts_of(value: str) -> tuple[Payload, Payload] | None:
    """Header and claims of a compact JWS, unverified; None when it is not one."""
    parts = value.split(".")
    if len(parts) != 3 or len(parts[0]) < 8 or not value.isascii():
        return None
    try:
        header, payload = (msgspec.json.decode(_decoded(part)) for part in parts[:2])
    except (ValueError, binascii.Error, msgspec.MsgspecError, RecursionError):
        return None
    if isinstance(header, dict) and isinstance(payload, dict) and ("alg" in header or "typ" in header):
        return header, payload
    return None


def claims_of(maker: Maker, payload: Payload) -> Claims:
    """The claims that are kept: names that may be shown, the subject as a keyed hash."""
    subject = text(payload.get("sub")) or text(payload.get("oid")) or text(payload.get("uid"))
    client = next(
        (
            found
            for name in ("azp", "client_id", "cid", "appid", "clientId")
            if (found := text(payload.get(name)))
        ),
        None,
    )
    scope = payload.get("scope", payload.get("scp", payload.get("scopes", payload.get("roles"))))
    actor = payload.get("act")
    machine = (
        subject is None
        or subject in (client, f"{client}@clients")
        or payload.get("gty") == "client-credentials"
        or payload.get("idtyp") == "app"
        or subject.startswith(("spiffe://", "system:serviceaccount:"))
    )
    return Claims(
        issuer=shown(text(payload.get("iss"))),
        subject=maker.subject(subject) if subject else None,
        audience=tuple(one for each in _texts(payload.get("aud")) if (one := shown(each))),
        client=shown(client),
        scopes=tuple(one for each in _texts(scope, split=True) if (one := shown(each))),
        actor=_actor(actor),
        issued_at_us=_time(payload.get("iat")),
        not_before_us=_time(payload.get("nbf")),
        expires_at_us=_time(payload.get("exp")),
        person=not machine,
    )


def text(value: object) -> str | None:
    """A claim that is text, cut to 300 characters."""
    return value[:300] if isinstance(value, str) and value else None


def _actor(value: object) -> str | None:
    """Who acts now (RFC 8693, 4.1): the outermost actor."""
    if not isinstance(value, dict):
        return None
    return shown(text(value.get("sub")) or text(value.get("client_id")))


def _is_encrypted(value: str) -> bool:
    parts = value.split(".")
    if len(parts) != 5:
        return False
    try:
        header = msgspec.json.decode(_decoded(parts[0]))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        return False
    return isinstance(header, dict) and "enc" in header


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


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
