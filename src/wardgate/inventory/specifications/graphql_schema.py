"""GraphQL schemas, as SDL or as the answer to an introspection query: one operation a field of a root type.

An operation is called by its schema coordinate, `Query.user`. Only the syntax is asked for, not that every
type is there: a part of a schema is read as far as it goes.
"""

from typing import Any

from graphql import GraphQLError, build_client_schema, parse, print_schema
from graphql.language import ast

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.form import (
    Body,
    Kind,
    Operation,
    Request,
    Response,
    Scalar,
    Shape,
    Specification,
)
from wardgate.inventory.specifications.notes import Notes

TEMPLATE = "/graphql"
"""Where GraphQL is served by convention; operations are told apart by their names."""
MOST_TOKENS = 500_000
"""GitHub's schema has half of it; each costs some 5 µs."""
_ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
_SCALARS = {"Int": "integer", "Float": "number", "String": "string", "ID": "string", "Boolean": "boolean"}
_FIELDED = (
    ast.ObjectTypeDefinitionNode,
    ast.ObjectTypeExtensionNode,
    ast.InterfaceTypeDefinitionNode,
    ast.InterfaceTypeExtensionNode,
    ast.InputObjectTypeDefinitionNode,
    ast.InputObjectTypeExtensionNode,
)


def is_introspection(document: Any) -> bool:
    """Whether a document is the answer to an introspection query."""
    return _introspected(document) is not None


def _introspected(document: Any) -> dict[str, Any] | None:
    inner = document.get("data", document) if isinstance(document, dict) else None
    return inner if isinstance(inner, dict) and isinstance(inner.get("__schema"), dict) else None


def read_introspection(document: Any, notes: Notes) -> Specification:
    """The schema in an introspection answer. Raises `specification-not-graphql`."""
    try:
        text = print_schema(build_client_schema(_introspected(document)))  # type: ignore[arg-type]
    except (GraphQLError, TypeError, ValueError, KeyError, AttributeError, RecursionError):
        raise WardgateError(
            "specification-not-graphql", "the introspection answer is not complete."
        ) from None
    return read_graphql(text, notes)


def read_graphql(text: str, notes: Notes) -> Specification:
    """The schema in SDL. Raises `specification-not-graphql`, `-too-deep` or `-too-large`."""
    try:
        document = parse(text, no_location=True, max_tokens=MOST_TOKENS)
    except GraphQLError as error:
        if "tokens" in error.message:
            raise WardgateError(
                "specification-too-large", f"the specification has more than {MOST_TOKENS:,} tokens."
            ) from None
        at = error.locations[0] if error.locations else None
        where = f"line {at.line}, column {at.column}" if at else "its start"
        raise WardgateError(
            "specification-not-graphql", f"the specification is not a GraphQL schema: {where}."
        ) from None
    except RecursionError:
        raise WardgateError("specification-too-deep", "the specification nests too deeply.") from None
    types = _Types(notes)
    for one in document.definitions:
        types.take(one)
    operations = [
        _operation(_ROOTS[kind], field)
        for kind, name in types.roots.items()
        for field in types.fields.pop(name, {}).values()
    ]
    schemas = types.named | {name: _object(inside) for name, inside in types.fields.items()}
    if not operations and not schemas:
        raise WardgateError("specification-not-graphql", "the document defines no GraphQL types.")
    return Specification(
        kind=Kind.GRAPHQL,
        title="GraphQL",
        operations=tuple(sorted(operations, key=lambda one: one.key)),
        schemas=schemas,
        left_out=notes.kept,
        left_out_total=notes.total,
    )


class _Types:
    """The types that definitions and their extensions make together."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self.roots = dict(_ROOTS)
        self.named: dict[str, Shape] = {}
        self.fields: dict[str, dict[str, Any]] = {}

    def take(self, one: ast.DefinitionNode) -> None:
        if isinstance(one, (ast.SchemaDefinitionNode, ast.SchemaExtensionNode)):
            self.roots.update(
                {each.operation.value: each.type.name.value for each in one.operation_types or ()}
            )
        elif isinstance(one, _FIELDED):
            known = self.fields.setdefault(one.name.value, {})
            for each in one.fields or ():
                if each.name.value in known:
                    self._notes.add("duplicate-operation", f"{one.name.value}.{each.name.value}")
                known.setdefault(each.name.value, each)
        elif isinstance(one, (ast.EnumTypeDefinitionNode, ast.EnumTypeExtensionNode)):
            values: tuple[Scalar, ...] = tuple(each.name.value for each in one.values or ())
            before = self.named.get(one.name.value, Shape()).values
            self.named[one.name.value] = Shape(types=("string",), values=before + values)
        elif isinstance(one, (ast.UnionTypeDefinitionNode, ast.UnionTypeExtensionNode)):
            parts = tuple(Shape(ref=each.name.value) for each in one.types or ())
            self.named[one.name.value] = Shape(any_of=self.named.get(one.name.value, Shape()).any_of + parts)
        elif isinstance(one, ast.ScalarTypeDefinitionNode):
            self.named[one.name.value] = Shape()


def _operation(root: str, field: ast.FieldDefinitionNode) -> Operation:
    taken = {each.name.value: each for each in field.arguments or ()}
    return Operation(
        template=TEMPLATE,
        method="POST",
        protocol="graphql",
        name=f"{root}.{field.name.value}",
        request=Request(True, (Body("application/json", _object(taken)),)) if taken else None,
        responses=(Response("200", (Body("application/json", _shape(field.type)),)),),
        deprecated=_deprecated(field),
    )


def _deprecated(field: ast.FieldDefinitionNode) -> bool:
    return any(one.name.value == "deprecated" for one in field.directives or ())


def _object(fields: dict[str, Any]) -> Shape:
    required = sorted(name for name, one in fields.items() if isinstance(one.type, ast.NonNullTypeNode))
    return Shape(
        types=("object",),
        fields={name: _shape(one.type) for name, one in fields.items()},
        required=tuple(required),
    )


def _shape(kind: ast.TypeNode) -> Shape:
    nullable = True
    if isinstance(kind, ast.NonNullTypeNode):
        kind, nullable = kind.type, False
    if isinstance(kind, ast.ListTypeNode):
        return Shape(types=("array", "null") if nullable else ("array",), items=_shape(kind.type))
    name = kind.name.value if isinstance(kind, ast.NamedTypeNode) else ""
    if name in _SCALARS:
        return Shape(types=tuple(sorted((_SCALARS[name], "null"))) if nullable else (_SCALARS[name],))
    return Shape(ref=name)
