"""Makes credentials under one key: the only place where a clear secret meets it.

Two ways to be known. By *value*: an opaque secret is a credential of its own, wherever it is presented. By
*name*: a public identifier (issuer, client and subject; an access key id; a login) is the credential, and
what was presented is an instance of it. Identifiers made of secrets follow the key's rotation: a secret that
was known under an earlier key keeps its identifier.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from wardgate.core.keys import Key
from wardgate.match.secrets import carries_secret, is_random, secret_kind
from wardgate.recognise.credentials.credential import Claims, Credential, Part

LONGEST = 16_384
_FOR_LAST_FOUR = 20
_SHAPES = (None, "opaque", "hex", "key")
"""Shapes that say nothing of what issued a secret."""

WasKnown = Callable[[int], bool]
"""Whether credentials with this identifier were recognised under an earlier key."""


class Maker:
    """Makes credentials under one key."""

    def __init__(self, key: Key, was_known: WasKnown | None = None) -> None:
        self._key = key
        self._was_known = was_known

    def secret(
        self, kind: str, place: str, value: str, *, hint: str = "", expires_at_us: int | None = None
    ) -> Credential:
        """An opaque secret: its own credential."""
        value = value[:LONGEST]
        shape = secret_kind(value)
        said = hint or kind.replace("_", " ")
        if shape not in _SHAPES and not hint:
            said += f" {shape}"
        random = shape in ("opaque", "hex") or (shape is not None and is_random(value))
        if len(value) >= _FOR_LAST_FOUR and random:
            said += f" …{value[-4:]}"
        return Credential(
            kind,
            _shown_place(place),
            self._key.fingerprint(value),
            said,
            self._id_of(value),
            expires_at_us=expires_at_us,
        )

    def named(
        self,
        kind: str,
        place: str,
        identity: str,
        hint: str,
        *,
        instance: str | None = None,
        login: str | None = None,
        name: str | None = None,
        claims: Claims | None = None,
        is_agent: bool = False,
        expires_at_us: int | None = None,
        part: Part = Part.WHOLE,
    ) -> Credential:
        """A credential known by a public name. `instance` is what was presented; None: not to be kept."""
        return Credential(
            kind,
            _shown_place(place),
            self._key.fingerprint(identity if instance is None else instance[:LONGEST]),
            hint,
            self._key.id64("credential", identity),
            claims=claims,
            login=self.login(login) if login else None,
            name=shown(name),
            renewed=instance is not None,
            is_agent=is_agent,
            expires_at_us=expires_at_us,
            part=part,
        )

    def hidden(self, place: str, value: str) -> Credential | None:
        """What was presented where its source wrote a mask: something, of which no more is known."""
        scheme, _, rest = value.strip().partition(" ")
        if not _is_mask((rest or scheme).strip()):
            return None
        return self.named("hidden", place, f"hidden\0{place}", "hidden by its source", part=Part.HIDDEN)

    def login(self, name: str) -> str:
        """A login name, as a keyed hash."""
        return self._key.pseudonym("login\0" + name)

    def subject(self, name: str) -> str:
        """A token's subject, as a keyed hash."""
        return self._key.pseudonym("subject\0" + name)

    def _id_of(self, value: str) -> int:
        identity = "value\0" + value
        if self._was_known is not None:
            for former in self._key.former_ids("credential", identity):
                if self._was_known(former):
                    return former
        return self._key.secret_id("credential", identity)


@lru_cache(maxsize=4096)
def _shown_place(place: str) -> str:
    """A place whose name may be kept: a client may put anything into the name of a cookie or parameter."""
    side, colon, name = place.partition(":")
    if colon and (not _NAME.match(name) or carries_secret(name) or secret_kind(name) is not None):
        return f"{side}:*"
    return place


_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}\Z")


def is_masked(value: str) -> bool:
    """What a log wrote in a secret's place: `***`, `REDACTED`, `<hidden>`, `-`."""
    bare = value.strip().strip("<>[]()\"'")
    return not bare.strip("*xX.-•") or bare.lower() in _MASKS


def _is_mask(value: str) -> bool:
    """Whether somebody masked a value that was there: neither an absent one nor a client's own mistake."""
    bare = value.strip("<>[]()\"'")
    stars = len(bare) >= 3 and not bare.strip("*xX.•")
    return stars or bare.lower() in _HIDDEN


_HIDDEN = frozenset(
    "redacted hidden masked filtered removed secret omitted sanitized dummy fake placeholder".split()
)
_MASKS = _HIDDEN | {"null", "undefined", "none"}


def shown(text: str | None) -> str | None:
    """A claim or name that may be stored: nothing that looks like a secret or a person's address."""
    if not text:
        return None
    if secret_kind(text) is not None or "@" in text or carries_secret(text):
        return None
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:200]
