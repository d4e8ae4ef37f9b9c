"""Asking a batch which protocol each call speaks: hints over columns first, a closer look at what is left.

Logs without content types, headers and bodies cost a look at their POST paths and queries. Bodies cost one
pass of a pattern. Each distinct exchange that fits a hint is looked at once; its rows share the answer.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.keys import Key
from wardgate.recognise.distinct import Codes, Distinct, coded, combined, distinct, nothing, one_chunk
from wardgate.recognise.protocols.catalogue import protocols
from wardgate.recognise.protocols.names import clean
from wardgate.recognise.protocols.shape import TRAITS, Found, Hints, ProtocolKind, Seen
from wardgate.recognise.tokens import Tokens

_ESCAPED = r"\\u00[4-7]"
"""A key of JSON may be written with escapes: `\\u0071uery` is `query`."""
_MOST_VALUE = 8_192
"""Characters of a header's value that are looked at."""
Flags = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Exchanges:
    """The columns of a batch that protocols are told from. Codes and chunks have one entry per row."""

    rows: int
    methods: Distinct
    targets: Distinct
    """Raw targets."""
    paths: Distinct
    queries: Distinct
    """Paths and queries with secrets as tokens."""
    apart: Distinct
    """Raw queries that the source keeps apart from the target."""
    request_type: Distinct
    response_type: Distinct
    headers: dict[str, pa.Array]
    status: pa.Array | None = None
    request_body: list[pa.Array] = field(default_factory=list)
    response_body: list[pa.Array] = field(default_factory=list)
    protocol: Distinct | None = None
    operation: Distinct | None = None
    """What the source itself says, masked. It is believed."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What each row speaks; codes are -1 where it is plain HTTP, or nothing more is known."""

    protocol: Distinct
    operation: Distinct
    session: Distinct
    """Keyed hashes of session ids."""
    traits: dict[str, Distinct]
    outcome: Codes
    """HTTP status that a protocol's own status means; 0 where it says none."""


