"""Which classes of data many values belong to: names and values in columns, answers in columns.

The patterns of all classes are asked at once, ever more closely: one question for many values finds those
worth looking at, an RE2 Set says which patterns they fit, and validators decide. Values under a field that a
class knows by name are asked for that class too. Nothing here keeps a value.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2

from wardgate.core.errors import WardgateError
from wardgate.match.classes.catalogue import data_classes
from wardgate.match.classes.shape import DataClass, Pattern, anything
from wardgate.match.field_names import words_of

LONGEST = 16_384
"""Characters of a value that are looked at."""
MOST = 1_000
"""Matches in one value that are looked at."""
_NEVER = 1 << 40
"""Bytes that no value has."""
_AT_ONCE = 64
_SET_BYTES = 256 << 20
"""What RE2 may use for a Set: the compiled patterns, and states that it makes as it meets text."""

Codes = npt.NDArray[np.int64]
_Search = Callable[[bytes, int, int], Sequence[tuple[int, int]]]
"""(text, start, end) to the spans of a match and of its groups; -1 for none."""


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
    least: int = field(compare=False)
    """Bytes of the shortest value that may be of one of the classes."""
    others: tuple[bool, ...] = field(compare=False, repr=False)
    """Which forms that stand alone are of classes of which the name says nothing."""


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
        names = {regex for one in self.classes for regex in (*one.fields, *one.general_fields) if regex}
        self._target_net = _set(
            [*(_net(self._forms[form][1] for form in self._lone) for _ in self._lone[:1]), _names_net(names)]
        )
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
            raw, named, self._fitting_named(raw, named), [] if is_bare else self._fitting_alone(raw)
        )
        return sorted(
            (Found(self.classes[at].name, sure, count) for at, (sure, count) in found.items()),
            key=lambda one: (-one.confidence, one.data_class),
        )

    def said_by(self, name: str) -> object:
        """What a field's dotted name says to all classes: names for which it is equal may be asked as one."""
        return self._named(words_of(name))

    def suspects(self, values: pa.Array) -> npt.NDArray[np.bool_]:
        """Which values (strings, no nulls) may hold a form that stands alone; most hold none."""
        if not len(values):
            return np.zeros(0, bool)
        if pc.max(pc.binary_length(values)).as_py() > LONGEST:
            values = pc.utf8_slice_codeunits(values, 0, LONGEST)
        out = self._netted(values, _AT_ONCE)
        for at_once in (8, 1):
            at = np.flatnonzero(out)
            if not len(at):
                break
            out[at] = self._netted(values.take(pa.array(at)), at_once)
        return out

    def may_carry(self, targets: pa.Array, *, is_query: bool = False) -> npt.NDArray[np.bool_]:
        """Which targets or queries (strings, no nulls) may hold a value of a class, by form or by name.

        One question for many: what stands between their marks becomes a line. Necessary, not sufficient.
        """
        out = np.zeros(len(targets), bool)
        odd = _ODD_QUERY if is_query else _ODD_TARGET
        coded = pc.match_substring_regex(targets, odd).to_numpy(zero_copy_only=False)
        plain = np.flatnonzero(~coded)
        out[coded] = True
        for at_once in (_AT_ONCE, 8, 1):
            if not len(plain):
                break
            caught = self._caught(targets.take(pa.array(plain)), at_once)
            plain = plain[caught]
        out[plain] = True
        return out

    def _caught(self, targets: pa.Array, at_once: int) -> npt.NDArray[np.bool_]:
        match = self._target_net.Match
        offsets = [*range(0, len(targets), at_once), len(targets)]
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), targets), "\n")
        caught = [bool(match(text.translate(_LINES))) for text in joined.cast(pa.binary()).to_pylist()]
        return np.repeat(np.array(caught, bool), np.diff(offsets))

    def find(
        self,
        values: pa.Array,
        names: Sequence[str],
        name_of: Codes,
        bare: npt.NDArray[np.bool_] | None = None,
        suspect: npt.NDArray[np.bool_] | None = None,
    ) -> Hits:
        """The classes of `values` (strings, no nulls), each under `names[name_of[row]]`.

        `bare` rows (numbers of a JSON body) mean nothing without a name that says so. `suspect` is what
        `suspects` says of the values, where that is known. Ask once for each distinct value and name.
        """
        if not len(values):
            return _hits([])
        if pc.max(pc.binary_length(values)).as_py() > LONGEST:
            values = pc.utf8_slice_codeunits(values, 0, LONGEST)
        used, name_of = np.unique(name_of, return_inverse=True)
        kinds = [self._named(words_of(names[one])) for one in used.tolist()]
        size = pc.binary_length(values).to_numpy(zero_copy_only=False)
        has_named = size >= np.array([one.least for one in kinds], np.int64)[name_of]
        # Values under one name are alike: together they leave the rest of the net empty.
        order = np.argsort(name_of, kind="stable")
        if suspect is None:
            suspect = np.empty(len(values), bool)
            suspect[order] = self.suspects(values.take(pa.array(order)))
        may_be_alone = suspect if bare is None else suspect & ~bare
        rows = order[(has_named | may_be_alone)[order]]
        texts = values.take(pa.array(rows)).cast(pa.binary()).to_pylist()
        out: list[tuple[int, int, int, float]] = []
        its_name, alone = name_of[rows], may_be_alone[rows]
        bounds = [*np.flatnonzero(np.diff(its_name, prepend=-1)).tolist(), len(rows)]
        for low, high in pairwise(bounds):
            out += self._under(
                kinds[int(its_name[low])], rows[low:high].tolist(), texts[low:high], alone[low:high].tolist()
            )
        return _hits(out)

    def _under(
        self, name: _Named, rows: list[int], texts: list[bytes], alone: list[bool]
    ) -> Iterator[tuple[int, int, int, float]]:
        """Hits of values under one name."""
        match = self._named_set(name.forms).Match if name.classes else None
        match_alone = self._lone_set.Match
        only = name.classes[0] if len(name.classes) == 1 else -1
        forms = [self._forms[form][1:] for form in name.forms]
        for row, raw, may_be_alone in zip(rows, texts, alone, strict=True):
            fits = match(raw) if match is not None else None
            found = match_alone(raw) if may_be_alone else None
            lone = [self._lone[i] for i in found if name.others[i]] if found else None
            if fits and not lone and only >= 0:
                count, sure = _surest([forms[i] for i in fits], raw)
                if count:
                    yield row, only, count, sure
            elif fits or lone:
                named = [name.forms[i] for i in fits or ()]
                for at, (sure, count) in self._decided(raw, name, named, lone or []).items():
                    yield row, at, count, sure

    def _netted(self, values: pa.Array, at_once: int) -> npt.NDArray[np.bool_]:
        """Where a form that stands alone may be: some values at a time, asked as one text."""
        match = self._net.Match
        if at_once == 1:
            return np.array([bool(match(text)) for text in values.cast(pa.binary()).to_pylist()], bool)
        offsets = [*range(0, len(values), at_once), len(values)]
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values), "\n")
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
        self, value: bytes, name: _Named, named_forms: list[int], lone_forms: list[int]
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

    def _try(self, form: int, value: bytes, confidence: float, found: dict[int, tuple[float, int]]) -> None:
        at, pattern, search = self._forms[form]
        before, counted = found.get(at, (0.0, 0))
        if counted and confidence <= before and not pattern.within:
            return  # one occurrence, no surer: it would add nothing
        count = _count(search, pattern, value)
        if count:
            found[at] = max(before, confidence), max(counted, count)

    def _named_by(self, words: str) -> _Named:
        text = words.encode("utf-8", "replace")
        denied = frozenset(self._denied_classes[i] for i in self._denied_set.Match(text) or ())
        known = {self._field_classes[i] for i in self._field_set.Match(text) or ()}
        general = {self._general_classes[i] for i in self._general_set.Match(text) or ()} - known - denied
        classes = tuple(sorted((known - denied) | general))
        forms = tuple(form for at in classes for form in self._of_class[at])
        said = denied | {*classes}
        return _Named(
            classes,
            denied,
            frozenset(general),
            forms,
            min((self._forms[form][1].least for form in forms), default=_NEVER),
            tuple(self._forms[form][0] not in said for form in self._lone),
        )


