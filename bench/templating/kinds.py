"""Every kind of identifier, alone and mixed, 2 to 30 samples each, among constants that look like values.

23 operations with identifiers and 24 constants make 47. Bodies are distinct by operation, alike, or absent.
"""

import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALNUM = string.ascii_letters + string.digits
_WORDS = (
    "amber breeze canyon dolphin ember falcon garnet harbor indigo jasper kestrel lagoon meadow nectar onyx "
    "pebble quartz ripple saffron thistle umber velvet willow xenon yonder zephyr acorn birch cobalt drift"
).split()
_NAMES = (
    "alice bob carol dave erin frank grace heidi ivan judy mallory niaj olivia peggy rupert sybil".split()
)

CONSTANTS = (
    "/users/me",
    "/v2",
    "/v2/status",
    "/sha256sum",
    "/onboardingStatus",
    "/reports/daily",
    "/reports/weekly",
    "/reports/2fa",
    "/oauth2/token",
    "/.well-known/openid-configuration",
    "/health",
    "/users/search",
    "/users/current/settings",
    "/orders/export",
    "/orders/bulk-delete",
    "/base64/encode",
    "/md5",
    "/i18n/messages",
    "/s3/presign",
    "/metrics/p99",
    "/utf8/validate",
    "/http2/push",
    "/products/top10",
    "/v1beta1/features",
)


@dataclass(frozen=True, slots=True)
class Case:
    """Calls (method, path, response body or None), and each path's template with parameters erased."""

    calls: list[tuple[str, str, bytes | None]]
    truth: dict[tuple[str, str], str]


def _some(rng: random.Random, letters: str, size: int) -> str:
    return "".join(rng.choice(letters) for _ in range(size))


def _uuid(version: int) -> Callable[[random.Random], str]:
    def one(rng: random.Random) -> str:
        raw = rng.getrandbits(128)
        text = f"{raw:032x}"
        text = text[:12] + f"{version:x}" + text[13:16] + "89ab"[raw & 3] + text[17:]
        return str(uuid.UUID(hex=text))

    return one


KINDS: dict[str, Callable[[random.Random], str]] = {
    "integers": lambda r: str(r.randrange(1, 10 ** r.choice((2, 4, 9)))),
    "uuid1": _uuid(1),
    "uuid3": _uuid(3),
    "uuid4": _uuid(4),
    "uuid7": _uuid(7),
    "hex": lambda r: _some(r, "0123456789abcdef", r.choice((24, 24, 40))),
    "ulid": lambda r: "01" + _some(r, _CROCKFORD, 24),
    "nanoid": lambda r: _some(r, _ALNUM + "_-", 21),
    "short": lambda r: _some(r, _ALNUM, r.choice((6, 7, 8))),
    "prefixed": lambda r: f"cus_{_some(r, _ALNUM, 14)}",
    "slugs": lambda r: "-".join(r.sample(_WORDS, r.choice((2, 3)))),
    "usernames": lambda r: r.choice(_NAMES) + r.choice(("", str(r.randrange(99)), "_" + r.choice(_WORDS))),
    "emails": lambda r: f"{r.choice(_NAMES)}.{r.choice(_WORDS)}@example.{r.choice(('com', 'org'))}",
    "dates": lambda r: f"{r.randrange(2015, 2027)}-{r.randrange(1, 13):02d}-{r.randrange(1, 29):02d}",
    "locales": lambda r: (
        f"{r.choice(('en', 'de', 'fr', 'pt', 'zh', 'es'))}-{r.choice(('US', 'GB', 'DE', 'BR', 'CN', 'MX'))}"
    ),
    "files": lambda r: f"{r.choice(_WORDS)}-{r.choice(_WORDS)}.{r.choice(('pdf', 'png', 'csv', 'txt'))}",
    "matrix": lambda r: f"{r.choice(_WORDS)};rev={r.randrange(99)};lang={r.choice(('en', 'de'))}",
    "commas": lambda r: ",".join(str(r.randrange(1, 9999)) for _ in range(r.choice((2, 3, 4)))),
}
_NOUNS = {
    "integers": "/users/{}", "uuid1": "/sessions/{}", "uuid3": "/namespaces/{}", "uuid4": "/orders/{}",
    "uuid7": "/events/{}", "hex": "/commits/{}", "ulid": "/jobs/{}", "nanoid": "/links/{}",
    "short": "/invites/{}",
    "prefixed": "/customers/{}", "slugs": "/articles/{}", "usernames": "/profiles/{}",
    "emails": "/contacts/{}",
    "dates": "/calendar/{}", "locales": "/translations/{}", "files": "/documents/{}", "matrix": "/maps/{}",
    "commas": "/batches/{}",
}  # fmt: skip
_NESTED = (
    ("users/{}/orders", ("integers",)),
    ("users/{}/orders/{}", ("integers", "uuid4")),
    ("articles/{}/comments", ("slugs",)),
    ("profiles/{}/followers", ("usernames",)),
    ("customers/{}/invoices/{}", ("prefixed", "ulid")),
)


def mixed(seed: int, bodies: str) -> Case:
    """All kinds in one API: 18 flat operations, 5 nested ones and 24 constants."""
    rng = random.Random(seed)
    operations: list[tuple[str, Callable[[], str]]] = []
    for kind, make in KINDS.items():
        operations.append((_NOUNS[kind], _filler(_NOUNS[kind], [make], rng)))
    for template, kinds in _NESTED:
        operations.append((f"/{template}", _filler(f"/{template}", [KINDS[one] for one in kinds], rng)))
    return _case(operations, bodies, rng)


def alone(kind: str, seed: int, bodies: str) -> Case:
    """One kind under 23 nouns, flat and nested, and the constants."""
    rng = random.Random(f"{seed}/{kind}")
    make = KINDS[kind]
    templates = [*_NOUNS.values(), *(f"/{template}" for template, _ in _NESTED)]
    return _case([(one, _filler(one, [make] * one.count("{}"), rng)) for one in templates], bodies, rng)


def _filler(
    template: str, makes: list[Callable[[random.Random], str]], rng: random.Random
) -> Callable[[], str]:
    def one() -> str:
        out = template
        for make in makes:
            out = out.replace("{}", make(rng), 1)
        return out

    return one


def _case(operations: list[tuple[str, Callable[[], str]]], bodies: str, rng: random.Random) -> Case:
    calls: list[tuple[str, str, bytes | None]] = []
    truth: dict[tuple[str, str], str] = {}
    for template, fill in operations:
        for _ in range(rng.randrange(2, 31)):
            path = fill()
            truth["GET", path] = template
            calls.append(("GET", path, _body(template, path, bodies)))
    for path in CONSTANTS:
        truth["GET", path] = path
        calls.append(("GET", path, _body(path, path, bodies)))
    rng.shuffle(calls)
    return Case(calls, truth)


def _body(template: str, path: str, bodies: str) -> bytes | None:
    if bodies == "absent":
        return None
    if bodies == "alike":
        return b'{"data":{},"meta":{"ok":true},"error":null}'
    stem = "".join(c for c in template if c.isalpha())
    if "{}" not in template:
        return f'{{"{stem}Name":"x","{stem}At":1}}'.encode()
    value = path.rpartition("/")[2].replace('"', "")
    return f'{{"id":"{value}","{stem}Name":"x","{stem}At":1,"{stem}":true}}'.encode()
