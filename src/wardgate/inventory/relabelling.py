"""Templates evolve: what all paths of a service say together, written as higher versions of the mapping.

A pass learns a service from what was sighted of it (`sighted`), a bounded amount, and then looks for paths in
the lake that have another template now: at the distinct templates first, at paths only where theirs changed.
What changed is appended with the next version, history follows when it is read, and nothing is rewritten.
Doing it again changes nothing, and of several processes one learns at a time.

An operation's id is made of its template without the names of parameters: a renamed one keeps it, the same
template has the same id whoever learned it, and ids that paths had before stay names of the operation
(`replaced`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.clock import Clock
from wardgate.core.keys import Key
from wardgate.core.object_ids import ObjectIds
from wardgate.inventory.sighted import Learned, evidence, learned, sightings
from wardgate.lake.batch_locks import BatchLocks
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Batch, Lake, locked
from wardgate.lake.tables import PATHS, REPLACED, SIGHTINGS, TEMPLATES
from wardgate.recognise.learning import labels_of, merge_sightings, with_labels
from wardgate.recognise.templates import Templates, erased
from wardgate.recognise.templating.doubt import doubtful
from wardgate.recognise.templating.labelling import Label, Labeller
from wardgate.recognise.templating.learner import learn
from wardgate.recognise.templating.packing import packed
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.returned import returned
from wardgate.recognise.templating.settled import Settled
from wardgate.recognise.templating.trie import Trie

LEARNING = -2
"""The lock of whoever learns, where processes share a catalogue on PostgreSQL."""
NOTABLE = 0.05
"""A change of confidence that is worth a row."""
_LEARNABLE = 'NOT "static" AND operation IS NULL'
_WINNERS = f"""
SELECT * FROM {ALIAS}.main.paths WHERE path_id IN (SELECT path_id FROM wanted)
QUALIFY row_number() OVER (PARTITION BY path_id ORDER BY version DESC, operation_id DESC) = 1"""
_OF_THEM = 'AND "template" IN (SELECT "template" FROM doubtful)'
_BATCH = 100_000


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What a pass did: the services it learned, and how many paths have another template now."""

    services: tuple[str, ...] = ()
    paths: int = 0
    labellers: Mapping[str, Labeller] = field(default_factory=dict)
    """The labels of every service that was learned."""


def relabel(
    lake: Lake,
    key: Key,
    prior: Callable[[], Prior],
    clock: Clock,
    settled: Callable[[Lake], Mapping[str, Settled]] = lambda lake: {},
    *,
    used: Mapping[str, Collection[bytes]] | None = None,
    worth: Callable[[str, int, int], bool] = lambda service, before, now: True,
) -> Relabelled:
    """Learn what was sighted since, heed what is settled now, and append what changed.

    `used` are labels by which this process labelled paths meanwhile. `worth` is asked for a service of which
    more was sighted (service, evidence that was learned, evidence there is) whether to learn it now. Raises
    what `Lake.commit` raises.
    """
    with _alone(lake):
        seen = evidence(lake)
        before = learned(lake)
        now_settled = settled(lake)
        labellers: dict[str, Labeller] = {}
        changed = 0
        for service in sorted({*seen, *before, *_never_learned(lake, before)}):
            old = before.get(service)
            old_labeller = old.labeller if old is not None else None
            wanted = now_settled.get(service, Settled())
            is_settled = old_labeller is not None and old_labeller.settled == wanted
            n = seen.get(service, 0)
            is_learned = old is not None and old_labeller is not None and n <= old.evidence
            if not is_learned and old is not None and is_settled:
                is_learned = not worth(service, old.evidence, n)
            stale = {*(used or {}).get(service, ())} - ({old.labels} if old is not None else set())
            if is_learned and is_settled and not stale:
                continue
            one = _Pass(lake, key, service, old)
            labellers[service] = one.learned(prior(), wanted, old_labeller if is_learned else None)
            n = old.evidence if is_learned and old is not None else n
            changed += one.commit(n, old_labeller, clock, stale=bool(stale))
    return Relabelled(tuple(labellers), changed, labellers)


