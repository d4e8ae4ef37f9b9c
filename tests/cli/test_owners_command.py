"""`wardgate owners` and `operations own`: from what is there to an owner, and to what nobody owns."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SPEC = """
openapi: 3.0.3
info: {title: Shop, version: '1', contact: {name: Team Shop}}
servers: [{url: 'https://shop.example'}]
paths: {/orders: {get: {}}, /never: {get: {}}}
"""
LINE = '192.0.2.1 - - [01/Mar/2026:10:00:01 +0000] "{} HTTP/1.1" 200 12 "-" "curl/8.5"\n'
CALLS = ("GET /orders", "POST /orders", "GET /partner/feed", "GET /hidden")


@pytest.fixture
def repository(run: Run, tmp_path: Path) -> Path:
    """A repository with a description and CODEOWNERS; the home has seen its service."""
    log = tmp_path / "access.log"
    log.write_text("".join(LINE.format(one) for one in CALLS))
    assert run("ingest", str(log), "--service", "shop.example").code == 0
    folder = tmp_path / "shop"
    (folder / ".github").mkdir(parents=True)
    (folder / "api").mkdir()
    (folder / "api" / "shop.yaml").write_text(SPEC)
    (folder / ".github" / "CODEOWNERS").write_text(
        "# hunter2canary\n/api/ @shop/api\n/src/partner/ @shop/partners\n"
    )
    return folder


def owners(run: Run, *options: str) -> dict[str, list[str]]:
    found = run("operations", *options, "--json").json["operations"]
    return {f"{one['method']} {one['template']}": one["owners"] for one in found}


def test_the_codeowners_beside_a_description_count_and_then_rules_and_people(
    run: Run, repository: Path
) -> None:
    assert run("spec", "add", str(repository / "api" / "shop.yaml")).code == 0
    assert owners(run) == {
        "GET /orders": ["@shop/api"],
        "POST /orders": [],
        "GET /partner/feed": [],
        "GET /hidden": [],
        "GET /never": ["@shop/api"],
    }
    taken = run("owners", "codeowners", str(repository))
    assert taken.out == "shop/CODEOWNERS: 2 lines that name owners\n"
    assert run("owners", "add", "--code", "src/partner/feed.py", "--template", "/partner/*").code == 0
    assert run("owners", "add", "@shop/orders", "--service", "shop.*", "--template", "/orders").code == 0
    assert run("operations", "own", "get /never", "Kim").out == "GET /never is owned by Kim.\n"
    hidden = next(
        one for one in run("operations", "--json").json["operations"] if one["template"] == "/hidden"
    )
    assert (
        run("operations", "own", hidden["operation_id"], "Ada", "--by", "Kim", "--json").json["owner"]
        == "Ada"
    )
    assert owners(run) == {
        "GET /orders": ["@shop/orders"],
        "POST /orders": ["@shop/orders"],
        "GET /partner/feed": ["@shop/partners"],
        "GET /hidden": ["Ada"],
        "GET /never": ["Kim"],
    }
    assert set(owners(run, "--owner", "@shop/orders")) == {"GET /orders", "POST /orders"}
    assert owners(run, "--owner", "none") == {}
    listed = run("owners", "list", "--json").json
    assert [one["owner"] for one in listed["rules"]] == [None, "@shop/orders"]
    assert [(one["owner"], one["said_by"]) for one in listed["operations"]][1] == ("Ada", "Kim")
    assert "Ada, says Kim" in run("owners", "list").out

    assert run("operations", "own", "GET /hidden", "--undo").code == 0
    assert run("owners", "remove", "2").code == 0
    assert run("owners", "remove", "shop/CODEOWNERS").code == 0
    assert set(owners(run, "--owner", "none")) == {"POST /orders", "GET /partner/feed", "GET /hidden"}
    (service,) = run("services", "--json").json["services"]
    assert (service["unowned"], service["owners"]) == (3, ["@shop/api"])
    assert service["standings"] == {"documented": 1, "shadow": 3, "unused": 1}
    assert "shadow" in run("services").out


def test_a_codeowners_that_changed_is_seen_when_its_description_is_added_again(
    run: Run, repository: Path
) -> None:
    file = str(repository / "api" / "shop.yaml")
    run("spec", "add", file)
    (repository / ".github" / "CODEOWNERS").write_text("* @shop/new\n")
    assert run("spec", "add", file, "--json").json["changed"] is True
    assert owners(run)["GET /orders"] == ["@shop/new"]


def test_what_is_in_a_comment_goes_nowhere(run: Run, repository: Path, home: Path) -> None:
    run("owners", "codeowners", str(repository))
    run("spec", "add", str(repository / "api" / "shop.yaml"))
    run("owners", "add", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "--service", "x")
    for canary in (b"hunter2canary", b"ghp_16C7e42F292c6912E7710c838347Ae178B4a"):
        assert not [one for one in home.rglob("*") if one.is_file() and canary in one.read_bytes()]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("owners", "add", "@a"), "owner-rule-malformed"),
        (("owners", "add", "--service", "x"), "owner-rule-malformed"),
        (("owners", "add", "@a", "--code", "x", "--service", "x"), "owner-rule-malformed"),
        (("owners", "add", "@a", "--template", "orders"), "owner-rule-malformed"),
        (("owners", "add", "none", "--service", "x"), "owner-malformed"),
        (("owners", "add", "a\x1b[31m", "--service", "x"), "owner-malformed"),
        (("owners", "add", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "--service", "x"), "owner-malformed"),
        (("owners", "remove", "7"), "owner-rule-unknown"),
        (("owners", "remove", "nothing"), "codeowners-unknown"),
        (("owners", "codeowners", "nowhere"), "input-not-found"),
        (("operations", "own", "GET /nowhere", "@a"), "operation-unknown"),
        (("operations", "own", "4711", "@a"), "operation-unknown"),
        (("operations", "own", "/orders", "@a"), "operation-ambiguous"),
        (("operations", "own", "GET /orders"), "usage"),
        (("operations", "own", "GET /orders", "@a", "--undo"), "usage"),
    ],
)
def test_refusals_have_a_code(run: Run, repository: Path, arguments: tuple[str, ...], code: str) -> None:
    refused = run(*arguments)
    assert refused.code == 2
    assert refused.err.startswith(f"[{code}] ") and refused.err.count("\n") == 1


def test_an_operations_own_owner_counts_over_the_codeowners_of_its_file(run: Run, repository: Path) -> None:
    """CODEOWNERS speak for the file; a rule that points to code speaks for the operation."""
    described = SPEC.replace("{get: {}}, /never", "{get: {x-owner: '@own'}}, /never")
    described = described.replace("version: '1'", "version: '1', x-owner: '@all'")
    (repository / "api" / "shop.yaml").write_text(described)
    assert run("spec", "add", str(repository / "api" / "shop.yaml")).code == 0
    assert owners(run)["GET /orders"] == ["@own"]
    assert owners(run)["GET /never"] == ["@shop/api"]  # over the document's own
    assert "owned by @own" in run("operations", "why", "GET /orders").out
    assert run("owners", "codeowners", str(repository)).code == 0
    assert run("owners", "add", "--code", "src/partner/x.py", "--template", "/orders").code == 0
    assert owners(run)["GET /orders"] == ["@shop/partners"]
    assert run("owners", "add", "@rule", "--template", "/orders").code == 0
    assert owners(run)["GET /orders"] == ["@rule"]


def test_rules_of_the_configuration(run: Run, repository: Path, home: Path) -> None:
    config = home / "wardgate.toml"
    config.write_text(
        "[[owners.rules]]\nowner = '@shop/orders'\nservice = 'shop.*'\ntemplate = '/orders'\n"
        "[[owners.rules]]\ncode = 'src/partner/'\ntemplate = '/partner/*'\n"
        "[[owners.rules]]\nowner = '@hidden'\ntemplate = '/hidden'\nmethod = 'post'\n"
    )
    assert run("owners", "codeowners", str(repository)).code == 0
    assert owners(run) == {
        "GET /orders": ["@shop/orders"],
        "POST /orders": ["@shop/orders"],
        "GET /partner/feed": ["@shop/partners"],
        "GET /hidden": [],
    }
    why = run("operations", "why", "POST /orders").out
    assert "owned by @shop/orders ([[owners.rules]] 1 of the configuration" in why
    assert run("services", "--json").json["services"][0]["unowned"] == 1
    assert run("owners", "add", "@shop/too", "--service", "shop.*", "--template", "/orders").code == 0
    assert owners(run)["GET /orders"] == ["@shop/orders", "@shop/too"]  # as particular as one another
    listed = run("owners", "list")
    assert "configured" in listed.out and "@hidden" in listed.out
    assert run("owners", "list", "--json").json["configured"][0]["owner"] == "@shop/orders"
    exported = run("spec", "export", "shop.example", "--format", "csv").out
    assert "@shop/partners" in exported


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("owner = '@a'", "config-bad-value"),
        ("service = 'a'", "config-bad-value"),
        ("owner = '@a'\ncode = 'x'\nservice = 'a'", "config-bad-value"),
        ("owner = '@a'\ntemplate = 'orders'", "config-bad-value"),
        ("owner = '@a'\nhost = 'a'", "config-unknown-key"),
        ("owner = 'none'\nservice = 'a'", "owner-malformed"),
        ("owner = 7\nservice = 'a'", "config-wrong-type"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(
    run: Run, repository: Path, home: Path, text: str, code: str
) -> None:
    (home / "wardgate.toml").write_text(f"[[owners.rules]]\n{text}\n")
    done = run("operations")
    assert done.code == 2 and done.err.startswith(f"[{code}]"), done.err
