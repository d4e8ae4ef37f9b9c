"""Signals: what content rules notice in targets, queries and headers while they are still there.

A call keeps rule, place and count (`core.call.SIGNAL`); the text is gone. Distinct texts are asked once, and
one vectorised question leaves out those in which no rule has a chance. Places are `path`, `query:name`,
`header:name`; `body:name` of what callers send, as `recognise.carried` walks it.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.call import SIGNAL, TIME
from wardgate.core.keys import Key
from wardgate.lake.tables import CONTENT_RULES
from wardgate.match.signals.noticing import Noticing, noticing
from wardgate.match.signals.secrets_shown import SECRET_IN_URL
from wardgate.match.signals.shape import Side
from wardgate.recognise.contents import shown_name
from wardgate.recognise.credentials.certificate import field_of
from wardgate.recognise.credentials.names import is_no_credential, is_strong_header, is_strong_parameter
from wardgate.recognise.credentials.parameters import SHAPED
from wardgate.recognise.distinct import Codes, Distinct, distinct, one_chunk
from wardgate.recognise.located import Located, lists_of
from wardgate.recognise.splitting import Secrets

_QUIET = frozenset(
    """
    authorization proxy-authorization cookie set-cookie host accept accept-encoding accept-charset connection
    content-type content-length content-encoding date traceparent tracestate user-agent if-modified-since
    if-none-match cache-control pragma upgrade via dpop signature signature-input
    """.split()
)
"""Headers that are asked elsewhere, or whose values are of HTTP and of credentials."""
_FRONT = r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*"
"""Scheme and authority of an absolute target: whom is asked, not what."""
_MOST_PARAMETERS = 50
_PASSWORDS = ("password", "passwd", "pwd", "client_secret", "secret_key", "private_key")


class Signals:
    """Asks all content rules about what a batch shows outside of bodies."""

    def __init__(self, known: Noticing | None = None) -> None:
        self._known = known or noticing()
        names = [one.name for one in self._known.rules]
        self._secret_in_url = names.index(SECRET_IN_URL.name) if SECRET_IN_URL.name in names else None
        self._names = names

    def rules(self, key: Key, since_us: int) -> pa.Table:
        """The rules that are looking, as rows of `lake.tables.CONTENT_RULES`."""
        rules = self._known.rules
        ids = key.ids64("content rule", [f"{one.name}\0{one.version}" for one in rules])
        columns = [
            pa.array(ids, pa.int64()),
            pa.array([one.name for one in rules], pa.string()),
            pa.array([one.version for one in rules], pa.int32()),
            pa.array([one.title for one in rules], pa.string()),
            pa.array([since_us] * len(rules), pa.int64()).cast(TIME),
        ]
        return pa.table(columns, schema=CONTENT_RULES)

    def of(
        self,
        observed: pa.Table,
        targets: Distinct,
        queries: Distinct,
        agents: Distinct,
        secrets: Sequence[tuple[Codes, dict[int, Secrets]]],
        bodies: Located | None = None,
    ) -> pa.Array:
        """One list of `core.call.SIGNAL` per row, null where nothing was noticed.

        targets, agents: as they were sent; queries: those that a source keeps apart from its targets;
        bodies: what `recognise.carried` had noticed in them.
        """
        rows = observed.num_rows
        local = Distinct(pc.replace_substring_regex(targets.array, _FRONT, ""), targets.codes)
        parts = [
            self._asked(local, self._chance((Side.PATH, Side.QUERY)), self._in_target),
            self._asked(queries, self._chance((Side.QUERY,)), self._in_query),
            self._asked(
                agents, self._chance((Side.HEADER,)), lambda text: self._in_header("user-agent", text)
            ),
        ]
        for name in observed.column_names:
            if name.startswith("req.") and _is_asked(name[4:].lower()):
                values = distinct(observed[name], rows)
                header = name[4:].lower()
                parts.append(
                    self._asked(
                        values,
                        self._chance((Side.HEADER,)),
                        lambda text, h=header: self._in_header(h, text),  # type: ignore[misc]
                    )
                )
        if "request_headers" in observed.column_names:
            parts.append(self._in_lists(observed["request_headers"]))
        parts.append(bodies)
        parts += [self._in_urls(codes, carried) for codes, carried in secrets]
        return lists_of([one for one in parts if one is not None], self._names, rows, SIGNAL)

    def _chance(self, sides: Sequence[Side]) -> str:
        return "|".join(self._known.net(side) for side in sides)

    def _asked(
        self, values: Distinct, chance: str, ask: Callable[[str], Mapping[tuple[int, str], int]]
    ) -> Located | None:
        if values.is_empty:
            return None
        flags = pc.fill_null(pc.match_substring_regex(values.array, chance), False)
        at = np.flatnonzero(flags.to_numpy(zero_copy_only=False))
        texts = values.array.take(pa.array(at)).to_pylist()
        found = [(int(thing), ask(text)) for thing, text in zip(at, texts, strict=True)]
        return _located(values.codes, found)

    def _in_target(self, target: str) -> dict[tuple[int, str], int]:
        path, mark, query = target.partition("?")
        found = {(rule, "path"): count for rule, count in self._known.asked(path, Side.PATH)}
        return found | (self._in_query(query) if mark else {})

    def _in_query(self, query: str) -> dict[tuple[int, str], int]:
        """Rules by parameter; what only the whole query shows is told of the query."""
        whole = dict(self._known.asked(query, Side.QUERY))
        if not whole:
            return {}
        found: dict[tuple[int, str], int] = {}
        for pair in query.split("&")[:_MOST_PARAMETERS]:
            name = pair.partition("=")[0]
            for rule, count in self._known.asked(pair, Side.QUERY):
                key = (rule, f"query:{shown_name(name)}")
                found[key] = found.get(key, 0) + count
        told = {rule for rule, _ in found}
        return found | {(rule, "query"): count for rule, count in whole.items() if rule not in told}

    def _in_header(self, name: str, text: str) -> dict[tuple[int, str], int]:
        place = f"header:{shown_name(name)}"
        return {(rule, place): count for rule, count in self._known.asked(text, Side.HEADER)}

    def _in_lists(self, column: pa.ChunkedArray) -> Located | None:
        lists = one_chunk(column)
        flat = pc.list_flatten(lists)
        if not len(flat):
            return None
        names = pc.dictionary_encode(flat.field("name").fill_null(""))
        shown = [one.strip().lower() for one in names.dictionary.to_pylist()]
        loud = np.array([_is_asked(one) for one in shown], bool)
        name_of = names.indices.to_numpy(zero_copy_only=False)
        at = np.flatnonzero(loud[name_of])
        if not len(at):
            return None
        values = distinct(flat.field("value").take(pa.array(at)).fill_null(""), len(at))
        flags = pc.match_substring_regex(values.array, self._chance((Side.HEADER,)))
        chance = flags.to_numpy(zero_copy_only=False)[values.codes]
        if not chance.any():
            return None
        at, codes = at[chance], values.codes[chance]
        row = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)[at].astype(np.int64)
        texts = values.values
        asked: dict[tuple[int, int], dict[tuple[int, str], int]] = {}
        found = []
        for owner, name, code in zip(row.tolist(), name_of[at].tolist(), codes.tolist(), strict=True):
            if (name, code) not in asked:
                asked[name, code] = self._in_header(shown[name], texts[code])
            if asked[name, code]:
                found.append((owner, asked[name, code]))
        return _located(np.arange(len(lists), dtype=np.int64), found)

    def _in_urls(self, codes: Codes, carried: Mapping[int, Secrets]) -> Located | None:
        """Keys, tokens and passwords in paths and queries, as recognition found them."""
        rule = self._secret_in_url
        if rule is None or not carried:
            return None
        found: list[tuple[int, Mapping[tuple[int, str], int]]] = []
        for thing, pairs in carried.items():
            told: dict[tuple[int, str], int] = {}
            for place, _ in pairs:
                side, _, name = place.partition(":")
                if side != SHAPED and (
                    name in _PASSWORDS or (is_strong_parameter(name) and not is_no_credential(name))
                ):
                    key = (rule, f"{side}:{shown_name(name)}")
                    told[key] = told.get(key, 0) + 1
            if told:
                found.append((thing, told))
        return _located(codes, found)


def _is_asked(header: str) -> bool:
    return (
        header not in _QUIET
        and not header.startswith((":", "sec-"))
        and not is_strong_header(header)
        and field_of(header) is None
    )


def _located(of_row: Codes, found: Sequence[tuple[int, Mapping[tuple[int, str], int]]]) -> Located | None:
    places: dict[str, int] = {}
    entries = [
        (thing, rule, places.setdefault(place, len(places)), count)
        for thing, told in found
        for (rule, place), count in told.items()
    ]
    if not entries:
        return None
    thing, rule, place, count = (np.array(one, np.int64) for one in zip(*entries, strict=True))
    return Located(of_row, thing, rule, place, count, list(places))
