"""Values of data classes as somebody else makes them: Faker's providers, each in some languages.

So recall is not measured on our own makers alone. Left out are providers whose values are not what they are
called: British `ssn` (prefix ZZ, which is never issued), Korean `ssn` (days that do not exist), Indian
`aadhaar_id` (no check digit), Mexican `curp` (states that do not exist).
"""

from faker import Faker

from labelled_values import Labelled

_PROVIDERS: tuple[tuple[str, str, str, str], ...] = (
    ("email", "email contactEmail user.mail", "email", "en_US de_DE"),
    ("email", "email", "company_email", "de_DE fr_FR"),
    ("phone", "phone mobileNumber contact.tel", "phone_number", "en_US en_GB de_DE fr_FR es_ES ja_JP pt_BR"),
    ("person-name", "customer.name fullName", "name", "en_US de_DE fr_FR pl_PL ja_JP es_ES"),
    ("person-name", "lastName surname", "last_name", "de_DE en_GB it_IT nl_NL"),
    ("postal-address", "address billingAddress", "address", "en_US de_DE fr_FR en_GB es_ES"),
    ("postal-address.street", "street addressLine1", "street_address", "en_US de_DE es_ES it_IT"),
    ("postal-address.code", "zip postalCode", "postcode", "en_US de_DE en_GB nl_NL en_CA pl_PL pt_BR sv_SE"),
    ("postal-address.town", "address.city shippingCity", "city", "en_US de_DE fr_FR pl_PL"),
    ("date-of-birth", "birthDate dob", "date_of_birth", "en_US"),
    ("payment-card", "cardNumber card.number", "credit_card_number", "en_US"),
    ("card-security-code", "cvv card.cvc", "credit_card_security_code", "en_US"),
    ("iban", "iban bankAccount value", "iban", "de_DE en_GB fr_FR nl_NL es_ES it_IT"),
    ("location", "longitude lng", "longitude", "en_US"),
    ("internal-address", "host upstream", "ipv4_private", "en_US"),
    ("national-id.us-ssn", "ssn value", "ssn", "en_US"),
    ("national-id.br-cpf", "cpf value", "cpf", "pt_BR"),
    ("national-id.br-cnpj", "cnpj", "cnpj", "pt_BR"),
    ("national-id.es-nie", "nie", "nie", "es_ES"),
    ("national-id.es-dni", "dni nif", "nif", "es_ES"),
    ("national-id.it-codice-fiscale", "codiceFiscale value", "ssn", "it_IT"),
    ("national-id.pl-pesel", "pesel", "pesel", "pl_PL"),
    ("national-id.nl-bsn", "bsn", "ssn", "nl_NL"),
    ("national-id.fr-nir", "nir numeroSecu", "ssn", "fr_FR"),
    ("national-id.cn-ric", "idCard residentId", "ssn", "zh_CN"),
    ("national-id.ca-sin", "sin", "ssn", "en_CA"),
)
"""(class, names of fields, Faker's provider, locales)."""


def others(seed: int, each: int) -> list[Labelled]:
    """`each` values of every class and locale."""
    rows = []
    for label, names, provider, locales in _PROVIDERS:
        for locale in locales.split():
            make = Faker(locale)
            make.seed_instance(seed)
            fields = names.split()
            rows += [
                Labelled(label, fields[i % len(fields)], str(getattr(make, provider)()), source="faker")
                for i in range(each)
            ]
    return rows
