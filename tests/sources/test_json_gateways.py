"""Envoy and Istio, Traefik, Caddy, Kong, API Gateway and common key names: documented examples by field."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from wardgate.core.errors import WardgateError
from wardgate.sources.aws_api_gateway import CLF, CSV, XML, AwsApiGateway
from wardgate.sources.caddy import Caddy
from wardgate.sources.detection import detect
from wardgate.sources.envoy_json import EnvoyJson
from wardgate.sources.format import LineFormat, Lines, Options
from wardgate.sources.generic_json import GenericJson
from wardgate.sources.kong import Kong
from wardgate.sources.traefik_json import TraefikJson

EXAMPLES = Path(__file__).parent / "examples"


def read(
    a_format: LineFormat, data: bytes | dict[str, Any] | None = None, **options: str
) -> list[dict[str, Any]]:
    """Rows without what is absent, times as text; of the format's own example unless data is given."""
    if data is None:
        data = next(EXAMPLES.glob(f"{a_format.name}.*")).read_bytes()
    elif isinstance(data, dict):
        data = json.dumps(data).encode()
    parsed = a_format.parser(Options(**options)).parse(Lines(data))  # type: ignore[arg-type]
    assert not parsed.rejects
    return [
        {k: str(v) if isinstance(v, datetime) else v for k, v in row.items() if v is not None}
        for row in parsed.table.to_pylist()
    ]


def headers(row: dict[str, Any], which: str = "request_headers") -> list[tuple[str, str]]:
    return [(one["name"], one["value"]) for one in row[which]]


def test_istio_defaults() -> None:
    # Istio documentation, "Envoy Access Logs": the default keys; numbers as numbers and, before, as text.
    new, old, custom = read(EnvoyJson())
    assert (new["method"], new["target"], new["host"]) == ("GET", "/details/0", "details:9080")
    assert new["started_at"] == "2020-09-30 03:22:42.267000"
    assert (new["precision_us"], new["duration_us"], new["upstream_duration_us"]) == (1000, 1000, 1000)
    assert new["service_name"] == "details.default.svc.cluster.local"
    assert not {"forwarded_for", "tls_sni"} & new.keys()
    assert (old["status"], old["response_bytes"], old["duration_us"]) == (200, 379, 36_000)
    assert not {"forwarded_for", "tls_sni"} & old.keys()
    assert (custom["method"], custom["target"], custom["http_version"]) == ("POST", "/v1/orders", "HTTP/2")
    assert custom["duration_us"] == 27_000  # %DURATION% is milliseconds, whatever its key
    assert headers(custom) == [("authorization", "Bearer made-up-envoy-token")]


def test_a_sidecars_connections_are_skipped() -> None:
    data = (EXAMPLES / "envoy-json.jsonl").read_bytes()
    parsed = EnvoyJson().parser(Options()).parse(Lines(data))
    assert parsed.skipped == {"not-http": 1}


def test_envoy_json_format_as_layout() -> None:
    layout = {
        "t": "%START_TIME(%s.%3f)%",
        "m": "%REQ(:METHOD)%",
        "p": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):256%",
        "s": "%RESPONSE_CODE%",
        "ms": "%DURATION%",
        "who": "%REQ(X-Partner-Key)%",
        "cc": "%RESP(CACHE-CONTROL)%",
        "meta": {"nested": "%PROTOCOL%"},
    }
    record = {
        "t": "1601436162.267",
        "m": "PUT",
        "p": "/x",
        "s": 204,
        "ms": 9,
        "who": "made-up",
        "cc": "no-store",
    }
    (row,) = read(EnvoyJson(), record, layout=json.dumps(layout))
    assert (row["method"], row["target"], row["status"], row["duration_us"]) == ("PUT", "/x", 204, 9000)
    assert (row["started_at"], row["precision_us"]) == ("2020-09-30 03:22:42.267000", 1000)
    assert headers(row) == [("x-partner-key", "made-up")]
    assert headers(row, "response_headers") == [("cache-control", "no-store")]


def test_traefik() -> None:
    # Traefik documentation, "Access Logs": nanoseconds, request_<Name> headers, REDACTED.
    first, second = read(TraefikJson())
    assert (first["duration_us"], first["upstream_duration_us"]) == (177, 150)
    assert first["started_at"] == "2023-07-18 08:03:58.009808"
    assert (first["tls_version"], first["client"], first["client_port"]) == (
        "TLSv1.3",
        "198.51.100.18",
        41694,
    )
    assert not {"port", "login", "ended_at"} & first.keys()
    assert headers(second) == [
        ("user-agent", "curl/8.7.1"),
        ("authorization", "REDACTED"),
        ("x-api-key", "made-up-traefik-key"),
    ]
    assert headers(second, "response_headers") == [("content-type", "application/json")]
    assert second["trace_id"] == "d8efa380619a54b8b10627015f9693b3"


