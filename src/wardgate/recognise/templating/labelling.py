"""From a path to its template: what is settled, else what was learned, with how sure that is.

Walks the tree of templates; a value that the learner never saw is the parameter's where there is one.
"""

from dataclasses import dataclass
from enum import StrEnum

from wardgate.recognise.templating.learner import Place
from wardgate.recognise.templating.naming import PARAMETER, names_of, usual_kind
from wardgate.recognise.templating.settled import Settled, Table
from wardgate.recognise.templating.trie import DEEPEST, is_plain


class Basis(StrEnum):
    """Why a path has its template."""

    PINNED = "pinned"
    DESCRIBED = "described"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class Label:
    """A path's template with named parameters. `confidence` is 0…1; `values` are what the parameters held."""

    template: str
    confidence: float
    basis: Basis
    values: tuple[str, ...] = ()


_UNSEEN = Place(PARAMETER)


class Labeller:
    """Labels paths of one service."""

    def __init__(self, top: Place, settled: Settled | None = None) -> None:
        settled = settled or Settled()
        self._top = top
        self._pinned = Table(settled.pinned)
        self._described = Table(settled.described)
        self._merged = settled.merged
        self._named = settled.named
        self._names: dict[tuple[int, ...], str] = {}

    def of(self, path: str) -> Label:
        """The label of one path."""
        segments = path.split("/")[1:]
        for table, basis in ((self._pinned, Basis.PINNED), (self._described, Basis.DESCRIBED)):
            if table and (found := table.match(segments)) is not None:
                values = tuple(
                    value for value, one in zip(segments, found.split("/")[1:], strict=True) if "{" in one
                )
                return Label(self._merged.get(found, found), 1.0, basis, values)
        template, confidence, values = self._learned(segments)
        merged = self._merged.get(template)
        return Label(merged or template, confidence, Basis.PINNED if merged else Basis.LEARNED, values)

    def _learned(self, segments: list[str]) -> tuple[str, float, tuple[str, ...]]:
        out: list[str] = []
        values: list[str] = []
        way: list[Place] = []
        place: Place | None = self._top
        sure = 1.0
        for segment in segments[:DEEPEST]:
            child = place.constants.get(segment) if place is not None else None
            if child is not None:
                sure = min(sure, child.sure)
                out.append(_literal(segment))
            elif place is not None and place.parameter is not None and segment:
                child = place.parameter
                sure = min(sure, place.values.get(segment, child.sure))
                out.append(PARAMETER)
                values.append(segment)
                way.append(place)
            elif is_plain(segment):
                child = None
                sure = min(sure, 0.5)
                out.append(PARAMETER)
                values.append(segment)
                way.append(_UNSEEN)
            else:
                sure = min(sure, 0.5)
                out.append(_literal(segment))
            place = child
        if len(segments) > DEEPEST:
            out.append("{rest}")
            values.append("/".join(segments[DEEPEST:]))
        return self._text(out, way), round(sure, 3), tuple(values)

    def _text(self, segments: list[str], way: list[Place]) -> str:
        """The template with names; made once per template."""
        key = tuple(map(id, way))
        erased = "/" + "/".join(segments)
        if not way:
            return erased
        known = self._names.get((*key, hash(erased)))
        if known is not None:
            return known
        names = self._named.get(erased)
        if names is None or len(names) != len(way):
            kinds = iter([usual_kind(place.values) for place in way])
            names = tuple(names_of(segments, [next(kinds) if one == PARAMETER else None for one in segments]))
        ordered = iter(names)
        text = "/" + "/".join(f"{{{next(ordered)}}}" if one == PARAMETER else one for one in segments)
        self._names[(*key, hash(erased))] = text
        return text


def _literal(segment: str) -> str:
    """A constant as a template shows it: braces mean parameters there."""
    return segment.replace("{", "%7B").replace("}", "%7D") if "{" in segment or "}" in segment else segment
