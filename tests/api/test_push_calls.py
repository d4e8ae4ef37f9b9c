"""Pushing calls to a real server: what is answered is committed, once, and what is refused says why."""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import zstandard

Accounting = Callable[..., dict[str, int]]
Asking = Callable[..., list[dict[str, Any]]]


def lines(count: int, mark: str = "x") -> bytes:
    return b"".join(
        json.dumps({"method": "GET", "url": f"https://api.example.com/{mark}/{i}", "status": 200}).encode()
        + b"\n"
        for i in range(count)
    )


def test_what_is_answered_is_committed(server: Any, accounting: Accounting) -> None:
    answer = server.push(lines(3) + b"\nnot json\n" + b'{"method":"GET"}\n' + lines(1), "plain")
    assert answer.status == 200
    found = answer.json()
    assert len(bytes.fromhex(found.pop("batch"))) == 8
    assert found == {
        "accepted": 4,
        "rejected": 2,
        "skipped": 1,
        "duplicate": False,
        "rejects": [
            {"position": 4, "reason": "not-json"},
            {"position": 5, "reason": "missing-field"},
        ],
    }
    assert accounting(server.home, "plain")["accepted"] == 4


def test_a_retry_with_the_same_key_doubles_nothing(server: Any, accounting: Accounting) -> None:
    body = lines(5) + b"broken\n"
    first, second = (server.push(body, "retry", "batch-1") for _ in range(2))
    assert second.json() == {**first.json(), "duplicate": True}
    assert server.push(body, "retry", "batch-2").json()["duplicate"] is False
    assert accounting(server.home, "retry") == {
        "calls": 10, "rolled_up": 10, "rejects": 2, "batches": 2, "read": 12, "accepted": 10, "rejected": 2,
        "skipped": 0,
    }  # fmt: skip


def test_without_a_key_every_push_is_a_batch_of_its_own(server: Any, accounting: Accounting) -> None:
    batches = {server.push(lines(2), "keyless").json()["batch"] for _ in range(2)}
    assert len(batches) == 2
    assert accounting(server.home, "keyless")["accepted"] == 4


def test_an_answer_that_was_lost_is_had_by_asking_again(server: Any, accounting: Accounting) -> None:
    """The connection is reset before the answer can be read, at various moments."""
    body = lines(20)
    token = server.token("lost")
    for n in range(6):
        head = (
            f"POST /v1/calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/x-ndjson\r\nIdempotency-Key: lost-{n}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head + body)
            time.sleep(n * 0.03)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for n in range(6):
        for _ in range(2):
            assert server.push(body, "lost", f"lost-{n}").json()["accepted"] == 20
    found = accounting(server.home, "lost")
    assert (found["batches"], found["accepted"]) == (6, 120)


def test_the_same_key_at_the_same_time_is_committed_once(server: Any, accounting: Accounting) -> None:
    server.token("race")
    with ThreadPoolExecutor(8) as pool:
        answers = [one.json() for one in pool.map(lambda _: server.push(lines(10), "race", "k"), range(16))]
    assert [one["duplicate"] for one in answers].count(False) == 1
    assert {one["accepted"] for one in answers} == {10}
    assert accounting(server.home, "race")["accepted"] == 10


def test_a_key_belongs_to_its_source(server: Any) -> None:
    server.token("left", source="shared")
    server.token("right", source="shared")
    assert server.push(lines(1), "left", "k").json()["duplicate"] is False
    assert server.push(lines(1), "right", "k").json()["duplicate"] is True
    assert server.push(lines(1), "elsewhere", "k").json()["duplicate"] is False


def test_a_key_with_other_content_is_refused(server: Any, accounting: Accounting) -> None:
    assert server.push(lines(2), "reuse", "k").status == 200
    answer = server.push(lines(2, "other"), "reuse", "k")
    assert (answer.status, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert accounting(server.home, "reuse")["accepted"] == 2


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("zstd", zstandard.compress),
        ("identity", bytes),
        ("GZIP", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:])),
        ("zstd", lambda body: zstandard.compress(body[:50]) + zstandard.compress(body[50:])),
    ],
    ids=["gzip", "x-gzip", "zstd", "identity", "gzip-members", "zstd-frames"],
)
def test_compressed_bodies_are_taken(server: Any, coding: str, encode: Callable[[bytes], bytes]) -> None:
    answer = server.push(encode(lines(50)), "compressed", Content_Encoding=coding)
    assert (answer.status, answer.json()["accepted"]) == (200, 50)


