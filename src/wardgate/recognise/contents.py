"""Classes of data in what calls carry: path segments, query parameters, headers, and bodies both ways.

Every distinct target, header and body is looked at once; rows only point at what was found there. Places are
`path:3` (the third segment), `query:email`, `header:x-user`, `body:user.email`, and with `response.` before
them what came back. What is found is counted and located; no value leaves this module.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import Ids
from wardgate.core.keys import Key
from wardgate.match.finder import Finder, finder
from wardgate.match.signals.noticing import noticing
from wardgate.recognise.bodies import is_name
from wardgate.recognise.carried import BodyReader, Carried
from wardgate.recognise.distinct import Codes, combined, one_chunk, spread
from wardgate.recognise.located import Located, data_class_lists

MOST_SEGMENTS = 64
MOST_PARAMETERS = 200
_WORD = r"^[A-Za-z][A-Za-z_-]{1,31}$"
_QUIET = frozenset(
    """
    authorization proxy-authorization cookie set-cookie host user-agent accept accept-language accept-encoding
    accept-charset accept-ranges connection keep-alive content-type content-length content-encoding date etag
    if-none-match if-modified-since last-modified expires cache-control pragma vary via age server upgrade te
    trailer transfer-encoding origin forwarded x-forwarded-for x-forwarded-host x-forwarded-proto
    x-forwarded-port x-forwarded-client-cert x-real-ip true-client-ip cf-connecting-ip cf-ray cdn-loop
    traceparent tracestate
    x-request-id x-correlation-id x-amzn-trace-id x-amz-cf-id x-b3-traceid x-b3-spanid sec-fetch-mode
    sec-fetch-site sec-fetch-dest sec-ch-ua strict-transport-security content-security-policy
    x-content-type-options
    x-frame-options access-control-allow-origin access-control-allow-headers access-control-allow-methods
    report-to nel alt-svc x-envoy-external-address x-envoy-peer-metadata
    """.split()
)
"""Headers that belong to HTTP, to hops or to credentials: what they hold is known, and judged elsewhere."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a batch's calls carry; `request` and `response` are None where no call shows such a body."""

    data_classes: pa.Array
    """One list of `core.call.DATA_CLASS` per row; null where nothing was found."""
    request: Carried | None
    response: Carried | None


class ContentReader:
    """Looks at all that calls carry, under one key."""

    def __init__(self, key: Key, known: Finder | None = None) -> None:
        self._known = known or finder()
        self._bodies = BodyReader(key, self._known)

    def read(
        self,
        observed: pa.Table,
        groups: Codes | None = None,
        families: tuple[Ids, Ids] | None = None,
    ) -> Contents:
        """What an observed batch carries. `groups`: whose schema each row's bodies belong to.

        `families`: which groups' requests, and which groups' responses, are alike.
        """
        names = observed.column_names
        parts = _outside_bodies(observed, self._known)
        carried: dict[str, Carried | None] = {"request_body": None, "response_body": None}
        for side, (column, prefix) in enumerate(
            (("request_body", "body:"), ("response_body", "response.body:"))
        ):
            if column in names and observed[column].null_count < observed.num_rows:
                of = np.zeros(observed.num_rows, np.int64) if groups is None else groups
                # What services answer is theirs: pages are full of script.
                rules = noticing() if column == "request_body" else None
                found = carried[column] = self._bodies.read(
                    observed[column], of, prefix, rules, families[side] if families else None
                )
                parts.append(found.located)
        lists = data_class_lists(parts, [one.name for one in self._known.classes], observed.num_rows)
        return Contents(lists, carried["request_body"], carried["response_body"])


