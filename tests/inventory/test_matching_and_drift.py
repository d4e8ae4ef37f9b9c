"""Which service a specification describes, and where the two part, down to parameters, auth and fields."""

import pytest

from wardgate.inventory.drift import Difference, Drift, drift
from wardgate.inventory.matching import Described, described_services, places
from wardgate.inventory.observed import Observed
from wardgate.inventory.seen import Seen
from wardgate.inventory.specifications.form import Server, Shape, Specification, Variable
from wardgate.inventory.specifications.reading import read_content


def spec(text: str) -> Specification:
    return read_content(f"openapi: 3.0.3\n{text}".encode(), "a.yaml")


SHOP = spec("""
servers: [{url: 'https://{tenant}.shop.example/{version}', variables: {
  tenant: {default: eu}, version: {default: v1, enum: [v1, v2]}}}]
paths:
  /orders:
    get: {parameters: [{name: page, in: query}, {name: q, in: query, required: true}],
          responses: {'200': {description: ''}}}
    post: {security: [{key: []}], responses: {default: {description: ''}}}
  /orders/{id}:
    get: {security: [], responses: {'200': {description: '', content: {application/json: {
          schema: {$ref: '#/components/schemas/Order'}}}}}}
    delete: {deprecated: true}
  /orders/mine: {get: {}}
  /files/{name}.pdf: {get: {}}
components:
  securitySchemes: {key: {type: apiKey, in: query, name: api_key}}
  schemas:
    Order: {allOf: [{$ref: '#/components/schemas/Base'}, {type: object, required: [total],
      properties: {total: {type: number}, lines: {type: array, items: {$ref: '#/components/schemas/Line'}}}}]}
    Base: {type: object, required: [id], properties: {id: {type: integer}}}
    Line: {type: object, properties: {sku: {type: string}, order: {$ref: '#/components/schemas/Order'}}}
""")


def seen(method: str | None, template: str, **more: object) -> Observed:
    return Observed("eu.shop.example", method, template, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("servers", "hosts", "bases"),
    [
        ([Server("https://api.example.com/v1/")], ["api.example.com"], ["/v1"]),
        ([Server("https://api.example.com:443")], ["api.example.com"], [""]),
        ([Server("http://api.example.com:8080/x")], ["api.example.com:8080"], ["/x"]),
        ([Server("//api.example.com/x")], ["api.example.com"], ["/x"]),
        ([Server("/v1")], [], ["/v1"]),
        ([Server("v1/")], [], ["/v1"]),
        ([Server("https://{r}.example.com", (Variable("r", "eu", ("eu", "us")),))],
         ["eu.example.com", "us.example.com"], [""]),
        ([Server("https://{r}.example.com", (Variable("r", "eu"),))], ["anything.example.com"], [""]),
        ([Server("https://{r}.example.com")], ["anything.example.com"], [""]),
        ([Server("http://[broken")], [], [""]),
    ],
)  # fmt: skip
def test_servers_stand_for_hosts_and_base_paths(
    servers: list[Server], hosts: list[str], bases: list[str]
) -> None:
    found = places(servers)
    for host in hosts:
        assert any(one.host is not None and one.host.match(host) for one in found)
    assert not any(one.host is not None and one.host.match("other.test") for one in found)
    assert list(dict.fromkeys(one.base for one in found)) == bases


def test_variables_with_thousands_of_combinations_are_bounded() -> None:
    many = tuple(Variable(f"v{n}", "", tuple(map(str, range(1000)))) for n in range(9))
    assert len(places([Server("https://x.test/" + "".join(f"{{v{n}}}" for n in range(9)), many)])) <= 200


ORDERS = [seen("GET", "/v2/orders"), seen("POST", "/v2/orders"), seen("GET", "/v2/orders/{orderId}")]
BARE = [seen("GET", "/orders"), seen("POST", "/orders"), seen("GET", "/orders/{orderId}")]


@pytest.mark.parametrize(
    ("observed", "named", "expected"),
    [
        (
            {"eu.shop.example": ORDERS, "other.test": ORDERS},
            None,
            [("eu.shop.example", "/v2", "host")],
        ),
        ({"us.shop.example": []}, None, [("us.shop.example", "/v1", "host-variable")]),
        ({"orders-service:8080": BARE}, None, [("orders-service:8080", "", "templates")]),
        ({"orders-service:8080": BARE[:2]}, None, []),
        ({"x": [*BARE, *(seen("GET", f"/p{n}") for n in range(9))]}, None, []),
        ({"x": BARE}, "x", [("x", "", "named")]),
        ({}, "y", [("y", "/v1", "named")]),
    ],
)
def test_a_specification_finds_its_service(
    observed: dict[str, list[Observed]], named: str | None, expected: list[tuple[str, str, str]]
) -> None:
    found = described_services(SHOP, Seen(observed), named)
    assert [(one.service, one.base, one.why) for one in found] == expected


