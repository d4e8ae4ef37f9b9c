"""Every data class against what every class must do. The messages are for a class's author.

To add a class: write `match/classes/<name>.py` with a `DataClass`, list it in `match/classes/catalogue.py`,
and run this file with `-k <name>`. Examples are documented or made-up values, never anybody's.
"""

import re
import time
from functools import cache

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.match.classes.catalogue import BUILTIN_CLASSES
from wardgate.match.classes.shape import DataClass, Pattern
from wardgate.match.field_names import words_of
from wardgate.match.finder import LONGEST, Finder, finder

each_class = pytest.mark.parametrize("one", BUILTIN_CLASSES, ids=lambda one: one.name)
HOSTILE = (
    "",
    " ",
    "\x00",
    "a" * LONGEST * 2,
    "1" * LONGEST,
    "4111 " * 4000,
    "@" * 5000,
    "a@" * 5000,
    "eyJ" * 5000,
    "+1" * 5000,
    "-----BEGIN " * 1000,
    "😀" * 5000,
    "\ud800",
    "\u06f1\u06f2\u06f3" * 300,
    "\u0664\u0661\u0661\u0661 " * 4,
    "DE" + "8" * 3000,
    "²" * 16,
)
BENIGN = (
    *(
        "",
        "true",
        "null",
        "0",
        "17",
        "ok",
        "active",
        "GET",
        "en-GB",
        "v2.13.4",
        "order",
        "Example Ltd",
        "1.0",
    ),
    *("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "d41d8cd98f00b204e9800998ecf8427e", "2026-11-14T10:00:00.000Z"),
    *("1700000000", "1700000000000", "https://www.example.com/a/b?c=d", "application/json", "SKU-2024-00017"),
    *(
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36",
    ),
)


@cache
def finder_of(one: DataClass) -> Finder:
    return Finder([one])


def names_found(one: DataClass, field: str, value: str) -> list[str]:
    return [found.data_class for found in finder_of(one).classes_of(value, field)]


@each_class
def test_a_class_says_what_it_is(one: DataClass) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)?", one.name), (
        f"{one.name!r}: a name has lower-case letters, digits and"
        f" dashes, and one dot after its family at most"
    )
    assert one.title and one.title[0].isupper(), f"{one.name}: give a title that people can read"
    assert len(one.reference) > 8, (
        f"{one.name}: say where its format is documented (a standard, a vendor's page)"
    )
    assert one.patterns, f"{one.name}: without a pattern nothing can be found"
    assert one.fields or any(pattern.alone for pattern in one.patterns), (
        f"{one.name}: no field names, and no pattern that stands alone: it can never be found"
    )


@each_class
def test_examples_are_found(one: DataClass) -> None:
    assert len(one.found) >= 1, f"{one.name}: give examples (field, value) that must be found"
    for field, value in one.found:
        assert one.name in names_found(one, field, value), (
            f"{one.name}: {value!r} under {field!r} is not found"
        )
        everything = [found.data_class for found in finder().classes_of(value, field)]
        assert one.name in everything, f"{one.name}: {value!r} under {field!r} is taken for {everything}"


@each_class
def test_what_is_alike_is_not_found(one: DataClass) -> None:
    assert len(one.passed) >= 2, (
        f"{one.name}: give examples (field, value) that look alike and must not be found: a wrong checksum, "
        "an identifier of the same shape, another field's name"
    )
    for field, value in one.passed:
        assert one.name not in names_found(one, field, value), (
            f"{one.name}: {value!r} under {field!r} is found"
        )


@each_class
def test_patterns_are_used_and_confidence_is_a_share(one: DataClass) -> None:
    for pattern in one.patterns:
        assert 0 <= pattern.alone <= 1 and 0 < pattern.named <= 1, f"{one.name}: confidence goes from 0 to 1"
        assert pattern.alone <= pattern.named, (
            f"{one.name}: a name makes {pattern.regex!r} surer, not less sure"
        )
        assert pattern.alone or one.fields, (
            f"{one.name}: {pattern.regex!r} needs a name, and the class has none"
        )
        if pattern.within:
            assert re2.compile(pattern.regex).groups <= 1, (
                f"{one.name}: one group for the value, others are (?:…)"
            )
    for regex in (*one.fields, *one.general_fields, *one.not_fields):
        re2.compile(regex)
        assert regex == regex.lower(), f"{one.name}: names are asked in lower case, {regex!r} has capitals"


@pytest.mark.parametrize(
    "pattern",
    [pattern for one in BUILTIN_CLASSES for pattern in one.patterns if pattern.least > 1],
    ids=lambda one: one.regex,
)
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_no_value_is_shorter_than_its_pattern_says(pattern: Pattern, data: st.DataObject) -> None:
    value = data.draw(st.from_regex(re.compile(pattern.regex, re.ASCII), fullmatch=True))
    assert len(value.encode()) >= pattern.least


@each_class
def test_benign_values_are_passed(one: DataClass) -> None:
    for value in BENIGN:
        found = names_found(one, "value", value)
        assert not found, f"{one.name}: {value!r} is found though nothing says so"


@each_class
def test_hostile_values_cost_little(one: DataClass) -> None:
    only = finder_of(one)
    field = next((name for name, _ in one.found if name), "")
    start = time.process_time()
    for value in HOSTILE:
        only.classes_of(value, field)
    assert time.process_time() - start < 2, f"{one.name}: hostile values take too long; bound the repetitions"


def test_names_are_unique() -> None:
    names = [one.name for one in BUILTIN_CLASSES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("user.dateOfBirth", "user date of birth"),
        ("user[date_of_birth]", "user date of birth"),
        ("X-User-Email", "x user email"),
        ("address1", "address"),
        ("lines[0].street_2", "lines 0 street"),
        ("IBANNumber", "iban number"),
        ("items[].id", "items id"),
        ("straße", "straße"),
        ("", ""),
        ("...", ""),
    ],
)
def test_names_of_fields_become_words(name: str, words: str) -> None:
    assert words_of(name) == words
