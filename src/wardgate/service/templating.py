"""`wardgate template`: templates of one file's calls, learned from nothing but that file.

Reads whatever ingestion reads, and plain lists: one `METHOD URL`, URL or path a line. Nothing is kept. Known
secrets in paths become tokens; what merely looks random stays, because here it is what is asked about.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from wardgate.match.secrets import secret_kind
from wardgate.recognise.targets import LONGEST, SEMICOLON
from wardgate.recognise.templating.bodies import read_answer, read_body
from wardgate.recognise.templating.labelling import Label, Labeller
from wardgate.recognise.templating.learner import learn
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.settled import Settled
from wardgate.recognise.templating.trie import Trie
from wardgate.service.ingest import parts
from wardgate.service.opening import Reading, open_afresh
from wardgate.sources.files import Input

_LINE = re.compile(rb"(?:(?P<method>[A-Z]{3,16}) +)?(?P<target>(?:https?://|/)[^\s\"<>]*)\r?\Z")
_TARGET = re.compile(r"(?:(?P<scheme>https?|wss?)://(?P<host>[^/?#]*))?(?P<path>/[^?#]*)?", re.IGNORECASE)
_SAMPLE = 20
_LOOK = 1 << 16
_ORDINARY = {"opaque", "hex"}
_BEGINNINGS = frozenset(
    "ey sk pk rk gh gi gl xo xa AK AS AB AC AI ya GO SG np hf dc pu rp nf tv li AT py do sh wh hv sq ke "
    "AG --".split()
)
"""How the known secrets begin (`match.secrets`); the rest need no closer look."""
_DEFAULT = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}


@dataclass(slots=True)
class Service:
    """The distinct calls of one host, and what its bodies hold."""

    trie: Trie = field(default_factory=Trie)
    seen: dict[tuple[str | None, str], None] = field(default_factory=dict)
    bodies: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Templated:
    """One distinct (method, host, path) and its label."""

    method: str | None
    host: str | None
    path: str
    label: Label


class Templating:
    """Collects calls by host and labels them. Add everything first; then `labels`, in sorted order."""

    def __init__(self, prior: Prior, settled: Settled | None = None) -> None:
        self._prior = prior
        self._settled = settled
        self.services: dict[str | None, Service] = {}

    def add(
        self,
        method: str | None,
        host: str | None,
        path: str,
        status: int | None = None,
        request: bytes | None = None,
        response: bytes | None = None,
    ) -> None:
        """One call. `path` has no query."""
        service = self.services.get(host)
        if service is None:
            service = self.services[host] = Service()
        path = shown(path)
        service.seen[method, path] = None
        shapes: tuple[int, ...] = ()
        if response:
            if status is None or status < 400:
                shapes = read_answer(response, service.bodies, path)
            else:
                read_body(response, service.bodies)
        if request:
            read_body(request, service.bodies)
        service.trie.add(path, method, status, shapes)

    def labels(self) -> Iterator[Templated]:
        """Every distinct call with its label."""
        for host in sorted(self.services, key=lambda one: (one is not None, one or "")):
            service = self.services[host]
            labeller = Labeller(learn(service.trie, self._prior, service.bodies), self._settled)
            of_path: dict[str, Label] = {}
            for method, path in sorted(service.seen, key=lambda one: (one[1], one[0] or "")):
                label = of_path.get(path)
                if label is None:
                    label = of_path[path] = labeller.of(path)
                yield Templated(method, host, path, label)


def read_calls(one: Input, reading: Reading, into: Templating) -> None:
    """Add every call of an input. Raises `input-…` or `format-…`."""
    if reading.format == "paths" or (reading.format == "auto" and one.path is not None):
        with one.open() as stream:
            head = stream.read(_LOOK)
            if reading.format == "paths" or is_list(head):
                _read_list(head, stream, into)
                return
    opened = open_afresh(one, reading)
    with opened.stream:
        for parsed, _ in parts(opened, reading.options, chunk=1 << 20):
            _add_table(parsed.table, into)


def is_list(head: bytes) -> bool:
    """Whether a file begins as a plain list of paths or `METHOD URL` lines."""
    lines = [one.strip() for one in head.split(b"\n")[:_SAMPLE] if one.strip()]
    return bool(lines) and all(_LINE.match(one) for one in lines)


def _read_list(head: bytes, stream: object, into: Templating) -> None:
    rest = head
    while True:
        lines = rest.split(b"\n")
        more: bytes = stream.read(1 << 20)  # type: ignore[attr-defined]
        rest = lines.pop() if more else b""
        for line in lines:
            found = _LINE.match(line.strip())
            if found is not None:
                target = found["target"].decode("utf-8", "replace")[: 2 * LONGEST]
                into.add(found["method"].decode() if found["method"] else None, *_split(target, None))
        if not more:
            return
        rest += more


def _add_table(table: pa.Table, into: Templating) -> None:
    names = ("method", "target", "host", "status", "request_body", "response_body")
    there = [name for name in names if name in table.column_names]
    for batch in table.select(there).to_batches(10_000):
        columns = {name: batch.column(name).to_pylist() for name in there}
        empty = [None] * batch.num_rows
        for method, target, host, status, request, response in zip(
            *(columns.get(name, empty) for name in names), strict=True
        ):
            if target is not None:
                into.add(method, *_split(target, host), status, request, response)


def _split(target: str, host: str | None) -> tuple[str | None, str]:
    """Host (lower case, with an unusual port) and path of a target."""
    found = _TARGET.match(target)
    if found is None:
        return host, "/"
    if found["host"]:
        host = found["host"].rpartition("@")[2].lower()
        host = host.removesuffix(_DEFAULT.get((found["scheme"] or "").lower(), ":443"))
    return host.lower() if host else None, found["path"] or "/"


def shown(path: str) -> str:
    """A path as it may be shown: known secrets and matrix parameters that name one are gone."""
    if len(path) > LONGEST:
        path = path[:LONGEST].rpartition("/")[0] or "/"
    if len(path) < 12:
        return path
    segments = path.split("/")
    for at, segment in enumerate(segments):
        if len(segment) >= 12 and segment[:2] in _BEGINNINGS:
            kind = secret_kind(segment)
            if kind is not None and kind not in _ORDINARY:
                segments[at] = f"~{kind}{len(segment)}"
        if ";" in segment:
            segments[at] = SEMICOLON.sub(_without_secret, segments[at])
    return "/".join(segments)


def _without_secret(found: re.Match[str]) -> str:
    from wardgate.match.secrets import is_secret_name

    return f";{found[1]}=~secret{len(found[2])}" if is_secret_name(found[1]) else found[0]
