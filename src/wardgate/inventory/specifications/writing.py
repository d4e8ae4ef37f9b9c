"""The form, written as OpenAPI 3.1. Read again, it is the same.

Whoever has more to say hands in what to add to an operation, such as its evidence under `x-wardgate-…`.
"""

from collections.abc import Callable
from typing import Any

from wardgate.inventory.specifications.form import (
    Body,
    Contact,
    Flow,
    Need,
    Operation,
    Parameter,
    Scheme,
    Server,
    Shape,
    Specification,
)
from wardgate.inventory.specifications.openapi import METHODS, OURS

Extension = Callable[[Operation], dict[str, Any]]


def openapi(specification: Specification, extension: Extension | None = None) -> dict[str, Any]:
    """An OpenAPI 3.1 document of the operations over HTTP."""
    info: dict[str, Any] = {"title": specification.title, "version": specification.version}
    if specification.contacts:
        info["contact"] = _contact(specification.contacts[0])
    if specification.owner:
        info["x-owner"] = specification.owner
    paths: dict[str, Any] = {}
    for one in specification.operations:
        if one.method is None or one.protocol != "http":
            continue
        item = paths.setdefault(one.template, {})
        made = operation(one)
        if extension is not None:
            made.update(extension(one))
        name = one.method.lower()
        if name in METHODS and name.upper() == one.method:
            item[name] = made
        else:
            item.setdefault(OURS, {})[one.method] = made
    out: dict[str, Any] = {"openapi": "3.1.0", "info": info}
    if specification.servers:
        out["servers"] = [_server(one) for one in specification.servers]
    out["paths"] = paths
    components: dict[str, Any] = {}
    if specification.schemas:
        components["schemas"] = {name: shape(one) for name, one in specification.schemas.items()}
    if specification.schemes:
        components["securitySchemes"] = {name: _scheme(one) for name, one in specification.schemes.items()}
    if components:
        out["components"] = components
    return out


def operation(one: Operation) -> dict[str, Any]:
    """An operation object."""
    out: dict[str, Any] = {}
    if one.tags:
        out["tags"] = list(one.tags)
    if one.operation_id:
        out["operationId"] = one.operation_id
    if one.deprecated:
        out["deprecated"] = True
    if one.owner:
        out["x-owner"] = one.owner
    if one.servers:
        out["servers"] = [_server(each) for each in one.servers]
    if one.parameters:
        out["parameters"] = [_parameter(each) for each in one.parameters]
    if one.request is not None:
        out["requestBody"] = {"content": _content(one.request.bodies)}
        if one.request.required:
            out["requestBody"]["required"] = True
    if one.responses:
        out["responses"] = {
            each.status: {"description": "", **({"content": _content(each.bodies)} if each.bodies else {})}
            for each in one.responses
        }
    if one.security is not None:
        out["security"] = [_needs(each) for each in one.security]
    return out


def shape(one: Shape) -> dict[str, Any]:
    """A schema object."""
    if one.ref is not None:
        return {"$ref": f"#/components/schemas/{one.ref}"}
    out: dict[str, Any] = {}
    if one.types:
        out["type"] = one.types[0] if len(one.types) == 1 else list(one.types)
    if one.format is not None:
        out["format"] = one.format
    if one.fields:
        out["properties"] = {name: shape(each) for name, each in one.fields.items()}
    if one.required:
        out["required"] = list(one.required)
    if one.items is not None:
        out["items"] = shape(one.items)
    if one.more is not None:
        out["additionalProperties"] = shape(one.more)
    elif one.closed:
        out["additionalProperties"] = False
    if one.values:
        out["enum"] = list(one.values)
    for name, listed in (("allOf", one.all_of), ("anyOf", one.any_of), ("oneOf", one.one_of)):
        if listed:
            out[name] = [shape(each) for each in listed]
    return out


def _content(bodies: tuple[Body, ...]) -> dict[str, Any]:
    return {one.media_type: {"schema": made} if (made := shape(one.shape)) else {} for one in bodies}


def _parameter(one: Parameter) -> dict[str, Any]:
    out: dict[str, Any] = {"name": one.name, "in": one.place.value, "schema": shape(one.shape)}
    if one.required:
        out["required"] = True
    return out


def _server(one: Server) -> dict[str, Any]:
    out: dict[str, Any] = {"url": one.url}
    if one.variables:
        out["variables"] = {
            each.name: {"default": each.default, **({"enum": list(each.values)} if each.values else {})}
            for each in one.variables
        }
    return out


def _needs(alternative: tuple[Need, ...]) -> dict[str, list[str]]:
    return {one.scheme: list(one.scopes) for one in alternative}


def _contact(one: Contact) -> dict[str, str]:
    given = (("name", one.name), ("email", one.email), ("url", one.url))
    return {name: text for name, text in given if text}


def _scheme(one: Scheme) -> dict[str, Any]:
    out: dict[str, Any] = {"type": one.kind}
    if one.kind == "apiKey":
        out |= {"in": one.place.value if one.place else "header", "name": one.name}
    elif one.kind == "http":
        out["scheme"] = one.scheme
    elif one.kind == "openIdConnect":
        out["openIdConnectUrl"] = one.url or ""
    elif one.kind == "oauth2":
        out["flows"] = {flow.kind: _flow(flow) for flow in one.flows}
    return out


def _flow(one: Flow) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if one.kind in ("implicit", "authorizationCode"):
        out["authorizationUrl"] = one.authorization_url or ""
    if one.kind != "implicit":
        out["tokenUrl"] = one.token_url or ""
    out["scopes"] = dict.fromkeys(one.scopes, "")
    return out
