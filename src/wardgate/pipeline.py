"""The spine: what a source read becomes calls, facts and rollups, and is committed with its position.

    source ─► Parsed ─► recognise ─► rollups ─► one transaction: calls, paths, credentials, callers,
                                                rollups, latencies, schemas, data classes, rejects, and the
                                                ledger's position

Whoever reads a source (a file, a followed file, a pushed batch, a syslog connection) calls `prepare` for
each part it has read, in order, and `commit` when it may; what is committed is acknowledged, nothing else
is. The ledger's row makes the accounting exact: read = accepted + rejected + skipped.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any
from zlib import crc32

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.clock import Clock
from wardgate.core.ids import Ids, KnownIds, mixed
from wardgate.core.keys import Key
from wardgate.core.observed import Parsed, Reject
from wardgate.core.stacking import stacked
from wardgate.inventory.sighted import remembered
from wardgate.lake.carried import COUNTED, data_classes
from wardgate.lake.engine import ALIAS
from wardgate.lake.instances import known_before
from wardgate.lake.linking import mark_linked
from wardgate.lake.rollup import ROLLED, latencies, presented, rollups
from wardgate.lake.store import Batch, Lake
from wardgate.lake.tables import LEDGER, PATHS, REJECTS, SIGHTINGS
from wardgate.match.secrets import mask_text, shape
from wardgate.recognise.addresses import Proxies
from wardgate.recognise.calls import Context, Recognised, Recognition
from wardgate.recognise.distinct import one_chunk
from wardgate.recognise.learning import Learning
from wardgate.recognise.sighted import Answers
from wardgate.recognise.templating.labelling import Labeller
from wardgate.sources.format import Defaults

_FACTS = {
    "paths": "path_id",
    "traits": "trait_id",
    "sightings": "sighting_id",
    "credentials": "credential_id",
    "instances": "instance_id",
    "callers": "caller_id",
    "content_rules": "rule_id",
}
"""Table of facts → what a fact of it is known by (see `_fact_ids`)."""
_DAY_US = 86_400_000_000
_HEED_US = 30_000_000
"""How often a process looks whether somebody was erased."""
FIRST_VERSION = 1
"""Version of the mapping path → operation that ingestion writes; relabelling writes higher ones."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What is being read: one generation of a file, one pushed batch, one connection."""

    source: str
    origin_id: int
    name: str
    format: str
    defaults: Defaults = field(default_factory=Defaults)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far an origin was read when a part ended."""

    position: int
    offset: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One part to prepare, as `Pipeline.prepare` takes it."""

    parsed: Parsed
    origin: Origin
    reached: Reached
    batch_id: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part ready to be committed, with its accounting."""

    batch: Batch
    read: int
    accepted: int
    rejected: int
    skipped: int
    new_ids: dict[str, Ids]


class Pipeline:
    """Recognises parts and commits them. `prepare` and `commit` may run in different threads."""

    def __init__(self, lake: Lake, key: Key, clock: Clock, *, eager: bool = False) -> None:
        """`eager`: learn templates between two parts, where nobody waits for the commit."""
        self.lake = lake
        self.key = key
        self._clock = clock
        self._proxies: dict[tuple[str, ...], Proxies] = {}
        self._known = {name: KnownIds() for name in _FACTS}
        self._recognition = Recognition(key, known_before(lake, key), self._known["callers"].fresh)
        self._learning = Learning(key, partial(remembered, lake), eager=eager)
        self._preparing = Lock()
        self._heeded_us: int | None = None
        self._erasures = 0

    def prepare(
        self, parsed: Parsed, origin: Origin, reached: Reached, batch_id: int | None = None
    ) -> Prepared:
        """Recognise one part. `batch_id` is for parts that carry their own (an idempotency key)."""
        with self._preparing:
            now = self._clock()
            batch_id = batch_id or self.batch_id(origin, reached.position - parsed.read)
            rows: dict[str, pa.Table] = {}
            new_ids: dict[str, Ids] = {}
            if parsed.accepted:
                rows, new_ids = self._calls(parsed.table, origin, batch_id, now)
            return _prepared(Part(parsed, origin, reached, batch_id), rows, new_ids, now)

    def prepare_together(self, parts: Sequence[Part]) -> list[Prepared]:
        """As `prepare` of each, in a third of the time where parts are small: recognised as one table.

        They must come from one source, with the same defaults.
        """
        with self._preparing:
            now = self._clock()
            filled = [one for one in parts if one.parsed.accepted]
            found = iter(self._calls_together(filled, now) if filled else ())
            return [_prepared(one, *(next(found) if one.parsed.accepted else ({}, {})), now) for one in parts]

    def commit(self, parts: Sequence[Prepared]) -> list[bool]:
        """Write parts in one transaction; False for one that was committed before.

        Raises what `Lake.commit` raises; then nothing was written and the same parts may be tried again.
        """
        batches = [part.batch for part in parts]
        linking = any(_has_links(batch) for batch in batches)
        with self.lake.committing([one.batch_id for one in batches], linking=linking) as turn:
            self._heed_erasures(turn.con)
            written = turn.new(batches)
            new = [one for one, is_new in zip(batches, written, strict=True) if is_new]
            turn.write(_finished(new, _linked(turn.con, new)))
        for part in parts:
            for table, ids in part.new_ids.items():
                self._known[table].add(ids)
        return written

    def used_labels(self) -> dict[str, set[bytes]]:
        """Labels (packed) by which paths of each service were labelled since this was asked last."""
        with self._preparing:
            used, self._learning.used = self._learning.used, {}
            return used

    def relearned(self, labellers: Mapping[str, Labeller]) -> None:
        """Label new paths of services as was learned meanwhile."""
        with self._preparing:
            for service, labeller in labellers.items():
                self._learning.renew(service, labeller)

    def _heed_erasures(self, con: duckdb.DuckDBPyConnection) -> None:
        """Take no fact for known any more when somebody was erased: it may be gone. Looks now and then."""
        now = self._clock()
        if self._heeded_us is not None and 0 <= now - self._heeded_us < _HEED_US:
            return
        self._heeded_us = now
        found = con.execute(f"SELECT count(*) FROM {ALIAS}.erasures").fetchone()
        erasures = found[0] if found else 0
        if erasures != self._erasures:
            self._erasures = erasures
            with self._preparing:
                for ids in self._known.values():
                    ids.forget()

    def batch_id(self, origin: Origin, first_position: int) -> int:
        """The id of the part of an origin that starts at a record: the same however often it is read."""
        return self.key.id64("batch", f"{origin.origin_id}\0{first_position}")

    def _calls(
        self,
        observed: pa.Table,
        origin: Origin,
        batch_id: int,
        now: int,
        sizes: Sequence[int] | None = None,
    ) -> tuple[dict[str, pa.Table], dict[str, Ids]]:
        defaults = origin.defaults
        proxies = self._proxies.setdefault(defaults.proxies, Proxies(defaults.proxies))
        context = Context(
            source=origin.source,
            origin_id=origin.origin_id,
            batch_id=batch_id,
            received_at_us=now,
            vantage=defaults.vantage,
            environment=defaults.environment,
            team=defaults.team,
            service=defaults.service,
            proxies=proxies,
        )
        found = self._recognition.recognise(observed, context, sizes)
        rows = {"calls": found.calls}
        if found.schemas is not None:
            rows["schemas"] = found.schemas if sizes else found.schemas.drop_columns(["part"])
        new_ids: dict[str, Ids] = {}
        learned = {
            "traits": found.traits,
            "credentials": found.credentials,
            "instances": found.instances,
            "callers": found.callers,
            "content_rules": found.rules,
        }
        for name, table in learned.items():
            ids = _fact_ids(name, table)
            fresh = self._known[name].fresh(ids)
            if fresh.any():
                rows[name] = table.filter(pa.array(fresh))
                new_ids[name] = ids[fresh]
        self._templates(found, rows, new_ids)
        return rows, new_ids

    def _templates(self, found: Recognised, rows: dict[str, pa.Table], new_ids: dict[str, Ids]) -> None:
        """Add the new paths with their templates, and what they show of templates."""
        ids = np.asarray(found.paths["path_id"].to_numpy(), np.int64)
        fresh = self._known["paths"].fresh(ids)
        answers = Answers(
            one_chunk(found.calls["status"]),
            found.outlines,
            one_chunk(found.calls["objects"]),
            one_chunk(found.calls["item_count"]),
        )
        taken = self._learning.take(found.paths, fresh, found.route_of, answers, self._known["sightings"])
        if taken.paths.num_rows:
            rows["paths"] = _versioned(taken.paths)
            new_ids["paths"] = ids[fresh]
        if taken.sightings.num_rows:
            rows["sightings"] = taken.sightings
            new_ids["sightings"] = np.asarray(taken.sightings["sighting_id"].to_numpy(), np.int64)

    def _calls_together(
        self, parts: Sequence[Part], now: int
    ) -> Iterator[tuple[dict[str, pa.Table], dict[str, Ids]]]:
        """Rows and new ids of each part, from one recognition of them all."""
        observed = stacked([one.parsed.table for one in parts])
        sizes = [one.parsed.accepted for one in parts]
        rows, _ = self._calls(observed, parts[0].origin, parts[0].batch_id, now, sizes)
        calls = rows["calls"]
        for name, ids in (
            ("origin_id", [one.origin.origin_id for one in parts]),
            ("batch_id", [one.batch_id for one in parts]),
        ):
            at = calls.schema.get_field_index(name)
            calls = calls.set_column(at, calls.schema.field(at), pa.array(np.repeat(np.array(ids), sizes)))
        start = 0
        for part, size in enumerate(sizes):
            own, new_ids = _own(calls.slice(start, size), rows)
            if "schemas" in rows:
                own["schemas"] = rows["schemas"].filter(pc.field("part") == part).drop_columns(["part"])
            yield own, new_ids
            start += size


def _fact_ids(name: str, table: pa.Table) -> Ids:
    """What each row says, as one id: a row whose id was written before says nothing new.

    A credential is said again for each place, and for each day on which its tokens expire.
    """
    ids = np.asarray(table[_FACTS[name]].to_numpy(), np.int64)
    if name == "credentials" and table.num_rows:
        places = pc.dictionary_encode(table["place"]).combine_chunks()
        seeds = np.array([crc32(one.encode()) for one in places.dictionary.to_pylist()], np.int64)
        days = table["expires_at_us"].cast(pa.int64()).fill_null(0).to_numpy() // _DAY_US
        return mixed(ids, seeds[places.indices.to_numpy()] * 1_000_003 + days)
    if name == "instances":
        return mixed(ids, np.asarray(table["credential_id"].to_numpy(), np.int64))
    return ids


def _linked(con: duckdb.DuckDBPyConnection, batches: Sequence[Batch]) -> list[pa.Table | None]:
    """Each batch's calls, linked to other vantages': to what was committed before, and to one another.

    Those of one source are linked together, in their order.
    """
    calls = [batch.rows.get("calls") for batch in batches]
    with_links: dict[str, list[int]] = {}
    for at, table in enumerate(calls):
        if table is not None and _has_links(batches[at]):
            with_links.setdefault(table["source"][0].as_py(), []).append(at)
    beside: list[pa.Table] = []
    for places in with_links.values():
        marked = mark_linked(con, stacked([calls[at] for at in places]), beside)
        beside.append(marked)
        start = 0
        for at in places:
            rows = batches[at].rows["calls"].num_rows
            calls[at] = marked.slice(start, rows)
            start += rows
    return calls


def _has_links(batch: Batch) -> bool:
    """Whether another vantage may have seen calls of it."""
    calls = batch.rows.get("calls")
    return calls is not None and calls["link_id"].null_count < calls.num_rows


def _has_data(calls: pa.Table) -> bool:
    return bool(calls["data_classes"].null_count < calls.num_rows)


def _finished(batches: Sequence[Batch], calls: Sequence[pa.Table | None]) -> list[Batch]:
    """With their calls as they are linked, and the rollups of each source's calls, in its first batch."""
    own: list[dict[str, pa.Table]] = [{} if one is None else {"calls": one} for one in calls]
    by_source: dict[str, list[dict[str, pa.Table]]] = {}
    for rows in own:
        if rows:
            by_source.setdefault(rows["calls"]["source"][0].as_py(), []).append(rows)
    for of_one in by_source.values():
        together = stacked([rows["calls"].select(ROLLED) for rows in of_one])
        of_one[0] |= {"rollups": rollups(together), "latencies": latencies(together)}
        beside = presented(together)
        if beside.num_rows:
            of_one[0] |= {"presented": beside}
        with_data = [one["calls"].select(COUNTED) for one in of_one if _has_data(one["calls"])]
        if with_data:
            of_one[0]["data_classes"] = data_classes(stacked(with_data))
    return [Batch(one.batch_id, {**one.rows, **rows}) for one, rows in zip(batches, own, strict=True)]


