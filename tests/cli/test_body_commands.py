"""What calls carry, from a file to what a person sees, and no value of it anywhere."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
MAIL = "ann.canary@example.org"
STATES = ("open", "paid", "shipped")
CANARIES = (
    "ghp_" + "c4n4ryAbCdEf" * 3,
    "c4n4ry-hunter2!",
    "4111111111111111",
    "+14155552671",
    "536-90-4399",
    MAIL,
    "8c4n4ry7-0000-4000-8000-000000000000",
)


def order(n: int) -> dict[str, Any]:
    return {
        "id": n,
        "state": STATES[n % 3],
        "customer": {"email": f"u{n}.canary@example.org", "firstName": "Canarius", "phone": None},
        "at": "2026-03-01T10:00:00Z",
        **({"note": "free text of canary"} if n % 2 else {}),
    }


def places(secret: str) -> Iterator[dict[str, Any]]:
    """Bodies with a secret at every place that a body has."""
    yield {"value": secret}
    yield {"state": secret, "kind": secret}
    yield {secret: 1}
    yield {"users": {secret: {"state": "open"}}}
    yield {"list": [secret, [secret], {"deep": {secret: [secret]}}]}
    yield {"id": secret, "orderId": secret, "password": secret}


def other_forms(secret: str) -> dict[int, str]:
    """XML and multipart bodies with a secret at every place that they have."""
    part = '--X7\r\nContent-Disposition: form-data; name="{}"; filename="{}"\r\nX-Y: {}\r\n\r\n{}\r\n'
    return {
        3: f"<x>{secret}</x>",
        5: f'<x a="{secret}" password="{secret}"><!-- {secret} --><state>{secret}</state>t {secret}</x>',
        6: f"<x><{secret}>open</{secret}><?p {secret}?><![CDATA[{secret}]]></x>",
        7: f'<!DOCTYPE x [<!ENTITY e "{secret}">]><x>&e;</x>',
        8: part.format("state", "a.txt", "b", secret)
        + part.format(secret, secret, secret, "open")
        + "--X7--",
        9: part.format("meta", "m.json", "b", json.dumps({"state": secret, secret: [secret]})) + "--X7--\r\n",
        10: part.format("a", "b", "c", secret)[:-5],
    }


@pytest.fixture
def called(run: Run, tmp_path: Path) -> Run:
    """A home that saw 30 orders created and listed, and canaries in every place of other calls."""
    calls = [
        {
            "ts": 1_772_360_000_000 + n * 1000,
            "method": "POST",
            "url": f"https://shop.example/v1/orders/{n}",
            "status": 201 if n % 10 else 400,
            "client_ip": "192.0.2.9",
            "request_headers": {"Content-Type": "application/json; charset=utf-8"},
            "request_body": order(n),
            "response_body": {"items": [order(n), order(n + 1)]} if n % 10 else {"error": "bad_order"},
        }
        for n in range(30)
    ]
    for secret in CANARIES:
        for at, body in enumerate(places(secret)):
            raw = json.dumps(body)
            sent = {0: body, 1: raw, 2: f"a={secret}&b[{secret}]=1", 4: raw[:-3], **other_forms(secret)}
            url = f"https://shop.example/v1/canaries/{at}"
            calls += [
                {"method": "PUT", "url": url, "request_body": one, "response_body": one}
                for one in sent.values()
            ]
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in calls))
    assert run("ingest", str(path)).code == 0
    path.unlink()
    return run


def test_operations_say_what_data_they_carry(called: Run) -> None:
    found = called("operations", "--template", "/v1/orders*", "--json").json["operations"]
    assert len(found) == 1
    carried = {one["data_class"]: one for one in found[0]["data_classes"]}
    assert carried["email"]["calls"] == 30
    assert carried["email"]["places"] == ["body:customer.email", "response.body:items[].customer.email"]
    assert carried["person-name"]["calls"] == 30 and "phone" not in carried
    table = called("operations", "--template", "/v1/orders*", env={"COLUMNS": "200"}).out
    assert "email, person-name" in table


@pytest.mark.parametrize(
    ("wanted", "count"),
    [("email", 2), ("national-id", 1), ("national-id.us-ssn", 1), ("*name*", 1), ("health", 0), ("EMAIL", 2)],
)
def test_operations_by_data_class(called: Run, wanted: str, count: int) -> None:
    found = called("operations", "--data-class", wanted, "--json").json
    assert {one["template"].split("/")[2] for one in found["operations"]} <= {"orders", "canaries"}
    assert len({one["template"].split("/")[2] for one in found["operations"]}) == count


def test_the_schema_of_an_operation(called: Run) -> None:
    found = called("operations", "schema", "POST /v1/orders/{id}", "--json").json
    by_body = {(one["direction"], one["status"]): one for one in found["schemas"]}
    assert set(by_body) == {("request", None), ("response", 201), ("response", 400)}
    asked = by_body["request", None]
    assert asked["media_type"] == "application/json" and asked["bodies"] == 30 and not asked["is_cut"]
    schema = asked["schema"]
    assert schema["required"] == ["at", "customer", "id", "state"]
    assert schema["properties"]["state"] == {"type": "string", "enum": sorted(STATES)}
    assert schema["properties"]["at"] == {"type": "string", "format": "date-time"}
    assert schema["properties"]["customer"]["properties"] == {
        "email": {"type": "string", "format": "email"},
        "firstName": {"type": "string"},
        "phone": {"type": "null"},
    }
    assert by_body["response", 400]["schema"]["properties"] == {
        "error": {"type": "string"}
    }  # too few for words
    shown = called("operations", "schema", "POST /v1/orders/{id}").out
    assert "note?  string" in shown and "state  string, one of open, paid, shipped" in shown
    assert "response 201, application/json, 27 bodies" in shown


def test_an_operation_without_bodies_says_so(called: Run, tmp_path: Path) -> None:
    path = tmp_path / "bare.jsonl"
    path.write_text('{"method": "GET", "url": "https://shop.example/v1/bare"}\n')
    assert called("ingest", str(path)).code == 0
    assert "No body with structure was seen" in called("operations", "schema", "GET /v1/bare").out


def test_exports_have_the_schemas_and_a_description_is_compared_with_them(
    called: Run, tmp_path: Path
) -> None:
    document = called("spec", "export", "shop.example").json
    path = next(one for one in document["paths"] if one.startswith("/v1/orders/"))
    said = document["paths"][path]["post"]
    body = said["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["id"] == {"type": "integer"} and "at" in body["required"]
    assert set(said["responses"]) >= {"201", "400"}
    (tmp_path / "shop.yaml").write_text(
        """
