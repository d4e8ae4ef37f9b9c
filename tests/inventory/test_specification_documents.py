"""Specifications that are broken, hostile or half right: a coded refusal with its place, or a note."""

import json
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.document import DEEPEST, parse
from wardgate.inventory.specifications.form import Specification
from wardgate.inventory.specifications.notes import REASONS, Notes
from wardgate.inventory.specifications.reading import read_content
from wardgate.inventory.specifications.writing import openapi

HEAD = "openapi: 3.0.0\ninfo: {title: t, version: '1'}\n"
LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGED = "a0: &a0 {k0: 1}\n" + "".join(
    f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 10)}]\n  k{n}: 1\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "name", "code", "where"),
    [
        ("{", "a.json", "specification-not-json", "line 1, column 2"),
        ('{"openapi": "3.0.0",\n "paths": {]}', "a.json", "specification-not-json", "line 2, column 12"),
        ('{"a": NaN}', "a.json", "specification-not-json", "a number that JSON has not"),
        ('{"a": ' + "9" * 5000 + "}", "a.json", "specification-not-json", "a number that JSON has not"),
        ("[" * 100_000, "a.json", "specification-too-deep", ""),
        ("[" * (DEEPEST + 5) + "]" * (DEEPEST + 5), "a.json", "specification-too-deep", ""),
        ("openapi: 3.0.0\npaths: [", "a.yaml", "specification-not-yaml", "line 3"),
        ("a: b: c", "a.yaml", "specification-not-yaml", "line 1, column 5"),
        ("? [a]\n: b", "a.yaml", "specification-not-yaml", "a key is not text, line 1"),
        ("a: *nothing", "a.yaml", "specification-not-yaml", "line 1"),
        ("[" * 100_000, "a.yaml", "specification-too-deep", "line 1"),
        ("".join(" " * n + "a:\n" for n in range(3000)), "a.yaml", "specification-too-deep", "line"),
        ("- " * 50_000, "a.yaml", "specification-too-deep", "line 1"),
        (LAUGHS, "a.yaml", "specification-aliases", "line"),
        (MERGED, "a.yaml", "specification-aliases", "line"),
        ("a: &a [*a]", "a.yaml", "specification-aliases", "stands for itself at line 1"),
        ("a: &a\n  b: *a", "a.yaml", "specification-aliases", "stands for itself at line 2"),
        ("\xff", "a.yaml", "specification-not-text", "byte 0"),
        ("openapi: 4.0.0\n", "a.yaml", "specification-version", ""),
        ("swagger: 1.2\n", "a.yaml", "specification-version", ""),
        ("openapi: [3]\n", "a.yaml", "specification-version", ""),
        ("", "a.yaml", "specification-unknown", ""),
        ("null", "a.json", "specification-unknown", ""),
        ("hello", "a.txt", "specification-unknown", ""),
        ('{"a": 1}', "a.json", "specification-unknown", ""),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_code_and_a_place(
    text: str, name: str, code: str, where: str
) -> None:
    started = time.monotonic()
    with pytest.raises(WardgateError) as refused:
        read_content(text.encode("latin-1"), name)
    assert (refused.value.code, refused.value.exit_code) == (code, 2)
    assert where in refused.value.message
    assert time.monotonic() - started < 5


def test_aliases_nested_in_aliases_are_no_way_around_the_depth() -> None:
    nest = DEEPEST - 10
    text = "".join(f"a{n}: &a{n} {'[' * nest}{f'*a{n - 1}' if n else '1'}{']' * nest}\n" for n in range(20))
    with pytest.raises(WardgateError, match="nests deeper"):
        read_content(text.encode(), "a.yaml")


@pytest.mark.parametrize(
    ("paths", "code", "place"),
    [
        ("paths: []", "wrong-type", "#/paths"),
        ("paths: {/a: 7}", "wrong-type", "#/paths/~1a"),
        ("paths: {/a: {get: 7}}", "wrong-type", "#/paths/~1a/get"),
        ("paths: {/a: {fetch: {}}}", "method-unknown", "#/paths/~1a/fetch"),
        ("paths: {/a: {get: {parameters: {}}}}", "wrong-type", "#/paths/~1a/get/parameters"),
        ("paths: {/a: {get: {parameters: [{in: query}]}}}", "wrong-type", "#/paths/~1a/get/parameters/0"),
        (
            "paths: {/a: {get: {parameters: [{in: moon, name: x}]}}}",
            "wrong-type",
            "#/paths/~1a/get/parameters/0/in",
        ),
        (
            "paths: {/a: {get: {parameters: [{in: query, name: x}, {in: query, name: x}]}}}",
            "duplicate-parameter",
            "#/paths/~1a/get/parameters/1",
        ),
        (
            "paths: {/a: {get: {parameters: [{in: path, name: x}]}}}",
            "path-parameter-stray",
            "#/paths/~1a/get/parameters/0",
        ),
        ("paths: {'/a/{x}': {get: {}}}", "path-parameter-undeclared", "#/paths/~1a~1{x}/get"),
        ("paths: {a: {get: {}}}", "path-malformed", "#/paths/a"),
        (
            "paths: {'/a/{x:}': {get: {parameters: [{in: path, name: 'x:'}]}}}",
            "path-malformed",
            "#/paths/~1a~1{x:}",
        ),
        (
            "paths: {/a: {get: {}, additionalOperations: {GET: {}}}}",
            "duplicate-operation",
            "#/paths/~1a/additionalOperations/GET",
        ),
        (
            "paths: {/a: {get: {operationId: x}}, /b: {get: {operationId: x}}}",
            "duplicate-operation-id",
            "#/paths/~1b/get/operationId",
        ),
        ("paths: {/a: {get: {responses: {OK: {}}}}}", "status-malformed", "#/paths/~1a/get/responses/OK"),
        ("paths: {/a: {$ref: 'other.yaml#/x'}}", "reference-remote", "#/paths/~1a/$ref"),
        (
            "paths: {/a: {get: {responses: {'200': {$ref: 'https://127.0.0.1/x'}}}}}",
            "reference-remote",
            "#/paths/~1a/get/responses/200/$ref",
        ),
        ("paths: {/a: {$ref: '#/nowhere'}}", "reference-missing", "#/paths/~1a/$ref"),
        (
            "paths: {/a: {$ref: '#/x-b'}}\nx-b: {$ref: '#/x-c'}\nx-c: {$ref: '#/x-b'}",
            "reference-loop",
            "#/x-c",
        ),
        ("paths: {/a: {get: {callbacks: {done: {}}}}}", "webhook", "#/paths/~1a/get/callbacks/done"),
        ("webhooks: {done: {post: {}}}", "webhook", "#/webhooks/done"),
        ("paths: {/a: {get: {}}, /a: {get: {}}}", "duplicate-key", "line 3"),
        ("paths: {/a: {get: {x: !secret y}}}", "tag-unknown", "line 3"),
        ("paths: {}\n---\npaths: {}", "document-further", "line 4"),
        ("components: {schemas: {A: 3}}", "wrong-type", "#/components/schemas/A"),
        ("components: {schemas: {A: {type: any}}}", "wrong-type", "#/components/schemas/A/type"),
        ("components: {schemas: {A B: {}}}", "schema-renamed", "#/components/schemas/A B"),
        (
            "components: {schemas: {A: {properties: {b: {$ref: '#/components/schemas/A/properties/b'}}}}}",
            "reference-loop",
            "#/components/schemas/A/properties/b/$ref",
        ),
        (
            "components: {securitySchemes: {k: {type: magic}}}",
            "security-unknown",
            "#/components/securitySchemes/k",
        ),
        ("security: [{nobody: []}]", "security-unknown", "#/security/0"),
    ],
)
def test_what_is_left_out_is_said_with_its_place(paths: str, code: str, place: str) -> None:
    found = read_content((HEAD + paths).encode(), "a.yaml")
    assert [(one.code, one.place) for one in found.left_out] == [(code, place)]
    assert found.left_out_total == 1
    assert found.left_out[0].text == REASONS[code]


def test_a_hundred_thousand_paths_are_read_in_seconds() -> None:
    one = {"get": {"responses": {"200": {"description": ""}}, "parameters": [{"name": "q", "in": "query"}]}}
    document = {"openapi": "3.0.0", "paths": {f"/things/{n}/x": one for n in range(100_000)}}
    content = json.dumps(document).encode()
    started = time.process_time()
    found = read_content(content, "a.json")
    assert len(found.operations) == 100_000
    assert time.process_time() - started < 15


def test_references_that_fan_out_cost_a_bounded_effort() -> None:
    """Each level refers ten times to the next, and none is a named schema."""
    levels = {
        f"l{n}": {"properties": {f"p{k}": {"$ref": f"#/x-levels/l{n + 1}"} for k in range(10)}}
        for n in range(18)
    }
    document = {"openapi": "3.1.0", "x-levels": levels, "components": {"schemas": {"A": levels["l0"]}}}
    started = time.process_time()
    found = read_content(json.dumps(document).encode(), "a.json")
    assert found.left_out_total > 0
    assert time.process_time() - started < 15


def test_notes_are_bounded_and_still_counted() -> None:
    found = read_content(
        (HEAD + "paths:\n" + "".join(f"  /a{n}: 7\n" for n in range(400))).encode(), "a.yaml"
    )
    assert (len(found.left_out), found.left_out_total) == (50, 400)


def test_yaml_says_what_json_can_say() -> None:
    text = "no: no\nyes: on\ndate: 2024-01-01\nn: 012\ni: -3\nf: 1.5e3\nt: true\nz: ~\nq: 'true'\n200: {}\n"
    assert parse(text.encode(), Notes(), name="a.yaml") == {
        "no": "no",
        "yes": "on",
        "date": "2024-01-01",
        "n": "012",
        "i": -3,
        "f": 1500.0,
        "t": True,
        "z": None,
        "q": "true",
        "200": {},
    }
    merged = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {z: 4}]}\n"
    assert parse(merged.encode(), Notes(), name="a.yaml") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2, "z": 4},
    }


