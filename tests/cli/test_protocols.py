"""What a user sees of protocols, files and pages: from files of calls to the listings."""

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

HTML = {"content-type": "text/html; charset=utf-8"}
JSON = {"content-type": "application/json"}
MCP = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_docs"}}
SITE: list[tuple[str, str, int, dict[str, str]]] = [
    ("GET", "/", 200, HTML),
    ("GET", "/app.css", 200, {"content-type": "text/css"}),
    ("GET", "/app.js.map", 200, JSON),
    ("GET", "/sitemap.xml", 200, {"content-type": "application/xml"}),
    ("GET", "/account", 302, {"location": "/login?next=/account"}),
    ("GET", "/settings", 302, {"location": "https://id.example/oauth2/authorize?client_id=x"}),
    ("GET", "/old", 301, {"location": "/new"}),
    ("GET", "/api/v1/me", 302, {"location": "/login"}),
    ("GET", "/orders/all.xml", 200, JSON),
    ("GET", "/report.csv", 200, JSON),
    ("GET", "/both", 200, HTML),
    ("GET", "/both", 200, JSON),
    ("GET", "/broken", 502, HTML),
    ("GET", "/gone", 204, {}),
    ("GET", "/gone", 302, {"location": "/login"}),
    ("POST", "/login", 200, HTML),
    ("PUT", "/files/a.pdf", 200, {}),
]
FILES = {
    "/": "answered with HTML",
    "/app.css": "ends in .css",
    "/app.js.map": "ends in .map",
    "/sitemap.xml": "ends in .xml",
    "/account": "redirects to a login page",
    "/settings": "redirects to a login page",
}


LAYOUT = "[%START_TIME%] %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %GRPC_STATUS_NUMBER%"


def lines(calls: list[dict[str, Any]], path: Path) -> str:
    stamped = [{"ts": f"2026-03-01T10:00:{n % 60:02d}Z", "status": 200, **one} for n, one in enumerate(calls)]
    path.write_text("".join(json.dumps(one) + "\n" for one in stamped))
    return str(path)


def site() -> list[dict[str, Any]]:
    return [
        {
            "method": method,
            "url": f"https://shop.example{path}",
            "status": status,
            "response_headers": headers,
        }
        for method, path, status, headers in SITE
    ]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_files_and_pages_are_apart_each_with_a_reason(run, tmp_path: Path, seed: int) -> None:
    calls = site()
    Random(seed).shuffle(calls)
    for n, part in enumerate((calls[:7], calls[7:])):
        assert run("ingest", lines(part, tmp_path / f"{n}.jsonl")).code == 0
    apart = run("operations", "--static", "--json").json["operations"]
    assert {one["template"]: one["static_reason"] for one in apart} == FILES
    shown = run("operations", "--json").json
    assert not [one for one in shown["operations"] if one["static_reason"] is not None]
    assert shown["static_total"] == len(FILES)
    asked = run("query", "--json", 'select template, static_reason from operations where "static"').json
    assert {tuple(row.values()) for row in asked} == set(FILES.items())
    assert run("operations", "--static").out.count("redirects to a login page") == 2


def test_a_page_that_turns_out_to_be_an_api_comes_back(run, tmp_path: Path) -> None:
    page = {"method": "GET", "url": "https://shop.example/orders", "response_headers": HTML}
    run("ingest", lines([page], tmp_path / "a.jsonl"))
    assert run("operations", "--json").json["total"] == 0
    run("ingest", lines([{**page, "response_headers": JSON}], tmp_path / "b.jsonl"))
    assert [one["template"] for one in run("operations", "--json").json["operations"]] == ["/orders"]


