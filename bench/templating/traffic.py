"""Traffic that a description could have caused: varied identifiers, thin or dense, with or without bodies.

Identifiers come from pools (the same user in many places) or afresh, in many shapes; half of them are words,
because models that see only random ones learn the shape of the generator. Seeded: same seed, same traffic.
"""

import random
import string
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from templating.descriptions import Described, Description, Parameter
from wardgate.recognise.templating.surroundings import (
    BODIES,
    ECHOES,
    IN_BODY_AS_ID,
    IN_BODY_AS_KEY,
    IN_BODY_AS_VALUE,
    LISTED,
    LISTS,
)

_ALNUM = string.ascii_letters + string.digits
_LOWER = string.ascii_lowercase + string.digits
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TLDS = ("com", "org", "net", "io", "de", "example", "co.uk")
_FILES = ("json", "pdf", "png", "jpg", "txt", "csv", "xml", "md", "zip", "yaml", "html", "py")
_LANGS = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl", "ja", "zh", "ko", "ru", "tr")
_NAMING = tuple(
    "name slug key login username user owner repo tag label handle type title code symbol alias kind".split()
)
NEVER = frozenset(
    "me self all default latest current search new list count status bulk batch summary export import".split()
)
"""Words that are constants wherever they stand."""
_LANDS = ("US", "GB", "DE", "FR", "ES", "IT", "BR", "NL", "SE", "PL", "JP", "CN", "KR", "IN", "CA", "AU")


@dataclass(frozen=True, slots=True)
class Call:
    """One observed call of the made traffic."""

    method: str
    path: str
    template: str
    shapes: tuple[int, ...] = ()


@dataclass(slots=True)
class Traffic:
    """A service's calls; `template` has parameters as `{}`."""

    name: str
    provider: str
    calls: list[Call]
    bodies: dict[str, int] = field(default_factory=dict)


