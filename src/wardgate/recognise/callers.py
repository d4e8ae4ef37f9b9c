"""Callers: who is behind credentials and connections, as far as one call can tell.

The strongest credential names the caller. Without one, an address together with a user agent is all there
is: no address is ever anybody's identity by itself, and the confidence says how little that is.
"""

from dataclasses import dataclass

from wardgate.recognise.credentials import Credential
from wardgate.recognise.software import Kind


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller named by a credential."""

    identity: str
    kind: Kind
    name: str
    basis: str
    confidence: float


def caller_of(credential: Credential) -> Caller:
    """The caller a credential speaks for."""
    claims = credential.claims
    if claims is not None:
        via = f" via {claims.client}" if claims.client else ""
        if claims.actor:
            return Caller(
                f"actor\0{claims.issuer}\0{claims.actor}", Kind.AGENT, claims.actor, "token actor", 0.8
            )
        if claims.subject and claims.person:
            name = f"subject {claims.subject[:8]}{via}"
            return Caller(
                f"subject\0{claims.issuer}\0{claims.subject}", Kind.PERSON, name, "token subject", 0.7
            )
        if claims.client:
            return Caller(
                f"client\0{claims.issuer}\0{claims.client}", Kind.SERVICE, claims.client, "token client", 0.8
            )
        if claims.subject:
            name = f"subject {claims.subject[:8]}"
            return Caller(
                f"subject\0{claims.issuer}\0{claims.subject}", Kind.UNKNOWN, name, "token subject", 0.5
            )
    identity = f"credential\0{credential.credential_id}"
    if credential.login is not None:
        return Caller(
            f"login\0{credential.login}", Kind.UNKNOWN, f"login {credential.login[:8]}", "login name", 0.7
        )
    if credential.kind == "client_certificate":
        return Caller(identity, Kind.SERVICE, credential.hint, "client certificate", 0.9)
    if credential.kind == "session":
        return Caller(identity, Kind.PERSON, f"session {credential.fingerprint[:8]}", "session", 0.5)
    kind = Kind.SERVICE if credential.kind in ("api_key", "gateway_key", "signature") else Kind.UNKNOWN
    return Caller(
        identity,
        kind,
        f"{credential.hint} ({credential.fingerprint[:8]})",
        credential.kind.replace("_", " "),
        0.6,
    )
