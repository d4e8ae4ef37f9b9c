"""Keyed tokens: what stands in a path or text where a secret stood.

A token keeps kind, length and equality (`~jwt612.9f2c04d1a7b3`), and nothing else. The same secret gives the
same token for an installation, so journeys can still be followed.
"""

from wardgate.core.keys import Key
from wardgate.match.secrets import mask_text

MARK = "~"


class Tokens:
    """Makes tokens under one key, remembering what it has made (bounded)."""

    _MOST = 100_000

    def __init__(self, key: Key) -> None:
        self._key = key
        self._made: dict[tuple[str, str], str] = {}

    def of(self, kind: str, secret: str) -> str:
        """The token of `secret`; a fingerprint is made once per distinct value."""
        known = self._made.get((kind, secret))
        if known is None:
            if len(self._made) >= self._MOST:
                self._made.clear()
            known = f"{MARK}{kind}{len(secret)}.{self._key.fingerprint(secret)[:12]}"
            self._made[kind, secret] = known
        return known

    def masked(self, text: str) -> str:
        """Free text without anything that may be a secret."""
        return mask_text(text, self.of)
