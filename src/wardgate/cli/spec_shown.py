"""What `wardgate spec show` says of one specification."""

from typing import TYPE_CHECKING, Any

from wardgate.cli.output import Column, counted, print_table, say

if TYPE_CHECKING:
    from wardgate.inventory.specifications.form import Operation
    from wardgate.service.specifications import Shown
    from wardgate.state.specifications import GivenSpecification

_NOTES = 10


def shown(found: "Shown") -> dict[str, Any]:
    """What JSON has of it besides its facts."""
    return {
        "owners": _owners(found.given),
        "contacts": [one.name or one.email or one.url for one in found.specification.contacts],
        "services": [
            {"service": one.service, "base": one.base, "matched_by": one.why, "confidence": one.confidence}
            for one in found.matches
        ],
        "described": [
            {
                "method": one.method,
                "template": one.template,
                "operation": one.name,
                "protocol": one.protocol,
                "operation_id": one.operation_id,
                "deprecated": one.deprecated,
                "owner": one.owner,
                "security": _security(one),
            }
            for one in found.specification.operations
        ],
        "notes": [
            {"code": each.code, "place": each.place, "text": each.text}
            for each in found.specification.left_out
        ],
    }


def _security(one: "Operation") -> list[list[str]] | None:
    if one.security is None:
        return None
    return [[need.scheme for need in alternative] for alternative in one.security]


def say_shown(found: "Shown") -> None:
    """Tell a person."""
    given, read = found.given, found.specification
    titled = f" {given.title}" if given.title else ""
    say(f"{given.name}:{titled} {given.version} ({given.kind})".replace("  ", " "))
    for match in found.matches:
        say(f"  describes {match.service}{match.base} (by {match.why})")
    if not found.matches:
        say("  describes no service that was called")
    for owner, place in _owners(given):
        say(f"  owned by {owner} ({place})")
    for contact in read.contacts:
        say(f"  contact: {contact.name or contact.email or contact.url}")
    if given.left_out:
        say(f"  {counted(given.left_out, 'thing')} left out or mended:")
    for each in read.left_out[:_NOTES]:
        say(f"    {each.place}: {each.text} [{each.code}]")
    columns = [Column("method"), Column("template", flexible=True), Column("id", flexible=True)]
    columns += [Column("deprecated"), Column("credential", flexible=True), Column("owner", flexible=True)]
    print_table(
        columns,
        [
            [
                one.method or "",
                f"{one.template} {one.name or ''}".rstrip(),
                one.operation_id or "",
                "deprecated" if one.deprecated else "",
                _needed(one),
                one.owner or "",
            ]
            for one in read.operations
        ],
    )


def _needed(one: "Operation") -> str:
    said = _security(one)
    if said is None:
        return "not said"
    return " or ".join(" and ".join(each) or "none" for each in said) or "none"


def _owners(given: "GivenSpecification") -> list[tuple[str, str]]:
    """(owner, where it is said) of the file a specification came from."""
    import json

    return [(owner, place) for owner, place in json.loads(given.owners)] if given.owners else []