def _own(calls: pa.Table, rows: dict[str, pa.Table]) -> tuple[dict[str, pa.Table], dict[str, Ids]]:
    """Some calls with the new facts they show. Parts may be dropped singly, so each has its own."""
    own = {"calls": calls}
    new_ids: dict[str, Ids] = {}
    of_call = pc.list_flatten(calls["credentials"])
    shown = {
        "paths": ("path_id", calls["path_id"]),
        "traits": ("path_id", calls["path_id"]),
        "sightings": ("path_id", calls["path_id"]),
        "credentials": ("credential_id", pc.struct_field(of_call, "credential_id")),
        "instances": ("credential_id", pc.struct_field(of_call, "credential_id")),
        "callers": ("caller_id", calls["caller_id"]),
    }
    for name in _FACTS:
        if name in rows:
            facts = rows[name]
            if name in shown:
                of, ids = shown[name]
                facts = facts.filter(pc.is_in(facts[of], value_set=pc.unique(ids)))
            if facts.num_rows:
                own[name] = facts
                new_ids[name] = _fact_ids(name, facts)
    return own, new_ids


def _prepared(part: Part, rows: dict[str, pa.Table], new_ids: dict[str, Ids], now: int) -> Prepared:
    parsed, batch_id = part.parsed, part.batch_id
    if parsed.rejects:
        rows["rejects"] = _reject_rows(parsed.rejects, part.origin, batch_id, now)
    if "sightings" in rows:
        rows["sightings"] = rows["sightings"].select(SIGHTINGS.names)
    rows["ledger"] = _ledger_row(parsed, part.origin, part.reached, batch_id, now, rows.get("calls"))
    skipped = sum(parsed.skipped.values())
    return Prepared(
        Batch(batch_id, rows), parsed.read, parsed.accepted, len(parsed.rejects), skipped, new_ids
    )


