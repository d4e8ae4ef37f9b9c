"""`wardgate sources`: the exact accounting of what was read, and what was not understood."""

from typing import TYPE_CHECKING

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, emit_json, print_table, say, when

if TYPE_CHECKING:
    from wardgate.inventory.sources import RejectedShape, SourceAccount


@click.command()
@click.option("--name", metavar="NAME", help="Only this source.")
@click.option(
    "--rejects",
    metavar="N",
    type=click.IntRange(0, 1000),
    default=3,
    show_default=True,
    help="Shapes shown per reason.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def sources(installation: Installation, name: str | None, rejects: int, as_json: bool) -> None:
    """Show every source's accounting and what was not understood.

    Every record read is accepted, rejected (kept aside with its reason, position and masked shape) or
    skipped by a named rule.
    """
    from wardgate.service import reading

    with installation.lake() as lake:
        found = [one for one in reading.sources(lake) if name in (None, one.source)]
        shapes = reading.rejected_shapes(lake, source=name, each=rejects) if rejects else []
    if as_json:
        emit_json({"sources": found, "rejected_shapes": shapes})
        return
    if not found:
        say("Nothing was read yet. `wardgate ingest PATH` takes calls in.")
        return
    print_accounts(found)
    if shapes:
        say("")
        say("Not understood:")
        print_shapes(shapes)


def print_accounts(found: "list[SourceAccount]") -> None:
    """The accounting as a table."""
    print_table(
        [
            Column("source", flexible=True),
            Column("format"),
            Column("files", True, from_width=120),
            Column("read", True),
            Column("accepted", True),
            Column("rejected", True),
            Column("skipped", True),
            Column("linked", True, from_width=130),
            Column("possible doubles", True, from_width=110),
            Column("first call", from_width=150),
            Column("last call", from_width=100),
        ],
        [
            [
                one.source,
                one.format,
                count(one.origins),
                count(one.read),
                count(one.accepted),
                count(one.rejected),
                count(one.skipped),
                count(one.linked),
                count(one.possible_doubles),
                when(one.earliest),
                when(one.latest),
            ]
            for one in found
        ],
    )


def print_shapes(shapes: "list[RejectedShape]") -> None:
    """What was not understood, with where the first of each stands."""
    from wardgate.core.observed import REASONS

    known = {one.value: text for one, text in REASONS.items()}
    for one in shapes:
        times = "" if one.records == 1 else f", {count(one.records)} like it"
        say(f"  {one.source}: {known.get(one.reason, one.reason)} ({one.origin}:{one.position + 1}{times})")
        say(f"      {one.shape[:160]}")
