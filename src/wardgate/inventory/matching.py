"""Which service a specification describes, and which of its operations an observed one is.

A service is told by host first: servers' URLs with their variables filled in, or left open where they may be
anything. Where a specification names no host, or none that was seen, its templates decide. The base path that
fits the most observed operations is taken, because gateways strip it before some vantages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from wardgate.inventory.names import VARIABLE, plain_name, skeleton
from wardgate.inventory.seen import Labelled, Seen, key_of, names_of
from wardgate.inventory.specifications.form import Outline, Outlined, Server
from wardgate.recognise.protocols.grpc import Grpc
from wardgate.recognise.templating.settled import Table

Op = TypeVar("Op", bound=Outlined)

MOST_VALUES = 50
"""Values of one variable that are tried."""
MOST_FORMS = 200
FEWEST = 3
"""Described operations that must be seen before templates alone tell a service."""
SHARE = 0.5
"""Share of a service's operations that must be described, likewise."""
_DEFAULT_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}
ANY = "\0"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a specification's operations are: a host (a pattern; None: not said) and a base path."""

    host: re.Pattern[str] | None
    base: str
    open: bool = False
    """Whether a variable of the host may be anything."""
    name: str = ""
    """The host where it is but one."""


@dataclass(frozen=True, slots=True)
class ServiceMatch:
    """A service that a specification describes, under which base path, and why that is believed."""

    service: str
    base: str
    why: str
    """`named`, `host`, `host-variable` or `templates`."""
    confidence: float
    hits: int
    """Observed operations that the specification describes."""
    lookup: "Described[Outlined] | None" = field(default=None, compare=False, repr=False)


def places(servers: Iterable[Server]) -> list[Place]:
    """Every place that servers stand for."""
    out: dict[tuple[str, str], Place] = {}
    for server in servers:
        for url in _filled(server):
            made = _place(url)
            out.setdefault((made.host.pattern if made.host else "", made.base), made)
    return list(out.values())


def _filled(server: Server) -> list[str]:
    """Its URL with every combination of its variables' values, bounded; `ANY` where any will do."""
    forms = [server.url]
    known = {one.name: one for one in server.variables}
    for name in dict.fromkeys(VARIABLE.findall(server.url)):
        variable = known.get(name)
        values = list(variable.values[:MOST_VALUES]) if variable and variable.values else []
        if not values:
            values = [ANY, *([variable.default] if variable and variable.default else [])]
        forms = [form.replace(f"{{{name}}}", value) for form in forms for value in values][:MOST_FORMS]
    return forms


def _place(url: str) -> Place:
    try:
        parts = urlsplit(url)
        host, scheme, path = parts.netloc.rpartition("@")[2].lower(), parts.scheme, parts.path
    except ValueError:
        host, scheme, path = "", "", ""
    if not scheme and not host and not path.startswith("/"):
        path = f"/{path}"
    host = host.removesuffix(_DEFAULT_PORTS.get(scheme, ":443"))
    base = path.rstrip("/").replace(ANY, "{any}")
    if not host:
        return Place(None, base)
    pattern = re.escape(host).replace(re.escape(ANY), r"[^/]+")
    is_open = ANY in host
    return Place(re.compile(rf"{pattern}\Z"), base, is_open, "" if is_open else host)


class Described(Generic[Op]):
    """The operations of a specification under one base path, found by what was observed."""

    def __init__(self, operations: Iterable[Op], base: str = "") -> None:
        self._by_name: dict[tuple[str, str], Op] = {}
        self._by_path: dict[str, dict[str, Op]] = {}
        full: dict[str, str] = {}
        for one in operations:
            if one.name is not None:
                self._by_name.setdefault((one.protocol, plain_name(one.name)), one)
                if one.protocol != Grpc.name:
                    continue  # many operations under one path
            path = _path_of(one.template) if one.name is not None else base + _path_of(one.template)
            key = skeleton(path)
            full.setdefault(path.rstrip("/") or "/", key)
            self._by_path.setdefault(key, {}).setdefault(one.method or "", one)
        self._named = {protocol for protocol, _ in self._by_name}
        self._keys = full
        self._met: dict[str, dict[str, Op] | None] = {}

    @cached_property
    def _table(self) -> Table:
        return Table(self._keys)

    def of(self, observed: Labelled) -> Op | None:
        """The described operation that an observed one is.

        A template's parameters may be called differently, and a value that was not recognised as one is
        settled by the specification. `HEAD` is described with `GET`, as HTTP has it. Where the specification
        names operations of that protocol, the name decides: of several in one call, all must be described.
        Where it does not, it may still describe the path under which they all are.
        """
        if observed.operation is not None:
            keys = names_of(observed.protocol, observed.operation)
            named = [self._by_name.get(one) for one in keys]
            if all(one is not None for one in named):
                return named[0]
            if keys[0][0] in self._named and keys[0][0] != Grpc.name:
                return None
        methods = self._at(observed.template)
        if methods is None:
            return None
        if observed.method is None:
            return next(iter(methods.values()))
        method = observed.method.upper()
        found = methods.get(method) or methods.get("")
        return methods.get("GET") if found is None and method == "HEAD" else found

    def covers_preflight(self, observed: Labelled) -> bool:
        """Whether an observed `OPTIONS` is a preflight for something that is described."""
        return (observed.method or "").upper() == "OPTIONS" and self._at(observed.template) is not None

    def _at(self, template: str) -> dict[str, Op] | None:
        """The methods under a template. Kept, because one operation is asked for several times."""
        if template not in self._met:
            self._met[template] = self._looked_up(template)
        return self._met[template]

    def _looked_up(self, template: str) -> dict[str, Op] | None:
        path = template.rstrip("/") or "/"
        key = skeleton(path)
        exact = self._by_path.get(key) or self._by_path.get(key + "/")
        if exact is not None:
            return exact
        found = self._table.match(path.split("/")[1:])
        return None if found is None else self._by_path[self._keys[found]]


