"""Where a call went: service, path, template, identifiers, and the ids that tie them together.

Everything is done once per distinct target, path and host; ids of combinations are mixed in columns.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.ids import Ids, mixed, unique
from wardgate.core.keys import Key
from wardgate.recognise.distinct import Codes, Distinct, coded, combined, distinct, nothing
from wardgate.recognise.paths import PathBook
from wardgate.recognise.protocols.asking import Spoken
from wardgate.recognise.protocols.catalogue import HTTP
from wardgate.recognise.protocols.grpc import OTHER_METHODS, Grpc, GrpcWeb
from wardgate.recognise.protocols.names import OTHER, Names
from wardgate.recognise.splitting import Front, Secrets, Split, split_targets
from wardgate.recognise.targets import redact_query
from wardgate.recognise.tokens import Tokens

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_GRPC = (Grpc.name, GrpcWeb.name)
_FETCHING = (None, "GET", "HEAD", "OPTIONS")
"""Methods by which files are fetched; what is sent to a path that ends like a file's is a call."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Methods, targets and what they were split into; `paths` and `queries` are without secrets."""

    methods: Distinct
    targets: Distinct
    split: Split
    paths: Distinct
    queries: Distinct
    apart: Distinct
    """Raw queries that the source keeps apart from the target."""
    carried: list[tuple[Codes, dict[int, Secrets]]]
    """Codes (one per row), and what the paths and queries behind some of them carried."""


@dataclass(frozen=True, slots=True)
class Routes:
    """Columns of a batch (one entry per row), and the distinct routes behind them."""

    service: pa.Array
    scheme: pa.Array
    host: pa.Array
    port: pa.Array
    method: pa.Array
    path: pa.Array
    query: pa.Array
    objects: pa.Array
    operation: Distinct
    """Names as they are kept."""
    path_id: Ids
    place_ids: Callable[[], Ids]
    """Keyed ids of service, method and path alone: equal at vantages that see different protocols."""
    secrets: list[tuple[Codes, dict[int, Secrets]]]
    """Codes per row, and by code what some paths and queries carried."""
    table: pa.Table
    """One row per distinct route: columns of `lake.tables.PATHS` without `version`, and two keyed ids:
    `head_id` of service, protocol, method and operation, `place_id` of service and path."""
    route_of: Codes
    """The row of `table` of each call."""


