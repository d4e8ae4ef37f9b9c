"""Schemas of bodies, inferred from walked documents and merged.

A schema counts what stands at each place: kinds, formats of strings, and the values of those few that are
constants. Two schemas merge by adding up; merging is associative and commutative, so that neither the order
of calls nor how they were cut into batches matters. What is bounded is bounded so that this still holds: of
too many places the shallowest and first in order stay, and too many constants are none.

Constants are words (`in_progress`), never values under a name that tells of a person, a secret or free text.
"""

import re
from collections import Counter

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.match.field_names import words_of
from wardgate.match.finder import Finder, finder
from wardgate.match.secrets import is_secret_name
from wardgate.recognise.bodies import Kind, Walked
from wardgate.recognise.distinct import Codes

MOST_PLACES = 1_000
MOST_CONSTANTS = 16
ENOUGH = 20
"""Values seen before a handful of constants is called an enumeration."""

FORMATS: tuple[tuple[str, str], ...] = (
    ("uuid", r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"),
    (
        "date-time",
        r"^[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ]"
        r"[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.][0-9]+)?(?:[Zz]|[+-][0-9:]+)$",
    ),
    ("date", r"^[0-9]{4}-[01][0-9]-[0-3][0-9]$"),
    ("time", r"^[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:[.][0-9]+)?(?:[Zz]|[+-][0-9:]+)?$"),
    ("email", r"^[^@\s]+@[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)+$"),
    ("uri", r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$"),
    ("ipv4", r"^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])[.]){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$"),
    ("ipv6", r"^[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}$"),
    ("duration", r"^P(?:[0-9]+[YMWD])+(?:T(?:[0-9.]+[HMS])+)?$|^PT(?:[0-9.]+[HMS])+$"),
)
"""JSON Schema formats, the first that fits (RE2)."""
PLAIN = "plain"
"""What a string without a format counts as: a place has a format only where all its strings do."""

_CONSTANT = (
    r"^(?:[a-z]{1,24}(?:[_-][a-z0-9]{1,16}){0,3}|[A-Z]{1,24}(?:[_-][A-Z0-9]{1,16}){0,3}|[A-Z][a-z]{1,24})$"
)
_FREE = re.compile(
    r"(?:^| )(?:id|ids|key|keys|name|names|title|text|body|content|description|message|comment|note|label"
    r"|slug|user|username|login|handle|nick|alias|author|owner|assignee|creator|member|actor|by|from|to"
    r"|person|people|customer|client|contact|host|domain|city|town|country|company|team"
    r"|tags?|value|values|query|q|search|path|url|hash|salt)$"
)


class Stats(msgspec.Struct, array_like=True):
    """What stood at one place. Counts are of values, one per body and occurrence."""

    kinds: dict[str, int] = {}
    formats: dict[str, int] = {}
    constants: dict[str, int] | None = {}
    """Null: the place holds other strings, or too many."""


class Schema(msgspec.Struct, array_like=True):
    """Places, as `recognise.bodies` writes them, and what stood there; the root is ``."""

    places: dict[str, Stats] = {}
    is_cut: bool = False
    """Whether places were left out."""


def infer(
    walked: Walked, document: Codes, group: Codes, weight: Codes, known: Finder | None = None
) -> dict[int, Schema]:
    """Schemas by group: `document[i]` was seen `weight[i]` times in `group[i]` (parallel columns)."""
    known = known or finder()
    order = np.argsort(document, kind="stable")
    document, group, weight = document[order], group[order], weight[order]
    # Rows of walked values, once for each group that saw their document.
    start = np.searchsorted(document, walked.document, "left")
    many = np.searchsorted(document, walked.document, "right") - start
    row = np.repeat(np.arange(len(many)), many)
    pair = np.repeat(start - np.cumsum(many) + many, many) + np.arange(len(row))
    kept = walked.kind[row] != Kind.KEY
    row, pair = row[kept], pair[kept]
    its_group, its_weight = group[pair], weight[pair]
    place, kind = walked.place[row], walked.kind[row]
    wide = len(walked.places)

    found: dict[int, Schema] = {}
    for (at, what), count in _tally(its_group * wide + place, kind, its_weight):
        _stats(found, at, walked)[0].kinds[_KIND_NAMES[what]] = count
    is_text = kind == Kind.STRING
    if is_text.any():
        row, its_group, its_weight, place = (
            row[is_text],
            its_group[is_text],
            its_weight[is_text],
            place[is_text],
        )
        texts = pc.dictionary_encode(
            pa.array(list(map(walked.values.__getitem__, row.tolist())), pa.string())
        )
        value: Codes = texts.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        where = its_group * wide + place
        for (at, what), count in _tally(where, _formats(texts.dictionary)[value], its_weight):
            _stats(found, at, walked)[0].formats[FORMATS[what][0] if what < len(FORMATS) else PLAIN] = count
        is_word = pc.match_substring_regex(texts.dictionary, _CONSTANT).to_numpy(zero_copy_only=False)
        free = np.array([is_free(one, known) for one in walked.places], bool)
        no_constant = set(np.unique(where[~is_word[value] | free[place]]).tolist())
        at_word = ~np.isin(where, list(no_constant))
        for at in no_constant:
            _stats(found, at, walked)[0].constants = None
        for (at, what), count in _tally(where[at_word], value[at_word], its_weight[at_word]):
            stats = _stats(found, at, walked)[0]
            if stats.constants is not None:
                stats.constants[texts.dictionary[what].as_py()] = count
                if len(stats.constants) > MOST_CONSTANTS:
                    stats.constants = None
    return {one: _bounded(schema) for one, schema in found.items()}


def merge(one: Schema, other: Schema) -> Schema:
    """Both together. Associative, commutative; an empty schema changes nothing."""
    places: dict[str, Stats] = {}
    for text in one.places.keys() | other.places.keys():
        a, b = one.places.get(text), other.places.get(text)
        if a is None or b is None:
            places[text] = a or b  # type: ignore[assignment]
            continue
        constants = None
        if a.constants is not None and b.constants is not None:
            constants = _added(a.constants, b.constants)
            if len(constants) > MOST_CONSTANTS:
                constants = None
        places[text] = Stats(_added(a.kinds, b.kinds), _added(a.formats, b.formats), constants)
    return _bounded(Schema(places, one.is_cut or other.is_cut))


def json_schema(schema: Schema) -> dict[str, object]:
    """As JSON Schema 2020-12: types, formats, required fields, enumerations, null."""
    nodes = {text: _node(stats) for text, stats in schema.places.items()}
    properties: dict[str, dict[str, object]] = {}
    required: dict[str, list[str]] = {}
    for text, stats in sorted(schema.places.items()):
        parent, name = _parent(text)
        if not text or parent not in nodes:
            continue
        if name == "[]":
            nodes[parent]["items"] = nodes[text]
        elif name == "*":
            nodes[parent]["additionalProperties"] = nodes[text]
        else:
            properties.setdefault(parent, {})[name] = nodes[text]
            if sum(stats.kinds.values()) >= schema.places[parent].kinds.get("object", 0):
                required.setdefault(parent, []).append(name)
    for text, node in nodes.items():
        if text in properties:
            node["properties"] = properties[text]
        if text in required:
            node["required"] = required[text]
    return nodes.get("", {})


def is_free(place: str, known: Finder) -> bool:
    """Whether a place's name tells of a person, a secret or free text: its values are nobody's constants."""
    last = re.split(r"[.\[]", place.rstrip("[]"))[-1]
    return (
        bool(_FREE.search(words_of(place.replace("[]", ""))))
        or "*" in place
        or is_secret_name(last)
        or known.is_known_field(place)
    )


_KIND_NAMES = {one.value: one.name.lower() for one in Kind}


def _tally(key: Codes, what: Codes, weight: Codes) -> list[tuple[tuple[int, int], int]]:
    """Summed weights of (key, what)."""
    if not len(key):
        return []
    width = int(what.max()) + 1
    both, inverse = np.unique(key * width + what, return_inverse=True)
    sums = np.bincount(inverse, weights=weight).astype(np.int64)
    return [
        ((one // width, one % width), count) for one, count in zip(both.tolist(), sums.tolist(), strict=True)
    ]


def _stats(found: dict[int, Schema], at: int, walked: Walked) -> tuple[Stats, str]:
    group, place = divmod(at, len(walked.places))
    schema = found.get(group)
    if schema is None:
        schema = found[group] = Schema({})
    text = walked.places[place]
    stats = schema.places.get(text)
    if stats is None:
        stats = schema.places[text] = Stats({}, {}, {})
    return stats, text


def _formats(texts: pa.Array) -> Codes:
    """The format of each distinct string, as an index into `FORMATS`; their number for none."""
    out = np.full(len(texts), len(FORMATS), np.int64)
    for i, (_, regex) in enumerate(FORMATS):
        fits = pc.match_substring_regex(texts, regex).to_numpy(zero_copy_only=False)
        out[fits & (out == len(FORMATS))] = i
    return out


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return dict(sorted((Counter(one) + Counter(other)).items()))


def _depth(text: str) -> tuple[int, str]:
    return text.count(".") + text.count("[]") + bool(text), text


def _bounded(schema: Schema) -> Schema:
    """At most `MOST_PLACES`, the first by depth and name: whatever is merged later would leave the same."""
    kept = sorted(schema.places, key=_depth)
    return Schema(
        {one: schema.places[one] for one in kept[:MOST_PLACES]}, schema.is_cut or len(kept) > MOST_PLACES
    )


def _parent(text: str) -> tuple[str, str]:
    if text.endswith("[]"):
        return text[:-2], "[]"
    parent, _, name = text.rpartition(".")
    return parent, name


def _node(stats: Stats) -> dict[str, object]:
    kinds = set(stats.kinds)
    if "number" in kinds:
        kinds.discard("integer")
    types = sorted(kinds)
    node: dict[str, object] = {"type": types[0] if len(types) == 1 else types}
    if len(stats.formats) == 1 and PLAIN not in stats.formats:
        node["format"] = next(iter(stats.formats))
    strings = stats.kinds.get("string", 0)
    if (
        stats.constants
        and strings >= ENOUGH
        and strings >= 3 * len(stats.constants)
        and kinds <= {"string", "null"}
    ):
        node["enum"] = [*sorted(stats.constants), *([None] if "null" in kinds else [])]
    return node
