"""Postal addresses, in named fields: whole ones, streets, towns and codes."""

import re

from wardgate.match.classes.shape import DataClass, Pattern

_WHOSE = (
    "(billing|shipping|home|mailing|postal|street|delivery|residential|permanent|work|contact|customer|legal)"
)


# Lengths are judged here: counted repetitions of so many letters take RE2 tens of milliseconds to prepare.
_LONGEST_STREET = 121
_LONGEST_TOWN = 81
_THREE_LETTERS = re.compile(r"[A-Za-z].*?[A-Za-z].*?[A-Za-z]", re.DOTALL)


def is_written_out(value: str) -> bool:
    """Letters, and a digit or a comma, in more than one word: an address, not a word or an identifier."""
    return (
        any(c.isalpha() for c in value)
        and any(c.isdigit() or c in ",\n" for c in value)
        and len(value.split()) > 1
        and "://" not in value
        and "@" not in value
    )


def is_street(value: str) -> bool:
    """A word of letters, and another or a number, or a long word (`Hauptstraße`); 121 characters at most."""
    if len(value) > _LONGEST_STREET or "://" in value or "@" in value:
        return False
    if value.isascii():
        return _THREE_LETTERS.search(value) is not None
    return sum(c.isalpha() for c in value) >= 3


def is_town(value: str) -> bool:
    """81 characters at most."""
    return len(value) <= _LONGEST_TOWN


POSTAL_ADDRESS = DataClass(
    name="postal-address",
    title="Postal address",
    reference="UPU S42; ISO 19160-4",
    patterns=(Pattern(r"(?s)[\pL\pN#].{4,300}", named=0.85, valid=is_written_out),),
    fields=(
        rf"({_WHOSE} )?address(es)?( (text|full|formatted|line))?",
        r"formatted address|full address|address formatted",
    ),
    not_fields=(
        r"(ip|ipv|mac|e ?mail|mail|wallet|web|url|memory|host|remote"
        r"|client|contract|btc|eth|peer|server|bind|listen"
        r"|node|source|destination|dest|src|dst|hardware|network|internal"
        r"|external|public|private|local) ?address(es)?",
    ),
    found=(
        ("address", "221b Baker Street, London NW1 6XE"),
        ("billingAddress", "Hauptstr. 5, 10115 Berlin"),
    ),
    passed=(
        ("ip_address", "2001:db8::1 port 2, eth"),
        ("address", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("address", "ann@example.org, 2"),
        ("comment", "221b Baker Street, London"),
    ),
)

STREET = DataClass(
    name="postal-address.street",
    title="Street of a postal address",
    reference="UPU S42; ISO 19160-4",
    patterns=(Pattern(r"[\pL\pN#][\pL\pM\pN .,'\x{2019}#/°-]{2,}", named=0.85, valid=is_street),),
    fields=(
        r"street( ?(address|name|line))?( one| two)?",
        r"address ?(line|street)( one| two)?",
        r"address line",
        rf"({_WHOSE} )?address (line|street)",
        r"(addr|address) (one|two|first|second)",
    ),
    found=(
        ("street", "Hauptstraße 5"),
        ("address.line1", "221b Baker Street"),
        ("address_line_2", "Flat 4"),
        ("streetName", "Unter den Linden"),
    ),
    passed=(
        ("stream", "Hauptstraße 5"),
        ("street_id", "Baker Street"),
        ("address.line1", ""),
        ("street", "Baker " * 21),
    ),
)

POSTAL_CODE = DataClass(
    name="postal-address.code",
    title="Postal code",
    reference="UPU postal addressing systems",
    patterns=(
        Pattern(r"\d{3,6}(?:[ -]?\d{3,4})?|\d{2}-\d{3}|\d{3} \d{2}", named=0.7),
        Pattern(r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}|[A-Za-z]\d[A-Za-z][ -]?\d[A-Za-z]\d", named=0.8),
        Pattern(r"(?:[A-Z]{1,2}-)?\d{4,5}|\d{4} ?[A-Z]{2}", named=0.7),
    ),
    fields=(r"(zip|postal|post) ?codes?|postcodes?|zip|plz|eircode|pin ?code|address zip|cep|code postal",),
    found=(
        ("zip", "94107-1234"),
        ("postalCode", "NW1 6XE"),
        ("post_code", "K1A 0B1"),
        ("plz", "10115"),
        ("zip", "00-950"),
    ),
    passed=(("zip", "archive.zip"), ("zip_file", "94107"), ("code", "94107")),
)

TOWN = DataClass(
    name="postal-address.town",
    title="Town of a postal address",
    reference="UPU S42; ISO 19160-4",
    patterns=(Pattern(r"\pL[\pL\pM .,'\x{2019}()/-]+", named=0.6, valid=is_town),),
    fields=(
        rf"({_WHOSE}|address|addr|customer|patient|user) (city|town|locality)",
        rf"{_WHOSE} address (city|town|locality)",
        r"city of (birth|residence)|home town|hometown|place of birth|birth ?place|address locality",
    ),
    found=(("address.city", "São Paulo"), ("shippingCity", "Berlin"), ("placeOfBirth", "Köln")),
    passed=(
        ("city", "Berlin"),
        ("address.city", "17"),
        ("capacity", "Berlin"),
        ("address.city", "Berlin" * 14),
    ),
)
