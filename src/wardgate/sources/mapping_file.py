"""Mapping files: a format in TOML, for people whose log no built-in format reads.

Keys of the file, and nothing else: `format` (text, json, csv), `layout` and `escapes` (text), `delimiter` and
`columns` (csv), `stamp`, `time_format`, `precision_us`, `timezone`, and the tables `fields` (field → key path
or column) and `constant` (field → value of every call). Every error names the key and what is allowed.
"""

import difflib
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from wardgate.core.errors import WardgateError
from wardgate.core.observed import HEADER_PREFIXES
from wardgate.sources.access import FIELDS, NUMBERS, TEXT
from wardgate.sources.times import zone

KINDS = ("text", "json", "csv")
ESCAPES = ("backslash", "json", "none")
_KEYS: dict[str, type] = {
    "format": str,
    "layout": str,
    "escapes": str,
    "delimiter": str,
    "columns": list,
    "stamp": str,
    "time_format": str,
    "precision_us": int,
    "timezone": str,
    "fields": dict,
    "constant": dict,
}
_ONLY = {"layout": "text", "escapes": "text", "delimiter": "csv", "columns": "csv"}
WHOLE = ("request_headers", "response_headers", "request_body", "response_body")
"""Fields of whole messages, which only JSON can hold."""
_ALLOWED = sorted({*FIELDS, *TEXT, *NUMBERS})
_STAMPS = {"time_clf", "time_iso", "time_epoch", "time_text"}


@dataclass(frozen=True, slots=True)
class Mapping:
    """A checked mapping file."""

    kind: Literal["text", "json", "csv"]
    layout: str = ""
    escapes: Literal["backslash", "json", "none"] = "backslash"
    delimiter: str = ","
    columns: tuple[str, ...] = ()
    stamp: Literal["start", "end"] = "end"
    time_format: str | None = None
    precision_us: int = 1_000_000
    timezone: str | None = None
    fields: Table[str, str] = field(default_factory=dict)
    constant: Table[str, str] = field(default_factory=dict)


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises `mapping-unreadable`, `mapping-not-toml` and those of `checked`."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise WardgateError("mapping-unreadable", f"cannot read {path}: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WardgateError("mapping-not-toml", f"{path} is not TOML: {error}.") from error
    return checked(raw, str(path))


def checked(raw: dict[str, Any], where: str) -> Mapping:
    """The mapping, if it is one.

    Raises `mapping-unknown-key`, `mapping-missing-key`, `mapping-bad-value`, `mapping-unknown-field` or
    `mapping-no-request`.
    """
    for key, value in raw.items():
        if key not in _KEYS:
            raise _unknown("mapping-unknown-key", where, "key", key, list(_KEYS))
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise _bad(where, key, f"a {_KEYS[key].__name__}")
    kind = raw.get("format")
    if kind is None:
        raise WardgateError(
            "mapping-missing-key", f"{where} lacks the key 'format';", mend=f"give one of {', '.join(KINDS)}."
        )
    if kind not in KINDS:
        raise _bad(where, "format", f"one of {', '.join(KINDS)}")
    for key, owner in _ONLY.items():
        if key in raw and kind != owner:
            raise _bad(where, key, f"absent: it is for format = {owner!r}")
    needed = "layout" if kind == "text" else "fields"
    if needed not in raw:
        raise WardgateError("mapping-missing-key", f"{where} lacks the key {needed!r}.")
    if kind == "text" and "fields" in raw:
        raise _bad(where, "fields", "absent: a text format names its fields in 'layout'")
    mapping = Mapping(
        kind,
        raw.get("layout", ""),
        _one_of(raw, "escapes", ESCAPES, "backslash", where),
        _delimiter(raw, where),
        tuple(_strings(raw.get("columns", []), where, "columns")),
        _one_of(raw, "stamp", ("start", "end"), "end", where),
        raw.get("time_format"),
        raw.get("precision_us", 1_000_000),
        raw.get("timezone"),
        _table(raw, "fields", where),
        _table(raw, "constant", where),
    )
    if mapping.precision_us < 1:
        raise _bad(where, "precision_us", "at least 1")
    zone(mapping.timezone)
    if kind != "text":
        check_fields([*mapping.fields, *mapping.constant], mapping, where)
    return mapping


def check_fields(names: list[str], mapping: Mapping, where: str) -> None:
    """Refuse field names that mean nothing, and mappings without a request."""
    for name in names:
        known = name in _ALLOWED or (name.startswith(HEADER_PREFIXES) and name.partition(".")[2])
        if not known and not (mapping.kind == "json" and name in WHOLE):
            raise _unknown("mapping-unknown-field", where, "field", name, [*_ALLOWED, "req.<header>"])
    if "time_text" in names and mapping.time_format is None:
        raise WardgateError(
            "mapping-missing-key",
            f"{where} lacks the key 'time_format', which says how 'time_text' is written.",
            mend='Give a strptime form, such as "%d.%m.%Y %H:%M:%S".',
        )
    if len(_STAMPS & set(names)) > 1:
        raise _bad(where, "fields", f"one time of {', '.join(sorted(_STAMPS))}")
    if "request" not in names and not ("method" in names and {"target", "url"} & set(names)):
        raise WardgateError(
            "mapping-no-request",
            f"{where} maps no request;",
            mend="map 'request', or 'method' and 'target' (a method that is not logged: [constant]).",
        )


def field_name(name: str) -> str:
    """The field as it is called inside: header names are lower case, cookie names are as they are."""
    return name.lower() if name.startswith(("req.", "resp.")) else name


def _unknown(code: str, where: str, what: str, name: str, allowed: list[str]) -> WardgateError:
    near = difflib.get_close_matches(name, allowed, 1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return WardgateError(
        code, f"{where} has the unknown {what} {name!r}.", mend=f"{hint}Allowed are {', '.join(allowed)}."
    )


def _bad(where: str, key: str, allowed: str) -> WardgateError:
    return WardgateError("mapping-bad-value", f"in {where} the key {key!r} must be {allowed}.")


def _one_of(raw: dict[str, Any], key: str, allowed: tuple[str, ...], default: str, where: str) -> Any:
    value = raw.get(key, default)
    if value not in allowed:
        raise _bad(where, key, f"one of {', '.join(allowed)}")
    return value


def _delimiter(raw: dict[str, Any], where: str) -> str:
    value = cast(str, raw.get("delimiter", ","))
    value = "\t" if value == "tab" else value
    if len(value) != 1 or not value.isascii() or value in '"\r\n':
        raise _bad(where, "delimiter", 'one character, such as "," or ";", or "tab"')
    return value


def _strings(values: list[Any], where: str, key: str) -> list[str]:
    if not all(isinstance(value, str) and value for value in values) or len(set(values)) < len(values):
        raise _bad(where, key, "a list of different names")
    return values


def _table(raw: dict[str, Any], key: str, where: str) -> dict[str, str]:
    """A table of strings. TOML reads a bare `req.authorization` as a table of its own: put together again."""
    found: dict[str, str] = {}
    for name, value in raw.get(key, {}).items():
        inner = value if isinstance(value, dict) and f"{name}." in HEADER_PREFIXES else {None: value}
        for header, one in inner.items():
            full = field_name(name if header is None else f"{name}.{header}")
            if not isinstance(one, str) or not one:
                raise _bad(where, f"{key}.{full}", "a string")
            found[full] = one
    return found
