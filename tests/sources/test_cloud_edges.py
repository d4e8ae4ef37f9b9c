"""Cloudflare, Akamai, Google Cloud and Azure: the documentation's examples, field by field."""

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from wardgate.core.errors import WardgateError
from wardgate.core.observed import Parsed
from wardgate.sources.akamai import Akamai
from wardgate.sources.azure_app_gateway import AzureAppGateway, AzureAppGatewayRecords
from wardgate.sources.catalogue import format_named
from wardgate.sources.cloudflare import Cloudflare
from wardgate.sources.format import DocumentFormat, LineFormat, Lines, Options
from wardgate.sources.google_lb import GoogleLoadBalancer, GoogleLoadBalancerArray

EXAMPLES = Path(__file__).parent / "examples"


def example(name: str) -> bytes:
    return next(EXAMPLES.glob(f"{name}.*")).read_bytes()


def rows(parsed: Parsed) -> list[dict[str, Any]]:
    """Rows without what is absent, times as text."""
    assert not parsed.rejects
    return present(parsed)


def present(parsed: Parsed) -> list[dict[str, Any]]:
    return [
        {k: str(v) if isinstance(v, datetime) else v for k, v in row.items() if v is not None}
        for row in parsed.table.to_pylist()
    ]


def read(a_format: LineFormat, data: bytes) -> list[dict[str, Any]]:
    return rows(a_format.parser(Options()).parse(Lines(data)))


def headers(row: dict[str, Any], which: str = "request_headers") -> dict[str, str]:
    return {one["name"]: one["value"] for one in row[which]}


def test_cloudflare() -> None:
    # Cloudflare Logs documentation, "HTTP requests", "Log Output Options", "Custom fields".
    coarse, fine, worker, few = read(Cloudflare(), example("cloudflare"))
    assert (coarse["method"], coarse["target"], coarse["host"]) == (
        "POST",
        "/xyz/checkout?step=2",
        "xyz.example.com",
    )
    assert coarse["started_at"] == "2022-05-25 13:25:26"
    assert coarse["ended_at"] == "2022-05-25 13:25:32"
    assert coarse["precision_us"] == 1_000_000
    assert "duration_us" not in coarse  # the difference of two whole seconds is no duration
    assert (coarse["upstream_duration_us"], coarse["upstream_status"]) == (5_319_000, 200)
    assert coarse["tls_fingerprint"] == "t13d1516h2_8daaf6152771_02713d6af862"
    assert "client_certificate" not in coarse

    assert (fine["duration_us"], fine["precision_us"]) == (312_000, 1)
    assert fine["upstream_duration_us"] == 52_320  # OriginResponseTime counts nanoseconds
    assert fine["client_certificate"] == "3f1e7f0d0a6c8f1b2c5f"
    assert headers(fine) == {
        "authorization": "Bearer made-up-token-4f8e2c",
        "x-api-key": "made-up-key-91",
        "cookie": "session=made-up-session-7; theme=dark",
    }

    assert worker["started_at"] == "2022-05-25 13:25:26"  # "1653485126", in quotes
    assert not {"tls_version", "tls_cipher", "upstream", "upstream_status"} & worker.keys()
    assert few["request_id"] == "710e98d9367f357d"


def test_cloudflare_repeats_a_response_header() -> None:
    # "Record duplicate response header values": an array of values under ResponseFields.
    record = json.loads(example("cloudflare").split(b"\n")[3])
    record["ResponseFields"] = {"set-cookie": ["name1=val1", "name2=val2"], "allow": "GET"}
    (row,) = read(Cloudflare(), json.dumps(record).encode())
    assert [(one["name"], one["value"]) for one in row["response_headers"]] == [
        ("set-cookie", "name1=val1"),
        ("set-cookie", "name2=val2"),
        ("allow", "GET"),
    ]


def test_akamai() -> None:
    # Akamai documentation, DataStream 2, "Log format".
    whole, few = read(Akamai(), example("akamai"))
    assert (whole["target"], whole["query"], whole["scheme"], whole["port"]) == (
        "/path1/path2/file.ext",
        "param=value",
        "https",
        443,
    )
    assert whole["started_at"] == "2019-11-15 17:46:40"
    assert whole["duration_us"] == (3 + 11 + 125) * 1000
    assert whole["user_agent"] == "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_3)"
    assert whole["req.referer"] == "https://test.referrer.net/en-US/docs/Web/test"
    assert whole["req.cookie"] == "session=made-up-akamai-cookie"
    assert (few["target"], few["precision_us"]) == ("/v1/orders", 1000)
    assert "duration_us" not in few


@pytest.mark.parametrize("delimiter", ["\t", " "])
def test_akamai_structured(delimiter: str) -> None:
    names = ["cp", "reqTimeSec", "cliIP", "statusCode", "reqHost", "reqMethod", "reqPath", "queryStr", "UA"]
    values = ["1", "1573840000.5", "203.0.113.9", "-", "api.example.com", "GET", "/a", "-", "curl%2F8.1"]
    options = Options(layout=delimiter.join(names))
    line = delimiter.join(values).encode()
    parsed = Akamai().parser(options).parse(Lines(line + b"\n" + line + delimiter.encode() + b"-\n" + line))
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [(1, "not-format")]
    assert present(parsed)[1] == {
        "position": 2,
        "started_at": "2019-11-15 17:46:40.500000",
        "precision_us": 100_000,
        "client": "203.0.113.9",
        "host": "api.example.com",
        "method": "GET",
        "target": "/a",
        "user_agent": "curl/8.1",
    }


