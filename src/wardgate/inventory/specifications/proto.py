"""Protocol buffers: the services of a `.proto` file, as gRPC methods and as paths of HTTP.

A method is called by gRPC under `/package.Service/Method`. Where `google.api.http` gives it a path, that is
an operation of its own. Imports are not followed: the schemas of other files stay names.
"""

import re
from typing import Any, NoReturn

from proto_schema_parser import Parser, ast

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.form import (
    Body,
    Kind,
    Operation,
    Parameter,
    Place,
    Request,
    Response,
    Scalar,
    Shape,
    Specification,
)
from wardgate.inventory.specifications.notes import Notes

MOST_BYTES = 2 << 20
"""The parser is Python and costs some 20 µs a byte."""
DEEPEST = 40
_VERBS = ("get", "put", "post", "delete", "patch")
_BOUND = re.compile(r"\{([A-Za-z0-9_.]+)(?:=([^{}]*))?\}")
_TYPES = {
    **dict.fromkeys(("double", "float"), "number"),
    **dict.fromkeys(("int32", "uint32", "sint32", "fixed32", "sfixed32"), "integer"),
    # 64-bit numbers are text in the JSON mapping.
    **dict.fromkeys(("int64", "uint64", "sint64", "fixed64", "sfixed64", "string", "bytes"), "string"),
    "bool": "boolean",
}
_GRPC = "application/grpc"
_JSON = "application/json"


class _Listener:
    """Stops at the first error of syntax, with its place."""

    def syntaxError(self, recognizer: Any, symbol: Any, line: int, column: int, *more: Any) -> NoReturn:  # noqa: N802
        raise WardgateError(
            "specification-not-proto",
            f"the specification is not a .proto file: line {line}, column {column + 1}.",
        )

    def __getattr__(self, name: str) -> Any:
        return lambda *given: None  # reports of ambiguity, which are no errors


def _listen(parser: Any) -> None:
    parser.removeErrorListeners()
    parser.addErrorListener(_Listener())


def read_proto(text: str, notes: Notes) -> Specification:
    """The services of a file. Raises `specification-not-proto`, `-too-large` or `-too-deep`."""
    if len(text) > MOST_BYTES:
        raise WardgateError(
            "specification-too-large", f"a .proto file may have {MOST_BYTES >> 20} MiB; this one is larger."
        )
    _shallow(text)
    try:
        file = Parser(setup_lexer=_listen, setup_parser=_listen).parse(text)
    except RecursionError:
        raise WardgateError("specification-too-deep", "the specification nests too deeply.") from None
    return _Reader(file, notes).read()


def _shallow(text: str) -> None:
    depth = 0
    for one in re.finditer(r"[{}\n]", text):
        depth += {"{": 1, "}": -1}.get(one[0], 0)
        if depth > DEEPEST:
            raise WardgateError(
                "specification-too-deep",
                f"the specification nests deeper than {DEEPEST} levels "
                f"at line {text.count(chr(10), 0, one.start()) + 1}.",
            )


