"""What is wrong with a configuration, in one line: the key, what it must be, and what type it was.

Never a value: it could be a password. pydantic is told to keep inputs out of its errors; this keeps them out
of ours.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from wardgate.core.errors import WardgateError

_WANTED = {
    "int": "an integer",
    "float": "a number",
    "string": "a string",
    "bool": "true or false",
    "list": "an array",
    "dict": "a table",
    "model": "a table",
    "path": "a path",
}
_GIVEN = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "a table",
}


def refusal(
    error: ValidationError, model: type[BaseModel], where: str, origins: Mapping[tuple[str, ...], str]
) -> WardgateError:
    """The first thing wrong, as the error to raise. `origins` says which keys came by environment."""
    details = error.errors(include_url=False, include_input=True)
    first = min(details, key=lambda one: one["type"] != "extra_forbidden")
    keys = tuple(str(part) for part in first["loc"])
    variable = origins.get(()) or origins.get(keys)
    key = variable or f"{_dotted(keys)} in {where}"
    more = f" ({len(details) - 1} more like it.)" if len(details) > 1 else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        return _unknown(keys, model, where, more)
    if kind == "missing":
        return WardgateError("config-missing-key", f"{key} is not there, but must be.{more}")
    wanted = _WANTED.get(kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_from_float"))
    if kind.endswith(("_type", "_parsing", "_from_float")) and wanted:
        given = "" if variable else f", not {_given(first['input'])}"
        return WardgateError("config-wrong-type", f"{key} must be {wanted}{given}.{more}")
    return WardgateError("config-bad-value", f"{key if keys or variable else where}: {_said(first)}.{more}")


def _unknown(keys: tuple[str, ...], model: type[BaseModel], where: str, more: str) -> WardgateError:
    known = _siblings(model, keys[:-1])
    near = get_close_matches(keys[-1], known, 1)
    mend = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
    return WardgateError(
        "config-unknown-key", f"{where} has {_dotted(keys)}, which is no key.{more}", mend=mend
    )


def _siblings(model: type[BaseModel], keys: tuple[str, ...]) -> list[str]:
    for key in keys:
        if key.isdecimal():
            continue
        annotation: Any = model.model_fields[key].annotation
        inner = [one for one in (annotation, *get_args(annotation)) if isinstance(one, type)]
        model = next(one for one in inner if issubclass(one, BaseModel))
    return list(model.model_fields)


def _dotted(keys: tuple[str, ...]) -> str:
    """`("source", "1", "path")` → `source[1].path`."""
    out = ""
    for key in keys:
        out += f"[{key}]" if key.isdecimal() else f".{key}" if out else key
    return out


def _given(value: object) -> str:
    return next((name for kind, name in _GIVEN.items() if type(value) is kind), "a date or time")


def _said(detail: ErrorDetails) -> str:
    """pydantic's own words, which hold bounds and choices but no input."""
    text = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return text if detail["type"] != "value_error" or "appear to be" not in text else "is not a network"
