"""Other documents that an OpenAPI document refers to, put into it: only where a person allowed it.

Each is asked for once, by the URL that its reference means beside the document it stands in, and lands under
`x-wardgate-documents`; references are then written anew, so that whatever reads the document afterwards needs
no other. How a URL becomes bytes is handed in. Everything is bounded: how many documents, how large in all,
how long in all. What cannot be had stays a reference to another document, is told with the place of its first
reference, and keeps nothing else from being read.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.document import parse
from wardgate.inventory.specifications.notes import Notes, Pointer, below, written

HELD = "x-wardgate-documents"
MOST_DOCUMENTS = 50
MOST_BYTES = 64 << 20
MOST_SECONDS = 60.0

Get = Callable[[str], tuple[str, bytes]]
"""From an absolute URL to the URL that it led to in the end, and what was there. Raises `WardgateError`."""


@dataclass(frozen=True, slots=True)
class Unfetched:
    """A document that could not be had: why, and where it is first referred to. Never its URL."""

    code: str
    place: str
    message: str


@dataclass(slots=True)
class OtherDocuments:
    """Gets what one document refers to. `base` is the URL or the path that it came from itself."""

    base: str
    get: Get
    most_documents: int = MOST_DOCUMENTS
    most_bytes: int = MOST_BYTES
    most_seconds: float = MOST_SECONDS
    clock: Callable[[], float] = time.monotonic
    unfetched: list[Unfetched] = field(default_factory=list)
    fetched: list[bytes] = field(default_factory=list)
    """What was had, in order."""

    def put_into(self, document: dict[str, Any]) -> None:
        """Put every document that is referred to, however far from here, into this one."""
        ends = self.clock() + self.most_seconds
        home, _ = urldefrag(self.base)
        places: dict[str, str | None] = {home: "#"}
        held: list[Any] = []
        waiting: list[tuple[Any, str, str]] = [(document, home, "#")]
        seen: set[int] = set()
        while waiting:
            root, base, prefix = waiting.pop(0)
            for one, pointer in _references(root, prefix, seen):
                target, fragment = urldefrag(one["$ref"])
                url = urljoin(base, target) if target else base
                if url not in places:
                    came = self._had(url, pointer, ends)
                    places[url] = None
                    if came is not None:
                        final, value = came
                        at = f"#/{HELD}/{len(held)}"
                        places[url] = places[final] = at
                        held.append(value)
                        waiting.append((value, final, at))
                if (place := places[url]) is not None and fragment[:1] in ("", "/"):  # an anchor is no place
                    one["$ref"] = place + fragment
        if held:
            document[HELD] = held

    def _had(self, url: str, pointer: Pointer, ends: float) -> tuple[str, Any] | None:
        """A document and the URL it came from in the end; None, and told, where it cannot be had."""
        try:
            if len(self.fetched) >= self.most_documents:
                raise WardgateError(
                    "reference-too-many", f"it refers to more than {self.most_documents} other documents."
                )
            if self.clock() >= ends:
                raise WardgateError(
                    "reference-too-slow", f"other documents took more than {self.most_seconds:g} s."
                )
            final, content = self.get(url)
            if len(content) + sum(map(len, self.fetched)) > self.most_bytes:
                raise WardgateError(
                    "reference-too-large", f"other documents hold more than {self.most_bytes:,} bytes."
                )
            self.fetched.append(content)
            return final, parse(content, Notes(), name=_name(final))
        except WardgateError as error:
            self.unfetched.append(Unfetched(error.code, written(pointer), error.message))
            return None


def _name(url: str) -> str:
    path, _, _ = urldefrag(url)[0].partition("?")
    return path.rpartition("/")[2]


def _references(root: Any, prefix: str, seen: set[int]) -> Iterator[tuple[dict[str, Any], Pointer]]:
    """Every object with a `$ref` in a document, with its place; each once, though YAML may share it."""
    waiting: list[tuple[Any, Pointer]] = [(root, prefix)]
    while waiting:
        value, pointer = waiting.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, list):
            waiting += [(one, below(pointer, at)) for at, one in enumerate(value)]
            continue
        waiting += [(one, below(pointer, name)) for name, one in value.items()]
        if isinstance(value.get("$ref"), str):
            yield value, below(pointer, "$ref")
