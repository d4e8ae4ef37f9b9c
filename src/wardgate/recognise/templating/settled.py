"""What is settled: templates that specifications describe, and what people pinned, split, merged and named.

Settled templates win over learned ones for the paths they match: those of people first, then those of
specifications, then what was learned. Where several match, the one with a constant at the first difference
wins, as routers have it. Where none matches, a slash at the end is no difference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wardgate.recognise.templates import is_identifier


@dataclass(frozen=True, slots=True)
class Settled:
    """What is settled of one service."""

    described: tuple[str, ...] = ()
    """Templates of its specifications, base path included."""
    pinned: tuple[str, ...] = ()
    """Templates that people laid down; one with a constant where another has a parameter splits it."""
    merged: Mapping[str, str] = field(default_factory=dict)
    """Template with `{}` → the template its paths are filed under."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Template with `{}` → names of its parameters."""


class Table:
    """Known templates, matched segment by segment, constants first."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._top = _Step()
        self.has_identifiers = False
        """Whether a constant among them looks like an identifier: `/orders/42`."""
        for template in templates:
            step = self._top
            for segment in template.split("/")[1:]:
                if "{" in segment and "}" in segment:
                    step.parameter = step.parameter or _Step()
                    step = step.parameter
                else:
                    step = step.constants.setdefault(segment, _Step())
                    self.has_identifiers = self.has_identifiers or is_identifier(segment)
            step.template = step.template or template

    def match(self, segments: list[str]) -> str | None:
        """The template of a path's segments; every step of the table is looked at twice at most."""
        found = self._match(segments)
        if found is None and segments != [""]:
            found = self._match([*segments, ""] if segments[-1] else segments[:-1])
        return found

    def _match(self, segments: list[str]) -> str | None:
        waiting = [(self._top, 0)]
        while waiting:
            step, at = waiting.pop()
            if at == len(segments):
                if step.template is not None:
                    return step.template
                continue
            if step.parameter is not None and segments[at]:
                waiting.append((step.parameter, at + 1))
            constant = step.constants.get(segments[at])
            if constant is not None:
                waiting.append((constant, at + 1))
        return None

    def __bool__(self) -> bool:
        return bool(self._top.constants) or self._top.parameter is not None or self._top.template is not None


class _Step:
    __slots__ = ("constants", "parameter", "template")

    def __init__(self) -> None:
        self.constants: dict[str, _Step] = {}
        self.parameter: _Step | None = None
        self.template: str | None = None
