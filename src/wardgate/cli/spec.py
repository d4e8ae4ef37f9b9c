"""`wardgate spec`: specifications in, set beside what was called, and out again."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, count, counted, emit_json, json_text, print_table, say
from wardgate.core.errors import Exit

if TYPE_CHECKING:
    from wardgate.service.specifications import Added, Compared
    from wardgate.state.specifications import GivenSpecification, Specifications

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_NOTES = 10


@click.group()
def spec() -> None:
    """Take specifications in, set them beside the traffic, export the inventory."""


@spec.command()
@click.argument("path")
@click.option("--name", help="Name to keep it under. Default: the file's.")
@click.option("--service", help="The service it describes. Default: found by its servers, then by its paths.")
@click.option(
    "--allow-network",
    "allow",
    multiple=True,
    metavar="CIDR",
    help="Fetch from this network although it is not public. May be repeated.",
)
@click.option(
    "--fetch-refs",
    "fetch_references",
    is_flag=True,
    help="Get the documents it refers to as well: files below its folder, and URLs.",
)
@_AS_JSON
@pass_installation
def add(
    installation: Installation,
    /,
    path: str,
    name: str | None,
    service: str | None,
    allow: tuple[str, ...],
    fetch_references: bool,
    as_json: bool,
) -> None:
    """Take in the specification at PATH, a file or URL, or all of a folder.

    Reads OpenAPI 2.0 to 3.2, GraphQL schemas, Postman collections and .proto files. References to other
    documents are followed only with --fetch-refs. What was left out is listed with its place. One with the
    name of one that is there takes its place.
    """
    from wardgate.service import specifications

    failed = False
    with _kept(installation) as kept:
        if path.startswith(("http://", "https://")):
            added = specifications.add_url(
                kept, path, name=name, service=service, allow=allow, fetch_references=fetch_references
            )
            found = iter([added])
        else:
            found = specifications.add(
                kept, Path(path), name=name, service=service, fetch_references=fetch_references, allow=allow
            )
        for one in found:
            failed = failed or one.refusal is not None
            if as_json:
                emit_json(_added(one))
            else:
                _say_added(one)
    _relabel(installation)
    if failed:
        sys.exit(Exit.FOUND)


@spec.command("list")
@_AS_JSON
@pass_installation
def list_(installation: Installation, as_json: bool) -> None:
    """List the specifications in force."""
    with _kept(installation) as kept:
        found = kept.in_force()
    if as_json:
        emit_json({"specifications": [_facts(one) for one in found]})
        return
    if not found:
        say("No specifications yet. `wardgate spec add FILE` takes one in.")
        return
    columns = [
        Column("name", flexible=True),
        Column("kind"),
        Column("title", flexible=True),
        Column("version"),
    ]
    columns += [Column("operations", True), Column("left out", True), Column("service", flexible=True)]
    print_table(
        columns,
        [
            [
                one.name,
                one.kind,
                one.title,
                one.version,
                count(one.operations),
                count(one.left_out),
                one.service or "",
            ]
            for one in found
        ],
    )


@spec.command()
@click.argument("name")
@_AS_JSON
@pass_installation
def show(installation: Installation, name: str, as_json: bool) -> None:
    """Show what was read of the specification called NAME: operations, owners, what was left out."""
    from wardgate.cli.spec_shown import say_shown, shown
    from wardgate.service import specifications

    with _kept(installation) as kept, installation.lake() as lake:
        found = specifications.show(kept, lake, name)
    if as_json:
        emit_json({**_facts(found.given), **shown(found)})
    else:
        say_shown(found)


@spec.command()
@click.argument("name")
@_AS_JSON
@pass_installation
def remove(installation: Installation, name: str, as_json: bool) -> None:
    """Put the specification called NAME out of force."""
    with _kept(installation) as kept:
        ended = kept.remove(name)
    _relabel(installation)
    if as_json:
        emit_json(_facts(ended))
    else:
        say(f"{ended.name} is out of force.")


@spec.command()
@click.argument("name", required=False)
@click.option("--service", help="Only this service.")
@click.option("--method", metavar="METHOD", help="Only operations with this HTTP method.")
@click.option("--template", metavar="TEMPLATE", help="Only operations with this template; `*` is any text.")
@click.option("--kind", metavar="KIND", help="Only such differences: `operation-undescribed`, `field-*`…")
@_AS_JSON
@pass_installation
def diff(
    installation: Installation,
    /,
    name: str | None,
    service: str | None,
    method: str | None,
    template: str | None,
    kind: str | None,
    as_json: bool,
) -> None:
    """Show where specifications and what was called part, both ways.

    Of all specifications in force, or the one called NAME. Exit code 1: they differ.
    """
    from dataclasses import replace

    from wardgate.service import specifications
    from wardgate.service.specifications import is_about, kind_asked

    kind = kind_asked(kind)
    with _kept(installation) as kept, installation.lake() as lake:
        found = specifications.compare(kept, lake, name=name, service=service)
    found = [
        replace(one, differences=[each for each in one.differences if is_about(each, method, template, kind)])
        for one in found
    ]
    if as_json:
        emit_json({"compared": [_compared(one) for one in found]})
    else:
        _say_compared(found)
    if any(one.differences for one in found):
        sys.exit(Exit.FOUND)


@spec.command()
@click.argument("service")
@click.option(
    "--format",
    "form",
    type=click.Choice(("openapi", "json", "csv")),
    default="openapi",
    show_default=True,
    help="What to write.",
)
@click.option("--observed", "only_observed", is_flag=True, help="Only operations that were called.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON in place of indented text.")
@pass_installation
def export(installation: Installation, service: str, form: str, only_observed: bool, as_json: bool) -> None:
    """Write the operations of SERVICE: OpenAPI 3.1 with the evidence, JSON or CSV.

    With what specifications say of them where they do, and the standing of each.
    """
    import json

    from wardgate.inventory import exporting
    from wardgate.service import specifications

    with _kept(installation) as kept, installation.lake() as lake:
        entries, described = specifications.inventory(kept, lake, service, installation.owner_rules)
    if only_observed:
        entries = [one for one in entries if one.observed is not None]
    if form == "csv":
        click.echo(exporting.as_csv(exporting.rows(service, entries)), nl=False)
        return
    value: Any
    if form == "openapi":
        value = exporting.as_openapi(service, entries, described)
    else:
        value = {"operations": exporting.rows(service, entries)}
    click.echo(json_text(value) if as_json else json.dumps(value, indent=2).replace("\x7f", "\\u007f"))


@contextmanager
def _kept(installation: Installation) -> "Iterator[Specifications]":
    from wardgate.core.clock import system_clock
    from wardgate.state.specifications import Specifications
    from wardgate.state.store import open_state

    state = open_state(installation.home, installation.settings.state.url)
    try:
        yield Specifications(state, system_clock)
    finally:
        state.close()


def _facts(one: "GivenSpecification") -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "title": one.title,
        "version": one.version,
        "service": one.service,
        "digest": one.digest,
        "operations": one.operations,
        "left_out": one.left_out,
        "added_at_us": one.added_at_us,
    }


def _added(one: "Added") -> dict[str, Any]:
    out: dict[str, Any] = {"path": str(one.path)}
    if one.refusal is not None:
        return {**out, "error": {"code": one.refusal.code, "message": one.refusal.message}}
    if one.given is None or one.specification is None:
        return out
    notes = [
        {"code": each.code, "place": each.place, "text": each.text} for each in one.specification.left_out
    ]
    unfetched = [{"code": each.code, "place": each.place} for each in one.unfetched]
    return {
        **out,
        **_facts(one.given),
        "changed": one.changed,
        "notes": notes,
        **({"unfetched": unfetched} if unfetched else {}),
    }


def _say_added(one: "Added") -> None:
    if one.refusal is not None:
        click.echo(f"{one.path}: {one.refusal}", err=True)
        return
    if one.given is None or one.specification is None:
        return
    changed = "" if one.changed else " (it was there)"
    left_out = one.specification.left_out_total
    partly = f"; {counted(left_out, 'thing')} left out or mended" if left_out else ""
    say(f"{one.given.name}: {one.given.kind}, {counted(one.given.operations, 'operation')}{partly}{changed}")
    for lost in one.unfetched[:_NOTES]:
        say(f"  {lost.place}: {lost.message} [{lost.code}]")
    for each in one.specification.left_out[:_NOTES]:
        say(f"  {each.place}: {each.text} [{each.code}]")
    if left_out > _NOTES:
        say(f"  and {count(left_out - _NOTES)} more; --json lists them.")


def _compared(one: "Compared") -> dict[str, Any]:
    return {
        "specification": one.given.name,
        "service": one.match.service,
        "base": one.match.base,
        "matched_by": one.match.why,
        "confidence": one.match.confidence,
        "described": one.described,
        "observed": one.observed,
        "differences": [
            {
                "drift": each.drift.value,
                "method": each.method,
                "template": each.template,
                "operation": each.operation,
                "place": each.place,
                "calls": each.calls,
                "operation_id": str(each.operation_id) if each.operation_id else None,
            }
            for each in one.differences
        ],
    }


def _say_compared(found: "list[Compared]") -> None:
    if not found:
        say("No service was seen that they describe; `wardgate spec add FILE --service NAME` names one.")
    for one in found:
        say(
            f"{one.given.name} describes {one.match.service}{one.match.base} (by {one.match.why}): "
            f"{counted(one.described, 'operation')} described, {count(one.observed)} observed, "
            f"{counted(len(one.differences), 'difference')}."
        )
        if one.differences:
            kinds = Counter(each.drift.value for each in one.differences).most_common()
            if len(kinds) > 1:
                say(f"  {', '.join(f'{count(number)} {kind}' for kind, number in kinds)}; --kind shows one.")
            columns = [Column("difference"), Column("method"), Column("template", flexible=True)]
            columns += [Column("where", flexible=True), Column("calls", True)]
            print_table(
                columns,
                [
                    [
                        each.drift.value,
                        each.method or "",
                        f"{each.template} {each.operation or ''}".rstrip(),
                        each.place,
                        count(each.calls) if each.calls else "",
                    ]
                    for each in one.differences
                ],
            )


def _relabel(installation: Installation) -> None:
    """Let what was called have the templates that specifications in force settle."""
    from wardgate.core.clock import system_clock
    from wardgate.service.learning import learn_all
    from wardgate.service.settled import settled_at

    settled = settled_at(installation.home, installation.state_url, system_clock)
    with installation.lake() as lake:
        learn_all(lake, installation.key, system_clock, settled)
