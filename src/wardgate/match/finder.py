"""Which classes of data many values belong to: names and values in columns, answers in columns.

The patterns of all classes are asked at once, three times ever more closely: one vectorised match finds the
few values worth looking at, an RE2 Set says which patterns they fit, and validators decide. Values under a
field that a class knows by name are asked for that class only. Nothing here keeps a value.
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
"""Occurrences in one value that are counted."""
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
        self._of_class: list[list[int]] = [[] for _ in self.classes]
        for form, (at, _, _) in enumerate(self._forms):
            self._of_class[at].append(form)
        lone = [form for form, (_, pattern, _) in enumerate(self._forms) if pattern.alone]
        self._lone_forms = lone
        self._lone_set = _set(_whole(self._forms[form][1]) for form in lone)
        self._lone_union = _union(self._forms[form][1] for form in lone)
        fields = [(at, regex) for at, one in enumerate(self.classes) for regex in one.fields]
        denials = [(at, regex) for at, one in enumerate(self.classes) for regex in one.not_fields]
        self._field_classes = [at for at, _ in fields]
        self._field_set = _set(rf"(?:^| )(?:{regex})$" for _, regex in fields)
        self._denied_classes = [at for at, _ in denials]
        self._denied_set = _set(rf"(?:^| )(?:{regex})$" for _, regex in denials)
        self._named = lru_cache(maxsize=65536)(self._named_by)
        self._union_of = lru_cache(maxsize=4096)(
            lambda classes: _union(self._forms[form][1] for at in classes for form in self._of_class[at])
        )

    def is_known_field(self, name: str) -> bool:
        """Whether any class knows the field by its (dotted) name."""
        return bool(self._named(words_of(name)).classes)

    def classes_of(self, value: str, name: str = "", *, is_bare: bool = False) -> list[Found]:
        """The classes of one value under a field's dotted name, surest first. `is_bare`: see `find`."""
        text = value[:LONGEST].encode("utf-8", "replace").decode()
        found = self._look(text, self._named(words_of(name)), is_bare)
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
        named = [self._named(words_of(name)) for name in names]
        kinds = {one: i for i, one in enumerate(dict.fromkeys(named))}
        kind_of = np.array([kinds[one] for one in named], np.int64)[name_of]
        suspect = pc.match_substring_regex(values, self._lone_union).to_numpy(zero_copy_only=False)
        if bare is not None:
            suspect &= ~bare
        for one, kind in kinds.items():
            if one.classes:
                at = np.flatnonzero((kind_of == kind) & ~suspect)
                if len(at):
                    fits = pc.match_substring_regex(values.take(pa.array(at)), self._union_of(one.classes))
                    suspect[at[fits.to_numpy(zero_copy_only=False)]] = True
        rows = np.flatnonzero(suspect)
        out = []
        asked = list(kinds)
        for row, value in zip(rows.tolist(), values.take(pa.array(rows)).to_pylist(), strict=True):
            is_bare = bare is not None and bool(bare[row])
            look = self._look(value, asked[kind_of[row]], is_bare)
            out += [(row, one, count, sure) for one, (sure, count) in look.items()]
        return _hits(out)

    def _look(self, value: str, name: _Named, is_bare: bool) -> dict[int, tuple[float, int]]:
        """Class → (confidence, count) of one value."""
        found: dict[int, tuple[float, int]] = {}
        for at in name.classes:
            for form in self._of_class[at]:
                self._try(form, value, self._forms[form][1].named, found)
        if not is_bare:
            for i in self._lone_set.Match(value.encode("utf-8", "replace")) or ():
                form = self._lone_forms[i]
                at, pattern, _ = self._forms[form]
                if at not in name.denied and at not in name.classes:
                    self._try(form, value, pattern.alone, found)
        if len(found) > 1:
            sure = {at: one for at, one in found.items() if not self.classes[at].fallback}
            return sure or found
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
        return _Named(tuple(sorted(known - denied)), denied)


@cache
def finder() -> Finder:
    """The finder of all known classes."""
    return Finder(data_classes())


def _compiled(one: DataClass, pattern: Pattern) -> "re2._Regexp":
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(_whole(pattern), options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if error.args else "not RE2"
        raise WardgateError("data-class-malformed", f"{one.name}: {why} in {pattern.regex!r}.") from error


def _whole(pattern: Pattern) -> str:
    return pattern.regex if pattern.within else rf"\A\s*((?:{pattern.regex}))\s*\z"


def _union(patterns: Iterable[Pattern]) -> str:
    """What matches wherever one of the patterns does, and may match more: counts are cut short.

    Arrow gives its RE2 little memory, and counted repetitions make so many states that it loses its speed.
    """
    return "|".join(_COUNTED.sub(_cut, f"(?:{_whole(one)})") for one in patterns) or r"\z\A."


_COUNTED = re.compile(r"(?<!\\x)\{(\d+)(,?)(\d*)\}")


def _cut(count: re.Match[str]) -> str:
    least = int(count[1])
    if least <= 2 and not count[2]:
        return count[0]
    return "*" if least == 0 else "+" if least == 1 else "{2,}"


def _set(patterns: Iterable[str]) -> "re2.Set":
    options = re2.Options()
    options.max_mem = _SET_BYTES
    made = re2.Set.SearchSet(options)
    for one in [*patterns, r"\z\A."]:  # a Set of nothing would complain at each question
        made.Add(one)
    made.Compile()
    return made


def _count(compiled: "re2._Regexp", pattern: Pattern, value: str) -> int:
    """Valid occurrences. What follows a match is looked at again: it may bound the next one."""
    count = start = 0
    while count < MOST:
        match: re.Match[str] | None = compiled.search(value, start)
        if match is None:
            break
        group = 1 if compiled.groups else 0
        text = match.group(group)
        if text and pattern.valid(text):
            count += 1
        end = match.end(group) if text else match.end()
        start = max(end, start + 1)
    return count


def _hits(found: list[tuple[int, int, int, float]]) -> Hits:
    rows, classes, counts, sure = zip(*found, strict=True) if found else ((), (), (), ())
    return Hits(
        np.array(rows, np.int64),
        np.array(classes, np.int64),
        np.array(counts, np.int64),
        np.array(sure, np.float64),
    )