@cache
def finder() -> Finder:
    """The finder of all known classes."""
    return Finder(data_classes())


def _compiled(one: DataClass, pattern: Pattern) -> _Search:
    """What searches for a pattern, whose first group is the value."""
    options = re2.Options()
    options.log_errors = False
    try:
        whole = re2.compile(_whole(pattern), options)
        found = whole if whole.groups else re2.compile(f"({pattern.regex})", options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if error.args else "not RE2"
        raise WardgateError("data-class-malformed", f"{one.name}: {why} in {pattern.regex!r}.") from error
    # What the library's own `search` calls, without the objects that it makes: half of the time.
    return partial(found._regexp.Match, re2._Anchor.UNANCHORED)


def _whole(pattern: Pattern) -> str:
    return pattern.regex if pattern.within else rf"\A\s*((?:{pattern.regex}))\s*\z"


def _net(patterns: Iterable[Pattern]) -> str:
    """What matches in lines wherever one of the patterns matches in one of them, and may match more.

    Anchors hold for lines, and counted repetitions, which would make very many states, are cut short.
    """
    whole = "|".join(f"(?:{_whole(one)})" for one in patterns)
    return "(?m)" + _COUNTED.sub(_cut, whole).replace(r"\A", "^").replace(r"\z", "$")


def _names_net(fields: Iterable[str]) -> str:
    """What matches in lines wherever `words_of` one of them is a name that a field's regex knows."""
    loose = "|".join(f"(?:{_SPACE.sub('[^a-z]*', one)})" for one in sorted(fields))
    return f"(?im)(?:{loose})[^a-z\\n]*$"


_ODD_QUERY = r"[%+/?#]|=[^&]*=|(?:^|&)[^=&]+(?:&|$)|(?:^|&)="
_ODD_TARGET = r"[%+]|\?.*[/?#]|=[^&]*=|^[^?]*[=&]|[?&][^=&]+(?:&|$)|[?&]="
"""What is encoded, has a mark inside a value, or a value without a name: to be looked at closely."""
_SPACE = re.compile(r" \??")
_LINES = bytes(ord("\n") if chr(i) in "/?&=#" else i for i in range(256))
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


def _is_valid(pattern: Pattern, text: bytes) -> bool:
    """What the validator says. Libraries stumble over numbers that are none: such a value is not valid."""
    if pattern.valid is anything:
        return True
    try:
        return bool(pattern.valid(text.decode()))
    except Exception:  # noqa: BLE001
        return False


def _is_whole(pattern: Pattern, value: bytes) -> bool:
    """Whether a value that fits a pattern as a whole is valid."""
    return _is_valid(pattern, value if value == value.strip() else value.decode().strip().encode())


def _surest(forms: list[tuple[Pattern, _Search]], value: bytes) -> tuple[int, float]:
    """How often, and how surely, a value that has these forms of one class by name is of it."""
    counted, sure = 0, 0.0
    for pattern, search in forms:
        if counted and pattern.named <= sure and not pattern.within:
            continue  # one occurrence, no surer: it would add nothing
        count = _count(search, pattern, value)
        if count:
            counted, sure = max(counted, count), max(sure, pattern.named)
    return counted, sure


def _count(search: _Search, pattern: Pattern, value: bytes) -> int:
    """Valid occurrences in a value that has the form. What follows a match may bound the next one."""
    if not pattern.within:
        return int(_is_whole(pattern, value))
    count = start = 0
    end = len(value)
    for _ in range(MOST):
        spans = search(value, start, end)
        if spans[0][0] < 0:
            break
        low, high = spans[1]
        if high > low:
            count += _is_valid(pattern, value[low:high])
        else:
            high = spans[0][1]
        start = max(high, start + 1)
        if start >= end:
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
