"""Templates while calls come in: new routes are labelled as was learned, and noted for learning on.

Works on the distinct new routes of a batch, in columns; only what the bounded trie of a service keeps
becomes a sighting, so that a batch costs by its own size. What is plainly an identifier is labelled once for
all paths that differ in nothing else. Files, pages and calls with a name of their own (an RPC method, a tool)
keep what they have.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import Ids, KnownIds, mixed, unique
from wardgate.core.keys import Key
from wardgate.core.object_ids import ObjectIds
from wardgate.lake.tables import SIGHTINGS
from wardgate.recognise.distinct import Codes
from wardgate.recognise.sighted import Answers, sighted
from wardgate.recognise.templates import erased
from wardgate.recognise.templating.labelling import UNSEEN, Label, Labeller
from wardgate.recognise.templating.packing import packed
from wardgate.recognise.templating.prior import Prior, shipped
from wardgate.recognise.templating.services import Service
from wardgate.recognise.templating.trie import Trie, method_mask

GROWTH = 0.5
"""Share by which a service must have grown before it is learned again between two batches."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a service: rows of `lake.tables.SIGHTINGS`, and the labels that were learned."""

    sightings: pa.Table
    labeller: Labeller | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """Of a batch: its new routes, labelled, and what they show of templates."""

    paths: pa.Table
    """Columns of `lake.tables.PATHS` without `version`."""
    sightings: pa.Table
    """Columns of `lake.tables.SIGHTINGS`, `path_id`, and `sighting_id`: to be told once it is committed."""


class Learning:
    """The templates of all services that a process sees. Not for several threads at once."""

    def __init__(
        self,
        key: Key,
        remembered: Callable[[str], Remembered | None],
        *,
        prior: Prior | None = None,
        eager: bool = False,
    ) -> None:
        """`remembered` answers what is known of a service, None where that cannot be told now.

        `eager`: learn between two batches; else only label, as others learned.
        """
        self._key = key
        self._object_ids = ObjectIds(key)
        self._remembered = remembered
        self._prior = prior
        self.eager = eager
        self._services: dict[str, Service] = {}
        self._forgetful: set[str] = set()
        """Of them, those of which it could not be told what is known: they are asked for again."""
        self._shown = KnownIds()
        self._kept: Ids = np.empty(0, np.int64)
        """`place_id` of paths that were shown to a trie, and of those that it keeps, or kept once."""
        self._pending: set[int] = set()
        """Sightings that were handed out; they are handed out again until they are told."""
        self.used: dict[str, set[bytes]] = {}
        """Labels (packed) by which paths of a service were labelled since it was last asked."""

    def renew(self, service: str, labeller: Labeller) -> None:
        """Label as was learned elsewhere from now on."""
        known = self._services.get(service)
        if known is not None:
            known.labeller, known.settled = labeller, labeller.settled
            known.learned_at = known.trie.version

    def take(
        self,
        routes: pa.Table,
        fresh: npt.NDArray[np.bool_],
        route_of: Codes,
        answers: Answers,
        told: KnownIds,
    ) -> Taken:
        """Take in a batch: its distinct routes, which of them are new, and route and answer of each call.

        `told` are ids of sightings that are in the lake.
        """
        for name in self._forgetful:
            del self._services[name]
            self._shown.forget()
        self._forgetful.clear()
        learnable = ~routes["static"].to_numpy(zero_copy_only=False) & routes["operation"].is_null().to_numpy(
            zero_copy_only=False
        )
        new = routes.filter(pa.array(fresh & learnable))
        groups = _by_service(new)
        for service, rows in groups:
            self._make_room(self._service(service).trie, rows)
        sightings = self._sighted(routes, route_of, answers, told)
        labelled = [self._labelled(service, rows) for service, rows in groups]
        rest = fresh & ~learnable
        parts = [routes.filter(pa.array(rest))] if rest.any() or not labelled else []
        return Taken(pa.concat_tables([*parts, *labelled]).drop(["head_id", "place_id"]), sightings)

    def _service(self, name: str) -> Service:
        known = self._services.get(name)
        if known is None:
            known = self._services[name] = Service()
            before = self._remembered(name)
            if before is None:
                self._forgetful.add(name)
                return known
            merge_sightings(known.trie, before.sightings)
            if before.labeller is not None:
                known.labeller, known.settled = before.labeller, before.labeller.settled
                known.learned_at = known.trie.version
        return known

    def _make_room(self, trie: Trie, new: pa.Table) -> None:
        """Let a trie choose which of the new paths it keeps; each is shown to it once."""
        ids, first, _ = unique(new["place_id"].to_numpy())
        unknown = self._shown.fresh(ids)
        ids, first = ids[unknown], first[unknown]
        self._shown.add(ids)
        texts = new["path"].take(pa.array(first)).to_pylist()
        likely = np.fromiter(map(trie.make_room, texts), bool, len(texts))
        kept = [at for at in np.flatnonzero(likely).tolist() if trie.holds(texts[at])]
        if kept:
            self._kept = np.union1d(self._kept, ids[kept])

    def _sighted(self, routes: pa.Table, route_of: Codes, answers: Answers, told: KnownIds) -> pa.Table:
        """What calls of kept paths show that was not told yet: of each path method, class of status and
        outline of the answer, and what its answers return.
        """
        ids: Ids = routes["path_id"].to_numpy()
        if not len(self._kept) or not len(ids):
            return _NO_SIGHTINGS
        places = routes["place_id"].to_numpy()
        at = np.minimum(np.searchsorted(self._kept, places), len(self._kept) - 1)
        is_kept = self._kept[at] == places
        if not is_kept.any():
            return _NO_SIGHTINGS
        facts = sighted(routes, route_of, np.flatnonzero(is_kept[route_of]), answers, self._object_ids)
        seen = mixed(ids[facts.route], facts.classes + 1)
        for what in (facts.shapes, facts.sums):
            seen = np.where(what == 0, seen, mixed(seen, what))
        order = np.argsort(seen, kind="stable")
        order = order[told.fresh(seen[order])]
        seen, route, classes, shapes = (
            one[order] for one in (seen, facts.route, facts.classes, facts.shapes)
        )
        objects = [facts.objects[one] for one in order.tolist()]
        chosen = routes.select(["path_id", "service", "path", "method"]).take(pa.array(route))
        methods = np.array([method_mask(one) for one in chosen["method"].to_pylist()], np.int32)
        statuses = (1 << classes).astype(np.int32)
        says = np.zeros(len(seen), bool)
        for which, (service, path, sighting, shape) in enumerate(
            zip(
                chosen["service"].to_pylist(),
                chosen["path"].to_pylist(),
                seen.tolist(),
                shapes.tolist(),
                strict=True,
            )
        ):
            changed = self._service(service).trie.merge(
                path,
                int(methods[which]),
                int(statuses[which]),
                (shape,) if shape else (),
                objects[which],
            )
            says[which] = changed or sighting in self._pending
        told.add(seen[~says])  # the lake had them before this process began
        self._pending.update(seen[says].tolist())
        chosen = chosen.filter(pa.array(says))
        return pa.table(
            {
                "sighting_id": pa.array(seen[says]),
                **{name: chosen[name] for name in ("path_id", "service", "path")},
                "methods": pa.array(methods[says]),
                "statuses": pa.array(statuses[says]),
                "shapes": pa.array([[one] if one else None for one in shapes[says].tolist()], _IDS),
                "objects": pa.array(
                    [list(one) or None for one, kept in zip(objects, says, strict=True) if kept], _IDS
                ),
            }
        )

    def _labelled(self, service: str, new: pa.Table) -> pa.Table:
        """New routes of one service with their templates."""
        known = self._service(service)
        if self.eager and known.is_due(GROWTH):
            known.learned(self._prior or shipped(), known.settled)
        self.used.setdefault(service, set()).add(packed(known.labeller) if known.labeller else b"")
        if known.labeller is None:
            return _with(new, "confidence", pa.array(np.full(new.num_rows, UNSEEN, np.float32)))
        labels, codes = labels_of(known.labeller, new["path"], new["template"])
        return with_labels(self._key, new, labels, codes)


