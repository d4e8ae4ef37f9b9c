"""One call seen at several vantages counts once: rows that another source's row already counts are marked.

A request id shared between vantages (or a trace id with the same method and path) links rows. The one that
was committed first counts; later ones from other sources are kept and marked `is_linked`. Within one source
equal ids are different calls (retries of a trace), so a source may link as many rows as the other has.

Within one source, a subrequest (a Cloudflare Worker's: its `trace_id` is the ray of the request that made it)
is the same call again where method, host and path are the same: the Worker passed it on. One of the pair
counts; a second such subrequest is a call of its own, as a retry is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.stacking import stacked
from wardgate.lake.engine import ALIAS

WINDOW_US = 10 * 60 * 1_000_000
"""Vantages may stamp the same call this far apart."""

_COLUMNS = ["link_id", "source", "is_linked", "started_at_us", "request_id", "trace_id"]
_RAY = 16
"""Length of a ray id. A trace id has 32 digits."""
_IS_SUBREQUEST = (
    f"length(c.trace_id) = {_RAY} AND length(c.request_id) = {_RAY} AND c.trace_id <> c.request_id"
)
# A subrequest that is linked to its parent stands for a call that counts, as a row that counts does.
_COUNTS = f"""
SELECT c.link_id, count_if(c.source <> $source AND (
           NOT coalesce(c.is_linked, false) OR coalesce({_IS_SUBREQUEST}, false)))::BIGINT AS counted,
       count_if(c.source = $source AND c.is_linked)::BIGINT AS taken
FROM (FROM {ALIAS}.calls SELECT $columns $beside) c SEMI JOIN incoming_links i ON c.link_id = i.link_id
WHERE c.started_at_us BETWEEN $early AND $late GROUP BY c.link_id HAVING counted > taken
"""
_ANY_SUBREQUEST = f"""
SELECT 1 FROM {ALIAS}.calls c
WHERE {_IS_SUBREQUEST} AND c.source = ? AND c.started_at_us BETWEEN $early AND $late LIMIT 1
"""
_FAMILIES = f"""
SELECT DISTINCT true AS is_child, i.ray, c.path_id
FROM {ALIAS}.calls c JOIN incoming_rays i ON c.trace_id = i.ray
WHERE {_IS_SUBREQUEST} AND c.source = $source AND c.started_at_us BETWEEN $early AND $late
"""
_PARENTS = f"""
UNION ALL SELECT DISTINCT false, i.ray, c.path_id
FROM {ALIAS}.calls c JOIN incoming_parents i ON c.request_id = i.ray
WHERE c.source = $source AND c.started_at_us BETWEEN $early AND $late
"""
_Family = tuple[str, int]
"""A ray, and the path on which it and its subrequest are one call."""


def mark_linked(con: duckdb.DuckDBPyConnection, calls: pa.Table, beside: Sequence[pa.Table] = ()) -> pa.Table:
    """`calls` (of one source) with `is_linked` filled where another source's row counts already.

    `con` is inside the transaction that writes them. `beside` are the finished calls of other sources that
    are committed before these in the same transaction.
    """
    return _mark_subrequests(con, _mark_shared(con, calls, beside))


def _mark_shared(con: duckdb.DuckDBPyConnection, calls: pa.Table, beside: Sequence[pa.Table]) -> pa.Table:
    """Rows whose request or trace id another source's rows have."""
    links = calls["link_id"]
    if links.null_count == calls.num_rows:
        return calls
    source = calls["source"][0].as_py()
    others = con.execute(
        f"SELECT 1 FROM {ALIAS}.ledger WHERE source <> ? AND accepted > 0 LIMIT 1", [source]
    ).fetchone()
    if others is None and not beside:
        return calls
    at_hand = {"incoming_links": pa.table({"link_id": pc.unique(links.drop_null())})}
    if beside:
        at_hand["beside"] = stacked([one.select(_COLUMNS) for one in beside])
    question = _in_window(_COUNTS, calls).replace("$columns", ", ".join(_COLUMNS))
    question = question.replace("$beside", "UNION ALL FROM beside" if beside else "")
    with _registered(con, at_hand):
        found = con.execute(question, {"source": source}).to_arrow_table()
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
    return _flagged(calls, flags)


