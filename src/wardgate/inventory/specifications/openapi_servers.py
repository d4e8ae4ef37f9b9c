"""Where an OpenAPI document says that its operations are."""

import re
from typing import Any

from wardgate.inventory.specifications.form import Server, Variable
from wardgate.inventory.specifications.notes import Notes, Pointer, below

_USER = re.compile(r"(?<=//)[^/@?#]*@")


def servers(given: Any, pointer: Pointer, notes: Notes) -> tuple[Server, ...]:
    """The servers of a document, path or operation."""
    if given is None:
        return ()
    if not isinstance(given, list):
        notes.add("wrong-type", pointer)
        return ()
    out: dict[str, Server] = {}
    for at, one in enumerate(given):
        place = below(pointer, at)
        if not isinstance(one, dict) or not isinstance(one.get("url"), str):
            notes.add("wrong-type", place)
            continue
        variables = one.get("variables")
        if variables is not None and not isinstance(variables, dict):
            notes.add("wrong-type", below(place, "variables"))
            variables = None
        made = tuple(
            Variable(name, _text(said.get("default")), _texts(said.get("enum")))
            for name, said in (variables or {}).items()
            if isinstance(said, dict)
        )
        url = without_user(one["url"])
        out.setdefault(url, Server(url, made))
    return tuple(out.values())


def swagger_servers(document: dict[str, Any]) -> tuple[Server, ...]:
    """Host, base path and schemes of OpenAPI 2.0; without a host, the base path alone."""
    host, base = _text(document.get("host")), _text(document.get("basePath"))
    base = base if base in ("", "/") or base.startswith("/") else f"/{base}"
    base = base.rstrip("/")
    if not host:
        return (Server(base),) if base else ()
    schemes = _texts(document.get("schemes"))
    starts = [f"{one}:" for one in schemes] or [""]
    return tuple(Server(without_user(f"{one}//{host}{base}")) for one in dict.fromkeys(starts))


def without_user(url: str) -> str:
    """A URL without user and password."""
    return _USER.sub("", url)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int, float)) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(one) for one in value)) if isinstance(value, list) else ()
