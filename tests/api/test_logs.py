"""The log of a running process: JSON lines with stable names, and no value from traffic whatever comes."""

import gzip
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CANARY = "sk_live_canaryLogs91Zq"
LINE = f'203.0.113.1 - - [14/Nov/2025:10:00:00 +0000] "GET /?key={CANARY} HTTP/1.1" 200 1 "-" "x"\n'


def test_a_log_in_json_from_start_to_end_without_a_secret(
    starting: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "wardgate.toml").write_text(
        '[log]\nformat = "json"\nlevel = "debug"\n[lake]\nmaintenance_interval_s = 1\n'
        f'[[source]]\nname = "web"\npath = "{tmp_path}/access.log"\nformat = "nginx"\n'
    )
    (tmp_path / "access.log").write_text(
        f'203.0.113.1 - {CANARY} [14/Nov/2025:10:00:00 +0000] "GET /?key={CANARY} HTTP/1.1" 200 1 "-" "x"\n'
        f"no such line {CANARY}\n"
    )
    server = starting(folder)
    call = {"method": "GET", "url": f"https://api.example.com/{CANARY}?token={CANARY}", "status": 200}
    hostile = json.dumps({**call, "request_headers": {"Authorization": f"Bearer {CANARY}"}}).encode()
    assert server.push(hostile + b"\n" + CANARY.encode() + b"\n", "edge").status == 200
    refused = {"Authorization": f"Bearer {CANARY}", "Content-Type": CANARY}
    assert server.ask("POST", "/v1/calls", hostile, refused).status == 401
    assert server.ask("GET", f"/{CANARY}?x={CANARY}").status == 404
    assert (
        server.ask("POST", "/v1/traces", CANARY.encode(), {"Content-Type": "application/json"}).status == 401
    )
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(f"{CANARY} \r\n{CANARY}\r\n\r\n".encode())
        raw.recv(1000)
    assert server.stop() == 0
    text = (folder / "stderr.log").read_text()
    assert CANARY not in text
    logged = [json.loads(line) for line in text.splitlines()]
    assert [logged[0]["event"], logged[-1]["event"]] == ["started", "stopped"]
    assert all(one.keys() >= {"time", "level", "event"} for one in logged)
    assert (logged[0]["sources"], logged[0]["url"]) == (1, f"http://127.0.0.1:{server.port}/")


def test_a_source_that_fails_is_logged_once_and_so_is_its_end(
    starting: Callable[..., Any], tmp_path: Path
) -> None:
    folder, log = tmp_path / "home", tmp_path / "access.log"
    folder.mkdir()
    (folder / "wardgate.toml").write_text(
        '[log]\nformat = "json"\nlevel = "info"\n'
        f'[[source]]\nname = "web"\npath = "{log}"\nformat = "nginx"\n'
    )
    log.mkdir()
    inner = log / "a.log.gz"
    inner.write_bytes(b"\x1f\x8b\x08 no gzip " + CANARY.encode() * 20)
    server = starting(folder)

    def told(event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, (folder / "stderr.log").read_text().splitlines())
        return [one for one in lines if one["event"] == event]

    until(lambda: bool(told("source-failing")))
    time.sleep(5)
    assert [(one["source"], one["level"]) for one in told("source-failing")] == [("web", "warning")]
    assert re.fullmatch("[a-z]+(-[a-z]+)+", told("source-failing")[0]["code"])
    inner.write_bytes(gzip.compress(LINE.encode()))
    until(lambda: bool(told("source-well")))
    assert server.stop() == 0
    assert CANARY not in (folder / "stderr.log").read_text()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_what_keeps_it_from_starting_is_logged_in_the_same_form(
    starting: Callable[..., Any], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "wardgate",
                "--home",
                tmp_path,
                "up",
                "--port",
                port,
                "--log-format",
                "json",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
    (line,) = done.stderr.splitlines()
    logged = json.loads(line)
    assert (done.returncode, logged["event"], logged["code"]) == (2, "failed", "listen-refused")