class Maker:
    """Makes values of one service: shapes per parameter name, pools per noun."""

    def __init__(self, rng: random.Random, words: list[str], constants: list[str]) -> None:
        self._rng = rng
        constants = [one for one in constants if one.lower() not in NEVER]
        size = rng.choice((12, 30, 100, 1000, len(words)))
        self._words = words if size >= len(words) else rng.sample(words, size)
        plain = [
            one for one in rng.sample(constants, min(400, len(constants))) if one.isalpha() and one.islower()
        ]
        if size <= 100 and rng.random() < 0.7:
            usual = int(size * rng.choice((0.1, 0.3, 0.5)))
            self._words = self._words[usual:] + plain[:usual]
        self._constants = constants
        self.echo = rng.choice((0.3, 0.6, 0.8))
        """Share of identifiers that a body holds."""
        self.names_itself = rng.choice((0.0, 0.5, 0.9))
        """Share of answers to what ends in an identifier that name it."""
        self.lists = rng.choice((0.0, 0.3, 0.8))
        """Share of identifiers that their collection's answer lists."""
        self._noun = ""
        self._shapes: dict[str, Callable[[], str]] = {}
        self._pools: dict[tuple[str, str], list[str]] = {}
        self._pooled = rng.random() < 0.5
        self._mixed = rng.random() < 0.3
        self._alike = rng.random() < 0.2
        """Whether all its identifiers that are text have one shape, as most vendors have it."""
        self._wordy = rng.choice((0.2, 0.5, 0.7, 0.95))
        self._example_share = rng.choice((0.0, 0.3, 0.8))
        self.size = rng.choice((1, 2, 3, 5, 10, 30))

    def value(self, parameter: Parameter, noun: str) -> str:
        """One value of a parameter behind a noun."""
        self._noun = noun.lower()
        if not self._pooled:
            return self._fresh(parameter)
        key = (parameter.name.lower(), noun if parameter.name.lower() in ("id", "name", "key") else "")
        pool = self._pools.get(key)
        if pool is None:
            size = max(1, int(self._rng.expovariate(1 / self.size)) + 1)
            pool = self._pools[key] = [self._fresh(parameter) for _ in range(min(size, 60))]
        return self._rng.choice(pool)

    def _fresh(self, parameter: Parameter) -> str:
        rng = self._rng
        if parameter.closed and parameter.values:
            return rng.choice(parameter.values).replace("/", "")
        examples = [one for one in parameter.values if one.lower() not in NEVER]
        if examples and rng.random() < self._example_share:
            return rng.choice(examples).replace("/", "")[:60] or "x"
        if self._alike and parameter.type == "string" and not parameter.format:
            parameter = Parameter("")
        name = parameter.name
        shape = self._shapes.get(name)
        if shape is None or (self._mixed and parameter.type == "string" and rng.random() < 0.5):
            shape = self._shapes[name] = self._shape(parameter)
        return shape()

    def _shape(self, parameter: Parameter) -> Callable[[], str]:
        rng = self._rng
        name, kind = parameter.name.lower(), parameter.format.lower()
        if parameter.type in ("integer", "number") and rng.random() < 0.95:
            return self._integer()
        if kind in ("uuid", "guid") and rng.random() < 0.95:
            return self._uuid
        if kind.startswith("date") or name.endswith(("date", "day", "from", "until")):
            return self._date()
        if "mail" in name:
            return self._email
        if name.endswith(("lang", "language", "locale", "culture")):
            return self._locale()
        if name in ("country", "countrycode", "country_code", "currency", "region"):
            return self._code()
        if name.endswith(("version",)) and rng.random() < 0.7:
            return lambda: ".".join(str(rng.randrange(12)) for _ in range(rng.choice((1, 2, 3))))
        if name.endswith(("filename", "file", "path", "filepath")):
            return self._file
        if "domain" in name or "host" in name:
            return lambda: f"{self._word()}{rng.choice(('', '-' + self._word()))}.{rng.choice(_TLDS)}"
        if rng.random() < 0.05:
            return rng.choice((self._date(), self._email, self._locale(), self._file, self._list()))
        named = name.endswith(_NAMING)
        if rng.random() < (max(self._wordy, 0.6) if named else self._wordy * 0.7):
            return self._wordlike()
        return rng.choice(
            (self._integer(), self._uuid, self._opaque(), self._opaque(), self._opaque(), self._prefixed())
        )

    def _integer(self) -> Callable[[], str]:
        rng = self._rng
        top = rng.choice((20, 200, 10_000, 10**6, 10**10))
        return lambda: str(rng.randrange(1, top) if rng.random() < 0.9 else rng.randrange(1, 100))

    def _uuid(self) -> str:
        text = str(uuid.UUID(int=self._rng.getrandbits(128), version=self._rng.choice((1, 4, 4, 4))))
        return text if self._rng.random() < 0.97 else "00000000-0000-0000-0000-000000000000"

    def _some(self, letters: str, size: int) -> str:
        return "".join(self._rng.choice(letters) for _ in range(size))

    def _opaque(self) -> Callable[[], str]:
        size = self._rng.choice((6, 8, 10, 11, 12, 16, 20, 21, 22, 24, 32, 40))
        letters = self._rng.choice(
            (
                _ALNUM,
                _ALNUM,
                _LOWER,
                "0123456789abcdef",
                "0123456789ABCDEF",
                _ALNUM + "-_",
                _CROCKFORD,
                _LOWER,
            )
        )
        if self._rng.random() < 0.1:
            return lambda: "01" + self._some(_CROCKFORD, 24)
        return lambda: self._some(letters, size)

    def _prefixed(self) -> Callable[[], str]:
        prefix = self._word()[: self._rng.choice((2, 3, 4, 8))]
        mark = self._rng.choice("__-")
        size = self._rng.choice((6, 8, 14, 16, 24))
        letters = self._rng.choice((_ALNUM, _LOWER, string.digits))
        if self._rng.random() < 0.2:
            prefix = prefix.upper()
        return lambda: f"{prefix}{mark}{self._some(letters, size)}"

    def _date(self) -> Callable[[], str]:
        rng = self._rng
        form = rng.choice(
            ("{y}-{m:02d}-{d:02d}",) * 3 + ("{y}{m:02d}{d:02d}", "{y}-{m:02d}", "{d:02d}-{m:02d}-{y}")
        )
        return lambda: form.format(
            y=rng.randrange(2005, 2027), m=rng.randrange(1, 13), d=rng.randrange(1, 29)
        )

    def _email(self) -> str:
        rng = self._rng
        mark = "@" if rng.random() < 0.7 else "%40"
        user = rng.choice(
            (self._word(), f"{self._word()}.{self._word()}", f"{self._word()}{rng.randrange(100)}")
        )
        return f"{user}{mark}{self._word()}.{rng.choice(_TLDS)}"

    def _locale(self) -> Callable[[], str]:
        rng = self._rng
        if rng.random() < 0.5:
            return lambda: rng.choice(_LANGS)
        mark = rng.choice("-_")
        return lambda: f"{rng.choice(_LANGS)}{mark}{rng.choice(_LANDS)}"

    def _code(self) -> Callable[[], str]:
        rng = self._rng
        size = rng.choice((2, 2, 3, 3))
        if size == 2:
            return lambda: rng.choice(_LANDS)
        upper = rng.random() < 0.7
        return lambda: self._some(string.ascii_uppercase if upper else string.ascii_lowercase, 3)

    def _list(self) -> Callable[[], str]:
        rng = self._rng
        if rng.random() < 0.4:
            key, other = self._word(), self._word()
            return lambda: f"{self._word()};{key}={rng.randrange(99)};{other}={self._word()}"
        if rng.random() < 0.5:
            return lambda: ",".join(str(rng.randrange(1, 9999)) for _ in range(rng.choice((2, 3, 4))))
        return lambda: ",".join(self._word() for _ in range(rng.choice((2, 3))))

    def _file(self) -> str:
        return f"{self._slug('-_')}.{self._rng.choice(_FILES)}"

    def _word(self) -> str:
        return self._rng.choice(self._words)

    def _slug(self, marks: str = "-") -> str:
        rng = self._rng
        return rng.choice(marks).join(self._word() for _ in range(rng.choice((1, 2, 2, 3))))

    def _of_noun(self) -> str:
        """What testers call things: `my-bucket`, `testuser1`, `unknowngroup`, `containernamexyz`."""
        rng = self._rng
        noun = self._noun.removesuffix("s") or "item"
        mark = rng.choice(("", "", "-", "_"))
        before = rng.choice(
            ("my", "test", "new", "unknown", "invalid", "example", "demo", "some", "foo", self._word())
        )
        behind = rng.choice(("", "1", "2", "name", "id", "abc", "xyz", "test", self._some(_LOWER, 6)))
        return rng.choice(
            (f"{before}{mark}{noun}{mark}{behind}", f"{noun}{mark}{behind or 'a'}", f"{before}{mark}{noun}")
        )

    def _wordlike(self) -> Callable[[], str]:
        rng = self._rng
        if rng.random() < 0.08:
            return self._of_noun
        cap = str.capitalize
        if rng.random() < 0.4:
            return lambda: "-".join(self._word() for _ in range(rng.choice((1, 1, 2))))
        return rng.choice(
            (
                self._slug,
                self._slug,
                self._slug,
                self._word,
                self._word,
                lambda: self._slug("_"),
                lambda: self._slug("-_"),
                lambda: f"{self._word()}{rng.randrange(1000)}",
                lambda: self._word() + rng.choice(("", str(rng.randrange(99)), f"_{self._word()}")),
                lambda: f"{self._word()}{rng.randrange(10)}",
                lambda: cap(self._word()),
                lambda: f"{cap(self._word())}{cap(self._word())}",
                lambda: f"{self._word()}{cap(self._word())}",
                lambda: f"{self._word()}{self._word()}",
                lambda: f"{self._word()}.{self._word()}",
                lambda: f"{cap(self._word())}%20{cap(self._word())}",
                lambda: f"{self._slug()}-{rng.randrange(10000)}",
                lambda: f"test-{self._word()}-{self._some(_LOWER, 6)}",
                lambda: f"{self._word()}{self._some('0123456789abcdef', 8)}",
                lambda: f"{self._word()[:3].upper()}-{rng.randrange(1, 9999)}",
                lambda: self._word().upper(),
                lambda: f"{self._word()}:{self._word()}",
                lambda: f"my{cap(self._word())}",
                lambda: f"@{self._word()}",
                lambda: f"{self._word()},{self._word()}",
                lambda: rng.choice(self._constants),
                lambda: rng.choice(self._constants) if rng.random() < 0.2 else self._word(),
            )
        )


