"""`GET /healthz` says that the process answers, `GET /readyz` whether it would take calls now."""

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

NotReady = Callable[[], list[str]]
"""Stable codes of what keeps calls from being taken; none when ready."""


def health_router(not_ready: NotReady) -> APIRouter:
    """The routes. They need no token and tell nothing of what is stored."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is it alive?")
    async def healthz() -> Response:
        """200 as long as the process answers."""
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @router.get("/readyz", summary="Does it take calls?", responses={503: {"description": "Not now."}})
    async def readyz() -> Response:
        """200 when calls are taken, else 503 and why."""
        reasons = not_ready()
        content = {"status": "not ready", "reasons": reasons} if reasons else {"status": "ready"}
        return JSONResponse(content, 503 if reasons else 200, {"Cache-Control": "no-store"})

    return router
