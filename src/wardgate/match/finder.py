"""Which classes of data many values belong to: names and values in columns, answers in columns.

The patterns of all classes are asked at once, ever more closely: one question for many values finds those
worth looking at, an RE2 Set says which patterns they fit, and validators decide. Values under a field that a
class knows by name are asked for that class too. Nothing here keeps a value.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2

from wardgate.core.errors import WardgateError
from wardgate.match.classes.catalogue import data_classes
from wardgate.match.classes.shape import DataClass, Pattern
from wardgate.match.field_names import words_of

LONGEST = 16_384
"""Characters of a value that are looked at."""
MOST = 1_000
"""Matches in one value that are looked at."""
_AT_ONCE = 64
_SET_BYTES = 256 << 20
"""What RE2 may use for a Set: the compiled patterns, and states that it makes as it meets text."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """One class found in one value: how sure (0 to 1), and how often."""

    data_class: str
    confidence: float
    count: int


@dataclass(frozen=True, slots=True)
class Hits:
    """Classes found in rows: parallel columns. `data_class` is an index into `Finder.classes`."""

    row: Codes
    data_class: Codes
    count: Codes
    confidence: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Named:
    """What a field's name says: the classes it may hold, and those it cannot."""

    classes: tuple[int, ...]
    denied: frozenset[int]
    general: frozenset[int]
    """Those of the classes that share the name with many."""
    forms: tuple[int, ...]


class Finder:
    """Finds the given classes. Thread-safe once made; making it compiles every pattern (tens of ms)."""

    def __init__(self, classes: Iterable[DataClass]) -> None:
        self.classes = tuple(classes)
        """Classes, in the order of their indices."""
        self._forms = [
            (at, pattern, _compiled(one, pattern))
            for at, one in enumerate(self.classes)
            for pattern in one.patterns
        ]
        self._fallbacks = frozenset(at for at, one in enumerate(self.classes) if one.fallback)
        self._of_class: list[list[int]] = [[] for _ in self.classes]
        for form, (at, _, _) in enumerate(self._forms):
            self._of_class[at].append(form)
        self._lone = [form for form, (_, pattern, _) in enumerate(self._forms) if pattern.alone]
        self._lone_set = _set(_whole(self._forms[form][1]) for form in self._lone)
        self._net = _set([_net(self._forms[form][1] for form in self._lone)] if self._lone else [])
        fields = [(at, regex) for at, one in enumerate(self.classes) for regex in one.fields]
        general = [(at, regex) for at, one in enumerate(self.classes) for regex in one.general_fields]
        denials = [(at, regex) for at, one in enumerate(self.classes) for regex in one.not_fields]
        self._field_classes = [at for at, _ in fields]
        self._field_set = _set(rf"(?:^| )(?:{regex})$" for _, regex in fields)
        self._general_classes = [at for at, _ in general]
        self._general_set = _set(rf"(?:^| )(?:{regex})$" for _, regex in general)
        self._denied_classes = [at for at, _ in denials]
        self._denied_set = _set(rf"(?:^| )(?:{regex})$" for _, regex in denials)
        self._named = lru_cache(maxsize=65536)(self._named_by)
        self._named_set = lru_cache(maxsize=4096)(
            lambda forms: _set(_whole(self._forms[form][1]) for form in forms)
        )

    def is_known_field(self, name: str) -> bool:
        """Whether any class knows the field by its (dotted) name."""
        return bool(self._named(words_of(name)).classes)

    def alike(self, names: Sequence[str]) -> Codes:
        """For each name the index of the first that says the same to every class (most say nothing)."""
        first: dict[_Named, int] = {}
        said = (self._named(words_of(name)) for name in names)
        return np.array([first.setdefault(one, i) for i, one in enumerate(said)], np.int64)

    def classes_of(self, value: str, name: str = "", *, is_bare: bool = False) -> list[Found]:
        """The classes of one value under a field's dotted name, surest first. `is_bare`: see `find`."""
        raw = value[:LONGEST].encode("utf-8", "replace")
        named = self._named(words_of(name))
        found = self._decided(
            raw.decode(), named, self._fitting_named(raw, named), [] if is_bare else self._fitting_alone(raw)
        )
        return sorted(
            (Found(self.classes[at].name, sure, count) for at, (sure, count) in found.items()),
            key=lambda one: (-one.confidence, one.data_class),
        )

    def find(
        self,
        values: pa.Array,
        names: Sequence[str],
        name_of: Codes,
        bare: npt.NDArray[np.bool_] | None = None,
    ) -> Hits:
        """The classes of `values` (strings, no nulls), each under `names[name_of[row]]`.

        `bare` rows (numbers of a JSON body) mean nothing without a name that says so. Ask once for each
        distinct value and name.
        """
        if not len(values):
            return _hits([])
        if pc.max(pc.binary_length(values)).as_py() > LONGEST:
            values = pc.utf8_slice_codeunits(values, 0, LONGEST)
        kinds = [self._named(words_of(name)) for name in names]
        has_named = np.array([bool(one.classes) for one in kinds], bool)[name_of]
        # Values under one name are alike: together they leave the rest of the net empty.
        order = np.argsort(name_of, kind="stable")
        may_be_alone = np.empty(len(values), bool)
        may_be_alone[order] = self._netted(values.take(pa.array(order)))
        if bare is not None:
            may_be_alone &= ~bare
        rows = np.flatnonzero(has_named | may_be_alone)
        texts = values.take(pa.array(rows)).cast(pa.binary()).to_pylist()
        out: list[tuple[int, int, int, float]] = []
        for row, alone, kind, raw in zip(
            rows.tolist(), may_be_alone[rows].tolist(), name_of[rows].tolist(), texts, strict=True
        ):
            name = kinds[kind]
            named_forms = self._fitting_named(raw, name)
            lone_forms = self._fitting_alone(raw) if alone else []
            if named_forms or lone_forms:
                found = self._decided(raw.decode(), name, named_forms, lone_forms)
                out += [(row, at, count, sure) for at, (sure, count) in found.items()]
        return _hits(out)

    def _netted(self, values: pa.Array) -> npt.NDArray[np.bool_]:
        """Where a form that stands alone may be: many values, asked as one text."""
        offsets = [*range(0, len(values), _AT_ONCE), len(values)]
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values), "\n")
        match = self._net.Match
        caught = [bool(match(text)) for text in joined.cast(pa.binary()).to_pylist()]
        return np.repeat(np.array(caught, bool), np.diff(offsets))

    def _fitting_named(self, raw: bytes, name: _Named) -> list[int]:
        """The forms of the name's classes that a value has."""
        if not name.classes:
            return []
        forms = name.forms
        return [forms[i] for i in self._named_set(forms).Match(raw) or ()]

    def _fitting_alone(self, raw: bytes) -> list[int]:
        """The forms that stand alone and that a value has."""
        return [self._lone[i] for i in self._lone_set.Match(raw) or ()]

    def _decided(
        self, value: str, name: _Named, named_forms: list[int], lone_forms: list[int]
    ) -> dict[int, tuple[float, int]]:
        """Class → (confidence, count), once the validators have spoken."""
        found: dict[int, tuple[float, int]] = {}
        for form in named_forms:
            self._try(form, value, self._forms[form][1].named, found)
        for form in lone_forms:
            at, pattern, _ = self._forms[form]
            if at not in name.denied and at not in name.classes:
                self._try(form, value, pattern.alone, found)
        if len(found) > 1:
            for lesser in (self._fallbacks, name.general):
                if lesser:
                    found = {at: one for at, one in found.items() if at not in lesser} or found
        return found

    def _try(self, form: int, value: str, confidence: float, found: dict[int, tuple[float, int]]) -> None:
        at, pattern, compiled = self._forms[form]
        count = _count(compiled, pattern, value)
        if count:
            before, counted = found.get(at, (0.0, 0))
            found[at] = max(before, confidence), max(counted, count)

    def _named_by(self, words: str) -> _Named:
        text = words.encode("utf-8", "replace")
        denied = frozenset(self._denied_classes[i] for i in self._denied_set.Match(text) or ())
        known = {self._field_classes[i] for i in self._field_set.Match(text) or ()}
        general = {self._general_classes[i] for i in self._general_set.Match(text) or ()} - known - denied
        classes = tuple(sorted((known - denied) | general))
        return _Named(
            classes, denied, frozenset(general), tuple(form for at in classes for form in self._of_class[at])
        )


