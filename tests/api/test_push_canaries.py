"""Canaries: secrets of many kinds, through every way in that listens, are nowhere afterwards.

Also through every bad input. Not in an answer, a log, a table, a file of the home, nor in the process' title.
"""

import base64
import gzip
import json
import random
import socket
import string
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from wardgate.lake.tables import TABLES

_ALNUM, _HEX = string.ascii_letters + string.digits, "0123456789abcdef"


def canaries(rng: random.Random) -> list[str]:
    """Secrets that nothing but chance could have put anywhere."""

    def some(alphabet: str, length: int) -> str:
        return "".join(rng.choice(alphabet) for _ in range(length))

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    known = [
        ("ghp_", 36), ("glpat-", 20), ("xoxb-", 40), ("sk_live_", 24), ("sk-", 48), ("AIza", 35),
        ("ya29.", 40), ("npm_", 36), ("pypi-", 60), ("hvs.", 24), ("whsec_", 32), ("GOCSPX-", 28),
        ("hf_", 34), ("wg_", 43),
    ]  # fmt: skip
    jwts = [
        f"{part({'alg': 'HS256'})}.{part({'sub': some(_ALNUM, 12)})}.{some(_ALNUM, 43)}" for _ in range(3)
    ]
    return [
        *jwts,
        *(prefix + some(_ALNUM, length) for prefix, length in known),
        "AKIA" + some(string.ascii_uppercase + string.digits, 16),
        *(some(_HEX, length) for length in (40, 64)),
        *(some(_ALNUM, 32) + "7aZ" for _ in range(3)),
    ]


def records(secret: str) -> list[dict[str, Any]]:
    """A secret at every place of Wardgate JSON Lines."""
    call = {"method": "GET", "url": "https://api.example/x", "status": 200}
    return [
        {**call, "url": f"https://api.example/v1/{secret}/x"},
        {**call, "url": f"https://user:{secret}@api.example/x?access_token={secret}&q=1#{secret}"},
        {**call, "url": f"/x?a={secret}"},
        {**call, "method": secret[:39]},
        {**call, "ts": secret},
        {**call, "status": secret},
        {**call, "client_ip": secret},
        {
            **call,
            "request_headers": {"Authorization": f"Bearer {secret}", "Cookie": f"session={secret}; a=b"},
        },
        {
            **call,
            "request_headers": {
                "Authorization": f"Basic {base64.b64encode(f'u:{secret}'.encode()).decode()}"
            },
        },
        {
            **call,
            "request_headers": {
                "X-Api-Key": secret,
                "User-Agent": f"curl/8 {secret}",
                "X-Request-Id": secret,
            },
        },
        {
            **call,
            "request_headers": {"Host": f"{secret}.example", "Traceparent": f"00-{secret}", secret: "x"},
        },
        {
            **call,
            "request_headers": {"X-Forwarded-For": f"{secret}, 10.0.0.1", "Content-Type": f"text/{secret}"},
        },
        {
            **call,
            "response_headers": {"Set-Cookie": f"sid={secret}", "Cache-Control": secret, "RateLimit": secret},
        },
        {**call, "request_body": {"password": secret}, "response_body": [secret]},
        {**call, "request_body": secret, "response_body": f"token={secret}"},
        {secret: secret},
        {**call, "url": f"{secret} not a target"},
    ]


def spans(secret: str) -> ExportTraceServiceRequest:
    """A secret at every place of a trace."""
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    for name in ("service.name", "deployment.environment.name", "host.name"):
        group.resource.attributes.add(key=name).value.string_value = secret
    scope = group.scope_spans.add()
    base = {"http.request.method": "GET", "url.path": "/x", "server.address": "api.example"}
    variants: list[dict[str, str]] = [
        {**base, "url.path": f"/v1/{secret}", "url.query": f"token={secret}"},
        {**base, "user_agent.original": secret, "enduser.id": secret, "client.address": secret},
        {**base, "http.request.header.authorization": f"Bearer {secret}"},
        {**base, "http.response.status_code": secret},
        {**base, "http.request.method": secret},
        {**base, "server.address": secret, "network.protocol.version": secret, "tls.cipher": secret},
        {"http.method": "POST", "http.url": f"https://a:{secret}@b.example/{secret}"},
        {"rpc.system": "grpc", "rpc.service": secret, "rpc.method": secret},
        {"db.statement": secret},
    ]
    for kind in (2, 3):
        for number, attributes in enumerate(variants):
            now = time.time_ns()
            span = scope.spans.add(
                trace_id=bytes([kind]) * 15 + bytes([number]), span_id=bytes([number + 1]) * 8, name=secret,
                kind=kind, start_time_unix_nano=now, end_time_unix_nano=now + 1000,
            )  # fmt: skip
            for key, value in attributes.items():
                span.attributes.add(key=key).value.string_value = value
    return made


