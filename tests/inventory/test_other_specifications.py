"""GraphQL schemas, Postman collections and .proto files become the same form."""

import json

import pytest
from graphql import build_schema, introspection_from_schema

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.form import Operation, Place, Specification
from wardgate.inventory.specifications.reading import read_content

SDL = """
schema { query: Root }
type Root { user(id: ID!, first: Int): User, orders: [Order!]! @deprecated(reason: "no") }
extend type Root { me: User }
type Mutation { pay(input: Payment!): Boolean! }
type User { id: ID!, orders: [Order!], best: Thing }
type Order { total: Float, state: State }
union Thing = User | Order
enum State { OPEN PAID }
input Payment { card: String! }
scalar Date
"""
PROTO = """
syntax = "proto3";
package shop.v1;
import "google/api/annotations.proto";
message GetOrder { string order_id = 1; }
message Order {
  message Line { int64 unit_price = 1; }
  repeated Line lines = 1; map<string, int32> tags = 2; State state = 3; oneof by { bool card = 4; }
}
enum State { OPEN = 0; PAID = 1; }
service Orders {
  rpc Get(GetOrder) returns (Order) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*/orders/*}"
      additional_bindings { post: "/v1/orders:find" body: "*" }
      additional_bindings { custom: { kind: "FETCH" path: "/v1/orders/{order_id}" } }
    };
  }
  rpc Watch(stream other.v1.Ask) returns (stream Order) { option deprecated = true; }
}
"""
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
POSTMAN = {
    "info": {
        "name": "Shop",
        "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
    },
    "variable": [{"key": "baseUrl", "value": "https://shop.example/api"}, {"key": "token", "value": TOKEN}],
    "auth": {"type": "bearer", "bearer": [{"key": "token", "value": TOKEN}]},
    "item": [
        {
            "name": "orders",
            "item": [
                {
                    "name": "one",
                    "request": {
                        "method": "GET",
                        "header": [
                            {"key": "X-Tenant", "value": TOKEN},
                            {"key": "Authorization", "value": TOKEN},
                        ],
                        "url": {
                            "raw": "{{baseUrl}}/orders/:orderId?full=1",
                            "query": [{"key": "full", "value": "1"}, {"key": "off", "value": TOKEN}],
                        },
                    },
                    "response": [{"code": 200, "body": TOKEN}, {"code": 404}],
                },
                {
                    "request": {
                        "method": "POST",
                        "auth": {"type": "apikey", "apikey": [{"key": "key", "value": "X-Key"}]},
                        "url": "{{baseUrl}}/orders/4711/lines/{{line}}",
                        "body": {"mode": "urlencoded", "urlencoded": [{"key": "sku", "value": TOKEN}]},
                    }
                },
            ],
        },
        {
            "request": {
                "method": "GET",
                "auth": {"type": "noauth"},
                "url": f"https://u:{TOKEN}@other.test/{TOKEN}",
            }
        },
        {"request": "https://shop.example/api/ping"},
        {"request": 7},
        7,
    ],
}


def by_key(found: Specification) -> dict[str, Operation]:
    return {one.name or f"{one.method} {one.template}": one for one in found.operations}


@pytest.mark.parametrize("form", ["sdl", "introspection", "data"])
def test_every_field_of_a_graphql_root_is_an_operation(form: str) -> None:
    if form == "sdl":
        found = read_content(SDL.encode(), "shop.graphql")
    else:
        answer: object = introspection_from_schema(
            build_schema(SDL.replace("query: Root", "query: Root, mutation: Mutation"))
        )
        answer = {"data": answer} if form == "data" else answer
        found = read_content(json.dumps(answer).encode(), "answer.json")
    operations = by_key(found)
    assert list(operations) == ["Mutation.pay", "Query.me", "Query.orders", "Query.user"]
    assert {one.protocol for one in found.operations} == {"graphql"}
    assert [name for name, one in operations.items() if one.deprecated] == ["Query.orders"]
    request = operations["Query.user"].request
    assert request is not None and request.bodies[0].shape.required == ("id",)
    assert operations["Query.user"].responses[0].bodies[0].shape.ref == "User"
    assert {"User", "Order", "Thing", "State", "Payment"} <= set(found.schemas)
    assert found.schemas["State"].values == ("OPEN", "PAID")
    assert found.schemas["User"].fields["orders"].items is not None


