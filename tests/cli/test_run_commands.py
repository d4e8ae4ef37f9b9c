"""`wardgate up`, `serve` and `work` as processes: what they say, what they do, and how they end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LINE = '203.0.113.{n} - - [14/Nov/2025:10:00:{n:02d} +0000] "GET /users/{n} HTTP/1.1" 200 12 "-" "curl/8.1"\n'
Run = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts a command on the test's home; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environ: str) -> "subprocess.Popen[str]":
        kept = {key: value for key, value in os.environ.items() if not key.startswith("WARDGATE_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "wardgate", "--home", str(home), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=kept | environ,
        )
        started.append(process)
        return process

    yield begin
    for one in started:
        if one.poll() is None:
            one.kill()
            one.wait()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def get(url: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def follows(home: Path, folder: Path) -> Path:
    """A home whose configuration follows a log of one line."""
    home.mkdir(exist_ok=True)
    log = folder / "access.log"
    log.write_text(LINE.format(n=1))
    (home / "wardgate.toml").write_text(f'[[source]]\nname = "web"\npath = "{log}"\nformat = "nginx"\n')
    return log


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_up_follows_serves_and_ends_cleanly(
    start: Start, run: Run, home: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    log = follows(home, tmp_path)
    process = start("up", "--port", "0")
    url = line(process).removeprefix("Wardgate is up: ").strip()
    assert url.startswith("http://127.0.0.1:")
    assert line(process) == "Ctrl-C stops it.\n"
    with log.open("a") as file:
        file.write(LINE.format(n=2))
    until(lambda: [one["accepted"] for one in run("sources", "--json").json["sources"]] == [2])
    assert "/users/" in get(url, "/")[1]
    process.send_signal(ending)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out == "Stopped. Everything that was accepted is committed.\n"
    (source,) = run("sources", "--json").json["sources"]
    assert (source["source"], source["read"], source["accepted"]) == ("web", 2, 2)


def test_serve_follows_nothing_and_work_serves_nothing(
    start: Start, run: Run, home: Path, tmp_path: Path
) -> None:
    follows(home, tmp_path)
    serving = start("serve", "--port", "0", "--json")
    url = json.loads(line(serving))["url"]
    assert get(url, "/healthz") == (200, '{"status":"ok"}')
    assert run("sources", "--json").json["sources"] == []
    working = start("work", "--json")
    assert json.loads(line(working)) == {"event": "up", "url": None, "home": str(home), "sources": ["web"]}
    until(lambda: bool(run("sources", "--json").json["sources"]))
    for process in (serving, working):
        process.terminate()
        out, err = process.communicate(timeout=60)
        assert (process.returncode, json.loads(out), err) == (0, {"event": "stopped"}, "")


def test_a_port_that_is_taken_is_told(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("up", "--port", str(taken.getsockname()[1]))
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("[listen-refused] cannot listen on 127.0.0.1 port ")


def test_a_configuration_that_makes_no_sense_is_told_before_anything_is_done(
    start: Start, home: Path
) -> None:
    home.mkdir()
    (home / "wardgate.toml").write_text("[listn]\nport = 1\n")
    process = start("up")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert (
        err == f"[config-unknown-key] {home}/wardgate.toml has listn, which is no key. Did you mean listen?\n"
    )
    assert not (home / "state.sqlite").exists()


def test_a_part_that_fails_ends_the_process_and_says_so(start: Start, home: Path) -> None:
    """Syslog on a port that is taken: found when it begins to listen, after the process is up."""
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (home / "wardgate.toml").write_text(
            f'[syslog]\ntcp = "127.0.0.1:{taken.getsockname()[1]}"\n[[source]]\nname = "f5"\nsyslog = true\n'
        )
        process = start("up", "--port", "0")
        _, err = process.communicate(timeout=60)
    assert process.returncode in (2, 3)
    assert err.startswith("[") and err.count("\n") == 1


def test_a_second_up_on_the_same_home_serves_beside_the_first(
    start: Start, home: Path, tmp_path: Path
) -> None:
    log = follows(home, tmp_path)
    urls = [json.loads(line(start("up", "--port", "0", "--json")))["url"] for _ in range(2)]
    with log.open("a") as file:
        file.writelines(LINE.format(n=n) for n in range(2, 50))
    for url in urls:
        until(lambda url=url: "/users/" in get(url, "/")[1])
        assert get(url, "/readyz")[0] == 200


def test_the_environment_and_the_options_win_over_the_file(start: Start, home: Path) -> None:
    home.mkdir()
    (home / "wardgate.toml").write_text('[listen]\naddress = "192.0.2.1"\nport = 1\n')
    process = start("serve", "--port", "0", "--json", WARDGATE_LISTEN__ADDRESS="127.0.0.1")
    assert get(json.loads(line(process))["url"], "/healthz")[0] == 200


def test_what_is_not_installed_is_told(home: Path) -> None:
    """As where the extra `console` was left out."""
    code = (
        "import sys; sys.modules['fastapi'] = None; from wardgate.cli.main import main; "
        f"sys.argv[1:] = ['--home', {str(home)!r}, 'serve', '--port', '0']; main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    told = "serving needs fastapi, which is not installed. pip install 'wardgate[console]'"
    assert ended.stderr == f"[console-not-installed] {told}\n"
