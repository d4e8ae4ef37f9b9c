"""Packet captures: real loopback traffic through the real tshark, and how calls are put together.

`examples/pcap.pcap` was captured with dumpcap on loopback: curl over HTTP/1.1 (two requests on one
connection, a POST, gzip), four interleaved HTTP/2 streams without TLS, a WebSocket, a chunked upload with a
pipelined second request, a request that nobody waited for, and one TLS connection that cannot be looked into.
"""

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from wardgate.core.errors import WardgateError
from wardgate.core.observed import Parsed
from wardgate.sources.exchanges import Exchange
from wardgate.sources.format import Options
from wardgate.sources.packets import Call, Conversations, Packet, exchange
from wardgate.sources.pcap import Pcap, http2_ports

EXAMPLE = Path(__file__).parent / "examples" / "pcap.pcap"
REAL = EXAMPLE.read_bytes()
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def read(data: bytes, reader: Pcap | None = None) -> list[Parsed]:
    return list((reader or Pcap()).read(io.BytesIO(data), Options()))


def rejects(parts: list[Parsed]) -> list[str]:
    return [str(one.reason) for part in parts for one in part.rejects]


@needs_tshark
@pytest.mark.engine
def test_real_traffic() -> None:
    (part,) = read(REAL)
    assert part.rejects == []
    assert part.skipped == {"encrypted": 1}
    rows = part.table.to_pylist()
    assert [(one["method"], one["target"], one["http_version"], one["status"]) for one in rows] == [
        ("GET", "/v1/users/42?fields=name", "HTTP/1.1", 200),
        ("GET", "/v1/missing", "HTTP/1.1", 404),
        ("POST", "/v1/sessions", "HTTP/1.1", 201),
        ("GET", "/v1/users/42/orders", "HTTP/1.1", 200),
        ("GET", "/v1/users/1/orders", "HTTP/2.0", 200),
        ("PUT", "/v1/users/3", "HTTP/2.0", 200),
        ("DELETE", "/v1/sessions/9f8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d", "HTTP/2.0", 204),
        ("GET", "/v1/missing", "HTTP/2.0", 404),
        ("GET", "/v1/events?channel=orders", "HTTP/1.1", 101),
        ("POST", "/v1/uploads", "HTTP/1.1", 200),
        ("GET", "/v1/second", "HTTP/1.1", 200),
        ("GET", "/v1/unanswered", "HTTP/1.1", None),
    ]
    by_target = {(one["method"], one["target"]): one for one in rows}
    login = by_target["POST", "/v1/sessions"]
    assert login["request_body"] == b'{"user":"jane@example.com","password":"example"}'
    assert [one["value"] for one in login["response_headers"] if one["name"] == "set-cookie"] == [
        "sid=example-session; Path=/; HttpOnly",
        "theme=dark",
    ]
    for target in ("/v1/users/42/orders", "/v1/users/1/orders"):  # gzip, over HTTP/1.1 and HTTP/2
        assert by_target["GET", target]["response_bytes"] == 133
        assert by_target["GET", target]["response_body"].startswith(b'{"items": [{"id": "ord_0"')
    put = by_target["PUT", "/v1/users/3"]  # two DATA frames
    assert (put["request_body"], put["request_bytes"], put["host"]) == (
        b'{"name":"Jane"}',
        15,
        "api.example.com",
    )
    # pipelined: each has its own answer
    assert by_target["POST", "/v1/uploads"]["request_body"] == b"hello world"
    assert by_target["POST", "/v1/uploads"]["response_body"] == b'{"path": "/v1/uploads", "bytes": 11}'
    assert by_target["GET", "/v1/second"]["response_body"] == b'{"path": "/v1/second", "bytes": 0}'
    assert by_target["GET", "/v1/events?channel=orders"]["protocol"] == "websocket"
    assert {one["upstream"] for one in rows} == {"127.0.0.1:18080"}
    assert all(0 < one["duration_us"] < 1_000_000 for one in rows[:-1])


@needs_tshark
@pytest.mark.engine
def test_pcapng_reads_the_same(tmp_path: Path) -> None:
    if shutil.which("editcap") is None:
        pytest.skip("editcap is not installed")
    subprocess.run(["editcap", "-F", "pcapng", EXAMPLE, tmp_path / "x.pcapng"], check=True)
    data = (tmp_path / "x.pcapng").read_bytes()
    assert Pcap().fit(data) is not None
    assert [part.table for part in read(data)] == [part.table for part in read(REAL)]


