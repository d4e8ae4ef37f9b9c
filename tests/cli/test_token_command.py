"""`wardgate token`: shown once, listed without its text, ended by name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_a_token_is_shown_once_and_only_its_facts_after_that(run: Run, home: Path) -> None:
    made = run("token", "create", "edge", "--expires", "30", "--vantage", "edge", "--team", "web")
    assert made.code == 0
    clear = made.out.strip()
    assert clear.startswith("wg_") and len(clear) == 46
    assert "not shown again" in made.err
    listed = run("token", "list")
    assert "edge" in listed.out and "in force" in listed.out
    (one,) = run("token", "list", "--json").json
    assert (one["name"], one["source"], one["vantage"], one["team"]) == ("edge", "edge", "edge", "web")
    assert one["expires_at"] > one["created_at"]
    everything = listed.out + run("token", "list", "--json").out + run("token", "revoke", "edge").out
    assert clear[3:] not in everything
    assert not [f for f in home.rglob("*") if f.is_file() and clear[3:].encode() in f.read_bytes()]


def test_json_gives_the_token_with_its_facts(run: Run) -> None:
    made = run("token", "create", "ci", "--source", "otel", "--json").json
    assert made["token"].startswith("wg_")
    assert (made["name"], made["source"], made["expires_at"]) == ("ci", "otel", None)
    revoked = run("token", "revoke", "ci", "--json").json
    assert revoked["standing"] == "revoked"


def test_refusals_are_one_line_with_a_code(run: Run) -> None:
    run("token", "create", "edge")
    for arguments, code in (
        (("token", "create", "edge"), "token-name-taken"),
        (("token", "create", "an edge"), "token-name-malformed"),
        (("token", "create", "x", "--source", "a/b"), "token-name-malformed"),
        (("token", "revoke", "nobody"), "token-unknown"),
        (("token", "create", "x", "--expires", "0"), "usage"),
    ):
        refused = run(*arguments)
        assert refused.code == 2
        assert refused.err.startswith(f"[{code}] ") and refused.err.count("\n") == 1
        assert refused.out == ""
