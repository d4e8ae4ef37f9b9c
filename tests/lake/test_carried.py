"""Schemas and data classes at rest: merging changes no sum, retention drops what is past."""

import json

from wardgate.core.clock import fixed_clock
from wardgate.core.keys import Key
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS
from wardgate.lake.erasure import Subject, erase
from wardgate.lake.files import data_files
from wardgate.lake.folding import merged
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.rewriting import Turns, replace
from wardgate.lake.store import Lake
from wardgate.pipeline import Origin, Pipeline, Reached
from wardgate.sources.catalogue import format_named
from wardgate.sources.format import Lines, Options

KEY = Key(b"t" * 32)
NOON = 1_790_000_000_000_000
DAY_US = 86_400_000_000
SCHEMAS = f"""SELECT direction, status, place, kind, format, constant, sum(count)::BIGINT AS n
              FROM {ALIAS}.schemas GROUP BY ALL ORDER BY ALL"""
CLASSES = f"""SELECT hour_us, data_class, place, sum(calls)::BIGINT AS n, sum(found)::BIGINT AS found
              FROM {ALIAS}.data_classes GROUP BY ALL ORDER BY ALL"""


def send(pipeline: Pipeline, number: int, at: int, states: list[str]) -> None:
    """One batch: an order of each state, of a customer with an address."""
    lines = [
        {
            "ts": at // 1000,
            "method": "POST",
            "url": f"https://shop.example/orders/{number}{n}",
            "status": 201,
            "client_ip": "192.0.2.7",
            "request_body": {"state": state, "email": "ann@example.org"},
        }
        for n, state in enumerate(states)
    ]
    data = "".join(json.dumps(one) + "\n" for one in lines).encode()
    parsed = format_named("wardgate-jsonl").parser(Options(), None).parse(Lines(data, 0))  # type: ignore[union-attr]
    origin = Origin("shop", number, "shop.jsonl", "wardgate-jsonl")
    assert pipeline.commit([pipeline.prepare(parsed, origin, Reached(len(lines), len(data)))]) == [True]


def merge(lake: Lake, table: str) -> int:
    """Merge all of a table's files into one: how many rows are left."""
    turns = Turns(lake)
    try:
        with lake.reading() as cursor:
            files = data_files(cursor, table)
        done = replace(turns, table, files, lambda rows: merged(table, rows))
        assert done is not None
        return done.rows_after
    finally:
        turns.close()


def flushed(lake: Lake, **keeping: object) -> dict[str, int]:
    clock = fixed_clock(NOON)
    report = Maintainer(lake, LakeSettings(**keeping), clock, readers_s=0).run_once()  # type: ignore[arg-type]
    assert report.failure == ""
    return report.dropped_rows


def test_merging_adds_up_under_one_path_of_each_operation(lake: Lake) -> None:
    pipeline = Pipeline(lake, KEY, fixed_clock(NOON))
    for number in range(6):
        send(pipeline, number + 1, NOON - number * 60_000_000, ["open", "paid"])
    before = lake.rows(SCHEMAS), lake.rows(CLASSES)
    flushed(lake)
    assert merge(lake, "schemas") == before[0].num_rows
    merge(lake, "data_classes")
    assert (lake.rows(SCHEMAS), lake.rows(CLASSES)) == before
    assert {row["constant"] for row in before[0].to_pylist()} == {None, "open", "paid"}
    assert sum(row["n"] for row in before[1].to_pylist()) == 12


def test_too_many_words_become_none_when_merged(lake: Lake) -> None:
    pipeline = Pipeline(lake, KEY, fixed_clock(NOON))
    for number in range(20):
        send(pipeline, number + 1, NOON, [f"word{chr(97 + number)}"])
    flushed(lake)
    merge(lake, "schemas")
    found = [row for row in lake.rows(SCHEMAS).to_pylist() if row["place"] == "state"]
    assert [(row["constant"], row["n"]) for row in found] == [(None, 20)]


def test_retention_and_erasure(lake: Lake) -> None:
    pipeline = Pipeline(lake, KEY, fixed_clock(NOON))
    for day in range(4):
        send(pipeline, day + 1, NOON - day * DAY_US, ["open"])
    erase(lake, Subject(address="192.0.2.7"), fixed_clock(NOON))
    assert lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.calls")["n"][0].as_py() == 0
    assert sum(row["n"] for row in lake.rows(CLASSES).to_pylist()) == 4
    dropped = flushed(lake, rollup_retention_days=2)
    assert dropped["data_classes"] == 1 and dropped["schemas"] > 0
    assert sum(row["n"] for row in lake.rows(CLASSES).to_pylist()) == 3