def _mark_subrequests(con: duckdb.DuckDBPyConnection, calls: pa.Table) -> pa.Table:
    """Of each request and its first subrequest to the same path, the later one; at once, the subrequest."""
    if calls["request_id"].null_count == calls.num_rows:
        return calls
    if calls["trace_id"].null_count == calls.num_rows and not _has_subrequests(con, calls):
        return calls
    rays, parents = _rays(calls["request_id"]), _rays(calls["trace_id"])
    if rays.null_count == calls.num_rows:
        return calls
    paths = calls["path_id"]
    children: dict[_Family, int] = {}
    for row in np.flatnonzero(pc.not_equal(parents, rays).fill_null(False).to_numpy()).tolist():
        children.setdefault((parents[row].as_py(), paths[row].as_py()), row)
    committed = _committed_families(con, calls, rays, parents)
    known_parents = {(ray, path) for is_child, ray, path in committed if not is_child}
    known_children = {(ray, path) for is_child, ray, path in committed if is_child}
    if not children and not known_children:
        return calls
    wanted = pa.array(list({ray for ray, _ in (*children, *known_children)}), pa.string())
    at_hand: dict[_Family, int] = {}
    for row in np.flatnonzero(pc.is_in(rays, value_set=wanted).to_numpy()).tolist():
        at_hand.setdefault((rays[row].as_py(), paths[row].as_py()), row)
    flags = calls["is_linked"].fill_null(False).to_numpy().copy()
    for family, child in children.items():
        if family in known_children:
            continue
        if family in known_parents:
            flags[child] = True
        elif family in at_hand:
            # Where another source's row counts the subrequest already, the request is that call too.
            flags[at_hand[family] if flags[child] else child] = True
    for family in known_children - known_parents:
        if family in at_hand:
            flags[at_hand[family]] = True
    return _flagged(calls, flags)


def _has_subrequests(con: duckdb.DuckDBPyConnection, calls: pa.Table) -> bool:
    """Whether any was committed of this source at about that time: most sources never show one."""
    found = con.execute(_in_window(_ANY_SUBREQUEST, calls), [calls["source"][0].as_py()]).fetchone()
    return found is not None


def _in_window(question: str, calls: pa.Table) -> str:
    """A question about the time that these calls may be linked in."""
    span = pc.min_max(calls["started_at_us"].cast(pa.int64())).as_py()
    early, late = span["min"] - WINDOW_US, span["max"] + WINDOW_US
    return question.replace("$early", f"make_timestamp({early})").replace("$late", f"make_timestamp({late})")


def _committed_families(
    con: duckdb.DuckDBPyConnection, calls: pa.Table, rays: pa.ChunkedArray, parents: pa.ChunkedArray
) -> list[tuple[Any, ...]]:
    """Committed subrequests and requests of this source: (whether it is a subrequest, the ray, path)."""
    both = pa.chunked_array([*rays.chunks, *parents.chunks], pa.string())
    at_hand = {"incoming_rays": pa.table({"ray": pc.unique(both.drop_null())})}
    question = _FAMILIES
    if parents.null_count < calls.num_rows:
        at_hand["incoming_parents"] = pa.table({"ray": pc.unique(parents.drop_null())})
        question += _PARENTS
    with _registered(con, at_hand):
        return con.execute(_in_window(question, calls), {"source": calls["source"][0].as_py()}).fetchall()


@contextmanager
def _registered(con: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Tables at hand, by the names that a question has for them."""
    for name, table in tables.items():
        con.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            con.unregister(name)


def _rays(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The ids that are rays; null elsewhere."""
    plain = ids.cast(pa.string())
    return pc.if_else(pc.equal(pc.binary_length(plain), _RAY), plain, pa.scalar(None, pa.string()))


def _flagged(calls: pa.Table, flags: "np.ndarray[Any, Any]") -> pa.Table:
    at = calls.schema.get_field_index("is_linked")
    return calls.set_column(at, calls.schema.field(at), pa.array(flags, pa.bool_()))