class Protocols:
    """Asks all protocols, under one key. `kinds` are the catalogue's unless a test hands in others."""

    def __init__(self, key: Key, tokens: Tokens, kinds: Sequence[ProtocolKind] | None = None) -> None:
        self._key = key
        self._tokens = tokens
        self._kinds = list(protocols() if kinds is None else kinds)
        hints = [one.hints for one in self._kinds]
        self._post_path = _either([one.post_path for one in hints])
        self._query = _either([one.query for one in hints])
        texts = sorted({text for one in hints for text in one.body})
        self._body = "|".join([*map(re.escape, texts), _ESCAPED]) if texts else None

    def ask(self, batch: Exchanges) -> Spoken:
        """What the calls of a batch speak."""
        flags = np.zeros(batch.rows, np.int64)
        for bit, one in enumerate(self._kinds):
            self._flag(batch, one.hints, 1 << bit, flags)
        self._flag_paths(batch, flags)
        self._flag_queries(batch, flags)
        bodied = self._flag_bodies(batch, flags)
        claimed = self._heed_source(batch, flags)
        at = np.flatnonzero(flags)
        if not len(at):
            return _only_given(batch)
        found, combination, kinds = self._look(batch, at, flags[at], bodied, claimed)
        return self._spread(batch, at, found, combination, kinds)

    def _flag(self, batch: Exchanges, hints: Hints, bit: int, flags: Flags) -> None:
        for pattern, values in (
            (hints.request_type, batch.request_type),
            (hints.response_type, batch.response_type),
        ):
            if pattern is not None and not values.is_empty:
                _mark(values, _matches(values.array, f"(?i){pattern}"), bit, flags)
        for name in hints.headers:
            column = batch.headers.get(name)
            if column is not None and column.null_count < batch.rows:
                flags[column.is_valid().to_numpy(zero_copy_only=False)] |= bit
        for name, pattern in hints.values:
            column = batch.headers.get(name)
            if column is not None:
                values = distinct(column, batch.rows)
                _mark(values, _matches(values.array, pattern), bit, flags)
        if hints.statuses and batch.status is not None:
            for status in hints.statuses:
                hit = pc.equal(batch.status, status).fill_null(False)
                flags[hit.to_numpy(zero_copy_only=False)] |= bit
        for ending in hints.path_endings:
            _mark(batch.paths, pc.ends_with(batch.paths.array, ending), bit, flags)

    def _flag_paths(self, batch: Exchanges, flags: Flags) -> None:
        """Paths of calls that post, or show no method."""
        if self._post_path is None or batch.paths.is_empty:
            return
        posting = [code for code, one in enumerate(batch.methods.values) if one == "POST"]
        rows = np.isin(batch.methods.codes, [-1, *posting]) & (batch.paths.codes >= 0)
        wanted = np.zeros(len(batch.paths.array), bool)
        wanted[batch.paths.codes[rows]] = True
        codes = np.flatnonzero(wanted)
        hit = codes[_flat(_matches(batch.paths.array.take(pa.array(codes)), self._post_path))]
        if not len(hit):
            return
        texts = batch.paths.array.take(pa.array(hit))
        for bit, one in enumerate(self._kinds):
            if one.hints.post_path is not None:
                own = np.zeros(len(wanted), bool)
                own[hit[_flat(_matches(texts, one.hints.post_path))]] = True
                flags[rows & own[batch.paths.codes]] |= 1 << bit

    def _flag_queries(self, batch: Exchanges, flags: Flags) -> None:
        queries = batch.queries
        if self._query is None or queries.is_empty:
            return
        if not pc.any(_matches(queries.array, self._query)).as_py():
            return
        for bit, one in enumerate(self._kinds):
            if one.hints.query is not None:
                _mark(queries, _matches(queries.array, one.hints.query), 1 << bit, flags)

    def _flag_bodies(self, batch: Exchanges, flags: Flags) -> bool:
        """Rows whose body holds what some protocol looks for; whether there are bodies at all."""
        if self._body is None or not any(len(some) > some.null_count for some in batch.request_body):
            return False
        hits = [_flat(pc.match_substring_regex(some, self._body)) for some in batch.request_body]
        hit = np.flatnonzero(np.concatenate(hits))
        for row, body in zip(hit.tolist(), _taken(batch.request_body, hit), strict=True):
            escaped = b"\\u00" in body
            for bit, one in enumerate(self._kinds):
                if one.hints.body and (escaped or any(text.encode() in body for text in one.hints.body)):
                    flags[row] |= 1 << bit
        return True

    def _heed_source(self, batch: Exchanges, flags: Flags) -> Mask | None:
        """Where the source names the protocol, only that one is asked, for a name that it does not give."""
        claimed = None
        if batch.protocol is not None and not batch.protocol.is_empty:
            claimed = batch.protocol.codes >= 0
            bits = {one.name: 1 << bit for bit, one in enumerate(self._kinds)}
            own = np.array([bits.get(one, 0) for one in batch.protocol.values], np.int64)
            flags[claimed] = own[batch.protocol.codes[claimed]]
        if batch.operation is not None and not batch.operation.is_empty:
            flags[batch.operation.codes >= 0] = 0
        return claimed

    def _look(
        self, batch: Exchanges, at: Codes, flags: Flags, bodied: bool, claimed: Mask | None
    ) -> tuple[list[Found | None], Codes, list[str]]:
        """What each distinct exchange among the rows `at` is, which of them each row is, and its protocol."""
        asked = [one for bit, one in enumerate(self._kinds) if (flags & (1 << bit)).any()]
        names = {name for one in asked for name in _headers_of(one)} & batch.headers.keys()
        headers = {name: distinct(batch.headers[name].take(pa.array(at)), len(at)) for name in sorted(names)}
        bodies = _bodies(batch.request_body, at) if bodied else nothing(len(at))
        answering = sum(1 << bit for bit, one in enumerate(self._kinds) if one.reads_answers)
        read = np.flatnonzero(flags & answering)
        answers = nothing(len(at))
        if len(read) and batch.response_body:
            own = _bodies(batch.response_body, at[read])
            answer_of = np.full(len(at), -1, np.int64)
            answer_of[read] = own.codes
            answers = Distinct(own.array, answer_of)
        status = np.zeros(len(at), np.int64) if batch.status is None else _status(batch.status, at)
        first, combination = combined(
            flags,
            batch.methods.codes[at],
            batch.targets.codes[at],
            batch.paths.codes[at],
            batch.queries.codes[at],
            batch.apart.codes[at],
            batch.request_type.codes[at],
            batch.response_type.codes[at],
            bodies.codes,
            answers.codes,
            status,
            *(one.codes for one in headers.values()),
        )
        found: list[Found | None] = []
        kinds: list[str] = []
        for place in first.tolist():
            row = int(at[place])
            seen = Seen(
                method=(_text(batch.methods, row) or "").upper() or None,
                path=_text(batch.paths, row) or "/",
                query=_query(batch, row),
                request_type=_media_type(_text(batch.request_type, row)),
                response_type=_media_type(_text(batch.response_type, row)),
                status=int(status[place]) or None,
                headers={
                    name: value[:_MOST_VALUE]
                    for name, one in headers.items()
                    if (value := _text(one, place)) is not None
                },
                body=_bytes(bodies, place),
                answer=_bytes(answers, place),
                claimed=claimed is not None and bool(claimed[row]),
            )
            kind, one = self._which(seen, int(flags[place]))
            found.append(one)
            kinds.append(kind)
        return found, combination, kinds

    def _which(self, seen: Seen, flags: int) -> tuple[str, Found | None]:
        for bit, one in enumerate(self._kinds):
            if flags & (1 << bit):
                found = one.read(seen)
                if found is not None:
                    return one.name, found
        return "", None

    def _spread(
        self, batch: Exchanges, at: Codes, found: list[Found | None], combination: Codes, kinds: list[str]
    ) -> Spoken:
        """The answers as columns, over what the source said."""

        def column(values: Sequence[str | None], given: Distinct | None = None) -> Distinct:
            own = pc.dictionary_encode(pa.array(values, pa.string()))
            codes: Codes = own.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
            out = np.full(batch.rows, -1, np.int64)
            out[at] = codes[combination]
            if given is None or given.is_empty:
                return Distinct(own.dictionary, out)
            before = len(given.array)
            out = np.where(given.codes >= 0, given.codes, np.where(out < 0, -1, out + before))
            return coded([*given.values, *own.dictionary.to_pylist()], out)

        outcome = np.zeros(batch.rows, np.int64)
        outcome[at] = np.array([(one and one.outcome) or 0 for one in found], np.int64)[combination]
        shown: dict[str, str] = {}
        for one in found:
            if one is not None and one.operation and one.operation not in shown:
                shown[one.operation] = clean(one.operation, self._tokens)
        return Spoken(
            protocol=column([kind or None for kind in kinds], batch.protocol),
            operation=column(
                [shown[one.operation] if one and one.operation else None for one in found], batch.operation
            ),
            session=column(
                [self._key.fingerprint(one.session) if one and one.session else None for one in found]
            ),
            traits={
                trait: column([_trait(one, trait, self._tokens) for one in found])
                for trait in TRAITS
                if any(one is not None and any(name == trait for name, _ in one.traits) for one in found)
            },
            outcome=outcome,
        )


