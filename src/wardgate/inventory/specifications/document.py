"""JSON and YAML as plain values, bounded: in size, in depth, and in what aliases expand to.

YAML is put together from libyaml's events, not from its own tree: that one recurses in C, and 50,000 opening
brackets end the process. Only what JSON has is understood (`no` and dates stay text), as OpenAPI asks. An
alias shares its value, and what it would expand to is counted, so a billion laughs cost nothing. Keys that
are there twice are noted; the last one counts.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

import yaml

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.notes import Notes, Pointer, below

MOST_BYTES = 64 << 20
MOST_YAML_BYTES = 32 << 20
"""libyaml's events cost some 1 µs a byte."""
DEEPEST = 150
MOST_EXPANDED = 2_000_000
"""How many values aliases may stand for, in all."""
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')
_NUMBERS = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN|[0-9]{4300,}')
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def parse(content: bytes, notes: Notes, *, name: str = "") -> Any:
    """The value of a JSON or YAML text. `name` is the file's, and decides where the content does not.

    Raises `specification-too-large`, `specification-not-text`, `specification-not-json`,
    `specification-not-yaml`, `specification-too-deep` or `specification-aliases`.
    """
    text = text_of(content)
    start = text.lstrip()[:1]
    if name.lower().endswith(".json") or (
        start in ("{", "[") and not name.lower().endswith((".yaml", ".yml"))
    ):
        return _json(text, notes)
    _bounded(content, MOST_YAML_BYTES)
    return _Yaml(notes).read(text)