def test_caddy() -> None:
    # Caddy documentation, "How Logging Works": the example line.
    first, second = read(Caddy())
    assert first["ended_at"] == "2022-03-09 21:30:01.524102"
    assert (first["duration_us"], first["tls_version"]) == (930, "TLSv1.3")
    assert first["tls_cipher"] == "TLS_AES_128_GCM_SHA256"
    names = [name for name, _ in headers(first)]
    assert "Cookie" not in names  # REDACTED: which cookies there were is not shown
    assert ("Authorization", "REDACTED") in headers(first)  # but that something was presented
    assert headers(first)[-2:] == [("X-Forwarded-For", "198.51.100.2"), ("X-Forwarded-For", "192.0.2.1")]
    assert (second["client"], second["duration_us"]) == ("203.0.113.9:41342", 12_500)
    assert headers(second) == [("Authorization", "Bearer made-up-caddy-token")]


@pytest.mark.parametrize(
    ("duration", "us"), [(0.25, 250_000), (929_675, 930), ("1m2.5s", 62_500_000), ("350µs", 350), (0, 0)]
)
def test_caddy_durations(duration: object, us: int) -> None:
    record = {
        "ts": 1646861401.5,
        "request": {"method": "GET", "uri": "/"},
        "status": 200,
        "duration": duration,
    }
    (row,) = read(Caddy(), record)
    assert row["duration_us"] == us


def test_kong() -> None:
    # Kong documentation, "File Log": the sample log object; a consumer; an object of Kong 1.3.
    sample, consumer, old = read(Kong())
    assert sample["started_at"] == "2024-09-19 22:10:39.538000"
    assert (sample["duration_us"], sample["upstream_duration_us"]) == (173_000, 171_000)
    assert (sample["scheme"], sample["host"]) == ("http", "localhost:8000")
    assert (sample["upstream"], sample["service_name"]) == ("192.0.2.224:80", "example_service")
    assert sample["request_id"] == "2f6946328ffc4946b8c9120704a4a155"
    assert not {"credential_name", "credential_kind"} & sample.keys()
    assert (consumer["credential_name"], consumer["credential_kind"]) == ("billing", "consumer")
    assert ("apikey", "made-up-kong-key") in headers(consumer)
    assert dict(headers(consumer))["authorization"] == "REDACTED"  # the consumer says who it was
    assert old["started_at"] == "2019-08-24 15:26:27"
    assert old["credential_name"] == "72b34d31-4c14-3bae-9cc6-516a0939c9d6"


def test_kong_credential_without_consumer() -> None:
    record = json.loads((EXAMPLES / "kong.jsonl").read_bytes().split(b"\n")[0])
    record["authenticated_entity"] = {"id": "c62c1455"}
    record["request"]["headers"] = []  # Lua's empty map
    (row,) = read(Kong(), record)
    assert (row["credential_name"], row["credential_kind"]) == ("c62c1455", "credential_id")
    assert "request_headers" not in row


def test_api_gateway_json() -> None:
    # Amazon API Gateway Developer Guide, "Set up CloudWatch logging": the JSON format, and more.
    documented, more, http_api, iam = read(AwsApiGateway())
    assert documented["started_at"] == "2019-04-09 18:40:35"
    assert (documented["target"], documented["status"]) == ("/pets/{petId}", 200)
    assert not {"login", "credential_name"} & documented.keys()
    assert (more["target"], more["precision_us"]) == ("/prod/pets/42", 1000)
    assert (more["duration_us"], more["upstream_duration_us"]) == (45_000, 38_000)
    assert (more["credential_name"], more["credential_kind"]) == ("qx5bflk8rd", "api_key_id")
    assert more["req.x-api-key"] == "made-up-api-gateway-key"
    assert (more["login"], more["environment"]) == ("user|a1", "prod")
    assert (http_api["method"], http_api["target"]) == ("POST", "/orders")
    assert (iam["credential_name"], iam["credential_kind"]) == ("AIDACKCEVSQ6C2EXAMPLE", "iam_principal")
    assert "login" not in iam


API_GATEWAY_LINES = [
    (
        CLF,
        '203.0.113.12 - - [09/Apr/2019:18:40:35 +0000] "GET /pets/{petId} HTTP/1.1" 200 140 JKJaXmPLvHcESHA=',
    ),
    (
        CSV,
        "203.0.113.12,-,-,09/Apr/2019:18:40:35 +0000,GET,/pets/{petId},HTTP/1.1,200,140,JKJaXmPLvHcESHA=",
    ),
    (
        XML,
        '<request id="JKJaXmPLvHcESHA="> <ip>203.0.113.12</ip> <caller>-</caller> <user>-</user> '
        "<requestTime>09/Apr/2019:18:40:35 +0000</requestTime> <httpMethod>GET</httpMethod> "
        "<resourcePath>/pets/{petId}</resourcePath> <status>200</status> <protocol>HTTP/1.1</protocol> "
        "<responseLength>140</responseLength> </request>",
    ),
]


