"""Payment cards: Luhn and the issuers' ranges; security codes in named fields.

One in forty random numbers of 16 digits passes both, and APIs are full of such identifiers. So bare digits
count where a card or free text is expected, and digits in groups of a card's count anywhere.
"""

from stdnum import luhn

from wardgate.match.classes.shape import DataClass, Pattern

# (first prefix, last prefix, lengths); prefixes of equal length.
_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),
    (6011, 6011, (16, 19)),  # Discover
    (644, 649, (16, 19)),
    (65, 65, (16, 19)),  # Discover, RuPay, Elo
    (60, 60, (16,)),  # RuPay, Hipercard
    (81, 82, (16,)),  # RuPay
    (300, 305, (14, 16)),  # Diners Club
    (36, 36, (14, 16, 19)),
    (38, 39, (14, 16)),
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (2131, 2131, (15,)),  # JCB, of old
    (1800, 1800, (15,)),
    (62, 62, (16, 17, 18, 19)),  # UnionPay
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (5018, 5018, tuple(range(12, 20))),  # Maestro
    (5020, 5020, tuple(range(12, 20))),
    (5038, 5038, tuple(range(12, 20))),
    (5893, 5893, tuple(range(12, 20))),
    (6304, 6304, tuple(range(12, 20))),
    (6759, 6763, tuple(range(12, 20))),
    (9792, 9792, (16,)),  # Troy
)


def is_card(value: str) -> bool:
    """An issuer's range at a length that issuer uses, the check digit right, more than one digit in it."""
    digits = value.replace(" ", "").replace("-", "")
    if not digits.isdecimal() or len(set(digits)) == 1 or not luhn.is_valid(digits):
        return False
    return any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths
        for low, high, lengths in _ISSUERS
    )


PAYMENT_CARD = DataClass(
    name="payment-card",
    title="Payment card number",
    reference="ISO/IEC 7812-1 (Luhn, issuer ranges); PCI DSS 4.0, requirement 3",
    patterns=(
        # Bare digits inside a sentence.
        Pattern(
            r"[A-Za-z.,:;][ :#(]{1,3}([2-69]\d{15}|3[47]\d{13})(?:$|[ .,;:)!?])",
            alone=0.8,
            named=0.98,
            within=True,
            valid=is_card,
            least=17,
        ),
        Pattern(
            r"(?:^|[^\w.-])([2-69]\d{3}(?: \d{4}){3}|[2-69]\d{3}(?:-\d{4}){3}"
            r"|3[47]\d{2}[ -]\d{6}[ -]\d{5})(?:$|[^\w-])",
            alone=0.95,
            named=0.99,
            within=True,
            valid=is_card,
            least=16,
        ),
        Pattern(r"[2-689]\d{3}[ -]?(?:\d[ -]?){7,14}\d", named=0.98, valid=is_card, least=12),
    ),
    fields=(
        r"(credit|debit|payment|bank|gift)? ?cards?( ?(number|no|num|nr|pan|details|data|value))?",
        r"(cc|pan|primary account number|acct|account number|account"
        r"|payment|payment method)( ?(number|no|num))?",
        r"(text|message|comment|note|content|body|prompt|query|q|input|value|data|memo|description|arguments?)s?",
        r"",  # no name at all
    ),
    found=(
        ("", "4111 1111 1111 1111"),
        ("cardNumber", "5555555555554444"),
        ("card.number", "378282246310005"),
        ("note", "my card is 4111111111111111."),
        ("pan", "6011-1111-1111-1117"),
    ),
    passed=(
        ("card_number", "4111111111111112"),
        ("order_id", "4111111111111111"),
        ("card_number", "9111111111111111"),
        ("card_number", "0000000000000000"),
        ("timestamp", "1700000000000000"),
    ),
)

CARD_SECURITY_CODE = DataClass(
    name="card-security-code",
    title="Card security code",
    reference="PCI DSS 4.0, requirement 3.3.1.2: never stored after authorisation",
    patterns=(Pattern(r"\d{3,4}", named=0.9),),
    fields=(r"(card )?(cvv|cvc|cvn|csc|cid|cav|security code|verification (value|code))( ?(code|number))?",),
    not_fields=(r"cid|(email|sms|account|login|auth|user) verification code|verification code",),
    found=(("cvv", "123"), ("card.cvc", "1234"), ("card_security_code", "987")),
    passed=(("cvv", "pass"), ("cid", "123"), ("count", "123"), ("cvc_check", "123")),
)