def _outside_bodies(observed: pa.Table, known: Finder) -> list[Located]:
    """Targets, queries, headers and cookies."""
    names = observed.column_names
    parts: list[Located] = []
    if "target" in names:
        parts += _targets(observed["target"], known)
    if "query" in names:
        texts, codes = _suspect(*_encoded(observed["query"]), known, is_query=True)
        parts += [_query(texts, codes, known)] if len(texts) else []
    for name in names:
        prefix, dot, header = name.partition(".")
        if dot and prefix in ("req", "resp", "cookie") and header.lower() not in _QUIET:
            parts += _single(observed[name], _PREFIXES[prefix] + header.lower(), header, known)
    for column, prefix in (("request_headers", "header:"), ("response_headers", "response.header:")):
        if column in names:
            parts += _headers(observed[column], prefix, known)
    return parts


_PREFIXES = {"req": "header:", "resp": "response.header:", "cookie": "cookie:"}


def _encoded(column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, Codes]:
    array = one_chunk(column)
    encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
    codes: Codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary, codes


def _suspect(
    texts: pa.Array, codes: Codes, known: Finder, *, is_query: bool = False
) -> tuple[pa.Array, Codes]:
    """Only the texts that may hold something, and codes into them: most do not."""
    kept = known.may_carry(texts, is_query=is_query)
    if kept.all():
        return texts, codes
    of = np.where(kept, np.cumsum(kept) - 1, -1)
    return texts.filter(pa.array(kept)), _through(codes, of) if kept.any() else codes


def _exploded(texts: pa.Array, mark: str, most: int) -> tuple[Codes, Codes, pa.Array, Codes]:
    """Parts of texts between marks: (text, number in it, distinct parts, code of part)."""
    lists = pc.split_pattern(texts, mark)
    of: Codes = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    nth = np.arange(len(of)) - np.searchsorted(of, of, "left")
    flat = pc.list_flatten(lists)
    if len(of) and int(nth.max()) >= most:
        kept = nth < most
        of, nth, flat = of[kept], nth[kept], flat.filter(pa.array(kept))
    parts = pc.dictionary_encode(flat)
    return of, nth, parts.dictionary, parts.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _decoded(parts: pa.Array, marks: str) -> pa.Array:
    """Distinct parts, percent-encoding undone where there is any."""
    coded = pc.match_substring_regex(parts, marks)
    if not pc.any(coded).as_py():
        return parts
    undo = unquote_plus if "+" in marks else unquote
    plain = [undo(one) for one in parts.filter(coded).to_pylist()]
    return pc.replace_with_mask(parts, coded, pa.array(plain, pa.string()))


def _targets(column: pa.ChunkedArray, known: Finder) -> list[Located]:
    """Paths and queries of targets, each looked at once however often they come together."""
    texts, codes = _suspect(*_encoded(column), known)
    if not len(texts):
        return []
    sides = pc.split_pattern(texts, "?", max_splits=1)
    length = pc.list_value_length(sides).to_numpy(zero_copy_only=False)
    start = np.cumsum(length) - length
    flat = pc.list_flatten(sides)
    paths = flat.take(pa.array(start))
    for mark, cut in (("://", r"^[A-Za-z][A-Za-z0-9+.-]*://[^/]*"), ("#", r"(?s)#.*$")):
        if pc.any(pc.match_substring(paths, mark)).as_py():
            paths = pc.replace_substring_regex(paths, cut, "")
    own, of_text = _encoded(paths)
    located = [_path(own, _through(codes, of_text), known)]
    asking = np.flatnonzero(length > 1)
    if len(asking):
        own, of_asking = _encoded(flat.take(pa.array(start[asking] + 1)))
        of_text = np.full(len(texts), -1, np.int64)
        of_text[asking] = of_asking
        located.append(_query(own, _through(codes, of_text), known))
    return located


def _through(codes: Codes, of: Codes) -> Codes:
    """Codes into things, turned into codes into what `of` says of each thing."""
    return np.where(codes < 0, -1, of[np.maximum(codes, 0)])


