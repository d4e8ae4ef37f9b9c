"""Syslog over real sockets: every message is one record, over UDP, TCP and TLS, whatever it holds."""

import logging
import logging.handlers
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
import trustme

from wardgate.core.clock import system_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import Home
from wardgate.core.settings import Config, SyslogSettings
from wardgate.pipeline import Pipeline
from wardgate.service import syslog_intake
from wardgate.service.configured import followed_of, syslog_of
from wardgate.service.health import SourceHealth, read_health
from wardgate.service.opening import Reading
from wardgate.service.syslog_lanes import SyslogSource
from wardgate.service.syslog_listener import SyslogListener
from wardgate.service.writer import Writer

ANY_PORT = "127.0.0.1:0"
SECONDS = 60


def line(number: int) -> bytes:
    stamp = f"14/Nov/2026:{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000"
    return f'198.51.100.7 - - [{stamp}] "GET /a/x{number}.html HTTP/1.1" 200 12 "-" "curl/8.1"'.encode()


def old(content: bytes, app: bytes = b"nginx", host: bytes = b"web1") -> bytes:
    return b"<190>Nov 14 10:00:01 %s %s: %s" % (host, app, content)


def new(content: bytes, app: bytes = b"nginx", host: bytes = b"web1") -> bytes:
    return b"<190>1 2026-11-14T10:00:01Z %s %s 7 - - %s" % (host, app, content)


def counted(*messages: bytes) -> bytes:
    return b"".join(b"%d %s" % (len(one), one) for one in messages)


class Listening:
    """A listener in a thread of its own."""

    def __init__(
        self, pipeline: Pipeline, home: Home, sources: list[SyslogSource], settings: SyslogSettings
    ) -> None:
        self.pipeline = pipeline
        self.home = home
        self.source = sources[0].name
        self.writer = Writer(pipeline, gather_s=0)
        self.listener = SyslogListener(
            pipeline, self.writer, sources, settings, home, system_clock, gather_s=0.05
        )
        self._stop = Event()
        self._thread = Thread(target=self.listener.run, args=[self._stop])
        self._thread.start()
        assert self.listener.is_ready.wait(SECONDS)

    def address(self, name: str) -> tuple[str, int]:
        return self.listener.addresses[name]

    def tcp(self, data: bytes) -> None:
        with socket.create_connection(self.address("tcp")) as sender:
            sender.sendall(data)

    def udp(self, *datagrams: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for one in datagrams:
                sender.sendto(one, self.address("udp"))

    def counts(self, source: str | None = None) -> dict[str, int]:
        (row,) = self.pipeline.lake.rows(
            "SELECT coalesce(sum(read), 0)::BIGINT AS read, coalesce(sum(accepted), 0)::BIGINT AS accepted, "
            "coalesce(sum(rejected), 0)::BIGINT AS rejected, coalesce(sum(skipped), 0)::BIGINT AS skipped "
            "FROM lake.ledger WHERE source = ?",
            [source or self.source],
        ).to_pylist()
        assert row["read"] == row["accepted"] + row["rejected"] + row["skipped"]
        return {name: int(count) for name, count in row.items()}

    def until(self, source: str | None = None, **wanted: int) -> None:
        """Wait until the ledger shows these counts."""
        deadline = time.monotonic() + SECONDS
        while True:
            counts = self.counts(source)
            if all(counts[name] == count for name, count in wanted.items()):
                return
            assert time.monotonic() < deadline, f"{counts} and not {wanted}"
            time.sleep(0.05)

    def health(self) -> SourceHealth:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for shown in read_health(self.home, system_clock):
                for one in shown.sources:
                    if one.source == self.source and one.last_commit_at_us is not None:
                        return one
            time.sleep(0.05)
        raise AssertionError("no health was written")

    def close(self) -> None:
        self._stop.set()
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        self.writer.close()


Listen = Callable[..., Listening]


@pytest.fixture
def listen(pipeline: Pipeline, home: Home, source: str) -> Iterator[Listen]:
    made: list[Listening] = []

    def start(
        *more: SyslogSource,
        reading: Reading | None = None,
        settings: SyslogSettings | None = None,
        apps: frozenset[str] = frozenset(),
    ) -> Listening:
        own = SyslogSource(source, reading or Reading(format="nginx"), apps=apps)
        settings = settings or SyslogSettings(udp=ANY_PORT, tcp=ANY_PORT)
        made.append(Listening(pipeline, home, [own, *more], settings))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def _health_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.service.syslog_listener.HEALTH_S", 0.1)


def test_tcp_in_both_framings_and_both_headers(listen: Listen) -> None:
    one = listen()
    one.tcp(b"".join(old(line(i)) + b"\n" for i in range(50)))
    one.tcp(counted(*(new(line(i)) for i in range(50, 100))))
    one.tcp(line(100))
    one.until(read=101, accepted=101)


def test_udp(listen: Listen) -> None:
    one = listen()
    one.udp(*(old(line(i)) for i in range(40)), new(line(40)) + b"\n\0")
    one.until(read=41, accepted=41)
    health = one.health()
    assert (health.kind, health.format, health.dropped) == ("syslog", "nginx", 0)
    assert health.accepted == 41


def test_tls(listen: Listen, tmp_path: Path) -> None:
    authority, clients = trustme.CA(), trustme.CA()
    paths = {name: tmp_path / name for name in ("certificate", "key", "clients")}
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(paths["certificate"])
    certificate.private_key_pem.write_to_path(paths["key"])
    clients.cert_pem.write_to_path(paths["clients"])
    settings = SyslogSettings(
        tls=ANY_PORT, certificate=paths["certificate"], key=paths["key"], client_authority=paths["clients"]
    )
    one = listen(settings=settings)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)

    def send(context: ssl.SSLContext, data: bytes) -> None:
        with (
            socket.create_connection(one.address("tls")) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as sender,
        ):
            sender.sendall(data)
            sender.unwrap()

    with pytest.raises(OSError):  # as ssl.SSLError or as a reset
        send(trusted, counted(new(line(0))))
    clients.issue_cert("edge.example.com").configure_cert(trusted)
    send(trusted, counted(*(new(line(i)) for i in range(60))))
    one.until(read=60, accepted=60)