def text_of(content: bytes) -> str:
    """A document's text. Raises `specification-too-large` or `specification-not-text`."""
    _bounded(content, MOST_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WardgateError(
            "specification-not-text", f"the specification is not UTF-8 (byte {error.start})."
        ) from None


def _bounded(content: bytes, most: int) -> None:
    if len(content) > most:
        raise WardgateError("specification-too-large", f"the specification is larger than {most >> 20} MiB.")


class _Twice(dict[str, Any]):
    """An object with keys that were there twice."""

    names: tuple[str, ...] = ()


def _json(text: str, notes: Notes) -> Any:
    doubled = False

    def put(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        doubled = True
        twice = _Twice(made)
        twice.names = tuple(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
        return twice

    try:
        value = json.loads(text, object_pairs_hook=put, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise WardgateError(
            "specification-not-json",
            f"the specification is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.",
        ) from None
    except RecursionError:
        _too_deep(_deep_line(text))
    except ValueError:  # a number of thousands of digits, or NaN
        raise WardgateError(
            "specification-not-json",
            f"the specification is not JSON: {_no_number_at(text)}a number that JSON has not.",
        ) from None
    try:
        _shallow(value)
    except WardgateError:
        _too_deep(_deep_line(text))
    if doubled:
        _note_doubled(value, notes)
    return value


def _deep_line(text: str) -> int | None:
    """The line where a JSON text is nested too deeply."""
    depth = 0
    for one in _BRACKETS.finditer(text):
        depth += (one[0] in "[{") - (one[0] in "]}")
        if depth > DEEPEST:
            return text.count("\n", 0, one.start()) + 1
    return None


def _no_number_at(text: str) -> str:
    for one in _NUMBERS.finditer(text):
        if one[0][0] != '"':
            start = one.start()
            line = text.count("\n", 0, start) + 1
            return f"line {line}, column {start - text.rfind(chr(10), 0, start)}: "
    return ""


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _shallow(value: Any) -> None:
    """Raises `specification-too-deep`."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one) if isinstance(inner, (dict, list))]
        if not level:
            return
    _too_deep()


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _note_doubled(value: Any, notes: Notes) -> None:
    waiting: list[tuple[Pointer, Any]] = [("#", value)]
    while waiting:
        pointer, one = waiting.pop()
        if isinstance(one, _Twice):
            for name in one.names:
                notes.add("duplicate-key", below(pointer, name))
        inner = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        waiting += [(below(pointer, name), part) for name, part in inner if isinstance(part, (dict, list))]


def _too_deep(line: int | None = None) -> NoReturn:
    where = "" if line is None else f" at line {line}"
    raise WardgateError(
        "specification-too-deep", f"the specification nests deeper than {DEEPEST} levels{where}."
    )


class _Open:
    """A mapping or sequence that has not ended."""

    __slots__ = ("anchor", "key", "line", "merged", "size", "value")

    def __init__(self, value: Any, anchor: str | None, line: int) -> None:
        self.value = value
        self.anchor = anchor
        self.line = line
        self.key: str | None = None
        self.size = 1
        self.merged: list[Any] = []


class _Yaml:
    """Puts events together."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._unfinished: set[str] = set()
        self._expanded = 0
        self._top: Any = None

    def read(self, text: str) -> Any:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        documents = 0
        try:
            for event in yaml.parse(text, Loader=loader):
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents == 2:
                        self._notes.add("document-further", f"line {_line(event)}")
                        break
                else:
                    self._take(event)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its start"
            raise WardgateError(
                "specification-not-yaml", f"the specification is not YAML: {where}."
            ) from None
        _shallow(self._top)  # aliases nest what they stand for
        return self._top

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(self._open) >= DEEPEST:
                _too_deep(_line(event))
            if self._wants_key():
                _malformed(event, "a key is not text")
            made: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._open.append(_Open(made, event.anchor, _line(event)))
            if event.anchor:
                self._unfinished.add(event.anchor)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            done = self._open.pop()
            for merged in done.merged:
                for name, value in merged.items():
                    done.value.setdefault(name, value)
            if done.anchor:
                self._unfinished.discard(done.anchor)
                self._anchors[done.anchor] = done.value, done.size
            self._put(done.value, done.size, event)

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None

    def _scalar(self, event: Any) -> None:
        if self._wants_key():
            top = self._open[-1]
            if event.anchor:
                self._anchors[event.anchor] = event.value, 1
            top.key = event.value
            if event.value in top.value:
                self._notes.add("duplicate-key", f"line {_line(event)}")
            return
        value = _resolved(event.value) if event.implicit[0] else event.value
        if event.tag is not None and event.tag != "!":
            value = self._tagged(event)
        if event.anchor:
            self._anchors[event.anchor] = value, 1
        self._put(value, 1, event)

    def _tagged(self, event: Any) -> Any:
        if event.tag == "tag:yaml.org,2002:str":
            return event.value
        if event.tag.startswith("tag:yaml.org,2002:"):
            return _resolved(event.value)
        self._notes.add("tag-unknown", f"line {_line(event)}")
        return event.value

    def _alias(self, event: Any) -> None:
        if event.anchor in self._unfinished:
            raise WardgateError(
                "specification-aliases", f"an alias stands for itself at line {_line(event)}."
            )
        if event.anchor not in self._anchors:
            _malformed(event, "an alias stands for nothing")
        value, size = self._anchors[event.anchor]
        if self._wants_key():
            if not isinstance(value, str):
                _malformed(event, "a key is not text")
            self._open[-1].key = value
            return
        self._expanded += size
        if self._expanded > MOST_EXPANDED:
            raise WardgateError(
                "specification-aliases",
                f"its aliases stand for more than {MOST_EXPANDED:,} values (line {_line(event)}).",
            )
        self._put(value, size, event)

    def _put(self, value: Any, size: int, event: Any) -> None:
        if not self._open:
            self._top = value
            return
        top = self._open[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key == "<<" and (isinstance(value, dict) or _all_mappings(value)):
            top.merged += [value] if isinstance(value, dict) else value
            top.key = None
        else:
            top.value[top.key or ""] = value
            top.key = None


def _all_mappings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _malformed(event: Any, what: str) -> NoReturn:
    raise WardgateError(
        "specification-not-yaml", f"the specification is not YAML as used here: {what}, line {_line(event)}."
    )


def _resolved(text: str) -> Any:
    """What a plain scalar is, in YAML's JSON schema."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-.0123456789":
        if _INTEGER.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text
