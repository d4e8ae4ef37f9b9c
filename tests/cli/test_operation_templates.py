"""`wardgate operations why, pin, split, merge, name`: what people settle is in force at once, and stays."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from wardgate.core.clock import system_clock
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs

Run = Callable[..., Any]
"""Runs a command, as the fixture does."""
NAMES = "ada bela chen dara emil fatou goran hana ines jomo kofi lena".split()


def ingest(run: Run, folder: Path, name: str, paths: list[str]) -> None:
    file = folder / f"{name}.jsonl"
    rows = [
        {"ts": "2026-03-01T10:00:00Z", "method": "GET", "url": f"https://api.test{path}", "status": 200}
        for path in paths
    ]
    file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    assert run("ingest", str(file)).code == 0


@pytest.fixture
def members(run: Run, tmp_path: Path) -> Run:
    """A home that took in an API whose identifiers are words."""
    paths = [f"/members/{name}{rest}" for name in NAMES for rest in ("", "/orders")]
    ingest(run, tmp_path, "first", [*paths, "/members/me", "/status", "/state"])
    return run


def shown(run: Run) -> dict[str, dict[str, Any]]:
    return {one["template"]: one for one in run("operations", "--json").json["operations"]}


def test_a_split_a_name_and_a_merge_are_in_force_at_once_and_survive_learning(
    members: Run, tmp_path: Path
) -> None:
    before = shown(members)
    said = members("operations", "split", "/members/{memberId}", "ada", "--by", "Ines", "--json").json
    assert (said["changed"], said["target"], said["paths"]) == (True, "/members/ada", 1)
    members("operations", "name", "/members/{memberId}", "/members/{login}")
    members("operations", "merge", "/state", "/status", "--note", "an old spelling")
    found = shown(members)
    assert found["/members/ada"]["calls"] == 1 and found["/members/ada"]["basis"] == "pinned"
    assert found["/members/{login}"]["calls"] == 11
    assert found["/members/{login}"]["operation_id"] == before["/members/{memberId}"]["operation_id"]
    assert found["/status"]["calls"] == 2 and "/state" not in found
    ingest(members, tmp_path, "second", ["/members/ada", "/members/zoe", "/state", "/members/yara/orders"])
    found = shown(members)
    calls = {template: one["calls"] for template, one in found.items()}
    assert (calls["/members/ada"], calls["/members/{login}"], calls["/status"]) == (2, 12, 3)
    listed = members("operations", "settled", "--json").json["settled"]
    assert (listed[0]["kind"], listed[0]["said_by"]) == ("split", "Ines")
    assert listed[2]["note"] == "an old spelling"
    for kind, *rest in (
        ("split", "/members/{memberId}", "ada"),
        ("name", "/members/{memberId}"),
        ("merge", "/state", "/status"),
    ):
        assert members("operations", kind, *rest, "--undo", "--json").json["in_force"] is False
    calls = {template: one["calls"] for template, one in shown(members).items()}
    assert (calls["/members/{memberId}"], calls["/status"], calls["/state"]) == (14, 1, 2)
    assert members("operations", "settled", "--json").json == {"settled": []}


def test_a_pin_wins_over_what_is_learned(members: Run) -> None:
    said = members("operations", "pin", "/{anything}", "--service", "api.test", "--json").json
    assert said["paths"] == 2
    found = shown(members)
    assert found["/{anything}"]["calls"] == 2 and found["/{anything}"]["uncertain"] is False
    again = members("operations", "pin", "/{anything}", "--service", "api.test", "--json").json
    assert (again["changed"], again["paths"]) == (False, 0)


def test_why_gives_reasons_that_agree_with_the_decision(members: Run) -> None:
    found = members("operations", "why", "/members/bela", "--json").json
    assert (found["template"], found["basis"], found["path"]) == (
        "/members/{memberId}",
        "learned",
        "/members/bela",
    )
    first, second = found["steps"]
    assert (first["segment"], first["is_parameter"], second["is_parameter"]) == ("members", False, True)
    assert second["likely"] > 0.5 and second["siblings"] == 12
    assert all(one["text"] and one["weight"] for step in found["steps"] for one in step["because"])
    by_id = members("operations", "why", found["operation_id"], "--json").json
    assert by_id["template"] == found["template"] and by_id["paths"] == 12
    text = members("operations", "why", "GET /members/{memberId}").out
    assert "learned, " in text and "% sure" in text and "12 paths, 12 calls" in text
    never = members("operations", "why", "/members/nobody-yet/orders").out
    assert "/members/{memberId}/orders" in never and "never called" in never


def test_why_before_anything_was_learned_does_not_speak_of_learning(
    run: Run, home: Path, tmp_path: Path
) -> None:
    opened = open_home(home)
    file = tmp_path / "first.jsonl"
    file.write_bytes(b'{"method": "GET", "url": "https://api.test/members/bela", "status": 200}\n')
    with closing(Lake(embedded_place(opened))) as lake:
        pipeline = Pipeline(lake, load_key(opened.path), system_clock)
        list(Ingest(pipeline, system_clock).run(find_inputs([str(file)]), Reading()))
    text = run("operations", "why", "/members/bela").out
    assert "by its looks alone: nothing was learned yet" in text
    assert "What was learned" not in text
    assert "Nothing was learned of api.test yet. What was sighted says of /members/bela:" in text


def test_former_ids_name_what_the_operation_became(run: Run, tmp_path: Path) -> None:
    ingest(run, tmp_path, "first", ["/shelf/ada/menu", "/status"])
    before = shown(run)["/shelf/ada/menu"]["operation_id"]
    ingest(run, tmp_path, "second", [f"/shelf/{name}/menu" for name in NAMES])
    found = run("operations", "why", before, "--json").json
    assert found["template"] == "/shelf/{shelfId}/menu"
    assert before in found["formerly"] and found["operation_id"] != before


def test_a_specification_settles_what_it_describes(members: Run, tmp_path: Path) -> None:
    description = tmp_path / "api.json"
    described = {"get": {"responses": {"200": {"description": "fine"}}}}
    description.write_text(
        json.dumps(
            {
                "openapi": "3.0.3",
                "info": {"title": "Members", "version": "1"},
                "servers": [{"url": "https://api.test"}],
                "paths": {"/members/lena": described, "/members/{login}": described},
            }
        )
    )
    assert members("spec", "add", str(description)).code == 0
    found = shown(members)
    assert found["/members/lena"]["basis"] == found["/members/{login}"]["basis"] == "described"
    assert (found["/members/lena"]["calls"], found["/members/{login}"]["calls"]) == (1, 12)
    why = members("operations", "why", "/members/lena").out
    assert "as a specification describes it" in why and "api.json" in why
    assert members("spec", "remove", "api.json").code == 0
    assert shown(members)["/members/{memberId}"]["calls"] == 12


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pin", "members"), "template-malformed"),
        (("pin", "/a/{b"), "template-malformed"),
        (("pin", "/a/{b}/{b}"), "template-malformed"),
        (("pin", "/a/x{b}"), "template-malformed"),
        (("pin", "/a?b=c"), "template-malformed"),
        (("pin", "/" + "a/" * 40), "template-malformed"),
        (("pin", "/a/ghp_0123456789abcdefghijABCDEFGHIJ012345"), "template-malformed"),
        (("pin", "/a", "--service", "nobody.test"), "template-service-unknown"),
        (("split", "/status", "ada"), "template-split"),
        (("split", "/members/{memberId}", "a/b"), "template-split"),
        (("split", "/members/{memberId}", "ada", "--parameter", "other"), "template-split"),
        (("merge", "/members/{a}", "/members/{b}"), "template-merge"),
        (("name", "/members/{memberId}", "/members/{a}/orders"), "template-name"),
        (("name", "/status", "/status"), "template-name"),
        (("pin", "/a", "--undo"), "template-word-unknown"),
        (("why", "/nowhere/{id}"), "operation-unknown"),
        (("why", "4"), "operation-unknown"),
    ],
)
def test_nonsense_is_refused_by_name(members: Run, arguments: tuple[str, ...], code: str) -> None:
    done = members("operations", *arguments)
    assert (done.code, done.err.split("]")[0]) == (2, f"[{code}")
    assert "ghp_" not in done.err


def test_a_chain_of_merges_is_refused(members: Run) -> None:
    assert members("operations", "merge", "/state", "/status").code == 0
    done = members("operations", "merge", "/status", "/health")
    assert done.err.startswith("[template-merge]")


def test_a_secret_in_a_note_is_not_kept(members: Run) -> None:
    secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    done = members("operations", "split", "/members/{memberId}", "ada", "--note", f"see {secret}", "--json")
    assert done.json["note"].startswith("see ~")
    assert secret not in done.out + members("operations", "settled").out
    assert secret not in members("operations", "why", "/members/ada").out
