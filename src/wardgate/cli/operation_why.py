"""`wardgate operations why`: why an operation, or a path, is taken for what it is."""

from typing import TYPE_CHECKING

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import count, counted, emit_json, say, when

if TYPE_CHECKING:
    from wardgate.inventory.drift import Difference
    from wardgate.service.why import Step, Why

_REASONS = 3


@click.command()
@click.argument("operation")
@click.option("--service", metavar="NAME", help="The service, where several have such an operation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all reasons.")
@pass_installation
def why(installation: Installation, /, operation: str, service: str | None, as_json: bool) -> None:
    """Say why OPERATION has its template: an id, 'GET /users/{userId}', or a path such as /users/7.

    Shows its standing and owner with the evidence of every layer, and where it differs from its
    specifications. For each segment: whether it is taken for a value, how likely that is, and what spoke for
    it or against it; what people and specifications settled; and where it was seen.
    """
    from dataclasses import asdict

    from wardgate.core.clock import system_clock
    from wardgate.service import given
    from wardgate.service.specifications import differences_of
    from wardgate.service.why import why as asked
    from wardgate.state.specifications import Specifications
    from wardgate.state.store import open_state
    from wardgate.state.template_words import TemplateWords

    state = open_state(installation.home, installation.state_url)
    try:
        with installation.lake() as lake:
            knowledge = given.knowledge(state, system_clock, installation.owner_rules)
            words = TemplateWords(state, system_clock).in_force()
            found = asked(lake, knowledge, words, operation, system_clock, installation.key, service)
            kept = Specifications(state, system_clock)
            differences = differences_of(kept, lake, found.operation_id) if found.operation_id else []
    finally:
        state.close()
    if as_json:
        known = {"operation_id": str(found.operation_id) if found.operation_id else None}
        differing = [
            {"specification": name, "drift": one.drift.value, "place": one.place} for name, one in differences
        ]
        former = [str(one) for one in found.formerly]
        emit_json({**asdict(found), **known, "formerly": former, "differences": differing})
    else:
        _tell(found, differences)


def _tell(found: "Why", differences: "list[tuple[str, Difference]]") -> None:
    say(f"{found.method or '(any method)'} {found.template}  of {found.service}")
    basis = {
        "pinned": "laid down by a person",
        "described": "as a specification describes it",
        "learned": f"learned, {found.confidence:.0%} sure",
        "plain": "by its looks alone: nothing was learned yet",
    }[found.basis]
    say(f"  {basis}")
    if found.operation_id:
        seen = f"{counted(found.paths, 'path')}, {counted(found.calls, 'call')}"
        when_seen = f", {when(found.first_seen)} to {when(found.last_seen)}" if found.first_seen else ""
        alone = "; seen once, so it may be another" if found.calls == 1 and found.basis == "learned" else ""
        say(f"  {seen}{when_seen}{alone}")
        say(f"  such as {', '.join(found.examples)}")
    else:
        say("  never called" if found.standing else "  never called: this is what it would be taken for")
    for one in found.settled:
        to = f" → {one.target}" if one.target else ""
        note = f": {one.note}" if one.note else ""
        say(f"  {one.kind.value} {one.template}{to}, by {one.said_by}{note}")
    _tell_standing(found, differences)
    if found.formerly:
        say(f"  {counted(len(found.formerly), 'operation')} became part of it; their ids still name it")
    say("")
    if not found.operation_id and found.standing is not None:
        return
    if found.basis == "plain":
        say(f"Nothing was learned of {found.service} yet. What was sighted says of {found.path}:")
    else:
        say(f"What was learned of {found.path}:")
    for step in found.steps:
        _tell_step(step)
    if not found.steps:
        say("  nothing: none of its segments was kept, because so many others stand beside them")
    if found.flooded:
        say(f"Many different segments stand below {', '.join(found.flooded[:3])}: identifiers, or a scan.")


def _tell_standing(found: "Why", differences: "list[tuple[str, Difference]]") -> None:
    if found.standing is None:
        return
    from datetime import UTC, datetime

    def day(us: int | None) -> str:
        return "" if us is None else when(datetime.fromtimestamp(us / 1e6, UTC))

    say("")
    say(f"Standing: {found.standing}: {found.standing_reason}")
    say(f"Owner: {', '.join(found.owners) or 'nobody'}")
    for one in found.evidence:
        who = f" by {one.detail}" if one.detail else ""
        times = " to ".join(dict.fromkeys(filter(None, (day(one.first_seen_us), day(one.last_seen_us)))))
        say(f"  {one.layer.value}: {one.says.value}{who} ({one.source}{', ' + times if times else ''})")
    for name, each in differences:
        say(f"  differs from {name}: {each.drift.value} {each.place}".rstrip())


def _tell_step(step: "Step") -> None:
    is_value = f"a value ({step.likely:.0%})" if step.is_parameter else f"a constant ({1 - step.likely:.0%})"
    beside = f", {count(step.siblings)} beside it" if step.siblings else ", alone in its place"
    say(f"  {step.segment or '(empty)'}: {is_value}{beside}")
    agrees = [one for one in step.because if (one.weight > 0) == step.is_parameter]
    against = [one for one in step.because if (one.weight > 0) != step.is_parameter]
    for one in [*agrees[:_REASONS], *against[:1]]:
        speaks = "for a value" if one.weight > 0 else "for a constant"
        say(f"      {one.weight:+.1f} {speaks}: {one.text}")
