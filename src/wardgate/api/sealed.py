"""The outermost layer: no response without its security headers, no failure with its text.

An unforeseen failure is logged by type and place only, since its message could hold a value from traffic; so
it must not reach the server, which would log all of it.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wardgate.api.problems import problem
from wardgate.core.errors import WardgateError
from wardgate.core.events import LogEvent, log, place_of

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Sealed:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sealed_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, sealed_send)
        except Exception as error:  # noqa: BLE001 - the one place where everything ends
            if type(error).__name__ == "ClientDisconnect":
                return
            kind, place = type(error).__name__, place_of(error)
            log(LogEvent.DEFECT, code="defect", message=f"{kind} at {place}", type=kind, place=place)
            if not started:
                failure = WardgateError("defect", "an unforeseen failure.", mend="The log says where.")
                await problem(failure)(scope, receive, sealed_send)
