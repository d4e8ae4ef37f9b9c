"""One recognised credential: what is kept of what a caller presented, and nothing that leads back to it.

A token is an *instance* of a credential: `credential_id` says whose it is, `fingerprint` which one it was.
Where the credential is known by a public name (issuer, client and subject; an access key id; a certificate's
subject; a login), its instances come and go; an opaque secret is its own only instance.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

KINDS = (
    # Stronger evidence of who is calling comes first: the first credential of a call names its caller.
    "client_certificate",
    "jwt",
    "signature",
    "bearer",
    "api_key",
    "gateway_key",
    "basic",
    "digest",
    "ntlm",
    "negotiate",
    "proof_key",
    "signed_url",
    "session",
    "webhook",
    "hidden",
)


class Part(IntEnum):
    """What an entry is beside the others of its call: some say again what another says."""

    WHOLE = 0
    LOGIN = 1
    """A user name that a server logged: whoever logged in presented something else too."""
    GATEWAY = 2
    """The name that a gateway gives to what was presented."""
    COMPANION = 3
    """A session token that belongs to a signature, or a proof that belongs to a token."""
    HIDDEN = 4
    """Something was presented, and its source wrote a mask in its place."""


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
    login: str | None = None
    """Keyed hash of a user name."""
    name: str | None = None
    """Its public name, where it has one that may be shown: a client, an agent's address, a sender."""
    renewed: bool = False
    """Known by a public name: other instances of it may come."""
    is_agent: bool = False
    """Presented by what calls itself an automated agent."""
    expires_at_us: int | None = None
    part: Part = Part.WHOLE

    @property
    def strength(self) -> int:
        return KINDS.index(self.kind) if self.kind in KINDS else len(KINDS)
