"""Keys under names that say nothing: values that look random, are long, and come again from the same client.

A request's own mark looks random too, but each is new; a release's hash comes again, but from everybody. So
a place (a header, a parameter, a cookie) is believed to hold keys once one client has shown the same random
value in it three times, and most of its random values do come again. From then on every random value there
is a key. What has been seen is remembered within a bound, by keyed ids: no value is kept.
"""

from collections.abc import Sequence

import numpy as np

from wardgate.core.ids import mixed
from wardgate.core.keys import Key
from wardgate.match.secrets import secret_kind
from wardgate.recognise.distinct import Codes

AGAIN = 3
"""How often one client must show a value."""
_SHORTEST = 20
_MOST = 50_000
_MOST_PLACES = 256


def looks_random(value: str) -> bool:
    """Long, and of a shape that nothing but a key, a mark or a hash has."""
    return _SHORTEST <= len(value) <= 4096 and secret_kind(value) is not None


class Steady:
    """Remembers, per place, which random values come again. Not for several threads at once."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._seen: dict[int, int] = {}
        self._believed: set[str] = set()

    def keys_in(self, place: str, values: Sequence[str], codes: Codes, client_ids: Codes) -> list[bool]:
        """Which distinct `values` are keys. `codes` and `client_ids`: one entry per row; code -1: none."""
        random = [looks_random(one) for one in values]
        if not any(random):
            return random
        if place in self._believed or self._is_believed(place, values, np.array(random), codes, client_ids):
            return random
        return [False] * len(values)

    def _is_believed(
        self, place: str, values: Sequence[str], random: np.ndarray, codes: Codes, client_ids: Codes
    ) -> bool:
        rows = np.flatnonzero((codes >= 0) & random[np.maximum(codes, 0)])
        ids = np.array(self._key.ids64("steady", [f"{place}\0{one}" for one in values]), np.int64)
        shown = mixed(ids[codes[rows]], client_ids[rows])
        pairs, first, counts = np.unique(shown, return_index=True, return_counts=True)
        if len(self._seen) + len(pairs) > _MOST:
            self._seen.clear()
        again: set[int] = set()
        for pair, at, count in zip(pairs.tolist(), first.tolist(), counts.tolist(), strict=True):
            before = self._seen.get(pair, 0)
            if len(self._seen) < _MOST:
                self._seen[pair] = min(before + count, AGAIN)
            if before + count >= AGAIN:
                again.add(int(codes[rows[at]]))
        distinct_values = len(np.unique(codes[rows]))
        if not again or 2 * len(again) < distinct_values or len(self._believed) >= _MOST_PLACES:
            return False
        self._believed.add(place)
        return True
