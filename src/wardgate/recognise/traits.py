"""What is learned of routes besides their path: rows of `lake.tables.TRAITS`, each fact once.

A trait is a (route, kind, value): what it was answered with, the protocol's version, what clients call it. Of
one route and kind at most `MOST_VALUES` are learned while a process runs: values are chosen by callers.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from wardgate.core.ids import Ids, mixed
from wardgate.core.keys import Key
from wardgate.lake.tables import TRAITS
from wardgate.recognise.distinct import Distinct

MOST_VALUES = 8
_MOST_ROUTES = 100_000


class Traits:
    """Makes trait rows under one key, for a process."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._learned: dict[tuple[int, str], set[int]] = {}

    def rows(self, path_id: Ids, shown: Mapping[str, Distinct], learned_at_us: int) -> pa.Table:
        """Rows of what a batch shows: `shown` has, by kind of trait, the value of each row."""
        tables = [self._of(path_id, kind, values, learned_at_us) for kind, values in shown.items()]
        return pa.concat_tables(tables) if tables else TRAITS.empty_table()

    def _of(self, path_id: Ids, kind: str, values: Distinct, learned_at_us: int) -> pa.Table:
        at = np.flatnonzero(values.codes >= 0)
        ids = np.array(self._key.ids64("trait", [f"{kind}\0{one}" for one in values.values]), np.int64)
        trait_id = mixed(path_id[at], ids[values.codes[at]])
        trait_id, first = np.unique(trait_id, return_index=True)
        rows = at[first]
        kept = [
            place
            for place, (route, one) in enumerate(zip(path_id[rows].tolist(), trait_id.tolist(), strict=True))
            if self._is_kept(route, kind, one)
        ]
        rows, trait_id = rows[kept], trait_id[kept]
        return pa.table(
            {
                "trait_id": pa.array(trait_id),
                "path_id": pa.array(path_id[rows]),
                "trait": pa.array([kind] * len(rows), pa.string()),
                "value": values.array.take(pa.array(values.codes[rows])),
                "learned_at_us": pa.array([learned_at_us] * len(rows), pa.int64()).cast(
                    TRAITS.field("learned_at_us").type
                ),
            },
            schema=TRAITS,
        )

    def _is_kept(self, route: int, kind: str, trait_id: int) -> bool:
        if len(self._learned) > _MOST_ROUTES:
            self._learned.clear()
        known = self._learned.setdefault((route, kind), set())
        if trait_id in known:
            return True
        if len(known) >= MOST_VALUES:
            return False
        known.add(trait_id)
        return True
