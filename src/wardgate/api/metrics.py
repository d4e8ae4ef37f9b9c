"""`GET /metrics`: Wardgate's own figures for Prometheus, shown to whom the page is shown."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Answered = Callable[[str, int], None]
"""Told a route's path and a status."""
PUSHES = frozenset({"/v1/calls", "/v1/traces"})

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus text format.",
            "content": {"text/plain": {"example": "wardgate_pending_calls 0.0\n"}},
        },
        403: {"description": "`page-elsewhere`: not to this address; see `listen.page_networks`."},
        421: {"description": "`host-unknown`: not under this name; see `listen.page_hosts`."},
    },
)
def metrics(request: Request) -> Response:
    """What came in, what is waiting, how sources and the lake are. No label is from traffic."""
    return Response(request.app.state.metrics.text(), 200, {"Cache-Control": "no-store"}, CONTENT_TYPE_LATEST)


class Counted:
    """ASGI middleware: counts the answers to pushes."""

    def __init__(self, app: ASGIApp, answered: Answered) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in PUSHES:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, self._counting(scope["path"], send))

    def _counting(self, path: str, send: Send) -> Callable[[Message], Awaitable[Any]]:
        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered(path, message["status"])
            await send(message)

        return counting