def test_a_page_that_is_described_is_an_api(run, tmp_path: Path) -> None:
    pages = [
        {"method": "GET", "url": f"https://shop.example/{path}", "response_headers": HTML}
        for path in ("terms", "imprint", "files/a.pdf")
    ]
    run("ingest", lines(pages, tmp_path / "a.jsonl"))
    described = tmp_path / "shop.yaml"
    described.write_text(
        "openapi: 3.0.3\ninfo: {title: x, version: '1'}\nservers: [{url: 'https://shop.example'}]\n"
        "paths: {/terms: {get: {responses: {'200': {description: ''}}}},\n"
        "  '/files/{name}.pdf': {get: {responses: {'200': {description: ''}}}}}\n"
    )
    assert run("spec", "add", str(described)).code == 0
    (one,) = run("operations", "--json").json["operations"]
    assert (one["template"], one["standing"]) == ("/terms", "documented")
    assert run("operations", "--static", "--json").json["total"] == 2, "a file is no operation that is unused"


def test_json_that_is_called_html_is_no_page(run, tmp_path: Path) -> None:
    call = {"method": "GET", "url": "/list.php", "response_headers": HTML, "response_body": ' {"a": 1}'}
    run("ingest", lines([call], tmp_path / "a.jsonl"))
    assert run("operations", "--json").json["total"] == 1


def test_operations_are_listed_under_their_names(run, tmp_path: Path) -> None:
    graph = [
        {"query": f"query {name} {{ user(id: {n}) {{ id }} }}", "operationName": name}
        for n, name in enumerate(["GetUser", "GetUser"])
    ]
    calls = [
        *({"method": "POST", "url": "/graphql", "request_body": one} for one in graph),
        {"method": "POST", "url": "/graphql", "request_body": {"query": "{ me }", "operationName": "A"}},
        {"method": "POST", "url": "/graphql", "request_body": {"query": "{ me }", "operationName": "B"}},
        {
            "method": "POST",
            "url": "/mcp",
            "request_body": MCP,
            "request_headers": {"MCP-Protocol-Version": "2025-11-25"},
        },
        {
            "method": "POST",
            "url": "/shop.v1.Orders/Get",
            "request_headers": {"content-type": "application/grpc"},
        },
    ]
    run("ingest", lines(calls, tmp_path / "a.jsonl"))
    found = run("operations", "--json").json["operations"]
    assert {(one["protocol"], one["operation"], one["client_name"], one["calls"]) for one in found} == {
        ("graphql", "query user", "GetUser", 2),
        ("graphql", "query me", None, 2),
        ("mcp", "tools/call search_docs", None, 1),
        ("grpc", "shop.v1.Orders/Get", None, 1),
    }
    assert [one["protocol_versions"] for one in found if one["protocol"] == "mcp"] == [["2025-11-25"]]
    table = " ".join(run("operations").out.split())
    for text in ("/graphql query user (GetUser)", "/graphql query me ", "/mcp tools/call search_docs"):
        assert text in table
    assert table.count("shop.v1.Orders/Get") == 1
    assert run("services", "--json").json["services"][0]["protocols"] == ["graphql", "grpc", "mcp"]
    assert run("operations", "--search", "search_docs", "--json").json["total"] == 1


def test_a_source_that_shows_bodies_and_one_that_does_not_count_a_call_once(run, tmp_path: Path) -> None:
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    outside = {"method": "POST", "url": "https://shop.example/mcp", "request_headers": trace}
    inside = {**outside, "request_body": MCP}
    run("ingest", lines([outside], tmp_path / "edge.jsonl"))
    run("ingest", lines([inside], tmp_path / "application.jsonl"))
    (service,) = run("services", "--json").json["services"]
    assert (service["calls"], service["linked"]) == (1, 1)


