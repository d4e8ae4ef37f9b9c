"""OTLP traces pushed to a real server, as exporters and collectors send them."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

Accounting = Callable[..., dict[str, int]]
Asking = Callable[..., list[dict[str, Any]]]
PROTOBUF, JSON = "application/x-protobuf", "application/json"
CANARY = "hunter2-canary"
SERVER, CLIENT, INTERNAL = 2, 3, 1


def request(*spans: tuple[int, dict[str, str | int]], start: int = 1) -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "webshop"
    scope = group.scope_spans.add()
    now = time.time_ns()
    for number, (kind, attributes) in enumerate(spans, start):
        span = scope.spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            kind=kind,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 5_000_000,
        )
        for key, value in attributes.items():
            target = span.attributes.add(key=key).value
            if isinstance(value, int):
                target.int_value = value
            else:
                target.string_value = value
    return made


def as_json(made: ExportTraceServiceRequest) -> bytes:
    """OTLP's own JSON: ids in hex, enums as numbers."""
    from google.protobuf.json_format import MessageToDict

    value = MessageToDict(made, use_integers_for_enums=True)
    for group in value["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span, original in zip(
                scope["spans"], made.resource_spans[0].scope_spans[0].spans, strict=True
            ):
                span["traceId"], span["spanId"] = original.trace_id.hex(), original.span_id.hex()
    return json.dumps(value).encode()


def served(path: str = "/orders/7", **more: str | int) -> tuple[int, dict[str, str | int]]:
    return SERVER, {
        "http.request.method": "GET",
        "url.path": path,
        "server.address": "shop.example",
        "http.response.status_code": 200,
        **more,
    }


def made(url: str = "https://pay.example/v1/charges") -> tuple[int, dict[str, str | int]]:
    return CLIENT, {"http.request.method": "POST", "url.full": url, "http.response.status_code": 201}


def push(server: Any, name: str, body: bytes, media_type: str = PROTOBUF, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {server.token(name)}", "Content-Type": media_type, **headers}
    return server.ask("POST", "/v1/traces", body, sent)


def test_server_and_client_spans_are_calls_of_two_vantages(
    server: Any, accounting: Accounting, asking: Asking
) -> None:
    answer = push(
        server, "otel", request(served(), made(), (INTERNAL, {"db.system": "x"})).SerializeToString()
    )
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, PROTOBUF, b"")
    found = accounting(server.home, "otel")
    assert (found["read"], found["accepted"], found["skipped"]) == (2, 1, 1)
    assert accounting(server.home, "otel-client")["accepted"] == 1
    rows = asking(
        server.home,
        "SELECT source, vantage, service, method, path, status, trace_id, span_id FROM lake.calls "
        "WHERE source LIKE 'otel%' ORDER BY source",
    )
    assert rows == [
        {"source": "otel", "vantage": "application", "service": "shop.example", "method": "GET",
         "path": "/orders/7", "status": 200, "trace_id": f"{1:032x}", "span_id": f"{1:016x}"},
        {"source": "otel-client", "vantage": "client", "service": "pay.example", "method": "POST",
         "path": "/v1/charges", "status": 201, "trace_id": f"{2:032x}", "span_id": f"{2:016x}"},
    ]  # fmt: skip


