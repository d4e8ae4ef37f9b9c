"""`POST /v1/traces`: OTLP/HTTP traces, in Protobuf or JSON, answered after their commit in the same encoding.

Reference: OpenTelemetry Protocol Specification, OTLP/HTTP (responses, partial success, failures as
google.rpc.Status, throttling).
"""

import asyncio

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from wardgate.api.bodies import Bodies, drain
from wardgate.api.calls import confirmed
from wardgate.api.problems import headers_of, status_of
from wardgate.api.senders import Senders
from wardgate.core.errors import WardgateError
from wardgate.service.pushes import Pushes, Receipt
from wardgate.sources.otlp import MalformedError

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def traces_router(pushes: Pushes, senders: Senders, bodies: Bodies, commit_timeout_s: float) -> APIRouter:
    """The route, over what it needs."""
    router = APIRouter(tags=["push"])

    @router.post(
        "/v1/traces",
        summary="Push OpenTelemetry traces",
        response_class=Response,
        responses={
            200: {"description": "ExportTraceServiceResponse", "content": {PROTOBUF: {}, JSON: {}}},
            "default": {"description": "google.rpc.Status", "content": {PROTOBUF: {}, JSON: {}}},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "ExportTraceServiceRequest. Content-Encoding gzip or zstd.",
                "content": {
                    PROTOBUF: {"schema": {"type": "string", "format": "binary"}},
                    JSON: {"schema": {"type": "object"}},
                },
            },
            "security": [{"pushToken": []}],
        },
    )
    async def push_traces(request: Request) -> Response:
        """Server spans become calls that the application answers, client spans calls that it makes."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in (PROTOBUF, JSON):
            raise WardgateError(
                "body-type-unknown",
                "the Content-Type is not OTLP.",
                mend="Send application/x-protobuf or application/json.",
            )
        try:
            sender = await senders.of(request)
            async with bodies.read(request) as body:
                answer = pushes.spans(body, sender, as_json=media_type == JSON)
                receipt = await confirmed(asyncio.wrap_future(answer), commit_timeout_s)
        except MalformedError:
            error = WardgateError("body-malformed", "the body is no OTLP trace request.")
            return _failure(error, media_type)
        except WardgateError as error:
            await drain(request)
            return _failure(error, media_type)
        return _success(receipt, media_type)

    return router


def _success(receipt: Receipt, media_type: str) -> Response:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    message = ""
    if receipt.rejected:
        reasons = sorted({reason for _, reason in receipt.rejects})
        message = f"spans kept aside, by reason: {', '.join(reasons)}" if reasons else "spans kept aside"
    if media_type == JSON:
        partial = {"rejectedSpans": str(receipt.rejected), "errorMessage": message}
        return Response(
            msgspec.json.encode({"partialSuccess": partial} if message else {}), media_type=media_type
        )
    response = ExportTraceServiceResponse()
    if message:
        response.partial_success.rejected_spans = receipt.rejected
        response.partial_success.error_message = message
    return Response(response.SerializeToString(), media_type=media_type)


def _failure(error: WardgateError, media_type: str) -> Response:
    """The error as google.rpc.Status, whose `code` the protocol leaves unused."""
    text = str(error)
    content = msgspec.json.encode({"message": text}) if media_type == JSON else _status_message(text)
    return Response(content, status_of(error), headers_of(error), media_type)


def _status_message(text: str) -> bytes:
    """google.rpc.Status with its field 2, `message`: a tag, a length as varint, the text."""
    raw = text.encode()
    size, length = len(raw), bytearray()
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return b"\x12" + bytes(length) + raw
