"""Ids in columns: mixing, and finding equal ones without a stable sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wardgate.core.ids import mixed, runs, unique

IDS = st.lists(st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1), max_size=80)


@given(IDS)
def test_unique_answers_what_numpys_does(values: list[int]) -> None:
    ids = np.array(values, np.int64)
    expected = np.unique(ids, return_index=True, return_inverse=True)
    for found, wanted in zip(unique(ids), expected, strict=True):
        assert found.tolist() == wanted.tolist()


@given(IDS)
def test_runs_hold_every_row_once_and_equal_ids_together(values: list[int]) -> None:
    ids = np.array(values, np.int64)
    order, starts = runs(ids)
    assert sorted(order.tolist()) == list(range(len(ids)))
    pieces = np.split(ids[order], starts[1:]) if len(ids) else []
    assert [sorted(set(one.tolist())) for one in pieces] == [[one] for one in sorted(set(values))]


@given(IDS)
def test_mixed_is_a_function_of_both_and_leaves_them_as_they_are(values: list[int]) -> None:
    first = np.array(values, np.int64)
    second = first[::-1]
    before = first.copy()
    found = mixed(first, second)
    assert (first == before).all() and (found > 0).all()
    assert [int(mixed(first[i : i + 1], second[i : i + 1])[0]) for i in range(len(first))] == found.tolist()
