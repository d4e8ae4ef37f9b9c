"""Callers: who is behind credentials and connections, as far as one call can tell.

The strongest credential names the caller. Without one, an address together with a user agent is all there
is: no address is ever anybody's identity by itself, and the confidence says how little that is. A key does
not say what holds it: where the user agent names an AI agent, the agent is what calls, and where nothing else
tells, a program's or a browser's own user agent does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wardgate.recognise.credentials.credential import Credential
from wardgate.recognise.distinct import Codes, combined
from wardgate.recognise.software import Kind, Software

_HELD_BY_ANYTHING = (Kind.SERVICE, Kind.UNKNOWN)
_SAYS_WHO = (Kind.SERVICE, Kind.PERSON)


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
            identity = f"actor\0{claims.issuer}\0{claims.actor}"
            return Caller(identity, Kind.AGENT, claims.actor, "token actor", 0.8)
        if claims.subject and claims.person:
            identity, name = f"subject\0{claims.issuer}\0{claims.subject}", f"subject {claims.subject[:8]}"
            return Caller(identity, Kind.PERSON, f"{name}{via}", "token subject", 0.7)
        if claims.client:
            identity = f"client\0{claims.issuer}\0{claims.client}"
            return Caller(identity, Kind.SERVICE, claims.client, "token client", 0.8)
        if claims.subject:
            identity = f"subject\0{claims.issuer}\0{claims.subject}"
            return Caller(identity, Kind.SERVICE, f"subject {claims.subject[:8]}", "token subject", 0.5)
    identity = f"credential\0{credential.credential_id}"
    if credential.login is not None:
        name = f"login {credential.login[:8]}"
        return Caller(f"login\0{credential.login}", Kind.UNKNOWN, name, "login name", 0.7)
    if credential.is_agent:
        name = credential.name or f"key {credential.fingerprint[:8]}"
        return Caller(identity, Kind.AGENT, name, "signature agent, not verified", 0.7)
    if credential.kind == "client_certificate":
        return Caller(identity, Kind.SERVICE, credential.hint, "client certificate", 0.9)
    if credential.kind == "session":
        return Caller(identity, Kind.PERSON, f"session {credential.fingerprint[:8]}", "session", 0.5)
    if credential.kind == "webhook":
        return Caller(identity, Kind.SERVICE, credential.hint, "webhook signature, not verified", 0.6)
    service = credential.kind in ("api_key", "gateway_key", "signature")
    return Caller(
        identity,
        Kind.SERVICE if service else Kind.UNKNOWN,
        f"{credential.hint} ({credential.fingerprint[:8]})",
        credential.kind.replace("_", " "),
        0.6 if credential.kind != "negotiate" else 0.2,
    )


def acting(
    callers: list[Caller], primary: Codes, agents: Codes, software: Sequence[Software]
) -> tuple[list[Caller], Codes]:
    """Callers, and per row an index into them: as `primary`, or as what its user agent says holds it.

    Looked at once per distinct credential and user agent (`agents`: index into `software` per row).
    """
    is_agent = np.array([one.kind is Kind.AGENT for one in software], bool)
    says_who = np.array([one.kind in _SAYS_WHO for one in software], bool)
    held = np.array([one.kind in _HELD_BY_ANYTHING for one in callers], bool)
    unknown = np.array([one.kind is Kind.UNKNOWN for one in callers], bool)
    if not (is_agent | says_who).any() or not held.any():
        return callers, primary
    at = np.flatnonzero((primary >= 0) & (agents >= 0))
    credential, agent = primary[at], agents[at]
    at = at[(held[credential] & is_agent[agent]) | (unknown[credential] & says_who[agent])]
    if not len(at):
        return callers, primary
    first, pair = combined(primary[at], agents[at])
    made = []
    for row in at[first].tolist():
        own, names = callers[int(primary[row])], software[int(agents[row])]
        basis = f"{own.basis}, and {names.product} by its user agent"
        made.append(
            replace(own, kind=names.kind, basis=basis, confidence=min(own.confidence, names.confidence))
        )
    out = primary.copy()
    out[at] = len(callers) + pair
    return [*callers, *made], out
