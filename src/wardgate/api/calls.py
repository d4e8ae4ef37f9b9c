"""`POST /v1/calls`: Wardgate JSON Lines, answered after their commit."""

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from wardgate.api.bodies import Bodies
from wardgate.api.problems import documented
from wardgate.api.senders import Senders
from wardgate.core.errors import Exit, WardgateError
from wardgate.service.pushes import Pushes, Receipt

MEDIA_TYPES = {
    "application/x-ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "application/json-lines",
    "application/json",
    "application/octet-stream",
    "text/plain",
}
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?\Z")


class RejectedLine(BaseModel):
    """A line that did not fit. It is kept, masked, and counted."""

    position: int = Field(description="Number of the line, from 0.")
    reason: str = Field(description="Stable code of the reason.")


class PushReceipt(BaseModel):
    """What became of a batch: accepted, rejected and skipped are all of its lines."""

    batch: str = Field(description="The batch's id, 16 hexadecimal digits.")
    accepted: int
    rejected: int
    skipped: int = Field(description="Blank lines, and calls that a rule of the configuration passes over.")
    duplicate: bool = Field(
        description="The batch was committed before, under the same Idempotency-Key; nothing was added."
    )
    rejects: list[RejectedLine] = Field(description="The first 1,000 rejected lines.")


def calls_router(pushes: Pushes, senders: Senders, bodies: Bodies, commit_timeout_s: float) -> APIRouter:
    """The route, over what it needs."""
    router = APIRouter(tags=["push"])

    @router.post(
        "/v1/calls",
        summary="Push calls",
        response_model=PushReceipt,
        responses=dict(
            documented(
                "token-missing",
                "token-refused",
                "token-expired",
                "token-revoked",
                "body-too-large",
                "body-type-unknown",
                "body-coding-unknown",
                "body-broken",
                "body-too-slow",
                "idempotency-key-malformed",
                "idempotency-key-reused",
                "push-full",
                "writer-full",
                "disk-full",
                "writer-closed",
                "commit-slow",
            )
        ),
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "One call a line, as Wardgate JSON Lines. Content-Encoding gzip or zstd.",
                "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
            },
            "security": [{"pushToken": []}],
        },
    )
    async def push_calls(
        request: Request,
        idempotency_key: Annotated[
            str | None,
            Header(
                description="Names this batch among the token's source's. A retry with the same key doubles "
                "nothing, for seven days."
            ),
        ] = None,
    ) -> Response:
        """Accepts a batch and answers after its commit, never before."""
        sender = await senders.of(request)
        _check_type(request)
        if idempotency_key is not None and not _KEY.match(idempotency_key):
            raise WardgateError(
                "idempotency-key-malformed", "an Idempotency-Key has 1 to 255 printable ASCII characters."
            )
        async with bodies.read(request) as body:
            receipt = await confirmed(
                asyncio.wrap_future(pushes.lines(body, sender, idempotency_key)), commit_timeout_s
            )
        return JSONResponse(_shown(receipt), headers={"Cache-Control": "no-store"})

    return router


async def confirmed(answer: "asyncio.Future[Receipt]", timeout_s: float) -> Receipt:
    """The receipt. Raises `commit-slow` when it takes too long; the batch may then be committed or not."""
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(answer)
    except TimeoutError:
        raise WardgateError(
            "commit-slow",
            "the commit takes longer than push.commit_timeout_s; the batch may yet be committed.",
            mend="Send it again with the same Idempotency-Key.",
            exit_code=Exit.FAILED,
        ) from None


def _check_type(request: Request) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and given not in MEDIA_TYPES:
        raise WardgateError(
            "body-type-unknown", "the Content-Type is not JSON Lines.", mend="Send application/x-ndjson."
        )


def _shown(receipt: Receipt) -> dict[str, object]:
    return {
        "batch": receipt.batch,
        "accepted": receipt.accepted,
        "rejected": receipt.rejected,
        "skipped": receipt.skipped,
        "duplicate": receipt.duplicate,
        "rejects": [{"position": position, "reason": reason} for position, reason in receipt.rejects],
    }
