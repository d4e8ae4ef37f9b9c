"""`wardgate spec`: from a description to the undocumented operations, and out again."""

import csv
import io
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

Run = Callable[..., Any]
SHOP = """
openapi: 3.0.3
info: {title: Shop, version: '1.2', contact: {name: Team Shop, email: shop@example.com}}
servers: [{url: 'https://shop.example/v1'}]
paths:
  /orders: {get: {parameters: [{name: page, in: query, schema: {type: integer}}], responses: {'200': {description: ''}}}}
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {responses: {'200': {description: '', content: {application/json: {
      schema: {$ref: '#/components/schemas/Order'}}}}}}
    delete: {deprecated: true, responses: {'204': {description: ''}}}
  /never: {get: {responses: {'200': {description: ''}}}}
  /broken: 7
components: {schemas: {Order: {type: object, properties: {id: {type: integer}}}}}
"""  # noqa: E501
LINE = '192.0.2.1 - - [01/Mar/2026:10:00:01 +0000] "{}" 200 12 "-" "curl/8.5"\n'
CALLS = (
    "GET /v1/orders?page=1 HTTP/1.1",
    "GET /v1/orders?p%61ge=2&debug=1 HTTP/1.1",
    "GET /v1/orders/4711 HTTP/1.1",
    "DELETE /v1/orders/4712 HTTP/1.1",
    "GET /v1/hidden HTTP/1.1",
    "POST /v1/orders HTTP/1.1",
)


@pytest.fixture
def shop_log(run: Run, tmp_path: Path) -> Path:
    """Calls of `shop.example`, taken in; answers the path of its description."""
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(one) for one in CALLS))
    done = run("ingest", str(log), "--service", "shop.example")
    assert done.code == 0, done.err
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    return file


def test_a_specification_is_taken_in_and_what_was_left_out_is_said(run: Run, shop_log: Path) -> None:
    added = run("spec", "add", str(shop_log))
    assert added.code == 0, added.err
    assert added.out.startswith("shop.yaml: openapi-3.0, 4 operations; 1 thing left out or mended\n")
    assert "#/paths/~1broken" in added.out and "[wrong-type]" in added.out
    again = run("spec", "add", str(shop_log), "--json").json
    assert (again["changed"], again["operations"], again["title"]) == (False, 4, "Shop")
    assert [one["code"] for one in again["notes"]] == ["wrong-type"]
    shop_log.write_text(SHOP.replace("  /never:", "  /ever:"))
    assert run("spec", "add", str(shop_log), "--json").json["changed"] is True
    (only,) = run("spec", "list", "--json").json["specifications"]
    assert (only["name"], only["kind"], only["version"]) == ("shop.yaml", "openapi-3.0", "1.2")
    assert "Shop" in run("spec", "list").out
    assert run("spec", "remove", "shop.yaml").code == 0
    assert run("spec", "list", "--json").json == {"specifications": []}


def test_the_difference_to_what_was_called_is_shown(run: Run, shop_log: Path) -> None:
    run("spec", "add", str(shop_log))
    shown = run("spec", "diff", "--json")
    assert shown.code == 1
    (one,) = shown.json["compared"]
    assert (one["service"], one["base"], one["matched_by"]) == ("shop.example", "/v1", "host")
    differences = {
        (each["drift"], each["method"], each["template"], each["place"]) for each in one["differences"]
    }
    assert {
        ("operation-undescribed", "GET", "/v1/hidden", ""),
        ("operation-undescribed", "POST", "/v1/orders", ""),
    } <= differences
    assert ("operation-uncalled", "GET", "/v1/never", "") in differences
    assert ("parameter-undescribed", "GET", "/v1/orders", "query:debug") in differences
    (deprecated,) = (each for each in differences if each[0] == "operation-deprecated-called")
    assert re.fullmatch(r"/v1/orders/\{\w+\}", deprecated[2])
    assert len(differences) == 5
    text = run("spec", "diff", "shop.yaml")
    assert text.code == 1 and "operation-undescribed" in text.out and "by host" in text.out
    assert "2 operation-undescribed, " in text.out
    only = run("spec", "diff", "--kind", "operation-*", "--json").json["compared"][0]["differences"]
    assert {each["drift"] for each in only} == {each[0] for each in differences if "operation-" in each[0]}
    assert run("spec", "diff", "--kind", "auth-missing").code == 0
    unknown = run("spec", "diff", "--kind", "hunter2")
    assert unknown.code == 2 and unknown.err.startswith("[difference-unknown]")
    assert "operation-uncalled" in unknown.err and "hunter2" not in unknown.err
    assert run("spec", "diff", "--service", "elsewhere", "--json").json == {"compared": []}


