"""mitmproxy flow files: one written by mitmproxy 11.0.2 itself, older shapes, and hostile lengths.

`examples/mitmproxy.flow` holds curl's and a WebSocket client's real traffic through mitmdump: HTTP/1.1 in
the clear, HTTP/1.1 and HTTP/2 in TLS, a WebSocket, and one TCP flow.
"""

import io
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from records import netstring as dump

from wardgate.core.observed import Parsed
from wardgate.sources.content_coding import decoded
from wardgate.sources.format import Options
from wardgate.sources.mitmproxy import Mitmproxy
from wardgate.sources.tnetstrings import MalformedError, decode

REAL = Path(__file__).parent.joinpath("examples", "mitmproxy.flow").read_bytes()


def flow(
    request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **other: Any
) -> bytes:
    """A flow as version 10 has it (mitmproxy 6; `mitmproxy.io.compat` lists what later ones renamed)."""
    connection = {
        "address": ["203.0.113.9", 51000],
        "tls_established": True,
        "tls_version": "TLSv1.2",
        "cipher_name": "ECDHE-RSA-AES128-GCM-SHA256",
        "sni": b"api.example.com",
        "alpn_proto_negotiated": b"http/1.1",
        "alpn_offers": None,
        "cipher_list": None,
        "certificate_list": [],
        "id": "c1",
        "sockname": ["", 0],
        "error": None,
        "state": 0,
        "tls": True,
        "timestamp_start": 1600000000.1,
        "timestamp_tls_setup": 1600000000.2,
        "timestamp_end": None,
    }
    server = {
        **connection,
        "address": ["api.example.com", 443],
        "ip_address": ["192.0.2.80", 443],
        "source_address": ["192.0.2.1", 40000],
        "timestamp_tcp_setup": 1600000000.15,
        "via": None,
        "via2": None,
    }
    asked = {
        "host": b"192.0.2.80",
        "port": 443,
        "scheme": b"https",
        "method": b"GET",
        "authority": b"",
        "path": b"/v1/a?b=1",
        "http_version": b"HTTP/1.1",
        "headers": [[b"Host", b"api.example.com"]],
        "content": b"",
        "trailers": None,
        "timestamp_start": 1600000000.25,
        "timestamp_end": 1600000000.26,
    }
    answered = {
        "status_code": 200,
        "http_version": b"HTTP/1.1",
        "trailers": None,
        "reason": b"OK",
        "headers": [[b"X-Name", b"caf\xe9"]],
        "content": b"hello",
        "timestamp_start": 1600000000.3,
        "timestamp_end": 1600000000.35,
    }
    whole = {
        "type": "http",
        "version": 10,
        "id": "1",
        "client_conn": {**connection, "tls_extensions": None, "mitmcert": None},
        "server_conn": server,
        "metadata": {},
        "marked": False,
        "error": None,
        "intercepted": False,
        "is_replay": None,
        "mode": "regular",
    }
    return dump(
        {
            **whole,
            "request": {**asked, **(request or {})},
            "response": {**answered, **(response or {})},
            **other,
        }
    )


def read(data: bytes, reader: Mitmproxy | None = None) -> list[Parsed]:
    return list((reader or Mitmproxy()).read(io.BytesIO(data), Options()))


def row(data: bytes) -> dict[str, Any]:
    (part,) = read(data)
    (found,) = part.table.to_pylist()
    return {name: value for name, value in found.items() if value is not None}


def rejects(parts: list[Parsed]) -> list[tuple[int, str]]:
    return [(one.position, str(one.reason)) for part in parts for one in part.rejects]


def positions(parts: list[Parsed]) -> list[int]:
    return [at for part in parts for at in part.table["position"].to_pylist()]