def traffic(description: Description, rng: random.Random, words: list[str], constants: list[str]) -> Traffic:
    """Calls of one service."""
    maker = Maker(rng, words, constants)
    base = description.base if rng.random() < 0.5 else ""
    paths = list(description.paths)
    if rng.random() < 0.08:
        paths = _beheaded(paths)
        base = ""
    if rng.random() < 0.4:
        paths = _renamed(paths, rng, words)
    if rng.random() < 0.08:
        paths = _tenanted(paths, rng, constants)
    rng.shuffle(paths)
    share = rng.choice((0.15, 0.4, 0.7, 1.0, 1.0))
    paths = paths[: max(2, min(int(len(paths) * share) + 1, 260))]
    bodies = rng.choice(("none", "none", "alike", "distinct", "distinct"))
    methods_known = rng.random() < 0.75
    dense = rng.choice((0, 0, 0, 0, 1, 1, 2, 4, 8))
    if dense == 0 and rng.random() < 0.5:
        bodies, methods_known = "none", False
    out: list[Call] = []
    held: dict[str, int] = {"": BODIES} if bodies != "none" else {}
    for one in paths:
        out += _calls(one, base, maker, rng, bodies, methods_known, dense, held)
    if held:
        _noise(out, held, rng)
    return Traffic(description.name, description.provider, out, held)