class _Reader:
    """Reads one file."""

    def __init__(self, file: Any, notes: Notes) -> None:
        self._file = file
        self._notes = notes
        packages = [one.name for one in file.file_elements if isinstance(one, ast.Package)]
        self._package = packages[0] if packages else ""
        self._messages: dict[str, Any] = {}
        self._enums: dict[str, tuple[Scalar, ...]] = {}

    def read(self) -> Specification:
        for one in self._file.file_elements:
            self._declare(one, self._package)
        operations: dict[tuple[str, str, str], Operation] = {}
        for service in self._file.file_elements:
            if isinstance(service, ast.Service):
                for made in self._methods(service):
                    if made.key in operations:
                        self._notes.add("duplicate-operation", made.name or made.template)
                    operations.setdefault(made.key, made)
        schemas = {name: Shape(types=("string",), values=values) for name, values in self._enums.items()}
        schemas |= {name: self._message(name, one) for name, one in self._messages.items()}
        if not operations and not schemas:
            raise WardgateError("specification-not-proto", "the file declares no service and no message.")
        return Specification(
            kind=Kind.PROTOBUF,
            title=self._package,
            operations=tuple(sorted(operations.values(), key=lambda one: one.key)),
            schemas=schemas,
            left_out=self._notes.kept,
            left_out_total=self._notes.total,
        )

    def _declare(self, one: Any, scope: str) -> None:
        if isinstance(one, (ast.Message, ast.Group)):
            name = _joined(scope, one.name)
            self._messages[name] = one
            for inner in one.elements:
                self._declare(inner, name)
        elif isinstance(one, ast.Enum):
            values = [each.name for each in one.elements if isinstance(each, ast.EnumValue)]
            self._enums[_joined(scope, one.name)] = tuple(values)

    def _message(self, name: str, message: Any) -> Shape:
        fields: dict[str, Shape] = {}
        for one in message.elements:
            for field in one.elements if isinstance(one, ast.OneOf) else (one,):
                if isinstance(field, ast.MapField):
                    fields[_camel(field.name)] = Shape(
                        types=("object",), more=self._type(field.value_type, name)
                    )
                elif isinstance(field, ast.Field):
                    shape = self._type(field.type, name)
                    repeated = field.cardinality is ast.FieldCardinality.REPEATED
                    fields[_camel(field.name)] = Shape(types=("array",), items=shape) if repeated else shape
        return Shape(types=("object",), fields=fields)

    def _type(self, name: str, scope: str) -> Shape:
        if name in _TYPES:
            return Shape(types=(_TYPES[name],))
        return Shape(ref=self._named(name, scope))

    def _named(self, name: str, scope: str) -> str:
        """The full name of a type: the innermost scope that has it counts."""
        if name.startswith("."):
            return name[1:]
        while True:
            full = _joined(scope, name)
            if full in self._messages or full in self._enums:
                return full
            if not scope:
                return name
            scope = scope.rpartition(".")[0]

    def _methods(self, service: Any) -> list[Operation]:
        out: list[Operation] = []
        whole = _joined(self._package, service.name)
        ended = _deprecated(service.elements)
        for one in service.elements:
            if not isinstance(one, ast.Method):
                continue
            taken = Shape(ref=self._named(one.input_type.type, whole))
            given = Shape(ref=self._named(one.output_type.type, whole))
            name = f"{whole}/{one.name}"
            deprecated = ended or _deprecated(one.elements)
            out.append(
                Operation(
                    template=f"/{name}",
                    method="POST",
                    protocol="grpc",
                    name=name,
                    request=Request(True, (Body(_GRPC, taken),)),
                    responses=(Response("200", (Body(_GRPC, given),)),),
                    deprecated=deprecated,
                    tags=(service.name,),
                )
            )
            for option in one.elements:
                if isinstance(option, ast.Option) and option.name.strip("()").endswith("google.api.http"):
                    out += self._mapped(option.value, name, taken, given, deprecated, service.name)
        return out

    def _mapped(
        self, rule: Any, name: str, taken: Shape, given: Shape, deprecated: bool, tag: str
    ) -> list[Operation]:
        """The HTTP operations of one `google.api.http` rule and its additional bindings."""
        if not isinstance(rule, ast.MessageLiteral):
            self._notes.add("proto-option", name)
            return []
        said = _literal(rule)
        has_body = any(key == "body" for key, _ in said)
        out: list[Operation] = []
        for key, value in said:
            inner = value if isinstance(value, list) else [value]
            if key == "additional_bindings":
                for one in inner:
                    out += self._mapped(one, name, taken, given, deprecated, tag)
                continue
            verb, path = key.upper() if key in _VERBS else None, value
            if key == "custom" and isinstance(value, ast.MessageLiteral):
                custom = dict(_literal(value))
                verb, path = str(custom.get("kind", "")).upper() or None, custom.get("path")
            if verb is None or not isinstance(path, str) or not path.startswith("/"):
                if key not in ("body", "response_body", "selector"):
                    self._notes.add("proto-option", name)
                continue
            template = _template(path)
            names = dict.fromkeys(re.findall(r"\{([^{}]*)\}", template))
            out.append(
                Operation(
                    template=template,
                    method=verb,
                    parameters=tuple(
                        Parameter(one, Place.PATH, True, Shape(types=("string",))) for one in sorted(names)
                    ),
                    request=Request(True, (Body(_JSON, taken),)) if has_body else None,
                    responses=(Response("200", (Body(_JSON, given),)),),
                    deprecated=deprecated,
                    tags=(tag,),
                )
            )
        return out


def _literal(value: Any) -> list[tuple[str, Any]]:
    """The fields of a message literal."""
    return [(one.name, one.value) for one in value.elements if isinstance(one, ast.MessageLiteralField)]


def _template(path: str) -> str:
    """`/v1/{name=shelves/*/books/*}` → `/v1/shelves/{name}/books/{name2}`."""

    def opened(found: re.Match[str]) -> str:
        name = found[1].replace(".", "_")
        if found[2] is None or found[2] in ("*", "**"):
            return f"{{{name}}}"
        out, n = [], 0
        for segment in found[2].split("/"):
            if segment in ("*", "**"):
                n += 1
                segment = f"{{{name}{n if n > 1 else ''}}}"  # noqa: PLW2901
            out.append(segment)
        return "/".join(out)

    return _BOUND.sub(opened, path)


def _deprecated(elements: Any) -> bool:
    return any(
        isinstance(one, ast.Option) and one.name == "deprecated" and str(one.value).lower() == "true"
        for one in elements
    )


def _joined(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def _camel(name: str) -> str:
    """A field's name in the JSON mapping."""
    first, *rest = name.split("_")
    return first + "".join(one[:1].upper() + one[1:] for one in rest)
