"""Envoy and Istio text logs: the documented examples, and format strings of command operators."""

# ruff: noqa: E501 - log lines as they are

import json

import pytest

from wardgate.core.errors import WardgateError
from wardgate.sources.envoy_json import EnvoyJson
from wardgate.sources.envoy_text import EnvoyText
from wardgate.sources.format import Lines, Options

# Envoy documentation, Access logging; Istio documentation, Envoy Access Logs (1.8 and later).
DOCUMENTED = b"""\
[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"
[2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 outbound_.8000_._.httpbin.foo.svc.cluster.local default
[2019-03-06T09:31:27.360Z] "GET /status/418 HTTP/1.1" 418 - "-" "-" 0 135 5 2 "-" "curl/7.60.0" "d209e46f-9ed5-9b61-bbdd-43e22662702a" "httpbin:8000" "127.0.0.1:80" outbound|8000||httpbin.default.svc.cluster.local - 172.30.146.73:80 172.30.146.82:38618 - -
[2020-11-25T21:26:19.000Z] "- - -" 0 - - - "-" 0 135 4 - "-" "-" "-" "-" "127.0.0.1:80" PassthroughCluster 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 - -
[2020-11-25T21:26:19.100Z] "GET /slow HTTP/1.1" 0 DC downstream_remote_disconnect - "-" 0 0 4 - "-" "say "hi"" "-" "a" "-" - - 10.44.1.27:80 10.44.1.23:37652 - -
"""


def test_the_documented_lines() -> None:
    parsed = EnvoyText().parser(Options()).parse(Lines(DOCUMENTED))
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [(3, "bad-request")]
    envoy, istio, older, quoting = sorted(parsed.table.to_pylist(), key=lambda row: row["position"])
    assert envoy["started_at"].isoformat() == "2016-04-15T20:17:00.310000"
    assert (envoy["method"], envoy["target"], envoy["http_version"]) == (
        "POST",
        "/api/v1/locations",
        "HTTP/2",
    )
    assert (envoy["request_bytes"], envoy["response_bytes"]) == (154, 0)
    assert (envoy["duration_us"], envoy["upstream_duration_us"]) == (226_000, 100_000)
    assert (envoy["forwarded_for"], envoy["user_agent"]) == ("10.0.35.28", "nsq2http")
    assert (envoy["host"], envoy["upstream"]) == ("locations", "10.0.2.1:80")
    assert istio["client"] == "10.44.1.23:37652"
    assert istio["tls_sni"] == "outbound_.8000_._.httpbin.foo.svc.cluster.local"
    assert (istio["status"], istio["service_name"]) == (418, None)
    assert older["service_name"] == "httpbin.default.svc.cluster.local"
    assert (quoting["target"], quoting["user_agent"], quoting["host"]) == ("/slow", 'say "hi"', "a")


def test_a_value_that_feigns_columns_is_kept_aside() -> None:
    """Envoy writes quotes as they come, so a user agent may try to be the host as well."""
    line = (
        b'[2016-04-15T20:17:00.310Z] "GET /a HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "%s" '
        b'"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"\n'
    )
    agents = (b'x" "id" "feigned" "192.0.2.66:80', b'x" "id', b'"', b'""', b'a "b" c')
    parsed = EnvoyText().parser(Options()).parse(Lines(b"".join(line % agent for agent in agents)))
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [
        (0, "not-format"),
        (1, "not-format"),
    ]
    rows = sorted(parsed.table.to_pylist(), key=lambda row: row["position"])
    assert [(row["user_agent"], row["host"]) for row in rows] == [
        ('"', "locations"),
        ('""', "locations"),
        ('a "b" c', "locations"),
    ]


