"""What speaks for and against a segment being a value: one row of measures per child of a merged node.

The measures are the segment's looks, the prior's words, its siblings, the likeness of subtrees and methods,
other places of the same text, and bodies. Names are in `NAMES`, in the order of the columns.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wardgate.recognise.templating.lexical import PLAIN_VALUES, Kind, Lexeme, lexeme
from wardgate.recognise.templating.surroundings import (
    ECHOES,
    IN_BODY_AS_ID,
    IN_BODY_AS_KEY,
    IN_BODY_AS_VALUE,
    PARAMETER,
    Group,
    Surroundings,
)
from wardgate.recognise.templating.trie import Node
from wardgate.recognise.templating.vocabulary import (
    CONSTANT,
    FOLLOWS,
    FOLLOWS_ON,
    LEADS,
    LEADS_ON,
    START,
    Vocabulary,
    log_odds,
)
from wardgate.recognise.templating.wording import WORDING, wording

_KINDS = (
    ("number", {Kind.INT}),
    ("uuid, hex, ulid or opaque", {Kind.UUID, Kind.HEX, Kind.ULID, Kind.OPAQUE, Kind.PREFIXED}),
    ("e-mail or date", {Kind.EMAIL, Kind.DATE}),
    ("decimal", {Kind.NUMBER}),
    ("locale", {Kind.LOCALE}),
    ("host name", {Kind.DOMAIN}),
    ("version", {Kind.VERSION}),
    ("file", {Kind.FILE}),
    ("dotted", {Kind.DOTTED}),
    ("list or matrix", {Kind.LIST, Kind.MATRIX}),
    ("unusual characters", {Kind.CODED, Kind.COLON, Kind.OTHER}),
    ("one word", {Kind.WORD}),
    ("camel case", {Kind.CAMEL}),
    ("upper case", {Kind.UPPER}),
    ("hyphens", {Kind.HYPHENS}),
    ("underscores", {Kind.UNDERSCORES}),
    ("word with digits", {Kind.DIGITS_IN_WORD}),
    ("words with digits", {Kind.DIGITS_IN_WORDS}),
)
_KIND_ROWS = {kind: [1.0 if kind in kinds else 0.0 for _, kinds in _KINDS] for kind in Kind}

NAMES = (
    *(f"looks: {name}" for name, _ in _KINDS),
    "length",
    "share of digits",
    "words in it",
    "spelling",
    "plural",
    "known as a constant",
    "known parts, mean",
    "known parts, least",
    "known to lead to a parameter",
    "known behind a parameter",
    "parent known",
    "parent leads to a parameter",
    "parent and it known together",
    "parent is a parameter",
    "parent plural",
    "parent's word is in it",
    "named as testers do",
    "grandparent is a parameter",
    "depth",
    "children known as constants",
    "children known behind a parameter",
    "siblings",
    "siblings of its looks",
    "share of its looks",
    "share of siblings known as constants",
    "children",
    "ends here",
    "children shared with siblings",
    "siblings that share a child",
    "siblings that share a child, number",
    "children of its own",
    "deeper words shared with siblings",
    "siblings that share a deeper word",
    "siblings that share a deeper word, number",
    "deeper words of its own",
    "has plain values below",
    "siblings that have plain values below",
    "subtree as a sibling's",
    "same methods as siblings",
    "read",
    "created",
    "changed or deleted",
    "methods known",
    "parent ends",
    "parent created",
    "merged parents that have it",
    "share of merged parents that have it",
    "merged parents",
    "stands elsewhere",
    "ends elsewhere",
    "its rarest word in the service",
    "its most usual word in the service",
    "siblings with one of its words",
    "how alike the coverage of siblings",
    "bodies known",
    "in bodies as identifier",
    "in bodies as value",
    "in bodies as key",
    "body shape shared with siblings",
    "body shape elsewhere",
    "share of siblings with plain looks",
    "distinct words among siblings' parts",
    "its answers name it",
    "siblings' answers name them",
    "the parent lists it",
    "the parent lists siblings",
    "the parent lists something",
    "share of siblings plural",
    "share of siblings with one word",
    "share of siblings with several words",
    "most usual looks of siblings, share",
    "siblings that no API has as a constant",
    "known under other parents, share",
    "named as what there is one of",
    *WORDING,
)
Matrix = npt.NDArray[np.float32]


@dataclass(slots=True)
class _Child:
    looks: Lexeme
    methods: int
    kids: frozenset[str]
    deeper: frozenset[str]
    shapes: frozenset[int]
    echoes: float
    """Share of its nodes with answers that are named by them."""
    listed: float


_PLAIN = frozenset({PARAMETER})
SAME_BELOW = PLAIN_VALUES | {Kind.LOCALE}
"""Looks that make no child tell its parent from another."""
_MOST_BELOW = 64


def _child(segment: str, nodes: list[Node], around: Surroundings) -> _Child:
    methods = echoes = answered = 0
    kids: set[str] = set()
    shapes: set[int] = set()
    for node in nodes:
        methods |= node.methods
        if node.shapes:
            shapes.update(node.shapes)
            answered += 1
            echoes += ECHOES in node.shapes
        for name in node.children:
            kids.add(PARAMETER if lexeme(name).kind in SAME_BELOW else name)
    shapes.discard(ECHOES)
    return _Child(
        lexeme(segment),
        methods,
        frozenset(kids),
        frozenset(_deeper(nodes)),
        frozenset(shapes),
        echoes / answered if answered else -1.0,
        sum(id(node) in around.listed for node in nodes) / len(nodes) if around.listed else 0.0,
    )


def _deeper(nodes: list[Node]) -> set[str]:
    """Words two and three segments below, with their distance; of so many nodes as are looked at."""
    found: set[str] = set()
    level = [child for node in nodes[:_MOST_BELOW] for child in node.children.values()]
    for distance in (2, 3):
        after = []
        for node in level[:_MOST_BELOW]:
            for name, child in node.children.items():
                if lexeme(name).kind not in PLAIN_VALUES:
                    found.add(f"{distance}{name}")
                after.append(child)
        level = after
    return found


def rows(group: Group, around: Surroundings) -> tuple[list[str], Matrix]:
    """The children's segments (sorted), and their measures, one row each."""
    segments = list(group.children)
    children = [_child(segment, nodes, around) for segment, nodes in group.children.items()]
    count = len(children)
    vocabulary = around.vocabulary
    methods_here = 0
    for node in group.nodes:
        methods_here |= node.methods
    by_kind: Counter[Kind] = Counter(one.looks.kind for one in children)
    by_methods: Counter[int] = Counter(one.methods for one in children)
    by_kids: Counter[frozenset[str]] = Counter(one.kids for one in children if one.kids)
    by_shape: Counter[int] = Counter(shape for one in children for shape in one.shapes)
    words = [_known(one.looks, vocabulary) for one in children]
    known_total = sum(1 for one in words if one[CONSTANT] > 0)
    plain_total = sum(by_kind[kind] for kind in PLAIN_VALUES)
    part_owners = Counter(part for one in children for part in set(one.looks.parts))
    part_count = sum(len(one.looks.parts) for one in children)
    parent = _parent(group.above, vocabulary)
    bodies_seen = 1.0 if around.bodies.get("", 0) else 0.0
    sharing = _sharing([one.kids - _PLAIN for one in children])
    deeper = _sharing([one.deeper for one in children])
    with_plain = sum(PARAMETER in one.kids for one in children)
    owners = sum(1 for node in group.nodes if node.children) or 1
    echoing = [one.echoes for one in children if one.echoes >= 0]
    listed_total = sum(one.listed for one in children)
    lists = float(any(id(node) in around.lists for node in group.nodes)) if around.lists else 0.0
    plurals = sum(one.looks.plural for one in children)
    single = sum(one.looks.kind is Kind.WORD for one in children)
    several = sum(one.looks.kind in _SEVERAL for one in children)
    usual = by_kind.most_common(1)[0][1] / count if count else 0.0
    covered = sum(len(nodes) for nodes in group.children.values())
    noun = group.above[-1].lower() if group.above else START
    own = len(NAMES) - len(WORDING)
    out = np.zeros((count, len(NAMES)), np.float32)
    if count:
        out[:, own:] = wording(group, around)
    for at, (segment, one, word) in enumerate(zip(segments, children, words, strict=True)):
        looks = one.looks
        parts = [vocabulary.part(part) for part in looks.parts[:8]]
        logs = [math.log1p(n) for n in parts]
        kids = list(one.kids)[:32] if len(one.kids) <= 32 else sorted(one.kids)[:32]
        kid_rows = [vocabulary.row(kid.lower()) for kid in kids if kid != PARAMETER]
        same = by_kind[looks.kind] - 1
        others = count - 1
        nodes = group.children[segment]
        bits = around.bodies.get(segment, 0)
        part_uses = [around.parts[part] - len(nodes) for part in looks.parts]
        own_shapes = len(one.shapes)
        row = [
            *_KIND_ROWS[looks.kind],
            min(looks.length, 60),
            looks.digits,
            min(len(looks.parts), 8),
            vocabulary.spelling(segment[:40]),
            looks.plural,
            math.log1p(word[CONSTANT]),
            sum(logs) / len(logs) if logs else 0.0,
            min(logs) if logs else 0.0,
            log_odds(word[LEADS], word[LEADS_ON]) if word[LEADS] + word[LEADS_ON] else 0.0,
            log_odds(word[FOLLOWS], word[FOLLOWS_ON]) if word[CONSTANT] else 0.0,
            *parent[:2],
            math.log1p(vocabulary.pair(noun, looks.key)),
            *parent[2:4],
            _relation(group.above, looks),
            _made_up(looks),
            *parent[4:],
            _mean([math.log1p(kid[CONSTANT]) for kid in kid_rows]),
            _mean([log_odds(kid[FOLLOWS], kid[FOLLOWS_ON]) for kid in kid_rows if kid[CONSTANT]]),
            math.log1p(others),
            math.log1p(same),
            same / others if others else 0.0,
            (known_total - (word[CONSTANT] > 0)) / others if others else 0.0,
            math.log1p(len(one.kids)),
            float(one.methods != 0),
            *sharing[at],
            *deeper[at],
            float(PARAMETER in one.kids),
            (with_plain - (PARAMETER in one.kids)) / others if others else 0.0,
            (by_kids[one.kids] - 1) / others if others and one.kids else 0.0,
            (by_methods[one.methods] - 1) / others if others else 0.0,
            float(one.methods & 3 != 0),
            float(one.methods & 4 != 0),
            float(one.methods & 56 != 0),
            float(one.methods & 255 != 0),
            float(methods_here != 0),
            float(methods_here & 4 != 0),
            math.log1p(len(nodes)),
            len(nodes) / owners,
            math.log1p(owners - 1),
            math.log1p(min(around.places[segment] - len(nodes), 20)),
            math.log1p(min(around.ends[segment] - sum(not node.children for node in nodes), 20)),
            math.log1p(min(*part_uses, 50)) if part_uses else 0.0,
            math.log1p(min(max(part_uses), 50)) if part_uses else 0.0,
            math.log1p(max((part_owners[part] for part in looks.parts), default=1) - 1),
            covered / count / owners,
            bodies_seen,
            float(bits & IN_BODY_AS_ID != 0),
            float(bits & IN_BODY_AS_VALUE != 0),
            float(bits & IN_BODY_AS_KEY != 0),
            _mean([(by_shape[s] - 1) / max(others, 1) for s in one.shapes]) if own_shapes else -1.0,
            _mean([around.shapes[s] / max(around.shape_total, 1) for s in one.shapes])
            if own_shapes
            else -1.0,
            (plain_total - (looks.kind in PLAIN_VALUES)) / others if others else 0.0,
            len(part_owners) / part_count if part_count else 1.0,
            one.echoes,
            rest(sum(echoing), one.echoes, len(echoing)),
            one.listed,
            (listed_total - one.listed) / others if others else 0.0,
            lists,
            (plurals - looks.plural) / others if others else 0.0,
            (single - (looks.kind is Kind.WORD)) / others if others else 0.0,
            (several - (looks.kind in _SEVERAL)) / others if others else 0.0,
            usual,
            math.log1p(count - known_total),
            _elsewhere(group.above, looks, word, vocabulary),
            only_one(segment),
        ]
        out[at, :own] = row
    return segments, out