def test_garbage_is_accounted_message_by_message(listen: Listen) -> None:
    one = listen(settings=SyslogSettings(udp=ANY_PORT, tcp=ANY_PORT, max_message_bytes=2000))
    one.tcp(
        old(line(1)) + b"\n\n"
        b"<190>Nov 14 10:00:01 web1 nginx: \xff\xfe not a log line\n"
        + b"<190>" + b"x" * 5000 + b"\n"
        + counted(new(b"one\nmessage, two lines"), new(line(2)))
        + b"9000 " + old(b"y" * 9000)[:9000]
        + b"300 <190>cut off"
    )  # fmt: skip
    one.until(accepted=2, rejected=5, skipped=1)
    one.udp(b"", b"\0\n", b"z" * 3000)
    one.until(read=11, rejected=6, skipped=3)


def test_a_format_for_each_application(listen: Listen) -> None:
    """Formats are told by host and application, and a tie or nothing known is told, not guessed."""
    one = listen(reading=Reading(format="auto"))
    jsonl = b'{"method": "GET", "url": "https://api.example.com/v1/items/7", "status": 200}'
    one.tcp(b"".join(old(line(i)) + b"\n" + old(jsonl, b"app") + b"\n" for i in range(30)))
    one.until(read=60, accepted=60)
    health = one.health()
    assert health.format == "nginx, wardgate-jsonl"
    assert "nginx@web1: nginx" in health.notes


def test_few_messages_do_not_wait_for_ever(listen: Listen) -> None:
    one = listen(reading=Reading(format="auto"))
    one.tcp(old(line(1)) + b"\n")
    one.until(read=1, accepted=1)


