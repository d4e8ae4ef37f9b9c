"""HAR: the specification's own examples, browsers' habits, broken documents, and two ways to read one."""

import base64
import gzip
import io
import json
from pathlib import Path
from typing import Any

import brotli
import pytest

from wardgate.core.observed import Parsed
from wardgate.sources.format import Options
from wardgate.sources.har import Har

# "HAR 1.2 Spec", the examples of its sections entries, request, response, cookies, headers, timings.
SPEC_ENTRY = {
    "pageref": "page_0",
    "startedDateTime": "2009-04-16T12:07:23.596Z",
    "time": 50,
    "request": {
        "method": "GET",
        "url": "http://www.example.com/path/?param=value",
        "httpVersion": "HTTP/1.1",
        "cookies": [
            {
                "name": "TestCookie",
                "value": "Cookie Value",
                "path": "/",
                "domain": "www.janodvarko.cz",
                "expires": "2009-07-24T19:20:30.123+02:00",
                "httpOnly": False,
                "secure": False,
                "comment": "",
            }
        ],
        "headers": [{"name": "Accept-Encoding", "value": "gzip,deflate", "comment": ""}],
        "queryString": [{"name": "param", "value": "value", "comment": ""}],
        "postData": {
            "mimeType": "multipart/form-data",
            "params": [],
            "text": "plain posted data",
            "comment": "",
        },
        "headersSize": 150,
        "bodySize": 0,
        "comment": "",
    },
    "response": {
        "status": 200,
        "statusText": "OK",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": "Content-Type", "value": "text/html; charset=utf-8", "comment": ""}],
        "content": {
            "size": 33,
            "compression": 0,
            "mimeType": "text/html; charset=utf-8",
            "text": "\n",
            "comment": "",
        },
        "redirectURL": "",
        "headersSize": 160,
        "bodySize": 850,
        "comment": "",
    },
    "cache": {},
    "timings": {"blocked": 0, "dns": -1, "connect": 15, "send": 20, "wait": 38, "receive": 12, "ssl": -1},
    "serverIPAddress": "10.0.0.1",
    "connection": "52492",
    "comment": "",
}


def har(*entries: Any) -> bytes:
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}}
    ).encode()


def entry(
    request: dict[str, Any] | None = None, response: dict[str, Any] | None = None, **other: Any
) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-11-14T10:00:01Z",
        "request": {"method": "GET", "url": "https://api.example.com/a", **(request or {})},
        "response": {"status": 200, **(response or {})},
        **other,
    }


def _coded(coding: str, body: bytes) -> dict[str, Any]:
    """An entry whose tool left the response's body as it crossed the wire, perhaps."""
    content = {"text": base64.b64encode(body).decode(), "encoding": "base64"}
    return entry(response={"headers": [{"name": "Content-Encoding", "value": coding}], "content": content})


def read(document: bytes, reader: Har | None = None) -> list[Parsed]:
    return list((reader or Har()).read(io.BytesIO(document), Options()))


def row(document: bytes) -> dict[str, Any]:
    (part,) = read(document)
    (found,) = part.table.to_pylist()
    return {name: value for name, value in found.items() if value is not None}


def rejects(parts: list[Parsed]) -> list[tuple[int, str]]:
    return [(one.position, str(one.reason)) for part in parts for one in part.rejects]


def positions(parts: list[Parsed]) -> list[int]:
    return [at for part in parts for at in part.table["position"].to_pylist()]


def test_the_specifications_examples() -> None:
    found = row(har(SPEC_ENTRY))
    assert found["started_at"].isoformat() == "2009-04-16T12:07:23.596000"
    assert {
        name: found[name]
        for name in ("method", "target", "http_version", "status", "duration_us", "upstream")
    } == {
        "method": "GET",
        "target": "http://www.example.com/path/?param=value",
        "http_version": "HTTP/1.1",
        "status": 200,
        "duration_us": 50_000,
        "upstream": "10.0.0.1",
    }
    assert (found["request_bytes"], found["response_bytes"]) == (0, 850)
    assert found["request_headers"] == [
        {"name": "Accept-Encoding", "value": "gzip,deflate"},
        {"name": "cookie", "value": "TestCookie=Cookie Value"},
    ]
    assert found["request_body"] == b"plain posted data"


