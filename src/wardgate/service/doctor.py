"""Why is nothing showing? Every part is looked at, end to end, and each finding says what to do.

A check-up changes nothing but what opening the lake changes, and goes on past whatever is broken: a broken
configuration does not hide a full disk. It reads the ledger and the rollups, a sample of each file that is
still there, and the last day of calls.
"""

import platform
from collections.abc import Collection, Iterator
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from wardgate import __version__
from wardgate.core.clock import Clock
from wardgate.core.config import load_config
from wardgate.core.errors import WardgateError
from wardgate.core.home import Home, open_home
from wardgate.core.settings import Config
from wardgate.lake.engine import configured_place
from wardgate.lake.store import Lake
from wardgate.service.diagnosis import Check, State
from wardgate.service.doctor_place import (
    check_disk,
    check_home,
    check_key,
    check_lake,
    check_locks,
)
from wardgate.service.doctor_sources import check_configured, check_nothing, check_sources
from wardgate.service.live import Live, live


def examine(home_path: Path | None, config_path: Path | None, clock: Clock) -> Iterator[Check]:
    """Everything that was looked at, in order."""
    yield _versions()
    try:
        home = open_home(home_path)
    except WardgateError as error:
        yield refused("home", error)
        return
    yield from check_home(home)
    yield from check_key(home)
    yield from check_disk(home)
    config = Config()
    try:
        config = load_config(config_path or home.config, required=config_path is not None)
        yield _configuration(config, config_path or home.config)
    except WardgateError as error:
        yield refused("configuration", error)
    configured = list(check_configured(config))
    yield from configured
    followed = live(home, config, clock)
    yield from _check_live(followed, {one.about for one in configured if one.state is not State.OK})
    place = configured_place(home, config.lake)
    locks = list(check_locks(place))
    yield from locks
    if any(one.state is State.WRONG for one in locks):
        return  # opening the lake would wait for the same lock
    if not place.on_postgres and not Path(place.catalog).exists():
        yield from check_nothing(config)
        return
    try:
        lake = Lake(place)
    except WardgateError as error:
        yield refused("lake", error)
        return
    try:
        yield from _examine_lake(lake, home, config, clock, {one.source for one in followed if one.is_read})
    finally:
        lake.close()


def _check_live(followed: list[Live], told: set[str]) -> Iterator[Check]:
    """Each followed source; where its file was found wanting already, that is not said twice."""
    for (word, *alike), group in groupby(followed, lambda one: (one.word, one.state, one.finding, one.do)):
        names = [one.source for one in group]
        if word in ("failing", "nothing yet"):
            names = [name for name in names if f"source {name}" not in told]
        if names:
            yield Check("source " + ", ".join(names), *alike)


def _examine_lake(
    lake: Lake, home: Home, config: Config, clock: Clock, followed: Collection[str]
) -> Iterator[Check]:
    state = list(check_lake(lake, home))
    yield from state
    if any(one.state is State.WRONG for one in state):
        return  # what cannot be read cannot be told about
    found = list(check_sources(lake, config, clock, followed))
    yield from found
    if not found:
        yield from check_nothing(config)


def refused(about: str, error: WardgateError) -> Check:
    """A refusal as a finding."""
    return Check(about, State.WRONG, f"[{error.code}] {error.message}", error.mend)


def _versions() -> Check:
    parts = [f"Wardgate {__version__}", f"Python {platform.python_version()}"]
    parts += [f"{name} {version(name)}" for name in ("duckdb", "pyarrow")]
    return Check("versions", State.OK, ", ".join(parts) + f", on {platform.system()} {platform.release()}.")


def _configuration(config: Config, path: Path) -> Check:
    if not path.exists():
        return Check("configuration", State.OK, "there is none: the defaults hold.")
    sources = len(config.source)
    return Check(
        "configuration", State.OK, f"{path} is sound, with {sources} followed source{'s' * (sources != 1)}."
    )
