"""Per-hour deltas of a batch: which classes of data its calls carried, by path and place."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.lake.tables import DATA_CLASSES

_HOUR = 3_600_000_000
COUNTED = ("started_at_us", "path_id", "is_linked", "data_classes")
"""The columns of calls that these deltas are made of."""


def data_classes(calls: pa.Table) -> pa.Table:
    """Rows of `tables.DATA_CLASSES` of a batch of calls."""
    lists = calls["data_classes"]
    if lists.null_count == calls.num_rows:
        return DATA_CLASSES.empty_table()
    lists = lists.combine_chunks()
    at = pc.list_parent_indices(lists).to_numpy()
    entries = pc.list_flatten(lists)
    started = calls["started_at_us"].cast(pa.int64()).to_numpy()[at]
    linked = calls["is_linked"].fill_null(False).to_numpy()[at]
    rows = pa.table(
        {
            "hour_us": started - started % _HOUR,
            "path_id": calls["path_id"].to_numpy()[at],
            "data_class": entries.field("data_class").dictionary_encode(),
            "place": entries.field("place").dictionary_encode(),
            "calls": (~linked).astype(np.int64),
            "linked": linked.astype(np.int64),
            "found": entries.field("count").cast(pa.int64()),
            "started": started,
        }
    )
    keys = ["hour_us", "path_id", "data_class", "place"]
    sums = [("calls", "sum"), ("linked", "sum"), ("found", "sum"), ("started", "min"), ("started", "max")]
    found = rows.group_by(keys).aggregate(sums)
    names = ["calls_sum", "linked_sum", "found_sum", "started_min", "started_max"]
    columns = [found[one] for one in (*keys, *names)]
    return pa.table(
        [one.cast(kind.type) for one, kind in zip(columns, DATA_CLASSES, strict=True)], schema=DATA_CLASSES
    )