def test_a_chunked_body_is_taken(server: Any) -> None:
    def pieces() -> Iterator[bytes]:
        for at in range(0, len(lines(50)), 333):
            yield lines(50)[at : at + 333]

    assert server.push(pieces(), "chunked").json()["accepted"] == 50


def test_an_empty_body_is_an_empty_batch(server: Any) -> None:
    found = server.push(b"", "empty").json()
    assert (found["accepted"], found["rejected"], found["skipped"]) == (0, 0, 0)


def test_a_line_over_the_limit_is_kept_aside_alone(server: Any) -> None:
    found = server.push(lines(2) + b'{"url":"' + b"a" * 1_100_000 + b'"}\n' + lines(2), "long").json()
    assert (found["accepted"], found["rejects"]) == (4, [{"position": 2, "reason": "too-long"}])


def test_calls_that_a_rule_passes_over_are_counted(server: Any, accounting: Accounting) -> None:
    body = lines(2) + b'{"method":"GET","url":"https://a.example/healthz?full=1"}\n'
    assert server.push(body, "skipping").json()["skipped"] == 1
    assert accounting(server.home, "skipping")["skipped"] == 1


def test_what_a_token_says_holds_for_its_calls(server: Any, asking: Asking) -> None:
    server.token(
        "told",
        source="shop",
        defaults={"vantage": "gateway", "environment": "staging", "team": "t", "service": "s"},
    )
    assert server.push(lines(1), "told").status == 200
    found = asking(
        server.home, "SELECT vantage, environment, team, service, host FROM lake.calls WHERE source = 'shop'"
    )
    assert found == [
        {
            "vantage": "gateway",
            "environment": "staging",
            "team": "t",
            "service": "s",
            "host": "api.example.com",
        }
    ]


