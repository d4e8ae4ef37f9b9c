"""Software behind a user agent: a product that may be shown, the kind of caller it speaks for, and why.

A user agent is a claim, and anybody may make it: the confidence says so. Names are asked in the order in
which they say most: scanners, AI agents and their clients (`known_software`), then the 1,500 declared bots of
the package `crawler-user-agents`, then the words and addresses by which bots declare themselves, browsers and
apps, and at last whatever product a program calls itself. Asked once per distinct user agent.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import re2

from wardgate.recognise.known_software import AGENTS, LIBRARIES, NOT_BOTS, SCANNERS, SDKS, TOOLS_THAT_CRAWL


class Kind(StrEnum):
    PERSON = "person"
    SERVICE = "service"
    AGENT = "agent"
    CRAWLER = "crawler"
    SCANNER = "scanner"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Software:
    """What a user agent says: a product name that may be shown, the kind of caller it speaks for, and why."""

    product: str
    kind: Kind
    confidence: float
    basis: str
    """What in the user agent told it, in words."""


_DECLARED = re2.compile(
    r"(?i)bots?(?:$|[^a-z])|robot|crawl|spider|slurp|scrap(?:er|y)|archiver|fetcher|\bpreview(?:er)?\b|"
    r"validator|link ?check|health ?-?check|monitor(?:ing)?\b|uptime|\brss\b|feed ?(?:parser|reader|burner)|"
    r"webhooks?\b|synthetics?\b|^itms$"
)
_OWN_ADDRESS = re2.compile(
    r"(?i)\+ ?https?://|\(https?://|; ?https?://|\+?[\w.-]+@[\w-]+\.[a-z]{2,}|bot\.html"
)
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("MSIE ", "Internet Explorer"),
    ("Trident/", "Internet Explorer"),
)
_APPS = re2.compile(r"(?i)\b(?:CFNetwork/|Dalvik/|Darwin/)|\((?:iPhone|iPad|Android)[;) ]| Android \(")
_RUNTIMES = re2.compile(
    r"(?i)(?:^|[\s(;,])(?:c?python|pypy|node(?:\.?js)?|go|j?ruby|java|jvm|php|perl|dotnet|rust|deno|bun)/v?\d|"
    r"(?:^|[-_ ])sdk[-_/ ]"
)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._ -]{0,38}?(?=/|$)")
_TAGS = (
    # Tag of the package, kind, confidence, in words. What says more comes first.
    ("scanner", Kind.SCANNER, 0.9, "a known scanner"),
    ("ai-crawler", Kind.AGENT, 0.8, "a known AI agent"),
    ("search-engine", Kind.CRAWLER, 0.8, "a known search engine's crawler"),
    ("monitoring", Kind.CRAWLER, 0.8, "a known monitor"),
    ("feed-reader", Kind.CRAWLER, 0.8, "a known feed reader"),
    ("social-preview", Kind.CRAWLER, 0.8, "a known link preview"),
    ("archiver", Kind.CRAWLER, 0.8, "a known archiver"),
    ("academic", Kind.CRAWLER, 0.8, "a known research crawler"),
    ("advertising", Kind.CRAWLER, 0.8, "a known advertising crawler"),
    ("seo", Kind.CRAWLER, 0.8, "a known crawler"),
    ("browser-automation", Kind.CRAWLER, 0.7, "an automated browser"),
    ("http-library", Kind.SERVICE, 0.6, "an HTTP library"),
)


def software_of(agent: str) -> Software:
    """The software a user agent names. A product may be anything that was sent: mask it before it is kept."""
    for pattern, kind, sure, why in (
        (SCANNERS, Kind.SCANNER, 0.9, "a known scanner"),
        (AGENTS, Kind.AGENT, 0.8, "a known AI agent"),
    ):
        found = pattern.search(agent)
        if found is not None:
            return _named(agent, found[0], kind, sure, why)
    if SDKS.search(agent):
        return _named(agent, agent[:40], Kind.SERVICE, 0.6, "a service's own client library")
    declared = _declared_bots().of(agent)
    if declared is not None:
        return declared
    library = LIBRARIES.search(agent)
    if library is not None:
        return _named(agent, library[0], Kind.SERVICE, 0.6, "an HTTP library")
    agent = agent.strip("\"' ")
    plain = NOT_BOTS.sub("", agent)
    found = _DECLARED.search(plain)
    if found is not None:
        return _named(plain, found[0], Kind.CRAWLER, 0.7, "says that it is a bot")
    if _OWN_ADDRESS.search(agent) and not _is_browser(agent):
        return _named(agent, agent[:40], Kind.CRAWLER, 0.6, "says where its maker can be asked")
    return _ordinary(agent)


def _ordinary(agent: str) -> Software:
    """A browser, an app, or a program that gives itself a name."""
    if agent.startswith(("Mozilla/", "Opera/")):
        product = next((name for mark, name in _BROWSERS if mark in agent), None)
        if product is not None:
            return Software(product, Kind.PERSON, 0.4, "a browser")
        return Software("browser", Kind.PERSON, 0.3, "a browser's form")
    found = _PRODUCT.match(agent)
    name = found[0].strip() if found else "unnamed software"
    if found is not None and _RUNTIMES.search(agent):  # also on a developer's Mac, which says Darwin
        return Software(name, Kind.SERVICE, 0.6, "a program that names what it runs on")
    if _APPS.search(agent):
        return Software(name, Kind.PERSON, 0.3, "an app on a person's device")
    if found is not None:
        return Software(name, Kind.SERVICE, 0.5, "a program's name")
    return Software(name, Kind.UNKNOWN, 0.2, "a form that nothing known has")


def _is_browser(agent: str) -> bool:
    return agent.startswith("Mozilla/") and any(mark in agent for mark, _ in _BROWSERS)


def _named(agent: str, found: str, kind: Kind, confidence: float, why: str) -> Software:
    return Software(_product(agent, found), kind, confidence, why)


def _product(agent: str, found: str) -> str:
    """The word of the user agent in which a name was found, or the name where it is several words."""
    bare = found.strip().strip("/;:()+").strip() or agent[:40]
    if " " in bare:
        return bare[:40]
    for word in re.split(r"[\s;,()+]+", agent):
        if bare.lower() in word.lower() and "://" not in word and "@" not in word:
            return word.partition("/")[0][:40] or bare[:40]
    return bare[:40]


class _DeclaredBots:
    """The patterns of `crawler-user-agents`, all asked at once, each with what its tags say."""

    def __init__(self, entries: Iterable[dict[str, object]]) -> None:
        options = re2.Options()
        options.log_errors = False
        options.max_mem = 64 << 20
        self._set = re2.Set.SearchSet(options)
        self._patterns: list[str] = []
        self._ranks: list[int] = []
        for entry in entries:
            pattern = str(entry["pattern"])
            if self._set.Add(pattern) == len(self._patterns):
                self._patterns.append(pattern)
                self._ranks.append(_rank(entry))
        self._set.Compile()

    def of(self, agent: str) -> Software | None:
        found = self._set.Match(agent)
        if not found:
            return None
        best = min(found, key=lambda at: (self._ranks[at], -len(self._patterns[at])))
        _, kind, sure, why = _TAGS[self._ranks[best]]
        match = re.search(self._patterns[best], agent)
        text = match[0] if match else ""
        if kind is Kind.SERVICE and TOOLS_THAT_CRAWL.search(text):
            kind, sure, why = Kind.CRAWLER, 0.7, "a known crawling library"
        return _named(agent, text, kind, sure, why)


def _rank(entry: dict[str, object]) -> int:
    tags = entry.get("tags")
    known = [at for at, one in enumerate(_TAGS) if isinstance(tags, list) and one[0] in tags]
    return min(known, default=len(_TAGS) - 3)


@cache
def _declared_bots() -> _DeclaredBots:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    return _DeclaredBots(CRAWLER_USER_AGENTS_DATA)
