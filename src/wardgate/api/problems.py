"""Refusals as problem documents (RFC 9457): a stable `code`, the HTTP status no word of the body."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse, Response

from wardgate.core.errors import WardgateError

MEDIA_TYPE = "application/problem+json"
_STATUS: dict[str, int] = {
    "token-missing": 401,
    "token-refused": 401,
    "token-expired": 401,
    "token-revoked": 401,
    "body-too-large": 413,
    "body-type-unknown": 415,
    "body-coding-unknown": 415,
    "body-broken": 400,
    "body-malformed": 400,
    "body-too-slow": 408,
    "idempotency-key-malformed": 400,
    "idempotency-key-reused": 422,
    "push-full": 429,
    "writer-full": 429,
    "disk-full": 503,
    "writer-closed": 503,
    "commit-slow": 503,
    "lake-write-failed": 503,
    "state-failed": 503,  # on a full disk even a token cannot be looked up
    "page-elsewhere": 403,
    "host-unknown": 421,
    "not-found": 404,
    "method-not-allowed": 405,
}
"""Code → HTTP status. What is not here is a failure of ours: 500."""
_RETRY_AFTER_S = {429: 1, 503: 5}


def status_of(error: WardgateError) -> int:
    return _STATUS.get(error.code, 500)


def headers_of(error: WardgateError) -> dict[str, str]:
    """The headers that go with a refusal: when to try again, how to authenticate."""
    status = status_of(error)
    headers = {"Cache-Control": "no-store"}
    if status in _RETRY_AFTER_S:
        headers["Retry-After"] = str(_RETRY_AFTER_S[status])
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="wardgate"'
    return headers


def problem(error: WardgateError) -> Response:
    """The problem document of a refusal."""
    status = status_of(error)
    content = {
        "type": f"urn:wardgate:problem:{error.code}",
        "title": error.message,
        "status": status,
        "code": error.code,
    }
    if error.mend:
        content["detail"] = error.mend
    return JSONResponse(content, status, headers_of(error), MEDIA_TYPE)


def documented(*codes: str) -> Mapping[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these codes, for its OpenAPI document."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status = _STATUS[code]
        entry = found.setdefault(
            status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
        entry["description"] = ", ".join(filter(None, [entry["description"], f"`{code}`"]))
    return found


PROBLEM_SCHEMA = {
    "type": "object",
    "description": "Problem Details for HTTP APIs (RFC 9457).",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable: it never changes its meaning."},
        "detail": {"type": "string", "description": "What to do about it."},
    },
}
