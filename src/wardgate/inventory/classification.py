"""The standing of an operation: a pure function of its evidence, whatever order that came in.

| called | described | | standing |
|---|---|---|---|
| yes | as deprecated | | zombie |
| yes | yes | | documented |
| yes | no | a specification describes its service | shadow |
| yes | no | none does, so nobody could be missing it | unknown |
| no | yes | some source would have shown a call | unused |
| no | yes | no source would have | not observable |
| no | no | known from a gateway, code, a person | latent |

A probe that found it is no call of a user's, but proves it is served: undescribed, that is a shadow as well.
Calls that were answered by nothing but `not found` are calls of what is described, and prove nothing of what
is not: whoever scans for `/.env` makes no operation of it. Which kinds of evidence there are decides, not how
much of each, so that standings of many operations are one look into a table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from wardgate.inventory.evidence import Evidence, Layer, Says


class Standing(StrEnum):
    """What an operation is, judged by its evidence."""

    DOCUMENTED = "documented"
    SHADOW = "shadow"
    ZOMBIE = "zombie"
    UNUSED = "unused"
    NOT_OBSERVABLE = "not-observable"
    LATENT = "latent"
    UNKNOWN = "unknown"
    """Nothing can be said: no specification describes its service, or nothing shows that it is there."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A standing with the evidence that decided it, and who owns the operation."""

    standing: Standing
    because: tuple[Evidence, ...]
    owners: tuple[str, ...] = ()
    owned_by: tuple[Evidence, ...] = ()
    """Who says so."""

    @property
    def is_unowned(self) -> bool:
        return not self.owners


Kinds = frozenset[tuple[Layer, Says]]
OWNER_ORDER = (
    Layer.PERSON,
    Layer.RULE,
    Layer.CODE,
    Layer.SPECIFICATION,
    Layer.GATEWAY,
    Layer.TRAFFIC,
    Layer.PROBE,
)
"""Whose word on an owner counts, the strongest first: people's, their rules', CODEOWNERS', descriptions'."""
_THERE = (Says.EXISTS, Says.DEPRECATED)
_TOLD_BY = (Layer.GATEWAY, Layer.CODE, Layer.PERSON, Layer.RULE)


def classify(evidence: Iterable[Evidence]) -> Classification:
    """The classification of one operation by all that is known of it."""
    known = sorted(set(evidence))
    standing, counted = judged(frozenset((one.layer, one.says) for one in known))
    because = tuple(one for one in known if (one.layer, one.says) in counted)
    owned_by = strongest(known)
    owners = tuple(sorted({one.detail or one.source for one in owned_by}))
    return Classification(standing, because, owners, owned_by)


@lru_cache(maxsize=4096)
def judged(kinds: Kinds) -> tuple[Standing, Kinds]:
    """The standing that these kinds of evidence have together, and which of them decided it."""
    answered = kinds & {(Layer.TRAFFIC, says) for says in _THERE}
    tried = kinds & {(Layer.TRAFFIC, Says.TRIED)}
    probed = kinds & {(Layer.PROBE, says) for says in _THERE}
    described = kinds & {(Layer.SPECIFICATION, says) for says in _THERE}
    deprecated = kinds & {(Layer.SPECIFICATION, Says.DEPRECATED)}
    covered = kinds & {(Layer.SPECIFICATION, Says.COVERS)}
    told = kinds & {(layer, says) for layer in _TOLD_BY for says in _THERE}
    in_sight = frozenset(one for one in kinds if one[1] is Says.IN_SIGHT)
    called = answered | tried
    served = answered | probed | (tried | told if tried and told else frozenset())
    if called and deprecated:
        return Standing.ZOMBIE, called | deprecated
    if called and described:
        return Standing.DOCUMENTED, called | described
    if served and not described:
        return (Standing.SHADOW, served | covered) if covered else (Standing.UNKNOWN, served)
    if described and in_sight:
        return Standing.UNUSED, described | in_sight
    if described:
        return Standing.NOT_OBSERVABLE, described
    return (Standing.LATENT, told) if told else (Standing.UNKNOWN, tried)


def strongest(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """What the strongest layer says of owners: people's word over rules', theirs over code's, and so on."""
    owned = [one for one in evidence if one.says is Says.OWNED]
    for layer in OWNER_ORDER:
        said = tuple(one for one in owned if one.layer is layer)
        if said:
            return said
    return ()
