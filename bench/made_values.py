"""Values of every class of data, made as its format is documented, check digits calculated."""

import base64
import json
import random
import string
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

from stdnum import luhn, verhoeff
from stdnum.cn import ric
from stdnum.es import dni
from stdnum.iso7064 import mod_11_10, mod_97_10
from stdnum.it import codicefiscale
from stdnum.mx import curp


def digits(r: random.Random, n: int) -> str:
    return str(r.randint(1, 9)) + "".join(r.choices(string.digits, k=n - 1))


def pick(r: random.Random, alphabet: str, n: int) -> str:
    return "".join(r.choices(alphabet, k=n))


def grouped(text: str, size: int) -> str:
    return " ".join(text[i : i + size] for i in range(0, len(text), size))


def birthday(r: random.Random) -> date:
    return date(1930, 1, 1) + timedelta(days=r.randint(0, 33_000))


def weighted(body: str, weights: tuple[int, ...]) -> int:
    return sum(int(c) * w for c, w in zip(body, weights, strict=True))


def retried(make: Callable[[], str | None]) -> str:
    while (value := make()) is None:
        pass
    return value


def card(r: random.Random) -> str:
    lead, length = r.choice(
        [
            ("4", 16),
            ("51", 16),
            ("55", 16),
            ("2221", 16),
            ("2720", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("65", 16),
            ("3528", 16),
            ("62", 16),
        ]
    )
    body = lead + pick(r, string.digits, length - len(lead) - 1)
    return body + luhn.calc_check_digit(body)


def spaced_card(r: random.Random) -> str:
    value, mark = card(r), r.choice(" -")
    parts = (
        [value[:4], value[4:10], value[10:]]
        if len(value) == 15
        else [value[i : i + 4] for i in range(0, 16, 4)]
    )
    return mark.join(parts)


def iban(r: random.Random) -> str:
    country, length, letters = r.choice(
        [
            ("DE", 22, 0),
            ("GB", 22, 4),
            ("FR", 27, 0),
            ("NL", 18, 4),
            ("ES", 24, 0),
            ("IT", 27, 0),
            ("CH", 21, 0),
            ("PL", 28, 0),
        ]
    )
    if country == "IT":
        body = r.choice(string.ascii_uppercase) + pick(r, string.digits, 22)
    else:
        body = pick(r, string.ascii_uppercase, letters) + pick(r, string.digits, length - 4 - letters)
    check = 98 - mod_97_10.checksum(body + country + "00")
    return f"{country}{check:02d}{body}"


def cpf(r: random.Random) -> str:
    body = digits(r, 9)
    for n in (10, 11):
        rest = weighted(body, tuple(range(n, 1, -1))) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def cnpj(r: random.Random) -> str:
    body = digits(r, 8) + "0001"
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = weighted(body, weights) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:2]}.{body[2:5]}.{body[5:8]}/{body[8:12]}-{body[12:]}"


def ssn(r: random.Random) -> str:
    return (
        f"{r.choice([n for n in range(1, 900) if n != 666]):03d}-"
        f"{r.randint(1, 99):02d}-{r.randint(1, 9999):04d}"
    )


def steuer_id(r: random.Random) -> str:
    ten = r.sample(string.digits, 10)
    while ten[0] == "0":
        ten = r.sample(string.digits, 10)
    ten[r.choice(list(range(1, 10)))] = ten[0] if r.random() < 0.3 else r.choice(ten[1:])
    counts = Counter(ten)
    if sorted(counts.values(), reverse=True)[0] != 2 or ten[0] == "0" or len(counts) != 9:
        return steuer_id(r)
    body = "".join(ten)
    return body + mod_11_10.calc_check_digit(body)


def nir(r: random.Random) -> str:
    body = (
        f"{r.choice('12')}{r.randint(30, 99)}{r.randint(1, 12):02d}"
        f"{r.randint(1, 95):02d}{r.randint(1, 990):03d}{r.randint(1, 990):03d}"
    )
    return f"{body}{97 - int(body) % 97:02d}"