@cache
def finder() -> Finder:
    """The finder of all known classes."""
    return Finder(data_classes())


def _compiled(one: DataClass, pattern: Pattern) -> "re2._Regexp":
    """A pattern whose first group is the value."""
    options = re2.Options()
    options.log_errors = False
    try:
        whole = re2.compile(_whole(pattern), options)
        return whole if whole.groups else re2.compile(f"({pattern.regex})", options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if error.args else "not RE2"
        raise WardgateError("data-class-malformed", f"{one.name}: {why} in {pattern.regex!r}.") from error


def _whole(pattern: Pattern) -> str:
    return pattern.regex if pattern.within else rf"\A\s*((?:{pattern.regex}))\s*\z"


def _net(patterns: Iterable[Pattern]) -> str:
    """What matches in lines wherever one of the patterns matches in one of them, and may match more.

    Anchors hold for lines, and counted repetitions, which would make very many states, are cut short.
    """
    whole = "|".join(f"(?:{_whole(one)})" for one in patterns)
    return "(?m)" + _COUNTED.sub(_cut, whole).replace(r"\A", "^").replace(r"\z", "$")


_COUNTED = re.compile(r"(?<!\\x)\{(\d+)(,?)(\d*)\}")


def _cut(count: re.Match[str]) -> str:
    least = int(count[1])
    if least <= 4 and not count[2]:
        return count[0]
    return "*" if least == 0 else "+"


def _set(patterns: Iterable[str]) -> "re2.Set":
    options = re2.Options()
    options.max_mem = _SET_BYTES
    made = re2.Set.SearchSet(options)
    for one in [*patterns, r"\z\A."]:  # a Set of nothing would complain at each question
        made.Add(one)
    made.Compile()
    return made


def _is_valid(pattern: Pattern, text: str) -> bool:
    """What the validator says. Libraries stumble over numbers that are none: such a value is not valid."""
    try:
        return bool(pattern.valid(text))
    except Exception:  # noqa: BLE001
        return False


def _count(compiled: "re2._Regexp", pattern: Pattern, value: str) -> int:
    """Valid occurrences. What follows a match is looked at again: it may bound the next one."""
    if not pattern.within:
        match = compiled.search(value)
        return int(match is not None and _is_valid(pattern, match.group(1)))
    count = start = 0
    for _ in range(MOST):
        match = compiled.search(value, start)
        if match is None:
            break
        text = match.group(1)
        count += bool(text) and _is_valid(pattern, text)
        start = max(match.end(1) if text else match.end(), start + 1)
        if start >= len(value):
            break
    return count


def _hits(found: list[tuple[int, int, int, float]]) -> Hits:
    rows, classes, counts, sure = zip(*found, strict=True) if found else ((), (), (), ())
    return Hits(
        np.array(rows, np.int64),
        np.array(classes, np.int64),
        np.array(counts, np.int64),
        np.array(sure, np.float64),
    )
