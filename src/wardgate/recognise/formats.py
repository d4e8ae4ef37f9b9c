"""Formats of strings, as JSON Schema names them, told for many at once.

A byte here and there rules out nearly all strings; a regular expression decides only on those that are left.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.recognise.distinct import Codes

FORMATS: tuple[tuple[str, str], ...] = (
    ("uuid", r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"),
    (
        "date-time",
        r"^[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ]"
        r"[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.][0-9]+)?(?:[Zz]|[+-][0-9:]+)$",
    ),
    ("date", r"^[0-9]{4}-[01][0-9]-[0-3][0-9]$"),
    ("time", r"^[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.][0-9]+)?(?:[Zz]|[+-][0-9:]+)?$"),
    ("email", r"^[^@\s]+@[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)+$"),
    ("uri", r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$"),
    ("ipv4", r"^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])[.]){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$"),
    ("ipv6", r"^[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}$"),
    ("duration", r"^P(?:[0-9]+[YMWD])+(?:T(?:[0-9.]+[HMS])+)?$|^PT(?:[0-9.]+[HMS])+$"),
)
"""JSON Schema formats, the first that fits (RE2)."""
PLAIN = "plain"
"""What a string without a format counts as: a place has a format only where all its strings do."""

_Mask = npt.NDArray[np.bool_]


def formats(texts: pa.Array) -> Codes:
    """The format of each string, as an index into `FORMATS`; their number for none."""
    out = np.full(len(texts), len(FORMATS), np.int64)
    if not len(texts):
        return out
    for i, may_be in enumerate(_candidates(texts)):
        at = np.flatnonzero(may_be & (out == len(FORMATS)))
        if len(at):
            fits = pc.match_substring_regex(texts.take(pa.array(at)), FORMATS[i][1])
            out[at[fits.to_numpy(zero_copy_only=False)]] = i
    return out


def _candidates(texts: pa.Array) -> list[_Mask]:
    """For each format the strings that may have it: necessary, not sufficient."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset).astype(np.int64)
    buffer = texts.buffers()[2]
    data = np.frombuffer(buffer, np.uint8) if buffer is not None and buffer.size else np.zeros(1, np.uint8)
    start, size = offsets[:-1], np.diff(offsets)

    def byte(at: int) -> npt.NDArray[np.uint8]:
        """The byte at a place of each string; something else where it is shorter."""
        return data[np.minimum(start + at, len(data) - 1)]

    def holds(mark: int) -> _Mask:
        found = np.flatnonzero(data[offsets[0] : offsets[-1]] == mark) + offsets[0]
        out = np.zeros(len(texts), bool)
        out[np.searchsorted(offsets, found, "right") - 1] = True
        return out

    first = byte(0)
    dated = (size >= 10) & (byte(4) == ord("-")) & (byte(7) == ord("-"))
    colon = holds(ord(":"))
    return [
        (size == 36) & (byte(8) == ord("-")) & (byte(23) == ord("-")),
        dated & (size >= 20) & colon,
        dated & (size == 10),
        (size >= 8) & (byte(2) == ord(":")) & (byte(5) == ord(":")),
        holds(ord("@")),
        colon & (size > 4) & ((first | 0x20) >= ord("a")) & ((first | 0x20) <= ord("z")),
        (size >= 7) & (size <= 15) & (first >= ord("0")) & (first <= ord("9")) & holds(ord(".")),
        colon & (size <= 39),
        (size >= 3) & (first == ord("P")),
    ]