def fiscale(r: random.Random) -> str:
    consonants = "BCDFGLMNPRSTVZ"
    day = birthday(r)
    body = (
        pick(r, consonants, 6)
        + f"{day:%y}{'ABCDEHLMPRST'[day.month - 1]}{day.day + r.choice([0, 40]):02d}"
        + r.choice("ABCDEFGHILMZ")
        + pick(r, string.digits, 3)
    )
    return body + codicefiscale.calc_check_digit(body)


def dni_(r: random.Random) -> str:
    body = digits(r, 8)
    return body + dni.calc_check_digit(body)


def nie(r: random.Random) -> str:
    lead, body = r.randint(0, 2), pick(r, string.digits, 7)
    return "XYZ"[lead] + body + dni.calc_check_digit(str(lead) + body)


def curp_(r: random.Random) -> str:
    day = birthday(r)
    body = (
        pick(r, "BCDFGHJLMNPRSTVZ", 1)
        + r.choice("AEIOU")
        + pick(r, "BCDFGHJLMNPRSTVZ", 2)
        + f"{day:%y%m%d}"
        + r.choice("HM")
        + r.choice(["AS", "BC", "DF", "JC", "NL", "OC", "VZ"])
        + pick(r, "BCDFGHJLMNPRSTVZ", 3)
        + (r.choice(string.digits) if day.year < 2000 else r.choice("ABC"))
    )
    return body + curp.calc_check_digit(body)


def sin(r: random.Random) -> str:
    body = str(r.randint(1, 7)) + pick(r, string.digits, 7)
    value = body + luhn.calc_check_digit(body)
    return f"{value[:3]}-{value[3:6]}-{value[6:]}"


def my_number(r: random.Random) -> str:
    body = digits(r, 11)
    rest = weighted(body[::-1], (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)) % 11
    return body + str(0 if rest <= 1 else 11 - rest)


