"""OpenAPI 2.0 to 3.2, read into the form.

Whatever has the wrong type is left out, noted, and the rest is read: a description is imported as far as it
can be understood. Only a document that is no OpenAPI at all is refused.
"""

import re
from typing import Any

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.form import (
    Body,
    Contact,
    Kind,
    Operation,
    Parameter,
    Place,
    Request,
    Response,
    Shape,
    Specification,
)
from wardgate.inventory.specifications.notes import Notes, Pointer, below
from wardgate.inventory.specifications.openapi_owners import owner_of
from wardgate.inventory.specifications.openapi_security import needs, schemes
from wardgate.inventory.specifications.openapi_servers import servers, swagger_servers
from wardgate.inventory.specifications.references import References
from wardgate.inventory.specifications.shapes import Shapes

METHODS = ("delete", "get", "head", "options", "patch", "post", "put", "trace")
OURS = "x-wardgate-additional-operations"
"""Where our exports put methods that OpenAPI 3.1 has no place for."""
_OTHER_KEYS = frozenset(("parameters", "summary", "description", "servers", "$ref", "additionalOperations"))
_STATUS = re.compile(r"(?:[1-5](?:[0-9]{2}|XX)|default)\Z")
_VERSION = re.compile(r"3\.([0-2])(?:\.|\Z)")
_CONSTRAINED = re.compile(r"\{([^{}/:!]+)[:!][^{}/]*\}")
PARAMETER = re.compile(r"\{([^{}/]*)\}")
_TEXT = Shape(types=("string",))
_FORM = "application/x-www-form-urlencoded"


def is_openapi(document: Any) -> bool:
    """Whether a document claims to be OpenAPI."""
    return isinstance(document, dict) and ("openapi" in document or "swagger" in document)


def read_openapi(document: dict[str, Any], notes: Notes) -> Specification:
    """The specification a document holds. Raises `specification-version`."""
    return _Reader(document, _kind(document), notes).read()


def _kind(document: dict[str, Any]) -> Kind:
    if str(document.get("swagger")) == "2.0":
        return Kind.OPENAPI_2_0
    found = _VERSION.match(str(document.get("openapi")))
    if found is None:
        raise WardgateError(
            "specification-version",
            "the specification is of no version of OpenAPI that is read (2.0 to 3.2): "
            f"#/{'openapi' if 'openapi' in document else 'swagger'}.",
        )
    return Kind(f"openapi-3.{found[1]}")


