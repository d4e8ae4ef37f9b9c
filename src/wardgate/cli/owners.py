"""`wardgate owners`: who answers for which operations, by rules and CODEOWNERS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, counted, emit_json, print_table, say

if TYPE_CHECKING:
    from wardgate.core.settings import OwnerRuleSettings
    from wardgate.state.owners import OwnerFacts, OwnerRule

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def owners() -> None:
    """Say who owns operations: rules on hosts and paths, CODEOWNERS.

    The strongest word counts: people's on one operation (`wardgate operations own`), then rules, then
    CODEOWNERS, then what descriptions say. Whatever nobody owns is under `wardgate operations --owner none`.
    """


@owners.command()
@click.argument("owner", required=False)
@click.option("--service", metavar="NAME", help="For this service; `*` is any text.")
@click.option("--template", metavar="TEMPLATE", help="For these templates; `*` is any text.")
@click.option("--method", metavar="METHOD", help="For this HTTP method alone.")
@click.option(
    "--code",
    metavar="PATH",
    help="In place of an owner: whoever CODEOWNERS names for this path of the repository.",
)
@_AS_JSON
@pass_installation
def add(installation: Installation, /, owner: str | None, as_json: bool, **given: Any) -> None:
    """Lay down that OWNER owns what fits. Of several rules that fit, the most particular one counts."""
    from wardgate.service.owners import add_rule

    with _facts(installation) as facts:
        made = add_rule(facts, owner=owner, **given)
    if as_json:
        emit_json(made)
    else:
        say(f"rule {made.id}: {_rule(made)}.")


@owners.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="Name to keep it under. Default: the repository's folder.")
@_AS_JSON
@pass_installation
def codeowners(installation: Installation, /, path: Path, name: str | None, as_json: bool) -> None:
    """Take in the CODEOWNERS file at PATH, or of the repository at PATH: GitHub's form or GitLab's.

    Rules with --code look into it. The file beside a specification is found by `wardgate spec add` itself.
    """
    from wardgate.service.owners import add_codeowners

    with _facts(installation) as facts:
        found = add_codeowners(facts, path, name)
    if as_json:
        emit_json(found)
        return
    same = "" if found.changed else " (it was there)"
    say(f"{found.name}: {counted(found.lines, 'line')} that name owners{same}")
    if found.left_out:
        numbers = ", ".join(str(one) for one in found.left_out[:10])
        more = " and more" if len(found.left_out) > 10 else ""
        say(f"  not understood: line {numbers}{more}")


@owners.command("list")
@_AS_JSON
@pass_installation
def list_(installation: Installation, as_json: bool) -> None:
    """List rules, CODEOWNERS files and what people said of single operations."""
    with _facts(installation) as facts:
        rules, files, words = facts.rules(), facts.files(), facts.words()
    configured = installation.owner_rules
    if as_json:
        known = [
            {"name": one.name, "lines": one.lines, "digest": one.digest, "added_at_us": one.added_at_us}
            for one in files
        ]
        given = [one.model_dump() for one in configured]
        emit_json({"rules": rules, "configured": given, "codeowners": known, "operations": words})
        return
    if not (rules or configured or files or words):
        say("Nobody was named. `wardgate owners add OWNER --service NAME` lays down a rule.")
    if rules or configured:
        columns = [Column("rule", True), Column("owner", flexible=True), Column("service", flexible=True)]
        columns += [Column("method"), Column("template", flexible=True)]
        numbered: list[tuple[str, OwnerRule | OwnerRuleSettings]] = [(str(one.id), one) for one in rules]
        numbered += [("configured", one) for one in configured]
        print_table(columns, [_cells(number, one) for number, one in numbered])
    for file in files:
        say(f"{file.name}: {count(file.lines)} lines of CODEOWNERS")
    for word in words:
        named = " ".join(part for part in (word.method, word.template, word.operation) if part)
        by = f", says {word.said_by}" if word.said_by else ""
        say(f"{word.service} {named}: {word.owner}{by}")


@owners.command()
@click.argument("what")
@_AS_JSON
@pass_installation
def remove(installation: Installation, what: str, as_json: bool) -> None:
    """Take a rule (by its number) or a CODEOWNERS file (by its name) out of force."""
    with _facts(installation) as facts:
        if what.isascii() and what.isdecimal() and len(what) < 10:
            ended = facts.end_rule(int(what))
            told: Any = ended
            text = f"rule {ended.id} is out of force: {_rule(ended)}."
        else:
            facts.end_file(what)
            told, text = {"name": what}, f"{what} is out of force."
    if as_json:
        emit_json(told)
    else:
        say(text)


def _rule(one: "OwnerRule") -> str:
    who = one.owner or f"whoever owns {one.code}"
    where = " ".join(part for part in (one.method, one.template) if part) or "everything"
    return f"{who} owns {where} of {one.service or 'every service'}"


@contextmanager
def _facts(installation: Installation) -> "Iterator[OwnerFacts]":
    from wardgate.core.clock import system_clock
    from wardgate.state.owners import OwnerFacts
    from wardgate.state.store import open_state

    state = open_state(installation.home, installation.state_url)
    try:
        yield OwnerFacts(state, system_clock)
    finally:
        state.close()


def _cells(number: str, rule: "OwnerRule | OwnerRuleSettings") -> list[str]:
    owner = rule.owner or f"code: {rule.code}"
    return [number, owner, rule.service or "*", rule.method or "", rule.template or "*"]
