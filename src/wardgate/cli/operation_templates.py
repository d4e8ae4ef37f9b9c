"""`wardgate operations pin | split | merge | name`: templates as people know them, in force at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import Column, counted, emit_json, print_table, say, when

if TYPE_CHECKING:
    from wardgate.service.settling import Settling
    from wardgate.state.template_words import TemplateWord, TemplateWords, WordKind

_OPTIONS = (
    click.option("--service", metavar="NAME", help="The service, where several have such a template."),
    click.option("--undo", is_flag=True, help="Take back what was said."),
    click.option("--note", metavar="TEXT", help="Why."),
    click.option(
        "--by", "said_by", metavar="WHO", help="Who says so. Default: the user's name on this machine."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return pass_installation(command)


@click.command()
@click.argument("template")
@_options
def pin(installation: Installation, /, template: str, **given: Any) -> None:
    """Lay TEMPLATE down, such as /users/{userId}/orders: whatever it matches is this operation.

    Braces hold parameters. A pin counts more than specifications and than what is learned.
    """
    from wardgate.state.template_words import WordKind

    def put(settling: "Settling", service: str) -> Any:
        return settling.pin(service, template, given["said_by"], given["note"])

    _settle(installation, WordKind.PIN, template, None, put, given)


@click.command()
@click.argument("template")
@click.argument("value")
@click.option("--parameter", metavar="NAME", help="Which parameter it is a value of. Default: the last.")
@_options
def split(
    installation: Installation, /, template: str, value: str, parameter: str | None, **given: Any
) -> None:
    """Take VALUE out of a parameter of TEMPLATE: it becomes an operation of its own.

    Such as: wardgate operations split '/users/{userId}' me
    """
    from wardgate.service.settling import split_off
    from wardgate.state.template_words import WordKind

    def put(settling: "Settling", service: str) -> Any:
        return settling.split(service, template, value, given["said_by"], given["note"], parameter=parameter)

    target = split_off(template, value, parameter)
    _settle(installation, WordKind.SPLIT, template, target, put, given)


@click.command()
@click.argument("template")
@click.argument("into")
@_options
def merge(installation: Installation, /, template: str, into: str, **given: Any) -> None:
    """File what TEMPLATE matches under the template INTO.

    Such as: wardgate operations merge '/user/{id}' '/users/{userId}'
    """
    from wardgate.state.template_words import WordKind

    def put(settling: "Settling", service: str) -> Any:
        return settling.merge(service, template, into, given["said_by"], given["note"])

    _settle(installation, WordKind.MERGE, template, into, put, given)


@click.command()
@click.argument("template")
@click.argument("named", required=False)
@_options
def name(installation: Installation, /, template: str, named: str | None, **given: Any) -> None:
    """Call the parameters of TEMPLATE as NAMED does. The operation keeps its id.

    Such as: wardgate operations name '/users/{userId}' '/users/{login}'
    """
    from wardgate.state.template_words import WordKind

    if (named is None) != given["undo"]:
        raise click.UsageError("Give the template with its new names, or say --undo")

    def put(settling: "Settling", service: str) -> Any:
        return settling.name(service, template, named or "", given["said_by"], given["note"])

    _settle(installation, WordKind.NAME, template, None, put, given)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_installation
def settled(installation: Installation, /, as_json: bool) -> None:
    """List what people settled of templates."""
    with _words(installation) as words:
        found = words.in_force()
    if as_json:
        emit_json({"settled": [_facts(one) for one in found]})
        return
    if not found:
        say("Nobody settled anything yet; `wardgate operations pin --help` says how.")
        return
    columns = [Column("service", flexible=True), Column("kind"), Column("template", flexible=True)]
    columns += [Column("to", flexible=True), Column("by"), Column("when"), Column("note", flexible=True)]
    print_table(
        columns,
        [
            [
                one.service,
                one.kind.value,
                one.template,
                one.target or "",
                one.said_by,
                when(_moment(one)),
                one.note or "",
            ]
            for one in found
        ],
    )


def _settle(
    installation: Installation,
    kind: "WordKind",
    template: str,
    target: str | None,
    put: "Callable[[Settling, str], Any]",
    given: dict[str, Any],
) -> None:
    from wardgate.core.clock import system_clock
    from wardgate.service.learning import learn_all
    from wardgate.service.owners import owner_named
    from wardgate.service.settled import settled_at
    from wardgate.service.settling import Settling, checked, service_of, services_of

    checked(template)
    given["said_by"] = owner_named(given["said_by"] or _user())
    with _words(installation) as words, installation.lake() as lake:
        settling = Settling(words, lambda: services_of(lake))
        service = given["service"] or service_of(lake, words, kind, template, undo=given["undo"])
        if given["undo"]:
            word, changed = settling.undo(service, kind, template, target), True
        else:
            said = put(settling, service)
            word, changed = said.word, said.changed
        settled = settled_at(installation.home, installation.state_url, system_clock)
        done = learn_all(lake, installation.key, system_clock, settled)
    if given["as_json"]:
        facts = {**_facts(word), "in_force": not given["undo"], "changed": changed}
        emit_json({**facts, "paths": done.paths})
        return
    verb = "is taken back" if given["undo"] else "is in force" if changed else "was in force before"
    to = f" → {word.target}" if word.target else ""
    say(
        f"{word.kind.value} {word.template}{to} of {word.service} {verb}; "
        f"{counted(done.paths, 'path')} changed operation."
    )


def _facts(word: "TemplateWord") -> dict[str, Any]:
    return {
        "service": word.service,
        "kind": word.kind.value,
        "template": word.template,
        "target": word.target,
        "note": word.note,
        "said_by": word.said_by,
        "added_at_us": word.added_at_us,
    }


def _moment(word: "TemplateWord") -> Any:
    from datetime import UTC, datetime, timedelta

    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=word.added_at_us)).replace(tzinfo=None)


@contextmanager
def _words(installation: Installation) -> "Iterator[TemplateWords]":
    from wardgate.core.clock import system_clock
    from wardgate.state.store import open_state
    from wardgate.state.template_words import TemplateWords

    state = open_state(installation.home, installation.state_url)
    try:
        yield TemplateWords(state, system_clock)
    finally:
        state.close()


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError):
        return "a person"
