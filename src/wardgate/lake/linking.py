"""One call seen at several vantages counts once: rows that another source's row already counts are marked.

A request id shared between vantages (or a trace id with the same method and path) links rows. The one that
was committed first counts; later ones from other sources are kept and marked `is_linked`. Within one source
equal ids are different calls (retries of a trace), so a source may link as many rows as the other has.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake

WINDOW_US = 10 * 60 * 1_000_000
"""Vantages may stamp the same call this far apart."""

_COLUMNS = ["link_id", "source", "is_linked", "started_at_us"]
_COUNTS = f"""
SELECT c.link_id, count_if(c.source <> $source AND NOT coalesce(c.is_linked, false))::BIGINT AS counted,
       count_if(c.source = $source AND c.is_linked)::BIGINT AS taken
FROM (FROM {ALIAS}.calls SELECT $columns $beside) c SEMI JOIN incoming_links i ON c.link_id = i.link_id
WHERE c.started_at_us BETWEEN $early AND $late GROUP BY c.link_id HAVING counted > taken
"""


def mark_linked(lake: Lake, calls: pa.Table, beside: Sequence[pa.Table] = ()) -> pa.Table:
    """`calls` (of one source) with `is_linked` filled where another source's row counts already.

    `beside` are the finished calls of other sources that are committed before these in the same transaction.
    """
    links = calls["link_id"]
    if links.null_count == calls.num_rows:
        return calls
    span = pc.min_max(calls["started_at_us"].cast(pa.int64())).as_py()
    source = calls["source"][0].as_py()
    cursor = lake.cursor()
    try:
        others = cursor.execute(
            f"SELECT 1 FROM {ALIAS}.ledger WHERE source <> ? AND accepted > 0 LIMIT 1", [source]
        ).fetchone()
        if others is None and not beside:
            return calls
        if beside:
            cursor.register("beside", pa.concat_tables([one.select(_COLUMNS) for one in beside]))
        cursor.register("incoming_links", pa.table({"link_id": pc.unique(links.drop_null())}))
        found = cursor.execute(
            _COUNTS.replace("$early", f"make_timestamp({span['min'] - WINDOW_US})")
            .replace("$late", f"make_timestamp({span['max'] + WINDOW_US})")
            .replace("$columns", ", ".join(_COLUMNS))
            .replace("$beside", "UNION ALL FROM beside" if beside else ""),
            {"source": source},
        ).to_arrow_table()
    finally:
        cursor.close()
    if not found.num_rows:
        return calls
    spare = dict(
        zip(
            found["link_id"].to_pylist(),
            pc.subtract(found["counted"], found["taken"]).to_pylist(),
            strict=True,
        )
    )
    flags = np.zeros(calls.num_rows, bool)
    candidates = pc.is_in(links, value_set=found["link_id"].combine_chunks()).to_numpy()
    for row in np.flatnonzero(candidates).tolist():
        link = links[row].as_py()
        if spare[link] > 0:
            spare[link] -= 1
            flags[row] = True
    at = calls.schema.get_field_index("is_linked")
    return calls.set_column(at, calls.schema.field(at), pa.array(flags))
