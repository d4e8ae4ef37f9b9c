"""Dates of birth: dates that exist, in named fields."""

import re
from datetime import date

from wardgate.match.classes.shape import DataClass, Pattern

_PARTS = re.compile(r"\d+")


def is_a_birthday(value: str) -> bool:
    """A day that was, in any usual order of its parts, between 1880 and 2100."""
    parts = [int(one) for one in _PARTS.findall(value.partition("T")[0])[:3]]
    if len(parts) == 1:
        whole = parts[0]
        parts = [whole // 10000, whole // 100 % 100, whole % 100]
    if len(parts) != 3:
        return False
    orders = ((0, 1, 2),) if parts[0] > 31 else ((2, 1, 0), (2, 0, 1))
    return any(_exists(parts[y], parts[m], parts[d]) for y, m, d in orders)


def _exists(year: int, month: int, day: int) -> bool:
    year += 1900 if year < 100 else 0
    if not 1880 <= year <= 2100:
        return False
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


DATE_OF_BIRTH = DataClass(
    name="date-of-birth",
    title="Date of birth",
    reference="ISO 8601; GDPR, article 4(1)",
    patterns=(
        Pattern(
            r"\d{4}-\d{1,2}-\d{1,2}(?:[T ][0-9:.,+Z-]*)?|\d{4}[/.]\d{1,2}[/.]\d{1,2}|\d{8}"
            r"|\d{1,2}[/. -]\d{1,2}[/. -](?:\d{4}|\d{2})",
            named=0.95,
            valid=is_a_birthday,
        ),
        Pattern(
            r"(?i)(?:\d{1,2}(?:st|nd|rd|th)?[ .-]+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
            r"[ .-]+(?:\d{1,2}(?:st|nd|rd|th)?,? +)?(?:18|19|20)\d{2}",
            named=0.9,
        ),
    ),
    fields=(
        r"(date of birth|dob|d o b|birth ?date|birth ?day|born( on| at)?|date birth|geburtsdatum|birth ?dt)",
    ),
    found=(
        ("dateOfBirth", "1984-02-29"),
        ("dob", "31/12/1999"),
        ("birth_date", "19840229"),
        ("patient.birthDate", "1984-02-29T00:00:00Z"),
        ("birthday", "March 3, 1990"),
    ),
    passed=(
        ("dob", "1983-02-29"),
        ("created_at", "1984-02-29"),
        ("dob", "2984-02-29"),
        ("birthday", "yes"),
    ),
)
