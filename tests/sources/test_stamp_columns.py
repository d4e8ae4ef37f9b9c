"""Stamps in columns mean what each means by itself."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wardgate.sources.stamp_columns import any_stamp_us, raw_stamps, stamp_columns


@pytest.mark.parametrize(
    ("stamp", "us", "precision"),
    [
        ("2022-05-25T13:25:32Z", 1653485132000000, 1_000_000),
        ("2023-07-18T08:03:58.009808429Z", 1689667438009808, 1),
        ("2021-10-14T22:17:11+02:00", 1634242631000000, 1_000_000),
        ("1653485132", 1653485132000000, 1_000_000),
        (1653485132000000001, 1653485132000000, 1),
        (1726783839538, 1726783839538000, 1000),
        (1646861401.5241024, 1646861401524102, 1),
        ("09/Apr/2019:18:40:35 +0000", 1554835235000000, 1_000_000),
        ("2022/03/09 21:30:01.250", 1646861401250000, 1000),
        ("yesterday", None, None),
        ("", None, None),
        (True, None, None),
        (-5, None, None),
        (10**30, None, None),
        ([1], None, None),
    ],
)
def test_one_stamp(stamp: object, us: int | None, precision: int | None) -> None:
    found = any_stamp_us(stamp)
    assert found == ((us, precision) if us is not None else None)


_numbers = st.one_of(st.integers(-(10**4), 10**19), st.sampled_from([10**10, 10**11, 10**12, 10**14, 10**17]))
_texts = st.one_of(
    st.datetimes().map(lambda when: when.isoformat() + "Z"),
    st.from_regex(r"\A(19[67]\d|20\d\d)-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,10})?Z\Z"),
    st.from_regex(r"\A20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,10})?[+-]\d\d:\d\d\Z"),
    st.from_regex(r"\A\d{1,20}\Z"),
    st.sampled_from(["2026-11-14T10:00:00+02:00", "1653485132.25", "2026-11-14T10:00Z", "-", "Z", ".Z"]),
)
_columns = st.one_of(
    st.lists(st.none() | _numbers, max_size=6),
    st.lists(st.none() | _texts, max_size=6),
    st.lists(st.none() | _numbers | _texts | st.floats(allow_nan=True) | st.booleans(), max_size=6),
)


@given(st.lists(_columns, min_size=1, max_size=3))
@example([["1969-12-31T23:59:59.9999999Z"]])
@example([["2262-04-12T00:00:00Z"], [None]])
def test_columns_mean_what_single_stamps_mean(slices: list[list[object]]) -> None:
    times, precisions, wrong = stamp_columns([raw_stamps(one) for one in slices])
    values = [value for one in slices for value in one]
    expected = [any_stamp_us(value) if value is not None else None for value in values]
    assert times.cast("int64").to_pylist() == [one and one[0] for one in expected]
    assert precisions.to_pylist() == [one and one[1] for one in expected]
    assert wrong.tolist() == [
        one is None and value is not None for one, value in zip(expected, values, strict=True)
    ]