class Router:
    """Recognises targets, keeping what it knows of paths between batches (bounded)."""

    def __init__(self, key: Key, tokens: Tokens) -> None:
        self._key = key
        self._tokens = tokens
        self._book = PathBook(key)
        self._names = Names()

    def targets(self, observed: pa.Table) -> Targets:
        """Methods and targets of a batch, split and redacted."""
        rows = observed.num_rows
        targets = distinct(_column(observed, "target"), rows)
        split = split_targets(targets.array, self._tokens)
        methods = distinct(_column(observed, "method"), rows)
        methods = coded([self._method(one) for one in methods.values], methods.codes)
        apart = distinct(_column(observed, "query"), rows)
        queries = Distinct(split.query, targets.codes)
        carried = [(_through(codes, targets.codes), found) for codes, found in split.secrets]
        if not apart.is_empty:
            clean, found = self._redacted(apart)
            both = split.query.null_count < len(split.query)
            own = queries.text() if both else None
            queries = Distinct(clean, apart.codes)
            if own is not None:  # some rows show it here, some there
                queries = distinct(pc.coalesce(queries.text(), own), rows)
            carried += [(apart.codes, found)] if found else []
        elif split.query.null_count == len(split.query):
            queries = nothing(rows)
        encoded = pc.dictionary_encode(split.path)
        spread = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        paths = Distinct(encoded.dictionary, _through(spread, targets.codes))
        return Targets(methods, targets, split, paths, queries, apart, carried)

    def _redacted(self, queries: Distinct) -> tuple[pa.Array, dict[int, Secrets]]:
        """Queries that a source keeps apart, redacted, and by code what they carried."""
        clean: list[str | None] = []
        carried: dict[int, Secrets] = {}
        for code, query in enumerate(queries.values):
            kept: list[tuple[str, str]] = []
            clean.append(redact_query(query.removeprefix("?"), self._tokens, kept) or None)
            if kept:
                carried[code] = tuple(kept)
        return pa.array(clean, pa.string()), carried

    def route(
        self, observed: pa.Table, asked: Targets, host: Distinct, spoken: Spoken, service: str, fixed: bool
    ) -> Routes:
        """Routes of a batch. `service` names it where no host is shown, or always when `fixed`."""
        rows = observed.num_rows
        methods, targets, split, paths = asked.methods, asked.targets, asked.split, asked.paths
        fronts = Distinct(pa.nulls(len(split.fronts), pa.string()), _through(split.front, targets.codes))
        protocol = spoken.protocol
        names = distinct(_column(observed, "service_name"), rows)
        services, scheme, host_text, port = self._services(
            observed, fronts, split.fronts, host, names, service, fixed
        )
        operations = self._kept(observed, services, protocol, spoken.operation, service)
        places = self._book.look_up(paths.array)

        heads_first, head = combined(services.codes, protocol.codes, methods.codes, operations.codes)
        heads = [
            (services.at(row) or service, protocol.at(row) or HTTP, methods.at(row), operations.at(row))
            for row in heads_first.tolist()
        ]
        head_ids = np.array(
            self._key.ids64("route", ["\0".join(part or "" for part in one) for one in heads]), np.int64
        )
        path_ids = self._book.ids[places][paths.codes]
        path_id = mixed(head_ids[head], path_ids)
        table, route_of = self._table(heads, head, head_ids, paths, places, path_id)
        return Routes(
            service=services.text(),
            scheme=scheme,
            host=host_text,
            port=port,
            method=methods.text(),
            path=paths.text(),
            query=asked.queries.text() if not asked.queries.is_empty else pa.nulls(rows, pa.string()),
            objects=self._book.objects.take(pa.array(places[paths.codes])),
            path_id=path_id,
            place_ids=partial(self._place_ids, services, methods, service, path_ids),
            operation=operations,
            secrets=asked.carried,
            table=table,
            route_of=route_of,
        )

    def _kept(
        self, observed: pa.Table, services: Distinct, protocol: Distinct, operation: Distinct, service: str
    ) -> Distinct:
        """Operations as they are kept: what is past the bounds of a service is counted together."""
        at = np.flatnonzero(operation.codes >= 0)
        if not len(at):
            return operation
        first, combination = combined(services.codes[at], protocol.codes[at], operation.codes[at])
        answered = np.zeros(len(first), bool)
        status = _column(observed, "status")
        if status is None:
            answered[:] = True
        else:
            fine = pc.less(status, 400).fill_null(True).to_numpy()
            answered[combination[fine[at]]] = True
        kept = [
            self._names.kept(
                services.at(row) or service,
                protocol.at(row) or HTTP,
                operation.at(row) or "",
                answered=bool(answered[i]),
            )
            for i, row in enumerate(at[first].tolist())
        ]
        encoded = pc.dictionary_encode(pa.array(kept, pa.string()))
        codes = np.full(len(operation.codes), -1, np.int64)
        codes[at] = encoded.indices.to_numpy(zero_copy_only=False)[combination]
        return Distinct(encoded.dictionary, codes)

    def _place_ids(self, services: Distinct, methods: Distinct, service: str, path_ids: Ids) -> Ids:
        first, place = combined(services.codes, methods.codes)
        heads = [f"{services.at(row) or service}\0{methods.at(row) or ''}" for row in first.tolist()]
        return mixed(np.array(self._key.ids64("place", heads), np.int64)[place], path_ids)

    def _method(self, method: str) -> str:
        return method if len(method) <= 16 else self._tokens.masked(method)[:40]

    def _services(
        self,
        observed: pa.Table,
        front: Distinct,
        fronts: list[Front],
        host: Distinct,
        names: Distinct,
        service: str,
        fixed: bool,
    ) -> tuple[Distinct, pa.Array, pa.Array, pa.Array]:
        rows = observed.num_rows
        schemes = distinct(_column(observed, "scheme"), rows)
        ports = _column(observed, "port")
        port_codes = (
            ports.fill_null(-1).to_numpy().astype(np.int64)
            if ports is not None
            else np.full(rows, -1, np.int64)
        )
        first, combination = combined(host.codes, front.codes, names.codes, schemes.codes, port_codes)
        shown: list[tuple[str, str | None, str | None, int | None]] = []
        for row in first.tolist():
            its_scheme, authority = fronts[front.codes[row]] if front.codes[row] >= 0 else (None, None)
            name, port = self._host(authority or host.at(row))
            scheme = its_scheme or (schemes.at(row) or "").lower() or None
            scheme = scheme if scheme in _DEFAULT_PORTS else None
            port = port or (int(port_codes[row]) if port_codes[row] > 0 else None)
            if fixed or name is None:
                label = service if fixed else self._tokens.masked(names.at(row) or service)[:200]
            else:
                usual = (
                    port is None
                    or port == _DEFAULT_PORTS.get(scheme or "", 0)
                    or (scheme is None and port in (80, 443))
                )
                label = name if usual else f"{name}:{port}"
            shown.append((label, scheme, name, port))
        labels = pc.dictionary_encode(pa.array([one[0] for one in shown], pa.string()))
        label_codes = labels.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        spread = coded([one[0] for one in shown], combination)
        return (
            Distinct(labels.dictionary, label_codes[combination]),
            spread.text([one[1] for one in shown]),
            spread.text([one[2] for one in shown]),
            spread.spread([one[3] for one in shown], pa.int32()),
        )

    def _host(self, text: str | None) -> tuple[str | None, int | None]:
        """Host (lower case) and port; a host that is none is treated as not shown."""
        found = _HOST.match(text.strip()) if text else None
        if found is None:
            return None, None
        name = found[1].lower().rstrip(".")
        port = int(found[2]) if found[2] and 0 < int(found[2]) < 65536 else None
        return (name if self._tokens.masked(name) == name else None) or None, port

    def _table(
        self,
        heads: list[tuple[str, str, str | None, str | None]],
        head: Codes,
        head_ids: Ids,
        paths: Distinct,
        places: Codes,
        path_id: Ids,
    ) -> tuple[pa.Table, Codes]:
        """Distinct routes, and which of them each call took.

        Operation ids are mixed from the head and the template without the names of its parameters. Templates
        are those of each path's own looks; `learning` puts better ones in their place.
        """
        service_ids = np.array(self._key.ids64("service", [one[0] for one in heads]), np.int64)
        ids, first, route_of = unique(path_id)
        its_head, its_path = head[first], paths.codes[first]
        its_place = places[its_path]
        its_template = self._book.template_of[its_place]
        templates, template_ids = (
            self._book.templates.take(pa.array(its_template)),
            self._book.template_ids[its_template],
        )
        scanned = np.array([one[1] in _GRPC and one[3] == OTHER for one in heads], bool)[its_head]
        if scanned.any():
            templates = pc.if_else(pa.array(scanned), OTHER_METHODS, templates)
            template_ids = np.where(scanned, self._key.id64("template", OTHER_METHODS), template_ids)
        fetched = np.array([one[1] == HTTP and one[2] in _FETCHING for one in heads], bool)[its_head]
        at = pa.array(its_head)
        table = pa.table(
            {
                "path_id": pa.array(ids),
                "service": pa.array([one[0] for one in heads], pa.string()).take(at),
                "protocol": pa.array([one[1] for one in heads], pa.string()).take(at),
                "method": pa.array([one[2] for one in heads], pa.string()).take(at),
                "path": paths.array.take(pa.array(its_path)),
                "operation": pa.array([one[3] for one in heads], pa.string()).take(at),
                "template": templates,
                "operation_id": pa.array(mixed(head_ids[its_head], template_ids)),
                "static": pa.array(self._book.static[its_place] & fetched),
                "confidence": pa.array(np.ones(len(ids), np.float32)),
                "basis": pa.array(["plain"], pa.string()).take(pa.array(np.zeros(len(ids), np.int64))),
                "head_id": pa.array(head_ids[its_head]),
                "place_id": pa.array(mixed(service_ids[its_head], self._book.ids[its_place])),
            }
        )
        return table, route_of


def _through(codes: Codes, rows: Codes) -> Codes:
    """Codes per row from codes per distinct target and targets per row."""
    if not len(codes):
        return rows
    out: Codes = np.where(rows < 0, -1, codes[np.maximum(rows, 0)])
    return out


def _column(observed: pa.Table, name: str) -> pa.ChunkedArray | None:
    return observed[name] if name in observed.column_names else None
