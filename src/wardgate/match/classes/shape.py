"""The shape of a data class: what a user writes to add one, and all that the built-in ones are.

A class is recognised by *value* and by *name*. Some values say what they are wherever they stand (an IBAN
with its checksum); others mean it only under a field named so (nine digits are a social security number
under `ssn`, and an order number elsewhere). Each pattern says which of the two suffices, and how sure it is.

Patterns are RE2: no lookaround, no back references, linear time. What matches is handed to `valid` (a
checksum, a range), and only what it accepts counts. `tests/match/test_data_classes.py` teaches the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


def anything(value: str) -> bool:
    """The validator of a pattern that needs none."""
    return True


@dataclass(frozen=True, slots=True)
class Pattern:
    """One form of a value.

    `alone` is the confidence without any name (0: the form means nothing by itself); `named` the confidence
    under one of the class's field names. `within`: the form may stand inside a longer text (give its
    boundaries, and put the value in a group if the match is wider); otherwise it must be the whole value,
    spaces around it left out. A match whose group is empty does not count. `least`: bytes of the shortest
    value that has the form, worth saying where the class goes by names that many fields have (`value`).
    """

    regex: str
    alone: float = 0.0
    named: float = 0.9
    within: bool = False
    valid: Callable[[str], bool] = anything
    least: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DataClass:
    """One class of data.

    name: stable, lower case, dashes; a dot after the family (`national-id.us-ssn`).
    title: what people read. reference: where the format is documented.
    fields: RE2 over the words of a field's name and its parents' (`billing address street`), matched to the
    end of the name, whole words.
    general_fields: as `fields`, but names that many classes go by (`tax id`): what is found by them counts
    only where no class found the value by a name of its own, or by a form that stands alone.
    not_fields: names under which neither `fields` nor a form that stands alone counts.
    fallback: counts only where no other class does.
    found, passed: examples (field name or "", value) that must and must not be recognised.
    """

    name: str
    title: str
    reference: str
    patterns: tuple[Pattern, ...]
    fields: tuple[str, ...] = ()
    general_fields: tuple[str, ...] = ()
    not_fields: tuple[str, ...] = ()
    fallback: bool = False
    found: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    passed: tuple[tuple[str, str], ...] = field(default=(), repr=False)
