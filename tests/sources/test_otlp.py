"""OTLP traces: the conventions' own examples, both encodings, old names and new, and hostile input."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from wardgate.core.observed import Reason
from wardgate.sources.otlp import CLIENT, SERVER, MalformedError, spans_of_json, spans_of_protobuf
from wardgate.sources.otlp_calls import SpanCalls, calls_of_spans

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
START, END = 1_544_712_660_000_000_000, 1_544_712_661_000_000_000


def json_request(
    *spans: tuple[int, dict[str, Any]], resource: dict[str, Any] | None = None, **over: Any
) -> bytes:
    """One request; each span is its kind and its attributes."""
    return json.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _json_pairs(resource or {})},
                    "scopeSpans": [
                        {
                            "spans": [
                                {
                                    "traceId": TRACE.upper(),
                                    "spanId": SPAN.upper(),
                                    "name": "a span",
                                    "startTimeUnixNano": str(START),
                                    "endTimeUnixNano": str(END),
                                    "kind": kind,
                                    "attributes": _json_pairs(attributes),
                                    **over,
                                }
                                for kind, attributes in spans
                            ]
                        }
                    ],
                }
            ]
        }
    ).encode()


def _json_pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _json_value(value)} for key, value in attributes.items()]


def _json_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_json_value(one) for one in value]}}
    return {"stringValue": value}


def protobuf_request(*spans: tuple[int, dict[str, Any]], resource: dict[str, Any] | None = None) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in (resource or {}).items():
        _set(group.resource.attributes.add(key=key).value, value)
    scope = group.scope_spans.add()
    for kind, attributes in spans:
        span = scope.spans.add(
            trace_id=bytes.fromhex(TRACE),
            span_id=bytes.fromhex(SPAN),
            name="a span",
            kind=kind,
            start_time_unix_nano=START,
            end_time_unix_nano=END,
        )
        for key, value in attributes.items():
            _set(span.attributes.add(key=key).value, value)
    return request.SerializeToString()


def _set(target: AnyValue, value: Any) -> None:
    if isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int):
        target.int_value = value
    elif isinstance(value, float):
        target.double_value = value
    elif isinstance(value, list):
        for one in value:
            _set(target.array_value.values.add(), one)
    else:
        target.string_value = value


def one_row(found: SpanCalls, kind: int) -> dict[str, Any]:
    table = (found.served if kind == SERVER else found.made).table
    assert table.num_rows == 1
    row: dict[str, Any] = table.to_pylist()[0]
    return row


# "Semantic conventions for HTTP spans", HTTP client-server example.
CLIENT_EXAMPLE = {
    "http.request.method": "GET",
    "network.protocol.version": "1.1",
    "url.full": "https://example.com:8080/webshop/articles/4?s=1&t=2",
    "server.address": "example.com",
    "server.port": 8080,
    "network.peer.address": "192.0.2.5",
    "network.peer.port": 8080,
    "http.response.status_code": 200,
}
SERVER_EXAMPLE = {
    "http.request.method": "GET",
    "network.protocol.version": "1.1",
    "url.path": "/webshop/articles/4",
    "url.query": "s=1&t=2",
    "server.address": "example.com",
    "server.port": 8080,
    "url.scheme": "https",
    "http.route": "/webshop/articles/:article_id",
    "http.response.status_code": 200,
    "client.address": "192.0.2.4",
    "network.peer.address": "192.0.2.5",
    "user_agent.original": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:72.0) Gecko/20100101 Firefox/72.0",
}
# The same exchange by the names before 1.23 ("HTTP semantic convention stability migration guide").
OLD_CLIENT = {
    "http.method": "GET",
    "http.flavor": "1.1",
    "http.url": "https://example.com:8080/webshop/articles/4?s=1&t=2",
    "net.peer.name": "example.com",
    "net.peer.port": 8080,
    "net.sock.peer.addr": "192.0.2.5",
    "http.status_code": 200,
}
OLD_SERVER = {
    "http.method": "GET",
    "http.flavor": "1.1",
    "http.target": "/webshop/articles/4?s=1&t=2",
    "net.host.name": "example.com",
    "net.host.port": 8080,
    "http.scheme": "https",
    "http.route": "/webshop/articles/:article_id",
    "http.status_code": 200,
    "http.client_ip": "192.0.2.4",
    "net.sock.peer.addr": "192.0.2.5",
    "http.user_agent": SERVER_EXAMPLE["user_agent.original"],
}

ENCODINGS = [
    pytest.param(json_request, spans_of_json, id="json"),
    pytest.param(protobuf_request, spans_of_protobuf, id="protobuf"),
]


@pytest.mark.parametrize(("encode", "decode"), ENCODINGS)
@pytest.mark.parametrize("attributes", [SERVER_EXAMPLE, OLD_SERVER], ids=["stable", "old"])
def test_a_server_span_is_a_call_the_application_answers(encode: Any, decode: Any, attributes: Any) -> None:
    body = encode(
        (SERVER, attributes),
        resource={"service.name": "webshop", "deployment.environment.name": "production"},
    )
    found = calls_of_spans(decode(body))
    row = one_row(found, SERVER)
    assert row.pop("started_at").isoformat() == "2018-12-13T14:51:00"
    assert row == {
        "position": 0,
        "precision_us": 1,
        "duration_us": 1_000_000,
        "method": "GET",
        "target": "/webshop/articles/4?s=1&t=2",
        "scheme": "https",
        "host": "example.com",
        "port": 8080,
        "status": 200,
        "http_version": "1.1",
        "client": "192.0.2.5",
        "forwarded_for": "192.0.2.4",
        "user_agent": SERVER_EXAMPLE["user_agent.original"],
        "trace_id": TRACE,
        "span_id": SPAN,
        "service_name": "webshop",
        "environment": "production",
    }
    assert (found.served.read, found.made.read) == (1, 0)


@pytest.mark.parametrize(("encode", "decode"), ENCODINGS)
@pytest.mark.parametrize("attributes", [CLIENT_EXAMPLE, OLD_CLIENT], ids=["stable", "old"])
def test_a_client_span_is_a_call_the_application_makes(encode: Any, decode: Any, attributes: Any) -> None:
    row = one_row(
        calls_of_spans(decode(encode((CLIENT, attributes), resource={"service.name": "front"}))), CLIENT
    )
    assert row.pop("started_at").isoformat() == "2018-12-13T14:51:00"
    assert row == {
        "position": 0,
        "precision_us": 1,
        "duration_us": 1_000_000,
        "method": "GET",
        "target": "https://example.com:8080/webshop/articles/4?s=1&t=2",
        "host": "example.com",
        "port": 8080,
        "status": 200,
        "http_version": "1.1",
        "upstream": "192.0.2.5",
        "trace_id": TRACE,
        "span_id": SPAN,
    }


def test_the_start_is_the_spans_to_the_microsecond() -> None:
    body = json_request((SERVER, SERVER_EXAMPLE), startTimeUnixNano=1_760_000_000_123_456_789)
    when = one_row(calls_of_spans(spans_of_json(body)), SERVER)["started_at"]
    assert when.isoformat() == "2025-10-09T08:53:20.123456"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        # "Semantic conventions for gRPC": method and service apart, status as text
        (
            {
                "rpc.system": "grpc",
                "rpc.service": "myservice.EchoService",
                "rpc.method": "exampleMethod",
                "rpc.response.status_code": "DEADLINE_EXCEEDED",
                "server.address": "example.com",
                "server.port": 8080,
            },
            ("/myservice.EchoService/exampleMethod", 504, "example.com", 8080),
        ),
        # as before: the status as a number
        (
            {
                "rpc.system": "grpc",
                "rpc.service": "a.B",
                "rpc.method": "C",
                "rpc.grpc.status_code": 16,
                "net.peer.name": "b.internal",
            },
            ("/a.B/C", 401, "b.internal", None),
        ),
        # the full name in the method
        (
            {"rpc.system.name": "grpc", "rpc.method": "a.B/C", "rpc.grpc.status_code": 0},
            ("/a.B/C", 200, None, None),
        ),
        (
            {"rpc.system": "grpc", "rpc.method": "a.B/C", "rpc.grpc.status_code": 99},
            ("/a.B/C", None, None, None),
        ),
    ],
)
def test_grpc_spans_are_grpc_calls(attributes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    row = one_row(calls_of_spans(spans_of_protobuf(protobuf_request((SERVER, attributes)))), SERVER)
    assert (row["method"], row["protocol"], "/" + row["operation"]) == ("POST", "grpc", expected[0])
    assert (row["target"], row.get("status"), row.get("host"), row.get("port")) == expected


@pytest.mark.parametrize(
    ("key", "value", "name", "values"),
    [
        ("http.request.header.x-request-id", ["r-1"], "x-request-id", ["r-1"]),
        ("http.request.header.x_request_id", ["r-1"], "x-request-id", ["r-1"]),
        (
            "http.request.header.x-forwarded-for",
            ["1.2.3.4", "1.2.3.5"],
            "x-forwarded-for",
            ["1.2.3.4", "1.2.3.5"],
        ),
        ("http.request.header.accept", "text/html", "accept", ["text/html"]),
        ("rpc.grpc.request.metadata.x-api-key", ["k"], "x-api-key", ["k"]),
    ],
)
def test_headers_are_taken_in_both_spellings(key: str, value: Any, name: str, values: list[str]) -> None:
    row = one_row(
        calls_of_spans(spans_of_json(json_request((SERVER, {**SERVER_EXAMPLE, key: value})))), SERVER
    )
    assert row["request_headers"] == [{"name": name, "value": one} for one in values]


def test_a_header_that_was_redacted_is_shown_where_it_presents_something() -> None:
    redacted = {f"http.request.header.{name}": ["REDACTED"] for name in ("authorization", "x-shop")}
    body = json_request((SERVER, {**SERVER_EXAMPLE, **redacted}))
    row = one_row(calls_of_spans(spans_of_json(body)), SERVER)
    assert row["request_headers"] == [{"name": "authorization", "value": "REDACTED"}]


def test_spans_that_are_no_calls_are_skipped_by_name_and_all_are_accounted_for() -> None:
    body = json_request(
        (SERVER, SERVER_EXAMPLE),
        (1, {"db.system": "postgresql"}),
        (CLIENT, {"db.system": "postgresql", "server.address": "db"}),
        (1, SERVER_EXAMPLE),
        (CLIENT, CLIENT_EXAMPLE),
        (SERVER, {"http.request.method": "GET"}),
        (5, {"messaging.system": "kafka"}),
        (CLIENT, {"rpc.system": "java_rmi", "rpc.method": "x"}),
    )
    found = calls_of_spans(spans_of_json(body))
    assert found.served.skipped == {"not-http": 4, "internal-span": 1}
    assert [(one.position, one.reason) for one in found.rejects] == [(5, Reason.MISSING_FIELD)]
    assert found.served.read + found.made.read == 8
    assert found.made.table["position"].to_pylist() == [4]


@pytest.mark.parametrize(
    ("change", "over", "reason"),
    [
        ({"http.request.method": "GET /"}, {}, Reason.BAD_REQUEST),
        ({"url.path": "not a path"}, {}, Reason.BAD_REQUEST),
        ({"http.response.status_code": "hunter2-canary"}, {}, Reason.BAD_VALUE),
        ({}, {"startTimeUnixNano": 0}, Reason.BAD_TIME),
        ({}, {"startTimeUnixNano": "hunter2-canary"}, Reason.BAD_TIME),
    ],
)
def test_what_makes_no_sense_is_rejected(
    change: dict[str, Any], over: dict[str, Any], reason: Reason
) -> None:
    found = calls_of_spans(spans_of_json(json_request((SERVER, {**SERVER_EXAMPLE, **change}), **over)))
    assert [one.reason for one in found.rejects] == [reason]
    assert "canary" not in repr(found.rejects)
    assert found.served.read == 1


@pytest.mark.parametrize(
    ("change", "column", "expected"),
    [
        ({"http.response.status_code": "404"}, "status", 404),
        ({"http.response.status_code": 404.0}, "status", 404),
        ({"http.response.status_code": 99999}, "status", None),
        ({"server.port": -1}, "port", None),
        ({"server.address": "2001:db8::1"}, "host", "[2001:db8::1]"),
        ({"http.request.method": "_OTHER", "http.request.method_original": "ACL"}, "method", "ACL"),
        ({"url.path": ""}, "target", "/?s=1&t=2"),
        ({"http.request.body.size": 3495}, "request_bytes", 3495),
        ({"http.response_content_length": 7}, "response_bytes", 7),
    ],
)
def test_values_are_taken_as_instrumentations_write_them(change: Any, column: str, expected: Any) -> None:
    row = one_row(calls_of_spans(spans_of_json(json_request((SERVER, {**SERVER_EXAMPLE, **change})))), SERVER)
    assert row.get(column) == expected


# opentelemetry-proto, examples/trace.json, shortened to what tells of spans.
DOCUMENTED = b"""{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value":
{"stringValue": "my.service"}}]}, "scopeSpans": [{"scope": {"name": "my.library", "version": "1.0.0",
"attributes": [{"key":
"my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]}, "spans": [{"traceId":
"5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": "EEE19B7EC3C1B173", "name":
"I'm a server span", "startTimeUnixNano": 1544712660000000000, "endTimeUnixNano": 1544712661000000000,
"kind": 2, "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}]}]}]}]}"""


def test_the_protocols_own_example_is_read() -> None:
    (span,) = spans_of_json(DOCUMENTED)
    assert (span.trace_id, span.span_id, span.kind) == (TRACE, SPAN, SERVER)
    assert (span.start_ns, span.end_ns) == (START, END)
    assert (span.attributes, span.resource) == (
        {"my.span.attr": "some value"},
        {"service.name": "my.service"},
    )


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"resourceSpans":[]}', b'{"resourceSpans":null}', b'{"unknown":1}']
)
def test_a_request_without_spans_is_none(body: bytes) -> None:
    decode = spans_of_json if body else spans_of_protobuf
    found = calls_of_spans(decode(body))
    assert found.served.read == found.made.read == 0


HOSTILE = [
    b"",
    b"[]",
    b"\xff\xfe",
    b'{"resourceSpans": 1}',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_SERVER"}]}]}]}',
    b'{"resourceSpans":' + b"[" * 100_000,
    json_request((SERVER, SERVER_EXAMPLE))[:-3],
    json_request((SERVER, SERVER_EXAMPLE)).replace(b"GET", b"\\ud800"),
    json_request((SERVER, SERVER_EXAMPLE)).replace(b"GET", b"\xff"),
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_request_is_refused_without_its_text(body: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        list(spans_of_json(body))
    assert str(caught.value) == ""


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutated_protobuf_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(protobuf_request((SERVER, SERVER_EXAMPLE), (CLIENT, OLD_CLIENT), (1, {})))
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=6)):
        body[at] = data.draw(st.integers(0, 255))
    try:
        spans = list(spans_of_protobuf(bytes(body)))
    except MalformedError:
        return
    found = calls_of_spans(spans)
    assert found.served.read + found.made.read == len(spans)


@pytest.mark.parametrize(("encode", "decode"), ENCODINGS)
def test_a_name_without_a_text_gives_way_to_its_older_form(encode: Any, decode: Any) -> None:
    attributes = {**OLD_SERVER, "http.request.method": []}
    assert one_row(calls_of_spans(decode(encode((SERVER, attributes)))), SERVER)["method"] == "GET"


_values = st.one_of(
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    st.lists(st.text(max_size=5)),
)
_names = st.sampled_from(
    sorted({*SERVER_EXAMPLE, *CLIENT_EXAMPLE, *OLD_SERVER, *OLD_CLIENT, "rpc.system", "rpc.method"})
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.dictionaries(_names, _values)), max_size=5))
def test_any_attributes_in_either_encoding_give_the_same_calls(
    spans: list[tuple[int, dict[str, Any]]],
) -> None:
    binary = calls_of_spans(spans_of_protobuf(protobuf_request(*spans)))
    assert binary.served.read + binary.made.read == len(spans)
    if any(
        value != value or value in (float("inf"), float("-inf")) for _, one in spans for value in one.values()
    ):
        return  # JSON has no such numbers
    text = calls_of_spans(spans_of_json(json_request(*spans)))
    assert text.served.table.equals(binary.served.table)
    assert text.made.table.equals(binary.made.table)
    assert [(one.position, one.reason) for one in text.rejects] == [
        (one.position, one.reason) for one in binary.rejects
    ]
