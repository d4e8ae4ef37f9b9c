"""Columns of nulls that share their memory are valid, and cost little."""

import pyarrow as pa

from wardgate.core.call import CALL_SCHEMA
from wardgate.recognise.absent import absent


def test_every_column_of_a_call_may_be_absent() -> None:
    arrays = absent(1000, [one.type for one in CALL_SCHEMA])
    for array, column in zip(arrays, CALL_SCHEMA, strict=True):
        array.validate(full=True)
        assert array.type == column.type
        assert array.slice(3, 500).to_pylist() == [None] * 500


def test_absent_columns_share_their_memory() -> None:
    before = pa.total_allocated_bytes()
    kept = absent(100_000, [one.type for one in CALL_SCHEMA])
    assert pa.total_allocated_bytes() - before < 2_000_000
    assert len(kept) == len(CALL_SCHEMA)