def garbage(port: int, text: str) -> bytes:
    """Bytes that are no HTTP, and the answer to them."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(text.encode())
        connection.settimeout(0.5)
        try:
            return connection.recv(4096)
        except TimeoutError:
            return b""


def test_no_secret_survives_any_way_in(
    tmp_path: Path, starting: Callable[..., Any], asking: Callable[..., list[dict[str, Any]]]
) -> None:
    rng = random.Random(7)
    secrets = canaries(rng)
    server = starting(tmp_path, WARDGATE_PUSH__GATHER_MS="5", WARDGATE_LISTEN__PAGE_HOSTS='["localhost"]')
    token = server.token("push")
    answers: list[object] = []
    usual = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}

    def calls(body: bytes, path: str = "/v1/calls", **headers: str) -> None:
        sent = {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
        answers.append(server.ask("POST", path, body, sent))

    good = [json.dumps(one).encode() for secret in secrets for one in records(secret)]
    broken = [line[: rng.randrange(1, len(line))] for line in good]
    calls(b"\n".join(good) + b"\n")
    calls(b"\n".join(broken) + b"\n")
    calls(b"\n".join(secret.encode() + b"\xff\x00" for secret in secrets))
    for secret in secrets:
        everything = spans(secret)
        body = everything.SerializeToString()
        otlp = {**usual, "Content-Type": "application/x-protobuf"}
        answers.append(server.ask("POST", "/v1/traces", body, otlp))
        answers.append(server.ask("POST", "/v1/traces", body[:-3] + secret.encode(), otlp))
        as_json = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": secret}]}]}]}).encode()
        answers.append(
            server.ask("POST", "/v1/traces", as_json, {**usual, "Content-Type": "application/json"})
        )
    one = secrets[0]
    calls(good[0], Idempotency_Key=one)
    calls(good[0], Idempotency_Key=one + "\xe9")
    calls(good[1], Idempotency_Key=one)
    calls(good[0], path=f"/v1/calls?token={one}")
    calls(good[0], Content_Encoding=one)
    calls(good[0], Content_Type=one)
    calls(gzip.compress(one.encode())[:-4] + one.encode(), Content_Encoding="gzip")
    for authorization in (f"Bearer {one}", f"Basic {one}", one, f"Bearer {one} {one}"):
        calls(good[0], Authorization=authorization)
    for path in (f"/{one}", f"/?search={one}", f"/?page={one}", f"/v1/{one}?{one}", f"/page.css?{one}"):
        answers.append(server.ask("GET", path, headers={"Host": "localhost"}).headers)
        answers.append(server.ask("GET", path, headers={"Host": one}))
        answers.append(server.ask(one[:20].upper(), path.partition("?")[0]))
    no_http = (f"{one}\r\n\r\n", f"GET /{one} HTTP/9.9\r\n\r\n", f"GET / HTTP/1.1\r\n{one}\r\n\r\n")
    answers += [garbage(server.port, text) for text in no_http]
    title = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
    kept = {
        name: json.dumps(asking(server.home, f"SELECT * FROM lake.{name}"), default=str) for name in TABLES
    }
    accepted = kept["ledger"].count("wardgate-jsonl") + kept["ledger"].count("otlp")
    assert accepted > len(secrets)
    assert server.stop() == 0
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    places = {
        "answers": repr(answers),
        "title": repr(title),
        "output": repr(server.out),
        **kept,
        **{str(path.relative_to(tmp_path)): raw.decode("latin-1") for path, raw in files.items()},
    }
    found = [
        f"{place}: {secret[:12]}… after {text[max(0, text.find(secret) - 60) : text.find(secret)]!r}"
        for place, text in places.items()
        for secret in (*secrets, token)
        if secret in text
    ]
    assert found == []
    assert files[tmp_path / "stderr.log"] == b""
