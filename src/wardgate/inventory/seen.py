"""Which operations of which services were ever called, by name: what specifications are set beside.

Read from the mapping path → operation alone, not from rollups: what was called once was called, whatever
time is asked for. Found by the form of their templates as well, so that thousands of specifications find
their services without looking at every operation again.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from wardgate.inventory.names import plain_name, skeleton
from wardgate.inventory.scope import Scope, question
from wardgate.lake.store import Lake
from wardgate.recognise.protocols.grpc import Grpc, GrpcWeb
from wardgate.recognise.protocols.names import members


class Labelled(Protocol):
    """What an operation is called."""

    @property
    def method(self) -> str | None: ...
    @property
    def template(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    @property
    def operation(self) -> str | None: ...


class Called(NamedTuple):
    """One API operation that was called some time."""

    operation_id: int
    service: str
    protocol: str
    method: str | None
    template: str
    operation: str | None


class Seen:
    """Operations that were called, by service."""

    def __init__(
        self,
        by_service: Mapping[str, Sequence[Labelled]],
        files: Mapping[str, Sequence[Labelled]] | None = None,
    ) -> None:
        self.by_service = by_service
        self.files = files or {}
        """Files and pages. They tell no service, but what describes one of them is not unused."""

    @cached_property
    def hosts(self) -> dict[str, str]:
        """Service in lower case → service."""
        return {one.lower(): one for one in sorted(self.by_service, reverse=True)}

    @cached_property
    def _services(self) -> dict[tuple[str, str], set[str]]:
        out: dict[tuple[str, str], set[str]] = {}
        for service, operations in self.by_service.items():
            for one in operations:
                keys = [key_of(one.protocol, one.template, None)]
                keys += names_of(one.protocol, one.operation) if one.operation is not None else []
                for key in keys:
                    out.setdefault(key, set()).add(service)
        return out

    def like(self, keys: Iterable[tuple[str, str]]) -> set[str]:
        """The services that have an operation under one of these keys."""
        out: set[str] = set()
        for one in keys:
            out |= self._services.get(one, set())
        return out


def key_of(protocol: str, template: str, name: str | None) -> tuple[str, str]:
    """What an operation is found by: its name where it has one, else the form of its template."""
    if name is not None:
        return protocol, plain_name(name)
    return "", skeleton(template.rstrip("/") or "/")


def names_of(protocol: str, operation: str) -> list[tuple[str, str]]:
    """(protocol, name) of all that one call asked for: a batch, or several fields of GraphQL.

    A method is the same whether it is called by gRPC or gRPC-Web.
    """
    protocol = Grpc.name if protocol == GrpcWeb.name else protocol
    return [(protocol, plain_name(one)) for one in members(operation)]


def seen(lake: Lake) -> Seen:
    """Everything that was ever called, files and pages apart."""
    names = ", ".join(f'"{one}"' for one in Called._fields)
    found = question(Scope()).tuples(
        lake,
        f'SELECT {names}, "static" FROM labels SEMI JOIN known USING (operation_id) '
        'ORDER BY service, "template", method, operation, operation_id',
    )
    by_service: dict[str, list[Called]] = {}
    files: dict[str, list[Called]] = {}
    for *row, is_file in found:
        (files if is_file else by_service).setdefault(row[1], []).append(Called._make(row))
    return Seen(by_service, files)
