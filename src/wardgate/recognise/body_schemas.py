"""Rows of the lake's `schemas` from a batch's bodies: whose they are, and what stood in them.

Bodies of one operation (as the rules name it), status and media type are counted together, under one of its
paths: the mapping of paths says whose schema that is, today and after relabelling.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from wardgate.core.ids import Ids, mixed
from wardgate.recognise.carried import Carried
from wardgate.recognise.distinct import Codes, Distinct, combined

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Groups:
    """Whose schema each row's bodies belong to: `of_row` is an index into the other columns."""

    of_row: Codes
    part: Codes
    path_id: Ids
    status: Codes
    media: tuple[pa.Array, pa.Array]
    """Media types of requests and responses."""
    families: tuple[Ids, Ids]
    """Ids that are equal where requests, and where responses, are alike: of an operation, and its status."""
    seen_us: Codes
    """The latest start of its calls, in µs."""


def groups(
    parts: Codes,
    path_id: Ids,
    routes: pa.Table,
    status: pa.Array,
    media: tuple[Distinct, Distinct],
    started: Codes,
) -> Groups:
    """Groups of a batch. `parts`: which part of it each row is from, since parts may be dropped singly."""
    ids = routes["path_id"].to_numpy()
    operations = routes["operation_id"].to_numpy()
    # Under the lowest path of each operation; `ids` is in order.
    _, first, operation = np.unique(operations, return_index=True, return_inverse=True)
    path = first[operation][np.searchsorted(ids, path_id)]
    code = status.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    head, of_row = combined(parts, path, code, media[0].codes, media[1].codes)
    own = operations[path[head]]
    seen = np.zeros(len(head), np.int64)
    np.maximum.at(seen, of_row, started)
    return Groups(
        of_row,
        parts[head],
        ids[path[head]],
        code[head],
        (_media(media[0], head), _media(media[1], head)),
        (own, mixed(own, code[head])),
        seen,
    )


def _media(types: Distinct, head: Codes) -> pa.Array:
    plain = [one.partition(";")[0].strip().lower()[:100] for one in types.values]
    known = pa.array([*plain, JSON], pa.string())
    return known.take(pa.array(np.where(types.codes[head] < 0, len(plain), types.codes[head])))


def schema_rows(of: Groups, request: Carried | None, response: Carried | None) -> pa.Table | None:
    """Rows of `lake.tables.SCHEMAS`, and `part`; None where there is no body with structure."""
    out: list[pa.Table] = []
    for direction, carried, media in (("request", request, of.media[0]), ("response", response, of.media[1])):
        found = carried.tallies.table() if carried is not None else None
        if found is None or not found.num_rows:
            continue
        group = found["group"].to_numpy()
        status = of.status[group] if direction == "response" else np.zeros(len(group), np.int64)
        out.append(
            pa.table(
                {
                    "part": of.part[group],
                    "path_id": of.path_id[group],
                    "direction": pa.repeat(pa.scalar(direction), len(group)),
                    "status": pa.array(status.astype(np.int16)),
                    "media_type": media.take(pa.array(group)),
                    "place": found["place"],
                    "kind": found["kind"],
                    "format": found["format"],
                    "constant": found["constant"],
                    "count": found["count"],
                    "seen_us": pa.array(of.seen_us[group]).cast(pa.timestamp("us")),
                }
            )
        )
    return pa.concat_tables(out) if out else None