def test_every_method_of_a_proto_service_is_an_operation_and_so_are_its_paths() -> None:
    found = read_content(PROTO.encode(), "shop.proto")
    operations = by_key(found)
    assert sorted(operations) == [
        "FETCH /v1/orders/{order_id}",
        "GET /v1/shelves/{name}/orders/{name2}",
        "POST /v1/orders:find",
        "shop.v1.Orders/Get",
        "shop.v1.Orders/Watch",
    ]
    watch = operations["shop.v1.Orders/Watch"]
    assert (watch.protocol, watch.method, watch.template, watch.deprecated) == (
        "grpc",
        "POST",
        "/shop.v1.Orders/Watch",
        True,
    )
    assert watch.request is not None and watch.request.bodies[0].shape.ref == "other.v1.Ask"
    order = found.schemas["shop.v1.Order"]
    assert order.fields["lines"].items is not None
    assert order.fields["lines"].items.ref == "shop.v1.Order.Line"
    assert order.fields["state"].ref == "shop.v1.State"
    assert set(order.fields) == {"lines", "tags", "state", "card"}
    assert found.schemas["shop.v1.Order.Line"].fields["unitPrice"].types == ("string",)


def test_requests_of_a_postman_collection_are_operations_without_their_values() -> None:
    found = read_content(json.dumps(POSTMAN).encode(), "shop.json")
    operations = by_key(found)
    assert sorted(operations) == [
        "GET /api/orders/{orderId}",
        "GET /api/ping",
        "GET /{id}",
        "POST /api/orders/{id}/lines/{line}",
    ]
    one = next(each for name, each in operations.items() if name.endswith("{orderId}"))
    assert [(each.place, each.name) for each in one.parameters] == [
        (Place.HEADER, "X-Tenant"),
        (Place.PATH, "orderId"),
        (Place.QUERY, "full"),
        (Place.QUERY, "off"),
    ]
    assert [each.status for each in one.responses] == ["200", "404"]
    assert one.security is not None and one.security[0][0].scheme == "bearer"
    assert operations["GET /{id}"].security == ()
    assert [each.url for each in found.servers] == ["https://shop.example", "https://other.test"]
    assert [each.code for each in found.left_out] == ["postman-malformed", "postman-malformed"]
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("text", "name", "code", "where"),
    [
        ("type Query { a: }", "a.graphql", "specification-not-graphql", "line 1, column 17"),
        ("", "a.graphql", "specification-not-graphql", ""),
        ("scalar", "a.gql", "specification-not-graphql", "line 1"),
        ("type Query { a: " + "[" * 100_000, "a.graphql", "specification-", ""),
        ('{"__schema": {"types": 7}}', "a.json", "specification-not-graphql", ""),
        ('{"__schema": {}}', "a.json", "specification-not-graphql", ""),
        ("message {", "a.proto", "specification-not-proto", "line 1, column 9"),
        ("\n\nhello world", "a.proto", "specification-not-proto", "line 3, column 1"),
        ("", "a.proto", "specification-not-proto", ""),
        ("message A {" * 500 + "}" * 500, "a.proto", "specification-too-deep", "line 1"),
        ("/" * 3_000_000, "a.proto", "specification-too-large", ""),
        ("\x00\x01", "a.proto", "specification-not-proto", "line 1"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_code_and_a_place(
    text: str, name: str, code: str, where: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WardgateError) as refused:
        read_content(text.encode(), name)
    assert refused.value.code.startswith(code)
    assert where in refused.value.message
    assert capfd.readouterr() == ("", "")


def test_a_schema_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.inventory.specifications.graphql_schema.MOST_TOKENS", 1000)
    with pytest.raises(WardgateError, match="more than 1,000 tokens"):
        read_content(("type Query {" + "a: Int " * 400 + "}").encode(), "a.graphql")


def test_a_known_secret_in_a_path_or_a_server_is_taken_out() -> None:
    paths = f"paths: {{/hooks/{TOKEN}: {{get: {{}}}}}}"
    text = f"openapi: 3.0.0\nservers: [{{url: 'https://a.test/{TOKEN}'}}]\n{paths}"
    found = read_content(text.encode(), "a.yaml")
    assert len(found.operations) == 1
    assert TOKEN not in repr(found)


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_both_forms_of_collections_say_where_their_key_goes(version: str) -> None:
    facts = {"key": "X-Shop-Key", "in": "query", "value": "hunter2canary"}
    listed = [{"key": name, "value": value} for name, value in facts.items()]
    collection = {
        "info": {
            "name": "Shop",
            "schema": f"https://schema.getpostman.com/json/collection/v{version}.0/collection.json",
        },
        "auth": {"type": "apikey", "apikey": facts if version == "2.0" else listed},
        "item": [
            {
                "request": {
                    "url": {
                        "protocol": "https",
                        "host": ["shop", "example"],
                        "path": ["v1", ":id", {"value": "x"}],
                    }
                }
            }
        ],
    }
    found = read_content(json.dumps(collection).encode(), "a.json")
    assert found.kind.value == f"postman-{version}"
    assert [(one.method, one.template) for one in found.operations] == [("GET", "/v1/{id}/x")]
    assert found.servers[0].url == "https://shop.example"
    assert (found.schemes["apikey"].name, str(found.schemes["apikey"].place)) == ("X-Shop-Key", "query")
    assert "hunter2canary" not in repr(found)