def test_what_mitmproxy_wrote() -> None:
    (part,) = read(REAL)
    assert part.rejects == []
    assert part.skipped == {"not-http": 1}
    rows = part.table.to_pylist()
    assert [
        (one["method"], one["host"], one["target"], one["http_version"], one["status"]) for one in rows
    ] == [
        ("GET", "api.example.com", "/v1/users/42?fields=name", "HTTP/1.1", 200),
        ("POST", "api.example.com", "/v1/sessions", "HTTP/1.1", 201),
        ("GET", "api.example.com", "/v1/users/42/orders", "HTTP/2.0", 200),
        ("GET", "api.example.com", "/v1/missing", "HTTP/2.0", 404),
        ("DELETE", "api.example.com", "/v1/sessions/9f8b7c6d-1e2f-4a3b-8c4d-5e6f7a8b9c0d", "HTTP/2.0", 204),
        ("GET", "stream.example.com", "/v1/events?channel=orders", "HTTP/1.1", 101),
        ("GET", "127.0.0.1:1", "/never", "HTTP/1.1", 200),
    ]
    assert [one["protocol"] for one in rows] == [None] * 5 + ["websocket", None]
    login, orders = rows[1], rows[2]
    assert login["request_body"] == b'{"user":"jane@example.com","password":"example"}'
    assert [one["value"] for one in login["response_headers"] if one["name"] == "set-cookie"] == [
        "sid=example-session; Path=/; HttpOnly",
        "theme=dark",
    ]
    assert (login["client"], login["upstream"], login["tls_version"]) == (
        "127.0.0.1",
        "127.0.0.1:18443",
        "TLSv1.3",
    )
    assert orders["response_bytes"] == 133  # as sent, in gzip
    assert orders["response_body"].startswith(b'{"items": [{"id": "ord_0"')
    assert 0 < orders["duration_us"] < 1_000_000


def test_the_shape_of_version_10() -> None:
    found = row(flow())
    assert found["started_at"].isoformat() == "2020-09-13T12:26:40.250000"
    assert {name: found[name] for name in found if name not in ("started_at", "request_headers")} == {
        "position": 0,
        "precision_us": 1,
        "duration_us": 100_000,
        "method": "GET",
        "target": "/v1/a?b=1",
        "scheme": "https",
        "host": "api.example.com",
        "http_version": "HTTP/1.1",
        "status": 200,
        "request_bytes": 0,
        "response_bytes": 5,
        "client": "203.0.113.9",
        "client_port": 51000,
        "upstream": "192.0.2.80:443",
        "tls_version": "TLSv1.2",
        "tls_cipher": "ECDHE-RSA-AES128-GCM-SHA256",
        "tls_sni": "api.example.com",
        "response_headers": [{"name": "X-Name", "value": "café"}],
        "response_body": b"hello",
    }


@pytest.mark.parametrize(
    ("data", "column", "wanted"),
    [
        (flow({"authority": b"shop.example.com:8443"}), "host", "shop.example.com:8443"),
        (flow({"headers": []}), "port", 443),
        (flow({"method": b"CONNECT", "path": b"", "authority": b"a.example:443"}), "target", "a.example:443"),
        (flow({"headers": None}), "request_headers", None),
        (flow({"timestamp_start": 0}), "started_at", None),
        (flow({"timestamp_start": float("nan")}), "started_at", None),
        (flow(response={"status_code": 99999}), "status", None),
        (flow(response={"timestamp_end": None}), "duration_us", None),
        (flow(response={"timestamp_end": 1.5}), "duration_us", None),
        (flow(response={"content": None}), "response_bytes", None),
        (flow(metadata={"websocket": True}), "protocol", "websocket"),
        (flow(client_conn={"peername": ["2001:db8::9", 5, 0, 0]}), "client", "2001:db8::9"),
        (flow(client_conn={"certificate_list": [b"nonsense"]}), "client_certificate", None),
        (flow(server_conn={}), "upstream", None),
    ],
)
def test_values(data: bytes, column: str, wanted: object) -> None:
    assert row(data).get(column) == wanted


