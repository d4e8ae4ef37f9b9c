"""The standing of an operation: a pure function of its evidence, whatever order that came in.

| called | described | | standing |
|---|---|---|---|
| yes | no | | shadow |
| yes | as deprecated | | zombie |
| yes | yes | | documented |
| no | yes | some source would have shown a call | unused |
| no | yes | no source would have | not observable |
| no | no | known from a gateway, code or probe | latent |

A probe that found it is no call of a user's, but proves it is served: undescribed, that is a shadow as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

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
    """Nothing says that there is such an operation."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A standing with the evidence that decided it, and who owns the operation."""

    standing: Standing
    because: tuple[Evidence, ...]
    owners: tuple[str, ...] = ()

    @property
    def is_unowned(self) -> bool:
        return not self.owners


_THERE = (Says.EXISTS, Says.DEPRECATED)
_OWNER_ORDER = (Layer.PERSON, Layer.CODE, Layer.SPECIFICATION, Layer.GATEWAY, Layer.TRAFFIC, Layer.PROBE)


def classify(evidence: Iterable[Evidence]) -> Classification:
    """The classification of one operation by all that is known of it."""
    known = sorted(set(evidence))
    there = [one for one in known if one.says in _THERE]
    called = [one for one in there if one.layer is Layer.TRAFFIC]
    answered = [one for one in there if one.layer is Layer.PROBE]
    described = [one for one in there if one.layer is Layer.SPECIFICATION]
    deprecated = [one for one in described if one.says is Says.DEPRECATED]
    in_sight = [one for one in known if one.says is Says.IN_SIGHT]
    owners = _owners(known)
    if called and deprecated:
        return _made(Standing.ZOMBIE, called + deprecated, owners)
    if called and described:
        return _made(Standing.DOCUMENTED, called + described, owners)
    if (called or answered) and not described:
        return _made(Standing.SHADOW, called + answered, owners)
    if described and in_sight:
        return _made(Standing.UNUSED, described + in_sight, owners)
    if described:
        return _made(Standing.NOT_OBSERVABLE, described, owners)
    return _made(Standing.LATENT if there else Standing.UNKNOWN, there, owners)


def _made(standing: Standing, because: list[Evidence], owners: tuple[str, ...]) -> Classification:
    return Classification(standing, tuple(because), owners)


def _owners(known: list[Evidence]) -> tuple[str, ...]:
    """Who the strongest layer names: people's word over code's, code's over a specification's."""
    for layer in _OWNER_ORDER:
        named = {one.detail or one.source for one in known if one.says is Says.OWNED and one.layer is layer}
        if named:
            return tuple(sorted(named))
    return ()