def _path(paths: pa.Array, codes: Codes, known: Finder) -> Located:
    """Segments, each under the name that the one before it is."""
    of, nth, segments, code = _exploded(paths, "/", MOST_SEGMENTS)
    words = pc.match_substring_regex(segments, _WORD).to_numpy(zero_copy_only=False)
    names, name_of_segment = ["segment"], np.zeros(len(segments), np.int64)
    for at in np.flatnonzero(words).tolist():
        word = segments[at].as_py()
        if known.is_known_field(word):
            name_of_segment[at] = len(names)
            names.append(word)
    name = np.zeros(len(code), np.int64)
    name[1:] = np.where(nth[1:] > 0, name_of_segment[code[:-1]], 0)
    first, pair = combined(code, name)
    values = _decoded(segments, "%").take(pa.array(code[first]))
    return _located(
        known, values, names, name[first], pair, codes, of, nth, [f"path:{i}" for i in range(MOST_SEGMENTS)]
    )


def _query(queries: pa.Array, codes: Codes, known: Finder) -> Located:
    of, _, pairs, code = _exploded(queries, "&", MOST_PARAMETERS)
    sides = pc.split_pattern(pairs, "=", max_splits=1)
    length = pc.list_value_length(sides).to_numpy(zero_copy_only=False)
    flat = pc.list_flatten(sides)
    start = np.cumsum(length) - length
    names = pc.dictionary_encode(_decoded(flat.take(pa.array(start)), "[%+]"))
    # A parameter without "=" is a value without a name.
    values = _decoded(flat.take(pa.array(start + length - 1)), "[%+]")
    raw = [*names.dictionary.to_pylist(), ""]
    name = np.where(length > 1, names.indices.to_numpy(zero_copy_only=False), len(raw) - 1).astype(np.int64)
    shown = [f"query:{shown_name(one)}" for one in raw]
    return _located(known, values, raw, name, code, codes, of, name[code], shown)


def shown_name(name: str) -> str:
    """A parameter's or header's name as a place may tell it: `items[3].id` is `items.*.id`, data is `*`."""
    parts = [one for one in re.split(r"[.\[\]]+", name.strip()[:200]) if one][:8]
    if any(not is_name(one) and not one.isdigit() for one in parts):
        return "*"
    return ".".join("*" if one.isdigit() else one for one in parts)


def _located(
    known: Finder,
    values: pa.Array,
    names: Sequence[str],
    name_of: Codes,
    value_of: Codes,
    codes: Codes,
    thing: Codes,
    place: Codes,
    places: Sequence[str],
) -> Located:
    """Distinct values under their names, found, and put back to where they stand."""
    hits = known.find(values, names, name_of)
    which, at = spread(hits.row, value_of)
    return Located(codes, thing[at], hits.data_class[which], place[at], hits.count[which], places)


def _single(column: pa.ChunkedArray, place: str, name: str, known: Finder) -> list[Located]:
    """A column of one header or cookie."""
    texts, codes = _encoded(column)
    if not len(texts):
        return []
    each = np.arange(len(texts), dtype=np.int64)
    zero = np.zeros(len(texts), np.int64)
    return [_located(known, texts, [name], zero, each, codes, each, zero, [place])]


def _headers(column: pa.ChunkedArray, prefix: str, known: Finder) -> list[Located]:
    """Lists of headers: distinct values under distinct names."""
    lists = one_chunk(column)
    flat = pc.list_flatten(lists)
    if not len(flat):
        return []
    row: Codes = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    heads = pc.dictionary_encode(flat.field("name").fill_null(""))
    names = [one.strip().lower() for one in heads.dictionary.to_pylist()]
    loud = np.array([one not in _QUIET and not one.startswith(":") for one in names], bool)
    name: Codes = heads.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    at = np.flatnonzero(loud[name])
    if not len(at):
        return []
    texts, value = _encoded(flat.field("value").take(pa.array(at)).fill_null(""))
    name = name[at]
    first, pair = combined(value, name)
    shown = [prefix + shown_name(one) for one in names]
    own_row = np.arange(len(lists), dtype=np.int64)
    return [
        _located(
            known, texts.take(pa.array(value[first])), names, name[first], pair, own_row, row[at], name, shown
        )
    ]
