"""Whose rule counts: the most particular one, in whatever order they were laid down."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.inventory.classification import classify
from wardgate.inventory.codeowners import Codeowners, parse
from wardgate.inventory.covering import Covering, Given
from wardgate.inventory.judging import Judge
from wardgate.inventory.owners import Owners, Rule, Word
from wardgate.inventory.seen import Called
from wardgate.inventory.specifications.form import Contact, Kind, Outline, Outlined

RULES = (
    Rule(1, "@all", service="*"),
    Rule(2, "@shop", service="shop.example"),
    Rule(3, "@orders", service="shop.*", template="/v1/orders*"),
    Rule(4, "@payments", template="/v1/orders/{id}/payments"),
    Rule(5, "@writers", service="shop.example", template="/v1/orders*", method="POST"),
    Rule(6, "@again", service="shop.*", template="/v1/orders*"),
)
OPERATIONS = [
    (("other.example", "GET", "/x"), ["@all"]),
    (("shop.example", "GET", "/x"), ["@shop"]),
    (("shop.example", "GET", "/v1/orders/{orderId}"), ["@again", "@orders"]),
    (("shop.example", "POST", "/v1/orders"), ["@writers"]),
    (("shop.example", "POST", "/v1/orders/{x}/payments"), ["@payments"]),
    (("other.example", "GET", "/v1/orders"), ["@all"]),
]


def called(service: str, method: str, template: str) -> Called:
    return Called(1, service, "http", method, template, None)


@pytest.mark.parametrize(("operation", "expected"), OPERATIONS)
def test_the_most_particular_rule_counts(operation: tuple[str, str, str], expected: list[str]) -> None:
    for rules in list(permutations(RULES))[::97]:
        found = Owners((), rules).of(operation[0], called(*operation))
        assert sorted(one.detail for one in found) == expected
        assert all(one.source.startswith("rule ") for one in found)


def test_rules_for_all_of_a_service_are_its_owners() -> None:
    assert [one.detail for one in Owners((), RULES).of_service("shop.example")] == ["@shop"]
    assert [one.detail for one in Owners((), RULES).of_service("x")] == ["@all"]


def test_layers_of_owners_from_the_strongest_to_none() -> None:
    outline = Outline(
        Kind.OPENAPI_3_0,
        contacts=(Contact("Team Shop"),),
        operations=(Outlined("/a", "GET", owner="@ada, @kim"), Outlined("/b", "GET")),
    )
    code = {"CODEOWNERS": Codeowners("CODEOWNERS", parse(b"/svc/ @svc\n").lines)}
    one = called("s", "GET", "/a")
    words = [Word("Kim", "s", "http", "GET", "/a", None, "Ada", 7)]
    rules = [Rule(1, "@rule", service="s"), Rule(2, None, service="s", code="svc/a.py")]

    def owners(
        operation: Called,
        *,
        words: Sequence[Word] = (),
        rules: Sequence[Rule] = (),
        file: tuple[tuple[str, str], ...] = (),
    ) -> tuple[tuple[str, ...], str]:
        judge = Judge(
            {"s": [Covering(Given("a.yaml", 1, outline, owners=file), "s", "")]}, Owners(words, rules, code)
        )
        found = classify(judge.evidence("s", operation))
        assert judge.owners("s", operation) == found.owners
        return found.owners, found.owned_by[0].source if found.owned_by else ""

    assert owners(one, words=words, rules=rules) == (("Kim",), "Ada")
    assert owners(one, rules=rules) == (("@rule",), "rule 1")
    assert owners(one, rules=rules[1:]) == (("@svc",), "CODEOWNERS:1")
    spec = (("@spec", "CODEOWNERS:4"),)  # who owns the file owns what names no other owner in it
    assert owners(one, file=spec) == (("@ada", "@kim"), "a.yaml")
    assert owners(one, rules=rules[1:], file=spec) == (("@svc",), "CODEOWNERS:1")
    assert owners(called("s", "GET", "/b"), file=spec) == (("@spec",), "CODEOWNERS:4")
    assert owners(one) == (("@ada", "@kim"), "a.yaml")
    assert owners(called("s", "GET", "/b")) == (("Team Shop",), "a.yaml")
    assert owners(called("s", "GET", "/undescribed")) == ((), "")


@given(
    st.lists(st.sampled_from("/ab*"), max_size=8).map("".join),
    st.lists(st.sampled_from("/ab"), max_size=8).map("".join),
)
def test_a_pattern_is_what_its_stars_say(pattern: str, template: str) -> None:
    def fits(pattern: str, text: str) -> bool:  # the plain reading
        if not pattern:
            return not text
        if pattern[0] == "*":
            return any(fits(pattern[1:], text[at:]) for at in range(len(text) + 1))
        return text[:1] == pattern[0] and fits(pattern[1:], text[1:])

    pattern, template = f"/{pattern}", f"/{template}"
    found = Owners((), [Rule(1, "@a", template=pattern)]).of("s", called("s", "GET", template))
    assert bool(found) == fits(pattern, template)
