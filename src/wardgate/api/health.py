"""`GET /healthz` says that the process answers, `GET /readyz` whether it would take calls now."""

from collections.abc import Callable
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

NotReady = Callable[[], list[str]]
"""Stable codes of what keeps calls from being taken; none when ready."""


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """Calls are taken."""

    status: Literal["ready"]


class Unready(BaseModel):
    """Calls are not taken now."""

    status: Literal["not ready"]
    reasons: list[str] = Field(
        description="Codes: `disk-full`, `writer-full`, `lake-unreadable`, `lake-write-failed`, "
        "`state-failed`, `check-slow`.",
        examples=[["disk-full"]],
    )


def health_router(not_ready: NotReady) -> APIRouter:
    """The routes. They need no token and tell nothing of what is stored."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is it alive?", response_model=Alive)
    async def healthz() -> Response:
        """200 as long as the process answers. A supervisor may restart it when this fails."""
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @router.get(
        "/readyz",
        summary="Does it take calls?",
        response_model=Ready,
        responses={503: {"description": "Not now.", "model": Unready}},
    )
    def readyz() -> Response:
        """200 when calls are taken, else 503 and why. A balancer may send pushes elsewhere meanwhile."""
        reasons = not_ready()
        content = {"status": "not ready", "reasons": reasons} if reasons else {"status": "ready"}
        return JSONResponse(content, 503 if reasons else 200, {"Cache-Control": "no-store"})

    return router
