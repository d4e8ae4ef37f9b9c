"""Which templates, and which values under them, a newly learned tree sees otherwise than paths are labelled.

Looks at distinct templates, not at paths: of a template that the tree still has, only paths with a segment
that is a constant now can have another one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from wardgate.recognise.templates import erased
from wardgate.recognise.templating.labelling import Labeller
from wardgate.recognise.templating.learner import Place


@dataclass(frozen=True, slots=True)
class Doubtful:
    """What must be looked at again."""

    templates: list[str] = field(default_factory=list)
    """Templates that are none any more."""
    values: dict[int, tuple[list[str], list[str]]] = field(default_factory=dict)
    """By place of a segment (from 0): templates, and beside each a value there that is a constant now."""


def doubtful(labeller: Labeller, templates: Iterable[str], before: Labeller | None = None) -> Doubtful:
    """What `labeller` may label otherwise than these templates. `before` labelled all of their paths."""
    found = Doubtful()
    for template in templates:
        constants = _constants(labeller, template, before)
        if constants is None or erased(template) in labeller.settled.merged:
            found.templates.append(template)
            continue
        for at, segment in constants:
            of, segments = found.values.setdefault(at, ([], []))
            of.append(template)
            segments.append(segment)
    return found


def _constants(labeller: Labeller, template: str, before: Labeller | None) -> list[tuple[int, str]] | None:
    """Constants beside the parameters of a template, by their place; None where it is none any more."""
    out: list[tuple[int, str]] = []
    place: Place | None = labeller.top
    old: Place | None = before.top if before is not None else None
    for at, segment in enumerate(template.split("/")[1:]):
        is_parameter = segment.startswith("{") and segment.endswith("}")
        if place is None:
            if is_parameter:
                return None
            continue
        if is_parameter:
            if place.parameter is None:
                return None
            known = old.constants if old is not None else {}
            out += [(at, one) for one in place.constants if one not in known]
            place, old = place.parameter, old.parameter if old is not None else None
        else:
            child = place.constants.get(segment)
            if child is None and segment and place.parameter is not None:
                return None
            old = old.constants.get(segment) if old is not None else None
            place = child
    return out
