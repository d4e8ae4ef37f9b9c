"""Envoy's access log format strings as layouts.

Reference: Envoy documentation, "Access logging" (format strings, command operators). Text is written as it
comes: a quote in a header is not escaped. `%REQ(X?Y):Z%` is X, else Y, cut at Z; `-` is absent.
"""

import re

import pyarrow as pa

from wardgate.core.errors import WardgateError
from wardgate.sources.access import by_distinct
from wardgate.sources.envoy_operators import HEADER_OPERATORS, OPERATOR, field_of, preference, service_of
from wardgate.sources.layout import Field, Layout, Piece

_REQUEST_LINE = re.compile(
    r'"(%REQ\(:METHOD\)% %(?:REQ\((?:[\w-]+\?)?:PATH\)(?::\d+)?|PATH(?:\([^)]*\))?)% %PROTOCOL%)"',
    re.IGNORECASE,
)
_FRACTIONS = re.compile(r"%([1-9]?)f")
_ISO_LIKE = re.compile(r"%Y-%m-%d[T ]%H:%M:%S(?:\.%[1-9]?f)?(?:Z|%z)?\Z")


def envoy_layout(text: str) -> Layout:
    """The layout of one format string. Raises `layout-empty`, `layout-time`."""
    text = text.rstrip("\n").removesuffix("\\n")
    text = _REQUEST_LINE.sub('"%REQUEST_LINE()%"', text)
    kept = _kept(text)
    pieces: list[Piece] = []
    at, quoted = 0, False
    stamp_format: str | None = None
    for found in OPERATOR.finditer(text):
        literal = text[at : found.start()]
        at = found.end()
        if found[0] == "%%":
            _add(pieces, literal + "%")
            continue
        _add(pieces, literal)
        quoted ^= literal.count('"') % 2 == 1
        name = kept.get(found.start(), "")
        if found[1] == "START_TIME" and found[2]:
            name, stamp_format = _stamp(found[2], name)
        inside = quoted and text[at : at + 1] == '"'
        pieces.append(
            Field(name, "quoted" if inside else "words" if _spaced(found[1], text[at:]) else "word")
        )
    _add(pieces, text[at:])
    if not {"request", "target"} & set(kept.values()):
        raise WardgateError(
            "layout-empty", "the format holds no request such as %REQ(:PATH)%.", mend="Log at least the path."
        )
    return Layout(
        tuple(pieces),
        None,
        stamp="start",
        precision_us=_precision(text),
        time_format=stamp_format,
        refine=_refined,
    )


def _add(pieces: list[Piece], literal: str) -> None:
    last = pieces[-1] if pieces else None
    if isinstance(last, str):
        pieces[-1] = last + literal
    elif literal:
        pieces.append(literal)


def _kept(text: str) -> dict[int, str]:
    """Which operators (by where they stand) fill which field: one each, the preferred ones first."""
    found = [(one.start(), one[1], _field(one[1], one[2] or "")) for one in OPERATOR.finditer(text) if one[1]]
    found.sort(key=lambda one: (preference(one[1]), one[0]))
    kept: dict[int, str] = {}
    for at, _, name in found:
        if name and name not in kept.values():
            kept[at] = name
    return kept


def _field(operator: str, argument: str) -> str:
    if operator == "REQUEST_LINE":
        return "request"
    name = field_of(operator, argument)
    return "time_iso" if name == "started_at" else name


def _spaced(operator: str, following: str) -> bool:
    """Whether a value outside quotes may hold spaces: a header's, before more than a space."""
    return operator in HEADER_OPERATORS and following[:1] not in ("", " ")


def _stamp(form: str, name: str) -> tuple[str, str | None]:
    """The field of `%START_TIME(form)%`, and its `strptime` form where it needs one."""
    if not name or _ISO_LIKE.match(form):
        return name, None
    if form in ("%s", "%s.%3f", "%s.%6f", "%s.%9f", "%s%3f", "%s%6f", "%s%9f"):
        return "time_epoch", None
    if "%s" in form or re.search("%[2457]f|%8f", form):
        raise WardgateError(
            "layout-time",
            f"the time format %START_TIME({form})% cannot be read back.",
            mend="Log %START_TIME%.",
        )
    return "time_text", _FRACTIONS.sub("%f", form)


def _precision(text: str) -> int:
    found = re.search(r"%START_TIME\(([^)]*)\)%", text)
    if found is None:
        return 1000
    fraction = _FRACTIONS.search(found[1])
    return int(10 ** max(0, 6 - int(fraction[1] or 9))) if fraction else 1_000_000


def _refined(fields: dict[str, pa.Array]) -> dict[str, pa.Array]:
    if "upstream" in fields:  # tcp://10.0.2.1:80, as long ago
        fields["upstream"] = by_distinct(fields["upstream"], lambda u: u.removeprefix("tcp://"), pa.string())
    if "service_name" in fields:
        fields["service_name"] = by_distinct(fields["service_name"], service_of, pa.string())
    return fields
