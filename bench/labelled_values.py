"""Labelled values: every class of data as its format is documented, wrong check digits, and benign values.

Positives are made from the documented formats (check digits calculated), each as it is written in practice:
under the names fields have, and inside sentences where a class claims to find it there. Benign values are
what APIs carry: identifiers, stamps, prices, versions, hashes, words, order numbers that look like phones or
cards, each under names of its kind. Seeds are fixed.
"""

import random
import string
from dataclasses import dataclass

from benign_values import BENIGN
from made_values import (
    B62,
    FIRST,
    HEX,
    ILLS,
    LAST,
    MIXED,
    STREETS,
    TOWNS,
    Maker,
    aadhaar,
    birthday,
    bsn,
    card,
    cnpj,
    cpf,
    curp_,
    digits,
    dni_,
    email,
    fiscale,
    grouped,
    iban,
    jwt,
    my_number,
    national_phone,
    nie,
    nino,
    nir,
    pan,
    pesel,
    phone,
    pick,
    private_key,
    resident,
    rrn,
    sin,
    spaced_card,
    ssn,
    steuer_id,
    tfn,
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One value under a name. `label`: its class, "" for benign, `!class` for a wrong check digit."""

    label: str
    name: str
    value: str
    bare: bool = False
    source: str = "ours"


POSITIVE: dict[str, tuple[str, list[Maker], bool, bool]] = {
    "email": ("email emailAddress user.email contact_email value", [email], True, False),
    "phone": ("phone phoneNumber mobile contact.tel fax home_phone", [phone, national_phone], False, False),
    "phone ": ("contact value text", [phone], True, False),
    "person-name": (
        "firstName last_name full_name customer.name cardholderName patient.name",
        [
            lambda r: r.choice(FIRST),
            lambda r: r.choice(LAST),
            lambda r: f"{r.choice(FIRST)} {r.choice(LAST)}",
        ],
        False,
        False,
    ),
    "postal-address": (
        "address billingAddress shipping_address customer.address",
        [lambda r: f"{r.randint(1, 300)} {r.choice(STREETS)}, {r.choice(TOWNS)} {digits(r, 5)}"],
        False,
        False,
    ),
    "postal-address.street": (
        "street addressLine1 address.street street_address",
        [lambda r: f"{r.choice(STREETS)} {r.randint(1, 300)}"],
        False,
        False,
    ),
    "postal-address.code": (
        "zip postalCode postcode zip_code",
        [
            lambda r: digits(r, 5),
            lambda r: f"{digits(r, 5)}-{digits(r, 4)}",
            lambda r: (
                f"{r.choice(['SW', 'N', 'EC'])}{r.randint(1, 9)} "
                f"{r.randint(1, 9)}{pick(r, 'ABDEFGHJLNPQRSTUWXYZ', 2)}"
            ),
        ],
        False,
        False,
    ),
    "postal-address.town": (
        "address.city shippingCity billing_address.town",
        [lambda r: r.choice(TOWNS)],
        False,
        False,
    ),
    "date-of-birth": (
        "dateOfBirth dob birth_date patient.birthDate birthday",
        [
            lambda r: birthday(r).isoformat(),
            lambda r: f"{birthday(r):%d/%m/%Y}",
            lambda r: f"{birthday(r):%m/%d/%Y}",
            lambda r: f"{birthday(r):%d.%m.%Y}",
            lambda r: f"{birthday(r):%Y%m%d}",
        ],
        False,
        False,
    ),
    "national-id.us-ssn": (
        "ssn socialSecurityNumber applicant.ssn",
        [ssn, lambda r: ssn(r).replace("-", "")],
        False,
        False,
    ),
    "national-id.us-ssn ": ("value text field", [ssn], True, False),
    "national-id.uk-nino": (
        "nino nationalInsuranceNumber ni_number",
        [nino, lambda r: grouped(nino(r), 2)],
        False,
        False,
    ),
    "national-id.in-aadhaar": (
        "aadhaar aadhaarNumber uid",
        [aadhaar, lambda r: aadhaar(r).replace(" ", "")],
        False,
        True,
    ),
    "national-id.in-pan": ("pan panNumber pan_card", [pan], False, False),
    "national-id.br-cpf": (
        "cpf documento tax_id",
        [cpf, lambda r: cpf(r).replace(".", "").replace("-", "")],
        False,
        True,
    ),
    "national-id.br-cpf ": ("value text field", [cpf], True, True),
    "national-id.br-cnpj": ("cnpj value", [cnpj], True, True),
    "national-id.cn-ric": ("idCard residentId value", [resident], False, True),
    "national-id.de-steuer-id": ("steuerId tax_id steuerIdentifikationsnummer", [steuer_id], False, True),
    "national-id.fr-nir": ("nir numeroSecu nss", [nir], False, True),
    "national-id.it-codice-fiscale": ("codiceFiscale cf value", [fiscale], True, True),
    "national-id.es-dni": ("dni nif documento", [dni_], False, True),
    "national-id.es-nie": ("nie nif documento", [nie], False, True),
    "national-id.mx-curp": ("curp value", [curp_], True, True),
    "national-id.ca-sin": (
        "sin socialInsuranceNumber",
        [sin, lambda r: sin(r).replace("-", "")],
        False,
        True,
    ),
    "national-id.jp-my-number": ("myNumber individual_number", [my_number], False, True),
    "national-id.kr-rrn": (
        "rrn residentRegistrationNumber",
        [rrn, lambda r: rrn(r).replace("-", "")],
        False,
        True,
    ),
    "national-id.au-tfn": ("tfn taxFileNumber", [tfn], False, True),
    "national-id.pl-pesel": ("pesel", [pesel], False, True),
    "national-id.nl-bsn": ("bsn citizenServiceNumber", [bsn], False, True),
    "payment-card": (
        "cardNumber card.number credit_card pan cc payment.card",
        [card, spaced_card],
        False,
        True,
    ),
    "payment-card ": ("note text message", [card, spaced_card], True, True),
    "iban": ("iban account value bankAccount", [iban, lambda r: grouped(iban(r), 4)], True, True),
    "health": (
        "diagnosis icd10 patient.medication bloodType medicalCondition",
        [lambda r: r.choice(ILLS)],
        False,
        False,
    ),
    "location": (
        "lat latitude lng location.lon coordinates[]",
        [lambda r: f"{r.uniform(-89, 89):.6f}"],
        False,
        False,
    ),
    "secret.aws": (
        "accessKeyId value",
        [lambda r: "AKIA" + pick(r, string.ascii_uppercase + "234567", 16)],
        True,
        False,
    ),
    "secret.aws ": (
        "aws_secret_access_key SecretAccessKey",
        [lambda r: pick(r, B62 + "+/", 40)],
        False,
        False,
    ),
    "secret.google": (
        "apiKey value",
        [lambda r: "AIza" + pick(r, MIXED, 35), lambda r: "GOCSPX-" + pick(r, MIXED, 28)],
        True,
        False,
    ),
    "secret.github": (
        "token value",
        [
            lambda r: f"gh{r.choice('pousr')}_{pick(r, B62, 36)}",
            lambda r: f"github_pat_{pick(r, B62, 22)}_{pick(r, B62, 59)}",
        ],
        True,
        False,
    ),
    "secret.gitlab": ("token value", [lambda r: "glpat-" + pick(r, MIXED, 20)], True, False),
    "secret.slack": (
        "token value",
        [lambda r: f"xoxb-{digits(r, 12)}-{digits(r, 13)}-{pick(r, B62, 24)}"],
        True,
        False,
    ),
    "secret.stripe": (
        "key value",
        [lambda r: f"{r.choice(['sk', 'rk'])}_{r.choice(['live', 'test'])}_{pick(r, B62, 24)}"],
        True,
        False,
    ),
    "secret.twilio": ("sid value", [lambda r: "SK" + pick(r, HEX, 32)], True, False),
    "secret.sendgrid": (
        "key value",
        [lambda r: f"SG.{pick(r, MIXED, 22)}.{pick(r, MIXED, 43)}"],
        True,
        False,
    ),
    "secret.npm": ("token value", [lambda r: "npm_" + pick(r, B62, 36)], True, False),
    "secret.pypi": ("token value", [lambda r: "pypi-AgEIcHlwaS5vcmc" + pick(r, MIXED, 120)], True, False),
    "secret.openai": (
        "key value",
        [lambda r: "sk-proj-" + pick(r, MIXED, 64), lambda r: "sk-" + pick(r, B62, 48)],
        True,
        False,
    ),
    "secret.anthropic": ("key value", [lambda r: f"sk-ant-api03-{pick(r, MIXED, 93)}AA"], True, False),
    "secret.hugging-face": (
        "token value",
        [lambda r: "hf_" + pick(r, string.ascii_letters, 34)],
        True,
        False,
    ),
    "secret.azure": (
        "connection value",
        [
            lambda r: f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={pick(r, B62 + '+/', 86)}==",
            lambda r: f"{pick(r, B62, 3)}8Q~{pick(r, MIXED, 34)}",
        ],
        True,
        False,
    ),
    "secret.password": (
        "password db.password user.passwd",
        [lambda r: pick(r, B62 + "!#%+", 12)],
        False,
        False,
    ),
    "secret.other": ("clientSecret api_key", [lambda r: pick(r, B62, 40)], False, False),
    "jwt": ("token id_token value", [jwt], True, False),
    "private-key": ("key pem value", [private_key], True, False),
    "internal-address": (
        "host upstream error",
        [
            lambda r: f"10.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}",
            lambda r: f"192.168.{r.randint(0, 255)}.{r.randint(1, 254)}",
            lambda r: f"172.{r.randint(16, 31)}.{r.randint(0, 255)}.{r.randint(1, 254)}",
            lambda r: f"db-{r.randint(1, 9)}.prod.internal",
        ],
        True,
        False,
    ),
}

SENTENCES = ("please use {} for this", "{}", "got {}, thanks.", "value: {}", "({})")


def wrong(r: random.Random, value: str) -> str:
    """The last digit or letter changed into another of its kind."""
    at = max(i for i, c in enumerate(value) if c.isalnum())
    kind = string.digits if value[at].isdigit() else string.ascii_uppercase
    return value[:at] + r.choice([c for c in kind if c != value[at]]) + value[at + 1 :]


def labelled(seed: int, each: int, benign: int) -> list[Labelled]:
    """All values: `each` for every class and `benign` in all."""
    r = random.Random(seed)
    rows: list[Labelled] = []
    for label, (names, makers, in_text, checked) in POSITIVE.items():
        for i in range(each):
            value = makers[i % len(makers)](r)
            name = r.choice(names.split())
            known = label.strip()
            text = r.choice(SENTENCES).format(value) if in_text and i % 2 else value
            rows.append(Labelled(known, name, text))
            if checked:
                rows.append(Labelled(f"!{known}", name, text.replace(value, wrong(r, value))))
    kinds = list(BENIGN.values())
    for i in range(benign):
        names, make = kinds[i % len(kinds)]
        value = make(r)
        rows.append(Labelled("", r.choice(names.split()), value, value.isdecimal() and r.random() < 0.5))
    r.shuffle(rows)
    return rows
