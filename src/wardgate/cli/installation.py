"""What every command is run on: the home folder, the configuration, and what they open.

The root group makes one `Installation` and hands it down as click's object (`@pass_installation`). Nothing
is opened before a command asks for it, so `--help` stays quick and touches no file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wardgate.core.home import Home
    from wardgate.core.keys import Key
    from wardgate.core.settings import Config, OwnerRuleSettings
    from wardgate.lake.store import Lake


@dataclass(frozen=True, slots=True)
class Installation:
    """The `--home` and `--config` a person gave; None where the default holds."""

    home_path: Path | None = None
    config_path: Path | None = None

    @property
    def home(self) -> "Home":
        """The home folder, made when it is not there. Raises `home-unusable`."""
        from wardgate.core.home import open_home

        return open_home(self.home_path)

    @property
    def config(self) -> Path:
        """The configuration file, whether it is there or not."""
        return self.config_path or self.home.config

    @property
    def settings(self) -> "Config":
        """The configuration, defaults where there is no file. Raises `config-…`."""
        from wardgate.core.config import load_config

        return load_config(self.config, required=self.config_path is not None)

    @property
    def _is_configured(self) -> bool:
        """Whether a file or the environment says anything; a setting's variable has `__` in its name."""
        from os import environ

        named = any(name.startswith("WARDGATE_") and "__" in name for name in environ)
        return named or self.config_path is not None or self.config.exists()

    @property
    def state_url(self) -> str | None:
        """Where the state is, if not in the home. Raises `config-…`."""
        return self.settings.state.url if self._is_configured else None

    @property
    def owner_rules(self) -> "list[OwnerRuleSettings]":
        """The owner rules of the configuration. Raises `config-…`."""
        return self.settings.owners.rules if self._is_configured else []

    @property
    def key(self) -> "Key":
        """The installation's key. Raises `key-…`."""
        from wardgate.core.keys import load_key

        return load_key(self.home.path)

    @contextmanager
    def lake(self, threads: int = 2) -> Iterator["Lake"]:
        """The lake, its engine with so many threads, closed in the end. Raises `lake-…`, `config-…`."""
        from wardgate.lake.engine import MEMORY, configured_place, embedded_place
        from wardgate.lake.store import Lake

        home, place, memory = self.home, embedded_place(self.home), MEMORY
        if self._is_configured:  # else the settings' own import, a third of a short command, is not needed
            settings = self.settings.lake
            place, memory = configured_place(home, settings), settings.memory
        lake = Lake(place, memory=memory, threads=threads)
        try:
            yield lake
        finally:
            lake.close()


pass_installation = click.make_pass_decorator(Installation)
