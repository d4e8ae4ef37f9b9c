"""Push tokens: who may push calls, and as which source. A token is shown once and kept as a fingerprint.

The fingerprint is keyed and compared by the database's index, so neither the state nor the time an answer
takes helps to guess one.
"""

import re
import secrets
import string
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.keys import Key
from wardgate.state.store import State
from wardgate.state.tables import push_tokens

PREFIX = "wg_"
_LENGTH = 43  # characters of 62: 256 bits
_ALPHABET = string.ascii_letters + string.digits
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_USE_NOTED_EVERY_US = 60_000_000
_DAY_US = 86_400_000_000


class Standing(StrEnum):
    """Whether a token may be used."""

    IN_FORCE = "in force"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class TokenDefaults:
    """What holds for every call pushed with a token."""

    vantage: str | None = None
    environment: str | None = None
    team: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class PushToken:
    """A token as it may be shown. Times are µs since 1970."""

    id: int
    name: str
    source: str
    created_at_us: int
    expires_at_us: int | None
    revoked_at_us: int | None
    last_used_at_us: int | None
    defaults: TokenDefaults

    def standing(self, now_us: int) -> Standing:
        if self.revoked_at_us is not None:
            return Standing.REVOKED
        if self.expires_at_us is not None and self.expires_at_us <= now_us:
            return Standing.EXPIRED
        return Standing.IN_FORCE


class PushTokens:
    """The tokens of an installation."""

    def __init__(self, state: State, key: Key, clock: Clock) -> None:
        self._state = state
        self._key = key
        self._clock = clock

    def create(
        self,
        name: str,
        *,
        source: str | None = None,
        expires_days: int | None = None,
        defaults: TokenDefaults | None = None,
    ) -> tuple[PushToken, str]:
        """A new token and its clear text, which nobody can show again.

        Raises `token-name-malformed` or `token-name-taken`.
        """
        source = source or name
        for text in (name, source):
            if not _NAME.match(text):
                raise WardgateError(
                    "token-name-malformed",
                    "a token's name and source have 1 to 64 letters, digits, dots, dashes or underscores.",
                )
        defaults = defaults or TokenDefaults()
        clear = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        now = self._clock()
        row = {
            "name": name,
            "source": source,
            "fingerprint": self._key.fingerprint(clear),
            "key_id": self._key.key_id,
            "created_at_us": now,
            "expires_at_us": now + expires_days * _DAY_US if expires_days else None,
            "vantage": defaults.vantage,
            "environment": defaults.environment,
            "team": defaults.team,
            "service": defaults.service,
        }
        try:
            with self._state.engine.begin() as connection:
                made = connection.execute(push_tokens.insert().values(row).returning(push_tokens)).one()
        except IntegrityError:
            raise WardgateError(
                "token-name-taken",
                f"there is a token called {name!r} already.",
                mend="Revoke it, or choose another name.",
            ) from None
        return _token(made), clear

    def all(self) -> list[PushToken]:
        """Every token there ever was, in the order of their making."""
        with self._state.transaction() as connection:
            return [_token(row) for row in connection.execute(select(push_tokens).order_by(push_tokens.c.id))]

    def revoke(self, name: str) -> PushToken:
        """End a token at once, by its name. Raises `token-unknown`."""
        with self._state.transaction() as connection:
            ended = connection.execute(
                update(push_tokens)
                .where(push_tokens.c.name == name, push_tokens.c.revoked_at_us.is_(None))
                .values(revoked_at_us=self._clock())
                .returning(push_tokens)
            ).one_or_none()
        if ended is None:
            raise WardgateError(
                "token-unknown",
                "there is no token of that name in force.",
                mend="`wardgate token list` shows all.",
            )
        return _token(ended)

    def find(self, clear: str) -> PushToken | None:
        """The token with this clear text, whatever its standing. Notes its use, at most once a minute."""
        with self._state.transaction() as connection:
            row = connection.execute(
                select(push_tokens).where(push_tokens.c.fingerprint.in_(self._key.fingerprints(clear)))
            ).one_or_none()
            if row is None:
                return None
            token = _token(row)
            now = self._clock()
            if token.standing(now) is Standing.IN_FORCE and (
                token.last_used_at_us is None or now - token.last_used_at_us >= _USE_NOTED_EVERY_US
            ):
                connection.execute(
                    update(push_tokens).where(push_tokens.c.id == token.id).values(last_used_at_us=now)
                )
        return token


def _token(row: Row[tuple[object, ...]]) -> PushToken:
    one = row._mapping
    return PushToken(
        id=one["id"],
        name=one["name"],
        source=one["source"],
        created_at_us=one["created_at_us"],
        expires_at_us=one["expires_at_us"],
        revoked_at_us=one["revoked_at_us"],
        last_used_at_us=one["last_used_at_us"],
        defaults=TokenDefaults(one["vantage"], one["environment"], one["team"], one["service"]),
    )
