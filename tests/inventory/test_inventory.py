"""What the inventory answers, against calls whose truth is known."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.identity.callers import callers
from wardgate.identity.credentials import credentials
from wardgate.inventory.flows import flows
from wardgate.inventory.operations import count_operations, operations
from wardgate.inventory.overview import overview
from wardgate.inventory.scope import Scope
from wardgate.inventory.services import services
from wardgate.inventory.sources import sources
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Batch, Lake
from wardgate.lake.tables import PATHS
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs

START = datetime(2026, 3, 1, 10)  # noqa: DTZ001 - answers are naive UTC


class House:
    """A lake that takes JSON Lines in."""

    def __init__(self, folder: Path) -> None:
        home = open_home(folder / "home")
        self.folder = folder
        self.lake = Lake(embedded_place(home))
        self._pipeline = Pipeline(self.lake, load_key(home.path), fixed_clock(1_772_366_400_000_000))

    def take(self, source: str, calls: list[dict[str, Any]]) -> None:
        file = self.folder / f"{source}.jsonl"
        file.write_bytes(b"\n".join(msgspec.json.encode(one) for one in calls) + b"\n")
        list(
            Ingest(self._pipeline, fixed_clock(1_772_366_400_000_000)).run(
                find_inputs([str(file)]), Reading()
            )
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def call(path: str, *, minute: int = 0, second: int = 0, **more: Any) -> dict[str, Any]:
    headers = {key.replace("_", "-"): more.pop(key) for key in ("x_request_id", "x_api_key") if key in more}
    return {
        "ts": f"2026-03-01T10:{minute:02d}:{second:02d}Z",
        "method": more.pop("method", "GET"),
        "url": f"https://{more.pop('host', 'api.test')}{path}",
        "status": 200,
        "request_headers": {"user-agent": "curl/8", **headers},
        **more,
    }


def test_latency_quantiles_are_within_ten_percent(house: House) -> None:
    durations = [2.0] * 50 + [30.0] * 45 + [900.0] * 5
    house.take("a", [call("/v1/a", second=n % 60, duration_ms=ms) for n, ms in enumerate(durations)])
    house.take("b", [call("/v1/untimed")])
    by_template = {one.template: one for one in operations(house.lake, Scope()).rows}
    assert by_template["/v1/a"].p50_us == pytest.approx(2_000, rel=0.1)
    assert by_template["/v1/a"].p95_us == pytest.approx(30_000, rel=0.1)
    assert by_template["/v1/untimed"].p50_us is None
    assert by_template["/v1/untimed"].p95_us is None


def test_outcomes_and_their_share(house: House) -> None:
    statuses = [200, 200, 204, 301, 404, 500, 503, None]
    house.take("a", [call("/v1/a", second=n, status=status) for n, status in enumerate(statuses)])
    (found,) = operations(house.lake, Scope()).rows
    assert (found.calls, found.status_2xx, found.status_3xx, found.status_4xx, found.status_5xx) == (
        8,
        3,
        1,
        1,
        2,
    )
    assert found.error_share == pytest.approx(3 / 7)
    assert (found.first_seen, found.last_seen) == (START, START + timedelta(seconds=7))


@pytest.mark.parametrize("gateway_first", [True, False])
def test_linked_calls_count_once_and_keep_the_credential_that_one_vantage_shows(
    house: House, gateway_first: bool
) -> None:
    both = [f"request-{n}" for n in range(6)]
    gateway = [
        call("/v1/a", second=n, x_request_id=one, x_api_key="k" * 9 + "1" * 12) for n, one in enumerate(both)
    ]
    edge = [call("/v1/a", second=n, x_request_id=one) for n, one in enumerate([*both, "only-edge"])]
    for name, calls in [("gateway", gateway), ("edge", edge)][:: 1 if gateway_first else -1]:
        house.take(name, calls)
    (found,) = operations(house.lake, Scope()).rows
    assert (found.calls, found.linked, found.credentials) == (7, 6, 1)
    assert found.no_credential_share == pytest.approx(1 / 7)
    (credential,) = credentials(house.lake, Scope()).rows
    assert (credential.calls, credential.callers, credential.operations) == (6, 1, 1)
    (service,) = services(house.lake, Scope())
    assert (service.possible_doubles, service.sources) == (0, ["edge", "gateway"])
    named = [one for one in callers(house.lake, Scope()).rows if one.credentials]
    assert [one.calls for one in named] == [6]


def test_possible_doubles_are_shown_where_nothing_links(house: House) -> None:
    house.take("cdn", [call("/v1/a", minute=0, second=n) for n in range(5)] + [call("/v1/a", minute=1)])
    house.take("lb", [call("/v1/a", minute=0, second=n) for n in range(3)] + [call("/v1/b", minute=0)])
    (service,) = services(house.lake, Scope())
    assert (service.calls, service.possible_doubles) == (10, 3)
    assert {one.source: one.possible_doubles for one in sources(house.lake)} == {"cdn": 0, "lb": 3}
    later = Scope(since_us=1_772_359_260_000_000)  # 10:01
    assert [one.possible_doubles for one in services(house.lake, later)] == [0]


def test_repeated_facts_and_relabelled_paths_change_nothing_but_the_label(house: House) -> None:
    house.take("a", [call("/v1/cart/abc"), call("/v1/cart/def", second=1)])
    paths = house.lake.rows("SELECT * FROM lake.paths")
    assert count_operations(house.lake, Scope()) == 2
    facts = {name: house.lake.rows(f"SELECT * FROM lake.{name}") for name in ("credentials", "callers")}
    house.lake.commit(Batch(1, {"paths": paths, **facts}))
    assert count_operations(house.lake, Scope()) == 2
    assert callers(house.lake, Scope()).total == 1
    relabelled = paths.to_pylist()
    for row in relabelled:
        row |= {"version": 2, "template": "/v1/cart/{cartName}", "operation_id": 77}
    house.lake.commit(Batch(2, {"paths": pa.Table.from_pylist(relabelled, schema=PATHS)}))
    (found,) = operations(house.lake, Scope()).rows
    assert (found.template, found.calls, found.operation_id) == ("/v1/cart/{cartName}", 2, 77)


def test_an_empty_lake_answers_with_nothing(house: House) -> None:
    assert operations(house.lake, Scope()).rows == []
    assert services(house.lake, Scope()) == []
    assert flows(house.lake, Scope()).rows == []
    assert sources(house.lake) == []
    found = overview(house.lake, Scope())
    assert (found.operations, found.calls, found.first_seen, found.no_credential_share) == (0, 0, None, None)


calls = st.lists(
    st.builds(
        lambda path, minute, status, key, host: (path, minute, status, key, host),
        st.sampled_from(["/v1/a", "/v1/b", "/v1/things/17", "/v1/things/18", "/app.js"]),
        st.integers(0, 4),
        st.sampled_from([200, 302, 404, 500]),
        st.sampled_from([None, "key-one-0123456789abc", "key-two-0123456789abc"]),
        st.sampled_from(["a.test", "b.test"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(
    max_examples=3, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
@given(calls)
def test_every_listing_adds_up_to_the_same_calls(
    tmp_path_factory: pytest.TempPathFactory, made: list[Any]
) -> None:
    house = House(tmp_path_factory.mktemp("law"))
    try:
        house.take(
            "s",
            [
                call(path, minute=minute, status=status, host=host, **({"x_api_key": key} if key else {}))
                for path, minute, status, key, host in made
            ],
        )
        every = operations(house.lake, Scope()).rows
        api = operations(house.lake, Scope(static=False)).rows
        number = len(made)
        assert sum(one.calls for one in every) == number
        assert sum(one.calls for one in api) == sum(path != "/app.js" for path, *_ in made)
        assert sum(one.calls for one in services(house.lake, Scope())) == number
        assert sum(one.calls for one in flows(house.lake, Scope()).rows) == number
        assert sum(one.calls for one in callers(house.lake, Scope()).rows) == number
        assert sum(one.calls for one in credentials(house.lake, Scope()).rows) == sum(
            bool(key) for *_, key, _ in made
        )
        top = overview(house.lake, Scope())
        assert (top.calls, top.operations) == (number, len(api))
        assert (
            sum(one.status_5xx for one in every)
            == top.errors_5xx
            == sum(status == 500 for _, _, status, *_ in made)
        )
        for minute in (1, 3):
            cut = 1_772_359_200_000_000 + minute * 60_000_000
            early = overview(house.lake, Scope(until_us=cut)).calls
            late = overview(house.lake, Scope(since_us=cut)).calls
            assert (early, late) == (
                sum(m < minute for _, m, *_ in made),
                sum(m >= minute for _, m, *_ in made),
            )
        first = operations(house.lake, Scope(), limit=2).rows
        rest = operations(house.lake, Scope(), limit=100, offset=2).rows
        assert first + rest == every
    finally:
        house.lake.close()
