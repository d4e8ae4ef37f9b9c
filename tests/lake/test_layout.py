"""A lake of an earlier version opens and gets what it lacks; one of a newer version is refused."""

from pathlib import Path

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.core.keys import Key
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS, Place, connect, embedded_place
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest
from wardgate.service.opening import Reading
from wardgate.sources.files import find_inputs

FIRST = (Path(__file__).parent / "first_layout.sql").read_text()
NOW_US = 1_794_657_600_000_000
LINE = '203.0.113.9 - - [14/Nov/2026:10:00:00 +0000] "GET /users/{n} HTTP/1.1" 200 12 "-" "curl/8.1"\n'
# What the first version wrote of one call: the columns that anything is counted by.
CALL = """
INSERT INTO lake.calls (batch_id, origin_id, "position", source, started_at_us, received_at_us, service,
  method, path, path_id, status, caller_id, is_linked) VALUES
  (7, 8, 0, 'old', '2026-11-13 10:00:00', '2026-11-13 10:00:01', 'shop', 'GET', '/a', 5, 200, 6,
   false);
INSERT INTO lake.paths (path_id, version, service, protocol, method, path, operation, template, operation_id,
  static) VALUES (5, 1, 'shop', 'http', 'GET', '/a', 'GET /a', '/a', 55, false);
INSERT INTO lake.callers (caller_id, kind, name, basis, confidence, learned_at_us)
  VALUES (6, 'unknown', '192.0.2.1', 'address', 0.5, '2026-11-13 10:00:01');
INSERT INTO lake.rollups (minute_us, source, path_id, caller_id, credential_id, calls, linked, status_1xx,
  status_2xx, status_3xx, status_4xx, status_5xx, request_bytes, response_bytes, timed_calls, duration_us,
  duration_max_us, first_us, last_us) VALUES ('2026-11-13 10:00:00', 'old', 5, 6, 0, 1, 0, 0, 1, 0, 0, 0, 0,
  0, 0, 0, 0, '2026-11-13 10:00:00', '2026-11-13 10:00:00');
INSERT INTO lake.ledger (batch_id, source, origin_id, origin, format, next_position, next_offset,
  parser_state, read, accepted, rejected, skipped, skipped_by, rejected_by, complete, committed_at_us)
  VALUES (7, 'old', 8, 'old.log', 'nginx', 1, 90, '{}', 1, 1, 0, 0, '{}', '{}', false, '2026-11-13 10:00:01');
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return embedded_place(open_home(tmp_path / "home"))


def run(place: Place, *statements: str) -> None:
    con = connect(place)
    for one in statements:
        con.execute(one)
    con.close()


def columns(lake: Lake) -> dict[str, set[str]]:
    return {name: set(lake.rows(f"SELECT * FROM {ALIAS}.{name} LIMIT 0").column_names) for name in TABLES}


def test_a_lake_of_the_first_version_opens_and_goes_on(place: Place, tmp_path: Path) -> None:
    """Its calls are there, new ones come beside them, and upkeep has no trouble with either."""
    run(place, FIRST, CALL)
    lake = Lake(place)
    assert columns(lake) == {name: set(schema.names) for name, schema in TABLES.items()}
    log = tmp_path / "new.log"
    log.write_text("".join(LINE.format(n=n) for n in range(30)))
    pipeline = Pipeline(lake, Key(bytes(32)), fixed_clock(NOW_US))
    ingest = Ingest(pipeline, fixed_clock(NOW_US))
    assert list(ingest.run(find_inputs([str(log)]), Reading(source="new", format="nginx")))
    maintainer = Maintainer(lake, LakeSettings(), fixed_clock(NOW_US), readers_s=0)
    assert [maintainer.run_once().failure for _ in range(2)] == ["", ""]
    maintainer.close()
    counts = "SELECT source, sum(calls)::BIGINT AS calls FROM lake.rollups GROUP BY source ORDER BY source"
    assert lake.rows(counts).to_pylist() == [{"source": "new", "calls": 30}, {"source": "old", "calls": 1}]
    calls = "SELECT source, count(*) AS calls FROM lake.calls GROUP BY source ORDER BY source"
    assert lake.rows(calls).to_pylist() == [{"source": "new", "calls": 30}, {"source": "old", "calls": 1}]
    lake.close()
    Lake(place).close()


def test_a_lake_without_some_tables_gets_them(place: Place) -> None:
    Lake(place).close()
    run(place, f"DROP TABLE {ALIAS}.erasures", f"DROP TABLE {ALIAS}.latencies")
    lake = Lake(place)
    assert columns(lake) == {name: set(schema.names) for name, schema in TABLES.items()}
    lake.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE lake.calls ADD COLUMN mood VARCHAR", "calls.mood"),
        ("CREATE TABLE lake.moods (mood VARCHAR)", "moods.mood"),
    ],
)
def test_a_lake_of_a_newer_version_is_refused(place: Place, statement: str, named: str) -> None:
    Lake(place).close()
    run(place, statement)
    with pytest.raises(WardgateError) as caught:
        Lake(place)
    assert (caught.value.code, named in caught.value.message) == ("lake-newer", True)