openapi: 3.0.3
servers: [{url: 'https://shop.example/v1'}]
paths:
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [id, total]
              properties: {id: {type: string}, state: {type: string}, total: {type: number}}
      responses: {'201': {description: ''}, '400': {description: ''}}
"""
    )
    assert called("spec", "add", str(tmp_path / "shop.yaml")).code == 0
    differences = called("spec", "diff", "--json").json["compared"][0]["differences"]
    told = {(one["drift"], one["place"]) for one in differences}
    assert ("field-type-differs", "request.id") in told
    assert ("field-required-missing", "request.total") in told
    assert ("field-undescribed", "request.customer") in told


def test_views_of_what_calls_carry(called: Run) -> None:
    asked = """SELECT data_class, sum(calls)::INT AS n FROM data_classes
               WHERE place = 'body:customer.email' GROUP BY 1"""
    assert called("query", asked, "--format", "json").json == [{"data_class": "email", "n": 30}]
    asked = "SELECT sum(count)::INT AS n FROM schemas WHERE place = 'state' AND constant = 'open'"
    assert called("query", asked, "--format", "json").json == [{"n": 10}]


def test_identifiers_asked_for_and_returned_are_equal(called: Run) -> None:
    asked = """WITH every AS (SELECT unnest(objects) AS o FROM calls WHERE path LIKE '/v1/orders/%')
               SELECT count(*) AS n FROM every WHERE o.direction = 'returned'
               AND o.value IN (SELECT o.value FROM every WHERE o.direction = 'asked')"""
    assert called("query", asked, "--format", "json").json[0]["n"] > 40
    items = "SELECT DISTINCT item_count AS n FROM calls WHERE status = 201"
    assert called("query", items, "--format", "json").json == [{"n": 2}]


def test_no_value_of_a_body_is_left_anywhere(called: Run, home: Path) -> None:
    shown = [
        called("operations", "--json").out,
        called("spec", "export", "shop.example").out,
        called("query", "SELECT * FROM schemas", "--format", "json").out,
        called("query", "SELECT * FROM calls", "--format", "json").out,
        *(
            called("operations", "schema", one["operation_id"]).out
            for one in called("operations", "--json").json["operations"]
        ),
    ]
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "installation.key"]
    assert len(files) > 3
    for canary in (*CANARIES, "Canarius", "canary@example.org", "free text of canary"):
        assert not [text for text in shown if canary in text], canary
        assert not [path for path in files if canary.encode() in path.read_bytes()], canary
