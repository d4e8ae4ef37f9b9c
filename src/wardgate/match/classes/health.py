"""Health: diagnoses, medication, records and measurements, in named fields."""

from stdnum.gb import nhs

from wardgate.match.classes.shape import DataClass, Pattern

_NOTHING = frozenset("null none n/a na unknown undefined ok healthy".split())


def says_something(value: str) -> bool:
    return value.strip().lower() not in _NOTHING


HEALTH = DataClass(
    name="health",
    title="Health",
    reference="GDPR, article 9; HIPAA, 45 CFR 164.514(b)(2)",
    patterns=(Pattern(r"(?s)[^\s{}\[\]].*", named=0.8, valid=says_something),),
    fields=(
        r"(primary |secondary |admitting )?diagnos[ie]s( codes?)?( text| description| name)?",
        r"icd(9|10| 9| 10)?( codes?)?|snomed( codes?)?|(medical|health|chart)"
        r" (record|history|condition|notes?)s?( number| no)?",
        r"mrn|medications?( names?)?|prescriptions?( names?)?|allerg(y"
        r"|ies)|blood (type|group|pressure|glucose|sugar)",
        r"symptoms?|vaccin(e|ation|ations)|immuni[sz]ations?|(hiv|covid"
        r"|pregnancy|disability|smoking|vaccination) status",
        r"(lab|test) results?( value)?|(treatment|care) plan|heart rate"
        r"|disabilit(y|ies)|surger(y|ies)|mental health",
        r"health (insurance|plan|card)( (number|id|no))?|nhs number|patient"
        r" (id|identifier|number)|medicare (number|id|no)",
        r"body mass index|bmi|blood oxygen|(systolic|diastolic)( pressure)?|chronic (disease|condition)s?",
    ),
    not_fields=(r"(unit|build|ci|load|ab|a b|api|network|speed|benchmark|suite) test results?",),
    found=(
        ("diagnosis", "Type 2 diabetes mellitus"),
        ("icd10_code", "E11.9"),
        ("patient.bloodType", "AB+"),
        ("mrn", "00482913"),
        ("allergies[]", "penicillin"),
    ),
    passed=(("health", "ok"), ("diagnosis", "none"), ("treatment", "B"), ("condition", "Ready")),
)

NHS_NUMBER = DataClass(
    name="health.nhs-number",
    title="United Kingdom NHS number",
    reference="NHS data dictionary: NHS number (modulus 11)",
    patterns=(Pattern(r"\d{3}[ -]?\d{3}[ -]?\d{4}", named=0.98, valid=nhs.is_valid),),
    fields=(r"nhs( ?(number|no|id))?", r"(health|patient) (number|id|identifier|no)"),
    found=(("nhsNumber", "943 476 5870"), ("patient_id", "9434765870")),
    passed=(("nhsNumber", "943 476 5871"), ("id", "9434765870")),
)
