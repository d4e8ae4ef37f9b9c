"""What people gave, as far as judging operations needs it: specifications in outline, and owners.

Where nobody gave anything there is no state, and what opens it (a third of a short command) is not loaded.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import zstandard

from wardgate.core.clock import Clock
from wardgate.core.home import Home
from wardgate.inventory.codeowners import Codeowners, Line
from wardgate.inventory.covering import Given
from wardgate.inventory.owners import Owners, Rule, Word
from wardgate.inventory.specifications.form import Outline, Specification

if TYPE_CHECKING:
    from wardgate.core.settings import OwnerRuleSettings
    from wardgate.state.owners import CodeOwnersFile, OwnerFacts
    from wardgate.state.specifications import GivenSpecification, Specifications
    from wardgate.state.store import State

_MOST_CONTENT = 1 << 30


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What people gave; nothing where there is no state."""

    given: Sequence[Given] = field(default_factory=list)
    owners: Owners = field(default_factory=Owners)


def knowledge(state: "State", clock: Clock, configured: "Sequence[OwnerRuleSettings]" = ()) -> Knowledge:
    """What is in force now, with the owner rules of the configuration. Raises `owner-malformed`."""
    from wardgate.state.owners import OwnerFacts
    from wardgate.state.specifications import Specifications

    kept = Specifications(state, clock)
    given = [as_given(one, outline(kept, one)) for one in kept.in_force()]
    return Knowledge(given, owners_of(OwnerFacts(state, clock), configured))


def owners_of(facts: "OwnerFacts", configured: "Sequence[OwnerRuleSettings]" = ()) -> Owners:
    """Owners, as people, their rules and CODEOWNERS files have them. Raises `owner-malformed`."""
    words = [
        Word(
            one.owner,
            one.service,
            one.protocol,
            one.method,
            one.template,
            one.operation,
            one.said_by,
            one.added_at_us,
        )
        for one in facts.words()
    ]
    rules = [
        Rule(one.id, one.owner, one.service, one.template, one.method, one.code, one.added_at_us)
        for one in facts.rules()
    ]
    rules += configured_rules(configured)
    return Owners(words, rules, {one.name: Codeowners(one.name, lines_of(one)) for one in facts.files()})


def configured_rules(configured: "Sequence[OwnerRuleSettings]") -> list[Rule]:
    """The rules of `wardgate.toml`, called by their place in it. Raises `owner-malformed`."""
    if not configured:
        return []
    from wardgate.service.owners import owner_named

    return [
        Rule(
            -at,
            owner_named(one.owner) if one.owner is not None else None,
            one.service,
            one.template,
            one.method.upper() if one.method else None,
            one.code.strip().strip("/") if one.code else None,
            said=f"[[owners.rules]] {at} of the configuration",
        )
        for at, one in enumerate(configured, 1)
    ]


def lines_of(file: "CodeOwnersFile") -> list[Line]:
    """The lines of a CODEOWNERS file in force."""
    content = zstandard.ZstdDecompressor().decompress(file.content, max_output_size=_MOST_CONTENT)
    return msgspec.json.decode(content, type=list[Line])


@contextmanager
def opened(
    home: Home, url: str | None, clock: Clock, configured: "Sequence[OwnerRuleSettings]" = ()
) -> Iterator[Knowledge]:
    """What is in force, of an installation that may have no state yet.

    Raises `state-…` and `owner-malformed`.
    """
    if url is None and not home.state.exists():
        yield Knowledge(owners=Owners(rules=configured_rules(configured)))
        return
    from wardgate.state.store import open_state

    state = open_state(home, url)
    try:
        yield knowledge(state, clock, configured)
    finally:
        state.close()


def outline(kept: "Specifications", given: "GivenSpecification") -> Outline:
    """What a listing needs of a specification."""
    return msgspec.json.decode(_content(kept, given), type=Outline)


def specification(kept: "Specifications", given: "GivenSpecification") -> Specification:
    """All that was read of a specification."""
    return msgspec.json.decode(_content(kept, given), type=Specification)


def as_given(one: "GivenSpecification", found: Outline) -> Given:
    """A specification in force with what was read of it."""
    owners = msgspec.json.decode(one.owners, type=tuple[tuple[str, str], ...]) if one.owners else ()
    return Given(one.name, one.added_at_us, found, one.service, owners)


def _content(kept: "Specifications", given: "GivenSpecification") -> bytes:
    return zstandard.ZstdDecompressor().decompress(kept.content(given), max_output_size=_MOST_CONTENT)
