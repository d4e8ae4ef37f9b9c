"""What calls were answered with, as far as it tells files and pages from an API.

A GET that is answered with HTML is a page; one that is sent to a login page belongs to a web site; one that
is answered with data is an API, whatever its path ends with. Each is learned of the route, and what all of
them together say is decided when the inventory is read (`inventory.scope`), so that their order does not
matter.
Where a source shows no content types nothing is learned.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.recognise.distinct import Codes, Distinct

Flags = npt.NDArray[np.bool_]

KINDS = ("json", "data", "page", "login")
_JSON_KIND, _DATA_KIND, _PAGE_KIND, _LOGIN_KIND = range(len(KINDS))
_JSON = r"(?i)[/+](?:x-)?(?:nd|ld)?json(?:l|-seq)?\b|/jsonl\b"
_DATA = r"(?i)[/+]xml\b|/csv\b|yaml\b|protobuf|msgpack|/event-stream\b|/cbor\b|problem\+|multipart/"
_PAGE = r"(?i)^(?:text/html|application/xhtml\+xml)\b"
_LOGIN = (
    r"(?i)[/._-](?:log|sign)[-_]?(?:in|on)(?:[/?.#]|$)|/(?:sso|saml2?|oauth2?|openid|oidc|idp|cas|adfs)(?:[/?]|$)"
    r"|/authorize(?:[/?]|$)"
)
_API = r"(?i)/(?:api|apis|rest|rpc|graphql|v\d{1,3})(?:/|$)"
"""Paths whose calls are an API's even where who calls is sent to log in."""
_FETCHING = ("GET", "HEAD")
_BODILESS = (201, 202, 204, 205)


@dataclass(frozen=True, slots=True)
class Answered:
    """The columns that answers are told from; one entry per row."""

    methods: Distinct
    paths: Distinct
    status: pa.Array | None
    response_type: Distinct
    location: Distinct
    response_body: list[pa.Array]


def answers(shown: Answered, is_http: Flags) -> Distinct | None:
    """Kind of answer per row; None where none shows one. `is_http` excludes rows of other protocols."""
    if shown.status is None or (shown.response_type.is_empty and shown.location.is_empty):
        return None
    status: Codes = shown.status.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    fetched = _of_values(shown.methods, [one.upper() in _FETCHING for one in shown.methods.values], True)
    kind = np.full(len(status), -1, np.int64)
    done = (status >= 200) & (status < 300) & is_http
    if not shown.response_type.is_empty:
        types = shown.response_type
        page = _of_values(types, _flags(types.array, _PAGE)) & done & fetched
        if page.any():
            page &= ~_begins_as_json(shown.response_body, page)
            kind[page] = _PAGE_KIND
        kind[_of_values(types, _flags(types.array, _DATA)) & done] = _DATA_KIND
        kind[np.isin(status, _BODILESS) & done & (types.codes < 0)] = _DATA_KIND
        kind[_of_values(types, _flags(types.array, _JSON)) & done] = _JSON_KIND
    if not shown.location.is_empty:
        sent = _of_values(shown.location, _flags(shown.location.array, _LOGIN))
        sent &= (status >= 301) & (status <= 308) & (status != 304) & is_http & fetched
        if sent.any():
            codes = np.unique(shown.paths.codes[sent & (shown.paths.codes >= 0)])
            api = codes[_flags(shown.paths.array.take(pa.array(codes)), _API)]
            kind[sent & ~np.isin(shown.paths.codes, api)] = _LOGIN_KIND
    return Distinct(pa.array(KINDS, pa.string()), kind) if (kind >= 0).any() else None


def _flags(texts: pa.Array, pattern: str) -> Flags:
    found: Flags = pc.match_substring_regex(texts, pattern).fill_null(False).to_numpy(zero_copy_only=False)
    return found


def _of_values(values: Distinct, flags: Flags | list[bool], absent: bool = False) -> Flags:
    """Flags per row from flags per distinct value."""
    own = np.append(np.asarray(flags, bool), absent)
    out: Flags = own[values.codes]
    return out


def _begins_as_json(chunks: list[pa.Array], rows: Flags) -> Flags:
    """Rows whose body is JSON after all: some servers call everything HTML."""
    out = np.zeros(len(rows), bool)
    start = 0
    for some in chunks:
        at = np.flatnonzero(rows[start : start + len(some)])
        if len(at):
            begins = pc.match_substring_regex(some.take(pa.array(at)), r"^\s*[{\[]").fill_null(False)
            out[start + at] = begins.to_numpy(zero_copy_only=False)
        start += len(some)
    return out
