"""HAProxy logs: the manual's own lines, captured headers by the configuration, and custom formats."""

# ruff: noqa: E501 - log lines as they are

from pathlib import Path

import pytest

from wardgate.core.errors import WardgateError
from wardgate.sources.format import Lines, Options
from wardgate.sources.haproxy import HAProxy
from wardgate.sources.haproxy_config import frontends

# HAProxy Configuration Manual, 8.2.3 HTTP log format, 8.2.5 HTTPS log format, 8.4/8.5 termination states.
MANUAL = b"""\
Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"
Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] https-in~ static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1" 0/0/0/0/0 1wt.eu/TLSv1.3/TLS_AES_256_GCM_SHA384
haproxy[674]: 127.0.0.1:33319 [15/Oct/2003:08:31:57.149] relais-http Statics/<NOSRV> -1/-1/-1/-1/8490 -1 0 - - CR-- 0/0/0/0/0 0/0 "<BADREQ>"
haproxy[18113]: 127.0.0.1:34549 [15/Oct/2003:15:19:06.103] px-http px-http/srv1 -1/-1/-1/-1/+50001 408 +2750 - - cR-- 2/2/2/0/+2 0/0 "GET / HTTP/1.1"
"""


def rows(data: bytes, options: Options | None = None) -> list[dict[str, object]]:
    parsed = HAProxy().parser(options or Options()).parse(Lines(data))
    return sorted(parsed.table.to_pylist(), key=lambda row: row["position"])


def test_the_manuals_lines() -> None:
    parsed = (
        HAProxy()
        .parser(Options())
        .parse(Lines(MANUAL.replace(b"haproxy[674]: ", b"").replace(b"haproxy[18113]: ", b"")))
    )
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [(2, "bad-request")]
    http, https, timeout = sorted(parsed.table.to_pylist(), key=lambda row: row["position"])
    assert http["started_at"].isoformat() == "2009-02-06T12:14:14.655000"
    assert http["precision_us"] == 1000
    assert (http["client"], http["client_port"]) == ("10.0.1.2", 33317)
    assert (http["method"], http["target"], http["http_version"]) == ("GET", "/index.html", "HTTP/1.1")
    assert (http["status"], http["response_bytes"]) == (200, 2750)
    assert (http["duration_us"], http["upstream_duration_us"]) == (109_000, 69_000)
    assert (http["service_name"], http["upstream"], http["scheme"]) == ("static", "static/srv1", None)
    assert (https["scheme"], https["tls_sni"]) == ("https", "1wt.eu")
    assert (https["tls_version"], https["tls_cipher"]) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert (timeout["status"], timeout["duration_us"], timeout["upstream_duration_us"]) == (
        408,
        50_001_000,
        None,
    )


def test_a_reject_keeps_its_syslog_prefix() -> None:
    line = MANUAL.split(b"\n")[0].replace(b'"GET /index.html HTTP/1.1"', b'"<BADREQ>"')
    (reject,) = HAProxy().parser(Options()).parse(Lines(line + b"\r\n")).rejects
    assert reject.raw == line


def test_a_prefix_without_a_message_is_a_blank_line() -> None:
    parsed = HAProxy().parser(Options()).parse(Lines(b"<134>\nFeb  6 12:14:14 localhost haproxy[14389]: "))
    assert (parsed.read, parsed.skipped) == (2, {"blank": 2})


@pytest.mark.parametrize(
    ("given", "client", "port"),
    [
        ("2001:db8::1:443", "2001:db8::1", 443),
        ("::ffff:10.0.0.1:80", "::ffff:10.0.0.1", 80),
        ("unix:1", "unix", 1),
    ],
)
def test_addresses_with_colons(given: str, client: str, port: int) -> None:
    line = f'{given} [06/Feb/2026:12:14:14.655] in b/s 1/0/3/6/9 200 27 - - ---- 1/1/1/1/0 0/0 "GET /a HTTP/1.1"\n'
    (row,) = rows(line.encode())
    assert (row["client"], row["client_port"]) == (client, port)


def test_no_response_is_no_status_and_no_server_no_upstream() -> None:
    line = b'192.0.2.1:5 [06/Feb/2026:12:14:14.655] in in/<NOSRV> -1/-1/-1/-1/9 -1 0 - - CR-- 1/1/1/1/0 0/0 "GET /a HTTP/1.1"\n'
    (row,) = rows(line)
    assert (row["status"], row["upstream"], row["duration_us"]) == (None, None, 9000)


def test_local_time_and_encoded_characters() -> None:
    line = b'192.0.2.1:5 [06/Jul/2026:12:14:14.655] in b/s 1/0/3/6/9 200 27 - - ---- 1/1/1/1/0 0/0 {a#7Cb} "GET /#22a#C3#A9 HTTP/1.1"\n'
    (row,) = rows(line, Options(timezone="Europe/Berlin"))
    assert str(row["started_at"]) == "2026-07-06 10:14:14.655000"
    assert row["target"] == '/"aé'


