"""Names that callers send: made readable, bounded, and without a secret, before anything keeps them.

An operation's name is chosen by whoever calls: it may hold a secret, be a megabyte long, or be a new one each
time. Names are put together of parts; a part that looks like a secret becomes a keyed token. A service keeps
`MOST_NAMES` names of one protocol that it answered without an error, and `MOST_UNPROVEN` others; what comes
after them is counted under `(other)`, so that a scan shows as what it is and does not bury the inventory.
"""

import re
from collections.abc import Iterable

from wardgate.match.secrets import secret_kind
from wardgate.recognise.tokens import Tokens

MOST_NAMES = 2_000
"""Names of one service and protocol, while a process runs."""
MOST_UNPROVEN = 200
"""Of them, those that were never answered without an error."""
MOST_CHARACTERS = 160
MOST_LISTED = 8
"""Members of a batch, or fields of a document, that a name lists."""
OTHER = "(other)"
MORE = "(more)"
"""Stands for the members of a batch, or the fields of a document, past those that are listed."""
_MOST_SERVICES = 10_000
_PART = re.compile(r"[^\s/.:,;#()\[\]{}|]+")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_LOGIN = re.compile(r"//[^/\s@]*@")
_HIDDEN = re.compile(r"[^\x20-\x7e\xa1-\u2027\u2030-\ufffd]")


def clean(name: str, tokens: Tokens) -> str:
    """A name as it may be shown and kept: one line, bounded, secrets masked."""
    cut = len(name) > MOST_CHARACTERS
    name = _PART.sub(lambda found: _part(found[0], tokens), name[: 4 * MOST_CHARACTERS])
    name = _LOGIN.sub("//", name)
    if "=" in name or ":" in name:  # `password=…` says what it is by its name
        name = "/".join(map(tokens.masked, name.split("/")))
    name = _HIDDEN.sub("·", " ".join(name.split()))
    return f"{name[: MOST_CHARACTERS - 1]}…" if len(name) > MOST_CHARACTERS or cut else name


def _part(part: str, tokens: Tokens) -> str:
    if len(part) < 12:
        return part
    kind = secret_kind(part)
    if kind is None or (kind == "opaque" and _is_wordy(part)):
        return part
    return tokens.of(kind, part)


def _is_wordy(part: str) -> bool:
    """`CreateOAuth2TokenV2`: words with vowels, and few digits, which random text hardly ever has.

    One random text of 20 characters in a hundred passes for words, fewer of longer ones.
    """
    if (part.islower() or part.isupper()) and "_" not in part and "-" not in part:
        return False  # nothing shows where its words would end
    words = _WORDS.findall(part)
    letters = [one for one in words if not one.isdigit()]
    digits = len(words) - len(letters)
    if not letters or digits > 3 or sum(map(len, words)) - sum(map(len, letters)) > 0.15 * len(part):
        return False
    return sum(map(len, letters)) >= 3 * len(letters) and all(
        _VOWEL.search(one) for one in letters if len(one) > 2
    )


def listed(names: Iterable[str], *, cut: bool = False) -> str:
    """The name of several at once: one alone stands for itself, several as `[a, b]`, sorted, each once."""
    found = sorted(set(names))
    more = cut or len(found) > MOST_LISTED
    if len(found) == 1 and not more:
        return found[0]
    return f"[{', '.join([*found[:MOST_LISTED], *([MORE] if more else [])])}]"


def members(name: str) -> list[str]:
    """The names that `listed` put together, and fields of GraphQL each for itself: `query a b` is two.

    Those past what is listed are not known.
    """
    out: list[str] = []
    inner = name[1:-1].split(", ") if name.startswith("[") and name.endswith("]") else [name]
    for one in inner:
        if one == MORE:
            continue
        kind, *fields = one.removesuffix(f" {MORE}").split(" ")
        out += [f"{kind} {each}" for each in fields] if kind in GRAPHQL_TYPES and fields else [one]
    return out


GRAPHQL_TYPES = ("query", "mutation", "subscription")


class Names:
    """Which names are kept, for a process: the first of each service and protocol, bounded."""

    def __init__(self, most: int = MOST_NAMES, most_unproven: int = MOST_UNPROVEN) -> None:
        self._most = most
        self._most_unproven = most_unproven
        self._proven: dict[tuple[str, str], set[str]] = {}
        self._unproven: dict[tuple[str, str], set[str]] = {}

    def kept(self, service: str, protocol: str, name: str, *, answered: bool) -> str:
        """The name, or the one under which everything past the bounds is counted."""
        place = (service, protocol)
        if len(self._proven) > _MOST_SERVICES or len(self._unproven) > _MOST_SERVICES:
            self._proven.clear()
            self._unproven.clear()
        proven = self._proven.setdefault(place, set())
        if name in proven:
            return name
        unproven = self._unproven.setdefault(place, set())
        if answered and len(proven) < self._most:
            unproven.discard(name)
            proven.add(name)
            return name
        if name in unproven:
            return name
        if len(unproven) < self._most_unproven:
            unproven.add(name)
            return name
        return other(name)


def other(name: str) -> str:
    """`tools/call x` → `tools/call (other)`; what has no such beginning is `(other)`."""
    first, space, _ = name.partition(" ")
    return f"{first} {OTHER}" if space and not first.startswith("[") else OTHER
