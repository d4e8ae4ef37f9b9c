"""From a path to its template: what is settled, else what was learned, with how sure that is.

Walks the tree of templates; a value that the learner never saw is the parameter's where there is one. Paths
that differ only in what is plainly an identifier are labelled at once (`of_skeleton`), by what their lexical
template says, wherever no constant of the tree looks like an identifier itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from wardgate.recognise.templates import NAME, erased, is_identifier
from wardgate.recognise.templating.learner import Place
from wardgate.recognise.templating.lexical import Kind
from wardgate.recognise.templating.naming import PARAMETER, names_of, usual_kind
from wardgate.recognise.templating.settled import Settled, Table
from wardgate.recognise.templating.trie import DEEPEST, is_plain


class Basis(StrEnum):
    """Why a path has its template."""

    PINNED = "pinned"
    DESCRIBED = "described"
    LEARNED = "learned"
    PLAIN = "plain"
    """By the looks of each segment alone: nothing was learned yet, or there is nothing to learn."""


@dataclass(frozen=True, slots=True)
class Label:
    """A path's template with named parameters. `confidence` is 0…1; `values` are what the parameters held."""

    template: str
    confidence: float
    """That this path has this template."""
    basis: Basis
    values: tuple[str, ...] = ()
    sure: float = 1.0
    """That there is such a template: the same for all its paths."""


UNSEEN = 0.5
"""Confidence in a segment of which nothing was learned."""
_ANY = "0"


_UNSEEN = Place(PARAMETER)


class Labeller:
    """Labels paths of one service."""

    def __init__(self, top: Place, settled: Settled | None = None) -> None:
        settled = settled or Settled()
        self.top = top
        self.settled = settled
        self.packed: bytes | None = None
        self._pinned = Table(settled.pinned)
        self._described = Table(settled.described)
        self._merged = settled.merged
        self._named = settled.named
        self._names: dict[tuple[int, ...], str] = {}
        self._ambiguous: dict[int, bool] = {}
        """Places (by `id`) of whose constants one looks like an identifier."""

    def of(self, path: str) -> Label:
        """The label of one path."""
        segments = path.split("/")[1:]
        for table, basis in ((self._pinned, Basis.PINNED), (self._described, Basis.DESCRIBED)):
            if table and (found := table.match(segments)) is not None:
                parts = zip(segments, found.split("/")[1:], strict=False)  # but for a slash at the end
                values = tuple(value for value, one in parts if "{" in one)
                return Label(self._renamed(self._merged.get(erased(found), found)), 1.0, basis, values)
        return self._learned(segments)

    def of_skeleton(self, segments: Sequence[str | None]) -> Label | None:
        """The label of every path with these segments, None where they differ and are identifiers.

        None where it is not the same for all of them, or is not known to be.
        """
        if len(segments) > DEEPEST:
            return None
        filled = [_ANY if one is None else one for one in segments]
        for table in (self._pinned, self._described):
            if table.has_identifiers:
                return None
            if table and table.match(filled) is not None:
                return self.of("/" + "/".join(filled))
        place: Place | None = self.top
        for segment in segments:
            if place is None:
                if segment is None:
                    return None
                continue
            if segment is None:
                if place.parameter is None or self._is_ambiguous(place):
                    return None
                place = place.parameter
            else:
                place = place.constants.get(segment) or (place.parameter if segment else None)
        return self._learned(filled)

    def _is_ambiguous(self, place: Place) -> bool:
        known = self._ambiguous.get(id(place))
        if known is None:
            known = self._ambiguous[id(place)] = any(map(is_identifier, place.constants))
        return known

    def _learned(self, segments: list[str]) -> Label:
        out: list[str] = []
        values: list[str] = []
        way: list[Place] = []
        place: Place | None = self.top
        confidence = sure = 1.0
        for segment in segments[:DEEPEST]:
            child = place.constants.get(segment) if place is not None else None
            if child is not None:
                sure = min(sure, child.sure)
                confidence = min(confidence, child.sure)
                out.append(_literal(segment))
            elif place is not None and place.parameter is not None and segment:
                child = place.parameter
                sure = min(sure, child.sure)
                confidence = min(confidence, place.values.get(segment, child.sure))
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
                sure = min(sure, UNSEEN)
                confidence = min(confidence, UNSEEN)
                out.append(_literal(segment))
            place = child
        if len(segments) > DEEPEST:
            out.append("{rest}")
            values.append("/".join(segments[DEEPEST:]))
        text = self._text(out, way)
        merged = self._merged.get(erased(text))
        if merged is not None:
            return Label(self._renamed(merged), 1.0, Basis.PINNED, tuple(values))
        return Label(self._renamed(text), round(confidence, 3), Basis.LEARNED, tuple(values), round(sure, 2))

    def _renamed(self, template: str) -> str:
        """A template with the names that people gave its parameters."""
        names = self._named.get(erased(template)) if self._named and "{" in template else None
        if names is None:
            return template
        left = iter(names)
        return NAME.sub(lambda found: f"{{{next(left, found[0][1:-1])}}}", template)

    def _text(self, segments: list[str], way: list[Place]) -> str:
        """The template with names; made once per template."""
        key = tuple(map(id, way))
        whole = "/" + "/".join(segments)
        if not way:
            return whole
        known = self._names.get((*key, hash(whole)))
        if known is not None:
            return known
        kinds = iter([_usual(place) for place in way])
        names = tuple(names_of(segments, [next(kinds) if one == PARAMETER else None for one in segments]))
        ordered = iter(names)
        text = "/" + "/".join(f"{{{next(ordered)}}}" if one == PARAMETER else one for one in segments)
        self._names[(*key, hash(whole))] = text
        return text


def _usual(place: Place) -> Kind | None:
    return place.usual if place.usual is not None else usual_kind(place.values)


def _literal(segment: str) -> str:
    """A constant as a template shows it: braces mean parameters there."""
    return segment.replace("{", "%7B").replace("}", "%7D") if "{" in segment or "}" in segment else segment