def test_a_format_that_nobody_knows(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.service.syslog_lanes.LONGEST_S", 1.0)
    one = listen(reading=Reading(format="auto"))
    one.tcp(b"".join(old(b"strange words %d" % i) + b"\n" for i in range(30)))
    one.until(read=30, rejected=30)
    health = one.health()
    assert health.state == "failing"
    assert health.error is not None
    assert health.error.startswith("[format-not-recognised]")
    one.tcp(b"".join(old(line(i)) + b"\n" for i in range(30)))
    one.until(read=60, accepted=30)


def test_what_is_kept_back_is_accounted_at_the_end(listen: Listen) -> None:
    one = listen(reading=Reading(format="auto"))
    one.tcp(b"".join(old(b"strange words %d" % i) + b"\n" for i in range(5)))
    time.sleep(0.3)
    one.close()
    one.close = lambda: None  # type: ignore[method-assign]
    assert one.counts() == {"read": 5, "accepted": 0, "rejected": 5, "skipped": 0}


def test_sources_by_application_and_host(listen: Listen, source: str) -> None:
    lb = SyslogSource(f"{source}-lb", Reading(format="nginx"), hosts=frozenset({"lb"}))
    one = listen(lb, apps=frozenset({"nginx"}))
    one.tcp(old(line(1)) + b"\n" + old(line(2), b"x", b"lb") + b"\n" + old(line(3), b"x", b"db") + b"\n")
    one.until(read=1, accepted=1)
    one.until(lb.name, read=1, accepted=1)
    one.until("syslog-unclaimed", read=1, skipped=1)
    assert any(
        health.error is not None and health.error.startswith("[syslog-no-source]")
        for shown in read_health(one.home, system_clock)
        for health in shown.sources
    )


def test_senders_are_held_back_and_nothing_is_lost(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog_intake, "MOST_BYTES", 20_000)
    one = listen()
    data = b"".join(old(line(i)) + b"\n" for i in range(3000))
    senders = [Thread(target=one.tcp, args=[data]) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(SECONDS)
    one.until(read=9000, accepted=9000)


def test_what_has_arrived_is_committed_when_it_stops(listen: Listen) -> None:
    one = listen()
    with socket.create_connection(one.address("tcp")) as sender:
        sender.sendall(b"".join(old(line(i)) + b"\n" for i in range(2000)) + old(line(2000))[:50])
        time.sleep(0.1)
        one.close()
    one.close = lambda: None  # type: ignore[method-assign]
    assert one.counts() == {"read": 2001, "accepted": 2000, "rejected": 1, "skipped": 0}


def test_too_many_connections_are_refused(listen: Listen) -> None:
    one = listen(settings=SyslogSettings(tcp=ANY_PORT, max_connections=2))
    with (
        socket.create_connection(one.address("tcp")) as first,
        socket.create_connection(one.address("tcp")) as second,
    ):
        first.sendall(old(line(1)) + b"\n")
        second.sendall(old(line(2)) + b"\n")
        one.until(read=2)
        with socket.create_connection(one.address("tcp")) as third:
            third.settimeout(SECONDS)
            assert third.recv(1) == b""
        deadline = time.monotonic() + SECONDS
        while not any("refused" in note for note in one.health().notes):
            assert time.monotonic() < deadline


def test_pythons_own_sender(listen: Listen) -> None:
    one = listen()
    handler = logging.handlers.SysLogHandler(one.address("udp"))
    handler.ident = "nginx: "
    handler.emit(logging.makeLogRecord({"msg": line(1).decode(), "levelno": logging.INFO}))
    handler.close()
    one.until(read=1, accepted=1)


def test_an_address_that_is_taken_is_refused_in_one_line(listen: Listen) -> None:
    one = listen()
    host, port = one.address("tcp")
    settings = SyslogSettings(tcp=f"{host}:{port}")
    own = [SyslogSource("x", Reading(format="nginx"))]
    other = SyslogListener(one.pipeline, one.writer, own, settings, one.home, system_clock)
    with pytest.raises(WardgateError, match=r"\[syslog-address\]"):
        other.run(Event())
    documents = [SyslogSource("x", Reading(format="har"))]
    with pytest.raises(WardgateError, match=r"\[syslog-format\]"):
        SyslogListener(one.pipeline, one.writer, documents, settings, one.home, system_clock).run(Event())


def test_a_certificate_that_is_none_is_refused(tmp_path: Path, pipeline: Pipeline, home: Home) -> None:
    (tmp_path / "c.pem").write_text("no certificate")
    settings = SyslogSettings(tls=ANY_PORT, certificate=tmp_path / "c.pem", key=tmp_path / "c.pem")
    writer = Writer(pipeline)
    with closing(writer), pytest.raises(WardgateError, match=r"\[syslog-tls\]"):
        SyslogListener(pipeline, writer, [], settings, home, system_clock)


def test_what_the_configuration_says() -> None:
    config = Config.model_validate(
        {
            "syslog": {"udp": "127.0.0.1:5514"},
            "source": [
                {"name": "lb", "syslog": True, "syslog_hosts": ["lb1"], "format": "haproxy"},
                {"name": "web", "path": "/var/log/nginx/*.log", "skip": {"probe": ["/healthz"]}},
            ],
        }
    )
    (lb,), (web,) = syslog_of(config), followed_of(config)
    assert (lb.name, lb.hosts, lb.reading.format) == ("lb", {"lb1"}, "haproxy")
    assert (web.name, web.paths, web.reading.source) == ("web", ("/var/log/nginx/*.log",), "web")


@pytest.mark.engine
@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed (apt-get install nginx)")
def test_nginx_itself(listen: Listen, tmp_path: Path) -> None:
    one = listen(reading=Reading(format="auto"))
    port = _free_port()
    host, udp_port = one.address("udp")
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"""
daemon off;
master_process off;
pid {tmp_path}/nginx.pid;
error_log {tmp_path}/error.log;
events {{}}
http {{
  access_log syslog:server={host}:{udp_port},tag=edge,nohostname combined;
  client_body_temp_path {tmp_path}/body; proxy_temp_path {tmp_path}/proxy;
  fastcgi_temp_path {tmp_path}/fastcgi; uwsgi_temp_path {tmp_path}/uwsgi; scgi_temp_path {tmp_path}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }}
}}
"""
    )
    server = subprocess.Popen(["nginx", "-c", str(config), "-p", str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        for number in range(25):
            _get(f"http://127.0.0.1:{port}/v1/items/{number}?q=a%20b")
        one.until(read=25, accepted=25)
        assert one.health().format == "nginx"
        assert "edge@127.0.0.1: nginx" in one.health().notes
    finally:
        server.terminate()
        server.wait(SECONDS)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _get(url: str) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=SECONDS) as answer:
                assert answer.status == 200
                return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/net/udp").exists(), reason="no /proc/net/udp")
def test_what_the_kernel_drops_is_counted(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syslog_intake, "MOST_BYTES", 1000)
    monkeypatch.setattr("wardgate.service.syslog_listener._RECEIVE_BUFFER", 4096)
    monkeypatch.setattr("wardgate.service.syslog_listener._DATAGRAMS", 1)
    one = listen()
    one.udp(*[old(line(i)) for i in range(400)])
    deadline = time.monotonic() + SECONDS
    while one.counts()["read"] + one.health().dropped != 400:
        assert time.monotonic() < deadline, (one.counts(), one.health())
        time.sleep(0.1)
    assert one.health().dropped > 0
