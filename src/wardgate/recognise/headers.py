"""Headers as columns: one string column per header that means something, whatever way the source gave them.

Lists of headers are taken apart in Arrow: names are looked at once per distinct name, and only the headers
recognition reads become columns. A header that came several times is joined with ", " (RFC 9110, 5.3), and
cookies with "; " (RFC 9113, 8.2.3: HTTP/2 may send each in a field of its own).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.match.secrets import is_secret_name
from wardgate.recognise.credentials import webhook
from wardgate.recognise.credentials.certificate import field_of
from wardgate.recognise.credentials.json_web_token import parts_of
from wardgate.recognise.credentials.names import is_strong_header, may_be_key
from wardgate.recognise.credentials.steady import looks_random

READ = frozenset(
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "user-agent",
        "host",
        "content-type",
        "content-length",
        "x-forwarded-for",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-request-id",
        "x-correlation-id",
        "x-amzn-trace-id",
        "x-amz-cf-id",
        "cf-ray",
        "traceparent",
        "x-b3-traceid",
        "x-forwarded-client-cert",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-amz-security-token",
        "x-session-id",
        # What protocols are told by (`recognise.protocols`).
        "accept",
        "upgrade",
        "sec-websocket-version",
        "soapaction",
        "mcp-method",
        "mcp-name",
        "mcp-session-id",
        "mcp-protocol-version",
        "a2a-version",
        "a2a-extensions",
        "x-a2a-extensions",
        "dpop",
        "signature",
        "signature-input",
        "signature-agent",
        "sec-websocket-protocol",
    ]
)
"""Request headers recognition reads, besides those that present credentials, and those that may."""

READ_RESPONSE = frozenset(
    [
        "content-type",
        "content-length",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "cache-control",
        "ratelimit",
        "ratelimit-limit",
        "x-ratelimit-limit",
        "x-rate-limit-limit",
        "x-request-id",
        "set-cookie",
        "retry-after",
        "location",
        "grpc-status",
        "mcp-session-id",
    ]
)
_MOST_NAMES = 96  # names of headers read in one batch; beyond that somebody makes them up
_MOST_UNKNOWN = 32  # of them, those whose names say nothing
_SAMPLES = 3


def header_columns(observed: pa.Table) -> dict[str, pa.Array]:
    """`req.<name>`, `resp.<name>` and `cookie.<name>` columns of a batch (names in lower case)."""
    found: dict[str, pa.Array] = {}
    for name in observed.column_names:
        if name.startswith(("req.", "resp.")):
            found[name.lower()] = observed[name]
        elif name.startswith("cookie."):
            found[name] = observed[name]
    if "request_headers" in observed.column_names:
        _take_apart(observed["request_headers"], "req.", found)
    if "response_headers" in observed.column_names:
        _take_apart(observed["response_headers"], "resp.", found)
    return found


def is_read(name: str, prefix: str) -> bool:
    """Whether a header (lower case) becomes a column."""
    if prefix == "resp.":
        return name in READ_RESPONSE
    if name in READ or name in webhook.HEADERS or is_strong_header(name) or field_of(name) is not None:
        return True
    return is_secret_name(name.removeprefix("x-")) and name != "sec-websocket-key"


def _take_apart(column: pa.ChunkedArray, prefix: str, found: dict[str, pa.Array]) -> None:
    lists = column.combine_chunks()
    lists = lists.chunk(0) if isinstance(lists, pa.ChunkedArray) else lists
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    flat = pc.list_flatten(lists)
    if not len(flat):
        return
    names = pc.dictionary_encode(flat.field("name").fill_null(""))
    values = flat.field("value")
    codes = names.indices.to_numpy(zero_copy_only=False)
    wanted: dict[str, list[int]] = {}
    unknown: dict[str, list[int]] = {}
    for code, name in enumerate(names.dictionary.to_pylist()):
        low = name.strip().lower()
        if is_read(low, prefix):
            if low in wanted or len(wanted) < _MOST_NAMES:
                wanted.setdefault(low, []).append(code)
        elif prefix == "req." and (low in unknown or len(unknown) < _MOST_UNKNOWN) and may_be_key(low):
            unknown.setdefault(low, []).append(code)
    wanted |= {name: own for name, own in unknown.items() if _may_hold_keys(values, codes, own)}
    for name, its_codes in wanted.items():
        at = np.flatnonzero(np.isin(codes, its_codes))
        between = "; " if name == "cookie" else ", "
        found[prefix + name] = _per_row(rows[at], values.take(pa.array(at)), len(lists), between)


def _may_hold_keys(values: pa.Array, codes: np.ndarray, its_codes: list[int]) -> bool:
    """Whether the first values under a name that says nothing look like keys or tokens."""
    for at in np.flatnonzero(np.isin(codes, its_codes))[:_SAMPLES].tolist():
        value = values[at].as_py() or ""
        if looks_random(value) or parts_of(value) is not None:
            return True
    return False


def _per_row(rows: np.ndarray, values: pa.Array, count: int, between: str) -> pa.Array:
    """One value per row out of (row, value) pairs in row order; repeated rows joined."""
    if len(rows) > 1 and (rows[1:] == rows[:-1]).any():
        joined: dict[int, str] = {}
        for row, value in zip(rows.tolist(), values.to_pylist(), strict=True):
            joined[row] = f"{joined[row]}{between}{value}" if row in joined else (value or "")
        rows, values = np.array(list(joined)), pa.array(list(joined.values()), pa.string())
    places = np.full(count, -1, np.int64)
    places[rows] = np.arange(len(rows))
    return values.take(pa.array(places, pa.int64(), mask=places < 0))