def differing(*observed: Observed, base: str = "") -> list[tuple[str, str | None, str, str]]:
    found = drift(SHOP, base, observed)
    return [(one.drift.value, one.method, one.template, one.place) for one in found]


def uncalled(*but: tuple[str, str]) -> set[tuple[str, str | None, str, str]]:
    return {
        ("operation-uncalled", one.method, one.template, "")
        for one in SHOP.operations
        if (one.method, one.template) not in but
    }


def test_templates_are_the_same_whatever_their_parameters_are_called() -> None:
    for template in ("/orders/{orderId}", "/orders/{x}", "/orders/4711", "/orders/{id}/"):
        assert set(differing(seen("DELETE", template))) == {
            ("operation-deprecated-called", "DELETE", template, ""),
            *uncalled(("DELETE", "/orders/{id}")),
        }
    assert not {one for one in differing(seen("GET", "/orders/mine")) if one[2] == "/orders/mine"}
    assert not {one for one in differing(seen("GET", "/files/a.pdf")) if "undescribed" in one[0]}


def test_what_is_undescribed_and_what_is_not_called_is_told() -> None:
    found = set(
        differing(seen("GET", "/v1/orders"), seen("PUT", "/v1/orders"), seen("GET", "/v1/x"), base="/v1")
    )
    assert ("operation-undescribed", "PUT", "/v1/orders", "") in found
    assert ("operation-undescribed", "GET", "/v1/x", "") in found
    assert ("operation-uncalled", "POST", "/v1/orders", "") in found
    assert ("operation-uncalled", "GET", "/v1/orders", "") not in found


def test_head_goes_with_get_and_a_preflight_with_anything() -> None:
    found = differing(seen("HEAD", "/orders"), seen("OPTIONS", "/orders"), seen("OPTIONS", "/nothing"))
    assert [one for one in found if one[0] == "operation-undescribed"] == [
        ("operation-undescribed", "OPTIONS", "/nothing", "")
    ]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (seen("GET", "/orders", queries={"q": 1.0, "page": 0.1}, calls=9), []),
        (seen("GET", "/orders", queries={"q": 0.5, "page": 0.1}, calls=9),
         ["parameter-required-missing query:q"]),
        (seen("GET", "/orders", queries={"q": 1.0}, calls=9), ["parameter-unused query:page"]),
        (seen("GET", "/orders", queries={"q": 1.0}, calls=2), []),
        (seen("GET", "/orders", queries={"q": 1.0, "page": 1, "z[a]": 1, "api_key": 1}, calls=9),
         ["parameter-undescribed query:z[a]"]),
        (seen("GET", "/orders", statuses=(2,)), []),
        (seen("GET", "/orders", statuses=(2, 4)), ["status-undescribed 4XX"]),
        (seen("POST", "/orders", statuses=(2, 4), anonymous=(9, 9), refused=1), ["auth-missing "]),
        (seen("POST", "/orders", statuses=(4,), anonymous=(9, 9), refused=9), []),
        (seen("POST", "/orders", statuses=(2, 4), anonymous=(2, 9), refused=2), []),
        (seen("POST", "/orders", statuses=(2, 4), anonymous=(2, 9), refused=1), ["auth-missing some calls"]),
        (seen("POST", "/orders", anonymous=(2, 9)), []),
        (seen("POST", "/orders", anonymous=(9, 9)), ["auth-missing "]),
        (seen("POST", "/orders", statuses=(2,), anonymous=None), []),
        (seen("GET", "/orders/{id}", anonymous=(0, 9)), ["auth-undescribed "]),
        (seen("GET", "/orders/{id}", anonymous=(1, 9)), []),
        (seen("GET", "/.env", was_found=False), []),
        (seen("GET", "/orders/{id}", requests={"text/plain": Shape()}),
         ["media-type-undescribed request text/plain"]),
    ],
)  # fmt: skip
def test_parameters_statuses_and_auth_are_set_beside_what_was_seen(
    one: Observed, expected: list[str]
) -> None:
    found = [f"{kind} {place}" for kind, _, _, place in differing(one) if kind != "operation-uncalled"]
    assert found == expected


def test_bodies_are_compared_field_by_field_through_named_schemas() -> None:
    line = Shape(
        types=("object",),
        fields={"sku": Shape(types=("integer",)), "secret": Shape(types=("string",))},
        required=("sku",),
    )
    body = Shape(
        types=("object",),
        fields={
            "id": Shape(types=("integer",)),
            "total": Shape(types=("integer",)),
            "internal": Shape(types=("string",)),
            "lines": Shape(types=("array",), items=line),
        },
        required=("total",),
    )
    found = differing(seen("GET", "/orders/{id}", responses={"200": {"application/json": body}}))
    assert [(kind, place) for kind, _, _, place in found if kind != "operation-uncalled"] == [
        ("field-required-missing", "response 200.id"),
        ("field-type-differs", "response 200.lines[].sku"),
        ("field-undescribed", "response 200.internal"),
        ("field-undescribed", "response 200.lines[].secret"),
    ]