def rrn(r: random.Random) -> str:
    day = birthday(r)
    body = (
        f"{day:%y%m%d}{r.choice('12') if day.year < 2000 else r.choice('34')}"
        f"{r.randint(0, 95):02d}{r.randint(0, 999):03d}{r.randint(0, 9)}"
    )
    body = body[:12]
    check = (11 - weighted(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return f"{body[:6]}-{body[6:]}{check}"


def tfn(r: random.Random) -> str:
    return retried(
        lambda: value if weighted(value := digits(r, 9), (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 else None
    )


def aadhaar(r: random.Random) -> str:
    body = str(r.randint(2, 9)) + pick(r, string.digits, 10)
    value = body + verhoeff.calc_check_digit(body)
    return f"{value[:4]} {value[4:8]} {value[8:]}"


def pan(r: random.Random) -> str:
    return (
        pick(r, string.ascii_uppercase, 3)
        + "P"
        + r.choice(string.ascii_uppercase)
        + f"{r.randint(1, 9999):04d}"
        + r.choice(string.ascii_uppercase)
    )


def resident(r: random.Random) -> str:
    body = (
        r.choice(["110101", "310104", "440113", "360426", "330102", "510107"])
        + f"{birthday(r):%Y%m%d}"
        + f"{r.randint(1, 999):03d}"
    )
    return body + ric.calc_check_digit(body + "0")


def nino(r: random.Random) -> str:
    lead = retried(
        lambda: (
            p
            if (p := r.choice("ABCEGHJKLMNOPRSTWXYZ") + r.choice("ABCEGHJKLMNPRSTWXYZ"))
            not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}
            else None
        )
    )
    return lead + pick(r, string.digits, 6) + r.choice("ABCD")


def pesel(r: random.Random) -> str:
    day = birthday(r)
    body = (
        f"{day.year % 100:02d}{day.month + (20 if day.year >= 2000 else 0):02d}"
        f"{day.day:02d}{r.randint(0, 9999):04d}"
    )
    return body + str((10 - weighted(body, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10)


def bsn(r: random.Random) -> str:
    def make() -> str | None:
        body = digits(r, 8)
        rest = weighted(body, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        return body + str(rest) if rest < 10 else None

    return retried(make)


def email(r: random.Random) -> str:
    first, last = r.choice(FIRST), r.choice(LAST)
    local = (
        r.choice(["{0}.{1}", "{0}{1}", "{0}_{1}", "{0}+news", "{0}{2}", "{0}.{1}{2}"])
        .format(first, last, r.randint(1, 99))
        .lower()
    )
    hosts = [
        "example.org",
        "mail.example.com",
        "example.co.uk",
        "uni.example.edu",
        "firma-beispiel.de",
    ]
    return f"{local}@{r.choice(hosts)}"


def phone(r: random.Random) -> str:
    return r.choice(
        [
            lambda: (
                f"+1{r.choice(['212', '415', '312', '206', '617'])}{r.randint(2, 9)}"
                f"{r.choice('023456789')}{pick(r, string.digits, 5)}"
            ),
            lambda: f"+44 20 7{pick(r, string.digits, 3)} {pick(r, string.digits, 4)}",
            lambda: f"+49 30 {digits(r, 8)}",
            lambda: f"+33 6 1{r.randint(0, 9)} {grouped(pick(r, string.digits, 6), 2)}",
            lambda: f"+9198{pick(r, string.digits, 8)}",
            lambda: f"+5511 9{digits(r, 4)}-{pick(r, string.digits, 4)}",
        ]
    )()


def national_phone(r: random.Random) -> str:
    return r.choice(
        [
            lambda: f"({r.randint(201, 989)}) {r.randint(200, 999)}-{r.randint(0, 9999):04d}",
            lambda: f"{r.randint(201, 989)}-{r.randint(200, 999)}-{r.randint(0, 9999):04d}",
            lambda: f"0{r.randint(151, 179)} {digits(r, 7)}",
            lambda: f"0{digits(r, 9)}",
        ]
    )()


FIRST = (
    "Ann Bob Carla David Elif Fatima George Hana Ivan José Kofi Li Mária "
    "Noor Olga Pedro Quinn Ravi Søren Thị Uma Víctor Wei Xenia Yuki Zoë"
).split()
LAST = (
    "Archer Bianchi Chen Díaz Eriksen Ferreira García Haddad Ivanova Jones Kowalski López "
    "Müller Nguyen O'Neill Petrov Quispe Rossi Silva Tanaka Usman Vasquez Wang Yilmaz Zhang"
).split()
STREETS = (
    "Main Street,Baker Street,Hauptstraße,Rue de Rivoli,Via Roma,Calle Mayor,Elm Avenue,Unter den Linden"
).split(",")
TOWNS = "Berlin,London,São Paulo,New York,Paris,Tōkyō,Lagos,Köln".split(",")
ILLS = "Type 2 diabetes mellitus,Hypertension,Asthma,E11.9,I10,J45.909,F32.1,migraine without aura".split(",")
B62 = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
MIXED = B62 + "-_"


def jwt(r: random.Random) -> str:
    def part(one: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")

    head: dict[str, object] = {
        "alg": r.choice(["RS256", "HS256", "ES256"]),
        "typ": "JWT",
        "kid": pick(r, HEX, 8),
    }
    return f"{part(head)}.{part({'sub': digits(r, 9), 'iat': 1700000000})}.{pick(r, MIXED, 43)}"


def private_key(r: random.Random) -> str:
    kind = r.choice(["RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "])
    body = "\n".join(pick(r, B62 + "+/", 64) for _ in range(3))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----\n"


Maker = Callable[[random.Random], str]
# class → (names under which it stands, makers, stands in text, has a check digit)
