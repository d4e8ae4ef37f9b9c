"""GraphQL: what a call runs, whatever a client calls it and however it sends it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.recognise.protocols.graphql_documents import operations_of

HASH = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"


@pytest.mark.parametrize(
    ("document", "operations"),
    [
        ("{ user { id } }", ("query user",)),
        ("query GetUser($id: ID! = \"x{y\") @live { user(id: $id) { name } }", ("query user",)),
        ("query { b a c }", ("query a b c",)),
        ("{ me: user(id: 1) { id } you: user(id: 2) { id } }", ("query user",)),
        ("{ __typename viewer { id } }", ("query viewer",)),
        ("{ __typename }", ("query __typename",)),
        ("mutation { addItem(input: {sku: \"a)b\", n: {m: [1, {k: 2}]}}) { id } }", ("mutation addItem",)),
        ('subscription S { price(sku: """block \\""" }""") { at } }', ("subscription price",)),
        ("{ ... @skip(if: false) { ... on Q { a(x: 1) { y } } } b { ... on Z { q } } }", ("query a b",)),
        ("# { fake }\n{ # }\n real }", ("query real",)),
        ("{ ...F } fragment F on Query { a { b } ...G } fragment G on Query { c }", ("query a c",)),
        ("{ ...A } fragment A on Query { x ...B } fragment B on Query { y ...A }", ("query x y",)),
        ("{ ... on Query { a } ... @include(if: true) { b } ...Missing }", ("query a b",)),
        ("{ a b c d e f g h i j }", ("query a b c d e f g h (more)",)),
        ("query A { a } query B { b }", ("query a", "query b")),
        ("{ " + "a{" * 60_000 + "b" + "}" * 60_000 + " }", ("query a",)),
        ("{ " + " ".join(f"a{n}: user" for n in range(20_000)) + " }", ("(too large)",)),
        ("{ a(x: " + "[" * 50_000 + "]" * 50_000 + ") }", ("query a",)),
        ("{ a }" + " " * 200_000, ("(too large)",)),
        ("type Query { a: Int }", None),
        ("{ }", None),
        ("{ a", None),
        ("query optimizers", None),
        ("", None),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_document_is_its_type_and_top_level_fields(
    document: str, operations: tuple[str, ...] | None
) -> None:
    assert operations_of(document) == operations


def test_the_operation_that_is_chosen_is_the_one_that_runs() -> None:
    document = "query A { a } mutation B { b }"
    assert operations_of(document, "B") == ("mutation b",)
    assert operations_of(document, "C") == ("query a", "mutation b")


NAME = st.from_regex(r"[a-z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("on", "true", "false", "null") and not name.startswith("__")
)


@given(st.sets(NAME, min_size=1, max_size=8), st.text(alphabet='ab{}()#"\\ \n', max_size=20), st.randoms())
def test_neither_order_nor_arguments_nor_selections_change_it(
    fields: set[str], inside: str, random: Any
) -> None:
    literal = '"' + inside.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    block = '"""' + inside.replace('"', "'").replace("\\", "/") + ' """'
    shuffled = sorted(fields)
    random.shuffle(shuffled)
    document = " ".join(f"x: {name}(q: {literal}, b: {block}) {{ id(x: {literal}) }}" for name in shuffled)
    assert operations_of(f"query N {{ {document} }}") == ("query " + " ".join(sorted(fields)),)


@pytest.mark.parametrize(
    ("row", "operation"),
    [
        ({"request_body": {"query": "{a}", "operationName": "X"}}, "query a"),
        ({"request_body": [{"query": "{b}"}, {"query": "{a}"}, {"query": "{b}"}]}, "[query a, query b]"),
        ({"request_body": [{"query": "{b}"}, {"query": "{b}"}]}, "query b"),
        ({"request_body": b"mutation { a }", "request_content_type": "application/graphql"}, "mutation a"),
        (
            {"request_body": b"query=%7Ba%7D", "request_content_type": "application/x-www-form-urlencoded"},
            "query a",
        ),
        ({"target": f"/graphql?query={quote('query{a}')}&operationName=X", "method": "GET"}, "query a"),
        ({"target": "/graphql", "query": f"query={quote('{a}')}", "method": "GET"}, "query a"),
        (
            {"request_body": {"extensions": {"persistedQuery": {"sha256Hash": HASH}}}},
            "persisted ecf4edb46db4",
        ),
        (
            {
                "target": '/graphql?extensions={"persistedQuery":{"sha256Hash":"' + HASH + '"}}',
                "method": "GET",
            },
            "persisted ecf4edb46db4",
        ),
        ({"request_body": {"documentId": f"sha256:{HASH}", "variables": {}}}, "persisted ecf4edb46db4"),
        ({"request_body": {"doc_id": 4711}}, "persisted 4711"),
        ({"request_body": {"id": "UserQuery", "variables": {}}}, "persisted UserQuery"),
        ({"request_body": b"{broken"}, "(unreadable)"),
        ({"request_body": {"query": "{ a"}}, "(unreadable)"),
        ({"request_body": b'{"query":"{a}","x":"' + b"y" * (1 << 20) + b'"}'}, "(too large)"),
        ({"request_body": b'{"\\u0071uery":"{a}"}', "target": "/elsewhere"}, "query a"),
        ({"request_body": {"query": "query A { a }"}, "target": "/elsewhere"}, "query a"),
        ({}, None),
    ],
)
def test_however_it_is_sent(row: dict[str, Any], operation: str | None, spoken: Callable[..., Any]) -> None:
    assert spoken({"target": "/graphql", **row}) == [("graphql", operation)]


def test_another_name_for_the_same_fields_is_the_same_operation(recognise: Callable[..., Any]) -> None:
    bodies = [
        {"query": f"query N{n} {{ user(id: {n}) {{ id }} }}", "operationName": f"N{n}"} for n in range(99)
    ]
    found = recognise(*({"target": "/graphql", "request_body": one} for one in bodies))
    assert found.paths.num_rows == 1


def test_a_page_at_the_same_path_is_no_graphql(spoken: Callable[..., Any]) -> None:
    page = {"target": "/graphql", "method": "GET", "response_content_type": "text/html"}
    assert spoken(page) == [("http", None)]