_ONE_OF = frozenset("me self default current latest mine myself".split())


def only_one(segment: str) -> float:
    """Whether it is named as a thing that there is one of: `me`, `default`, `$metadata`, `.well-known`."""
    return float(segment.lower() in _ONE_OF or (segment[:1] in "$." and segment[1:2].isalpha()))


_SEVERAL = frozenset(
    {Kind.HYPHENS, Kind.UNDERSCORES, Kind.CAMEL, Kind.DIGITS_IN_WORD, Kind.DIGITS_IN_WORDS, Kind.FILE}
)


def rest(total: float, own: float, count: int) -> float:
    """Mean of the others; -1 where there are none. An `own` below 0 is not among them."""
    if own >= 0:
        total, count = total - own, count - 1
    return total / count if count else -1.0


def _elsewhere(above: tuple[str, ...], looks: Lexeme, word: tuple[int, ...], vocabulary: Vocabulary) -> float:
    """Share of the APIs with the word that have it under another parent; -1 where none has it."""
    if not word[CONSTANT]:
        return -1.0
    here = vocabulary.pair(above[-1].lower() if above else START, looks.key)
    return 1 - min(here / word[CONSTANT], 1.0)


def _known(looks: Lexeme, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The row of a segment, or of a file's name without its ending: `create.json` is as known as `create`."""
    row = vocabulary.row(looks.key)
    if not row[CONSTANT] and looks.kind is Kind.FILE:
        return vocabulary.row(looks.key.rpartition(".")[0])
    return row


def _parent(above: tuple[str, ...], vocabulary: Vocabulary) -> tuple[float, ...]:
    """Parent known, leads to a parameter, is a parameter, plural; grandparent is a parameter; depth."""
    name = above[-1] if above else START
    is_parameter = name == PARAMETER
    word = vocabulary.row(name.lower())
    plural = bool(above) and not is_parameter and lexeme(name).plural
    return (
        math.log1p(word[CONSTANT]),
        log_odds(word[LEADS], word[LEADS_ON]) if word[LEADS] + word[LEADS_ON] else 0.0,
        float(is_parameter),
        float(plural),
        float(len(above) > 1 and above[-2] == PARAMETER),
        min(len(above), 10),
    )


_MADE_UP = (
    "test",
    "my",
    "foo",
    "bar",
    "example",
    "demo",
    "sample",
    "invalid",
    "unknown",
    "non",
    "dummy",
    "fake",
    "temp",
)


def _made_up(looks: Lexeme) -> float:
    """Whether it begins as testers name things: `my-bucket`, `test_group_id`, `non-existent`."""
    return float(
        (len(looks.parts) > 1 and looks.parts[0] in _MADE_UP) or looks.key.startswith(("test", "unknown"))
    )


def _relation(above: tuple[str, ...], looks: Lexeme) -> float:
    """Whether a word of the parent stands in the segment: `groups/group-7`, `containers/containernamexyz`."""
    if not above or above[-1] == PARAMETER:
        return 0.0
    stems = {part.rstrip("s") for part in lexeme(above[-1]).parts if len(part) > 3}
    return float(any(stem in looks.key and stem != looks.key.rstrip("s") for stem in stems))


def _sharing(sets: Sequence[frozenset[str]]) -> list[tuple[float, float, float, float]]:
    """Per set: share that others have, share and number of others with the most shared one, own ones."""
    owners = Counter(one for found in sets for one in found)
    others = len(sets) - 1
    out = []
    for found in sets:
        if not found:
            out.append((-1.0, -1.0, 0.0, 0.0))
            continue
        shared = sum(1 for one in found if owners[one] > 1)
        most = max(owners[one] for one in found) - 1
        out.append(
            (
                shared / len(found),
                most / others if others else 0.0,
                math.log1p(most),
                math.log1p(len(found) - shared),
            )
        )
    return out


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
