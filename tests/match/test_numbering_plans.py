"""Numbering plans: the short way says what the library says, of every country's numbers, right and wrong."""

import random

import phonenumbers
import pytest

from wardgate.match.classes.numbering_plans import is_planned

E164 = phonenumbers.PhoneNumberFormat.E164


def library_says(value: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, None))
    except phonenumbers.NumberParseException:
        return False


def examples(regions: tuple[str, ...], code: int) -> list[str]:
    found = [
        phonenumbers.example_number_for_type(region, kind)
        if region != "001"
        else phonenumbers.example_number_for_non_geo_entity(code)
        for region in regions
        for kind in range(11)
    ]
    return [phonenumbers.format_number(one, E164) for one in found if one is not None]


@pytest.mark.parametrize("third", range(3))
def test_every_country_as_the_library_has_it(third: int) -> None:
    r = random.Random(third)
    values = [f"+{''.join(r.choices('0123456789', k=r.randint(0, 16)))}" for _ in range(1000)]
    for code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        if code % 3 != third:
            continue
        for value in examples(regions, code):
            at = r.randrange(1, len(value))
            values += [
                value,
                value[:at] + r.choice("0123456789") + value[at + 1 :],
                value[:at] + value[at + 1 :],
            ]
            values.append(f"{value[:at]}{r.choice('0123456789')}{value[at:]}")
        values += [f"+{code}{''.join(r.choices('0123456789', k=r.randint(5, 13)))}" for _ in range(20)]
    wrong = [value for value in values if is_planned(value) != library_says(value)]
    assert wrong == []
    assert sum(map(is_planned, values)) > 100


def test_punctuation_is_passed_over() -> None:
    assert is_planned("+44 20 7946 0958") and is_planned("+1 (415) 555-2671")
    assert not is_planned("+999 123456789") and not is_planned("+") and not is_planned("")
