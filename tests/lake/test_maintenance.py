"""Upkeep: few files after many commits, and not a call more or less."""

import itertools
import json
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.clock import fixed_clock
from wardgate.core.home import Home
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS
from wardgate.lake.files import DataFile, data_files
from wardgate.lake.folding import folded_ledger, merged, rollups_of
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.merging import groups
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES

DAY_US = 86_400_000_000
NOON = 1_790_000_000_000_000


def maintainer(lake: Lake, now: int = NOON, **keeping: object) -> Maintainer:
    """One that deletes at once what left the lake: no reader here takes long."""
    return Maintainer(lake, LakeSettings(**keeping), fixed_clock(now), readers_s=0, orphans_every_s=0)  # type: ignore[arg-type]


def counts(lake: Lake) -> dict[str, int]:
    """Figures that upkeep must not change."""
    row = lake.rows(f"""
        SELECT (SELECT count(*) FROM {ALIAS}.calls) AS calls,
               (SELECT sum(hash(origin_id, position, path)) FROM {ALIAS}.calls)::VARCHAR AS content,
               (SELECT sum(calls) FROM {ALIAS}.rollups)::BIGINT AS rolled,
               (SELECT sum(status_2xx) FROM {ALIAS}.rollups)::BIGINT AS good,
               (SELECT sum(response_bytes) FROM {ALIAS}.rollups)::BIGINT AS bytes,
               (SELECT sum(read) FROM {ALIAS}.ledger)::BIGINT AS read,
               (SELECT sum(accepted) FROM {ALIAS}.ledger)::BIGINT AS accepted,
               (SELECT count(DISTINCT path_id) FROM {ALIAS}.paths) AS paths,
               (SELECT count(DISTINCT caller_id) FROM {ALIAS}.callers) AS callers""")
    return row.to_pylist()[0]


def parquet(home: Home) -> list[Path]:
    return sorted((home.lake / "data").rglob("*.parquet"))


def test_many_commits_become_few_files_and_nothing_is_lost(lake: Lake, traffic, log_line, home: Home) -> None:  # type: ignore[no-untyped-def]
    for second in range(16):
        traffic.send(
            *(
                log_line(f"/u/{second % 3}", at=NOON + second * 1_000_000, client=f"192.0.2.{n}")
                for n in range(30)
            )
        )
    before = counts(lake)
    files_before = len(parquet(home))
    report = maintainer(lake).run_once()
    assert report.failure == ""
    assert counts(lake) == before
    assert before["calls"] == before["rolled"] == before["accepted"] == 480
    maintainer(lake).run_once()  # deletes what left the lake
    assert files_before >= 32
    with lake.reading() as cursor:
        assert len(parquet(home)) == sum(len(data_files(cursor, table)) for table in TABLES) <= 8
    # rollups of one minute, path and caller are said once
    folded = lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.rollups")["n"][0].as_py()
    assert folded == 3 * 30


