"""A mapping file's text layout: literals and `{field}` placeholders.

`{{` and `}}` are braces; `{_}` is passed over. A field in double quotes reaches to the closing quote, one at
the end of the line to the end, others to the next literal; only a time, a request line, and what stands
before something else than a space may hold spaces.
"""

import re

import pyarrow as pa

from wardgate.core.errors import WardgateError
from wardgate.sources.layout import Field, Layout, Piece, Refine, unescape_c, unescape_json
from wardgate.sources.mapping_file import Mapping, check_fields, field_name

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_SPACES = {"time_clf": 1, "request": 2}


def text_layout(mapping: Mapping, where: str) -> Layout:
    """The layout of a text mapping. Raises what `mapping_file.check_fields` does."""
    pieces: list[Piece] = []
    names: list[str] = []
    at, quoted = 0, False
    for found in _PLACE.finditer(mapping.layout):
        literal = mapping.layout[at : found.start()]
        at = found.end()
        if found[1] is None:
            _add(pieces, literal + found[0][0])
            continue
        _add(pieces, literal)
        quoted ^= literal.count('"') % 2 == 1
        name = "" if found[1] in ("", "_") else field_name(found[1])
        if name in names:
            raise WardgateError("mapping-bad-value", f"in {where} the layout holds {{{name}}} twice.")
        names += [name] if name else []
        pieces.append(_field(name, quoted, mapping.layout[at:]))
    _add(pieces, mapping.layout[at:])
    check_fields([*names, *mapping.constant], mapping, where)
    return Layout(
        tuple(pieces),
        {"backslash": unescape_c, "json": unescape_json, "none": None}[mapping.escapes],
        stamp=mapping.stamp,
        precision_us=mapping.precision_us,
        time_format=mapping.time_format,
        refine=_with_constants(mapping),
    )


def _field(name: str, quoted: bool, following: str) -> Field:
    if quoted and following.startswith('"'):
        return Field(name, "quoted")
    if not following:
        return Field(name, "rest")
    if name in _SPACES and following[0] != " ":
        return Field(name, "words", spaces=_SPACES[name])
    return Field(name, "word" if following[0] == " " else "words")


def _add(pieces: list[Piece], literal: str) -> None:
    last = pieces[-1] if pieces else None
    if isinstance(last, str):
        pieces[-1] = last + literal
    elif literal:
        pieces.append(literal)


def _with_constants(mapping: Mapping) -> Refine | None:
    if not mapping.constant:
        return None

    def refine(fields: dict[str, pa.Array]) -> dict[str, pa.Array]:
        count = len(next(iter(fields.values())))
        for name, value in mapping.constant.items():
            fields.setdefault(name, pa.array([value] * count, pa.string()))
        return fields

    return refine