def test_lakes_of_an_earlier_version_still_open(run, tmp_path: Path) -> None:
    import duckdb

    from wardgate.core.home import open_home
    from wardgate.lake.engine import ALIAS, embedded_place
    from wardgate.lake.store import Lake

    run("ingest", lines(site()[:3], tmp_path / "a.jsonl"))
    lake = Lake(embedded_place(open_home(tmp_path / "home")))
    with lake.writing() as con:
        con.execute(f"DROP TABLE {ALIAS}.traits")
    with pytest.raises(duckdb.Error):
        lake.rows(f"SELECT * FROM {ALIAS}.traits")
    lake.close()
    assert run("operations", "--json").json["total"] == 1
    assert {one["template"] for one in run("operations", "--static", "--json").json["operations"]} == {
        "/app.css",
        "/app.js.map",
    }


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (
            '{"start_time":"2026-03-01T10:00:00.000Z","method":"POST","path":"/shop.v1.Orders/Get",'
            '"protocol":"HTTP/2","response_code":200,"grpc_status":"PermissionDenied","duration":3,'
            '"bytes_sent":1,"bytes_received":1,"upstream_host":"10.0.0.9:80"}\n',
            ["--format", "envoy-json"],
        ),
        (
            "[2026-03-01T10:00:00.000Z] POST /shop.v1.Orders/Get 200 7\n",
            ["--format", "envoy-text", "--layout", LAYOUT],
        ),
    ],
)  # fmt: skip
def test_what_grpc_says_in_a_gateways_log_is_the_outcome(
    run, tmp_path: Path, text: str, options: list[str]
) -> None:
    (tmp_path / "envoy.log").write_text(text)
    done = run("ingest", str(tmp_path / "envoy.log"), *options)
    assert done.code == 0, done.err
    (one,) = run("operations", "--json").json["operations"]
    assert (one["protocol"], one["operation"], one["status_4xx"]) == ("grpc", "shop.v1.Orders/Get", 1)


DEEP = 100_000
HOSTILE: list[tuple[str, bytes, str | None]] = [
    ("/rpc", b'{"jsonrpc":"2.0","params":' + b"[" * DEEP + b"]" * DEEP + b',"method":"a"}', "(unreadable)"),
    ("/graphql", json.dumps({"query": "{ " + "a {" * DEEP + "b" + " }" * DEEP + "}"}).encode(), "(too large)"),  # noqa: E501
    ("/graphql", json.dumps({"query": "{ a(x: \"" + "y" * 10_000_000 + "\") }"}).encode(), "(too large)"),
    ("/graphql", b'{"query":"{ first }","query":"mutation { second }"}', "mutation second"),
    ("/graphql", json.dumps({"query": "{" + "".join(f" a{n}: me" for n in range(9_000)) + "}"}).encode(),
     "(too large)"),
    ("/graphql", b'{"query":"{...A} fragment A on Q {...B x} fragment B on Q {...A y}"}', "query x y"),
    ("/soap", b"<!DOCTYPE e [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><s:Envelope xmlns:s="
     b"'http://schemas.xmlsoap.org/soap/envelope/'><s:Body>&b;</s:Body></s:Envelope>", "(unreadable)"),
]  # fmt: skip


def test_hostile_bodies_are_calls_like_others(run, tmp_path: Path) -> None:
    """Each is taken in, named for what it is, and costs no more than its length."""
    entries = [
        {
            "startedDateTime": f"2026-03-01T10:00:{n:02d}.000Z",
            "time": 1,
            "request": {
                "method": "POST",
                "url": f"https://shop.example{path}",
                "httpVersion": "HTTP/1.1",
                "headers": [],
                "postData": {"mimeType": "text/plain", "text": body.decode()},
            },
            "response": {"status": 200, "headers": [], "content": {}},
        }
        for n, (path, body, _) in enumerate(HOSTILE)
    ]
    file = tmp_path / "hostile.har"
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    start = time.process_time()
    report = run("ingest", str(file), "--json").json
    assert time.process_time() - start < 10
    assert report["sources"][0]["accepted"] == len(HOSTILE)
    asked = run("query", "--json", "select operation from calls order by started_at_us").json
    assert [one["operation"] for one in asked] == [name for _, _, name in HOSTILE]
