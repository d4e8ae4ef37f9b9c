"""Parts that came about differently are put together without a loss."""

import pyarrow as pa
import pytest

from wardgate.core.stacking import stacked

PLAIN = pa.table({"host": ["a", "b"], "status": [200, 404]})
CODED = pa.table({"host": pa.array(["c", None, "c"]).dictionary_encode(), "status": [1, 2, 3]})
WIDER = pa.table({"host": ["d"], "status": [5], "agent": pa.array(["x"]).dictionary_encode()})
NOTHING = pa.table({"host": pa.nulls(1, pa.string()), "status": pa.nulls(1, pa.int64())})


@pytest.mark.parametrize(
    "parts", [[PLAIN, CODED], [CODED, PLAIN, WIDER], [NOTHING, CODED], [CODED], [WIDER, CODED]]
)
def test_rows_are_those_of_all_parts(parts: list[pa.Table]) -> None:
    names = set().union(*(one.column_names for one in parts))
    rows = [{name: row.get(name) for name in names} for one in parts for row in one.to_pylist()]
    assert [{name: row[name] for name in names} for row in stacked(parts).to_pylist()] == rows


def test_parts_alike_keep_their_dictionaries() -> None:
    assert stacked([CODED, CODED]).schema == CODED.schema
