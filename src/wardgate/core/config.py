"""The configuration: one `wardgate.toml`, and the environment over it.

`WARDGATE_SECTION__KEY` overrides `key` of `[section]`; `WARDGATE_SOURCE__NAME__KEY` that of the source called
NAME (lower case, other characters than letters and digits as `_`), which it makes where there is none. Lists
and tables are written as JSON there. Unknown keys and wrong types are refused by name, whichever way they
came; a message names a key and a type, never a value.
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from wardgate.core.config_errors import refusal
from wardgate.core.errors import WardgateError
from wardgate.core.settings import Config, SourceSettings

PREFIX = "WARDGATE_"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_WHERE = re.compile(r"\(at [^()]*\)\Z")


def load_config(path: Path, *, required: bool = False, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of a file and the environment; defaults where the file is not there.

    Raises `config-not-found` (when `required`), `config-unreadable`, `config-not-toml`, `config-unknown-key`,
    `config-wrong-type`, `config-missing-key` or `config-bad-value`.
    """
    data = _read(path, required)
    origins = _overlay(data, os.environ if environ is None else environ)
    try:
        found = Config.model_validate(data)
    except ValidationError as error:
        raise refusal(error, Config, str(path), origins) from None
    return _anchored(found, path.parent)


def _read(path: Path, required: bool) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        if required:
            raise WardgateError("config-not-found", f"there is no file {path}.") from None
        return {}
    except UnicodeDecodeError:
        raise WardgateError("config-not-toml", f"{path} is not text in UTF-8.") from None
    except OSError as error:
        raise WardgateError("config-unreadable", f"cannot read {path}: {error.strerror}.") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = _WHERE.search(str(error))  # the rest of the message may quote a value
        raise WardgateError("config-not-toml", f"{path} is not TOML {where[0] if where else ''}.") from None


Origins = dict[tuple[str, ...], str]
"""Key path → the environment variable it came from."""


def _overlay(data: dict[str, Any], environ: Mapping[str, str]) -> Origins:
    """Put the environment's values over the file's. Raises `config-unknown-key` or `config-wrong-type`."""
    origins: Origins = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        keys = [part.lower() for part in variable.removeprefix(PREFIX).split("__")]
        place: Any = data
        if keys[0] == "source" and len(keys) > 2:
            place = _source_called(data, keys[1])
            trail: tuple[str, ...] = ("source", str(data["source"].index(place)))
            model: type[BaseModel] = SourceSettings
            keys = keys[2:]
        else:
            trail, model = (), Config
        value = _typed(model, keys, environ[variable], variable)
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                break
        else:
            place[keys[-1]] = value
        origins[(*trail, *keys)] = variable
    return origins


def _source_called(data: dict[str, Any], name: str) -> dict[str, Any]:
    sources = data.setdefault("source", [])
    if isinstance(sources, list):
        for one in sources:
            if isinstance(one, dict) and _NOT_IN_NAMES.sub("_", str(one.get("name", "")).lower()) == name:
                return one
        sources.append({"name": name})
        return sources[-1]  # type: ignore[no-any-return]
    raise WardgateError("config-wrong-type", "source must be an array of tables ([[source]]).")


def _typed(model: type[BaseModel], keys: list[str], text: str, variable: str) -> Any:
    """A variable's text as the type of the key it overrides."""
    annotation: Any = model
    for at, key in enumerate(keys):
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if key not in annotation.model_fields:
                raise WardgateError(
                    "config-unknown-key", f"{variable} sets {'.'.join(keys[: at + 1])}, which is no key."
                )
            annotation = annotation.model_fields[key].annotation
        else:  # a key inside a table
            annotation = get_args(annotation)[1] if get_origin(annotation) is dict else str
    value: Any = text
    if text[:1] in ("[", "{"):
        try:
            value = json.loads(text)
        except ValueError:
            raise WardgateError("config-wrong-type", f"{variable} is not JSON.") from None
    try:
        return TypeAdapter(annotation).validate_python(value, strict=False)
    except ValidationError as error:
        raise refusal(error, model, "the environment", {(): variable}) from None


def _anchored(config: Config, folder: Path) -> Config:
    """With relative paths made absolute, from the folder of the configuration."""

    def file(path: Path | None) -> Path | None:
        return folder / path.expanduser() if path is not None else None

    sources = [
        one.model_copy(
            update={
                "path": str(folder / Path(one.path).expanduser()) if one.path is not None else None,
                "config": file(one.config),
            }
        )
        for one in config.source
    ]
    syslog = config.syslog.model_copy(
        update={
            name: file(getattr(config.syslog, name)) for name in ("certificate", "key", "client_authority")
        }
    )
    return config.model_copy(update={"source": sources, "syslog": syslog})
