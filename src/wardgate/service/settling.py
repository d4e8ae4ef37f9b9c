"""What people settle of templates: pin, split, merge, name; checked before it is kept, in force at once.

A pin lays a template down for all paths that it matches. A split takes one value out of a parameter: paths
with it become an operation of their own. A merge files the paths of one template under another. A name says
what a template's parameters are called. What specifications describe is settled as well, after people's word.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.inventory.covering import coverings
from wardgate.inventory.seen import seen
from wardgate.lake.store import Lake
from wardgate.match.secrets import mask_text, secret_kind
from wardgate.recognise.templates import NAME, erased
from wardgate.recognise.templating.settled import Settled
from wardgate.recognise.templating.trie import DEEPEST
from wardgate.service.given import as_given, outline
from wardgate.service.learning import SettledOf
from wardgate.state.specifications import Specifications
from wardgate.state.store import State
from wardgate.state.template_words import TemplateWord, TemplateWords, WordKind, unknown

MOST_WORDS = 10_000
LONGEST = 2000
_SEGMENT = re.compile(r"[^\x00-\x20\x7f/?#{}]+\Z")
_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.-]{0,63}\}\Z")


@dataclass(frozen=True, slots=True)
class Said:
    """A word, and whether saying it changed anything."""

    word: TemplateWord
    changed: bool


class Settling:
    """Takes in what people settle."""

    def __init__(self, words: TemplateWords, services: Callable[[], Iterable[str]]) -> None:
        """`services` answers the services that there are."""
        self._words = words
        self._services = services

    def pin(self, service: str, template: str, by: str, note: str | None = None) -> Said:
        """Lay a template down. Raises `template-malformed` and `template-service-unknown`."""
        checked(template)
        return self._say(service, WordKind.PIN, template, None, by, note)

    def split(
        self,
        service: str,
        template: str,
        value: str,
        by: str,
        note: str | None = None,
        *,
        parameter: str | None = None,
    ) -> Said:
        """Take `value` out of the template's last parameter, or the one of that name.

        Raises `template-malformed`, `template-split` and `template-service-unknown`.
        """
        target = split_off(template, value, parameter)
        return self._say(service, WordKind.SPLIT, template, target, by, note)

    def merge(self, service: str, template: str, into: str, by: str, note: str | None = None) -> Said:
        """File the paths of a template under another.

        Raises `template-malformed`, `template-merge` and `template-service-unknown`.
        """
        checked(template)
        checked(into)
        if erased(template) == erased(into):
            raise WardgateError("template-merge", "the two are the same template already.")
        for one in self._of(service, WordKind.MERGE):
            if erased(one.target or "") == erased(template) or erased(one.template) == erased(into):
                raise WardgateError(
                    "template-merge",
                    "that would be a chain: one of the two is merged with another already.",
                    mend="Take that back first, with `wardgate operations merge … --undo`.",
                )
        return self._say(service, WordKind.MERGE, template, into, by, note)

    def name(self, service: str, template: str, named: str, by: str, note: str | None = None) -> Said:
        """Call a template's parameters as `named` does.

        Raises `template-malformed`, `template-name` and `template-service-unknown`.
        """
        checked(template)
        checked(named)
        if erased(template) != erased(named) or not NAME.search(named):
            raise WardgateError(
                "template-name",
                "only parameters are named: the new form must be the same template otherwise.",
                mend="Such as `/users/{userId}` and `/users/{login}`.",
            )
        return self._say(service, WordKind.NAME, template, named, by, note)

    def undo(self, service: str, kind: WordKind, template: str, target: str | None = None) -> TemplateWord:
        """Take a word back; with `target`, the one that has it. Raises `template-word-unknown`."""
        for one in self._of(service, kind):
            if erased(one.template) == erased(template) and target in (None, one.target):
                self._words.end(one)
                return one
        raise unknown(kind)

    def _of(self, service: str, kind: WordKind) -> list[TemplateWord]:
        return [one for one in self._words.in_force() if (one.service, one.kind) == (service, kind)]

    def _say(
        self, service: str, kind: WordKind, template: str, target: str | None, by: str, note: str | None
    ) -> Said:
        if service not in set(self._services()):
            raise WardgateError(
                "template-service-unknown",
                "no calls to that service were seen, and no specification describes it;",
                mend="`wardgate services` lists those that were called.",
            )
        note = _plain(note)
        same: TemplateWord | None = None
        words = self._words.in_force()
        for one in words:
            is_same = (one.service, one.kind, erased(one.template)) == (service, kind, erased(template))
            if is_same and (kind is not WordKind.SPLIT or one.target == target):
                same = one
        if same is not None and (same.template, same.target, same.note or None) == (template, target, note):
            return Said(same, changed=False)
        if same is None and len(words) >= MOST_WORDS:
            raise WardgateError("template-too-many", f"there are {MOST_WORDS} of them already.")
        word = self._words.say(
            service=service,
            kind=kind,
            template=template,
            target=target,
            note=note,
            said_by=by,
            instead_of=same,
        )
        return Said(word, changed=True)


def _plain(note: str | None) -> str | None:
    """A note without secrets, on one line."""
    if not note or not note.strip():
        return None
    return mask_text(" ".join(note.split()), lambda kind, secret: f"~{kind}{len(secret)}")[:500]


def checked(template: str) -> str:
    """A template that a person wrote. Raises `template-malformed`."""
    segments = template.split("/")[1:]
    names = [one for one in segments if one.startswith("{")]
    wrong = ""
    if not template.startswith("/"):
        wrong = "it begins with a slash"
    elif len(template) > LONGEST or len(segments) > DEEPEST:
        wrong = f"it has at most {DEEPEST} segments and {LONGEST} characters"
    elif any(one and not _SEGMENT.match(one) and not _PARAMETER.match(one) for one in segments):
        wrong = "a parameter is a whole segment in braces, and nothing else has braces, blanks, ? or #"
    elif len(set(names)) < len(names):
        wrong = "each parameter has a name of its own"
    elif any(secret_kind(one) is not None for one in segments):
        wrong = "a secret has no place in it"
    if wrong:
        raise WardgateError(
            "template-malformed", f"that is no template: {wrong}.", mend="Such as /users/{userId}/orders."
        )
    return template


def split_off(template: str, value: str, parameter: str | None = None) -> str:
    """The template that a value of a parameter makes. Raises `template-malformed` and `template-split`."""
    checked(template)
    found = [one for one in NAME.finditer(template) if parameter in (None, one[0][1:-1])]
    if not found:
        raise WardgateError("template-split", "there is no such parameter in that template to split.")
    if not _SEGMENT.match(value) or secret_kind(value) is not None:
        raise WardgateError(
            "template-split",
            "a value to split off is one segment of a path, and no secret.",
            mend="Such as `me`.",
        )
    return template[: found[-1].start()] + value + template[found[-1].end() :]


def composed(words: Iterable[TemplateWord], described: Mapping[str, tuple[str, ...]]) -> dict[str, Settled]:
    """What is settled, by service."""
    by_service: dict[str, list[TemplateWord]] = {}
    for one in words:
        by_service.setdefault(one.service, []).append(one)
    out: dict[str, Settled] = {}
    for service in sorted({*by_service, *described}):
        said = by_service.get(service, [])
        pinned = {one.template for one in said if one.kind is WordKind.PIN}
        pinned |= {one.target for one in said if one.kind is WordKind.SPLIT and one.target}
        merged = {
            erased(one.template): one.target for one in said if one.kind is WordKind.MERGE and one.target
        }
        named = {
            erased(one.template): tuple(found[1:-1] for found in NAME.findall(one.target))
            for one in said
            if one.kind is WordKind.NAME and one.target
        }
        out[service] = Settled(described.get(service, ()), tuple(sorted(pinned)), merged, named)
    return out


def settled_in(state: State, clock: Clock, lake: Lake) -> Mapping[str, Settled]:
    """What people and specifications in force settle of the services of a lake."""
    kept = Specifications(state, clock)
    given = [as_given(one, outline(kept, one)) for one in kept.in_force()]
    described = {
        service: tuple(
            sorted({cover.template(one) for cover in covers for one in cover.operations if one.name is None})
        )
        for service, covers in (coverings(given, seen(lake)) if given else {}).items()
    }
    return composed(TemplateWords(state, clock).in_force(), described)


def settled_of(state: State, clock: Clock) -> SettledOf:
    """As `settled_in`, of an open state."""
    return partial(settled_in, state, clock)


def services_of(lake: Lake) -> list[str]:
    """The services that were called."""
    return sorted(seen(lake).by_service)


def service_of(lake: Lake, words: TemplateWords, kind: WordKind, template: str, *, undo: bool = False) -> str:
    """The one service that a template is of, where nobody named it.

    Raises `operation-unknown` and `operation-ambiguous`, to undo also `template-word-unknown`.
    """
    form = erased(template)
    if undo:
        found = {one.service for one in words.in_force() if one.kind is kind and erased(one.template) == form}
        if not found:
            raise unknown(kind)
    else:
        by_service = seen(lake).by_service
        found = {
            name for name, every in by_service.items() if any(erased(one.template) == form for one in every)
        }
        if not found and len(by_service) == 1:
            found = set(by_service)
    if len(found) == 1:
        return found.pop()
    if found:
        raise WardgateError(
            "operation-ambiguous",
            f"{len(found)} services have such a template;",
            mend="name one with --service.",
        )
    raise WardgateError(
        "operation-unknown",
        "no service has such a template;",
        mend="name one with --service; `wardgate services` lists them.",
    )