@needs_tshark
@pytest.mark.engine
@pytest.mark.parametrize(
    ("data", "accepted", "reasons"),
    [
        (REAL[:8000], 4, ["truncated"]),
        (REAL[:24], 0, []),
        (REAL[:10], 0, ["truncated"]),
        (REAL + b"\xff" * 100, 12, ["truncated"]),
        (b"no capture at all" * 10, 0, ["not-format"]),
        (b"", 0, []),
    ],
)
def test_captures_that_break_off(data: bytes, accepted: int, reasons: list[str]) -> None:
    parts = read(data)
    assert sum(part.accepted for part in parts) == accepted
    assert rejects(parts) == reasons


def script(folder: Path, text: str) -> str:
    path = folder / "tshark-of-a-kind"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_no_tshark_is_said_clearly() -> None:
    with pytest.raises(WardgateError, match=r"\[tshark-missing\] .* not installed\. Install it") as caught:
        read(REAL, Pcap(program="tshark-that-is-not-here"))
    assert caught.value.exit_code == 2


def test_a_program_that_stands_still_is_ended(tmp_path: Path) -> None:
    with pytest.raises(WardgateError, match="tshark-stalled"):
        read(REAL, Pcap(program=script(tmp_path, "exec sleep 60"), stall=0.3))


def test_a_program_that_cannot_do_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(WardgateError, match=r"tshark-failed.*tshark 4\.0 or newer"):
        read(REAL, Pcap(program=script(tmp_path, "echo unknown option >&2; exit 1")))


def test_a_program_that_crashes_ends_the_capture(tmp_path: Path) -> None:
    assert rejects(read(REAL, Pcap(program=script(tmp_path, "kill -SEGV $$")))) == ["truncated"]


def test_what_the_program_says_wrong_is_kept_aside(tmp_path: Path) -> None:
    lines = r"""'{"index":{}}' '{"layers":{"frame":{}}}' 'not json' '{"layers":{"frame":7}}'"""
    parts = read(REAL, Pcap(program=script(tmp_path, f"cat >/dev/null; printf '%s\\n' {lines}")))
    assert rejects(parts) == ["bad-value", "bad-value"]


def test_ports_of_http2_without_tls() -> None:
    assert http2_ports(REAL) == [18080]
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    tcp = bytes.fromhex("c000 1f90 00000001 00000001 5018 0200 0000 0000")
    v4 = bytes.fromhex("4500 0040 0000 4000 4006 0000 7f000001 7f000001")
    v6 = bytes.fromhex("60000000 002c 06 40") + bytes(32)
    assert http2_ports(v4 + tcp + preface) == [8080]
    assert http2_ports(v6 + tcp + preface) == [8080]
    assert http2_ports(bytes(20) + tcp + preface) == []
    assert http2_ports(preface + b"GET " + preface) == []


# --- putting calls together, from frames as `tshark -T ek` writes them


def frame(
    layer: str, *parts: dict[str, Any], answer: bool = False, time: str = "1794650401.5", tcp: int = 1
) -> Packet:
    ends = [("203.0.113.9", "50000"), ("192.0.2.80", "8080")]
    source, target = reversed(ends) if answer else ends
    fields = [{f"{layer}_{layer}_{name}": value for name, value in part.items()} for part in parts]
    return msgspec.convert(
        {
            "layers": {
                "frame": {"frame_frame_time_epoch": time, "frame_frame_protocols": f"eth:ip:tcp:{layer}"},
                "ip": {"ip_ip_src": source[0], "ip_ip_dst": target[0]},
                "tcp": {
                    "tcp_tcp_stream": str(tcp),
                    "tcp_tcp_srcport": source[1],
                    "tcp_tcp_dstport": target[1],
                },
                layer: fields[0] if len(fields) == 1 else fields,
            }
        },
        Packet,
    )


def request(target: str) -> dict[str, Any]:
    return {"request_method": "GET", "request_uri": target, "request_line": "Host: a.example\r\n"}


def response(code: int, **other: Any) -> dict[str, Any]:
    return {"response_code": str(code), **other}


def outcomes(*frames: Packet, talk: Conversations | None = None) -> list[tuple[str | None, int | None] | str]:
    talk = talk or Conversations()
    found = [one for each in frames for one in talk.frame(each)] + list(talk.rest())
    return [(one.target, one.status) if isinstance(one, Call) else one for one in found]