_KINDS_OF_ANSWER = ("json", "xml", "csv", "html", "txt", "rdf", "pdf")


def _tenanted(paths: list[Described], rng: random.Random, constants: list[str]) -> list[Described]:
    """Every path below one tenant's name or one choice, first or second, as many platforms have it."""
    name = rng.choice(
        ("tenantDomain", "hostname", "domain", "tenantId", "accountId", "org", "format", "slug", "source")
    )
    values: tuple[str, ...] = ()
    if name == "format":
        values = tuple(rng.sample(_KINDS_OF_ANSWER, rng.choice((2, 2, 3))))
    elif name == "source":
        values = tuple(dict.fromkeys(rng.choice(constants) for _ in range(rng.choice((2, 3, 4)))))
    tenant = Parameter(name, format="uuid" if name == "tenantId" else "", values=values, closed=bool(values))
    before = rng.choice(("", "", f"/{rng.choice(constants)}"))
    return [
        Described(
            f"{before}/{{{name}}}{one.template}", one.methods, {**one.parameters, name: tenant}, one.keys
        )
        for one in paths
    ]


def _renamed(paths: list[Described], rng: random.Random, words: list[str]) -> list[Described]:
    """Some constants become ones that look like values: `sha256sum`, `i18n`, `onboardingStatus`."""
    constants = sorted(
        {part for one in paths for part in one.template.split("/") if part and "{" not in part}
    )
    chosen = rng.sample(constants, min(len(constants), rng.choice((1, 2, 4, 8))))
    new = {one: _odd(one, rng, rng.choice(words), rng.choice(words)) for one in chosen}
    return [
        Described(
            "/".join(new.get(part, part) for part in one.template.split("/")),
            one.methods,
            one.parameters,
            one.keys,
        )
        for one in paths
    ]


def _odd(old: str, rng: random.Random, word: str, other: str) -> str:
    n = rng.choice((2, 3, 5, 10, 64, 95, 99, 128, 256, 512))
    return rng.choice(
        (
            f"{word[:6]}{n}",
            f"{word[:4]}{n}{other[:5]}",
            f"{n % 10}{word[:2]}",
            f"{word[0]}{len(word)}{word[-1]}",
            f"{word[0]}{n}",
            f"v{n % 10}{rng.choice(('', 'beta', 'alpha', 'rc'))}{n % 3 or ''}",
            f"{word}{other.capitalize()}",
            f"{word}-{other}",
            f"{word}_{other}",
            f".{word}",
            f"{old}{n % 10}",
            word,
            word.upper(),
        )
    )


def _beheaded(paths: list[Described]) -> list[Described]:
    """Paths without their first segment: services differ in where they begin."""
    out = [
        Described(f"/{rest}", one.methods, one.parameters, one.keys)
        for one in paths
        if (rest := one.template.strip("/").partition("/")[2])
    ]
    return out or paths


