"""Names of persons: only a field's name can say so."""

from wardgate.match.classes.shape import DataClass, Pattern

_NOBODY = frozenset("true false null none unknown undefined anonymous test string name n/a na yes no".split())
_WHO = (
    "(user|customer|client|patient|person|people|author|committer|employee|member|contact|owner|passenger|guest"
    "|recipient|sender|applicant|beneficiary|student|teacher|driver|buyer|seller|payer|payee|signer|tenant|doctor"
    "|physician|assignee|reporter|manager|supervisor|spouse|parent|child|mother|father|profile|account holder"
    "|card ?holder|holder|insured|subscriber|traveler|traveller|billing|shipping|emergency contact)s?"
)


def is_somebody(value: str) -> bool:
    """Not a placeholder."""
    return value.strip().lower() not in _NOBODY


PERSON_NAME = DataClass(
    name="person-name",
    title="Name of a person",
    reference="GDPR, article 4(1); ISO/IEC 27018",
    patterns=(
        Pattern(
            r"\pL[\pL\pM'`\x{2019}]*(?:[ .,-]{1,2}\pL[\pL\pM'`\x{2019}]*){0,6}\.?",
            named=0.8,
            valid=is_somebody,
        ),
    ),
    fields=(
        r"(first|last|given|family|middle|maiden|full|legal|birth"
        r"|preferred|christian|father|mother|spouse) ?names?",
        r"(f|l) ?name",
        r"surname|forename|nick ?name|sur name",
        rf"{_WHO} (full )?(name|first|last|given|family|middle)",
        rf"{_WHO} name (first|last|given|family|middle)",
        r"name (first|last|given|family|middle|full)|card ?holder("
        r" name)?|account holder|person name|contact name",
    ),
    not_fields=(
        r"(user|client|account|tenant|profile|owner|member) ?names?( space)?",
        r".*(file|host|domain|table) name",
    ),
    found=(
        ("firstName", "Ann"),
        ("customer.name", "José María O'Neill-Müller"),
        ("last_name", "李"),
        ("cardholder", "ANN B. EXAMPLE"),
    ),
    passed=(
        ("name", "Ann Example"),
        ("file_name", "report"),
        ("first_name", "null"),
        ("last_name", "8f14e45fceea167a5a36dedd4bea2543"),
        ("username", "ann"),
    ),
)
