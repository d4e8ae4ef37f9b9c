"""Where an installation's data lives: one folder, private to its user."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from wardgate.core.errors import WardgateError


@dataclass(frozen=True, slots=True)
class Home:
    """The folder `--home` or `WARDGATE_HOME` names, else the user's data folder."""

    path: Path

    @property
    def lake(self) -> Path:
        return self.path / "lake"

    @property
    def state(self) -> Path:
        return self.path / "state.sqlite"

    @property
    def config(self) -> Path:
        return self.path / "wardgate.toml"

    @property
    def scratch(self) -> Path:
        """Where engines may spill; emptied at will."""
        return self.path / "scratch"


RESTORING = ".restoring"
"""A folder in the home that is there while a backup is being restored into it."""


def home_path(given: Path | None = None) -> Path:
    """Where the home is, whether it is there or not."""
    chosen = given or (Path(os.environ["WARDGATE_HOME"]) if os.environ.get("WARDGATE_HOME") else None)
    return (chosen or platformdirs.user_data_path("wardgate")).expanduser().resolve()


def open_home(given: Path | None = None) -> Home:
    """The home folder, made (mode 0700) when it is not there. Raises `home-unusable` or `home-restoring`."""
    path = home_path(given)
    home = Home(path)
    if (path / RESTORING).exists():
        raise WardgateError(
            "home-restoring",
            f"a backup is being restored into {path}, or that was cut short.",
            mend="Run `wardgate restore` again if it does not run any more.",
        )
    try:
        for folder in (home.path, home.lake, home.scratch):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WardgateError("home-unusable", f"cannot use {path} as a home: {error.strerror}.") from error
    return home
