"""What the bodies of a batch carry, from one walk: data classes, schemas, identifiers, and how many items.

Each distinct body is walked once, some hundred at a time, so that what is decoded stays in the processor's
caches; from then on all is columns. Values leave as classes, counts, keyed ids, and words of enumerations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import Ids, mixed
from wardgate.core.keys import Key
from wardgate.core.object_ids import ObjectIds
from wardgate.match.finder import Finder, finder
from wardgate.match.signals.noticing import Noticing
from wardgate.match.signals.shape import Side
from wardgate.recognise.bodies import Kind, Walked, Walker, is_name, uncollected
from wardgate.recognise.distinct import Codes, combined, compressed, spread
from wardgate.recognise.identifiers import MOST as MOST_OBJECTS
from wardgate.recognise.identifiers import is_identifier
from wardgate.recognise.known_shapes import KnownShapes
from wardgate.recognise.located import Located
from wardgate.recognise.schemas import Tallies, is_free

AT_ONCE, BYTES_AT_ONCE = 1024, 2 << 20
"""Bodies that are walked together: so many, of so many bytes in all."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What the bodies of one direction carry, row by row."""

    located: Located
    shapes: Ids
    """Keyed id of what stands where in the row's body; 0 where it has no structure."""
    items: Codes
    """Length of the body's one list; -1 where there is none."""
    objects: tuple[Codes, pa.Array, Ids]
    """Identifiers: (row, place, keyed hash), in the order of rows."""
    tallies: Tallies
    outlines: Ids
    """Keyed id of the names at the top of the row's body, or of what its list holds; 0 without any."""
    signals: Located | None = None
    """What content rules notice in the bodies' values; None where they were not asked."""


class _Places:
    """What is known of the places that a walker has met, by their index."""

    def __init__(self, known: Finder, key: Key) -> None:
        self._known, self._key = known, key
        self.names: list[str] = []
        self.alike: Codes = np.empty(0, np.int64)
        """The first place whose name says the same to every class."""
        self.named, self.free, self.identifies = _NONE, _NONE, _NONE
        self.ids: Ids = np.empty(0, np.int64)
        """A keyed id for every place and kind."""
        self._firsts: dict[object, int] = {}

    def meet(self, places: Sequence[str]) -> None:
        """Learn the places that are new."""
        start = len(self.names)
        if len(places) == start:
            return
        new = list(islice(places, start, None))
        said = [_of_place(self._known, one) for one in new]
        alike = [self._firsts.setdefault(one[0], start + i) for i, one in enumerate(said)]
        self.names += new
        self.alike = np.concatenate((self.alike, np.array(alike, np.int64)))
        self.named = np.concatenate((self.named, np.array([one[1] for one in said], bool)))
        self.free = np.concatenate((self.free, np.array([one[2] for one in said], bool)))
        self.identifies = np.concatenate((self.identifies, np.array([one[3] for one in said], bool)))
        ids = np.repeat(np.array(self._key.ids64("place", new), np.int64), len(Kind))
        self.ids = np.concatenate((self.ids, mixed(ids, np.tile(np.arange(1, len(Kind) + 1), len(new)))))


_NONE = np.empty(0, bool)


@lru_cache(maxsize=65536)
def _of_place(known: Finder, place: str) -> tuple[object, bool, bool, bool]:
    says = known.said_by(place)
    return says, known.is_known_field(place), is_free(place, known), is_identifier(place)


