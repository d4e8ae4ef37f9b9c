"""A real Wardgate process on a free port, and a plain HTTP client for it."""

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wardgate.core.clock import system_clock
from wardgate.core.home import Home, open_home
from wardgate.core.keys import load_key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.state.store import open_state
from wardgate.state.tokens import PushTokens, TokenDefaults

TYPE = "application/x-ndjson"


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running `wardgate up`."""

    home: Home
    process: "subprocess.Popen[bytes]"
    port: int
    tokens: dict[str, str] = field(default_factory=dict)
    out: list[bytes] = field(default_factory=list)

    def token(self, name: str, **more: Any) -> str:
        """A push token of this installation, made when it is first asked for."""
        if name not in self.tokens:
            state = open_state(self.home)
            tokens = PushTokens(state, load_key(self.home.path), system_clock)
            defaults = TokenDefaults(**more.pop("defaults", {}))
            self.tokens[name] = tokens.create(name, defaults=defaults, **more)[1]
            state.close()
        return self.tokens[name]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {}, encode_chunked=not isinstance(body, bytes))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def push(self, body: Any, name: str, key: str | None = None, **headers: str) -> Answer:
        """`POST /v1/calls` with the token called `name`."""
        sent = {"Authorization": f"Bearer {self.token(name)}", "Content-Type": TYPE}
        if key is not None:
            sent["Idempotency-Key"] = key
        sent |= {one.replace("_", "-"): value for one, value in headers.items()}
        return self.ask("POST", "/v1/calls", body, sent)

    def stop(self) -> int:
        """End it as a supervisor does; answers its exit code."""
        self.process.terminate()
        return self.process.wait(60)


def start(folder: Path, *arguments: str, command: str = "up", **environ: str) -> Server:
    """A process of its own, ready to be asked."""
    home = open_home(folder)
    listening = () if command == "work" else ("--port", "0")
    process = subprocess.Popen(
        [sys.executable, "-m", "wardgate", "--home", str(folder), command, "--json", *listening, *arguments],
        stdout=subprocess.PIPE,
        stderr=(folder / "stderr.log").open("wb"),
        env={key: value for key, value in os.environ.items() if not key.startswith("WARDGATE_")} | environ,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, (folder / "stderr.log").read_text()
    url = json.loads(first)["url"]
    server = Server(home, process, int(url.rsplit(":", 1)[1].strip("/")) if url else 0, out=[first])
    out = process.stdout
    threading.Thread(target=lambda: server.out.extend(out), daemon=True).start()
    return server


_lakes: dict[Path, Lake] = {}


def rows(home: Home, sql: str) -> list[dict[str, Any]]:
    """The answer of the lake, asked from this process beside the running one."""
    if home.path not in _lakes:
        _lakes[home.path] = Lake(embedded_place(home))
    found: list[dict[str, Any]] = _lakes[home.path].rows(sql).to_pylist()
    return found


def accounts(home: Home, source: str) -> dict[str, int]:
    """What the lake holds of a source: calls, those rolled up, and the ledger's counts."""
    found = rows(
        home,
        f"""SELECT (SELECT count(*) FROM lake.calls WHERE source = '{source}') AS calls,
        (SELECT coalesce(sum(calls + linked), 0)::BIGINT FROM lake.rollups WHERE source = '{source}')
        AS rolled_up,
        (SELECT count(*) FROM lake.rejects WHERE source = '{source}') AS rejects,
        count(*) AS batches, coalesce(sum(read), 0)::BIGINT AS read,
        coalesce(sum(accepted), 0)::BIGINT AS accepted, coalesce(sum(rejected), 0)::BIGINT AS rejected,
        coalesce(sum(skipped), 0)::BIGINT AS skipped FROM lake.ledger WHERE source = '{source}'""",
    )[0]
    assert found["read"] == found["accepted"] + found["rejected"] + found["skipped"]
    assert found["calls"] == found["rolled_up"] == found["accepted"]
    assert found["rejects"] == found["rejected"]
    return found


@pytest.fixture(scope="session")
def starting() -> Callable[..., Server]:
    return start


@pytest.fixture(scope="session")
def asking() -> Callable[[Home, str], list[dict[str, Any]]]:
    return rows


@pytest.fixture(scope="session")
def accounting() -> Callable[[Home, str], dict[str, int]]:
    return accounts


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for a module's tests; they keep apart by their tokens."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "wardgate.toml").write_text(
        '[push]\ngather_ms = 5\nmax_batch_bytes = 2000000\nskip = { health-check = ["/healthz"] }\n'
    )
    running = start(folder)
    yield running
    code = running.stop()
    if lake := _lakes.pop(folder, None):  # a worker may have run no test that looked into it
        lake.close()
    errors = (folder / "stderr.log").read_text()
    assert (code, errors) == (0, "")
