"""Classes of data in what calls carry: path segments, query parameters, headers, and bodies both ways.

Every distinct target, header and body is looked at once; rows only point at what was found there. Places are
`path:3` (the third segment), `query:email`, `header:x-user`, `body:user.email`, and with `response.` before
them what came back. What is found is counted and located; no value leaves this module.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, unquote_plus

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.match.finder import LONGEST, Finder, finder
from wardgate.recognise.bodies import Kind, Walked, Walker, is_name
from wardgate.recognise.distinct import Codes, combined, one_chunk
from wardgate.recognise.located import Located, data_class_lists

MOST_SEGMENTS = 64
MOST_PARAMETERS = 200
_FORM = re.compile(rb"[\w.\[\]%-]{1,100}=[^\s]*\Z")
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
    """The data classes of a batch's calls, and its JSON bodies as they were walked (None: it had none)."""

    data_classes: pa.Array
    """One list of `core.call.DATA_CLASS` per row; null where nothing was found."""
    request: tuple[Codes, Walked] | None
    """Distinct body per row (-1: none), and the walked bodies; for `recognise.schemas`."""
    response: tuple[Codes, Walked] | None


def contents_of(observed: pa.Table, known: Finder | None = None) -> Contents:
    """Look at all that an observed batch carries."""
    known = known or finder()
    rows = observed.num_rows
    parts: list[Located] = []
    names = observed.column_names
    if "target" in names:
        parts += _targets(observed["target"], known)
    if "query" in names:
        texts, codes = _encoded(observed["query"])
        parts += [_query(texts, codes, known)] if len(texts) else []
    for name in names:
        prefix, dot, header = name.partition(".")
        if dot and prefix in ("req", "resp", "cookie") and header.lower() not in _QUIET:
            parts += _single(observed[name], _PREFIXES[prefix] + header.lower(), header, known)
    for column, prefix in (("request_headers", "header:"), ("response_headers", "response.header:")):
        if column in names:
            parts += _headers(observed[column], prefix, known)
    walked: dict[str, tuple[Codes, Walked] | None] = {"request_body": None, "response_body": None}
    for column, prefix in (("request_body", "body:"), ("response_body", "response.body:")):
        if column in names and observed[column].null_count < rows:
            located, walk = _bodies(observed[column], prefix, known)
            parts += located
            walked[column] = walk
    lists = data_class_lists(parts, [one.name for one in known.classes], rows)
    return Contents(lists, walked["request_body"], walked["response_body"])


_PREFIXES = {"req": "header:", "resp": "response.header:", "cookie": "cookie:"}


def _encoded(column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, Codes]:
    array = one_chunk(column)
    encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
    codes: Codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return encoded.dictionary, codes


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
    texts, codes = _encoded(column)
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
    bare: npt.NDArray[np.bool_] | None = None,
) -> Located:
    """Distinct values under their names, found, and put back to where they stand."""
    hits = known.find(values, names, name_of, bare)
    order = np.argsort(value_of, kind="stable")
    ordered = value_of[order]
    start = np.searchsorted(ordered, hits.row, "left")
    many = np.searchsorted(ordered, hits.row, "right") - start
    at = order[np.repeat(start - np.cumsum(many) + many, many) + np.arange(int(many.sum()))]
    return Located(
        codes, thing[at], np.repeat(hits.data_class, many), place[at], np.repeat(hits.count, many), places
    )


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


def _bodies(
    column: pa.ChunkedArray, prefix: str, known: Finder
) -> tuple[list[Located], tuple[Codes, Walked] | None]:
    """Distinct bodies: JSON by its places, forms by their parameters, all other text as one value."""
    bodies, codes = _encoded(column)
    walker = Walker()
    texts: list[tuple[int, str, str]] = []
    for document, body in enumerate(bodies):
        raw: bytes = body.as_py()
        if not walker.add(document, raw):
            texts += [(document, name, value) for name, value in _texts(raw)]
    walked = walker.taken()
    located = [_walked(walked, codes, prefix, known)]
    if texts:
        names = {name: i for i, name in enumerate(dict.fromkeys(name for _, name, _ in texts))}
        values = pa.array([value for _, _, value in texts], pa.string())
        name_of = np.array([names[name] for _, name, _ in texts], np.int64)
        document_of = np.array([document for document, _, _ in texts], np.int64)
        each = np.arange(len(texts), dtype=np.int64)
        shown = [prefix + shown_name(one) for one in names]
        located.append(
            _located(known, values, list(names), name_of, each, codes, document_of, name_of, shown)
        )
    return located, (codes, walked) if len(walked.kind) else None


def _texts(raw: bytes) -> list[tuple[str, str]]:
    """(name, value) of a body that is not JSON: of a form's parameters, or of one nameless text."""
    text = raw[: 4 * LONGEST].decode("utf-8", "ignore")
    if _FORM.match(raw[: 4 * LONGEST]):
        try:
            return parse_qsl(text, keep_blank_values=False, max_num_fields=MOST_PARAMETERS)
        except ValueError:
            return [("", text)]
    if not text or text.count("\0") > 8:
        return []
    return [("", text[:LONGEST])]


def _walked(walked: Walked, codes: Codes, prefix: str, known: Finder) -> Located:
    """Values of walked bodies. Numbers count only under names that some class knows."""
    is_text = (walked.kind == Kind.STRING) | (walked.kind == Kind.KEY)
    is_number = (walked.kind == Kind.INTEGER) | (walked.kind == Kind.NUMBER)
    named = np.array([known.is_known_field(one) for one in walked.places], bool)
    at = np.flatnonzero(is_text | (is_number & named[walked.place]))
    bare = is_number[at]
    values = walked.values
    texts = [one if type(one) is str else str(one) for one in map(values.__getitem__, at.tolist())]
    encoded = pc.dictionary_encode(pa.array(texts, pa.string()))
    value: Codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    place = walked.place[at]
    # Most names say nothing to any class: one question for a value under all of them.
    names = known.alike(walked.places)[place]
    first, pair = combined(value, names, bare.astype(np.int64))
    return _located(
        known,
        encoded.dictionary.take(pa.array(value[first])),
        walked.places,
        names[first],
        pair,
        codes,
        walked.document[at],
        place,
        [prefix + one for one in walked.places],
        bare[first],
    )