@pytest.mark.parametrize(("layout", "line"), API_GATEWAY_LINES, ids=["CLF", "CSV", "XML"])
def test_api_gateway_documented_text(layout: str, line: str) -> None:
    data = f"{line}\n{line}\n".encode()
    (row, _) = read(AwsApiGateway(), data, layout=layout)
    assert row == {
        "position": 0,
        "started_at": "2019-04-09 18:40:35",
        "precision_us": 1_000_000,
        "client": "203.0.113.12",
        "method": "GET",
        "target": "/pets/{petId}",
        "http_version": "HTTP/1.1",
        "status": 200,
        "response_bytes": 140,
        "request_id": "JKJaXmPLvHcESHA=",
    }
    assert detect(data, "a log").format.name == "aws-api-gateway"


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        (
            '{"id":"$context.requestId","who":{"key":"$context.identity.apiKeyId"},'
            '"r":"$context.routeKey","s":$context.status}',
            '{"id":"a1","who":{"key":"k7"},"r":"PUT /a/{b}","s":200}',
        ),
        (
            '{"id":"$context.requestId","who":{"key":"$context.identity.apiKeyId"},'
            '"r":"$context.routeKey","s":"$context.status"}',
            '{"id":"a1","who":{"key":"k7"},"r":"PUT /a/{b}","s":"200"}',
        ),
        (
            "$context.requestId $context.identity.apiKeyId $context.routeKey $context.status",
            "a1 k7 PUT /a/{b} 200",
        ),
    ],
)
def test_api_gateway_layouts(layout: str, line: str) -> None:
    (row,) = read(AwsApiGateway(), line.encode(), layout=layout)
    assert (row["method"], row["target"], row["status"]) == ("PUT", "/a/{b}", 200)
    assert (row["credential_name"], row["credential_kind"]) == ("k7", "api_key_id")


@pytest.mark.parametrize(
    ("a_format", "layout"),
    [
        (AwsApiGateway(), "$context.requestId $context.status"),
        (AwsApiGateway(), "{ not json"),
        (EnvoyJson(), '{"s": "%RESPONSE_CODE%"}'),
    ],
)
def test_a_layout_without_a_request_is_refused(a_format: LineFormat, layout: str) -> None:
    with pytest.raises(WardgateError, match="layout-empty"):
        a_format.parser(Options(layout=layout))


def test_common_key_names() -> None:
    # NGINX documentation, ngx_http_log_module (escape=json); Elastic Common Schema; Logstash's grok names.
    nginx, variables, ecs, grok = read(GenericJson())
    assert (nginx["method"], nginx["target"], nginx["http_version"]) == (
        "GET",
        "/api/items?page=2",
        "HTTP/1.1",
    )
    assert nginx["ended_at"] == "2026-11-14 08:00:01"
    assert (nginx["duration_us"], nginx["response_bytes"]) == (5000, 612)
    assert not {"login", "req.referer"} & nginx.keys()
    assert (variables["target"], variables["precision_us"]) == ("/api/orders?dry=1", 1000)
    assert "query" not in variables  # it is in the target
    assert (variables["upstream_status"], variables["upstream_duration_us"]) == (201, 123_000)
    assert headers(variables) == [
        ("authorization", "Bearer made-up-generic-token"),
        ("x-api-key", "made-up-generic-key"),
        ("cookie", "session=made-up-generic-session"),
    ]
    assert (ecs["method"], ecs["target"], ecs["host"]) == ("DELETE", "/api/items/7", "api.example.com")
    assert (ecs["client"], ecs["duration_us"], ecs["status"]) == ("198.51.100.7", 3500, 204)
    assert (grok["method"], grok["target"], grok["status"]) == ("GET", "/index.html", 200)


def test_header_maps_and_bodies() -> None:
    record = {
        "request_method": "POST",
        "request_uri": "/a",
        "status": 200,
        "headers": {"Authorization": "Bearer made-up", "X-Many": ["1", "2"]},
        "http_x_single": "3",
        "request_body": '{"a": 1}',
    }
    (row,) = read(GenericJson(), record)
    assert headers(row) == [
        ("Authorization", "Bearer made-up"),
        ("X-Many", "1"),
        ("X-Many", "2"),
        ("x-single", "3"),
    ]
    assert row["request_body"] == b'{"a": 1}'