CONFIG = """
global
    log /dev/log local0
defaults
    mode http
    option httplog
frontend api-in
    bind *:443 ssl crt /etc/ssl/site.pem
    capture request header Host len 64
    http-request capture req.hdr(Authorization) len 512
    http-request capture src len 40          # no header: its slot has no name
    capture response header Content-Type len 64
frontend web-in
    capture request  header User-Agent len 128
frontend custom
    log-format "%ci:%cp [%trl] %ft %ST %Ta %{+Q}r %{+Q}[capture.req.hdr(0)]"
frontend tcp-in
    no option httplog
backend orders
    server app1 10.0.0.4:80
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "haproxy.cfg"
    path.write_text(CONFIG)
    return path


def test_a_configuration_names_the_captured_headers(config: Path) -> None:
    tail = "0/0/0/0/5 200 10 - - ---- 1/1/1/1/0 0/0"
    data = f"""\
192.0.2.1:5 [14/Nov/2026:10:00:01.250] api-in~ orders/app1 {tail} {{api.example.com|Bearer x|192.0.2.1}} {{text/html}} "GET /a HTTP/1.1"
192.0.2.1:5 [14/Nov/2026:10:00:01.250] web-in orders/app1 {tail} {{curl/8.1}} "GET /a HTTP/1.1"
192.0.2.1:5 [14/Nov/2026:10:00:01.250] other orders/app1 {tail} {{x|y}} "GET /a HTTP/1.1"
192.0.2.1:5 [14/Nov/2026:10:00:01 +0100] custom 200 5 "GET /v1/orders HTTP/1.1" "-"
""".encode()
    first, second, third, fourth = rows(data, Options(config=config))
    assert (first["host"], first["req.authorization"]) == ("api.example.com", "Bearer x")
    assert (first["response_content_type"], first["user_agent"]) == ("text/html", None)
    assert (second["host"], second["user_agent"]) == (None, "curl/8.1")
    assert (third["host"], third["user_agent"]) == (None, None)
    assert str(fourth["started_at"]) == "2026-11-14 09:00:01"


def test_frontends_of_a_configuration(config: Path) -> None:
    known = frontends(config)
    assert list(known) == ["api-in", "web-in", "custom", "tcp-in"]
    assert known["api-in"].captures.request == ("Host", "Authorization", "")
    with pytest.raises(WardgateError, match=r"layout-unknown.*api-in, web-in"):
        HAProxy().parser(Options(config=config, layout_name="nope"))
    with pytest.raises(WardgateError, match="config-unreadable"):
        HAProxy().parser(Options(config=config / "absent"))
    config.write_text("global\n    maxconn 5\n")
    with pytest.raises(WardgateError, match="layout-empty"):
        HAProxy().parser(Options(config=config))


@pytest.mark.parametrize(
    ("log_format", "line", "wanted"),
    [
        (
            "%ci:%cp [%t] %ft %b/%s %Tq/%Tw/%Tc/%Tr/%Tt %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r",
            '192.0.2.1:5 [06/Feb/2026:12:14:14.655] in b/s 1/0/3/6/12 200 27 - - ---- 1/1/1/1/0 0/0 "GET /a HTTP/1.1"',
            {"duration_us": 12_000, "target": "/a", "client": "192.0.2.1"},
        ),
        (
            "%T %HM %HP %HQ %HV %ST %U %ID %si:%sp %[ssl_c_s_dn]",
            "06/Feb/2026:12:14:14 +0000 GET /a ?x=1 HTTP/1.1 200 31 abc-1 10.0.0.4:80 CN=client",
            {"query": "x=1", "request_bytes": 31, "request_id": "abc-1", "upstream": "10.0.0.4:80",
             "client_certificate": "CN=client", "method": "GET"},
        ),
        (
            '{"t":%Ts,"client":"%ci","req":"%{+E}r","ua":"%{+E}[hdr(User-Agent)]","took":%Ta}',
            '{"t":1794650401,"client":"2001:db8::1","req":"GET /a\\"b HTTP/1.1","ua":"x \\"y\\"","took":7}',
            {"target": '/a"b', "user_agent": 'x "y"', "duration_us": 7000, "client": "2001:db8::1"},
        ),
        (
            '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta',
            '192.0.2.1 - - [06/Feb/2026:12:14:14 +0000] "GET /a HTTP/1.1" 200 14 "" "" 48 942 "m" "b" "s" 0 0 0 1 2',
            {"duration_us": 2000, "service_name": "b", "upstream": "b/s", "client_port": 48},
        ),
    ],
)  # fmt: skip
def test_custom_log_formats(log_format: str, line: str, wanted: dict[str, object]) -> None:
    (row,) = rows(line.encode() + b"\n", Options(layout=log_format))
    assert {name: row[name] for name in wanted} == wanted


def test_a_log_format_without_a_request_is_refused() -> None:
    with pytest.raises(WardgateError, match="layout-empty"):
        HAProxy().parser(Options(layout="%ci %ST"))