def _versioned(paths: pa.Table) -> pa.Table:
    version = pa.array(np.full(paths.num_rows, FIRST_VERSION, np.int32))
    return paths.append_column("version", version).select(PATHS.names)


def _reject_rows(rejects: list[Reject], origin: Origin, batch_id: int, now: int) -> pa.Table:
    return pa.Table.from_pydict(
        {
            "batch_id": [batch_id] * len(rejects),
            "source": [origin.source] * len(rejects),
            "origin_id": [origin.origin_id] * len(rejects),
            "position": [one.position for one in rejects],
            "reason": [one.reason.value for one in rejects],
            "shape": [shape(one.raw) for one in rejects],
            "received_at_us": [now] * len(rejects),
        },
        schema=REJECTS,
    )


def _ledger_row(
    parsed: Parsed, origin: Origin, reached: Reached, batch_id: int, now: int, calls: pa.Table | None
) -> pa.Table:
    span = pc.min_max(calls["started_at_us"]).as_py() if calls is not None else {"min": None, "max": None}
    row = {
        "batch_id": batch_id,
        "source": origin.source,
        "origin_id": origin.origin_id,
        "origin": origin.name,
        "format": origin.format,
        "next_position": reached.position,
        "next_offset": reached.offset,
        "parser_state": json.dumps(_masked(reached.state)),
        "read": parsed.read,
        "accepted": parsed.accepted,
        "rejected": len(parsed.rejects),
        "skipped": sum(parsed.skipped.values()),
        "skipped_by": json.dumps(parsed.skipped),
        "rejected_by": json.dumps(Counter(one.reason.value for one in parsed.rejects)),
        "earliest_us": span["min"],
        "latest_us": span["max"],
        "complete": reached.complete,
        "committed_at_us": now,
    }
    return pa.Table.from_pylist([row], schema=LEDGER)


def _masked(state: Any) -> Any:
    """A parser's state with every string that may hold a secret masked: it came from the input."""
    if isinstance(state, dict):
        return {name: _masked(value) for name, value in state.items()}
    if isinstance(state, list):
        return [_masked(value) for value in state]
    return mask_text(state, lambda kind, secret: f"~{kind}{len(secret)}") if isinstance(state, str) else state