class BodyReader:
    """Reads the bodies of batches under one key."""

    def __init__(self, key: Key, known: Finder | None = None) -> None:
        self._key = key
        self._known = known or finder()
        self._object_ids = ObjectIds(key)
        self._shapes = KnownShapes(is_name)

    def read(
        self,
        column: pa.ChunkedArray,
        groups: Codes,
        prefix: str,
        rules: Noticing | None = None,
        families: Ids | None = None,
    ) -> Carried:
        """What a column of bodies carries. `groups` says for each row whose schema its body belongs to.

        `rules` are the content rules to ask about its values; `families` says for each group which bodies, of
        this batch and of others, are alike.
        """
        with uncollected():
            return self._read(column, groups, prefix, rules, families)

    def _read(
        self,
        column: pa.ChunkedArray,
        groups: Codes,
        prefix: str,
        rules: Noticing | None,
        families: Ids | None,
    ) -> Carried:
        bodies, codes = _distinct(column)
        family = _families(codes, groups, families, len(bodies))
        walker = Walker(self._shapes)
        places = _Places(self._known, self._key)
        seen = _Seen(codes, groups, len(bodies))
        tallies = Tallies()
        shapes = np.zeros(len(bodies), np.int64)
        outlines = np.zeros(len(bodies), np.int64)
        items = np.full(len(bodies), -1, np.int64)
        entries: list[tuple[Codes, Codes, Codes, Codes]] = []
        objects: list[tuple[Codes, Codes, Ids]] = []
        noticed: list[tuple[Codes, Codes, Codes, Codes]] = []
        for start, end in pairwise(_bounds(bodies)):
            walked = walker.walk(bodies[start:end], family[start:end])
            places.meet(walked.places)
            texts = pc.dictionary_encode(pa.array(walked.texts, pa.string()))
            value = texts.indices.to_numpy().astype(np.int64)
            entries.append(self._classes(walked, texts.dictionary, value, places, start))
            objects.append(self._objects(walked, texts.dictionary, value, places, start))
            if rules is not None:
                noticed.append(_noticed(rules, walked, texts.dictionary, value, start))
            is_text = walked.is_text
            shapes[start:end] = np.where(is_text, 0, _shapes(walked, places))
            outlines[start:end] = np.where(is_text, 0, _outlines(walked, places, walker.parents))
            items[start:end] = walked.items
            tallies.add(walked, texts.dictionary, value, places.free, *seen.of(start, is_text))
        tallies.places, tallies.parents = places.names, walker.parents
        thing, data_class, place, count = (np.concatenate(one) for one in zip(*entries, strict=True))
        shown = [prefix + one for one in places.names]
        has = codes >= 0
        at = np.maximum(codes, 0)
        return Carried(
            Located(codes, thing, data_class, place, count, shown),
            np.where(has, shapes[at], 0),
            np.where(has, items[at], -1),
            _by_row(codes, objects, places.names),
            tallies,
            np.where(has, outlines[at], 0),
            _signals(codes, noticed, shown) if noticed else None,
        )

    def _classes(
        self, walked: Walked, texts: pa.Array, value: Codes, places: _Places, start: int
    ) -> tuple[Codes, Codes, Codes, Codes]:
        """(body, class, place, count). Numbers count only under names that some class knows."""
        named = places.named[walked.place]
        texts_end, numbers_end = len(walked.texts), len(walked.texts) + len(walked.numbers)
        suspect = self._known.suspects(texts)
        at = np.flatnonzero(suspect[value] | named[:texts_end])
        numbers = np.flatnonzero(named[texts_end:numbers_end])
        of = value[at]
        if len(numbers):
            spelled = pc.dictionary_encode(
                pa.array(list(map(str, map(walked.numbers.__getitem__, numbers.tolist()))), pa.string())
            )
            of = np.concatenate((of, spelled.indices.to_numpy().astype(np.int64) + len(texts)))
            texts = pa.concat_arrays([texts, spelled.dictionary])
            suspect = np.concatenate((suspect, np.zeros(len(spelled.dictionary), bool)))
        row = np.concatenate((at, numbers + texts_end))
        if not len(row):
            return row, row, row, row
        bare = np.repeat([False, True], [len(at), len(numbers)])
        name = places.alike[walked.place[row]]
        first, pair = combined(of, name, bare.astype(np.int64))
        hits = self._known.find(
            texts.take(pa.array(of[first])), places.names, name[first], bare[first], suspect[of[first]]
        )
        which, where = spread(hits.row, pair)
        row = row[where]
        return walked.document[row] + start, hits.data_class[which], walked.place[row], hits.count[which]

    def _objects(
        self, walked: Walked, texts: pa.Array, value: Codes, places: _Places, start: int
    ) -> tuple[Codes, Codes, Ids]:
        """(body, place, keyed hash) of identifiers, a bounded number for each body."""
        identifies = places.identifies[walked.place]
        texts_end, numbers_end = len(walked.texts), len(walked.texts) + len(walked.numbers)
        is_id = identifies[:numbers_end] & (
            (walked.kind[:numbers_end] == Kind.STRING) | (walked.kind[:numbers_end] == Kind.INTEGER)
        )
        row = np.flatnonzero(is_id)
        if not len(row):
            return row, row, row
        row = row[np.argsort(walked.document[row], kind="stable")]
        document = walked.document[row]
        row = row[np.arange(len(row)) - np.searchsorted(document, document, "left") < MOST_OBJECTS]
        as_text = row < texts_end
        spelled = [str(walked.numbers[at - texts_end]) for at in row[~as_text].tolist()]
        hashes = np.empty(len(row), np.int64)
        hashes[as_text] = self._object_ids.of(texts.take(pa.array(value[row[as_text]])))
        hashes[~as_text] = self._object_ids.of(pa.array(spelled, pa.string()))
        return walked.document[row] + start, walked.place[row], hashes


def _families(codes: Codes, groups: Codes, families: Ids | None, bodies: int) -> list[int]:
    """The family of each body: that of the first row that has it."""
    if families is None:
        return [0] * bodies
    rows = np.flatnonzero(codes >= 0)
    first = np.zeros(bodies, np.int64)
    first[codes[rows[::-1]]] = rows[::-1]
    own: list[int] = families[groups[first]].tolist()
    return own


