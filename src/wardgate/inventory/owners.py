"""Who answers for operations, by people's word and their rules: evidence like any other.

A rule names hosts and paths, and an owner or a place in the code whose owners CODEOWNERS knows. Of several
rules that fit, the most particular counts: a whole template over a pattern, a longer pattern over a shorter
one, a service that is named over any. People's word is on one operation. Whose word counts most is
`classification.OWNER_ORDER`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import re2

from wardgate.inventory.codeowners import Codeowners
from wardgate.inventory.evidence import Evidence, Layer, Says
from wardgate.inventory.names import plain_name, skeleton
from wardgate.inventory.seen import Labelled


@dataclass(frozen=True, slots=True)
class Rule:
    """Who owns what fits. None fits anything; `*` in `service` and `template` is any text."""

    id: int
    owner: str | None
    """None where `code` says where to look."""
    service: str | None = None
    template: str | None = None
    method: str | None = None
    code: str | None = None
    """A path in a repository whose CODEOWNERS was given."""
    added_at_us: int | None = None
    said: str = ""
    """Where it was laid down, if not by a person: shown in place of its number."""

    @property
    def particular(self) -> tuple[bool, int, bool, bool, int]:
        """The larger, the more particular."""
        template, service = self.template or "", self.service or ""
        return (
            bool(template) and "*" not in template,
            len(template.replace("*", "")),
            self.method is not None,
            bool(service) and "*" not in service,
            len(service.replace("*", "")),
        )


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said of one operation."""

    owner: str
    service: str
    protocol: str
    method: str | None
    template: str
    operation: str | None
    said_by: str = ""
    added_at_us: int | None = None


class Owners:
    """Words and rules, looked up. Files of code owners are tried in the order of their names."""

    def __init__(
        self,
        words: Iterable[Word] = (),
        rules: Iterable[Rule] = (),
        code: Mapping[str, Codeowners] | None = None,
    ) -> None:
        self._words: dict[tuple[str, ...], Word] = {
            (one.service, *_name(one.protocol, one.method, one.template, one.operation)): one for one in words
        }
        self._rules = sorted(rules, key=lambda one: (one.particular, -one.id), reverse=True)
        self._code = [one for _, one in sorted((code or {}).items())]
        self._by_service: dict[str, _Rules] = {}

    def of(self, service: str, one: Labelled) -> list[Evidence]:
        """What people and rules say of one operation."""
        out = []
        if self._words:
            word = self._words.get((service, *_name(one.protocol, one.method, one.template, one.operation)))
            if word is not None:
                out.append(
                    Evidence(
                        Layer.PERSON,
                        Says.OWNED,
                        word.said_by or "a person",
                        word.added_at_us,
                        detail=word.owner,
                    )
                )
        if self._rules:
            if service not in self._by_service:
                self._by_service[service] = _Rules(one for one in self._rules if _fits(one.service, service))
            out += self._said(self._by_service[service].of(one.method, one.template))
        return out

    def of_service(self, service: str) -> list[Evidence]:
        """What rules for all of a service say."""
        whole = (one for one in self._rules if _fits(one.service, service))
        return self._said([one for one in whole if one.template in (None, "*", "/*") and one.method is None])

    def _said(self, fitting: list[Rule]) -> list[Evidence]:
        """The evidence of rules, the most particular first; those that look into code are judged apart."""
        direct = [one for one in fitting if one.owner is not None]
        out = [
            Evidence(
                Layer.RULE, Says.OWNED, one.said or f"rule {one.id}", one.added_at_us, detail=one.owner or ""
            )
            for one in direct
            if one.particular == direct[0].particular
        ]
        looked = [one for one in fitting if one.owner is None and one.code]
        for one in looked:
            if one.particular == looked[0].particular:
                found = next((said for each in self._code if (said := each.of(one.code or ""))), [])
                out += [Evidence(Layer.CODE, Says.OWNED, place, detail=who) for who, place in found]
        return out


class _Rules:
    """The rules of one service, all tried at once."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = list(rules)
        self._set: Any = re2.Set.FullMatchSet()
        for one in self._rules:
            self._set.Add(_pattern(skeleton(one.template or "*")))
        if self._rules:
            self._set.Compile()

    def of(self, method: str | None, template: str) -> list[Rule]:
        if not self._rules:
            return []
        hits = sorted(self._set.Match(skeleton(template)) or ())
        found = (self._rules[at] for at in hits)
        return [one for one in found if one.method is None or one.method == (method or "").upper()]


def _pattern(text: str) -> str:
    return "(?s)" + ".*".join(re.escape(part) for part in text.split("*"))


def _fits(pattern: str | None, service: str) -> bool:
    if pattern is None or pattern == service:
        return True
    return "*" in pattern and re2.fullmatch(_pattern(pattern), service) is not None


def _name(protocol: str, method: str | None, template: str, operation: str | None) -> tuple[str, ...]:
    path = skeleton(template.rstrip("/") or "/")
    return protocol, (method or "").upper(), path, plain_name(operation) if operation else ""
