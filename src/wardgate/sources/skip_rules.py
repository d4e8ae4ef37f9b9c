"""Rules by which a source passes over calls that nobody wants counted: health checks, probes, assets.

A rule is a name and path patterns, in which `*` stands for any text. The query, and the authority of an
absolute target, do not matter. What a rule passes over is counted under its name, so the accounts stay exact.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.observed import Parsed

_AUTHORITY = r"(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?"


class SkipRules:
    """Rules in order; a record is counted under the first that matches."""

    def __init__(self, rules: Mapping[str, Sequence[str]]) -> None:
        self._patterns = {
            name: f"^{_AUTHORITY}(?:{'|'.join(map(_pattern, patterns))})(?:[?#]|$)"
            for name, patterns in rules.items()
            if patterns
        }

    def apply(self, parsed: Parsed) -> Parsed:
        """`parsed` without the records that a rule passes over; those are in `skipped`."""
        if not self._patterns or not parsed.accepted or "target" not in parsed.table.column_names:
            return parsed
        codes, targets = _distinct(parsed.table["target"])
        kept = np.ones(parsed.accepted, bool)
        skipped = dict(parsed.skipped)
        for name, pattern in self._patterns.items():
            hits = pc.match_substring_regex(targets, pattern).fill_null(False).to_numpy(zero_copy_only=False)
            matching = np.concatenate([hits, [False]])[codes] & kept  # code -1: no target
            if matching.any():
                skipped[name] = skipped.get(name, 0) + int(matching.sum())
                kept &= ~matching
        if kept.all():
            return parsed
        return Parsed(parsed.table.filter(pa.array(kept)), parsed.rejects, skipped)


def _pattern(text: str) -> str:
    return "[^?#]*".join(re.escape(part) for part in text.split("*"))


def _distinct(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    whole = encoded.unify_dictionaries().combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    return whole.indices.fill_null(-1).to_numpy(zero_copy_only=False), whole.dictionary
