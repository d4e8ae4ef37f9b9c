"""Many common-log-format stamps at once mean what each of them means alone."""

from datetime import timedelta, timezone

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from wardgate.sources.times import clf_time, clf_times

_STAMP = st.builds(
    "{}/{}/{}:{}:{}{}".format,
    st.sampled_from(["10", "9", "31", "00"]),
    st.sampled_from(["Oct", "Feb", "oct", "Xxx"]),
    st.sampled_from(["2000", "1969", "20"]),
    st.sampled_from(["13:55", "23:59", "24:00", "3:5"]),
    st.sampled_from(["00", "07", "59", "60", "61", "5", "36.123456", "x7", ""]),
    st.sampled_from([" -0700", " +0000", "", " +05:30", "]", " -0700 ", " GMT", "-0700"]),
)
ZONE = timezone(timedelta(hours=2))


@given(st.lists(_STAMP | st.text(max_size=30)))
def test_together_as_alone(stamps: list[str]) -> None:
    found = clf_times(pa.array(stamps, pa.string()), ZONE).cast(pa.int64()).to_pylist()
    assert found == [clf_time(one, ZONE) for one in stamps]
