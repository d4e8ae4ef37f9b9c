"""Keyed identifiers in columns: combined by mixing instead of hashing each combination anew."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ids = npt.NDArray[np.int64]
_MASK = np.uint64((1 << 63) - 1)


def mixed(first: Ids, second: Ids) -> Ids:
    """One 63-bit id per pair of keyed ids (splitmix64 finaliser over their combination); never 0."""
    with np.errstate(over="ignore"):
        x = first.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x ^= second.view(np.uint64) + np.uint64(0xD1B54A32D192ED03)
        x ^= x >> np.uint64(30)
        x *= np.uint64(0xBF58476D1CE4E5B9)
        x ^= x >> np.uint64(27)
        x *= np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    x &= _MASK
    return np.maximum(x.view(np.int64), 1, out=x.view(np.int64))


def runs(ids: Ids) -> tuple[Ids, Ids]:
    """Rows in an order in which equal ids stand together, and where in it each run of them starts.

    Not the order of arrival within a run: NumPy's vectorised sort takes a sixth of the time of a stable one.
    """
    order = np.argsort(ids)
    ordered = ids[order]
    starts = np.flatnonzero(np.concatenate((np.ones(min(len(ids), 1), bool), ordered[1:] != ordered[:-1])))
    return order, starts


def unique(ids: Ids) -> tuple[Ids, Ids, Ids]:
    """Distinct ids in order, the first row of each, and for each row which of them it has."""
    order, starts = runs(ids)
    if not len(starts):
        return ids, order, order
    which = np.empty(len(ids), np.int64)
    which[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(ids)))
    return ids[order[starts]], np.minimum.reduceat(order, starts), which


WIDTH = 64
"""Bytes of the longest text that `text_ids` takes."""


def text_ids(texts: pa.Array, seed: int) -> Ids:
    """One 63-bit id per ASCII text of at most 64 bytes, under a keyed seed; all at once, never 0.

    Not a cryptographic hash: for what may be known and need only be told apart, as request ids that are
    kept readable. A tenth of the price of `Key.ids64`.
    """
    padded = pc.ascii_rpad(texts, WIDTH, "\0")
    words = np.frombuffer(padded.buffers()[2], np.int64, len(texts) * WIDTH // 8, padded.offset * WIDTH)
    words = words.reshape(len(texts), WIDTH // 8)
    out = np.full(len(texts), seed, np.int64)
    for at in range(WIDTH // 8):
        out = mixed(out, words[:, at])
    return out


class KnownIds:
    """Ids this process has written already: a sorted array, bounded. Forgetting only costs a repeat."""

    def __init__(self, most: int = 2_000_000) -> None:
        self._most = most
        self._ids = np.empty(0, np.int64)

    def fresh(self, ids: Ids) -> npt.NDArray[np.bool_]:
        """Which of these (distinct) ids have not been written."""
        if not len(self._ids):
            return np.ones(len(ids), bool)
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return np.asarray(self._ids[at] != ids)

    def forget(self) -> None:
        """Take none for written."""
        self._ids = np.empty(0, np.int64)

    def add(self, ids: Ids) -> None:
        """Remember ids, after their commit."""
        if len(ids):
            kept = self._ids if len(self._ids) + len(ids) <= self._most else np.empty(0, np.int64)
            # Two sorted runs: a stable sort merges them, where np.union1d would hash every id anew.
            self._ids = np.sort(np.concatenate((kept, np.sort(ids))), kind="stable")