def test_the_inventory_leaves_as_openapi_with_its_evidence(run: Run, shop_log: Path) -> None:
    run("spec", "add", str(shop_log))
    document = run("spec", "export", "shop.example").json
    validate(document)
    assert document["openapi"] == "3.1.0"
    standing = {
        f"{method} {path}": one["x-wardgate-standing"]
        for path, item in document["paths"].items()
        for method, one in item.items()
    }
    assert standing == {
        "get /v1/orders": "documented",
        "get /v1/orders/{id}": "documented",
        "delete /v1/orders/{id}": "zombie",
        "get /v1/hidden": "shadow",
        "post /v1/orders": "shadow",
        "get /v1/never": "unused",
    }
    hidden = document["paths"]["/v1/hidden"]["get"]["x-wardgate-evidence"]
    assert [(one["layer"], one["says"], one["source"]) for one in hidden] == [
        ("specification", "covers", "shop.yaml"),
        ("traffic", "exists", "access"),
    ]
    called = run("spec", "export", "shop.example", "--observed", "--json").json
    assert "/v1/never" not in called["paths"]


def test_the_export_can_be_imported_again_and_then_nothing_is_undescribed(
    run: Run, shop_log: Path, tmp_path: Path
) -> None:
    run("spec", "add", str(shop_log))
    ours = tmp_path / "ours.json"
    ours.write_text(run("spec", "export", "shop.example").out)
    run("spec", "remove", "shop.yaml")
    added = run("spec", "add", str(ours), "--json").json
    assert (added["operations"], added["left_out"]) == (6, 0)
    (one,) = run("spec", "diff", "--json").json["compared"]
    assert (one["service"], one["base"]) == ("shop.example", "")
    assert not [each for each in one["differences"] if each["drift"] == "operation-undescribed"]


def test_an_exported_operation_says_when_where_how_often_and_whose(run: Run, shop_log: Path) -> None:
    run("spec", "add", str(shop_log))
    run("owners", "add", "@shop/hidden", "--template", "/v1/hidden")
    paths = run("spec", "export", "shop.example").json["paths"]
    hidden = paths["/v1/hidden"]["get"]
    assert hidden["x-wardgate-reason"] == "called (access), and not in shop.yaml"
    assert (hidden["x-wardgate-owners"], hidden["x-wardgate-sources"]) == (["@shop/hidden"], ["access"])
    assert hidden["x-wardgate-first-seen"] == hidden["x-wardgate-last-seen"] == "2026-03-01T10:00:01.000000Z"
    assert hidden["x-wardgate-calls"] == 1 and 0 <= hidden.get("x-wardgate-confidence", 1) <= 1
    assert ("rule", "owned", "@shop/hidden") in [
        (one["layer"], one["says"], one.get("detail")) for one in hidden["x-wardgate-evidence"]
    ]
    never = paths["/v1/never"]["get"]
    assert never["x-wardgate-owners"] == ["Team Shop"] and "x-wardgate-calls" not in never
    assert run("spec", "export", "shop.example").out == run("spec", "export", "shop.example").out


def test_one_specification_is_shown_with_what_it_describes(run: Run, shop_log: Path) -> None:
    run("spec", "add", str(shop_log))
    found = run("spec", "show", "shop.yaml", "--json").json
    assert (found["name"], found["operations"], found["contacts"]) == ("shop.yaml", 4, ["Team Shop"])
    assert [(one["service"], one["base"], one["matched_by"]) for one in found["services"]] == [
        ("shop.example", "/v1", "host")
    ]
    assert [(one["method"], one["template"], one["deprecated"]) for one in found["described"]] == [
        ("GET", "/never", False),
        ("GET", "/orders", False),
        ("DELETE", "/orders/{id}", True),
        ("GET", "/orders/{id}", False),
    ]
    text = run("spec", "show", "shop.yaml").out
    assert "describes shop.example/v1 (by host)" in text and "contact: Team Shop" in text
    assert "#/paths/~1broken" in text and "not said" in text


