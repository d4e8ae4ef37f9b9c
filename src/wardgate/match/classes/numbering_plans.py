"""Whether a number is in its country's numbering plan, as `phonenumbers` says, in a tenth of the time.

The library parses, formats and guesses regions; here only its metadata is asked, in its order. What would
take its parsing (a national prefix, leading zeros, a code that is no country's) is left to it. A test holds
the two equal.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneMetadata

_DIGITS = re.compile(r"\D+")
_Form = tuple[frozenset[int], re.Pattern[str]]
_TYPES = (
    *("fixed_line", "mobile", "premium_rate", "toll_free", "shared_cost"),
    *("voip", "personal_number", "pager", "uan", "voicemail"),
)


def is_planned(value: str) -> bool:
    """Whether the numbering plan of its country has an international number (`+`, digits, punctuation)."""
    digits = _DIGITS.sub("", value)
    for length in (1, 2, 3) if digits[:1] not in ("", "0") else ():
        plan = _plan(int(digits[:length]))
        if plan is not None:
            national = digits[length:]
            if national.startswith("0") or len(national) > 17 or plan.prefix_stands_before(national):
                break
            return plan.has(national)
    return _library_says(value)


def _library_says(value: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, None))
    except phonenumbers.NumberParseException:
        return False


class _Plan:
    """The regions of one country code, in the library's order."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        known = [PhoneMetadata.metadata_for_region(one) for one in regions]
        self._regions = [_Region(one) for one in known if one is not None]
        prefix = known[0].national_prefix_for_parsing if known[0] is not None else None
        self._prefix = re.compile(prefix) if prefix else None

    def prefix_stands_before(self, national: str) -> bool:
        return self._prefix is not None and self._prefix.match(national) is not None

    def has(self, national: str) -> bool:
        for one in self._regions:
            if one.leading is not None:
                if one.leading.match(national):
                    return one.has(national)
            elif one.has(national):
                return True
        return False


class _Region:
    def __init__(self, known: PhoneMetadata) -> None:
        self.leading = re.compile(known.leading_digits) if known.leading_digits else None
        self._general = _form(known.general_desc)
        self._types = [form for name in _TYPES if (form := _form(getattr(known, name))) is not None]

    def has(self, national: str) -> bool:
        size = len(national)
        if self._general is None or not self._general[1].fullmatch(national):
            return False
        if self._general[0] and size not in self._general[0]:
            return False
        return any((not sizes or size in sizes) and form.fullmatch(national) for sizes, form in self._types)


def _form(described: phonenumbers.PhoneNumberDesc | None) -> _Form | None:
    if described is None or not described.national_number_pattern:
        return None
    return frozenset(described.possible_length), re.compile(described.national_number_pattern)


@lru_cache(maxsize=1024)
def _plan(code: int) -> _Plan | None:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code)
    return _Plan(regions) if regions and regions[0] != "001" else None
