"""`wardgate operations` with specifications: the standing of each operation, and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SHOP = """
openapi: 3.0.3
info: {title: Shop, version: '1', contact: {name: Team Shop}}
servers: [{url: 'https://shop.example/v1'}]
paths:
  /orders: {get: {}, head: {}}
  /orders/{id}: {get: {}, delete: {deprecated: true, x-owner: '@kim, @ada'}}
  /never: {get: {}}
"""
ELSEWHERE = """
openapi: 3.0.3
servers: [{url: 'https://elsewhere.example'}]
paths: {/far: {get: {}}}
"""
LINE = '192.0.2.1 - - [01/Mar/2026:10:00:01 +0000] "{} HTTP/1.1" {} 12 "-" "curl/8.5"\n'
CALLS = (
    ("GET /v1/orders?page=1", 200), ("GET /v1/orders", 200), ("OPTIONS /v1/orders", 204),
    ("GET /v1/orders/4711", 404), ("DELETE /v1/orders/4712", 404), ("GET /v1/hidden", 200),
    ("POST /v1/orders", 403), ("GET /v1/.env", 404), ("GET /v1/style.css", 200),
)  # fmt: skip


@pytest.fixture
def called(run: Run, tmp_path: Path) -> Run:
    """A home that saw `shop.example` and was given its description and another's."""
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(*one) for one in CALLS))
    assert run("ingest", str(log), "--service", "shop.example").code == 0
    for name, text in (("shop.yaml", SHOP), ("far.yaml", ELSEWHERE)):
        (tmp_path / name).write_text(text)
        assert run("spec", "add", str(tmp_path / name)).code == 0
    return run


def standings(found: Any) -> dict[str, str]:
    return {f"{one['method']} {one['template']}": one["standing"] for one in found["operations"]}


def test_without_a_specification_nothing_is_a_shadow(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(LINE.format("GET /v1/orders", 200))
    run("ingest", str(log), "--service", "shop.example")
    (only,) = run("operations", "--json").json["operations"]
    assert (only["standing"], only["owners"]) == ("unknown", [])
    assert only["reason"] == "called (access), and no specification describes its service"


def test_each_operation_has_its_standing(called: Run) -> None:
    found = called("operations", "--json").json
    assert standings(found) == {
        "GET /v1/orders": "documented",
        "OPTIONS /v1/orders": "documented",
        "GET /v1/orders/{id}": "documented",
        "DELETE /v1/orders/{id}": "zombie",
        "GET /v1/hidden": "shadow",
        "POST /v1/orders": "shadow",
        "GET /v1/.env": "unknown",
        "GET /v1/never": "unused",
        "HEAD /v1/orders": "unused",
        "GET /far": "not-observable",
    }
    assert (found["total"], found["never_called"], found["static_total"]) == (10, 3, 1)
    rows = {f"{one['method']} {one['template']}": one for one in found["operations"]}
    assert (
        rows["GET /v1/never"]["operation_id"] is None and rows["GET /far"]["service"] == "elsewhere.example"
    )
    assert rows["GET /v1/.env"]["reason"] == "asked for (access) and never found"
    assert rows["GET /v1/hidden"]["reason"] == "called (access), and not in shop.yaml"
    assert rows["DELETE /v1/orders/{id}"]["owners"] == ["@ada", "@kim"]
    assert rows["GET /v1/orders"]["owners"] == ["Team Shop"]
    assert rows["GET /v1/hidden"]["owners"] == [], "who describes an API does not own what it leaves out"


@pytest.mark.parametrize(
    ("standing", "templates"),
    [
        ("documented", {"GET /v1/orders", "OPTIONS /v1/orders", "GET /v1/orders/{id}"}),
        ("zombie", {"DELETE /v1/orders/{id}"}),
        ("shadow", {"GET /v1/hidden", "POST /v1/orders"}),
        ("unknown", {"GET /v1/.env"}),
        ("unused", {"GET /v1/never", "HEAD /v1/orders"}),
        ("not-observable", {"GET /far"}),
        ("latent", set()),
    ],
)
def test_one_standing_may_be_asked_for(called: Run, standing: str, templates: set[str]) -> None:
    found = called("operations", "--standing", standing, "--json").json
    assert set(standings(found)) == templates and set(standings(found).values()) <= {standing}
    assert found["total"] == len(templates)


@pytest.mark.parametrize(
    ("options", "templates"),
    [
        (("--search", "NEVER"), ["/v1/never"]),
        (("--service", "elsewhere*"), ["/far"]),
        (("--method", "head"), ["/v1/orders"]),
        (("--template", "/v1/n*"), ["/v1/never"]),
        (("--standing", "unused", "--since", "1h"), ["/v1/never", "/v1/orders"]),
        (("--search", "never", "--since", "1h"), []),
        (("--search", "never", "--min-calls", "1"), []),
        (("--search", "never", "--static"), []),
    ],
)
def test_filters_hold_for_what_was_never_called(
    called: Run, options: tuple[str, ...], templates: list[str]
) -> None:
    found = called("operations", *options, "--json").json
    assert [one["template"] for one in found["operations"]] == templates


def test_pages_end_with_what_was_never_called(called: Run) -> None:
    whole = [one["template"] for one in called("operations", "--json").json["operations"]]
    assert whole[-3:] == ["/far", "/v1/never", "/v1/orders"]
    for limit in range(1, 12):
        found = called("operations", "--json", "--limit", str(limit)).json
        assert [one["template"] for one in found["operations"]] == whole[:limit] and found["total"] == 10


def test_the_table_shows_standings(called: Run) -> None:
    text = called("operations").out
    assert "zombie" in text and "Team Shop" in text and "not-observable" in text
    assert called("operations", "--standing", "nonsense").code == 2


def test_why_shows_the_evidence_of_every_layer(called: Run) -> None:
    hidden = called("operations", "why", "GET /v1/hidden", "--json").json
    assert (hidden["standing"], hidden["owners"]) == ("shadow", [])
    assert [(one["layer"], one["says"], one["source"]) for one in hidden["evidence"]] == [
        ("specification", "covers", "shop.yaml"),
        ("traffic", "exists", "access"),
    ]
    first = hidden["evidence"][1]["first_seen_us"]
    assert first == hidden["evidence"][1]["last_seen_us"] == 1_772_359_201_000_000
    assert [(one["specification"], one["drift"]) for one in hidden["differences"]] == [
        ("shop.yaml", "operation-undescribed")
    ]
    text = called("operations", "why", "DELETE /v1/orders/{id}").out
    assert "Standing: zombie: still called (access), and deprecated in shop.yaml" in text
    assert "Owner: @ada, @kim" in text and "specification: owned by @kim (shop.yaml" in text
    assert "differs from shop.yaml: operation-deprecated-called" in text
    never = called("operations", "why", "GET /v1/never", "--json").json
    assert (never["standing"], never["operation_id"], never["steps"]) == ("unused", None, [])
    assert "traffic: in-sight (access" in called("operations", "why", "GET /v1/never").out
    assert called("operations", "why", "/v1/style.css", "--json").json["standing"] is None