WORDS = (
    "$ref paths /a get parameters in name schema type properties items allOf responses 200 content "
    "components schemas securitySchemes security servers url variables info contact definitions"
).split()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(("", "get", "/a", "#/paths", "string")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.sampled_from(({"openapi": "3.1.0"}, {"swagger": "2.0"})))
def test_any_values_in_any_place_make_a_specification_with_notes(value: object, head: dict[str, str]) -> None:
    document = {**(value if isinstance(value, dict) else {"paths": value}), **head}
    found = read_content(json.dumps(document).encode(), "a.json")
    assert found.kind.value.startswith("openapi")


def nested(levels: int, inmost: object) -> object:
    for _ in range(levels):
        inmost = {"type": "array", "items": inmost}
    return inmost


def test_depth_put_together_from_parts_is_bounded_and_said() -> None:
    parts = {f"p{n}": nested(70, {"$ref": f"#/x-parts/p{n + 1}"}) for n in range(30)}
    document = {"openapi": "3.1.0", "x-parts": parts, "components": {"schemas": {"A": parts["p0"]}}}
    found = read_content(json.dumps(document).encode(), "a.json")
    assert {one.code for one in found.left_out} == {"too-deep"}
    assert msgspec.json.decode(msgspec.json.encode(found), type=Specification) == found
    assert openapi(found)["components"]["schemas"]["A"]["type"] == "array"


def test_lists_of_lists_in_graphql_are_read_or_refused() -> None:
    for levels in (50, 150, 250, 2000):
        text = "type Query { a: " + "[" * levels + "Int" + "]" * levels + " }"
        try:
            found = read_content(text.encode(), "a.graphql")
        except WardgateError as refused:
            assert refused.code in ("specification-too-deep", "specification-not-graphql")
            assert levels > 50
        else:
            assert msgspec.json.decode(msgspec.json.encode(found), type=Specification) == found