def _path_of(template: str) -> str:
    """Without the query or fragment that some descriptions tell operations apart by."""
    return re.split(r"[?#]", template, maxsplit=1)[0] or "/"


def operations_at(specification: Outline, operations: tuple[Op, ...], service: str) -> tuple[Op, ...]:
    """Those of a specification's operations that may be at a service: not those it has on other hosts."""
    if not any(one.servers for one in operations):
        return operations
    host = service.lower()
    own = [one.host for one in places(specification.servers) if one.host is not None]
    if not any(one.match(host) for one in own):
        return operations  # told by its templates: hosts say nothing here
    elsewhere: dict[tuple[Server, ...], bool] = {}
    for one in operations:
        if one.servers not in elsewhere:
            hosts = [each.host for each in places(one.servers)]
            elsewhere[one.servers] = bool(hosts) and not any(
                each is None or each.match(host) for each in hosts
            )
    return tuple(one for one in operations if not elsewhere[one.servers])


def described_services(specification: Outline, called: Seen, named: str | None = None) -> list[ServiceMatch]:
    """The services that a specification describes, the surest first; with `named`, that one alone."""
    found_places = places(specification.servers)
    bases = list(dict.fromkeys([*(one.base for one in found_places), ""]))
    described: dict[str, Described[Outlined]] = {}

    def best(candidates: Iterable[str], operations: Sequence[Labelled]) -> tuple[str, int]:
        for base in candidates:
            if base not in described:
                described[base] = Described(specification.operations, base)
        return _best({base: described[base] for base in candidates}, operations)

    if named is not None:
        base, hits = best(bases, called.by_service.get(named, ()))
        return [ServiceMatch(named, base, "named", 1.0, hits, described[base])]
    out = []
    for service, at in _hosted(found_places, called).items():
        base, hits = best(list(dict.fromkeys(one.base for one in at)), called.by_service[service])
        sure = any(not one.open for one in at)
        why, confidence = ("host", 1.0) if sure else ("host-variable", 0.9)
        out.append(ServiceMatch(service, base, why, confidence, hits, described[base]))
    if not out:
        keys = {key for base in bases for one in specification.operations for key in _keys(base, one)}
        for service in sorted(called.like(keys)):
            operations = called.by_service[service]
            base, hits = best(bases, operations)
            share = hits / len(operations)
            if hits >= FEWEST and share >= SHARE:
                confidence = round(0.8 * share, 2)
                out.append(ServiceMatch(service, base, "templates", confidence, hits, described[base]))
    surest = max((one.confidence for one in out), default=0.0)
    return sorted(out, key=lambda one: (one.confidence != surest, -one.hits, one.service))


def _hosted(found: list[Place], called: Seen) -> dict[str, list[Place]]:
    """Service → the places that are its host."""
    out: dict[str, list[Place]] = {}
    for one in found:
        if one.name:
            services = [called.hosts[one.name]] if one.name in called.hosts else []
        elif one.host is not None:
            services = [service for host, service in called.hosts.items() if one.host.match(host)]
        else:
            services = []
        for service in services:
            out.setdefault(service, []).append(one)
    return out


def _keys(base: str, one: Outlined) -> list[tuple[str, str]]:
    path = _path_of(one.template)
    if one.name is None:
        return [key_of(one.protocol, base + path, None)]
    by_name = key_of(one.protocol, path, one.name)
    return [by_name, key_of(one.protocol, path, None)] if one.protocol == Grpc.name else [by_name]


def _best(described: Mapping[str, Described[Outlined]], operations: Sequence[Labelled]) -> tuple[str, int]:
    """The base path under which the most operations are described; the first of equals."""
    hits = {base: sum(one.of(each) is not None for each in operations) for base, one in described.items()}
    best = max(hits, key=lambda base: hits[base])
    return best, hits[best]