def _only_given(batch: Exchanges) -> Spoken:
    none = nothing(batch.rows)
    return Spoken(batch.protocol or none, batch.operation or none, none, {}, np.zeros(batch.rows, np.int64))


def _trait(found: Found | None, trait: str, tokens: Tokens) -> str | None:
    value = next((value for name, value in found.traits if name == trait), None) if found else None
    return clean(value, tokens)[:60] if value else None


def _headers_of(one: ProtocolKind) -> Iterator[str]:
    yield from one.hints.headers
    yield from (name for name, _ in one.hints.values)
    yield from one.reads


def _either(patterns: Sequence[str | None]) -> str | None:
    given = [f"(?:{one})" for one in patterns if one is not None]
    return "|".join(given) if given else None


def _matches(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.match_substring_regex(texts, pattern).fill_null(False)


def _flat(hits: pa.Array) -> Mask:
    out: Mask = hits.fill_null(False).to_numpy(zero_copy_only=False)
    return out


def _mark(values: Distinct, hits: pa.Array, bit: int, flags: Flags) -> None:
    """Flag the rows whose value is hit."""
    if not pc.any(hits).as_py():
        return
    own = _flat(hits)
    flags[(values.codes >= 0) & own[values.codes]] |= bit


def _status(status: pa.Array, at: Codes) -> Codes:
    taken: Codes = status.take(pa.array(at)).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return taken


def _taken(chunks: list[pa.Array], at: Codes) -> list[bytes]:
    """The bodies of some rows, in order; copying all of a column would cost more than reading it."""
    out: list[bytes] = []
    start = 0
    for some in chunks:
        own = at[(at >= start) & (at < start + len(some))] - start
        out += some.take(pa.array(own)).to_pylist()
        start += len(some)
    return out


def _bodies(chunks: list[pa.Array], at: Codes) -> Distinct:
    """Distinct bodies of some rows, as codes; the array holds bytes."""
    if not chunks:
        return nothing(len(at))
    taken = pa.array(_taken(chunks, at), pa.large_binary())
    encoded = pc.dictionary_encode(taken)
    codes: Codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Distinct(one_chunk(encoded.dictionary), codes)


def _bytes(bodies: Distinct, row: int) -> bytes | None:
    code = int(bodies.codes[row])
    if code < 0:
        return None
    found: bytes = bodies.array[code].as_py()
    return found


def _text(values: Distinct, row: int) -> str | None:
    """One row's value, without making Python strings of all the others."""
    code = int(values.codes[row])
    if code < 0:
        return None
    found: str = values.array[code].as_py()
    return found


def _media_type(text: str | None) -> str | None:
    """A content type with its type in lower case; values of parameters may tell cases apart."""
    if text is None:
        return None
    kind, semicolon, parameters = text.partition(";")
    return kind.strip().lower() + semicolon + parameters


def _query(batch: Exchanges, row: int) -> str | None:
    """The raw query of a row: in its target, or apart from it."""
    query = (_text(batch.targets, row) or "").partition("?")[2].partition("#")[0]
    return query or (_text(batch.apart, row) or "").removeprefix("?") or None
