"""What the national identity numbers share: names that all of them go by, and the class of those without one.

Numbers whose only test is a check digit count under a name; forms with letters, dates and separators of
their own count anywhere. Validators come from python-stdnum, which cites each country's rules.
"""

from collections.abc import Callable

from wardgate.match.classes.shape import DataClass, Pattern

ANY_NATIONAL_ID = (
    r"(national|personal|citizen|civil|government|govt|resident|tax"
    r"|tax ?payer|fiscal|identity|id card|identification"
    r"|social security|social insurance)( identity| identification|"
    r" registration)? ?(id|number|no|num|code|nr|identifier)"
    r"( number)?|tin|national ?id|id ?card|id number|nin|id document|document number"
)


def national_id(
    name: str,
    title: str,
    *patterns: Pattern,
    fields: str,
    reference: str,
    found: tuple[tuple[str, str], ...],
    passed: tuple[tuple[str, str], ...],
    checked: bool = True,
) -> DataClass:
    """A country's number. `checked`: it has a check digit, so that a general name will do."""
    return DataClass(
        name=f"national-id.{name}",
        title=title,
        reference=reference,
        patterns=patterns,
        fields=(fields,),
        general_fields=(ANY_NATIONAL_ID,) if checked else (),
        found=found,
        passed=passed,
    )


def has_digits(value: str) -> bool:
    """Five digits or more, not all the same."""
    digits = [c for c in value if c.isdecimal()]
    return len(digits) >= 5 and len(set(digits)) > 1


def named(regex: str, valid: Callable[[str], bool]) -> Pattern:
    """A form that needs its name."""
    return Pattern(regex, named=0.97, valid=valid)


def anywhere(regex: str, valid: Callable[[str], bool], alone: float = 0.8) -> Pattern:
    """A form that stands for itself, also inside a text. Its boundaries are added."""
    return Pattern(rf"(?:^|[^\w.-])({regex})(?:$|[^\w-])", alone=alone, named=0.98, within=True, valid=valid)


OTHER_NATIONAL_ID = DataClass(
    name="national-id.other",
    title="National identity, tax or document number",
    reference="GDPR, article 87; NIST SP 800-122, 2.2",
    patterns=(Pattern(r"[A-Za-z0-9][A-Za-z0-9 ./-]{5,24}", named=0.6, valid=has_digits),),
    fields=(
        ANY_NATIONAL_ID,
        r"passports?( ?(number|no|num|id))?|driv(er|ers|ing) licen[cs]e("
        r" ?(number|no|num|id))?|licen[cs]e number",
    ),
    fallback=True,
    found=(("passportNumber", "C01X00T47"), ("national_id", "4821 9937 11"), ("driversLicense", "D1234567")),
    passed=(("id", "4821993711"), ("passport", "valid"), ("national_id", "000000")),
)
