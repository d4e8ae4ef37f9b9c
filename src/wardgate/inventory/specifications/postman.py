"""Postman collections 2.0 and 2.1: requests somebody wrote down, as operations.

A collection is full of values: tokens, passwords, identifiers. None is kept. `:name` and `{{name}}` are
parameters of a path, and so is a segment that looks like an identifier or a secret.
"""

import re
from typing import Any

from msgspec.structs import replace

from wardgate.inventory.specifications.form import (
    Body,
    Kind,
    Need,
    Operation,
    Parameter,
    Place,
    Request,
    Response,
    Scheme,
    Server,
    Shape,
    Specification,
)
from wardgate.inventory.specifications.notes import Notes, Pointer, below
from wardgate.inventory.specifications.openapi_servers import without_user
from wardgate.match.secrets import UUID, secret_kind

_VARIABLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_HOST = re.compile(
    r"(?:(?P<scheme>https?:|wss?:)?//)?(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?)(?P<path>/[A-Za-z0-9._~/-]*)?\Z"
)
_PLAIN = re.compile(r"[^A-Za-z0-9_.-]+")
_METHOD = re.compile(r"[A-Z]{1,20}\Z")
_TEXT = Shape(types=("string",))
_BODIES = {"urlencoded": "application/x-www-form-urlencoded", "formdata": "multipart/form-data"}
_LANGUAGES = {"json": "application/json", "xml": "application/xml", "html": "text/html"}
_QUIET = frozenset(
    "accept accept-encoding authorization cache-control connection content-length content-type cookie host "
    "postman-token user-agent".split()
)


def is_postman(document: Any) -> bool:
    """Whether a document claims to be a collection."""
    info = document.get("info") if isinstance(document, dict) else None
    schema = info.get("schema") if isinstance(info, dict) else None
    return isinstance(schema, str) and "/collection/v2" in schema


def read_postman(document: dict[str, Any], notes: Notes) -> Specification:
    """The requests of a collection."""
    return _Reader(document, notes).read()


class _Reader:
    """Reads one collection."""

    def __init__(self, document: dict[str, Any], notes: Notes) -> None:
        self._document = document
        self._notes = notes
        self._schemes: dict[str, Scheme] = {}
        self._servers: dict[str, Server] = {}
        self._operations: dict[tuple[str, str, str], Operation] = {}
        self._variables = {
            one["key"]: one["value"]
            for one in _list(document.get("variable"))
            if isinstance(one, dict) and isinstance(one.get("key"), str) and isinstance(one.get("value"), str)
        }

    def read(self) -> Specification:
        info = self._document["info"]
        self._items(self._document.get("item"), "#/item", self._document.get("auth"), ())
        several = len(self._servers) > 1
        operations = [one if several else replace(one, servers=()) for one in self._operations.values()]
        return Specification(
            kind=Kind.POSTMAN_2_0 if "/v2.0" in info["schema"] else Kind.POSTMAN,
            title=info.get("name") if isinstance(info.get("name"), str) else "",
            version=info.get("version") if isinstance(info.get("version"), str) else "",
            servers=tuple(self._servers.values()),
            operations=tuple(sorted(operations, key=lambda one: one.key)),
            schemes=self._schemes,
            left_out=self._notes.kept,
            left_out_total=self._notes.total,
        )

    def _items(self, items: Any, pointer: Pointer, auth: Any, folders: tuple[str, ...]) -> None:
        for at, one in enumerate(_list(items)):
            place = below(pointer, at)
            if not isinstance(one, dict):
                self._notes.add("postman-malformed", place)
            elif "item" in one:
                name = one.get("name")
                inner = (*folders, name) if isinstance(name, str) else folders
                self._items(one["item"], below(place, "item"), one.get("auth") or auth, inner)
            elif isinstance(one.get("request"), (dict, str)):
                self._request(one, place, auth, folders)
            else:
                self._notes.add("postman-malformed", place)

    def _request(self, item: dict[str, Any], pointer: Pointer, auth: Any, folders: tuple[str, ...]) -> None:
        given = item["request"]
        given = {"url": given} if isinstance(given, str) else given
        method = str(given.get("method") or "GET").upper()
        if not _METHOD.match(method):
            self._notes.add("method-unknown", below(pointer, "request", "method"))
            return
        template, server, queries = self._url(given.get("url"))
        statuses = sorted(
            {str(one["code"]) for one in _list(item.get("response")) if isinstance(one, dict) and _code(one)}
        )
        made = Operation(
            template=template,
            method=method,
            parameters=self._parameters(template, queries, given),
            request=_body(given.get("body")),
            responses=tuple(Response(one) for one in statuses),
            security=self._security(given.get("auth") or auth),
            tags=folders[-1:],
            servers=(server,) if server else (),
        )
        if made.key in self._operations:
            self._notes.add("duplicate-operation", below(pointer, "request"))
        self._operations.setdefault(made.key, made)

    def _url(self, url: Any) -> tuple[str, Server | None, list[str]]:
        """Template, server and names of query parameters."""
        raw = url if isinstance(url, str) else url.get("raw") if isinstance(url, dict) else ""
        raw = raw if isinstance(raw, str) and raw else _put_together(url)
        path, _, query = raw.partition("#")[0].partition("?")
        start, found, rest = "", re.match(r"(?:[a-z]+:)?//[^/]*", path), path
        if found is not None:
            start, rest = found[0], path[found.end() :]
        elif not path.startswith("/"):
            start, _, rest = path.partition("/")
        names = [one.partition("=")[0] for one in query.split("&") if one]
        if isinstance(url, dict):
            names += [
                str(one["key"]) for one in _list(url.get("query")) if isinstance(one, dict) and one.get("key")
            ]
        server, base = self._server(start)
        segments = [_segment(one) for one in f"{base}/{rest}".split("/") if one]
        return "/" + "/".join(segments), server, list(dict.fromkeys(names))

    def _server(self, start: str) -> tuple[Server | None, str]:
        """A server and a base path, with the collection's variables filled in where they make a plain URL."""
        filled = without_user(_VARIABLE.sub(lambda one: self._variables.get(one[1], one[0]), start))
        found = _HOST.match(filled)
        if found is None:
            return None, ""
        url = f"{found['scheme'] or ''}//{found['host']}"
        return self._servers.setdefault(url, Server(url)), found["path"] or ""

    def _parameters(self, template: str, queries: list[str], given: dict[str, Any]) -> tuple[Parameter, ...]:
        out = {(Place.PATH, one): True for one in re.findall(r"\{([^{}]*)\}", template)}
        out |= {(Place.QUERY, _VARIABLE.sub("", one)): False for one in queries}
        for one in _list(given.get("header")):
            name = one.get("key") if isinstance(one, dict) else None
            if isinstance(name, str) and name and name.lower() not in _QUIET and not _VARIABLE.search(name):
                out[Place.HEADER, name] = False
        return tuple(
            Parameter(name, place, needed, _TEXT) for (place, name), needed in sorted(out.items()) if name
        )

    def _security(self, auth: Any) -> tuple[tuple[Need, ...], ...] | None:
        kind = auth.get("type") if isinstance(auth, dict) else None
        if not isinstance(kind, str):
            return None
        if kind == "noauth":
            return ()
        if kind == "apikey":
            said = auth.get("apikey")  # 2.0 has an object, 2.1 a list of keys and values
            facts = {one.get("key"): one.get("value") for one in _list(said) if isinstance(one, dict)}
            facts = facts or (said if isinstance(said, dict) else {})
            name = facts.get("key") if isinstance(facts.get("key"), str) else "X-API-Key"
            place = Place.QUERY if facts.get("in") == "query" else Place.HEADER
            self._schemes["apikey"] = Scheme("apiKey", place=place, name=str(name))
        else:
            self._schemes[_PLAIN.sub("_", kind)] = Scheme(
                "http", scheme="bearer" if kind == "oauth2" else kind
            )
        return ((Need(_PLAIN.sub("_", kind)),),)


