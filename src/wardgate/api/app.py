"""The HTTP application: the push API, health, and the page. Its OpenAPI document is the contract."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from wardgate import __version__
from wardgate.api.bodies import Bodies, drain
from wardgate.api.calls import calls_router
from wardgate.api.health import NotReady, health_router
from wardgate.api.metrics import Answered, Counted
from wardgate.api.page_guard import PageGuard
from wardgate.api.problems import PROBLEM_SCHEMA, problem
from wardgate.api.sealed import Sealed
from wardgate.api.senders import Senders
from wardgate.api.traces import traces_router
from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.settings import Config
from wardgate.service.pushes import Pushes
from wardgate.state.tokens import PushTokens


def create_app(
    config: Config,
    pushes: Pushes,
    tokens: PushTokens,
    clock: Clock,
    not_ready: NotReady,
    *,
    pages: Sequence[APIRouter] = (),
    answered: Answered | None = None,
    state: Mapping[str, Any] | None = None,
) -> FastAPI:
    """The application: refusals are answered as problem documents, the unforeseen without its text.

    `pages` are routers that only those get to see whom `[listen]` names; they find `state` in `app.state`.
    `answered` is told path and status of every answer to a push.
    """
    app = FastAPI(
        title="Wardgate",
        version=__version__,
        docs_url=None,  # they would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    push = config.push
    bodies, senders = Bodies(push), Senders(tokens, clock)
    app.include_router(health_router(not_ready))
    app.include_router(calls_router(pushes, senders, bodies, push.commit_timeout_s))
    app.include_router(traces_router(pushes, senders, bodies, push.commit_timeout_s))
    guard = PageGuard(config.listen)
    for page in pages:
        app.include_router(page, dependencies=[Depends(guard)])
    for name, value in (state or {}).items():
        setattr(app.state, name, value)
    _handle_errors(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    app.add_middleware(Sealed)
    if answered is not None:
        app.add_middleware(Counted, answered=answered)
    return app


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(WardgateError)
    async def refused(request: Request, error: WardgateError) -> Response:
        await drain(request)
        return problem(error)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        codes = {404: "not-found", 405: "method-not-allowed"}
        code = codes.get(error.status_code, "refused")
        response = problem(WardgateError(code, HTTPStatus(error.status_code).phrase))
        response.status_code = error.status_code
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        places = sorted({".".join(map(str, one["loc"])) for one in error.errors()})
        response = problem(WardgateError("parameter-malformed", f"malformed: {', '.join(places)}."))
        response.status_code = 422
        return response


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        components["securitySchemes"] = {
            "pushToken": {"type": "http", "scheme": "bearer", "description": "`wardgate token create`"}
        }
        app.openapi_schema = schema
    return app.openapi_schema
