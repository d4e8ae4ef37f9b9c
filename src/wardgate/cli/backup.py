"""`wardgate backup` and `wardgate restore`."""

import sys
from pathlib import Path
from typing import Any

import click

from wardgate.cli.installation import Installation, pass_installation

_PROGRESS_FROM = 64 << 20
"""Bytes; less is copied before anybody wonders."""


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--with-key", is_flag=True, help="Put the installation's key in, too. Keep that backup secret.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def backup(installation: Installation, /, *, target: Path, with_key: bool, as_json: bool) -> None:
    """Back up the home while everything runs, to TARGET: an archive (.tar.zst, .tar) or a new folder.

    The backup is of one moment, with every call that was acknowledged before it.
    The installation's key is left out, because who has key and lake can test guesses of secrets; keep it
    elsewhere.
    """
    from wardgate.cli.output import count, emit_json, say
    from wardgate.core.clock import system_clock
    from wardgate.service.backup import backup as back_up

    with _Bar("Backing up") as bar:
        done = back_up(
            installation.home, installation.settings, target, system_clock, with_key=with_key, shown=bar
        )
    manifest = done.manifest
    if as_json:
        emit_json(
            {
                "path": str(done.path),
                "bytes": done.size,
                "with_key": done.with_key,
                "key_id": manifest.key_id,
                "made_at_us": manifest.made_at_us,
                "rows": manifest.rows,
                "accounting": manifest.accounting,
                "files": len(manifest.files),
            }
        )
        return
    say(
        f"{done.path}: {count(manifest.rows.get('calls', 0))} calls, {count(len(manifest.files))} files, "
        f"{done.size / 1e6:,.1f} MB."
    )
    if manifest.key_id is not None:
        say(
            f"The key {manifest.key_id} is in it: keep it secret."
            if with_key
            else f"The key {manifest.key_id} is not in it: keep that elsewhere, too."
        )


@click.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The installation's key, for a backup without it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def restore(installation: Installation, /, *, source: Path, key_file: Path | None, as_json: bool) -> None:
    """Restore a backup into a new home, or an empty one: `wardgate --home NEW restore SOURCE`.

    Every file is compared with the backup's digests, and the lake is opened and counted, before anything is
    there. Restore only backups that you trust: digests tell damage, not forgery.
    """
    from datetime import UTC, datetime

    from wardgate.cli.output import count, emit_json, say
    from wardgate.core.home import home_path
    from wardgate.core.keys import key_file as place_of_key
    from wardgate.service.restoring import ASIDE
    from wardgate.service.restoring import restore as bring_back

    with _Bar("Restoring") as bar:
        done = bring_back(source, home_path(installation.home_path), key=key_file, shown=bar)
    manifest = done.manifest
    if as_json:
        emit_json(
            {
                "home": str(done.home),
                "made_at_us": manifest.made_at_us,
                "made_by": manifest.wardgate,
                "rows": manifest.rows,
                "accounting": manifest.accounting,
                "files": len(manifest.files),
                "key_id": manifest.key_id,
                "has_key": done.has_key,
                "configuration": done.configuration,
            }
        )
        return
    made_at = datetime.fromtimestamp(manifest.made_at_us / 1e6, UTC)
    say(
        f"{done.home}: as of {made_at:%Y-%m-%d %H:%M:%S} UTC, {count(manifest.rows.get('calls', 0))} calls "
        f"of {count(manifest.accounting.get('accepted', 0))} accepted, {count(len(manifest.files))} files; "
        "all checked."
    )
    if done.configuration == ASIDE:
        say(f"The configuration names another place for the lake: it is {ASIDE}. Look at it, and rename it.")
    if manifest.key_id is not None and not done.has_key:
        say(
            f"The key {manifest.key_id} was not in the backup: put it at {place_of_key(done.home)}, "
            "or set WARDGATE_KEY."
        )


class _Bar:
    """A bar on standard error, where that is a terminal and there is much to do."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    def begin(self, total: int) -> None:
        if total >= _PROGRESS_FROM and sys.stderr.isatty():
            self._bar = click.progressbar(length=total, label=self._label, file=sys.stderr)
            self._bar.__enter__()

    def advance(self, size: int) -> None:
        if self._bar is not None:
            self._bar.update(size)