def test_the_difference_of_one_operation_may_be_asked_for(run: Run, shop_log: Path) -> None:
    run("spec", "add", str(shop_log))
    shown = run("spec", "diff", "--template", "/v1/orders", "--method", "get", "--json")
    assert shown.code == 1
    (one,) = shown.json["compared"]
    assert [(each["drift"], each["place"]) for each in one["differences"]] == [
        ("parameter-undescribed", "query:debug")
    ]
    assert run("spec", "diff", "--template", "/nowhere*").code == 0


def test_csv_and_json_have_a_row_for_every_operation(run: Run, shop_log: Path) -> None:
    run("spec", "add", str(shop_log))
    rows = list(csv.DictReader(io.StringIO(run("spec", "export", "shop.example", "--format", "csv").out)))
    whole = run("spec", "export", "shop.example", "--format", "json").json["operations"]
    assert len(rows) == len(whole) == 6
    assert {row["owners"] for row in rows} == {"Team Shop", ""}
    run("owners", "add", '=HYPERLINK("https://evil.test")', "--template", "/v1/hidden")
    text = run("spec", "export", "shop.example", "--format", "csv").out
    (risky,) = (row for row in csv.DictReader(io.StringIO(text)) if row["template"] == "/v1/hidden")
    assert risky["owners"].startswith("'=HYPERLINK")
    assert {(row["template"], row["method"]): row["standing"] for row in rows} == {
        (one["template"], one["method"]): one["standing"] for one in whole
    }


def test_a_folder_is_read_file_by_file(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "apis"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.yaml").write_text(SHOP)
    (folder / "b.json").write_text(json.dumps({"swagger": "2.0", "paths": {"/x": {"get": {}}}}))
    (folder / "broken.json").write_text("{")
    (folder / "package.json").write_text("{}")
    (folder / "readme.md").write_text("hello")
    done = run("spec", "add", str(folder))
    assert done.code == 1
    assert "broken.json: [specification-not-json] " in done.err
    names = [one["name"] for one in run("spec", "list", "--json").json["specifications"]]
    assert names == ["b.json", "deep/a.yaml"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "nowhere.yaml"), "input-not-found"),
        (("diff",), "specification-not-there"),
        (("diff", "nobody"), "specification-not-there"),
        (("remove", "nobody"), "specification-not-there"),
        (("show", "nobody"), "specification-not-there"),
        (("export", "nobody"), "service-unknown"),
        (("add", ".", "--name", "x"), "specification-name"),
        (("add", "http://127.0.0.1:9/openapi.json"), "fetch-refused"),
        (("add", "http://me:hunter2@shop.example/"), "fetch-url"),
        (("add", "http://shop.example/", "--allow-network", "inside"), "fetch-network"),
    ],
)
def test_refusals_have_a_code(run: Run, arguments: tuple[str, ...], code: str) -> None:
    refused = run("spec", *arguments)
    assert refused.code == 2
    assert refused.err.startswith(f"[{code}] ") and refused.err.count("\n") == 1


def test_secrets_in_a_description_go_nowhere(run: Run, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        SHOP.replace("https://shop.example", "https://admin:hunter2canary@shop.example").replace(
            "schema: {type: integer}",
            "schema: {type: integer, default: hunter2canary}, example: hunter2canary",
        )
    )
    said = run("spec", "add", str(file), "--json").out + run("spec", "list").out
    said += run("spec", "export", "shop.example").out
    assert "hunter2canary" not in said
    assert not [one for one in home.rglob("*") if one.is_file() and b"hunter2canary" in one.read_bytes()]


def test_a_specification_is_fetched_where_it_is_allowed(run: Run) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/yaml")
            self.end_headers()
            self.wfile.write(SHOP.encode())

        def log_message(self, *given: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/api/openapi?key=hunter2canary"
    added = run("spec", "add", url, "--allow-network", "127.0.0.0/8", "--json")
    server.shutdown()
    assert added.code == 0, added.err
    assert (added.json["name"], added.json["operations"]) == ("127.0.0.1/api/openapi", 4)
    assert "hunter2canary" not in run("spec", "list", "--json").out