def _put_together(url: Any) -> str:
    """A URL that is given by its parts alone."""
    if not isinstance(url, dict):
        return ""
    host, path = _joined(url.get("host"), "."), _joined(url.get("path"), "/")
    protocol = url.get("protocol")
    start = f"{protocol}://" if isinstance(protocol, str) and host else ""
    return f"{start}{host}/{path.removeprefix('/')}"


def _joined(value: Any, between: str) -> str:
    """Text, or a list of texts (or of objects that hold one as their value)."""
    parts = [one.get("value") if isinstance(one, dict) else one for one in _list(value)]
    return value if isinstance(value, str) else between.join(one for one in parts if isinstance(one, str))


def _segment(text: str) -> str:
    """A segment of a path; what is a variable or a value becomes a parameter."""
    if text.startswith(":") and len(text) > 1:
        return f"{{{_PLAIN.sub('_', text[1:])}}}"
    if _VARIABLE.search(text):
        return _VARIABLE.sub(lambda one: f"{{{_PLAIN.sub('_', one[1]) or 'value'}}}", text)
    return "{id}" if _is_value(text) else text


def _is_value(text: str) -> bool:
    return (
        text.isdecimal()
        or UUID.match(text) is not None
        or (len(text) >= 12 and secret_kind(text) is not None)
    )


def _body(body: Any) -> Request | None:
    """The media type and, of forms, the names of the fields."""
    mode = body.get("mode") if isinstance(body, dict) else None
    if mode in _BODIES:
        names = [one.get("key") for one in _list(body.get(mode)) if isinstance(one, dict)]
        fields = {
            name: _TEXT for name in names if isinstance(name, str) and name and not _VARIABLE.search(name)
        }
        return Request(False, (Body(_BODIES[mode], Shape(types=("object",), fields=fields)),))
    if mode == "raw":
        options = body.get("options")
        raw = options.get("raw") if isinstance(options, dict) else None
        language = raw.get("language") if isinstance(raw, dict) else None
        return Request(False, (Body(_LANGUAGES.get(str(language), "text/plain")),))
    if mode == "graphql":
        return Request(False, (Body("application/json"),))
    return Request(False, (Body("application/octet-stream"),)) if mode == "file" else None


def _code(one: dict[str, Any]) -> bool:
    return isinstance(one.get("code"), int) and 100 <= one["code"] <= 599


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