def _calls(
    one: Described,
    base: str,
    maker: Maker,
    rng: random.Random,
    bodies: str,
    methods_known: bool,
    dense: int,
    held: dict[str, int],
) -> list[Call]:
    erased = base + "/".join("{}" if "{" in part else part for part in one.template.split("/"))
    has = "{" in one.template
    out = []
    methods = [m for m in one.methods if rng.random() < 0.8] or [rng.choice(one.methods)]
    for method in methods if methods_known else methods[:1]:
        count = rng.choice((1, 1, 1, 2, 3, 5)) * dense if has else 1
        count = max(1, int(count * rng.random() * 1.5)) if has else 1
        if dense == 0 and has:
            count = rng.choice((1, 2, 3, 5, 8, 13, 21))
        for _ in range(min(count, 30)):
            path = base + _filled(one, maker, held, rng)
            shape = 0
            if bodies == "alike":
                shape = 7
            elif bodies == "distinct" and one.keys.get(method):
                keys = one.keys[method]
                if len(keys) > 4 and rng.random() < 0.15:
                    keys = keys[:-1]
                shape = zlib.crc32(repr(keys).encode()) | ECHOES + 1
            shapes = (shape,) if shape else ()
            if bodies == "distinct":
                shapes += _names(path, erased, method, maker, rng)
                _list(one, path, erased, maker, rng, held)
            out.append(Call(method if methods_known else "", path, erased, shapes))
    return out


_SELF_NAMED = 0.02
"""Share of constants that their own answers name: `/settings/default` answers `name: default`."""


def _names(path: str, erased: str, method: str, maker: Maker, rng: random.Random) -> tuple[int, ...]:
    """Whether the answer names the path's end."""
    if method == "DELETE" or not path.strip("/"):
        return ()
    share = maker.names_itself * (1 if method == "GET" else 0.6) if erased.endswith("/{}") else _SELF_NAMED
    return (ECHOES,) if rng.random() < share else ()


def _list(
    one: Described, path: str, erased: str, maker: Maker, rng: random.Random, held: dict[str, int]
) -> None:
    """What collections' answers list: identifiers, seldom a constant, and things that nobody asks for."""
    if one.keys.get("GET", ("",))[:1] == ("[]",) and rng.random() < 0.7:
        held[path] = held.get(path, 0) | LISTS
    if rng.random() < (maker.lists if erased.endswith("/{}") else _SELF_NAMED / 2):
        parent = path.rpartition("/")[0]
        held[parent] = held.get(parent, 0) | LISTS
        held[path] = held.get(path, 0) | LISTED


def _filled(one: Described, maker: Maker, held: dict[str, int], rng: random.Random) -> str:
    parts = []
    noun = ""
    for part in one.template.split("/"):
        if "{" not in part:
            parts.append(part)
            noun = part or noun
            continue
        text = part
        while "{" in text and "}" in text[text.index("{") :]:
            start = text.index("{")
            stop = text.index("}", start)
            name = text[start + 1 : stop]
            parameter = one.parameters.get(name) or Parameter(name)
            value = maker.value(parameter, noun) or "x"
            if held and rng.random() < maker.echo * (0.3 if "omain" in name or "enant" in name else 1):
                held[value] = held.get(value, 0) | (
                    IN_BODY_AS_ID if rng.random() < 0.85 else IN_BODY_AS_VALUE
                )
            text = text[:start] + value + text[stop + 1 :]
        parts.append(text.replace("{", "").replace("}", "") or "x")
    return "/".join(parts)


def _noise(calls: list[Call], held: dict[str, int], rng: random.Random) -> None:
    """Bodies hold constants' words too: as values of types and states, and as keys."""
    constants = sorted({part for one in calls for part in one.template.split("/") if part and part != "{}"})
    for part in constants:
        if rng.random() < 0.06:
            held[part] = held.get(part, 0) | IN_BODY_AS_VALUE
        if rng.random() < 0.015:
            held[part] = held.get(part, 0) | IN_BODY_AS_ID
        if rng.random() < 0.25:
            held[part] = held.get(part, 0) | IN_BODY_AS_KEY