def _noticed(
    rules: Noticing, walked: Walked, texts: pa.Array, value: Codes, start: int
) -> tuple[Codes, Codes, Codes, Codes]:
    """(body, rule, place, count) of what the rules notice in texts, each asked once."""
    found = rules.notice(texts, Side.BODY)
    if not len(found.text):
        return found.text, found.text, found.text, found.text
    which, row = spread(found.text, value)
    return walked.document[row] + start, found.rule[which], walked.place[row], found.count[which]


def _signals(codes: Codes, noticed: list[tuple[Codes, Codes, Codes, Codes]], shown: list[str]) -> Located:
    thing, rule, place, count = (np.concatenate(one) for one in zip(*noticed, strict=True))
    return Located(codes, thing, rule, place, count, shown)


class _Seen:
    """How often each body was seen in each group."""

    def __init__(self, codes: Codes, groups: Codes, bodies: int) -> None:
        rows = np.flatnonzero(codes >= 0)
        self._wide = int(groups.max(initial=0)) + 1
        pairs, self._count = np.unique(codes[rows] * self._wide + groups[rows], return_counts=True)
        self._body, self._group = pairs // self._wide, pairs % self._wide

    def of(self, start: int, passed: npt.NDArray[np.bool_]) -> tuple[Codes, Codes, Codes]:
        """(body, group, count) of the bodies from `start` on, numbered from 0, without those passed over."""
        low, high = np.searchsorted(self._body, (start, start + len(passed)))
        body = self._body[low:high] - start
        kept = ~passed[body]
        return body[kept], self._group[low:high][kept], self._count[low:high][kept]


def _bounds(bodies: Sequence[bytes]) -> list[int]:
    """Where the bodies that are walked together begin, and the end."""
    out, size = [0], 0
    for at, body in enumerate(bodies):
        if at > out[-1] and (at - out[-1] >= AT_ONCE or size + len(body) > BYTES_AT_ONCE):
            out.append(at)
            size = 0
        size += len(body)
    return [*out, len(bodies)]


def _distinct(column: pa.ChunkedArray) -> tuple[list[bytes], Codes]:
    """Distinct bodies, and for each row which it has (-1: none)."""
    places: dict[bytes, int] = {}
    codes: list[int] = []
    for chunk in column.chunks:
        codes += [-1 if one is None else places.setdefault(one, len(places)) for one in chunk.to_pylist()]
    return list(places), np.array(codes, np.int64)


def _shapes(walked: Walked, places: _Places) -> Ids:
    """One keyed id for each body's set of (place, kind)."""
    return _summed(walked.document, walked.place * len(Kind) + walked.kind, len(walked.items), places.ids)


def _outlines(walked: Walked, places: _Places, parents: Sequence[int]) -> Ids:
    """One keyed id for each body's set of names at its top: of the root's, or of the objects in its list."""
    above = np.array(parents, np.int64)
    listed = np.array([one == "[]" for one in places.names], bool)
    top = (above == 0) | listed[above]
    rows = np.flatnonzero(top[walked.place])
    place = walked.place[rows] * len(Kind)
    return _summed(walked.document[rows], place, len(walked.items), places.ids)


def _summed(document: Codes, what: Codes, bodies: int, ids: Ids) -> Ids:
    """Per body one id of the set of what it has: a sum of ids, so that order does not matter."""
    used, what = compressed(what, len(ids))
    distinct, _ = compressed(document * len(used) + what, bodies * len(used))
    body, what = np.divmod(distinct, max(len(used), 1))
    hashed = ids[used[what]]
    # Two halves, so that floats add them up exactly.
    low = np.bincount(body, (hashed & 0xFFFFFFFF).astype(np.float64), bodies).astype(np.int64)
    high = np.bincount(body, (hashed >> 32).astype(np.float64), bodies).astype(np.int64)
    total = (high.astype(np.uint64) << np.uint64(32)) + low.astype(np.uint64)
    return np.maximum((total & np.uint64((1 << 63) - 1)).astype(np.int64), 1)


def _by_row(
    codes: Codes, parts: list[tuple[Codes, Codes, Ids]], names: list[str]
) -> tuple[Codes, pa.Array, Ids]:
    body, place, value = (np.concatenate(one) for one in zip(*parts, strict=True))
    start = np.searchsorted(body, codes, "left")
    many = np.where(codes < 0, 0, np.searchsorted(body, codes, "right") - start)
    at = np.repeat(start - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
    row = np.repeat(np.arange(len(codes)), many)
    shown = pa.DictionaryArray.from_arrays(pa.array(place[at].astype(np.int32)), pa.array(names, pa.string()))
    return row, shown, value[at]
