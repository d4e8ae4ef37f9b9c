"""Every protocol against what every protocol must do. The messages are for a protocol's author.

To add a protocol: write `recognise/protocols/<name>.py` with a class as `shape.py` describes, list it in
`catalogue.py` before those it is a special case of, put exchanges into `EXAMPLES` here (from its own
document, values made up), and run this file with `-k <name>`.
"""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import re2

from wardgate.recognise.headers import READ, READ_RESPONSE
from wardgate.recognise.protocols.catalogue import HTTP, protocols
from wardgate.recognise.protocols.shape import TRAITS, ProtocolKind, Seen

SOAP = (
    b'<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    b'<s:Header><a/></s:Header><s:Body><GetOrderRequest xmlns="urn:shop"/></s:Body></s:Envelope>'
)
EXAMPLES: dict[str, list[tuple[dict[str, Any], str | None]]] = {
    "grpc": [
        ({"target": "/shop.v1.Orders/Get", "request_content_type": "application/grpc"}, "shop.v1.Orders/Get"),
        ({"target": "/shop.v1.Orders/Get"}, "shop.v1.Orders/Get"),
    ],
    "grpc-web": [
        (
            {"target": "/api/shop.v1.Orders/Get", "request_content_type": "application/grpc-web+proto"},
            "shop.v1.Orders/Get",
        ),
        (
            {"target": "/shop.v1.Orders/Get", "request_content_type": "application/grpc-web-text"},
            "shop.v1.Orders/Get",
        ),
    ],
    "mcp": [
        (
            {
                "target": "/mcp",
                "request_body": {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "tools/call",
                    "params": {"name": "search_docs", "arguments": {"q": "otters"}},
                },
            },
            "tools/call search_docs",
        ),
        (
            {"target": "/mcp", "request_headers": {"Mcp-Method": "prompts/get", "Mcp-Name": "greet"}},
            "prompts/get greet",
        ),
    ],
    "a2a": [
        (
            {
                "target": "/agent",
                "request_body": {
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": "message/send",
                    "params": {"message": {"messageId": "m", "role": "user", "parts": []}},
                },
            },
            "message/send",
        ),
        ({"target": "/.well-known/agent-card.json", "method": "GET"}, "agent card"),
    ],
    "json-rpc": [
        ({"target": "/", "request_body": {"jsonrpc": "2.0", "id": 1, "method": "eth_call"}}, "eth_call"),
        ({"target": "/", "request_body": [{"jsonrpc": "2.0", "method": "log", "params": [1]}]}, "log"),
    ],
    "graphql": [
        ({"target": "/graphql", "request_body": {"query": "{ me { id } }"}}, "query me"),
        ({"target": "/graphql?query=%7Bme%7Bid%7D%7D", "method": "GET"}, "query me"),
    ],
    "soap": [
        ({"target": "/orders.asmx", "request_headers": {"SOAPAction": '"urn:shop#GetOrder"'}}, "GetOrder"),
        ({"target": "/orders", "request_body": SOAP}, "GetOrderRequest"),
    ],
    "websocket": [
        ({"target": "/live", "method": "GET", "request_headers": {"Upgrade": "websocket"}}, None),
        ({"target": "/live", "method": "GET", "status": 101}, None),
    ],
    "sse": [
        ({"target": "/events", "method": "GET", "request_headers": {"Accept": "text/event-stream"}}, None),
        ({"target": "/events", "method": "GET", "response_content_type": "text/event-stream"}, None),
    ],
}
REST: list[dict[str, Any]] = [
    {"target": "/orders", "method": "GET"},
    {"target": "/orders/17?query=blue+shoes&id=4", "method": "GET"},
    {"target": "/search", "request_body": {"query": "query optimizers", "id": 4}},
    {"target": "/search", "request_body": {"query": {"match": {"name": "x"}}}},
    {"target": "/orders", "request_body": {"method": "card", "params": {"name": "x"}, "id": 1}},
    {"target": "/orders", "request_body": {"note": 'it says "jsonrpc" here', "name": "\u00e9\u0041"}},
    {"target": "/v1/tasks/17", "method": "GET"},
    {"target": "/files/report.v1.Final/Draft.pdf", "method": "GET"},
    {"target": "/orders", "request_body": b"<order><Envelope>big</Envelope></order>"},
    {
        "target": "/orders",
        "method": "GET",
        "request_headers": {"Accept": "application/json, text/event-stream;q=0.1", "Upgrade": "h2c"},
    },
    {
        "target": "/chat/completions",
        "request_headers": {"Accept": "text/event-stream", "Content-Type": "application/json"},
        "response_content_type": "text/event-stream",
    },
]
HOSTILE = (
    b"",
    b"\x00" * 100,
    b"{" * 200_000,
    b"[" * 200_000,
    b'{"jsonrpc":' * 50_000,
    b'{"jsonrpc":"2.0","method":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"jsonrpc":"2.0","method":"a","params":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    b'{"jsonrpc":"2.0","method":"\\ud800"}',
    b'{"jsonrpc":2,"method":{},"params":"x","id":[]}',
    b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":{"a":1},"_meta":[]}}',
    b'{"query":17,"extensions":[],"operationName":{},"id":{}}',
    b'{"query":"' + b"{a" * 100_000 + b'"}',
    b'{"query":"{' + b" a: b" * 100_000 + b'}"}',
    b'{"query":"query(' + b"$a:[" * 50_000 + b'"}',
    b'{"query":"' + b'\\"\\"\\"' * 60_000 + b'"}',
    b'{"query":"' + b'\\"\\\\' * 60_000 + b'"}',
    b'{"query":"' + b"#" * 500_000 + b'"}',
    b'{"query":"{...A} fragment A on Q {...B} fragment B on Q {...A}"}',
    b"<s:Envelope>" * 20_000,
    b'<!DOCTYPE a [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><s:Envelope>&b;</s:Envelope>',
    b"\xff\xfe<\x00E\x00n\x00v\x00e\x00l\x00o\x00p\x00e\x00",
    b"\x80\xff\xff\xff\xff" * 1000,
    b"\x00\x00\x00\x00\x00" * 100_000,
)
each = pytest.mark.parametrize("one", protocols(), ids=lambda one: one.name)