def test_schemas_that_fan_out_cost_no_more_than_there_are() -> None:
    schemas = {f"A{n}": Shape(all_of=(Shape(ref=f"A{n + 1}"),) * 2) for n in range(60)}
    schemas["A60"] = Shape(types=("object",), fields={"a": Shape(ref="A0")})
    shop = SHOP
    specification = Specification(
        kind=shop.kind,
        operations=tuple(
            one for one in shop.operations if (one.method, one.template) == ("GET", "/orders/{id}")
        ),
        schemas={**schemas, "Order": Shape(ref="A0")},
    )
    body = Shape(types=("object",), fields={"b": Shape()})
    one = seen("GET", "/orders/{id}", responses={"200": {"application/json": body}})
    assert drift(specification, "", [one]) == [
        Difference(Drift.FIELD_UNDESCRIBED, "GET", "/orders/{id}", None, "response 200.b")
    ]


@pytest.mark.parametrize(
    ("protocol", "template", "operation", "found"),
    [
        ("grpc", "/shop.v1.Orders/Get", "shop.v1.Orders/Get", True),
        ("grpc", "/shop.v1.Orders/Get", None, True),
        ("grpc", "/shop.v1.Orders/Get", "Get", True),
        ("http", "/shop.v1.Orders/Get", None, True),
        ("grpc", "/shop.v1.Orders/Put", "shop.v1.Orders/Put", False),
        ("graphql", "/api", "Query.me", True),
        ("graphql", "/api", "query me", True),
        ("graphql", "/api", "mutation me", False),
        ("graphql", "/api", "Query.you", False),
        ("http", "/graphql", None, False),
        ("grpc-web", "/api/shop.v1.Orders/Get", "shop.v1.Orders/Get", True),
        ("grpc-web", "/api/shop.v1.Orders/Put", "shop.v1.Orders/Put", False),
        ("graphql", "/api", "query me you", False),
        ("graphql", "/api", "query me us", True),
        ("graphql", "/api", "[query me, query us]", True),
        ("graphql", "/api", "[mutation us, query me]", False),
    ],
)
def test_methods_and_fields_are_found_by_name(
    protocol: str, template: str, operation: str | None, found: bool
) -> None:
    proto = "package shop.v1; service Orders { rpc Get(A) returns (B); }"
    both = [
        *read_content(proto.encode(), "a.proto").operations,
        *read_content(b"type Query { me: ID us: ID }", "a.gql").operations,
    ]
    one = seen("POST", template, protocol=protocol, operation=operation)
    assert (Described(both).of(one) is not None) == found


@pytest.mark.parametrize(
    ("protocol", "operation"),
    [("graphql", "query me"), ("mcp", "tools/call x"), ("json-rpc", "eth_call"), ("soap", "GetOrder")],
)
def test_a_description_of_the_path_is_one_of_what_is_called_there(protocol: str, operation: str) -> None:
    described = Described(spec("paths: {/rpc: {post: {}}}").operations)
    assert described.of(seen("POST", "/rpc", protocol=protocol, operation=operation)) is not None
    assert described.of(seen("POST", "/other", protocol=protocol, operation=operation)) is None


def test_operations_on_other_hosts_are_not_missed_here() -> None:
    two = spec("""
servers: [{url: 'https://eu.shop.example'}]
paths: {/here: {get: {}}, /there: {servers: [{url: 'https://files.shop.example'}], get: {}}, /up: {servers: [{url: /v2}], get: {}}}
""")  # noqa: E501
    told = {one.template for one in drift(two, "", [], "eu.shop.example")}
    assert told == {"/here", "/up"}
    assert {one.template for one in drift(two, "", [], "an-inner-name")} == {"/here", "/there", "/up"}


def test_a_thousand_names_in_a_chain_are_no_way_to_the_end_of_the_stack() -> None:
    schemas = {f"A{n}": Shape(all_of=(Shape(ref=f"A{n + 1}"),)) for n in range(2000)}
    chain = {f"B{n}": Shape(ref=f"B{n + 1}") for n in range(2000)}
    for first in ("A0", "B0"):
        specification = Specification(
            kind=SHOP.kind,
            operations=SHOP.operations,
            schemas={**schemas, **chain, "Order": Shape(ref=first)},
        )
        body = Shape(types=("object",), fields={"b": Shape()})
        assert drift(
            specification, "", [seen("GET", "/orders/{id}", responses={"200": {"application/json": body}})]
        )
