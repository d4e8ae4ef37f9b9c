"""`wardgate operations schema`: what stands in the bodies of one operation."""

from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import count, emit_json, say

if TYPE_CHECKING:
    from wardgate.inventory.body_schemas import BodySchema


@click.command()
@click.argument("operation")
@click.option("--service", metavar="NAME", help="The service, where several have such an operation.")
@click.option("--json", "as_json", is_flag=True, help="JSON Schemas in one JSON object.")
@pass_installation
def schema(installation: Installation, /, operation: str, service: str | None, as_json: bool) -> None:
    """Show the schemas of OPERATION's bodies: an id, or as it is written, 'GET /v1/orders/{id}'.

    They are inferred from the bodies that were seen, for requests and for each status of responses: types,
    formats, which fields are always there, enumerations, null. No value of a body is kept but the words of
    enumerations.
    """
    from wardgate.core.clock import system_clock
    from wardgate.inventory.body_schemas import body_schemas
    from wardgate.inventory.scope import Scope
    from wardgate.inventory.seen import Called
    from wardgate.service import given as people
    from wardgate.service.one_operation import meant
    from wardgate.service.standings import Standings

    home, url, rules = installation.home, installation.state_url, installation.owner_rules
    with people.opened(home, url, system_clock, rules) as knowledge, installation.lake() as lake:
        found = meant(Standings(lake, knowledge), operation, service)
        one = found.one
        ids = (one.operation_id,) if isinstance(one, Called) else ()
        schemas = body_schemas(lake, Scope(operation_ids=ids))
    if as_json:
        named = {"service": found.service, "method": one.method, "template": one.template}
        emit_json({**named, "operation": one.operation, "schemas": [_row(each) for each in schemas]})
        return
    say(" ".join(part for part in (found.service, one.method, one.template, one.operation) if part))
    if not schemas:
        say("No body with structure was seen; a source must show bodies (HAR, JSON Lines, mitmproxy, pcap).")
    for each in schemas:
        of = f"response {each.status or ''}".strip() if each.direction == "response" else "request"
        cut = ", with places left out, being too many" if each.is_cut else ""
        say("")
        say(f"{of}, {each.media_type}, {count(each.bodies)} bodies{cut}")
        for line in _lines(each.json_schema(), "body", True, 1):
            say(line)


def _row(one: "BodySchema") -> dict[str, Any]:
    return {
        "direction": one.direction,
        "status": one.status or None,
        "media_type": one.media_type,
        "bodies": one.bodies,
        "is_cut": one.is_cut,
        "schema": one.json_schema(),
    }


def _lines(node: dict[str, Any], name: str, always: bool, deep: int) -> list[str]:
    """A schema as an indented list: name, types, format, enumeration; `?` where it is not always there."""
    types = node.get("type", [])
    words = [types if isinstance(types, str) else " or ".join(types)]
    words += [node["format"]] if "format" in node else []
    if "enum" in node:
        words.append("one of " + ", ".join(str(one) for one in node["enum"] if one is not None))
    out = [f"{'  ' * deep}{name}{'' if always else '?'}  {', '.join(words)}"]
    required = node.get("required", [])
    for child, below in node.get("properties", {}).items():
        out += _lines(below, child, child in required, deep + 1)
    if "additionalProperties" in node:
        out += _lines(node["additionalProperties"], "*", True, deep + 1)
    if "items" in node:
        out += _lines(node["items"], "[]", True, deep + 1)
    return out
