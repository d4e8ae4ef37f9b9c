"""Which service a specification describes, and which of its operations an observed one is.

A service is told by host first: servers' URLs with their variables filled in, or left open where they may be
anything. Where a specification names no host, or none that was seen, its templates decide. The base path that
fits the most observed operations is taken, because gateways strip it before some vantages.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from wardgate.inventory.observed import Observed
from wardgate.inventory.specifications.form import Operation, Server, Specification
from wardgate.recognise.templating.settled import Table

MOST_VALUES = 50
"""Values of one variable that are tried."""
MOST_FORMS = 200
FEWEST = 3
"""Described operations that must be seen before templates alone tell a service."""
SHARE = 0.5
"""Share of a service's operations that must be described, likewise."""
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_DEFAULT_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443"}
ANY = "\0"
_ROOT = re.compile(r"(Query|Mutation|Subscription)\.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a specification's operations are: a host (a pattern; None: not said) and a base path."""

    host: re.Pattern[str] | None
    base: str
    open: bool = False
    """Whether a variable of the host may be anything."""


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
    for name in dict.fromkeys(_VARIABLE.findall(server.url)):
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
    return Place(re.compile(rf"{pattern}\Z"), base, ANY in host)


class Described:
    """The operations of a specification under one base path, found by what was observed."""

    def __init__(self, operations: Iterable[Operation], base: str = "") -> None:
        self._by_name: dict[tuple[str, str], Operation] = {}
        self._by_path: dict[str, dict[str, Operation]] = {}
        full: dict[str, str] = {}
        for one in operations:
            if one.name is not None:
                self._by_name.setdefault((one.protocol, _plain_name(one.name)), one)
                if one.protocol != "grpc":
                    continue  # many operations under one path
            path = _path_of(one.template) if one.name is not None else base + _path_of(one.template)
            key = skeleton(path)
            full.setdefault(path.rstrip("/") or "/", key)
            self._by_path.setdefault(key, {}).setdefault(one.method or "", one)
        self._keys = full
        self._table = Table(full)

    def of(self, observed: Observed) -> Operation | None:
        """The described operation that an observed one is.

        A template's parameters may be called differently, and a value that was not recognised as one is
        settled by the specification. `HEAD` is described with `GET`, as HTTP has it.
        """
        if observed.operation is not None:
            named = self._by_name.get((observed.protocol, _plain_name(observed.operation)))
            if named is not None or observed.protocol != "grpc":
                return named
        methods = self._at(observed.template)
        if methods is None:
            return None
        if observed.method is None:
            return next(iter(methods.values()))
        method = observed.method.upper()
        found = methods.get(method) or methods.get("")
        return methods.get("GET") if found is None and method == "HEAD" else found

    def covers_preflight(self, observed: Observed) -> bool:
        """Whether an observed `OPTIONS` is a preflight for something that is described."""
        return (observed.method or "").upper() == "OPTIONS" and self._at(observed.template) is not None

    def _at(self, template: str) -> dict[str, Operation] | None:
        path = template.rstrip("/") or "/"
        exact = self._by_path.get(skeleton(path)) or self._by_path.get(skeleton(path) + "/")
        if exact is not None:
            return exact
        found = self._table.match(path.split("/")[1:])
        return None if found is None else self._by_path[self._keys[found]]


def _plain_name(name: str) -> str:
    """The name of an operation, however its parts are joined: `Query.user` is `query user`."""
    first, *rest = re.split(r"[^\w.]+", _ROOT.sub(r"\1 ", name.strip(" /")))
    return " ".join([first if "." in first else first.lower(), *rest])


def skeleton(template: str) -> str:
    """A template without the names of its parameters."""
    return _VARIABLE.sub("{}", template)


def _path_of(template: str) -> str:
    """Without the query or fragment that some descriptions tell operations apart by."""
    return re.split(r"[?#]", template, maxsplit=1)[0] or "/"


def operations_at(specification: Specification, service: str) -> tuple[Operation, ...]:
    """The operations of a specification that may be at a service: not those it has on other hosts."""
    if not any(one.servers for one in specification.operations):
        return specification.operations
    host = service.lower()
    own = [one.host for one in places(specification.servers) if one.host is not None]
    if not any(one.match(host) for one in own):
        return specification.operations  # told by its templates: hosts say nothing here
    elsewhere: dict[tuple[Server, ...], bool] = {}
    for one in specification.operations:
        if one.servers not in elsewhere:
            hosts = [each.host for each in places(one.servers)]
            elsewhere[one.servers] = bool(hosts) and not any(
                each is None or each.match(host) for each in hosts
            )
    return tuple(one for one in specification.operations if not elsewhere[one.servers])


def described_services(
    specification: Specification,
    observed: Mapping[str, Sequence[Observed]],
    named: str | None = None,
) -> list[ServiceMatch]:
    """The services that a specification describes, the surest first; with `named`, that one alone.

    `observed` has the operations of every service, by its name.
    """
    found_places = places(specification.servers)
    bases = list(dict.fromkeys([*(one.base for one in found_places), ""]))
    described = {base: Described(specification.operations, base) for base in bases}
    if named is not None:
        base, hits = _best(described, observed.get(named, ()))
        return [ServiceMatch(named, base, "named", 1.0, hits)]
    out = []
    for service, operations in observed.items():
        host = service.lower()
        at = [one for one in found_places if one.host is not None and one.host.match(host)]
        candidates = {one.base: described[one.base] for one in at} or described
        base, hits = _best(candidates, operations)
        if at:
            sure = any(not one.open for one in at)
            out.append(
                ServiceMatch(service, base, "host" if sure else "host-variable", 1.0 if sure else 0.9, hits)
            )
            continue
        share = hits / len(operations) if operations else 0.0
        if hits >= FEWEST and share >= SHARE:
            out.append(ServiceMatch(service, base, "templates", round(0.8 * share, 2), hits))
    surest = max((one.confidence for one in out), default=0.0)
    by_host = [one for one in out if one.why != "templates"]
    return sorted(by_host or out, key=lambda one: (one.confidence != surest, -one.hits, one.service))


def _best(described: Mapping[str, Described], operations: Sequence[Observed]) -> tuple[str, int]:
    """The base path under which the most operations are described; the first of equals."""
    hits = {base: sum(one.of(each) is not None for each in operations) for base, one in described.items()}
    best = max(hits, key=lambda base: hits[base])
    return best, hits[best]
