"""What the lake remembers of templates: sightings to learn from, and the labels that were learned last.

How much was sighted of a service (`evidence`) only grows, and upkeep, which says the sightings of a path
once, does not change it. So a service whose evidence is more than that of its labels is to be learned again.
"""

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.lake.tables import SIGHTINGS
from wardgate.recognise.learning import Remembered
from wardgate.recognise.templating.labelling import Labeller
from wardgate.recognise.templating.packing import unpacked

_NEWEST = f"""
SELECT service, version, evidence, labels FROM {ALIAS}.main.templates
QUALIFY row_number() OVER (PARTITION BY service ORDER BY version DESC, evidence DESC, labels) = 1"""
_EVIDENCE = f"""
WITH by_path AS (
    SELECT service, bit_or(methods) AS methods, bit_or(statuses) AS statuses,
           len(list_distinct(flatten(list(coalesce(shapes, []))))) AS shapes,
           len(list_distinct(flatten(list(coalesce(objects, []))))) AS objects
    FROM {ALIAS}.main.sightings GROUP BY service, path)
SELECT service, sum(1 + bit_count(methods) + bit_count(statuses) + shapes + objects)::BIGINT AS evidence
FROM by_path GROUP BY service"""


@dataclass(frozen=True, slots=True)
class Learned:
    """The labels of a service as they were learned last."""

    version: int
    evidence: int
    labels: bytes

    @property
    def labeller(self) -> Labeller | None:
        """None where another version of Wardgate learned them in another form."""
        return unpacked(self.labels)


def learned(lake: Lake, service: str | None = None) -> dict[str, Learned]:
    """What was learned last, by service."""
    only = " WHERE service = ?" if service is not None else ""
    found = lake.rows(f"SELECT * FROM ({_NEWEST}){only}", [service] if service is not None else None)
    return {
        row["service"]: Learned(row["version"], row["evidence"], row["labels"]) for row in found.to_pylist()
    }


def evidence(lake: Lake) -> dict[str, int]:
    """How much was sighted, by service."""
    found = lake.rows(_EVIDENCE)
    return dict(zip(found["service"].to_pylist(), found["evidence"].to_pylist(), strict=True))


def sightings(lake: Lake, service: str) -> pa.Table:
    """All sightings of a service."""
    return lake.rows(f"SELECT * FROM {ALIAS}.main.sightings WHERE service = ?", [service]).select(
        SIGHTINGS.names
    )


def remembered(lake: Lake, service: str) -> Remembered | None:
    """All that a process must know to go on labelling a service and learning from it.

    None where the lake cannot be read at the moment, as on a full disk: no call is lost for that.
    """
    try:
        before = learned(lake, service).get(service)
        return Remembered(sightings(lake, service), before.labeller if before is not None else None)
    except duckdb.Error:
        return None
