"""Request lines (`GET /x HTTP/1.1`) to method, target and version, once per distinct line.

The usual form is taken apart in Arrow; what it does not match (HTTP/0.9, raw spaces, other target forms,
a scanner's bytes) is looked at by `access.split_request`, the reference.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Split = Callable[[str], tuple[str, str, str | None] | None]
_USUAL = r"^(?P<method>[A-Z]{3,10}) (?P<target>/[^\s]*) (?P<http_version>HTTP/[0-9](?:\.[0-9])?)$"
_PARTS = ("method", "target", "http_version")


def split_requests(
    lines: pa.DictionaryArray, split: Split
) -> tuple[dict[str, pa.Array], npt.NDArray[np.bool_]]:
    """Columns method, target and http_version (dictionary-encoded), and the rows that are no HTTP request."""
    found = pc.extract_regex(lines.dictionary, _USUAL)
    columns = {name: found.field(name) for name in _PARTS}
    odd = np.flatnonzero(found.is_null().to_numpy(zero_copy_only=False))
    usable = np.ones(len(lines.dictionary), bool)
    if len(odd):
        others = [split(value) for value in lines.dictionary.take(pa.array(odd)).to_pylist()]
        usable[odd] = [one is not None for one in others]
        at = np.zeros(len(usable), bool)
        at[odd] = True
        for i, name in enumerate(_PARTS):
            values = pa.array([one[i] if one else None for one in others], pa.string())
            columns[name] = pc.replace_with_mask(columns[name], pa.array(at), values)
    codes = lines.indices
    absent = codes.is_null().to_numpy(zero_copy_only=False)
    wrong = absent | ~usable[codes.fill_null(0).to_numpy()] if len(usable) else np.ones(len(codes), bool)
    return {name: _spread(column, codes) for name, column in columns.items()}, wrong


def _spread(values: pa.Array, codes: pa.Array) -> pa.DictionaryArray:
    """Values by code, with a dictionary of their own that holds each once."""
    encoded = pc.dictionary_encode(values)
    return pa.DictionaryArray.from_arrays(encoded.indices.take(codes), encoded.dictionary)