@each
def test_it_says_what_it_is(one: ProtocolKind) -> None:
    doc = (type(one).__doc__ or "").splitlines()
    assert doc and doc[0].endswith("."), "the first line of the class's docstring is shown to users"
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,19}", one.name), "`name`: lower case, with dashes"
    assert one.title and one.reference, "`title`, and whose document says how it looks"
    assert one.name != HTTP, "`http` is everything that no protocol knows"


@each
def test_its_hints_can_be_asked_of_columns(one: ProtocolKind) -> None:
    hints = one.hints
    patterns = [hints.request_type, hints.response_type, hints.post_path, hints.query]
    for pattern in [*patterns, *(pattern for _, pattern in hints.values)]:
        if pattern is not None:
            re2.compile(pattern)  # hints are RE2's: no look-around, no back-references
    assert any([*patterns, hints.headers, hints.values, hints.statuses, hints.body, hints.path_endings])
    for name in (*hints.headers, *(name for name, _ in hints.values), *one.reads):
        side, _, header = name.partition(".")
        known = READ if side == "req" else READ_RESPONSE
        assert header in known, f"list {header!r} in `recognise/headers.py`, or it never becomes a column"
    assert all(len(text) >= 6 for text in hints.body), "a short text is in every second body"


@each
def test_its_examples_are_told_through_their_hints(one: ProtocolKind, spoken: Callable[..., Any]) -> None:
    examples = EXAMPLES.get(one.name, [])
    assert len(examples) >= 2, f"add two exchanges to EXAMPLES[{one.name!r}]"
    rows = [row for row, _ in examples]
    expected = [(one.name, name) for _, name in examples]
    assert spoken(*rows) == expected
    assert spoken(*reversed(rows)) == expected[::-1]
    for row, answer in zip(rows, expected, strict=True):
        assert spoken(row) == [answer], "the same alone as in a batch"


@each
def test_it_takes_no_other_protocols_calls_for_its_own(one: ProtocolKind, spoken: Callable[..., Any]) -> None:
    assert spoken(*REST) == [(HTTP, None)] * len(REST)
    others = [row for name, rows in EXAMPLES.items() if name != one.name for row, _ in rows]
    assert one.name not in [name for name, _ in spoken(*others)]


@each
@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:24]))
def test_nothing_that_is_sent_makes_it_raise_or_linger(one: ProtocolKind, body: bytes) -> None:
    headers = dict.fromkeys((*one.hints.headers, *one.reads), "\x00é=?base64?!?=")
    start = time.process_time()
    for kind in (None, "application/json", "application/graphql", "text/xml; action=", "multipart/x"):
        for path in ("/", "/graphql", "/a.B/C", "/" + "a." * 2000 + "B/C", "/v1/message:send"):
            for given in ({}, headers):
                found = one.read(Seen("POST", path, "query={" * 100, kind, kind, 200, given, body, body))
                assert found is None or all(name in TRAITS for name, _ in found.traits)
    assert time.process_time() - start < 5, "each look must cost less than some 50 ms"


@each
def test_the_same_exchange_is_the_same_whoever_saw_it(
    one: ProtocolKind, recognise: Callable[..., Any]
) -> None:
    rows = [row for row, _ in EXAMPLES[one.name]]
    first, second = recognise(*rows), recognise(*rows, *REST)
    assert first.calls["path_id"].to_pylist() == second.calls["path_id"].to_pylist()[: len(rows)]
