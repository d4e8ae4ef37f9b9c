"""The one way out reaches nothing that only this machine can, and is bounded."""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wardgate.core.errors import WardgateError
from wardgate.net.client import Limits, fetch, is_reachable

HERE = [ipaddress.ip_network("127.0.0.0/8")]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        port = self.server.server_port  # type: ignore[attr-defined]
        redirects = {
            "/again": "/again",
            "/once": "/spec",
            "/inside": f"http://inner.test:{port}/spec",
            "/file": "file:///etc/passwd",
            "/nowhere": "",
        }
        path = self.path.partition("?")[0]
        if path in redirects:
            self.send_response(302)
            self.send_header("Location", redirects[path])
            self.end_headers()
        elif path == "/missing":
            self.send_error(404)
        elif path == "/slow":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(50):
                    self.wfile.write(b"x")
                    time.sleep(0.05)
        elif path == "/drip":
            with contextlib.suppress(OSError):
                for _ in range(50):
                    self.wfile.write(b"H")
                    time.sleep(0.05)
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"x")
        else:
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"{}" if path == "/spec" else b"x" * 100_000)

    def log_message(self, *given: object) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_port
    made.shutdown()


def resolver(**hosts: str) -> Callable[[str, int], list[str]]:
    known = {name.replace("_", "."): address for name, address in hosts.items()}
    return lambda host, port: known.get(host, host).split()


def test_a_document_is_fetched_through_a_redirect(server: int) -> None:
    for path in ("/spec", "/once"):
        found = fetch(f"http://api.test:{server}{path}", allow=HERE, resolver=resolver(api_test="127.0.0.1"))
        assert (found.content, found.media_type) == (b"{}", "application/json")
        assert found.url == f"http://api.test:{server}/spec"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/again", "fetch-redirects"),
        ("/inside", "fetch-refused"),
        ("/file", "fetch-url"),
        ("/nowhere", "fetch-failed"),
        ("/missing", "fetch-status"),
        ("/large", "fetch-too-large"),
        ("/slow", "fetch-too-slow"),
        ("/drip", "fetch-too-slow"),
        ("/cut", "fetch-failed"),
    ],
)
def test_what_goes_wrong_has_a_code_and_an_end(server: int, path: str, code: str) -> None:
    started = time.monotonic()
    with pytest.raises(WardgateError) as refused:
        fetch(
            f"http://api.test:{server}{path}?secret=hunter2",
            allow=HERE,
            limits=Limits(most_bytes=50_000, timeout_s=1),
            resolver=resolver(api_test="127.0.0.1", inner_test="10.0.0.1"),
        )
    assert refused.value.code == code
    assert "hunter2" not in str(refused.value)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://a.test/x", "file:///etc/passwd", "http://", "http://a b/", "http://a.test/ x", "a.test",
        "http://u:p@a.test/", "http://u@a.test/", "http://[::1", "http://a.test:99999/",
        "http://a.test/\r\nX: y",
        "http://ä.test/", "http://a.test/" + "x" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(WardgateError) as refused:
        fetch(url, resolver=resolver(a_test="127.0.0.1"))
    assert refused.value.code == "fetch-url"


@pytest.mark.parametrize(
    ("address", "reachable"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True),
        ("127.0.0.1", False), ("0.0.0.0", False), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("198.18.0.1", False), ("192.0.2.1", False),
        ("::1", False), ("::", False), ("fe80::1", False), ("fc00::1", False), ("ff02::1", False),
        ("fd00:ec2::254", False), ("::ffff:127.0.0.1", False), ("::ffff:169.254.169.254", False),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("2001:db8::1", False),
    ],
)  # fmt: skip
def test_only_public_addresses_are_reached(address: str, reachable: bool) -> None:
    assert is_reachable(ipaddress.ip_address(address)) == reachable
    bracketed = f"[{address}]" if ":" in address else address
    if not reachable:
        with pytest.raises(WardgateError) as refused:
            fetch(f"http://{bracketed}/", limits=Limits(timeout_s=2))
        assert refused.value.code in ("fetch-refused", "fetch-failed")


def test_one_private_address_among_several_is_enough_to_refuse(server: int) -> None:
    with pytest.raises(WardgateError) as refused:
        fetch(f"http://a.test:{server}/spec", resolver=resolver(a_test="8.8.8.8 127.0.0.1"))
    assert refused.value.code == "fetch-refused"


def test_numbers_that_the_system_takes_for_loopback_are_judged_by_their_address() -> None:
    for host in ("2130706433", "0x7f.1", "localhost", "127.1"):
        try:
            socket.getaddrinfo(host, 80)
        except OSError:
            continue
        with pytest.raises(WardgateError) as refused:
            fetch(f"http://{host}/", limits=Limits(timeout_s=2))
        assert refused.value.code == "fetch-refused"
