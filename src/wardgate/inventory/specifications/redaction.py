"""Secrets of well-known services that somebody wrote into a path or a server's URL are taken out.

Only what is plainly one: `opaque` and hexadecimal texts may be constants, and stay.
"""

from functools import lru_cache

from msgspec.structs import replace

from wardgate.inventory.specifications.form import Operation, Server, Specification
from wardgate.match.secrets import secret_kind

SHORTEST = 12
_ORDINARY = frozenset(("opaque", "hex"))


def without_secrets(specification: Specification) -> Specification:
    """The specification; the same object where it holds none."""
    operations = tuple(_operation(one) for one in specification.operations)
    servers = tuple(_server(one) for one in specification.servers)
    same = all(new is old for new, old in zip(operations, specification.operations, strict=True))
    if same and servers == specification.servers:
        return specification
    distinct = {one.key: one for one in operations}
    ordered = tuple(distinct[key] for key in sorted(distinct))
    return replace(specification, operations=ordered, servers=servers)


def _operation(one: Operation) -> Operation:
    template = plain_path(one.template)
    servers = tuple(_server(each) for each in one.servers)
    if template == one.template and servers == one.servers:
        return one
    return replace(one, template=template, servers=servers)


def _server(one: Server) -> Server:
    url = plain_path(one.url)
    return one if url == one.url else replace(one, url=url)


def plain_path(path: str) -> str:
    """A path or URL whose known secrets are gone, segment by segment."""
    if len(path) < SHORTEST:
        return path
    return "/".join(_segment(one) if len(one) >= SHORTEST else one for one in path.split("/"))


@lru_cache(maxsize=20_000)
def _segment(segment: str) -> str:
    if "{" in segment:
        return segment
    kind = secret_kind(segment)
    return segment if kind is None or kind in _ORDINARY else f"~{kind}{len(segment)}"
