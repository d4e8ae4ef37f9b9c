"""What Wardgate keeps of a specification, whatever it was written in: small, frozen, comparable.

Kept are what an operation is called, what it takes, gives and asks for, and who answers for it. Examples,
defaults, descriptions and limits are not: they say nothing that traffic could contradict, and they are where
secrets hide. Readers make it (`reading`), `writing` makes OpenAPI 3.1 of it, and both ways together change
nothing.
"""

from enum import StrEnum

from msgspec import Struct, field

Scalar = str | int | float | bool | None


class Kind(StrEnum):
    """What a specification was written in."""

    OPENAPI_2_0 = "openapi-2.0"
    OPENAPI_3_0 = "openapi-3.0"
    OPENAPI_3_1 = "openapi-3.1"
    OPENAPI_3_2 = "openapi-3.2"
    GRAPHQL = "graphql"
    POSTMAN_2_0 = "postman-2.0"
    POSTMAN = "postman-2.1"
    PROTOBUF = "protobuf"


class Place(StrEnum):
    """Where a parameter travels."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


class Shape(Struct, frozen=True, omit_defaults=True):
    """The shape of a value. Empty: anything."""

    types: tuple[str, ...] = ()
    """JSON types, sorted; `null` among them where the value may be null."""
    format: str | None = None
    ref: str | None = None
    """Name of the schema, in `Specification.schemas`, that says it all."""
    fields: dict[str, "Shape"] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    """Names of fields that must be there, sorted."""
    items: "Shape | None" = None
    more: "Shape | None" = None
    """Shape of the fields that are not named."""
    closed: bool = False
    """There are no other fields than those named."""
    values: tuple[Scalar, ...] = ()
    """The only values there are."""
    all_of: tuple["Shape", ...] = ()
    any_of: tuple["Shape", ...] = ()
    one_of: tuple["Shape", ...] = ()


class Parameter(Struct, frozen=True, omit_defaults=True):
    """One parameter."""

    name: str
    place: Place
    required: bool = False
    shape: Shape = Shape()


class Body(Struct, frozen=True, omit_defaults=True):
    """A body in one media type."""

    media_type: str
    shape: Shape = Shape()


class Request(Struct, frozen=True, omit_defaults=True):
    """What an operation takes."""

    required: bool = False
    bodies: tuple[Body, ...] = ()


class Response(Struct, frozen=True, omit_defaults=True):
    """What an operation gives under one status: `200`, `4XX`, `default`."""

    status: str
    bodies: tuple[Body, ...] = ()


class Variable(Struct, frozen=True, omit_defaults=True):
    """A part of a server's URL that differs between installations."""

    name: str
    default: str = ""
    values: tuple[str, ...] = ()
    """The only values it takes; empty: any."""


class Server(Struct, frozen=True, omit_defaults=True):
    """Where operations are: a URL or a path, with `{variables}`, without user and password."""

    url: str
    variables: tuple[Variable, ...] = ()


class Contact(Struct, frozen=True, omit_defaults=True):
    """Who answers for a specification."""

    name: str | None = None
    email: str | None = None
    url: str | None = None


class Need(Struct, frozen=True, omit_defaults=True):
    """One scheme that a call must satisfy, with scopes."""

    scheme: str
    scopes: tuple[str, ...] = ()


class Flow(Struct, frozen=True, omit_defaults=True):
    """One OAuth 2 flow."""

    kind: str
    authorization_url: str | None = None
    token_url: str | None = None
    scopes: tuple[str, ...] = ()


class Scheme(Struct, frozen=True, omit_defaults=True):
    """How callers authenticate: `apiKey`, `http`, `oauth2`, `openIdConnect` or `mutualTLS`."""

    kind: str
    place: Place | None = None
    name: str | None = None
    """Of `apiKey`: the header, query parameter or cookie."""
    scheme: str | None = None
    """Of `http`: basic, bearer…"""
    url: str | None = None
    flows: tuple[Flow, ...] = ()


class Outlined(Struct, frozen=True, omit_defaults=True):
    """What an operation is called and who answers for it. `template` begins with `/` and has no base path."""

    template: str
    method: str | None
    """HTTP method in upper case."""
    protocol: str = "http"
    name: str | None = None
    """What the template does not say: `Query.user` of GraphQL, `Greeter/SayHello` of gRPC."""
    operation_id: str | None = None
    deprecated: bool = False
    tags: tuple[str, ...] = ()
    owner: str | None = None
    """Of several, with commas between."""
    servers: tuple[Server, ...] = ()
    """Where it is, if elsewhere than the rest."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.template, self.method or "", self.name or ""


class Operation(Outlined, frozen=True, omit_defaults=True):
    """One operation, with what it takes, gives and asks for."""

    parameters: tuple[Parameter, ...] = ()
    request: Request | None = None
    responses: tuple[Response, ...] = ()
    security: tuple[tuple[Need, ...], ...] | None = None
    """Alternatives, of each all needed; an empty one: none needed. None: nothing is said."""


class LeftOut(Struct, frozen=True, omit_defaults=True):
    """Something of the document that the import does not hold."""

    code: str
    place: str
    """JSON pointer or line."""
    text: str


class Outline(Struct, frozen=True, omit_defaults=True):
    """A specification without what its operations take and give: what a listing needs of many of them."""

    kind: Kind
    title: str = ""
    version: str = ""
    contacts: tuple[Contact, ...] = ()
    owner: str | None = None
    """Who answers for all of it, where an extension says so; of several, with commas between."""
    servers: tuple[Server, ...] = ()
    operations: tuple[Outlined, ...] = ()


class Specification(Outline, frozen=True, omit_defaults=True):
    """One specification. Operations are in the order of `Operation.key`."""

    operations: tuple[Operation, ...] = ()
    schemas: dict[str, Shape] = field(default_factory=dict)
    schemes: dict[str, Scheme] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    left_out_total: int = 0
    """How much was left out in all; `left_out` is bounded."""