@contextmanager
def _alone(lake: Lake) -> Iterator[None]:
    """While no other process learns: the last one to do so then sees all that was committed."""
    if lake.place.lock is not None:
        with locked(lake.place.lock.with_name(".learning.lock")):
            yield
        return
    locks = BatchLocks(lake.place.catalog)
    try:
        with locks.held([LEARNING]):
            yield
    finally:
        locks.close()


def _never_learned(lake: Lake, before: Collection[str]) -> list[str]:
    """Services with paths from before templates were learned."""
    found = lake.rows(f"SELECT DISTINCT service FROM {ALIAS}.main.paths WHERE basis IS NULL AND {_LEARNABLE}")
    return [one for one in found["service"].to_pylist() if one not in before]


class _Pass:
    """One service being learned."""

    def __init__(self, lake: Lake, key: Key, service: str, old: Learned | None) -> None:
        self._lake = lake
        self._key = key
        self._service = service
        self._old = old
        self._seeds = SIGHTINGS.empty_table()
        self._seeded = 0
        self._labeller: Labeller

    def learned(self, prior: Prior, settled: Settled, same: Labeller | None) -> Labeller:
        """The labels as they are now; `same` is known to be learned from everything that was sighted."""
        if same is not None:
            self._labeller = same if same.settled == settled else Labeller(same.top, settled)
            return self._labeller
        trie = Trie()
        rows = sightings(self._lake, self._service)
        merge_sightings(trie, rows)
        if self._old is None:
            self._seed(trie)
        self._labeller = Labeller(learn(trie, prior, returned(trie, ObjectIds(self._key))), settled)
        return self._labeller

    def _seed(self, trie: Trie) -> None:
        """Take in paths from before anything was sighted."""
        found = self._lake.rows(
            f"SELECT DISTINCT path, method FROM {ALIAS}.main.paths "
            f"WHERE service = ? AND basis IS NULL AND {_LEARNABLE}",
            [self._service],
        )
        if not found.num_rows:
            return
        for path, method in zip(found["path"].to_pylist(), found["method"].to_pylist(), strict=True):
            trie.add(path, method)
        nodes = sorted(trie.paths(), key=lambda one: one[0])
        rows = [
            {"service": self._service, "path": path, "methods": node.methods, "statuses": node.statuses}
            for path, node in nodes
        ]
        self._seeds = pa.Table.from_pylist(rows, schema=SIGHTINGS)
        self._seeded = sum(1 + node.methods.bit_count() + node.statuses.bit_count() for _, node in nodes)

    def commit(self, seen: int, before: Labeller | None, clock: Clock, *, stale: bool) -> int:
        """Append what changed, and what was learned; answers how many paths have another template.

        `before` are the labels that paths in the lake have; with `stale`, some have others.
        """
        trusted = None if stale else before
        old_settled = before.settled if before is not None else Settled()
        labels = packed(self._labeller)
        everything = old_settled != self._labeller.settled
        parts = [self._moved(ids) for ids in self._candidates(everything, trusted)]
        moved = pa.concat_tables([PATHS.empty_table(), *(rows for rows, _ in parts)])
        replaced = pa.concat_tables([self._lost(), *(rows for _, rows in parts)])
        row = {
            "service": self._service,
            "version": self._old.version + 1 if self._old is not None else 1,
            "evidence": seen + self._seeded,
            "labels": labels,
            "learned_at_us": clock(),
        }
        batch_id = self._key.id64("learning", f"{self._service}\0{row['version']}\0{moved.num_rows}")
        tables = {
            "paths": self._spoken(moved),
            "replaced": replaced,
            "templates": pa.Table.from_pylist([row], schema=TEMPLATES),
            "sightings": self._seeds,
        }
        self._lake.commit(Batch(batch_id, tables))
        count: int = moved.num_rows
        return count

    def _candidates(self, everything: bool, trusted: Labeller | None) -> Iterator[pa.Table]:
        """Paths whose template may have changed, in batches: a column `path_id`."""
        where = f"FROM {ALIAS}.main.paths WHERE service = $service AND {_LEARNABLE}"
        parts: list[pa.Table] = []
        if everything:
            parts.append(self._rows(f"SELECT DISTINCT path_id {where}"))
        else:
            learned = "coalesce(basis, '') NOT IN ('pinned', 'described')"
            templates = self._rows(f'SELECT DISTINCT "template" {where} AND {learned}')
            found = doubtful(self._labeller, templates["template"].to_pylist(), trusted)
            if found.templates:
                asked = pa.table({"template": pa.array(found.templates, pa.string())})
                parts.append(self._rows(f"SELECT DISTINCT path_id {where} {_OF_THEM}", doubtful=asked))
            for at, (of, segments) in sorted(found.values.items()):
                asked = pa.table({"template": of, "segment": segments})
                rows = f"SELECT path_id, \"template\", split_part(path, '/', {at + 2}) AS segment {where}"
                select = (
                    f'SELECT DISTINCT path_id FROM ({rows}) SEMI JOIN doubtful USING ("template", segment)'
                )
                parts.append(self._rows(select, doubtful=asked))
        if parts:
            ids = pa.array(np.unique(pa.concat_tables(parts)["path_id"].to_numpy()))
            for start in range(0, len(ids), _BATCH):
                yield pa.table({"path_id": ids.slice(start, _BATCH)})

    def _moved(self, ids: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Of some paths, those whose template changed, one version up; and the operations they left."""
        now = self._rows(_WINNERS, wanted=ids).select(PATHS.names).cast(PATHS)
        labelled = self._labelled(now)
        is_other = pc.not_equal(now["operation_id"], labelled["operation_id"])
        basis = pc.coalesce(now["basis"], pa.scalar(""))
        is_settled = pc.is_in(labelled["basis"], value_set=pa.array(["pinned", "described"]))
        was_settled = pc.is_in(basis, value_set=pa.array(["pinned", "described"]))
        is_other = pc.or_(is_other, pc.not_equal(is_settled, was_settled))
        before, after = now.filter(is_other), labelled.filter(is_other)
        left = before.select(["operation_id", "path_id"])
        left = left.filter(pc.not_equal(before["operation_id"], after["operation_id"]))
        left = left.group_by("operation_id").aggregate([("path_id", "min")]).rename_columns(REPLACED.names)
        return after, left.cast(REPLACED)

    def _lost(self) -> pa.Table:
        """Operations that paths left because another process labelled them otherwise at first sight."""
        return self._rows(
            f"""WITH mine AS (
    SELECT path_id, version, operation_id FROM {ALIAS}.main.paths WHERE service = $service AND {_LEARNABLE}),
now AS (SELECT path_id, arg_max(operation_id, (version, operation_id)) AS now FROM mine GROUP BY path_id)
SELECT operation_id, min(path_id) AS path_id FROM mine JOIN now USING (path_id)
ANTI JOIN {ALIAS}.main.replaced USING (operation_id) WHERE operation_id <> now GROUP BY operation_id"""
        ).cast(REPLACED)

    def _labelled(self, rows: pa.Table) -> pa.Table:
        """The rows, one version up, with the labels they have now."""
        templates = Templates()
        lexical = pa.chunked_array(
            [[templates.of(one).text for one in rows["path"].to_pylist()]], pa.string()
        )
        labels, codes = labels_of(self._labeller, rows["path"], lexical)
        heads = self._heads(rows)
        out = with_labels(self._key, rows.append_column("head_id", heads), labels, codes)
        up = pc.add(out["version"], pa.scalar(1, pa.int32()))
        return (
            out.set_column(out.schema.get_field_index("version"), "version", up)
            .select(PATHS.names)
            .cast(PATHS)
        )

    def _heads(self, rows: pa.Table) -> pa.Array:
        """As `recognise.routes` makes them."""
        parts = [pc.fill_null(rows[name], "") for name in ("service", "protocol", "method", "operation")]
        heads = pc.dictionary_encode(pc.binary_join_element_wise(*parts, "\0").combine_chunks())
        ids = np.array(self._key.ids64("route", heads.dictionary.to_pylist()), np.int64)
        return pa.array(ids[heads.indices.to_numpy()])

    def _spoken(self, moved: pa.Table) -> pa.Table:
        """`moved`, and for each operation whose name or confidence changed one path that speaks for it."""
        by_operation = self._said(moved)
        wanted: dict[int, int] = {}
        for operation_id, heads in by_operation.items():
            template, version, *sure = heads[0]
            label = self._label_of(template)
            is_said = len(heads) == 1 and template == label.template
            if not is_said or any(one is None or abs(one - label.sure) >= NOTABLE for one in sure):
                wanted[operation_id] = version
        if not wanted:
            return moved
        ids = self._rows(
            f"""WITH now AS (SELECT path_id, arg_max(operation_id, (version, operation_id)) AS operation_id
FROM {ALIAS}.main.paths WHERE service = $service AND {_LEARNABLE} GROUP BY path_id)
SELECT min(path_id) AS path_id FROM now ANTI JOIN moved USING (path_id)
SEMI JOIN asked ON asked.operation_id = now.operation_id GROUP BY now.operation_id""",
            asked=pa.table({"operation_id": pa.array(list(wanted), pa.int64())}),
            moved=moved.select(["path_id"]),
        )
        speakers = self._labelled(self._rows(_WINNERS, wanted=ids).select(PATHS.names).cast(PATHS))
        rows = pa.concat_tables([moved, speakers])
        versions = rows["version"].to_numpy().copy()
        for at, operation_id in enumerate(rows["operation_id"].to_pylist()):
            if operation_id in wanted:
                versions[at] = max(versions[at], wanted.pop(operation_id) + 1)
        return rows.set_column(rows.schema.get_field_index("version"), "version", pa.array(versions))

    def _said(self, moved: pa.Table) -> dict[int, list[tuple[str, int, float | None, float | None]]]:
        """What the highest version says of each operation: template, version, confidence from and to."""
        found = self._rows(
            f"""WITH every AS (
    SELECT operation_id, "template", version, confidence FROM {ALIAS}.main.paths
    WHERE service = $service AND {_LEARNABLE}
    UNION ALL SELECT operation_id, "template", version, confidence FROM moved)
SELECT operation_id, "template", version, min(confidence) AS least, max(confidence) AS most
FROM every GROUP BY operation_id, "template", version
QUALIFY version = max(version) OVER (PARTITION BY operation_id)""",
            moved=moved,
        )
        out: dict[int, list[tuple[str, int, float | None, float | None]]] = {}
        for row in found.to_pylist():
            said = (row["template"], row["version"], row["least"], row["most"])
            out.setdefault(row["operation_id"], []).append(said)
        return out

    def _label_of(self, template: str) -> Label:
        """What paths of a template are labelled as, if they still have it."""
        segments = template.split("/")[1:]
        path = [None if one.startswith("{") and one.endswith("}") else one for one in segments]
        found = self._labeller.of_skeleton(path)
        if found is None:
            found = self._labeller.of("/" + "/".join("\x00" if one is None else one for one in path))
        return (
            found if erased(found.template) == erased(template) else Label(template, found.sure, found.basis)
        )

    def _rows(self, sql: str, **tables: pa.Table) -> pa.Table:
        with self._lake.reading() as cursor:
            for name, table in tables.items():
                cursor.register(name, table)
            try:
                parameters = {"service": self._service} if "$service" in sql else None
                return cursor.execute(sql, parameters).to_arrow_table()
            finally:
                for name in tables:
                    cursor.unregister(name)
