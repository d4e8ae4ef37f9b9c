"""A lake for a module's tests: making one takes long, so tests keep apart by their source's name."""

from collections.abc import Iterator

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.home import Home, open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline

NOW_US = 1_794_657_600_000_000  # 2026-11-14T12:00:00Z


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return open_home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def pipeline(home: Home) -> Iterator[Pipeline]:
    lake = Lake(embedded_place(home))
    yield Pipeline(lake, Key(bytes(32)), fixed_clock(NOW_US))
    lake.close()


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    """The name of this test's own source."""
    return str(request.node.name)
