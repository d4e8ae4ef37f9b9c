"""A2A, JSON-RPC, gRPC, SOAP, WebSocket and event streams: what is told, from what, and what misleads."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from wardgate.recognise.protocols.grpc import _trailer as trailer
from wardgate.recognise.protocols.names import members
from wardgate.sources.grpc_status import http_status

V1 = {"A2A-Version": "1.0"}
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


def message(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


@pytest.mark.parametrize(
    ("row", "operation"),
    [
        ({"request_body": message("tasks/get", id="t")}, "tasks/get"),
        ({"request_body": message("SendMessage", message={"messageId": "m"})}, "SendMessage"),
        ({"request_body": message("GetTask", id="t"), "request_headers": V1}, "GetTask"),
        ({"target": "/v1/message:send"}, "message/send"),
        ({"target": "/message:stream", "request_headers": V1}, "SendStreamingMessage"),
        ({"target": "/acme/message:send", "request_headers": V1}, "SendMessage"),
        ({"target": "/v1/tasks/4711:cancel"}, "tasks/cancel"),
        ({"target": "/tasks/4711:subscribe", "request_headers": V1, "method": "GET"}, "SubscribeToTask"),
        ({"target": "/tasks/4711", "request_headers": V1, "method": "GET"}, "GetTask"),
        ({"target": "/tasks", "request_headers": V1, "method": "GET"}, "ListTasks"),
        (
            {"target": "/tasks/1/pushNotificationConfigs/2", "request_headers": V1, "method": "DELETE"},
            "DeleteTaskPushNotificationConfig",
        ),
        ({"target": "/extendedAgentCard", "request_headers": V1, "method": "GET"}, "GetExtendedAgentCard"),
        ({"target": "/agents/a/.well-known/agent.json", "method": "GET"}, "agent card"),
    ],
)
def test_a2a_in_both_bindings(row: dict[str, Any], operation: str, spoken: Callable[..., Any]) -> None:
    assert spoken({"target": "/", **row}) == [("a2a", operation)]


def test_a_task_of_mcp_is_none_of_a2a(spoken: Callable[..., Any]) -> None:
    rows = [
        {"target": "/", "request_body": message("tasks/cancel", **one)}
        for one in ({"taskId": "t"}, {"id": "t"})
    ]
    assert spoken(*rows) == [("mcp", "tasks/cancel"), ("a2a", "tasks/cancel")]


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        (message("eth_call"), "eth_call"),
        ([message("b"), message("a"), message("b")], "[a, b]"),
        ([message("a")] * 50, "a"),
        ([message(f"m{n:03}") for n in range(150)], f"[{', '.join(f'm{n:03}' for n in range(8))}, (more)]"),
        ([message("a")] * 150, "[a, (more)]"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601}}, "(answer)"),
        (b'{"jsonrpc":"2.0","method":"cut of', "(unreadable)"),
        (b'{"jsonrpc":"2.0","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "(unreadable)"),
    ],
)
def test_json_rpc_alone_and_in_batches(body: Any, operation: str, spoken: Callable[..., Any]) -> None:
    assert spoken({"target": "/rpc", "request_body": body}) == [("json-rpc", operation)]


def frame(content: bytes, flag: int = 0) -> bytes:
    return bytes([flag]) + len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *(("0", 200), ("7", 403), (16, 401), ("PERMISSION_DENIED", 403), ("InvalidArgument", 400)),
        *(
            ("Canceled", 499),
            ("17", None),
            ("-1", None),
            ("²", None),
            ("", None),
            (None, None),
            ("x" * 99, None),
        ),
    ],
)
def test_a_status_of_grpc_means_one_of_http(code: str | int | None, status: int | None) -> None:
    assert http_status(code) == status


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (frame(b"x" * 70) + frame(b"grpc-status: 5\r\ngrpc-message: no\r\n", 0x80), "+proto", "5"),
        (base64.b64encode(frame(b"abc")) + base64.b64encode(frame(b"grpc-status:0", 0x80)), "-text", "0"),
        (frame(b"x"), "", None),
        (b"\x80\xff\xff\xff\xffgrpc-status: 3", "", "3"),
        (b"\x80", "", None),
        (b"!!", "-text", None),
    ],
)
def test_the_trailers_of_grpc_web_are_in_its_body(answer: bytes, kind: str, told: str | None) -> None:
    assert trailer(answer, f"application/grpc-web{kind}") == told


def test_what_grpc_says_is_the_outcome_where_http_says_nothing(recognise: Callable[..., Any]) -> None:
    grpc = {"target": "/shop.Orders/Get", "request_content_type": "application/grpc"}
    web = {"target": "/shop.Orders/Get", "request_content_type": "application/grpc-web"}
    calls = recognise(
        {**grpc, "response_headers": {"grpc-status": "5"}},
        {**grpc, "response_headers": {"grpc-status": "0"}},
        {**grpc, "response_headers": {"grpc-status": "5"}, "status": 503},
        {**grpc, "protocol": "grpc", "response_headers": {"grpc-status": "7"}},
        {**web, "response_body": frame(b"grpc-status: 16", 0x80)},
        {"target": "/x", "response_headers": {"grpc-status": "5"}},
    ).calls
    assert calls["status"].to_pylist() == [404, 200, 503, 403, 401, 200]


def test_what_the_source_says_is_believed(spoken: Callable[..., Any]) -> None:
    body = message("tools/call", name="x")
    assert spoken(
        {"target": "/a.B/C", "protocol": "grpc"},
        {"target": "/x", "protocol": "grpc", "operation": "own.Name/Here"},
        {"target": "/x", "operation": "its own name", "request_body": body},
        {"target": "/x", "protocol": "thrift", "request_body": body},
        {"target": "/x", "request_body": body},
    ) == [
        ("grpc", "a.B/C"),
        ("grpc", "own.Name/Here"),
        ("http", "its own name"),
        ("thrift", None),
        ("mcp", "tools/call x"),
    ]


def envelope(body: str, header: str = "", namespace: str = ENVELOPE) -> bytes:
    return f'<e:Envelope xmlns:e="{namespace}">{header}<e:Body>{body}</e:Body></e:Envelope>'.encode()


BOMB = b'<!DOCTYPE e [<!ENTITY a "aaaa">' + b"".join(
    b'<!ENTITY b%d "%s">' % (n, b"&a;" * 9) for n in range(9)
) + b"]>" + envelope("&b8;")  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "body", "operation"),
    [
        ({"SOAPAction": '"http://shop.example/Orders/GetOrder"'}, None, "GetOrder"),
        ({"SOAPAction": "urn:shop#GetOrder"}, envelope("<GetOrderRequest/>"), "GetOrder"),
        ({"SOAPAction": '""'}, envelope("<GetOrder xmlns='urn:shop'>"), "GetOrder"),
        (
            {"Content-Type": 'Application/SOAP+xml; charset=utf-8; Action="urn:shop:GetOrder"'},
            None,
            "GetOrder",
        ),
        ({"SOAPAction": "urn:GetStatus"}, envelope("<DeleteUser/>"), "GetStatus (body: DeleteUser)"),
        ({}, envelope("<a:Buy xmlns:a='urn:b'/>", "<e:Header><w:Sec xmlns:w='urn:w'/></e:Header>"), "Buy"),
        ({}, envelope("<Buy/>", namespace="http://www.w3.org/2003/05/soap-envelope"), "Buy"),
        ({}, envelope("text only"), "(unreadable)"),
        ({"SOAPAction": "urn:Buy"}, BOMB, "Buy"),
        ({}, BOMB, "(unreadable)"),
        ({}, envelope("<Buy/>", "<e:Header>" + "<a>" * 40_000), "(too large)"),
        ({}, b"<e:Envelope>" * 200_000, "(unreadable)"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_soap_by_action_and_body(
    headers: dict[str, str], body: bytes | None, operation: str, spoken: Callable[..., Any]
) -> None:
    found = spoken({"target": "/orders.asmx", "request_headers": headers, "request_body": body})
    assert found == [("soap", operation)]


def test_other_xml_is_no_soap(spoken: Callable[..., Any]) -> None:
    assert spoken({"target": "/x", "request_body": envelope("<a/>", namespace="urn:mail")}) == [
        ("http", None)
    ]


@pytest.mark.parametrize(
    ("name", "single"),
    [
        ("query user", ["query user"]),
        ("query a b", ["query a", "query b"]),
        ("[mutation x, query a b]", ["mutation x", "query a", "query b"]),
        ("[eth_call, eth_get]", ["eth_call", "eth_get"]),
        ("tools/call a b", ["tools/call a b"]),
        ("query a b (more)", ["query a", "query b"]),
        ("[a, b, (more)]", ["a", "b"]),
        ("(other)", ["(other)"]),
    ],
)
def test_a_name_is_taken_apart_again(name: str, single: list[str]) -> None:
    assert members(name) == single
