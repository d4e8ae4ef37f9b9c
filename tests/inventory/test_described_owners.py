"""Who a description says answers for an operation, from the nearest place that says so."""

import json

import pytest

from wardgate.inventory.specifications.reading import read_content
from wardgate.inventory.specifications.writing import openapi


@pytest.mark.parametrize(
    ("document", "operation", "item", "tag", "expected"),
    [
        ({}, {}, {}, {}, (None, None)),
        ({}, {"x-owner": "@a"}, {"x-owner": "@b"}, {"x-owner": "@c"}, ("@a", None)),
        ({}, {}, {"x-team": "b"}, {"x-owner": "@c"}, ("b", None)),
        ({}, {}, {}, {"x-owners": ["@c", "@d", "@c"]}, ("@c, @d", None)),
        ({}, {"x-service-owner": {"name": "Kim", "email": "k@example.com"}}, {}, {}, ("Kim", None)),
        ({}, {"x-owners": [{"team": "t"}, 7, ["no"]]}, {}, {}, ("t", None)),
        ({}, {"x-owner": 7}, {}, {}, (None, None)),
        ({}, {"x-owner": "a\x1b[31m"}, {}, {}, (None, None)),
        ({"x-owner": "@all"}, {}, {}, {}, (None, "@all")),
    ],
)
def test_owners(
    document: dict[str, object],
    operation: dict[str, object],
    item: dict[str, object],
    tag: dict[str, object],
    expected: tuple[str | None, str | None],
) -> None:
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1", **document},
        "tags": [{"name": "t", **tag}],
        "paths": {"/a": {**item, "get": {"tags": ["other", "t"], **operation}}},
    }
    found = read_content(json.dumps(whole).encode(), "a.json")
    assert (found.operations[0].owner, found.owner) == expected
    again = read_content(json.dumps(openapi(found)).encode(), "a.json")
    assert (again.operations, again.owner) == (found.operations, found.owner)