class _Reader:
    """Reads one document."""

    def __init__(self, document: dict[str, Any], kind: Kind, notes: Notes) -> None:
        self._document = document
        self._kind = kind
        self._notes = notes
        self._old = kind is Kind.OPENAPI_2_0
        self._references = References(document, notes)
        self._components = (
            document if self._old else self._mapping(document.get("components"), "#/components")
        )
        self._home = "#/definitions" if self._old else "#/components/schemas"
        self._schemas = self._mapping(
            self._components.get("definitions" if self._old else "schemas"), self._home
        )
        self._shapes = Shapes(self._references, notes, self._home, self._schemas)
        self._ids: set[str] = set()

    def read(self) -> Specification:
        document = self._document
        info = self._mapping(document.get("info"), "#/info")
        name = "securityDefinitions" if self._old else "securitySchemes"
        place = f"#/{name}" if self._old else f"#/components/{name}"
        given = self._mapping(self._components.get(name), place)
        self._schemes, self._scheme_names = schemes(given, place, self._references, self._notes)
        self._security = needs(document.get("security"), "#/security", self._scheme_names, self._notes)
        self._tags = {
            one["name"]: one
            for one in self._list(document.get("tags"), "#/tags")
            if isinstance(one, dict) and isinstance(one.get("name"), str)
        }
        operations: dict[tuple[str, str, str], Operation] = {}
        for path, item in self._mapping(document.get("paths"), "#/paths").items():
            if not path.startswith("x-"):
                self._path(path, item, operations)
        for name in ("webhooks", "x-webhooks"):
            for hook in self._mapping(document.get(name), f"#/{name}"):
                self._notes.add("webhook", below(f"#/{name}", hook))
        schemas = {
            self._shapes.names[name]: self._shapes.of(one, below(self._home, name))
            for name, one in self._schemas.items()
        }
        return Specification(
            kind=self._kind,
            title=_text(info.get("title")),
            version=_text(info.get("version")),
            contacts=self._contacts(info),
            owner=owner_of(document, info),
            servers=swagger_servers(document)
            if self._old
            else servers(document.get("servers"), "#/servers", self._notes),
            operations=tuple(sorted(operations.values(), key=lambda one: one.key)),
            schemas=schemas,
            schemes=self._schemes,
            left_out=self._notes.kept,
            left_out_total=self._notes.total,
        )

    def _mapping(self, value: Any, pointer: Pointer) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        if value is not None:
            self._notes.add("wrong-type", pointer)
        return {}

    def _list(self, value: Any, pointer: Pointer) -> list[Any]:
        if isinstance(value, list):
            return value
        if value is not None:
            self._notes.add("wrong-type", pointer)
        return []

    def _contacts(self, info: dict[str, Any]) -> tuple[Contact, ...]:
        given = self._mapping(info.get("contact"), "#/info/contact")
        found = Contact(*(_text(given.get(one)) or None for one in ("name", "email", "url")))
        return () if found == Contact() else (found,)

    def _path(self, path: str, item: Any, into: dict[tuple[str, str, str], Operation]) -> None:
        pointer = below("#/paths", path)
        if isinstance(item, dict) and isinstance(item.get("$ref"), str):
            found, _ = self._references.follow(item, pointer)
            item = {**(found if isinstance(found, dict) else {}), **item}
        item = self._mapping(item, pointer)
        template = path if path.startswith("/") else f"/{path}"
        if ":" in template or "!" in template:  # `{id:[0-9]+}`: a router's constraint is no part of the name
            template = _CONSTRAINED.sub(r"{\1}", template)
        if template != path:
            self._notes.add("path-malformed", pointer)
        shared = self._parameters(item.get("parameters"), below(pointer, "parameters"))
        methods = [(name.upper(), item[name], below(pointer, name)) for name in METHODS if name in item]
        if self._kind is Kind.OPENAPI_3_2 and "query" in item:
            methods.append(("QUERY", item["query"], below(pointer, "query")))
        for name in ("additionalOperations", OURS):
            more = self._mapping(item.get(name), below(pointer, name))
            methods += [(method, one, below(pointer, name, method)) for method, one in more.items()]
        elsewhere = servers(item.get("servers"), below(pointer, "servers"), self._notes)
        for method, one, place in methods:
            if isinstance(one, dict):
                made = self._operation(template, method, one, place, shared, elsewhere, item)
                if made.key in into:
                    self._notes.add("duplicate-operation", place)
                into.setdefault(made.key, made)
            else:
                self._notes.add("wrong-type", place)
        known = _OTHER_KEYS.union(METHODS, ("query",) if self._kind is Kind.OPENAPI_3_2 else ())
        for name in item:
            if name not in known and not name.startswith("x-"):
                self._notes.add("method-unknown", below(pointer, name))

    def _operation(
        self,
        template: str,
        method: str,
        given: dict[str, Any],
        pointer: Pointer,
        shared: dict[tuple[str, str], tuple[Any, Pointer]],
        elsewhere: tuple[Any, ...],
        item: dict[str, Any],
    ) -> Operation:
        parameters = {**shared, **self._parameters(given.get("parameters"), below(pointer, "parameters"))}
        request = (
            self._old_request(parameters, given)
            if self._old
            else self._request(given.get("requestBody"), pointer)
        )
        security = given.get("security")
        for name in self._mapping(given.get("callbacks"), below(pointer, "callbacks")):
            self._notes.add("webhook", below(pointer, "callbacks", name))
        named = _text(given.get("operationId")) or None
        if named in self._ids:
            self._notes.add("duplicate-operation-id", below(pointer, "operationId"))
            named = None
        if named:
            self._ids.add(named)
        return Operation(
            template=template,
            method=method,
            operation_id=named,
            parameters=self._placed(template, parameters, pointer),
            request=request,
            responses=self._responses(given, pointer),
            security=self._security
            if security is None
            else needs(security, below(pointer, "security"), self._scheme_names, self._notes),
            deprecated=given.get("deprecated") is True or given.get("x-deprecated") is True,
            tags=tuple(
                one for one in self._list(given.get("tags"), below(pointer, "tags")) if isinstance(one, str)
            ),
            owner=owner_of(given, item, *(self._tags.get(one) for one in _texts(given.get("tags")))),
            servers=servers(given.get("servers"), below(pointer, "servers"), self._notes) or elsewhere,
        )

    def _parameters(self, given: Any, pointer: Pointer) -> dict[tuple[str, str], tuple[Any, Pointer]]:
        """(name, place) → what the parameter says, and where."""
        out: dict[tuple[str, str], tuple[Any, Pointer]] = {}
        for at, one in enumerate(self._list(given, pointer)):
            found, place = self._references.follow(one, below(pointer, at))
            if found is None and isinstance(one, dict):
                continue  # noted already
            if not isinstance(found, dict) or not isinstance(found.get("name"), str):
                self._notes.add("wrong-type", place)
                continue
            key = found["name"], str(found.get("in"))
            if key in out:
                self._notes.add("duplicate-parameter", place)
            out[key] = found, place
        return out

    def _placed(
        self, template: str, given: dict[tuple[str, str], tuple[Any, Pointer]], pointer: Pointer
    ) -> tuple[Parameter, ...]:
        """Parameters outside the body; those in the path are exactly the template's."""
        wanted = dict.fromkeys(PARAMETER.findall(template))
        starred = {one.strip("+*"): one for one in wanted}
        out: dict[tuple[str, str], Parameter] = {}
        for (name, inside), (one, place) in given.items():
            if inside in ("body", "formData") and self._old:
                continue
            if inside not in ("path", "query", "header", "cookie"):
                self._notes.add("wrong-type", below(place, "in"))
                continue
            plain = re.split(r"[:!]", name)[0]
            if inside == "path" and plain in wanted:
                out[plain, inside] = Parameter(plain, Place.PATH, True, self._parameter_shape(one, place))
                continue
            if inside == "path" and name not in wanted and name not in starred:
                self._notes.add("path-parameter-stray", place)
                continue
            called = name if inside != "path" or name in wanted else starred[name]
            required = inside == "path" or one.get("required") is True
            out[called, inside] = Parameter(
                called, Place(inside), required, self._parameter_shape(one, place)
            )
        for name in wanted:
            if (name, "path") not in out:
                self._notes.add("path-parameter-undeclared", pointer)
                out[name, "path"] = Parameter(name, Place.PATH, True, _TEXT)
        return tuple(out[key] for key in sorted(out, key=lambda key: (key[1], key[0])))

    def _parameter_shape(self, one: dict[str, Any], pointer: Pointer) -> Shape:
        if self._old:
            return self._shapes.of({key: one[key] for key in _SCHEMA_KEYS if key in one}, pointer)
        if "schema" in one:
            return self._shapes.of(one["schema"], below(pointer, "schema"))
        for media_type, content in self._mapping(one.get("content"), below(pointer, "content")).items():
            if isinstance(content, dict) and "schema" in content:
                return self._shapes.of(content["schema"], below(pointer, "content", media_type, "schema"))
        return Shape()

    def _request(self, given: Any, pointer: Pointer) -> Request | None:
        pointer = below(pointer, "requestBody")
        found, place = self._references.follow(given, pointer)
        if found is None:
            return None
        found = self._mapping(found, place)
        bodies = self._bodies(found.get("content"), below(place, "content"))
        return Request(found.get("required") is True, bodies) if bodies else None

    def _bodies(self, given: Any, pointer: Pointer) -> tuple[Body, ...]:
        out = []
        for media_type, one in self._mapping(given, pointer).items():
            place = below(pointer, media_type)
            content, place = self._references.follow(one, place)
            content = self._mapping(content, place)
            name = "itemSchema" if "itemSchema" in content and "schema" not in content else "schema"
            has = name in content
            out.append(
                Body(media_type, self._shapes.of(content[name], below(place, name)) if has else Shape())
            )
        return tuple(out)

    def _old_request(
        self, parameters: dict[tuple[str, str], tuple[Any, Pointer]], given: dict[str, Any]
    ) -> Request | None:
        """OpenAPI 2.0 has bodies and forms among the parameters."""
        fields: dict[str, Shape] = {}
        needed: list[str] = []
        has_file = False
        for (name, inside), (one, place) in parameters.items():
            if inside == "body":
                shape = self._shapes.of(one.get("schema", {}), below(place, "schema"))
                bodies = tuple(Body(media, shape) for media in self._media("consumes", given))
                return Request(one.get("required") is True, bodies)
            if inside == "formData":
                fields[name] = self._parameter_shape(one, place)
                has_file = has_file or one.get("type") == "file"
                needed += [name] if one.get("required") is True else []
        if not fields:
            return None
        shape = Shape(types=("object",), fields=fields, required=tuple(sorted(needed)))
        taken = [one for one in self._media("consumes", given) if "form" in one]
        media = taken or ["multipart/form-data" if has_file else _FORM]
        return Request(bool(needed), tuple(Body(one, shape) for one in media))

    def _media(self, name: str, given: dict[str, Any]) -> list[str]:
        chosen = given.get(name) or self._document.get(name)
        listed = [one for one in chosen if isinstance(one, str)] if isinstance(chosen, list) else []
        return list(dict.fromkeys(listed)) or ["application/json"]

    def _responses(self, given: dict[str, Any], pointer: Pointer) -> tuple[Response, ...]:
        pointer = below(pointer, "responses")
        out = []
        for status, one in self._mapping(given.get("responses"), pointer).items():
            place = below(pointer, status)
            if not _STATUS.match(status):
                if not status.startswith("x-"):
                    self._notes.add("status-malformed", place)
                continue
            found, place = self._references.follow(one, place)
            if found is None:
                out.append(Response(status))
                continue
            found = self._mapping(found, place)
            if not self._old:
                out.append(Response(status, self._bodies(found.get("content"), below(place, "content"))))
            elif "schema" in found:
                shape = self._shapes.of(found["schema"], below(place, "schema"))
                bodies = tuple(Body(media, shape) for media in self._media("produces", given))
                out.append(Response(status, bodies))
            else:
                out.append(Response(status))
        return tuple(out)


_SCHEMA_KEYS = ("type", "format", "items", "enum", "x-nullable")


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else ""
        if value is None or isinstance(value, (dict, list))
        else str(value)
    )
