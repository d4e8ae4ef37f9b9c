"""What is past its time goes, and a subject that asks to be forgotten is gone from the disk."""

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import Home
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS
from wardgate.lake.erasure import ERASED, Subject, erase
from wardgate.lake.files import data_files
from wardgate.lake.maintenance import Maintainer, Report
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES

NOON = 1_790_000_000_000_000
DAY_US = 86_400_000_000


def maintain(lake: Lake, now: int = NOON, **keeping: object) -> Report:
    report = Maintainer(lake, LakeSettings(**keeping), fixed_clock(now), readers_s=0).run_once()  # type: ignore[arg-type]
    assert report.failure == ""
    return report


def one(lake: Lake, sql: str):  # type: ignore[no-untyped-def]
    return next(iter(lake.rows(f"SELECT {sql} AS x")["x"].to_pylist()))


def test_calls_past_their_age_go_and_rollups_stay(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    for day in range(10):
        traffic.send(*(log_line(at=NOON - day * DAY_US, client=f"192.0.2.{n}") for n in range(30)))
    report = maintain(lake, retention_days=4)
    kept = lake.rows(f"SELECT DISTINCT started_at_us::DATE AS d FROM {ALIAS}.calls")["d"].to_pylist()
    # whole days: the day that is four days ago is still kept
    assert len(kept) == 5
    assert report.dropped_rows == {"calls": 150}
    assert one(lake, f"(SELECT sum(calls)::BIGINT FROM {ALIAS}.rollups)") == 300
    assert maintain(lake, retention_days=4).dropped_rows == {}
    assert maintain(lake, retention_days=4, rollup_retention_days=6).dropped_rows == {"rollups": 90}
    assert one(lake, f"(SELECT sum(calls)::BIGINT FROM {ALIAS}.rollups)") == 210


def test_a_service_may_keep_its_calls_shorter_or_longer_than_the_rest(
    lake: Lake, traffic, new_traffic, log_line
) -> None:  # type: ignore[no-untyped-def]
    other = new_traffic("billing")
    for day in range(6):
        for source in (traffic, other):
            source.send(*(log_line(at=NOON - day * DAY_US, client=f"192.0.2.{n}") for n in range(20)))
    maintain(lake, retention_days=3, service_retention_days={"billing": 1})
    found = lake.rows(f"SELECT service, count(*) AS n FROM {ALIAS}.calls GROUP BY 1 ORDER BY 1").to_pylist()
    assert found == [{"service": "billing", "n": 40}, {"service": "edge", "n": 80}]
    maintain(lake, retention_days=1, service_retention_days={"edge": 3})
    found = lake.rows(f"SELECT service, count(*) AS n FROM {ALIAS}.calls GROUP BY 1 ORDER BY 1").to_pylist()
    assert found == [{"service": "billing", "n": 40}, {"service": "edge", "n": 80}]


def test_the_oldest_calls_go_when_the_lake_is_too_large(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    for day in range(6):
        traffic.send(
            *(log_line(f"/{day}/{n}", at=NOON - day * DAY_US, client=f"192.0.2.{n}") for n in range(90))
        )
    with lake.reading() as cursor:
        total = sum(file.size for table in TABLES for file in data_files(cursor, table))
        calls = data_files(cursor, "calls")
    report = maintain(lake, retention_bytes=total - calls[0].size)
    assert 90 <= report.dropped_rows["calls"] <= 180
    oldest = one(lake, f"(SELECT min(started_at_us) FROM {ALIAS}.calls)")
    assert oldest.timestamp() * 1e6 > NOON - 5 * DAY_US
    assert one(lake, f"(SELECT sum(calls)::BIGINT FROM {ALIAS}.rollups)") == 540


def test_records_that_were_not_understood_go_after_their_time(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    traffic.send(*["no log line at all"] * 15)
    assert maintain(lake, NOON + 89 * DAY_US).dropped_rows == {}
    assert maintain(lake, NOON + 92 * DAY_US).dropped_rows == {"rejects": 15}
    assert one(lake, f"(SELECT sum(rejected)::BIGINT FROM {ALIAS}.ledger)") == 15


def on_disk(home: Home, needle: bytes) -> list[str]:
    """Files of the home that hold these bytes; Parquet columns are read, since they are compressed."""
    import pyarrow.parquet as pq

    found = []
    for path in home.path.rglob("*"):
        if not path.is_file():
            continue
        raw = path.read_bytes()
        if path.suffix == ".parquet":
            raw += repr(pq.read_table(path).to_pylist()).encode() + repr(pq.read_metadata(path)).encode()
        if needle in raw:
            found.append(path.name)
    return found


@pytest.fixture
def people(lake: Lake, traffic, log_line) -> Lake:  # type: ignore[no-untyped-def]
    """Two addresses and two logins, in several files, and some calls that only the catalogue holds."""
    for _ in range(4):
        traffic.send(
            *(log_line(client="203.0.113.99", agent="erin-tool/1.0") for _ in range(15)),
            *(log_line(client="198.51.100.1", agent="tool/1.0") for _ in range(15)),
            *(log_line(client="198.51.100.2", login="erin", agent="tool/1.0") for _ in range(15)),
        )
    traffic.send(log_line(client="203.0.113.99", agent="erin-tool/1.0"))
    return lake


def test_an_erased_address_is_in_no_file_and_the_counts_stay(people: Lake, home: Home) -> None:
    assert on_disk(home, b"203.0.113.99")
    done = erase(people, Subject(address="203.0.113.99"), fixed_clock(NOON))
    assert (done.calls, done.facts) == (61, 1)
    assert one(people, f"(SELECT count(*) FROM {ALIAS}.calls)") == 120
    assert one(people, f"(SELECT sum(calls)::BIGINT FROM {ALIAS}.rollups)") == 181
    assert one(people, f"(SELECT sum(calls)::BIGINT FROM {ALIAS}.rollups WHERE caller_id = {ERASED})") == 61
    assert one(people, f"(SELECT name FROM {ALIAS}.callers WHERE caller_id = {ERASED})") == "erased"
    assert on_disk(home, b"203.0.113.99") == []
    assert on_disk(home, b"erin-tool") == []
    assert on_disk(home, b"198.51.100.1") != []
    again = erase(people, Subject(address="203.0.113.99"), fixed_clock(NOON))
    assert (again.calls, again.rollup_rows, again.facts) == (0, 0, 0)


def test_an_erased_login_takes_its_credential_and_caller_along(people: Lake, home: Home) -> None:
    login = one(people, f"(SELECT any_value(login) FROM {ALIAS}.calls WHERE login IS NOT NULL)")
    fingerprint = one(people, f"(SELECT any_value(fingerprint) FROM {ALIAS}.credentials)")
    done = erase(people, Subject(login=login), fixed_clock(NOON))
    assert (done.calls, done.facts) == (60, 2)
    assert on_disk(home, login.encode()) == []
    assert on_disk(home, fingerprint.encode()) == []
    assert one(people, f"(SELECT count(*) FROM {ALIAS}.rollups WHERE credential_id <> 0)") == 0


def test_a_process_that_goes_on_learns_who_was_erased_anew(lake: Lake, new_lake_traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    now = [NOON]
    traffic = new_lake_traffic(lake, clock=lambda: now[0])
    visitor = log_line(client="203.0.113.99", agent="erin-tool/1.0")
    known = f"(SELECT count(*) FROM {ALIAS}.callers WHERE name LIKE 'erin-tool%')"
    traffic.send(visitor)
    assert one(lake, known) == 1
    assert erase(lake, Subject(address="203.0.113.99"), fixed_clock(NOON)).facts == 1
    assert one(lake, known) == 0
    now[0] += 60_000_000
    traffic.send(log_line(client="198.51.100.1"))
    traffic.send(visitor)
    assert one(lake, known) == 1


@pytest.mark.parametrize("kind", ["caller", "credential"])
def test_a_caller_or_credential_is_erased_by_its_id(people: Lake, kind: str) -> None:
    column = f"{kind}_id"
    number = one(people, f"(SELECT any_value({column}) FROM {ALIAS}.calls WHERE login IS NOT NULL)")
    done = erase(people, Subject(**{column: number}), fixed_clock(NOON))
    assert done.calls == 60
    assert one(people, f"(SELECT count(*) FROM {ALIAS}.calls WHERE {column} = {number})") == 0
    assert one(people, f"(SELECT count(*) FROM {ALIAS}.rollups WHERE {column} = {number})") == 0
    assert maintain(people).failure == ""


def test_an_erasure_names_one_subject() -> None:
    with pytest.raises(WardgateError, match="one subject"):
        Subject(caller_id=1, address="192.0.2.1")
    with pytest.raises(WardgateError, match="one subject"):
        Subject()


def test_quotes_in_a_subject_are_only_text(people: Lake) -> None:
    assert erase(people, Subject(address="' OR true --"), fixed_clock(NOON)).calls == 0
    assert one(people, f"(SELECT count(*) FROM {ALIAS}.calls)") == 181
