"""Owners in the state: what replaces what, what is the same again, and what ended."""

from pathlib import Path

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.state.owners import OwnerFacts
from wardgate.state.store import open_state


def test_rules_words_and_files_are_kept_replaced_and_ended(tmp_path: Path) -> None:
    state = open_state(open_home(tmp_path))
    facts = OwnerFacts(state, fixed_clock(7))
    rule = facts.add_rule(owner="@a", code=None, service="s", method=None, template=None)
    assert facts.add_rule(owner="@a", code=None, service="s", method=None, template=None) == rule
    other = facts.add_rule(owner=None, code="src", service="s", method="GET", template="/a*")
    assert facts.rules() == [rule, other]
    assert facts.end_rule(rule.id) == rule and facts.rules() == [other]
    with pytest.raises(WardgateError) as unknown:
        facts.end_rule(rule.id)
    assert unknown.value.code == "owner-rule-unknown"

    def say(owner: str | None, method: str | None = "GET") -> bool:
        return facts.say(
            service="s",
            protocol="http",
            method=method,
            template="/a",
            operation=None,
            owner=owner,
            said_by="Kim",
        )

    assert [say("@a"), say("@a"), say("@b"), say("@c", None)] == [True, False, True, True]
    assert [(one.owner, one.method, one.said_by) for one in facts.words()] == [
        ("@b", "GET", "Kim"),
        ("@c", None, "Kim"),
    ]
    assert [say(None), say(None), say(None, None)] == [True, False, True] and facts.words() == []

    def file(digest: str) -> bool:
        return facts.add_file(name="shop/CODEOWNERS", digest=digest, lines=1, content=digest.encode())

    assert [file("a"), file("a"), file("b")] == [True, False, True]
    assert [(one.content, one.added_at_us) for one in facts.files()] == [(b"b", 7)]
    facts.end_file("shop/CODEOWNERS")
    assert facts.files() == []
    with pytest.raises(WardgateError) as unknown:
        facts.end_file("shop/CODEOWNERS")
    assert unknown.value.code == "codeowners-unknown"
    state.close()
