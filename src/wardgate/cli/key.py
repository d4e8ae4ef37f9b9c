"""`wardgate key`: which keys make fingerprints, and a new one."""

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import emit_json, say


@click.group()
def key() -> None:
    """Show and rotate the installation's key.

    The key turns secrets into fingerprints. After a rotation new fingerprints are made under the new key; the
    earlier keys are kept behind it, so that a credential that was known stays the same credential.
    """


@key.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def show(installation: Installation, /, as_json: bool) -> None:
    """Show the ids of the key in use and of earlier ones; never a key."""
    _tell(installation, as_json)


@key.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def rotate(installation: Installation, /, as_json: bool) -> None:
    """Make a new key. Restart what runs, and back up keys/installation.key."""
    from wardgate.core.keys import rotate_key

    rotate_key(installation.home.path)
    _tell(installation, as_json)


def _tell(installation: Installation, as_json: bool) -> None:
    from wardgate.core.keys import Key

    now = installation.key
    earlier = [Key(one).key_id for one in now.earlier]
    if as_json:
        emit_json({"key_id": now.key_id, "earlier": earlier})
        return
    say(f"{now.key_id}  makes fingerprints")
    for one in earlier:
        say(f"{one}  earlier; still known")
