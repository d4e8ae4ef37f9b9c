"""Writes docs/reference/configuration.md from the descriptions in `wardgate.core.settings`.

Run by `make docs`; a test fails when the page is stale.
"""

import re
import types
import typing
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from wardgate.core.settings import Config

PAGE = Path(__file__).parent / "reference" / "configuration.md"

_HEAD = """\
<!-- Made by `make docs` from the descriptions in src/wardgate/core/settings.py. -->

# Configuration

Wardgate reads `wardgate.toml` in its home folder, or the file that `--config` (or `WARDGATE_CONFIG`) names.
All keys are optional unless they say otherwise, and so is the file. A key that is not on this page is refused
by name (`config-unknown-key`), a value of the wrong type likewise (`config-wrong-type`).

Every key can be given by environment instead, under the name beside it; the environment wins. Lists and
tables are written as JSON there. Give secrets this way.

```toml
[lake]
retention_days = 90

[listen]
port = 8321

[[source]]
name = "edge"
path = "/var/log/nginx/access.log"
vantage = "edge"
proxies = ["10.0.0.0/8"]
skip = { health-check = ["/healthz"] }
```
"""


def page() -> str:
    """The whole reference, in Markdown."""
    parts = [_HEAD]
    for name, field in Config.model_fields.items():
        model, repeated = _model(field)
        heading = f"[[{name}]]" if repeated else f"[{name}]"
        prefix = f"WARDGATE_{name.upper()}__" + ("NAME__" if repeated else "")
        parts.append(f"\n## `{heading}`\n\n{(model.__doc__ or '').strip()}\n")
        if repeated:
            parts.append(
                "\nOne table each. By environment, `NAME` is the source's name in capitals, other\n"
                "characters than letters and digits as `_`; a source that the file does not have is made.\n"
            )
        parts += [_entry(key, one, prefix) for key, one in model.model_fields.items()]
    return "".join(parts)


def _entry(key: str, field: FieldInfo, prefix: str) -> str:
    facts = (_kind(field.annotation), _default(field), f"environment: `{prefix}{key.upper()}`")
    return f"\n### `{key}`\n\n{field.description}\n\n*{'; '.join(filter(None, facts))}*\n"


def _model(field: FieldInfo) -> tuple[type[BaseModel], bool]:
    arguments = typing.get_args(field.annotation)
    return (arguments[0], True) if arguments else (typing.cast("type[BaseModel]", field.annotation), False)


def _kind(annotation: object) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(one) for one in arguments if one is not type(None))
    if origin is typing.Literal:
        return "one of " + ", ".join(f'"{one}"' for one in arguments)
    if origin is list:
        return f"array of {_kind(arguments[0])}s"
    if origin is dict:
        return f"table of {_kind(arguments[1])}s"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return {int: "integer", str: "string", bool: "boolean", Path: "path"}[typing.cast("type", annotation)]


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "must be given"
    if value is None or value in ({}, []):
        return ""
    text = str(value).lower() if isinstance(value, bool) else re.sub("'", '"', repr(value))
    return f"default: `{text}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
