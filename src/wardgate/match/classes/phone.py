"""Phone numbers: E.164 anywhere when a country's plan knows them; national forms in named fields."""

import re

from wardgate.match.classes.numbering_plans import is_planned
from wardgate.match.classes.shape import DataClass, Pattern

_EXTENSION = re.compile(r"x|ext")


def may_be_national(value: str) -> bool:
    """Seven to fifteen digits without an extension, not all the same."""
    digits = [c for c in _EXTENSION.split(value)[0] if c.isdecimal()]
    return 7 <= len(digits) <= 15 and len(set(digits)) > 1


PHONE = DataClass(
    name="phone",
    title="Phone number",
    reference="ITU-T E.164; E.123",
    patterns=(
        Pattern(
            r"(?:^|[^\w+])(\+[1-9](?:[ ().-]{0,2}\d){7,14})\b",
            alone=0.9,
            named=0.98,
            within=True,
            valid=is_planned,
        ),
        Pattern(r"(?:^|[^\w)-])(\([2-9]\d{2}\) ?[2-9]\d{2}-\d{4})\b", alone=0.7, within=True),
        Pattern(r"(?:tel:)?\+?[(\d][\d ()./-]{5,22}\d(?: ?(?:x|ext\.?) ?\d{1,6})?", valid=may_be_national),
    ),
    fields=(
        r"((tele|mobile|cell|home|work|smart)? ?phones?|telephones?|mobile|cellular|msisdn|fax|whats ?app"
        r"|(phone|mobile|fax|cell|tel|contact|whats ?app|telephone) ?(number|no|num|nr)s?|tel)",
        r"(caller|callee) (number|id)",
    ),
    found=(
        ("", "+14155552671"),
        ("text", "call +44 20 7946 0958 today"),
        ("contact", "(415) 555-2671"),
        ("phone", "0171 5550123"),
        ("mobileNumber", "415-555-2671"),
        ("phone", "+1-850-555-2917x03423"),
    ),
    passed=(
        ("", "+999123456789"),
        ("order", "415-555-2671"),
        ("offset", "+00:00"),
        ("phone_id", "1234567890"),
        ("phone", "none"),
    ),
)