@pytest.mark.parametrize(
    ("given", "column", "wanted"),
    [
        (entry({"httpVersion": "h2"}), "http_version", "HTTP/2.0"),
        (entry({"httpVersion": "http/2.0"}), "http_version", "HTTP/2.0"),
        (entry({"httpVersion": "h3-29"}), "http_version", "HTTP/3.0"),
        (entry({"httpVersion": "unknown"}, {"httpVersion": "HTTP/1.1"}), "http_version", "HTTP/1.1"),
        (entry({"httpVersion": ""}), "http_version", None),
        (entry(response={"status": 0}), "status", None),
        (entry(response={"status": 70_000}), "status", None),
        (entry(response={"status": "204"}), "status", 204),
        (entry(time=-1, timings={"send": 1, "wait": 2.5, "receive": -1, "ssl": 9}), "duration_us", 3_500),
        (entry(time=None), "duration_us", None),
        (entry(time=1e300), "duration_us", None),
        (entry(response={"bodySize": -1, "content": {"size": 12}}), "response_bytes", 12),
        (entry(response={"bodySize": 0, "content": {"size": 12}}), "response_bytes", 0),
        (entry(response={"content": {"text": "aGk=", "encoding": "base64"}}), "response_body", b"hi"),
        (entry(response={"content": {"text": "not base64", "encoding": "base64"}}), "response_body", None),
        (_coded("br", brotli.compress(b'{"id":1}')), "response_body", b'{"id":1}'),
        (_coded("gzip", gzip.compress(b'{"id":1}')), "response_body", b'{"id":1}'),
        (_coded("gzip", b'{"id":1}'), "response_body", b'{"id":1}'),
        (_coded("br", b"\xff\xd8\xff"), "response_body", b"\xff\xd8\xff"),
        (entry(response={"content": {"text": "héllo"}}), "response_body", "héllo".encode()),
        (entry(response={"content": {"mimeType": "x-unknown"}}), "response_content_type", None),
        (entry(response={"content": {"mimeType": "image/png"}}), "response_content_type", "image/png"),
        (entry({"postData": {"params": [{"name": "a b", "value": "1&2"}]}}), "request_body", b"a+b=1%262"),
        (entry({"postData": {}}), "request_body", None),
        (entry({"postData": None}), "request_body", None),
        (entry({"url": "wss://example.com/live"}), "protocol", "websocket"),
        (entry(_webSocketMessages=[{"type": "send", "data": "x"}]), "protocol", "websocket"),
        (entry(_webSocketMessages=[]), "protocol", None),
    ],
)
def test_values(given: dict[str, Any], column: str, wanted: object) -> None:
    assert row(har(given)).get(column) == wanted


def test_pseudo_headers_are_no_headers() -> None:
    headers = [{"name": ":authority", "value": "a"}, {"name": "accept", "value": None}]
    assert row(har(entry({"headers": headers})))["request_headers"] == [{"name": "accept", "value": ""}]


@pytest.mark.parametrize(
    "url",
    [
        "data:text/plain,hi",
        "blob:https://a.example/1-2",
        "chrome-extension://abc/x.js",
        "about:blank",
        "file:///etc/x",
    ],
)
def test_what_the_browser_asked_itself_is_passed_over(url: str) -> None:
    parts = read(har(entry({"url": url}), entry()))
    assert positions(parts) == [1]
    assert parts[0].skipped == {"not-http": 1}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (17, "bad-value"),
        (None, "bad-value"),
        ({}, "bad-value"),
        ({"request": {}}, "missing-field"),
        (entry({"url": "nowhere"}), "bad-request"),
        (entry({"url": 5}), "bad-value"),
        (entry({"headers": {"a": "b"}}), "bad-value"),
        (entry(startedDateTime="yesterday"), "bad-time"),
        (entry(response={"content": {"text": ["x"]}}), "bad-value"),
    ],
)
def test_a_wrong_entry_is_kept_aside_by_itself(wrong: object, reason: str) -> None:
    for reader in (Har(), Har(whole=0)):
        parts = read(har(entry(), wrong, entry()), reader)
        assert positions(parts) == [0, 2]
        assert rejects(parts) == [(1, reason)]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"[]", "not-format"),
        (b"hello", "not-format"),
        (b"{}", "missing-field"),
        (b'{"log": {"entries": 1}}', "missing-field"),
        (b'{"log": {"version": "1.2"', "truncated"),
    ],
)
def test_what_is_no_har(document: bytes, reason: str) -> None:
    assert rejects(read(document)) == [(0, reason)]


def test_an_empty_archive() -> None:
    assert read(har()) == []
    assert read(b"  \n") == []


@pytest.mark.parametrize("cut", [1, 30, 100])
def test_a_document_that_breaks_off_yields_its_whole_entries(cut: int) -> None:
    document = b"\xef\xbb\xbf" + har(entry(), entry(), entry())
    broken = document[: document.rindex(b'{"startedDateTime"') + cut]
    parts = read(broken)
    assert positions(parts) == [0, 1]
    assert rejects(parts) == [(2, "truncated")]


def test_bytes_that_are_no_utf8_cost_one_entry() -> None:
    document = har(entry(), entry({"url": "https://a.example/X"}), entry()).replace(b"/X", b"/\xff")
    parts = read(document)
    assert (positions(parts), rejects(parts)) == ([0, 2], [(1, "not-utf8")])


def test_deep_nesting_costs_one_entry() -> None:
    deep = (
        b'{"request":{"method":"GET","url":"http://a.example/"},"_x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    )
    document = har(entry(), "X", entry()).replace(b'"X"', deep)
    parts = read(document)
    assert (positions(parts), rejects(parts)) == ([0, 2], [(1, "not-json")])


def test_a_large_archive_reads_as_a_small_one_does() -> None:
    example = Path(__file__).parent.joinpath("examples", "har.har").read_bytes()
    body = base64.b64encode(bytes(range(256)) * 40).decode()
    large = har(*[entry(response={"content": {"text": body, "encoding": "base64"}}) for _ in range(1200)])
    for document in (example, large):
        whole, streamed = read(document), read(document, Har(whole=1000))
        assert [part.table for part in whole] == [part.table for part in streamed]
        assert [part.skipped for part in whole] == [part.skipped for part in streamed]
    assert [part.accepted for part in read(large)] == [1000, 200]


def test_an_entry_past_the_limit_costs_one_entry() -> None:
    long = entry(response={"content": {"text": "x" * 50_000}})
    parts = read(har(entry(), long, entry()), Har(whole=0, max_entry=10_000))
    assert (positions(parts), rejects(parts)) == ([0, 2], [(1, "too-long")])
    assert len(parts[0].rejects[0].raw) <= 4096
