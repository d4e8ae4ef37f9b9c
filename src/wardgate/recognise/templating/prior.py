"""The prior as a file: words of public API descriptions, and the trees that weigh evidence.

`prior.json.gz` is gzip over one JSON object: `format` (a number; others are refused), `made_of` (the package
and version of the descriptions), `without` (providers left out), `vocabulary` (`words`: word → five counts of
providers, see `vocabulary`; `pairs`, `parts`, `letters`, `names`, `data`, `beside`), `first`, `second` and
`third` (trees of the looks, see `judgement`).
`make template-prior` writes it.
"""

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO as _Bytes
from pathlib import Path
from typing import Any
from zlib import error as zlib_error

import msgspec

from wardgate.core.errors import WardgateError
from wardgate.recognise.templating.company import SECOND
from wardgate.recognise.templating.evidence import NAMES
from wardgate.recognise.templating.judgement import Trees
from wardgate.recognise.templating.vocabulary import Vocabulary, both_ways

FORMAT = 2
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Prior:
    """What was learned from public descriptions: words, and how to weigh evidence."""

    vocabulary: Vocabulary
    first: Trees
    second: Trees
    third: Trees
    made_of: str = ""
    without: tuple[str, ...] = ()


@cache
def shipped() -> Prior:
    """The prior that comes with the package."""
    return _read(files("wardgate.recognise.templating").joinpath("prior.json.gz").read_bytes(), "the prior")


def without_words(prior: Prior) -> Prior:
    """The same judgement, knowing no word."""
    return Prior(Vocabulary(), prior.first, prior.second, prior.third, prior.made_of, prior.without)


def load(path: Path) -> Prior:
    """A prior from a file. Raises `prior-unreadable`."""
    try:
        return _read(path.read_bytes(), str(path))
    except OSError as error:
        raise _unreadable(str(path)) from error


def dump(prior: Prior) -> bytes:
    """A prior as the bytes of its file; the same prior gives the same bytes."""
    words = prior.vocabulary
    plain = {
        "format": FORMAT,
        "made_of": prior.made_of,
        "without": sorted(prior.without),
        "vocabulary": {
            "words": {word: list(words.words[word]) for word in sorted(words.words)},
            "pairs": dict(sorted(words.pairs.items())),
            "parts": dict(sorted(words.parts.items())),
            "letters": dict(sorted(words.letters.items())),
            "names": dict(sorted(words.names.items())),
            "data": dict(sorted(words.data.items())),
            "beside": {
                first: dict(sorted((second, n) for second, n in found.items() if first < second))
                for first, found in sorted(words.beside.items())
            },
        },
        "first": prior.first.plain(),
        "second": prior.second.plain(),
        "third": prior.third.plain(),
    }
    return gzip.compress(msgspec.json.encode(plain), 9, mtime=0)


def _read(raw: bytes, name: str) -> Prior:
    try:
        with gzip.GzipFile(fileobj=_Bytes(raw)) as file:
            found: dict[str, Any] = msgspec.json.decode(file.read(_LARGEST))
        if found["format"] != FORMAT:
            raise _unreadable(name)
        words = found["vocabulary"]
        first, second, third = (Trees.of(found[name]) for name in ("first", "second", "third"))
        first.check(len(NAMES))
        second.check(len(NAMES) + len(SECOND))
        third.check(len(NAMES) + len(SECOND))
        return Prior(
            Vocabulary(
                {word: tuple(row) for word, row in words["words"].items()},
                words["pairs"],
                words["parts"],
                words["letters"],
                words["names"],
                words["data"],
                both_ways(words["beside"]),
            ),
            first,
            second,
            third,
            found["made_of"],
            tuple(found["without"]),
        )
    except (
        OSError,
        EOFError,
        zlib_error,
        msgspec.MsgspecError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise _unreadable(name) from error


def _unreadable(name: str) -> WardgateError:
    return WardgateError(
        "prior-unreadable",
        f"{name} is no prior of this version.",
        mend="Make one with `make template-prior`.",
    )
