"""Templates evolve: what all paths of a service say together, written as higher versions of the mapping.

Reads the mapping path → operation as it is now, learns each service's templates from its distinct paths, and
appends a row with the next version for every path whose template changed. History follows when it is read;
nothing else is rewritten. Doing it again changes nothing. Files, pages and calls that have a name of their
own (an RPC method, a tool) keep what they have.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from wardgate.core.ids import mixed
from wardgate.core.keys import Key
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Batch, Lake
from wardgate.lake.tables import PATHS
from wardgate.recognise.templating.labelling import Label
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.services import Observation, Services
from wardgate.recognise.templating.settled import Settled

_NOW = f"""SELECT {", ".join(f'"{name}"' for name in PATHS.names)} FROM {ALIAS}.main.paths
QUALIFY row_number() OVER (PARTITION BY path_id ORDER BY version DESC) = 1"""


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What a pass did: services looked at, and paths that have another template now."""

    services: int
    paths: int


def relabel(lake: Lake, key: Key, prior: Prior, settled: Mapping[str, Settled] | None = None) -> Relabelled:
    """Learn all services' templates and append what changed. Raises what `Lake.commit` raises."""
    cursor = lake.cursor()
    try:
        now = cursor.execute(_NOW).to_arrow_table().cast(PATHS)
    finally:
        cursor.close()
    changed = changes(now, key, prior, settled or {})
    if changed.num_rows:
        batch_id = key.id64("relabelling", f"{changed.num_rows}\0{changed['path_id'][0]}\0{now.num_rows}")
        lake.commit(Batch(batch_id, {"paths": changed}))
    return Relabelled(len(set(now["service"].to_pylist())), changed.num_rows)


def changes(now: pa.Table, key: Key, prior: Prior, settled: Mapping[str, Settled]) -> pa.Table:
    """Rows of `lake.tables.PATHS`, one version up, of the paths whose template changed."""
    rows = now.to_pylist()
    by_service: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if not row["static"] and row["operation"] is None:
            by_service[row["service"]].append(at)
    services = Services(prior)
    out = []
    for service, places in sorted(by_service.items()):
        services.observe(service, [Observation(rows[at]["path"], rows[at]["method"]) for at in places])
        labeller = services.labeller(service, settled.get(service))
        labels: dict[str, Label] = {}
        for at in places:
            row = rows[at]
            label = labels.get(row["path"]) or labels.setdefault(row["path"], labeller.of(row["path"]))
            if label.template != row["template"]:
                out.append({**row, "version": row["version"] + 1, "template": label.template})
        services.forget(service)
    for row, operation_id in zip(out, _operation_ids(out, key), strict=True):
        row["operation_id"] = operation_id
    return pa.Table.from_pylist(out, schema=PATHS)


def _operation_ids(rows: list[dict[str, object]], key: Key) -> list[int]:
    """As ingestion makes them (`recognise.routes`): the same template has the same id, whoever found it."""
    if not rows:
        return []
    heads = [
        "\0".join(str(row[name] or "") for name in ("service", "protocol", "method", "operation"))
        for row in rows
    ]
    head_ids = np.array(key.ids64("route", heads), np.int64)
    templates = np.array(key.ids64("template", [str(row["template"]) for row in rows]), np.int64)
    found: list[int] = mixed(head_ids, templates).tolist()
    return found
