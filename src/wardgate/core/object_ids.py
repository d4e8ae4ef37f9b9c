"""Keyed hashes of object identifiers, many at once: SipHash-2-4 over columns.

An identifier asked for in a path and the same one returned in a body must hash alike, and nobody may test a
guess without the key: that takes a pseudo-random function, where `ids.text_ids` only mixes. In NumPy it costs
a fifth of `Key.ids64` each. Reference: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
"""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import Ids
from wardgate.core.keys import Key

_Words = npt.NDArray[np.uint64]
_LONGEST = 128
"""Bytes; longer identifiers are hashed to 16 bytes first."""
_MASK = np.uint64((1 << 63) - 1)


class ObjectIds:
    """Hashes identifiers under one installation's key: under the first, so that rotations change nothing."""

    def __init__(self, key: Key) -> None:
        self._key = b"".join(key.id64("object ids", half).to_bytes(8, "little") for half in ("0", "1"))

    def of(self, texts: pa.Array) -> Ids:
        """One id in 1 … 2**63-1 for each string (no nulls)."""
        size = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
        out = np.empty(len(texts), np.int64)
        for blocks in np.unique(np.minimum(size, _LONGEST) // 8):
            chosen = np.flatnonzero(np.minimum(size, _LONGEST) // 8 == blocks)
            some = texts if len(chosen) == len(texts) else texts.take(pa.array(chosen))
            if blocks == _LONGEST // 8:
                short = [blake2b(one, key=self._key, digest_size=16).digest() for one in _raw(some)]
                words = np.frombuffer(b"".join(short), "<u8").reshape(-1, 2)
                words = np.column_stack((words, np.full(len(words), 255 << 56, np.uint64)))
            else:
                words = _words(some, int(blocks) + 1)
                words[:, -1] |= size[chosen].astype(np.uint64) << np.uint64(56)
            hashed = siphash(words, self._key)
            out[chosen] = np.maximum((hashed & _MASK).astype(np.int64), 1)
        return out


def _raw(texts: pa.Array) -> list[bytes]:
    raw: list[bytes] = texts.cast(pa.binary()).to_pylist()
    return raw


def _words(texts: pa.Array, wide: int) -> _Words:
    """Texts as rows of 64-bit words, zeros behind."""
    padded = pc.ascii_rpad(texts, 8 * wide, "\0")
    found = np.frombuffer(padded.buffers()[2], "<u8", len(texts) * wide, padded.offset * 8 * wide)
    return found.reshape(len(texts), wide).copy()


def siphash(words: _Words, key: bytes) -> _Words:
    """SipHash-2-4 of rows of words, each padded as the paper says: length in the top byte of the last."""
    k0, k1 = np.frombuffer(key, "<u8")
    rows = len(words)
    state = [
        np.full(rows, start ^ int(half), np.uint64)
        for start, half in (
            (0x736F6D6570736575, k0),
            (0x646F72616E646F6D, k1),
            (0x6C7967656E657261, k0),
            (0x7465646279746573, k1),
        )
    ]
    with np.errstate(over="ignore"):
        for at in range(words.shape[1]):
            word = np.ascontiguousarray(words[:, at])
            state[3] ^= word
            _round(state)
            _round(state)
            state[0] ^= word
        state[2] ^= np.uint64(0xFF)
        for _ in range(4):
            _round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _round(v: list[_Words]) -> None:
    v[0] += v[1]
    v[1] = _turned(v[1], 13) ^ v[0]
    v[0] = _turned(v[0], 32)
    v[2] += v[3]
    v[3] = _turned(v[3], 16) ^ v[2]
    v[0] += v[3]
    v[3] = _turned(v[3], 21) ^ v[0]
    v[2] += v[1]
    v[1] = _turned(v[1], 17) ^ v[2]
    v[2] = _turned(v[2], 32)


def _turned(words: _Words, by: int) -> _Words:
    return (words << np.uint64(by)) | (words >> np.uint64(64 - by))