CANARY = "hunter2-canary"
BODY = lines(2) + CANARY.encode() + b"\n"
REFUSED = [
    ({"Authorization": ""}, BODY, 401, "token-missing"),
    ({"Authorization": f"Basic {CANARY}"}, BODY, 401, "token-missing"),
    ({"Authorization": f"Bearer {CANARY} {CANARY}"}, BODY, 401, "token-missing"),
    ({"Authorization": f"Bearer {CANARY}"}, BODY, 401, "token-refused"),
    ({"Authorization": f"Bearer wg_{'a' * 43}"}, b"a" * 1_500_000, 401, "token-refused"),
    ({"Content-Type": "application/x-www-form-urlencoded"}, BODY, 415, "body-type-unknown"),
    ({"Content-Type": f"text/{CANARY}"}, BODY, 415, "body-type-unknown"),
    ({"Content-Encoding": "br"}, BODY, 415, "body-coding-unknown"),
    ({"Content-Encoding": f"gzip, {CANARY}"}, BODY, 415, "body-coding-unknown"),
    ({"Content-Encoding": "gzip"}, BODY, 400, "body-broken"),
    ({"Content-Encoding": "gzip"}, gzip.compress(BODY)[:-5], 400, "body-broken"),
    ({"Content-Encoding": "zstd"}, zstandard.compress(BODY)[:-5], 400, "body-broken"),
    ({"Content-Encoding": "zstd"}, zstandard.compress(BODY) + BODY, 400, "body-broken"),
    ({"Content-Encoding": "gzip"}, gzip.compress(b"a" * 50_000_000), 413, "body-too-large"),
    ({"Content-Encoding": "zstd"}, zstandard.compress(b"a" * 50_000_000), 413, "body-too-large"),
    ({}, b"a" * 2_000_001, 413, "body-too-large"),
    ({"Idempotency-Key": ""}, BODY, 400, "idempotency-key-malformed"),
    ({"Idempotency-Key": CANARY * 40}, BODY, 400, "idempotency-key-malformed"),
    ({"Idempotency-Key": f"{CANARY}\xff"}, BODY, 400, "idempotency-key-malformed"),
]


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"), REFUSED, ids=[f"{n}-{one[3]}" for n, one in enumerate(REFUSED)]
)
def test_what_is_refused_says_why_and_nothing_of_what_was_sent(
    server: Any, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    usual = {"Authorization": f"Bearer {server.token('refused')}", "Content-Type": "application/x-ndjson"}
    answer = server.ask("POST", "/v1/calls", body, {**usual, **headers})
    found = answer.json()
    assert (answer.status, found["status"], found["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert CANARY not in repr(answer)


def test_nothing_of_what_was_refused_is_kept(server: Any, accounting: Accounting) -> None:
    assert accounting(server.home, "refused")["batches"] == 0


def test_a_large_body_is_refused_before_it_is_sent(server: Any) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(
            f"POST /v1/calls HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.token('early')}\r\n"
            "Content-Type: application/x-ndjson\r\nContent-Length: 900000000\r\n"
            "Expect: 100-continue\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_token_ends_at_once_when_it_is_revoked(server: Any) -> None:
    from wardgate.core.clock import system_clock
    from wardgate.core.keys import load_key
    from wardgate.state.store import open_state
    from wardgate.state.tokens import PushTokens

    assert server.push(lines(1), "ending").status == 200
    state = open_state(server.home)
    PushTokens(state, load_key(server.home.path), system_clock).revoke("ending")
    past = PushTokens(state, load_key(server.home.path), lambda: system_clock() - 2 * 86_400_000_000)
    server.tokens["past"] = past.create("past", expires_days=1)[1]
    state.close()
    assert server.push(lines(1), "ending").json()["code"] == "token-revoked"
    assert server.push(lines(1), "past").json()["code"] == "token-expired"


def test_health_needs_no_token(server: Any) -> None:
    assert server.ask("GET", "/healthz").json() == {"status": "ok"}
    assert server.ask("GET", "/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/v1/calls", 405, "method-not-allowed"), ("GET", f"/{CANARY}", 404, "not-found")],
)
def test_what_is_not_there_is_a_problem_too(
    server: Any, method: str, path: str, status: int, code: str
) -> None:
    answer = server.ask(method, path)
    assert (answer.status, answer.json()["code"]) == (status, code)
    assert CANARY not in repr(answer)


def test_the_contract_names_every_refusal(server: Any) -> None:
    schema = server.ask("GET", "/openapi.json").json()
    documented = {
        code
        for answer in schema["paths"]["/v1/calls"]["post"]["responses"].values()
        for code in answer["description"].replace("`", "").split(", ")
    }
    assert {code for *_, code in REFUSED} <= documented
    assert {"push-full", "disk-full", "token-revoked", "idempotency-key-reused"} <= documented


def test_the_page_answers_near_and_under_its_own_name_only(server: Any) -> None:
    assert server.ask("GET", "/", headers={"Host": "localhost:80"}).status == 200
    assert server.ask("GET", "/", headers={"Host": "[::1]:8321"}).status == 200
    elsewhere = server.ask("GET", "/", headers={"Host": "evil.example"})
    assert (elsewhere.status, elsewhere.json()["code"]) == (421, "host-unknown")
    usual = {"Authorization": f"Bearer {server.token('byname')}", "Content-Type": "application/x-ndjson"}
    assert server.ask("POST", "/v1/calls", lines(1), {**usual, "Host": "push.example"}).status == 200


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("X-Forwarded-For", "127.0.0.1", 200),
        ("X-Forwarded-For", "203.0.113.9", 403),
        ("X-Forwarded-For", "127.0.0.1, 203.0.113.9", 403),
        ("X-Forwarded-For", "unknown", 403),
        ("X-Real-IP", "203.0.113.9", 403),
        ("Forwarded", "for=203.0.113.9;proto=https", 403),
        ("Forwarded", 'for="[::1]:1234"', 200),
    ],
)
def test_a_proxy_nearby_opens_the_page_to_nobody_far(
    server: Any, header: str, value: str, status: int
) -> None:
    assert server.ask("GET", "/page.css", headers={"Host": "localhost", header: value}).status == status


def test_every_answer_forbids_guessing_its_type(server: Any) -> None:
    for path in ("/", "/healthz", "/nothing", "/openapi.json"):
        assert server.ask("GET", path).headers["x-content-type-options"] == "nosniff"


def test_pushes_go_on_while_the_page_is_read(server: Any, accounting: Accounting) -> None:
    server.token("busy")
    done = threading.Event()
    pages: list[int] = []

    def read() -> None:
        while not done.is_set():
            pages.append(server.ask("GET", "/").status)

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: server.push(lines(50, str(n)), "busy", f"k{n}").status, range(24)))
    done.set()
    reader.join()
    assert set(answers) == {200}
    assert set(pages) == {200}
    assert accounting(server.home, "busy")["accepted"] == 24 * 50
