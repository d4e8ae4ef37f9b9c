"""Which row of a path or of an operation counts: the same one, in whatever order they are read."""

from itertools import permutations

import duckdb
import pytest

from wardgate.lake.mapping import latest

ROWS = [  # version, path_id, confidence
    (1, 2**62, 0.99),
    (1, 2**62, 1.0),
    (1, 5, 0.7),
    (1, 6, None),
]


@pytest.mark.parametrize(
    "rows", list(permutations(ROWS)), ids=lambda rows: " ".join(str(one[2]) for one in rows)
)
def test_of_what_several_said_at_once_the_surest_counts(
    rows: tuple[tuple[int, int, float | None], ...],
) -> None:
    values = ", ".join(f"({version}, {path}, {sure or 'NULL'}::FLOAT)" for version, path, sure in rows)
    found = duckdb.sql(
        f"SELECT {latest('confidence')} FROM (VALUES {values}) AS t (version, path_id, confidence)"
    ).fetchone()
    assert found == (1.0,)


def test_a_later_version_counts_before_a_surer_one() -> None:
    found = duckdb.sql(
        f"SELECT {latest('confidence')}, {latest('path_id')} "
        f"FROM (VALUES (2, 1, 0.5), (1, {2**63 - 1}, 1.0)) AS t (version, path_id, confidence)"
    ).fetchone()
    assert found is not None and [float(one) for one in found] == [0.5, 1.0]