@pytest.mark.parametrize(
    ("layout", "line", "wanted"),
    [
        (
            '%START_TIME(%Y/%m/%dT%H:%M:%S%z)% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% "%REQ(:METHOD)% %REQ(:PATH):40% '
            '%PROTOCOL%" %RESPONSE_CODE% %REQUESTED_SERVER_NAME% "%DOWNSTREAM_PEER_SUBJECT%" "%REQ(AUTHORIZATION):60%"\n',
            '2026/11/14T10:00:01+0100 192.0.2.1 "GET /a HTTP/1.1" 200 api.example.com "CN=a,O=b c" "Bearer x"',
            {"target": "/a", "client": "192.0.2.1", "tls_sni": "api.example.com", "req.authorization": "Bearer x",
             "client_certificate": "CN=a,O=b c"},
        ),
        (
            "ts=%START_TIME(%s.%3f)% m=%REQ(:METHOD)% p=%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% h=%REQ(:AUTHORITY)% "
            "ua=%REQ(USER-AGENT)%; tls=%DOWNSTREAM_TLS_VERSION% ja3=%TLS_JA3_FINGERPRINT% tp=%REQ(TRACEPARENT)% "
            "ct=%RESP(CONTENT-TYPE)%|100%%|%UPSTREAM_CLUSTER%",
            "ts=1794650401.250 m=GET p=/a?x=1 h=api.example.com ua=Mozilla/5.0 (X11); tls=TLSv1.3 ja3=abc tp=- "
            "ct=text/html; charset=utf-8|100%|orders",
            {"user_agent": "Mozilla/5.0 (X11)", "tls_version": "TLSv1.3", "tls_fingerprint": "abc",
             "traceparent": None, "response_content_type": "text/html; charset=utf-8", "service_name": "orders",
             "host": "api.example.com", "target": "/a?x=1"},
        ),
        (
            "[%START_TIME%] %REQ(:METHOD)% %PATH(WQ:ORIG)% %UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_HOST% %STREAM_ID%",
            "[2026-11-14T10:00:01.250Z] GET /a 10.0.0.9:1 10.0.0.4:80 2f0a",
            {"upstream": "10.0.0.4:80", "request_id": "2f0a", "target": "/a"},
        ),
    ],
)  # fmt: skip
def test_format_strings(layout: str, line: str, wanted: dict[str, object]) -> None:
    parsed = EnvoyText().parser(Options(layout=layout)).parse(Lines(line.encode() + b"\n"))
    assert not parsed.rejects
    (row,) = parsed.table.to_pylist()
    assert {name: row[name] for name in wanted} == wanted
    assert str(row["started_at"])[:16] in ("2026-11-14 09:00", "2026-11-14 10:00")


@pytest.mark.parametrize(
    ("form", "stamp", "precision"),
    [
        ("", "2026-11-14T10:00:01.250Z", 1000),
        ("(%s)", "1794650401", 1_000_000),
        ("(%s.%6f)", "1794650401.250000", 1),
        ("(%Y-%m-%dT%H:%M:%SZ)", "2026-11-14T10:00:01Z", 1_000_000),
        ("(%d.%m.%Y %H:%M:%S.%3f)", "14.11.2026 10:00:01.250", 1000),
    ],
)
def test_precision_is_what_the_stamp_shows(form: str, stamp: str, precision: int) -> None:
    layout = f'"%START_TIME{form}%" %REQ(:METHOD)% %REQ(:PATH)%'
    parsed = EnvoyText().parser(Options(layout=layout)).parse(Lines(f'"{stamp}" GET /a\n'.encode()))
    assert parsed.table["precision_us"].to_pylist() == [precision]
    assert str(parsed.table["started_at"][0])[:19] == "2026-11-14 10:00:01"


@pytest.mark.parametrize(
    ("layout", "code"),
    [
        ("%START_TIME% %RESPONSE_CODE%", "layout-empty"),
        ("%START_TIME(%s %4f)% %REQ(:METHOD)% %REQ(:PATH)%", "layout-time"),
    ],
)
def test_formats_that_cannot_be_read(layout: str, code: str) -> None:
    with pytest.raises(WardgateError, match=code):
        EnvoyText().parser(Options(layout=layout))


SHARED = [
    ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "192.0.2.1", "client"),
    ("%UPSTREAM_REMOTE_ADDRESS%", "10.0.2.1:80", "upstream"),
    ("%UPSTREAM_CLUSTER_RAW%", "outbound|9080||orders.shop.svc.cluster.local", "service_name"),
    ("%STREAM_ID%", "2f0a", "request_id"),
    ("%REQ(X-REQUEST-ID)%", "2f0b", "request_id"),
    ("%REQUEST_HEADER(USER-AGENT)%", "curl/8", "user_agent"),
    ("%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%", "12", "upstream_duration_us"),
    ("%DOWNSTREAM_TLS_VERSION%", "TLSv1.3", "tls_version"),
    ("%REQ(:SCHEME)%", "https", "scheme"),
    ("%REQ(:PROTOCOL)%", "websocket", ""),
]


@pytest.mark.parametrize(("operator", "value", "field"), SHARED, ids=[one[0] for one in SHARED])
def test_an_operator_means_the_same_in_text_and_in_json(operator: str, value: str, field: str) -> None:
    text = EnvoyText().parser(Options(layout=f"[%START_TIME%] %REQ(:METHOD)% %REQ(:PATH)% {operator}"))
    keys = {"t": "%START_TIME%", "m": "%REQ(:METHOD)%", "p": "%REQ(:PATH)%", "value": operator}
    as_json = EnvoyJson().parser(Options(layout=json.dumps(keys)))
    record = {"t": "2026-11-14T10:00:01.250Z", "m": "GET", "p": "/a", "value": value}
    (one,) = text.parse(Lines(f"[2026-11-14T10:00:01.250Z] GET /a {value}\n".encode())).table.to_pylist()
    (other,) = as_json.parse(Lines(json.dumps(record).encode() + b"\n")).table.to_pylist()
    told = {name for name in one.keys() | other.keys() if one.get(name) is not None}
    assert {name: one.get(name) for name in told} == {name: other.get(name) for name in told}
    assert not field or one[field] is not None
    assert not other.get("request_headers")
