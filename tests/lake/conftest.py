"""A lake in a fresh home, and traffic for it that goes the way all traffic goes."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wardgate.core.home import Home, open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Origin, Pipeline, Reached
from wardgate.sources.catalogue import format_named
from wardgate.sources.format import LineFormat, Lines, Options

NOON = 1_790_000_000_000_000
"""A moment (µs) that tests take for the present."""
KEY = Key(b"t" * 32)


class Traffic:
    """Commits NGINX lines to a lake as one source's file would be, one part a call."""

    def __init__(self, lake: Lake, source: str = "edge", clock: Callable[[], int] = lambda: NOON) -> None:
        self.lake = lake
        self.pipeline = Pipeline(lake, KEY, clock)
        self.origin = Origin(source, KEY.id64("origin", source), f"/var/log/{source}.log", "nginx")
        self.position = 0
        self.read = self.accepted = self.rejected = 0

    def send(self, *lines: str) -> None:
        """Commit these lines as one batch."""
        self.send_batches([lines])

    def send_batches(self, batches: Iterable[Iterable[str]]) -> None:
        """Commit several batches, each of some lines, in one transaction."""
        format_ = format_named("nginx")
        assert isinstance(format_, LineFormat)
        parts = []
        for lines in batches:
            data = "".join(line + "\n" for line in lines).encode()
            parsed = format_.parser(Options(), None).parse(Lines(data, self.position))
            self.position += parsed.read
            parts.append(self.pipeline.prepare(parsed, self.origin, Reached(self.position, 0)))
        assert all(self.pipeline.commit(parts))
        for prepared in parts:
            self.read += prepared.read
            self.accepted += prepared.accepted
            self.rejected += prepared.rejected


def line(
    path: str = "/orders",
    *,
    at: int = NOON,
    client: str = "192.0.2.7",
    status: int = 200,
    agent: str = "curl/8.0",
    login: str = "-",
) -> str:
    """One line of the combined log format; `at` in µs."""
    stamp = datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'{client} - {login} [{stamp}] "GET {path} HTTP/1.1" {status} 512 "-" "{agent}"'


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def lake(home: Home) -> Iterator[Lake]:
    lake = Lake(embedded_place(home))
    yield lake
    lake.close()


@pytest.fixture
def traffic(lake: Lake) -> Traffic:
    return Traffic(lake)


@pytest.fixture
def log_line() -> Callable[..., str]:
    return line


@pytest.fixture
def new_traffic(lake: Lake) -> Callable[[str], Traffic]:
    """Traffic of another source."""
    return lambda source: Traffic(lake, source)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A lake that is only asked, for all tests of a file."""
    lake = Lake(embedded_place(open_home(tmp_path_factory.mktemp("asked") / "home")))
    traffic = Traffic(lake)
    traffic.send(*(line(f"/u/{n}", client=f"192.0.2.{n}", login="erin") for n in range(30)), "no log line")
    yield lake
    lake.close()


@pytest.fixture
def new_lake_traffic() -> type[Traffic]:
    """Traffic for a lake that a test opens itself."""
    return Traffic