def test_responses_answer_requests_in_turn() -> None:
    assert outcomes(
        frame("http", request("/1"), request("/2")),
        frame("http", request("/other"), tcp=2),
        frame("http", response(100), response(200), answer=True),
        frame("http", response(404), answer=True),
    ) == [("/1", 200), ("/2", 404), ("/other", None)]


def test_a_response_without_its_request_is_passed_over() -> None:
    assert outcomes(frame("http", response(200), answer=True)) == ["no-request"]
    status = {"streamid": "3", "header_name": ":status", "header_value": "200"}
    assert outcomes(frame("http2", status, answer=True)) == ["no-request"]


def h2(stream: int, headers: dict[str, str] | None = None, **other: Any) -> dict[str, Any]:
    named = {"header_name": list(headers), "header_value": list(headers.values())} if headers else {}
    return {"streamid": str(stream), "type": "1", **named, **other}


GET = {":method": "GET", ":path": "/", ":authority": "a.example"}


def test_http2_streams() -> None:
    assert outcomes(
        frame("http2", h2(0, type="4"), h2(1, {**GET, ":path": "/1"}), h2(3, {**GET, ":path": "/3"})),
        frame("http2", h2(5, {**GET, ":path": "/5"}), h2(7, {**GET, ":path": "/7"})),
        frame("http2", h2(3, {":status": "103"}), h2(3, {":status": "200"}), answer=True),
        frame("http2", h2(1, {":status": "204"}, flags_end_stream=True), answer=True),
        frame("http2", h2(3, {"grpc-status": "0"}, flags_end_stream=True), answer=True),
        frame("http2", h2(5, type="3")),
        frame("http2", h2(9, {**GET, ":path": "/pushed"}, type="5"), answer=True),
    ) == [("/1", 204), ("/3", 200), ("/5", None), ("/7", None)]


def test_trailers_belong_to_who_sent_them() -> None:
    talk = Conversations()
    frames = [
        frame("http2", h2(1, GET)),
        frame("http2", h2(1, {"checksum": "x"}, flags_end_stream=True)),
        frame(
            "http2",
            h2(1, {":status": "200"}),
            h2(1, {"grpc-status": "0"}, flags_end_stream=True),
            answer=True,
        ),
    ]
    (call,) = [one for each in frames for one in talk.frame(each)]
    assert isinstance(call, Call)
    found = exchange(0, call)
    assert isinstance(found, Exchange)
    assert (found.request_headers, found.response_headers) == (
        (["checksum"], ["x"]),
        (["grpc-status"], ["0"]),
    )


def test_waiting_calls_are_bounded() -> None:
    talk = Conversations(max_open=2)
    asked = [frame("http", request(f"/{i}")) for i in range(5)]
    answered = [frame("http", response(200 + i), answer=True) for i in range(5)]
    # the first three came out to make room; their answers must not go to the others
    assert outcomes(*asked, *answered, talk=talk) == [
        ("/0", None),
        ("/1", None),
        ("/2", None),
        ("/3", 203),
        ("/4", 204),
    ]


@pytest.mark.parametrize(
    ("http", "body"),
    [
        ({"file_data": "hello"}, b"hello"),
        ({"file_data": "68:65:6c:6c:6f", "content_length": "5"}, b"hello"),  # octets: tshark after 4.0
        ({"file_data": "68:65", "content_length": "5"}, b"68:65"),  # text that looks like octets
        ({"file_data": "ab", "content_length": "2"}, b"ab"),
        ({}, None),
    ],
)
def test_bodies_of_old_and_new_tshark(http: dict[str, Any], body: bytes | None) -> None:
    talk = Conversations()
    list(talk.frame(frame("http", {**request("/"), **http})))
    (call,) = talk.rest()
    assert isinstance(call, Call)
    found = exchange(0, call)
    assert isinstance(found, Exchange)
    assert found.request_body == body


@pytest.mark.parametrize(
    ("method", "target", "reason"), [("GET", None, "missing-field"), ("GET", "nowhere", "bad-request")]
)
def test_what_cannot_be_a_call(method: str, target: str | None, reason: str) -> None:
    call = Call(1, ("203.0.113.9", 1), ("192.0.2.80", 80), False, None, method=method, target=target)
    assert exchange(0, call) == reason


def test_without_a_host_header_the_address_is_the_host() -> None:
    call = Call(1, ("203.0.113.9", 1), ("2001:db8::80", 8080), True, None, method="GET", target="/")
    found = exchange(0, call)
    assert isinstance(found, Exchange)
    assert (found.host, found.port, found.upstream) == ("2001:db8::80", 8080, "[2001:db8::80]:8080")
    assert found.scheme == "https"
