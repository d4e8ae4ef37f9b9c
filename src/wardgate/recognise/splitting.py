"""Targets in columns: scheme and authority, path and query apart, each redacted once per distinct value.

Targets of the usual forms are cut in Arrow, so that a path met with a thousand queries, or a query met on a
thousand paths, is looked at once. What the cut does not match (a fragment, user information, `*`, CONNECT)
is split whole by `targets.split_target`, the reference.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.recognise.distinct import Codes
from wardgate.recognise.targets import NEEDS_CARE, redact_path, redact_query, split_target
from wardgate.recognise.tokens import Tokens

Secrets = tuple[tuple[str, str], ...]
"""(place, value) of what a target carried, for fingerprinting at once."""
Front = tuple[str | None, str | None]
"""Scheme and authority of an absolute target."""
_USUAL = (
    r"(?s)^(?:(?P<scheme>https?|wss?)://(?P<authority>[^/?#@\s]+))?(?P<path>/[^?#]*)(?:\?(?P<query>[^#]*))?$"
)


@dataclass(frozen=True, slots=True)
class Split:
    """Distinct targets, split. Codes and arrays have one entry per target."""

    path: pa.Array
    query: pa.Array
    """Null where a target has none."""
    front: Codes
    """Index into `fronts`; -1 for a target in origin form."""
    fronts: list[Front]
    secrets: list[tuple[Codes, dict[int, Secrets]]]
    """Codes, and what the values behind some of them carried."""


def split_targets(targets: pa.Array, tokens: Tokens) -> Split:
    """Split and redact distinct targets (strings)."""
    found = pc.extract_regex(targets, _USUAL)
    odd = np.flatnonzero(found.is_null().to_numpy(zero_copy_only=False))
    secrets: list[tuple[Codes, dict[int, Secrets]]] = []
    path = _redacted(
        found.field("path"), NEEDS_CARE, lambda text, kept: redact_path(text, tokens, kept), secrets
    )
    raw = found.field("query")
    query = _redacted(raw, r"(?s).", lambda text, kept: redact_query(text, tokens, kept), secrets)
    authorities = pc.binary_join_element_wise(found.field("scheme"), found.field("authority"), "://")
    absolute = pc.dictionary_encode(
        pc.if_else(pc.equal(authorities, "://"), pa.scalar(None, pa.string()), authorities)
    )
    front: Codes = absolute.indices.fill_null(-1).to_numpy().astype(np.int64)
    fronts: list[Front] = [tuple(one.split("://", 1)) for one in absolute.dictionary.to_pylist()]
    if len(odd):
        whole = [split_target(text, tokens) for text in targets.take(pa.array(odd)).to_pylist()]
        at = np.zeros(len(targets), bool)
        at[odd] = True
        path = pc.replace_with_mask(path, pa.array(at), pa.array([one.path for one in whole], pa.string()))
        query = pc.replace_with_mask(query, pa.array(at), pa.array([one.query for one in whole], pa.string()))
        front = front.copy()
        front[odd] = np.arange(len(fronts), len(fronts) + len(odd))
        fronts += [(one.scheme, one.authority) for one in whole]
        carried = {int(code): one.secrets for code, one in zip(odd, whole, strict=True) if one.secrets}
        secrets.append((np.arange(len(targets)), carried))
    return Split(path, query, front, fronts, [(codes, carried) for codes, carried in secrets if carried])


def _redacted(
    values: pa.Array,
    suspicious: str,
    redact: Callable[[str, list[tuple[str, str]]], str],
    secrets: list[tuple[Codes, dict[int, Secrets]]],
) -> pa.Array:
    """Values redacted once per distinct one that matches `suspicious`; the empty ones become null."""
    encoded = pc.dictionary_encode(values)
    texts = encoded.dictionary
    flags = pc.match_substring_regex(texts, suspicious)
    carried: dict[int, Secrets] = {}
    clean = []
    for code in np.flatnonzero(flags.to_numpy(zero_copy_only=False)).tolist():
        kept: list[tuple[str, str]] = []
        clean.append(redact(texts[code].as_py(), kept))
        if kept:
            carried[code] = tuple(kept)
    if clean:
        texts = pc.replace_with_mask(texts, flags, pa.array(clean, pa.string()))
    codes: Codes = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
    secrets.append((codes, carried))
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    return texts.take(encoded.indices)
