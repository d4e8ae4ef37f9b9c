"""MCP: methods and what they name, from bodies and headers; sessions, and messages that mislead."""

from collections.abc import Callable
from typing import Any

import pytest

from wardgate.recognise.protocols.mcp import resource


def message(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


SESSION = {"Mcp-Session-Id": "1868a90c-7d2b"}


@pytest.mark.parametrize(
    ("row", "operation"),
    [
        (
            {"request_body": message("initialize", protocolVersion="2025-06-18", capabilities={})},
            "initialize",
        ),
        ({"request_body": message("tools/list")}, "tools/list"),
        ({"request_body": message("tools/call", name="get.weather-v2")}, "tools/call get.weather-v2"),
        ({"request_body": message("tools/call")}, "tools/call"),
        (
            {"request_body": message("resources/read", uri="file:///docs/4711/a.md?x=1")},
            "resources/read file:///docs/{docId}/a.md",
        ),
        ({"request_body": message("tasks/get", taskId="t")}, "tasks/get"),
        ({"request_body": message("ping"), "request_headers": SESSION}, "ping"),
        ({"request_body": message("vendor/own"), "request_headers": SESSION}, "vendor/own"),
        ({"request_body": {"jsonrpc": "2.0", "id": 7, "result": {}}, "request_headers": SESSION}, "(answer)"),
        (
            {"request_body": [message("tools/list"), message("tools/call", name="a")]},
            "[tools/call a, tools/list]",
        ),
        ({"method": "GET", "request_headers": SESSION | {"Accept": "text/event-stream"}}, None),
        ({"method": "DELETE", "request_headers": SESSION}, None),
        (
            {"request_headers": {"Mcp-Method": "tools/call", "Mcp-Name": "=?base64?c8O8w58=?="}},
            "tools/call süß",
        ),
        (
            {"request_headers": {"Mcp-Method": "tools/call", "Mcp-Name": "=?base64?!?="}},
            "tools/call (unreadable)",
        ),
        (
            {
                "request_headers": {"Mcp-Method": "tools/call", "Mcp-Name": "a"},
                "request_body": message("tools/call", name="a"),
            },
            "tools/call a",
        ),
        (
            {
                "request_headers": {"Mcp-Method": "tools/list"},
                "request_body": message("tools/call", name="delete_all"),
            },
            "tools/call delete_all (header: tools/list)",
        ),
        ({"request_body": b'{"jsonrpc":"2.0","method":', "request_headers": SESSION}, "(unreadable)"),
        (
            {
                "request_body": b'{"jsonrpc":"2.0","method":"ping","x":"' + b"y" * (1 << 20) + b'"}',
                "request_headers": SESSION,
            },
            "(too large)",
        ),
        # Of two members with one name the last counts, as servers have it.
        ({"request_body": b'{"jsonrpc":"2.0","method":"ping","method":"tools/list"}'}, "tools/list"),
    ],
)
def test_what_is_asked_of_a_server(
    row: dict[str, Any], operation: str | None, spoken: Callable[..., Any]
) -> None:
    assert spoken({"target": "/mcp", **row}) == [("mcp", operation)]


def test_a_session_is_a_keyed_hash_wherever_it_stands(recognise: Callable[..., Any]) -> None:
    calls = recognise(
        {"target": "/mcp", "request_body": message("ping"), "request_headers": SESSION},
        {
            "target": "/mcp",
            "request_body": message("initialize", protocolVersion="2025-06-18"),
            "response_headers": SESSION,
        },
        {"target": "/messages?session_id=1868a90c-7d2b", "request_body": message("tools/list")},
        {"target": "/mcp", "request_body": message("tools/list")},
    ).calls
    first, *more = calls["session"].to_pylist()
    assert first is not None and more == [first, first, None]
    assert "1868a90c-7d2b" not in str(calls.to_pydict())


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("file:///a/b.txt", "file:///a/b.txt"),
        ("https://u:p@docs.example/v1/users/42?token=x#y", "https://docs.example/v1/users/{userId}"),
        ("note:today?x=1", "note:today"),
    ],
)
def test_a_resource_is_shown_without_what_varies(uri: str, shown: str) -> None:
    assert resource(uri) == shown


def test_what_a_client_asks_the_authorization_server_is_no_mcp(spoken: Callable[..., Any]) -> None:
    asked = {
        "target": "/.well-known/oauth-protected-resource/mcp",
        "method": "GET",
        "request_headers": {"MCP-Protocol-Version": "2025-11-25"},
    }
    assert spoken(asked) == [("http", None)]