@pytest.mark.parametrize("encode", [lambda body: body, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("media_type", [PROTOBUF, JSON, f"{JSON}; charset=utf-8"])
def test_both_encodings_are_taken_plain_and_compressed(
    server: Any, media_type: str, encode: Callable[[bytes], bytes]
) -> None:
    made_ = request(served(), start=int(time.time_ns() % 10**9))
    body = made_.SerializeToString() if media_type == PROTOBUF else as_json(made_)
    headers = {"Content-Encoding": "gzip"} if encode is gzip.compress else {}
    answer = push(server, "encodings", encode(body), media_type, **headers)
    assert answer.status == 200
    assert (answer.headers["content-type"], answer.body) == (
        (PROTOBUF, b"") if media_type == PROTOBUF else (JSON, b"{}")
    )


def test_spans_that_make_no_sense_are_a_partial_success(server: Any, accounting: Accounting) -> None:
    body = request(served(), served(path=f"no path {CANARY}"), (SERVER, {"http.request.method": "GET"}))
    answer = push(server, "partial", body.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_spans) == (200, 2)
    assert partial.error_message == "spans kept aside, by reason: bad-request, missing-field"
    text = push(server, "partial", as_json(request(served(path="x"), start=9)), JSON).json()
    assert text == {
        "partialSuccess": {"rejectedSpans": "1", "errorMessage": "spans kept aside, by reason: bad-request"}
    }
    assert accounting(server.home, "partial")["rejected"] == 3


def test_an_exporters_retry_doubles_nothing(server: Any, accounting: Accounting) -> None:
    """Exporters send the same bytes again when an answer is lost; span ids make them tell from any other."""
    body = request(served(), made(), served("/x")).SerializeToString()
    for _ in range(3):
        assert push(server, "again", body).status == 200
    assert accounting(server.home, "again")["accepted"] == 2
    assert accounting(server.home, "again-client")["accepted"] == 1


@pytest.mark.parametrize(
    ("media_type", "body"), [(PROTOBUF, b""), (JSON, b"{}"), (JSON, b'{"resourceSpans":[]}')]
)
def test_a_request_without_spans_succeeds(server: Any, media_type: str, body: bytes) -> None:
    assert push(server, "none", body, media_type).status == 200


def message_of(answer: Any) -> str:
    """The message of a google.rpc.Status, whichever way it was written."""
    if answer.headers["content-type"] == JSON:
        return str(answer.json()["message"])
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="status.proto", package="t", syntax="proto3")
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=5, label=1)
    status.field.add(name="message", number=2, type=9, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Status")).FromString(answer.body)
    return str(found.message)


@pytest.mark.parametrize("media_type", [PROTOBUF, JSON])
@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Authorization": f"Bearer {CANARY}"}, b"x", 401, "token-refused"),
        ({"Authorization": ""}, b"x", 401, "token-missing"),
        ({}, CANARY.encode(), 400, "body-malformed"),
        (
            {},
            b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"hunter2-canary"}]}]}]}',
            400,
            "body-malformed",
        ),
        ({"Content-Encoding": "gzip"}, CANARY.encode(), 400, "body-broken"),
        ({"Content-Encoding": "snappy"}, b"x", 415, "body-coding-unknown"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"\0" * 30_000_000), 413, "body-too-large"),
        ({}, b"x" * 2_000_001, 413, "body-too-large"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_refusals_are_told_as_the_protocol_has_it(
    server: Any, media_type: str, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    answer = push(server, "refusing", body, media_type, **headers)
    assert answer.status == status
    assert answer.headers["content-type"] == media_type
    assert message_of(answer).startswith(f"[{code}] ")
    assert CANARY not in repr(answer)


def test_other_types_are_refused(server: Any) -> None:
    answer = push(server, "refusing", b"x", "text/plain")
    assert (answer.status, answer.json()["code"]) == (415, "body-type-unknown")


def test_the_real_exporter_is_understood(server: Any, accounting: Accounting, asking: Asking) -> None:
    """OpenTelemetry's own SDK and exporter, compressing, with a server span and a client span within it."""
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanKind

    exporter = OTLPSpanExporter(
        f"http://127.0.0.1:{server.port}/v1/traces",
        headers={"Authorization": f"Bearer {server.token('sdk')}"},
        compression=Compression.Gzip,
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for number in range(5):
        path = {
            "http.request.method": "GET",
            "url.path": f"/orders/{number}",
            "http.response.status_code": 200,
        }
        with tracer.start_as_current_span("GET /orders/{id}", kind=SpanKind.SERVER, attributes=path) as span:
            trace = span.get_span_context().trace_id
            url = {"http.request.method": "GET", "url.full": f"https://stock.example/items/{number}"}
            with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes=url):
                pass
    assert provider.force_flush()
    provider.shutdown()
    assert (
        accounting(server.home, "sdk")["accepted"] == accounting(server.home, "sdk-client")["accepted"] == 5
    )
    found = asking(
        server.home, f"SELECT source, service FROM lake.calls WHERE trace_id = '{trace:032x}' ORDER BY source"
    )
    assert found == [
        {"source": "sdk", "service": "shop"},
        {"source": "sdk-client", "service": "stock.example"},
    ]
