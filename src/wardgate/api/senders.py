"""Who pushes: the bearer token of a request. It is looked up each time, so revoking it ends it at once."""

import asyncio
import re

from fastapi import Request

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.service.pushes import Sender
from wardgate.sources.format import Defaults
from wardgate.state.tokens import PushTokens, Standing

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,512})\Z", re.IGNORECASE)


class Senders:
    """Tells senders by their tokens."""

    def __init__(self, tokens: PushTokens, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    async def of(self, request: Request) -> Sender:
        """The sender. Raises `token-missing`, `token-refused`, `token-expired` or `token-revoked`."""
        given = _BEARER.match(request.headers.get("authorization", ""))
        if given is None:
            raise WardgateError(
                "token-missing",
                "pushing needs a token.",
                mend="Make one with `wardgate token create`, and send it as Authorization: Bearer.",
            )
        token = await asyncio.to_thread(self._tokens.find, given[1])
        if token is None:
            raise WardgateError("token-refused", "the token is none of this installation's.")
        standing = token.standing(self._clock())
        if standing is not Standing.IN_FORCE:
            raise WardgateError(f"token-{standing.value}", f"the token is {standing.value}.")
        own = token.defaults
        return Sender(token.name, token.source, Defaults(own.vantage, own.environment, own.team, own.service))