def test_a_call_without_an_answer() -> None:
    found = row(
        dump(
            {
                "type": "http",
                "request": {"method": b"GET", "path": b"/", "host": "a.example"},
                "response": None,
            }
        )
    )
    assert found == {"position": 0, "method": "GET", "target": "/", "host": "a.example"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (dump({"version": 21}), "missing-field"),
        (dump({"type": "http"}), "missing-field"),
        (flow({"path": b"no target"}), "bad-request"),
        (flow({"method": 7}), "bad-value"),
        (flow({"headers": [[b"one"]]}), "bad-value"),
        (flow({"headers": b"a: b"}), "bad-value"),
        (flow({"timestamp_start": "now"}), "bad-value"),
        (dump(["a", "list"]), "bad-value"),
        (b"8:9:inner,}", "bad-value"),
        (dump({"type": "http", "request": {"method": eval("[" * 40 + "]" * 40)}}), "bad-value"),
    ],
)
def test_a_wrong_flow_is_kept_aside_by_itself(data: bytes, reason: str) -> None:
    parts = read(flow() + data + flow())
    assert (positions(parts), rejects(parts)) == ([0, 2], [(1, reason)])


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        (flow()[:100], "truncated"),
        (flow()[:-1], "truncated"),
        (b"19", "truncated"),
        (b"999999999999:", "truncated"),
        (b"9999999999999:", "not-format"),
        (b"-5:x,", "not-format"),
        (b"\n", "not-format"),
        (b"hello", "not-format"),
    ],
)
def test_a_file_that_breaks_off_yields_its_whole_flows(tail: bytes, reason: str) -> None:
    parts = read(flow() + flow() + tail)
    assert (positions(parts), rejects(parts)) == ([0, 1], [(2, reason)])


def test_a_flow_past_the_limit_is_read_past() -> None:
    parts = read(flow() + flow(response={"content": b"x" * 9000}) + flow(), Mitmproxy(max_flow=5000))
    assert (positions(parts), rejects(parts)) == ([0, 2], [(1, "too-long")])


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(_values)
def test_any_value_comes_back(value: object) -> None:
    assert decode(dump(value)) == value


@given(st.binary(max_size=40) | st.text("0123456789:,;#^!~]}", max_size=40).map(str.encode))
def test_any_bytes_are_a_value_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        decode(data)


def _deflated(data: bytes, window: int) -> bytes:
    press = zlib.compressobj(wbits=window)
    return press.compress(data) + press.flush()


def _far(data: bytes) -> bytes:
    """With a window of 128 MiB."""
    press = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=27)
    ).compressobj()
    return press.compress(data) + press.flush()


@pytest.mark.parametrize(
    ("body", "codings", "wanted"),
    [
        (b"plain", None, b"plain"),
        (b"plain", "identity", b"plain"),
        (_deflated(b"text", 31), "gzip", b"text"),
        (_deflated(b"text", 31), " X-GZIP ", b"text"),
        (_deflated(b"text", 15), "deflate", b"text"),
        (_deflated(b"text", -15), "deflate", b"text"),
        (zstandard.compress(b"text"), "zstd", b"text"),
        (_deflated(zstandard.compress(b"text"), 31), "zstd, gzip", b"text"),
        (b"text", "gzip", None),
        (b"text", "zstd", None),
        (b"text", "br", None),
        (brotli.compress(b"text"), "br", b"text"),
        (_deflated(brotli.compress(b"text"), 31), "br, gzip", b"text"),
        (brotli.compress(bytes(40 << 20), quality=1), "br", bytes(16 << 20)),
        (zstandard.compress(bytes(40 << 20)), "zstd", bytes(16 << 20)),
        (_far(b"text"), "zstd", None),
        (b"text", "compress", None),
        (b"text", "gzip, gzip, gzip, gzip", None),
        (_deflated(bytes(40 << 20), 31), "gzip", bytes(16 << 20)),
    ],
)
def test_content_codings(body: bytes, codings: str | None, wanted: bytes | None) -> None:
    assert decoded(body, codings) == wanted
