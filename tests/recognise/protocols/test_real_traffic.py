"""What real clients and servers of MCP and A2A say to each other, recorded at the server's door."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import httpx2
from a2a.client import ClientConfig, ClientFactory
from a2a.helpers import new_task_from_user_message, new_text_message
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    GetTaskRequest,
    Role,
    SendMessageRequest,
)
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server import MCPServer
from starlette.applications import Starlette

HOST = "http://agent.test"


class Recorder:
    """Passes calls on, and keeps them as Wardgate's JSON Lines have them."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        sent: list[bytes] = []
        answered: list[bytes] = []
        start: dict[str, Any] = {}

        async def receiving() -> Any:
            message = await receive()
            sent.append(message.get("body", b""))
            return message

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            answered.append(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        finally:
            headers = lambda pairs: {name.decode(): value.decode() for name, value in pairs}  # noqa: E731
            self.calls.append(
                {
                    "ts": f"2026-03-01T10:00:{len(self.calls):02d}Z",
                    "method": scope["method"],
                    "url": f"{HOST}{scope['path']}",
                    "status": start.get("status"),
                    "request_headers": headers(scope["headers"]),
                    "request_body": b"".join(sent).decode() or None,
                    "response_headers": headers(start.get("headers", [])),
                    "response_body": b"".join(answered).decode() or None,
                }
            )


def mcp_calls(mode: str) -> list[dict[str, Any]]:
    server = MCPServer("docs")

    @server.tool()
    def search_docs(query: str) -> str:
        return f"found {query}"

    @server.resource("docs://{name}")
    def document(name: str) -> str:
        return f"text of {name}"

    @server.prompt()
    def greet(name: str) -> str:
        return f"hello {name}"

    async def talk() -> list[dict[str, Any]]:
        app = server.streamable_http_app(host="agent.test")
        recorder = Recorder(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(recorder), base_url=HOST) as http,
            Client(streamable_http_client(f"{HOST}/mcp", http_client=http), mode=mode) as client,
        ):
            await client.list_tools()
            await client.call_tool("search_docs", {"query": "otters"})
            await client.read_resource("docs://intro")
            await client.get_prompt("greet", {"name": "x"})
        return recorder.calls

    return asyncio.run(asyncio.wait_for(talk(), 60))


class _Echo(AgentExecutor):
    async def execute(self, context: Any, event_queue: Any) -> None:
        await event_queue.enqueue_event(new_task_from_user_message(context.message))

    async def cancel(self, context: Any, event_queue: Any) -> None:
        raise NotImplementedError


def a2a_calls(binding: str) -> list[dict[str, Any]]:
    url = f"{HOST}/rpc" if binding == "JSONRPC" else f"{HOST}/"
    card = AgentCard(
        name="echo",
        description="echoes",
        version="1",
        capabilities=AgentCapabilities(),
        default_input_modes=["text"],
        default_output_modes=["text"],
        skills=[AgentSkill(id="echo", name="echo", description="echoes", tags=["echo"])],
        supported_interfaces=[AgentInterface(url=url, protocol_binding=binding, protocol_version="1.0")],
    )

    async def talk() -> list[dict[str, Any]]:
        handler = DefaultRequestHandler(
            agent_executor=_Echo(), task_store=InMemoryTaskStore(), agent_card=card
        )
        routes = [
            *create_agent_card_routes(card),
            *create_jsonrpc_routes(handler, "/rpc"),
            *create_rest_routes(handler),
        ]
        recorder = Recorder(Starlette(routes=routes))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(recorder), base_url=HOST) as http:
            config = ClientConfig(httpx_client=http, streaming=False, supported_protocol_bindings=[binding])
            client = await ClientFactory(config).create_from_url(HOST)
            message = new_text_message("hello", context_id="talk-17", role=Role.ROLE_USER)
            task = [one async for one in client.send_message(SendMessageRequest(message=message))][-1]
            await client.get_task(GetTaskRequest(id=task.task.id))
        return recorder.calls

    return asyncio.run(asyncio.wait_for(talk(), 60))


def ingested(calls: list[dict[str, Any]], tmp_path: Path) -> dict[str, Any]:
    """The inventory by (protocol, method, operation), as a user gets it."""
    from click.testing import CliRunner

    from wardgate.cli.main import cli

    file = tmp_path / "calls.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in calls))
    home = ["--home", str(tmp_path / "home")]
    assert CliRunner().invoke(cli, [*home, "ingest", str(file)]).exit_code == 0
    found = CliRunner().invoke(cli, [*home, "operations", "--all", "--json"]).stdout
    return {
        (one["protocol"], one["method"], one["operation"]): one for one in json.loads(found)["operations"]
    }


NAMED = {
    *("tools/list", "tools/call search_docs", "resources/read docs://intro", "prompts/get greet"),
}


def test_mcp_without_sessions(tmp_path: Path) -> None:
    found = ingested(mcp_calls("auto"), tmp_path)
    assert set(found) == {("mcp", "POST", name) for name in ("server/discover", *NAMED)}
    assert {tuple(one["protocol_versions"]) for one in found.values()} == {("2026-07-28",)}


def test_mcp_told_by_headers_alone(tmp_path: Path) -> None:
    calls = [{**one, "request_body": None, "response_body": None} for one in mcp_calls("auto")]
    assert set(ingested(calls, tmp_path)) == {("mcp", "POST", name) for name in ("server/discover", *NAMED)}


def test_mcp_with_sessions_and_answers_as_streams(tmp_path: Path) -> None:
    calls = mcp_calls("legacy")
    assert any(one["response_headers"].get("content-type") == "text/event-stream" for one in calls)
    found = ingested(calls, tmp_path)
    assert set(found) == {
        *(("mcp", "POST", name) for name in ("initialize", "notifications/initialized", *NAMED)),
        ("mcp", "GET", None),
        ("mcp", "DELETE", None),
    }
    assert found["mcp", "POST", "tools/list"]["protocol_versions"] == ["2025-11-25"]


def test_mcp_sessions_tie_calls_together(recognise: Callable[..., Any]) -> None:
    rows = [
        {
            "method": one["method"],
            "target": "/mcp",
            "request_body": (one["request_body"] or "").encode() or None,
            "request_headers": one["request_headers"],
            "response_headers": one["response_headers"],
        }
        for one in mcp_calls("legacy")
    ]
    sessions = recognise(*rows).calls["session"].to_pylist()
    assert len(set(sessions)) == 1 and sessions[0] is not None


def test_a2a_in_both_bindings(tmp_path: Path) -> None:
    for binding in ("JSONRPC", "HTTP+JSON"):
        folder = tmp_path / binding
        folder.mkdir()
        found = ingested(a2a_calls(binding), folder)
        get = "POST" if binding == "JSONRPC" else "GET"
        assert set(found) == {
            ("a2a", "GET", "agent card"),
            ("a2a", "POST", "SendMessage"),
            ("a2a", get, "GetTask"),
        }
        assert found["a2a", "POST", "SendMessage"]["protocol_versions"] == ["1.0"]
