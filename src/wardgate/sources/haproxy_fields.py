"""What HAProxy's columns mean: pairs divided, -1 absent, `#XX` decoded, captured headers named.

Reference: HAProxy Configuration Manual, "8.2.3 HTTP log format", "8.6 Non-printable characters" and "8.8
Capturing HTTP headers". Captured values never hold braces or bars of their own: those are written `#7B`,
`#7C`, `#7D`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from wardgate.sources.access import by_distinct, is_field, plain
from wardgate.sources.endpoints import address_and_port
from wardgate.sources.header_fields import request_field, response_field

CLIENT = "client_pair"
"""Field of `%ci:%cp`, which must be divided at its last colon."""

_ENCODED = re.compile(r"#([0-9A-F]{2})")


@dataclass(frozen=True, slots=True)
class Captures:
    """Names of the headers a frontend captures, in the order of their slots."""

    request: tuple[str, ...] = ()
    response: tuple[str, ...] = ()


def refined(fields: dict[str, pa.Array], captures: Mapping[str, Captures]) -> dict[str, pa.Array]:
    """Fields of `access` from HAProxy's own: pairs divided, -1 absent, `#XX` decoded, headers named."""
    if CLIENT in fields:
        fields["client"], fields["client_port"] = address_and_port(fields.pop(CLIENT))
    if "status" in fields:
        status = fields["status"]
        fields["status"] = pc.if_else(pc.greater(status, 0), status, pa.scalar(None, pa.int64()))
    if "query" in fields:
        fields["query"] = by_distinct(fields["query"], lambda q: q.removeprefix("?") or None, pa.string())
    for name in ("request", "target", "query", "captured_hr", "captured_hs"):
        if name in fields:
            fields[name] = by_distinct(fields[name], _decoded, pa.string())
    if "frontend" in fields:
        _name_captured(fields, captures)
        if "scheme" not in fields:
            fields["scheme"] = by_distinct(
                fields["frontend"], lambda name: "https" if name.endswith("~") else None, pa.string()
            )
    if "backend" in fields:
        fields["service_name"] = fields["backend"]
        if "server" in fields and "upstream" not in fields:
            fields["upstream"] = _server(fields["backend"], fields["server"])
    return {name: array for name, array in fields.items() if is_field(name)}


def _server(backend: pa.Array, server: pa.Array) -> pa.Array:
    """`backend/server`; null where no server was chosen (`<NOSRV>`)."""
    chosen = by_distinct(server, lambda name: None if name.startswith("<") else name, pa.string())
    return pc.binary_join_element_wise(plain(backend), chosen, "/")


def _name_captured(fields: dict[str, pa.Array], captures: Mapping[str, Captures]) -> None:
    """Columns of captured headers, by what each line's frontend captures."""
    hr, hs = fields.get("captured_hr"), fields.get("captured_hs")
    if hr is None or not captures:
        return
    # One block only: it holds the response's headers where a frontend captures no others.
    blocks = [("hr", hr)] if hs is None else [("hr", hr), ("hs", hs)]
    frontend = by_distinct(fields["frontend"], lambda name: name.rstrip("~"), pa.string())
    for block, values in blocks:
        keyed = pc.binary_join_element_wise(frontend, plain(values), "\0")
        columns: dict[str, list[tuple[str, int]]] = {}
        for name, known in captures.items():
            of_response = block == "hs" or (hs is None and not known.request)
            for slot, header in enumerate(known.response if of_response else known.request):
                if not header:  # a slot that holds something else
                    continue
                column = response_field(header) if of_response else request_field(header)
                columns.setdefault(column, []).append((name, slot))
        for column, slots in columns.items():
            fields[column] = by_distinct(keyed, partial(_slot, slots=dict(slots)), pa.string())


def _slot(key: str, *, slots: dict[str, int]) -> str | None:
    frontend, _, block = key.partition("\0")
    slot = slots.get(frontend)
    values = block.split("|")
    return (values[slot] or None) if slot is not None and slot < len(values) else None


def _decoded(value: str) -> str:
    """Undo `#XX`, as HAProxy writes quotes, braces and bytes that do not print."""
    if "#" not in value:
        return value
    raw = _ENCODED.sub(lambda found: chr(int(found[1], 16)), value)
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw
