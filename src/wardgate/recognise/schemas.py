"""What schemas of bodies are made of: how often which kind of value stood at each place, in columns.

A tally is a row (group, place, kind, format, constant, count). Tallies of several batches add up, so neither
the order of calls nor how they were cut into batches matters. `inventory.body_schemas` reads them.

Constants are words (`in_progress`) at a place where a batch shows nothing else, and few of them; never values
under a name that tells of a person, a secret or free text. A string without a constant says that the place
holds other strings: it is no enumeration, whatever else stood there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.match.field_names import words_of
from wardgate.match.finder import Finder
from wardgate.match.secrets import carries_secret, is_secret_name
from wardgate.recognise.bodies import Kind, Walked, child_place
from wardgate.recognise.body_bounds import MOST_FIELDS
from wardgate.recognise.distinct import Codes, compressed
from wardgate.recognise.formats import FORMATS, PLAIN, formats

MOST_PLACES = 1_000
"""Places of one schema: the shallowest, and the first by name."""
MOST_CONSTANTS = 16

_CONSTANT = (
    r"^(?:[a-z]{1,24}(?:[_-](?:[a-z]{1,16}|[0-9]{1,3})){0,3}"
    r"|[A-Z]{1,24}(?:[_-](?:[A-Z]{1,16}|[0-9]{1,3})){0,3}|[A-Z][a-z]{1,24})$"
)
_LONGEST_CONSTANT = 80
_FREE = re.compile(
    r"(?:^| )(?:id|ids|key|keys|name|names|title|text|body|content|description|message|comment|note|label"
    r"|slug|user|username|login|handle|nick|alias|author|owner|assignee|creator|member|actor|by|from|to"
    r"|person|people|customer|client|contact|host|domain|city|town|country|company|team"
    r"|tags?|value|values|query|q|search|path|url|hash|salt)$"
)
_STRING = 8
"""What a string counts as: this and its format. Below stand the kinds of all other values."""
_WIDE = _STRING + len(FORMATS) + 1
_DENSE = 1 << 22
_Part = tuple[Codes, Codes, Codes, Codes]


@dataclass(slots=True)
class Tallies:
    """Tallies of a batch's bodies in one direction, as they come."""

    places: Sequence[str] = ()
    """Texts of the places, by the index that walked bodies have."""
    parents: Sequence[int] = ()
    counts: list[tuple[Codes, Codes, Codes, Codes]] = field(default_factory=list)
    """(group, place, what, count), without constants."""
    constants: list[tuple[Codes, Codes, pa.Array, Codes]] = field(default_factory=list)
    """(group, place, word, count)."""

    def add(
        self,
        walked: Walked,
        texts: pa.Array,
        value: Codes,
        free: npt.NDArray[np.bool_],
        body: Codes,
        group: Codes,
        count: Codes,
    ) -> None:
        """Count walked bodies: `body[i]` was seen `count[i]` times in `group[i]` (sorted by body).

        `texts` are the distinct strings of the walked rows, `value` which one each row has; `free` says of
        which places no constant is told.
        """
        strings = len(value)
        form = formats(texts)
        what = walked.kind.copy()
        what[:strings] = np.where(what[:strings] == Kind.KEY, -1, _STRING + form[value])
        groups, own = np.unique(group, return_inverse=True)
        document, place = walked.document, walked.place
        row, its_group, weight = _seen(document, what >= 0, body, own, count, len(walked.items))
        if row is not None:
            if not len(row):
                return
            what, place = what[row], place[row]
        # (group, place), few of which come together, and then what stood there.
        wide = len(walked.places)
        used, where = compressed(its_group * wide + place, len(groups) * wide)
        at, many = _tally(where * _WIDE + what, len(used) * _WIDE, weight)
        at, its = np.divmod(at, _WIDE)
        words, word = self._words(texts, form, value, free, place, row)
        told = np.zeros(len(at), bool)
        if len(words):
            key, counts = _tally_sparse(
                where[words] * len(texts) + word, None if weight is None else weight[words]
            )
            place, word = np.divmod(key, len(texts))
            # Only where all strings of the place are words, and few.
            distinct, first, number = np.unique(place, return_index=True, return_counts=True)
            is_string = its >= _STRING
            strings_there = _summed(at[is_string], many[is_string], distinct)
            good = (np.add.reduceat(counts, first) == strings_there) & (number <= MOST_CONSTANTS)
            chosen = np.repeat(good, number)
            self.constants.append(
                (
                    groups[used[place[chosen]] // wide],
                    used[place[chosen]] % wide,
                    texts.take(pa.array(word[chosen])),
                    counts[chosen],
                )
            )
            told = (its == _STRING + len(FORMATS)) & np.isin(at, distinct[good])
        at, its, many = used[at[~told]], its[~told], many[~told]
        self.counts.append((groups[at // wide], at % wide, its, many))

    @staticmethod
    def _words(
        texts: pa.Array,
        form: Codes,
        value: Codes,
        free: npt.NDArray[np.bool_],
        place: Codes,
        row: Codes | None,
    ) -> tuple[Codes, Codes]:
        """Which of the rows hold a word that may be a constant, and which word."""
        if row is None:
            chosen = np.flatnonzero(~free[place[: len(value)]])
            asked = value[chosen]
        else:
            chosen = np.flatnonzero(row < len(value))
            chosen = chosen[~free[place[chosen]]]
            asked = value[row[chosen]]
        are = _are_words(texts, form, asked)[asked]
        return chosen[are], asked[are]

    def table(self) -> pa.Table:
        """All tallies: `group`, `place`, `kind`, `format`, `constant`, `count`; places are bounded."""
        if not self.counts and not self.constants:
            return _EMPTY
        group, place, what, count = (np.concatenate(one) for one in zip(*self.counts, strict=True))
        words = pa.nulls(len(group), pa.string())
        if self.constants:
            told = list(zip(*self.constants, strict=True))
            words = pa.concat_arrays([words, *told[2]])
            word_group, word_place, word_count = (np.concatenate(told[i]) for i in (0, 1, 3))
            group, place = np.concatenate((group, word_group)), np.concatenate((place, word_place))
            what = np.concatenate((what, np.full(len(word_group), _STRING + len(FORMATS), np.int64)))
            count = np.concatenate((count, word_count))
        place, names = self._bounded(group, place)
        kept = place >= 0
        found = pa.table(
            {
                "group": group[kept],
                "place": place[kept],
                "what": what[kept],
                "constant": words.filter(pa.array(kept)),
                "count": count[kept],
            }
        )
        found = found.group_by(["group", "place", "what", "constant"]).aggregate([("count", "sum")])
        what = found["what"].to_numpy()
        return pa.table(
            {
                "group": found["group"],
                "place": pa.array(names, pa.string()).take(found["place"]),
                "kind": _KIND_NAMES.take(pa.array(np.minimum(what, _STRING))),
                "format": _FORMAT_NAMES.take(pa.array(np.maximum(what - _STRING + 1, 0))),
                "constant": found["constant"],
                "count": found["count_sum"],
            }
        )

    def _bounded(self, group: Codes, place: Codes) -> tuple[Codes, list[str]]:
        """Places with the keys of a group's maps left out, and -1 for those that are too many of a group."""
        names = list(self.places)
        wide = len(names)
        pairs, inverse = np.unique(group * wide + place, return_inverse=True)
        its_group, its_place = np.divmod(pairs, wide)
        parent = np.array(self.parents, np.int64)[its_place]
        below = (its_group * wide + parent)[its_place > 0]
        fields, number = np.unique(below, return_counts=True)
        crowded = fields[number > MOST_FIELDS]
        if len(crowded):
            maps: dict[int, set[int]] = {}
            for one in crowded.tolist():
                maps.setdefault(one // wide, set()).add(one % wide)
            known = {name: i for i, name in reversed(list(enumerate(names)))}
            for at in np.flatnonzero(np.isin(its_group, list(maps))).tolist():
                text = self._without_keys(int(its_place[at]), maps[int(its_group[at])])
                if text not in known:
                    known[text] = len(names)
                    names.append(text)
                its_place[at] = known[text]
        sizes = np.bincount(its_group)
        for one in np.flatnonzero(sizes > MOST_PLACES).tolist():
            own = np.flatnonzero(its_group == one)
            texts = sorted({names[i] for i in its_place[own].tolist()}, key=depth)
            beyond = set(texts[MOST_PLACES:])
            for at in own.tolist():
                if names[its_place[at]] in beyond:
                    its_place[at] = -1
        out: Codes = its_place[inverse]
        return out, names

    def _without_keys(self, place: int, maps: set[int]) -> str:
        """A place with the keys of `maps` as `*`."""
        way: list[int] = []
        while place:
            way.append(place)
            place = self.parents[place]
        text = ""
        for at in reversed(way):
            parent = self.parents[at]
            name = self.places[at][len(self.places[parent]) :].removeprefix(".")
            text = child_place(text, "*" if parent in maps and name != "[]" else name)
        return text


def depth(place: str) -> tuple[int, str]:
    """How places are ordered where there are too many of them."""
    return place.count(".") + place.count("[]") + bool(place), place


def is_free(place: str, known: Finder) -> bool:
    """Whether a place's name tells of a person, a secret or free text: its values are nobody's constants."""
    last = re.split(r"[.\[]", place.rstrip("[]"))[-1]
    return (
        bool(_FREE.search(words_of(place.replace("[]", ""))))
        or "*" in place
        or is_secret_name(last)
        or known.is_known_field(place)
    )


_NAMES = [one.name.lower() for one in Kind if one is not Kind.KEY]
_KIND_NAMES = pa.array([*_NAMES, *[None] * (_STRING - len(_NAMES)), "string"], pa.string())
_FORMAT_NAMES = pa.array([None, *(name for name, _ in FORMATS), PLAIN], pa.string())
_EMPTY = pa.table(
    {
        "group": pa.array([], pa.int64()),
        "place": pa.array([], pa.string()),
        "kind": pa.array([], pa.string()),
        "format": pa.array([], pa.string()),
        "constant": pa.array([], pa.string()),
        "count": pa.array([], pa.int64()),
    }
)


def _seen(
    document: Codes, kept: npt.NDArray[np.bool_], body: Codes, own: Codes, count: Codes, bodies: int
) -> tuple[Codes | None, Codes, Codes | None]:
    """(row, group, count) for every group that saw a row's document, of the rows that are kept.

    Without rows: all of them, in order; without counts: one each.
    """
    many = np.bincount(body, minlength=bodies)
    if many.max(initial=0) > 1:
        start = np.cumsum(many) - many
        its = np.where(kept, many[document], 0)
        row = np.repeat(np.arange(len(its)), its)
        pair = np.repeat(start[document] - np.cumsum(its) + its, its) + np.arange(len(row))
        return row, own[pair], count[pair]
    group_of, count_of = np.zeros(bodies, np.int64), np.zeros(bodies, np.int64)
    group_of[body], count_of[body] = own, count
    rows = None
    if many.min(initial=1) == 0:
        rows = np.flatnonzero(kept & (many > 0)[document])
    elif not kept.all():
        rows = np.flatnonzero(kept)
    document = document if rows is None else document[rows]
    return rows, group_of[document], count_of[document] if count.max(initial=1) > 1 else None


def _tally(key: Codes, size: int, weight: Codes | None) -> tuple[Codes, Codes]:
    """Distinct keys (below `size`), in order, and the sum of weights of each (None: one each)."""
    if size > _DENSE:
        return _tally_sparse(key, weight)
    sums = np.bincount(key, weight, size)
    found = np.flatnonzero(sums)
    return found, sums[found].astype(np.int64)


def _tally_sparse(key: Codes, weight: Codes | None) -> tuple[Codes, Codes]:
    found, inverse = np.unique(key, return_inverse=True)
    return found, np.bincount(inverse, weight).astype(np.int64)


def _summed(key: Codes, many: Codes, wanted: Codes) -> Codes:
    """The sum of `many` for each wanted key; `key` is in order."""
    start, end = np.searchsorted(key, wanted, "left"), np.searchsorted(key, wanted, "right")
    sums = np.concatenate(([0], np.cumsum(many)))
    out: Codes = sums[end] - sums[start]
    return out


def _are_words(texts: pa.Array, form: Codes, asked: Codes) -> npt.NDArray[np.bool_]:
    """Which distinct strings, of those asked for, may be constants."""
    out = np.zeros(len(texts), bool)
    out[asked] = True
    size = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    out &= (form == len(FORMATS)) & (size > 0) & (size <= _LONGEST_CONSTANT)
    at = np.flatnonzero(out)
    some = texts.take(pa.array(at))
    fits = pc.match_substring_regex(some, _CONSTANT).to_numpy(zero_copy_only=False)
    long = np.flatnonzero(fits & (size[at] >= 12))
    fits = fits.copy()
    fits[long] = [not carries_secret(one) for one in some.take(pa.array(long)).to_pylist()]
    out[at] = fits
    return out