def test_upkeep_with_nothing_to_do_changes_nothing(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    traffic.send(*(log_line(client=f"192.0.2.{n}") for n in range(50)))
    maintainer(lake).run_once()
    again = maintainer(lake).run_once()
    assert (again.merged_files, again.folded_rows, again.dropped_rows, again.flushed_rows) == (0, 0, {}, 0)


def simulated_day(bytes_per_commit: int, every_s: int) -> tuple[int, float]:
    """Files at most, and how often a byte was written again, over a day of a commit per second."""
    rng = random.Random(7)
    files: list[DataFile] = []
    number = most = written = rewritten = 0
    for second in range(86_400):
        number += 1
        size = int(bytes_per_commit * rng.uniform(0.5, 1.5))
        files.append(DataFile(str(number), size, 1, number, second))
        written += size
        if second % every_s == every_s - 1:
            for group in groups(files):
                number += 1
                merged = sum(one.size for one in group)
                rewritten += merged
                gone = {one.number for one in group}
                files = [one for one in files if one.number not in gone]
                files.append(DataFile(str(number), merged, 1, number, group[0].low_us))
            most = max(most, len(files))
    return most, rewritten / written


@pytest.mark.parametrize("bytes_per_commit", [2_000, 20_000, 175_000])
def test_a_day_of_a_commit_per_second_leaves_some_hundred_files_at_a_linear_cost(
    bytes_per_commit: int,
) -> None:
    most, times = simulated_day(bytes_per_commit, 30)
    assert most < 400
    assert times < 4.5


def test_merging_keeps_neighbours_in_time_together() -> None:
    files = [DataFile(str(n), 10_000, 1, n, low_us=(n * 7 % 100) * DAY_US) for n in range(100)]
    big = [DataFile(f"big{n}", 9 << 20, 1, 100 + n, low_us=n * DAY_US) for n in range(20)]
    planned = groups(files + big)
    spans = [[one.low_us for one in group] for group in planned]
    assert all(span == sorted(span) for span in spans)
    of_big = [span for group, span in zip(planned, spans, strict=True) if group[0].size > 1 << 20]
    assert all(earlier[-1] < later[0] for earlier, later in itertools.pairwise(of_big))
    assert all(sum(one.size for one in group) <= 64 << 20 for group in planned)


def test_merged_calls_come_hour_by_hour_and_none_is_left_out() -> None:
    import duckdb

    hour = 3_600_000_000
    rng = random.Random(5)
    con = duckdb.connect()
    con.execute("SET threads = 1")
    con.execute("CREATE TABLE calls (n INTEGER, started_at_us TIMESTAMP)")
    times = [rng.randrange(9 * hour) for _ in range(5000)]
    con.executemany(
        "INSERT INTO calls VALUES (?, make_timestamp(?))",
        [(n, NOON + at) for n, at in enumerate(times[:500])],
    )
    con.execute("INSERT INTO calls VALUES (500, NULL)")
    span = NOON + min(times[:500]), NOON + max(times[:500])
    found = con.execute(merged("calls", "calls", span)).fetchall()
    assert sorted(n for n, _ in found) == list(range(501))
    seen = [at for _, at in found if at is not None]
    latest = seen[0]
    for at in seen:
        latest = max(latest, at)
        assert (latest - at).total_seconds() <= 3600
    assert (
        con.execute(merged("calls", "calls", (NOON, NOON))).fetchall() == con.execute("FROM calls").fetchall()
    )
    assert len(con.execute(merged("calls", "calls", (NOON, NOON + 9000 * hour))).fetchall()) == 501


def test_merging_leaves_out_what_nobody_filled_and_keeps_empty_lists(lake: Lake, home: Home) -> None:
    for number in range(8):
        with lake.writing() as con:
            con.execute(
                f"INSERT INTO {ALIAS}.calls (position, started_at_us, forwarded_for) "
                f"SELECT i, make_timestamp({NOON} + i), [] FROM range({number * 20}, {number * 20 + 20}) r(i)"
            )
    assert maintainer(lake).run_once().merged_rows == 160
    (file,) = (home.lake / "data" / "main" / "calls").glob("*.parquet")
    written = {name.split(",")[0] for name in pq.read_schema(file).names}
    assert written == {"position", "started_at_us", "forwarded_for"}
    row = lake.rows(
        f"SELECT count(*) AS n, count(forwarded_for) AS lists, sum(len(forwarded_for))::BIGINT AS inside, "
        f"count(user_agent) AS agents, count_if(user_agent IS NULL) AS without FROM {ALIAS}.calls"
    ).to_pylist()[0]
    assert row == {"n": 160, "lists": 160, "inside": 0, "agents": 0, "without": 160}
    (late,) = lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.calls WHERE position >= 150")["n"].to_pylist()
    assert late == 10


_rollup = st.fixed_dictionaries(
    {
        "minute": st.integers(0, 2),
        "path": st.integers(1, 2),
        "caller": st.integers(1, 2),
        "credential": st.integers(0, 1),
        "calls": st.integers(0, 1000),
        "duration_max": st.integers(0, 9),
        "seconds": st.integers(0, 59),
    }
)


@settings(max_examples=15, deadline=None)
@given(st.lists(_rollup, max_size=30), st.integers(0, 30))
def test_folding_deltas_in_any_portions_counts_the_same(rows: list[dict[str, int]], cut: int) -> None:
    import duckdb
    import pyarrow as pa

    from wardgate.lake.tables import ROLLUPS

    table = pa.Table.from_pylist(
        [
            {
                **dict.fromkeys(ROLLUPS.names, 1),
                "minute_us": row["minute"] * 60_000_000,
                "source": "s",
                "path_id": row["path"],
                "caller_id": row["caller"],
                "credential_id": row["credential"],
                "calls": row["calls"],
                "duration_max_us": row["duration_max"],
                "first_us": row["seconds"] * 1_000_000,
                "last_us": row["seconds"] * 1_000_000,
            }
            for row in rows
        ],
        schema=ROLLUPS,
    )
    con = duckdb.connect()
    con.register("first_part", table.slice(0, cut))
    con.register("second_part", table.slice(cut))
    con.register("every", table)
    whole = con.execute(rollups_of("every")).fetchall()
    in_parts = con.execute(
        rollups_of(f"(({rollups_of('first_part')}) UNION ALL ({rollups_of('second_part')}))")
    ).fetchall()
    assert sorted(whole) == sorted(in_parts)
    keys = {(r["minute"], r["path"], r["caller"], r["credential"]) for r in rows}
    assert len(whole) == len(keys)
    assert sum(row[ROLLUPS.names.index("calls")] for row in whole) == sum(row["calls"] for row in rows)


def test_old_batches_fold_to_one_row_per_origin_and_recent_ones_stay(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    traffic.send_batches([log_line(f"/{n % 9}") if n % 3 else "garbage of a scanner"] for n in range(60))
    before = counts(lake)
    later = maintainer(lake, NOON + 9 * DAY_US)
    report = later.run_once()
    assert report.failure == ""
    assert counts(lake) == before
    (row,) = lake.rows(f"SELECT * FROM {ALIAS}.ledger").to_pylist()
    assert (row["next_position"], row["read"], row["rejected"]) == (60, 60, 20)
    assert sum(json.loads(row["rejected_by"]).values()) == 20
    # what was read on is read on from there: the same batch id is known
    assert row["batch_id"] == traffic.pipeline.batch_id(traffic.origin, 59)


def test_batches_of_the_last_week_keep_their_ids(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    traffic.send_batches([log_line(f"/{n % 5}")] for n in range(60))
    maintainer(lake, NOON + 6 * DAY_US).run_once()
    assert lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.ledger")["n"][0].as_py() == 60


def test_ledger_counts_by_rule_add_up() -> None:
    import duckdb
    import pyarrow as pa

    from wardgate.lake.tables import LEDGER

    def row(batch: int, skipped: dict[str, int], position: int) -> dict[str, object]:
        return {
            **dict.fromkeys(LEDGER.names),
            "batch_id": batch,
            "source": "s",
            "origin_id": 1,
            "origin": "o",
            "format": "f",
            "next_position": position,
            "read": 2,
            "accepted": 1,
            "rejected": 0,
            "skipped": sum(skipped.values()),
            "skipped_by": json.dumps(skipped),
            "rejected_by": "{}",
            "committed_at_us": batch,
            "complete": batch == 3,
        }

    rows = [row(1, {"blank": 1, 'odd "rule".x': 2}, 2), row(2, {"blank": 4}, 4), row(3, {}, 6)]
    con = duckdb.connect()
    con.register("ledger", pa.Table.from_pylist(rows, schema=LEDGER))
    found = con.execute(folded_ledger("ledger", 1000)).to_arrow_table().to_pylist()
    assert len(found) == 1
    assert found[0]["skipped"] == 7
    assert json.loads(found[0]["skipped_by"]) == {"blank": 5, 'odd "rule".x': 2}
    assert found[0]["rejected_by"] == "{}"
    assert (found[0]["next_position"], found[0]["complete"], found[0]["read"]) == (6, True, 6)


def test_old_pushes_fold_to_one_row_and_new_ones_keep_their_ids() -> None:
    import duckdb
    import pyarrow as pa

    from wardgate.lake.tables import LEDGER

    rows = [
        {
            **dict.fromkeys(LEDGER.names),
            **{"batch_id": n, "source": "s", "origin_id": 100 + n, "origin": "push by s", "format": "f"},
            **{"next_position": 2, "read": 2, "accepted": 2, "rejected": 0, "skipped": 0},
            **{"skipped_by": "{}", "rejected_by": "{}", "parser_state": '{"body":7}', "committed_at_us": n},
        }
        for n in range(1, 21)
    ]
    con = duckdb.connect()
    con.register("ledger", pa.Table.from_pylist(rows, schema=LEDGER))
    found = con.execute(folded_ledger("ledger", 11)).to_arrow_table().to_pylist()
    assert [row["origin_id"] for row in found] == [0, *range(111, 121)]
    assert sum(row["read"] for row in found) == 40
    assert {row["batch_id"] for row in found} >= set(range(11, 21))


def test_a_file_that_no_commit_named_goes_and_one_that_may_yet_be_named_stays(
    lake: Lake,
    traffic,
    log_line,
    home: Home,  # type: ignore[no-untyped-def]
) -> None:
    traffic.send(*(log_line(client=f"192.0.2.{n}") for n in range(50)))
    known = parquet(home)
    orphan = known[0].with_name("left-by-a-kill.parquet")
    orphan.write_bytes(known[0].read_bytes())
    assert maintainer(lake).run_once().orphaned_files == 0
    assert orphan.exists()
    hasty = Maintainer(lake, LakeSettings(), fixed_clock(NOON), orphans_s=-1, orphans_every_s=0)
    assert hasty.run_once().orphaned_files == 1
    assert not orphan.exists()
    assert counts(lake)["calls"] == 50


def test_two_maintainers_take_turns(lake: Lake, home: Home) -> None:
    from wardgate.lake.freeing import maintaining

    with maintaining(lake) as free:
        assert free
        assert maintainer(lake).run_once().busy
    assert not maintainer(lake).run_once().busy


def test_a_rewrite_gives_up_when_its_files_were_changed_meanwhile(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    from wardgate.lake.rewriting import Turns, replace

    for _ in range(3):
        traffic.send(*(log_line(client=f"192.0.2.{n}") for n in range(20)))
    with lake.reading() as cursor:
        files = data_files(cursor, "calls")
    turns = Turns(lake)

    def meddling(rows: str) -> str:
        assert replace(
            turns, "calls", files[:1], lambda own: f"SELECT * FROM {own} WHERE client_address < '192.0.2.2'"
        )
        return f"SELECT * FROM {rows}"

    assert replace(turns, "calls", files, meddling) is None
    left = counts(lake)["calls"]
    assert 40 < left < 60
    assert maintainer(lake).run_once().failure == ""
    assert counts(lake)["calls"] == left


@pytest.mark.parametrize("table", TABLES)
def test_every_table_can_be_merged(table: str, lake: Lake) -> None:
    for span in ((0, 0), (NOON, NOON + 2 * DAY_US)):
        assert lake.rows(merged(table, f"(SELECT * FROM {ALIAS}.{table})", span)).num_rows == 0