def test_akamai_layout_without_a_path_is_refused() -> None:
    with pytest.raises(WardgateError, match="layout-empty"):
        Akamai().parser(Options(layout="cp reqMethod"))


def test_google() -> None:
    # Google Cloud documentation, "Global external Application Load Balancer logging and monitoring".
    first, second = read(GoogleLoadBalancer(), example("google-lb"))
    assert first["target"] == "https://api.example.com/console/?tab=1"
    assert first["started_at"] == "2024-08-28 15:33:55.355042"
    assert (first["duration_us"], first["request_bytes"], first["status"]) == (58_927, 257, 302)
    assert (first["trace_id"], first["span_id"]) == ("8c8b3dbf9a19c85954d0fa2d958ca509", "3e1a09a8e5e3e14d")
    assert (first["upstream"], first["service_name"]) == ("10.32.0.16", "web-backend-service")
    assert (first["tls_version"], first["client_certificate"]) == ("TLSv1.3", "made-up-fingerprint")
    assert (second["client"], second["request_bytes"]) == ("192.0.2.4:40022", 77)
    assert "service_name" not in second


def test_google_entries_of_other_logs_are_skipped() -> None:
    audit = b'{"logName":"projects/p/logs/audit","timestamp":"2024-08-28T15:33:55Z","protoPayload":{}}\n'
    parsed = GoogleLoadBalancer().parser(Options()).parse(Lines(audit * 3 + example("google-lb")))
    assert (parsed.accepted, parsed.rejects, parsed.skipped) == (2, [], {"not-http": 3})


def test_azure() -> None:
    # Azure documentation, "Diagnostic logs for Application Gateway".
    data = example("azure-app-gateway")
    v2, v1 = read(AzureAppGateway(), data)
    assert v2["ended_at"] == "2021-10-14 22:17:11"
    assert (v2["duration_us"], v2["upstream_duration_us"]) == (34_000, 28_000)  # seconds
    assert (v2["target"], v2["host"]) == ("/files/7?download=1", "files.example.com")
    assert "query" not in v2
    assert v2["request_id"] == "592d1649f75a8d480a3c4dc6a975309d"
    assert v1["duration_us"] == 205_000  # milliseconds
    assert (v1["query"], v1["upstream"], v1["upstream_status"]) == ("a=1", "10.4.0.4", 404)
    assert v1["request_id"] == "874f1f0f-6807-41c9-b7bc-f3cfa74aa0b1"
    assert "user_agent" not in v1
    parsed = AzureAppGateway().parser(Options()).parse(Lines(data.replace(b"203.0.113.24", b"127.0.0.1")))
    assert parsed.skipped == {"other-category": 1, "gateway-internal": 1}


@pytest.mark.parametrize(
    ("lines", "array"),
    [
        ("google-lb", json.dumps),
        ("google-lb", lambda entries: json.dumps({"entries": entries}, indent=1)),
        ("kong", lambda entries: "".join(json.dumps([one]) + "\n" for one in entries)),
        ("azure-app-gateway", lambda entries: "".join(json.dumps({"records": [one]}) for one in entries)),
        ("azure-app-gateway", lambda entries: "\ufeff" + json.dumps({"a": [{}], "records": entries})),
    ],
)
def test_an_array_means_what_its_lines_mean(lines: str, array: Any) -> None:
    line_format = format_named(lines)
    assert isinstance(line_format, LineFormat)
    data = example(lines)
    by_line = line_format.parser(Options()).parse(Lines(data))
    document = array([json.loads(line) for line in data.splitlines()]).encode()
    array_format = format_named(f"{lines}-{'records' if lines.startswith('azure') else 'array'}")
    assert isinstance(array_format, DocumentFormat)
    fit = array_format.fit(document)
    assert fit is not None and fit.score > 0.9
    parts = list(array_format.read(io.BytesIO(document), Options()))
    assert [row for part in parts for row in rows(part)] == rows(by_line)
    assert sum(part.read for part in parts) == by_line.read


@pytest.mark.parametrize(
    ("document", "rejects"),
    [
        (b"", []),
        (b"[]", []),
        (b'{"records": []}\n{"records": []}\n', []),
        (b"{}", [(0, "not-format")]),
        (b"null", [(0, "not-format")]),
        (b"\xef\xbb", [(0, "not-format")]),
        (b"[1, {}]", [(0, "not-json"), (1, "missing-field")]),
        (b'[{"category": 1}, ', [(0, "bad-value"), (1, "truncated")]),
        (b'{"records": [{"category": "x"}, {"prop', [(1, "truncated")]),
        (b'{"rec', [(0, "truncated")]),
        (b'{"records": []} x', [(0, "not-format")]),
    ],
)
def test_an_array_that_is_none(document: bytes, rejects: list[tuple[int, str]]) -> None:
    parts = list(AzureAppGatewayRecords().read(io.BytesIO(document), Options()))
    assert [(one.position, str(one.reason)) for part in parts for one in part.rejects] == rejects


def test_an_item_longer_than_a_line_is_passed_over() -> None:
    entries = [json.loads(line) for line in example("google-lb").splitlines()]
    entries.insert(1, {"insertId": "x" * (1 << 20)})
    parts = list(GoogleLoadBalancerArray().read(io.BytesIO(json.dumps(entries).encode()), Options()))
    assert [(one.position, str(one.reason)) for part in parts for one in part.rejects] == [(1, "too-long")]
    assert [at for part in parts for at in part.table["position"].to_pylist()] == [0, 2]
    assert sum(part.read for part in parts) == 3