def labels_of(
    labeller: Labeller, paths: pa.ChunkedArray, lexical: pa.ChunkedArray
) -> tuple[list[Label], Codes]:
    """Distinct labels of paths, and which one each path has; `lexical` are their templates by looks alone."""
    shapes = pc.dictionary_encode(lexical.combine_chunks())
    codes: Codes = shapes.indices.to_numpy().astype(np.int64)
    labels: list[Label] = []
    of_shape = np.full(len(shapes.dictionary), -1, np.int64)
    for at, text in enumerate(shapes.dictionary.to_pylist()):
        if "{" in text:
            label = labeller.of_skeleton([None if "{" in one else one for one in text.split("/")[1:]])
            if label is not None:
                of_shape[at] = len(labels)
                labels.append(label)
    out = of_shape[codes]
    if labels:  # a brace of the path itself looks like a parameter there
        out[pc.match_substring(paths, "{").to_numpy()] = -1
    alone = np.flatnonzero(out < 0)
    if len(alone):
        texts = pc.dictionary_encode(paths.take(pa.array(alone)).combine_chunks())
        out[alone] = texts.indices.to_numpy().astype(np.int64) + len(labels)
        labels += map(labeller.of, texts.dictionary.to_pylist())
    return labels, out


def with_labels(key: Key, rows: pa.Table, labels: list[Label], codes: Codes) -> pa.Table:
    """Rows with the labels in place of what they had; they must have a `head_id`."""
    at = pa.array(codes)
    templates = np.array(key.ids64("template", [erased(one.template) for one in labels]), np.int64)
    heads: Ids = rows["head_id"].to_numpy()
    for name, column in (
        ("template", pa.array([one.template for one in labels], pa.string()).take(at)),
        ("operation_id", pa.array(mixed(heads, templates[codes]))),
        ("confidence", pa.array(np.array([one.sure for one in labels], np.float32)).take(at)),
        ("basis", pa.array([str(one.basis) for one in labels], pa.string()).take(at)),
    ):
        rows = _with(rows, name, column)
    return rows


def merge_sightings(trie: Trie, rows: pa.Table) -> None:
    """Take in rows of `lake.tables.SIGHTINGS`, of one service."""
    columns = [rows[name].to_pylist() for name in ("path", "methods", "statuses", "shapes", "objects")]
    for path, methods, statuses, shapes, objects in zip(*columns, strict=True):
        trie.merge(path, methods, statuses, shapes or (), objects or ())


def _with(rows: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index(name), name, column)


def _by_service(routes: pa.Table) -> list[tuple[str, pa.Table]]:
    """The services of routes, and the routes of each."""
    if not routes.num_rows:
        return []
    encoded = pc.dictionary_encode(routes["service"].combine_chunks())
    names = encoded.dictionary.to_pylist()
    if len(names) == 1:
        return [(names[0], routes)]
    codes = encoded.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return [(name, routes.take(pa.array(part))) for name, part in zip(names, parts, strict=True)]


_IDS = pa.list_(pa.int64())
_NO_SIGHTINGS = pa.schema([("sighting_id", pa.int64()), ("path_id", pa.int64()), *SIGHTINGS]).empty_table()
