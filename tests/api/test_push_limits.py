"""A server at its limits: it says when to come again, and loses nothing of what it answered."""

import json
import os
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

Starting = Callable[..., Any]
Accounting = Callable[..., dict[str, int]]


def lines(count: int) -> bytes:
    return b"".join(b'{"method":"GET","url":"https://a.example/%d"}\n' % i for i in range(count))


def test_beyond_its_limits_it_says_when_to_come_again(
    tmp_path: Path, starting: Starting, accounting: Accounting
) -> None:
    server = starting(
        tmp_path,
        WARDGATE_PUSH__MAX_PENDING="150",
        WARDGATE_PUSH__GATHER_MS="400",
        WARDGATE_PUSH__MAX_REQUESTS="4",
    )
    server.token("push")
    codes: Counter[str] = Counter()

    def until_taken(number: int) -> None:
        while True:
            answer = server.push(lines(100), "push", f"k{number}")
            if answer.status == 200:
                return
            assert answer.status == 429
            assert int(answer.headers["retry-after"]) >= 1
            codes[answer.json()["code"]] += 1
            time.sleep(0.1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(until_taken, range(8)))
    assert set(codes) == {"push-full", "writer-full"}
    assert accounting(server.home, "push")["accepted"] == 800
    assert server.stop() == 0


def test_a_sender_that_is_too_slow_is_let_go(tmp_path: Path, starting: Starting) -> None:
    server = starting(tmp_path, WARDGATE_PUSH__RECEIVE_TIMEOUT_S="1", WARDGATE_PUSH__MAX_REQUESTS="1")
    head = (
        f"POST /v1/calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token('slow')}\r\n"
        "Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode() + b"{")
        time.sleep(0.3)
        busy = server.push(lines(1), "slow")  # the slow one holds the only place
        assert (busy.status, busy.json()["code"]) == (429, "push-full")
        answer = b""
        while b"body-too-slow" not in answer:
            piece = connection.recv(4096)
            assert piece, answer
            answer += piece
        assert answer.startswith(b"HTTP/1.1 408 ")
    assert server.push(lines(1), "slow").status == 200
    assert server.stop() == 0


def test_stopping_finishes_what_is_being_answered(
    tmp_path: Path, starting: Starting, accounting: Accounting
) -> None:
    server = starting(tmp_path, WARDGATE_PUSH__GATHER_MS="1500")
    server.token("last")
    answers: list[int] = []
    pushing = [
        threading.Thread(target=lambda n=n: answers.append(server.push(lines(10), "last", f"k{n}").status))
        for n in range(3)
    ]
    for one in pushing:
        one.start()
    time.sleep(0.5)
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 15
    for one in pushing:
        one.join()
    assert answers == [200] * 3
    assert accounting(server.home, "last")["accepted"] == 30
    assert json.loads(server.out[-1]) == {"event": "stopped"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.engine
def test_a_full_disk_is_told_and_left_when_there_is_room(
    small_disk: Path, starting: Starting, accounting: Accounting
) -> None:
    server = starting(small_disk)
    assert server.push(lines(5), "disk", "first").status == 200
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                os.write(file.fileno(), b"\0" * 4096)
        except OSError:
            pass
    answer = server.push(lines(3000), "disk", "second")
    assert (answer.status, answer.json()["code"]) == (503, "disk-full")
    assert int(answer.headers["retry-after"]) >= 1
    ready = server.ask("GET", "/readyz")
    assert (ready.status, ready.json()["reasons"]) == (503, ["disk-full"])
    ballast.unlink()
    deadline = time.monotonic() + 60
    while server.push(lines(3000), "disk", "second").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert server.ask("GET", "/readyz").status == 200
    assert accounting(server.home, "disk")["accepted"] == 3005
    assert server.stop() == 0
