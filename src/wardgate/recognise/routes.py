"""Where a call went: service, path, template, identifiers, and the ids that tie them together.

Everything is done once per distinct target, path and host; ids of combinations are mixed in columns.
"""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.call import OBJECT
from wardgate.core.keys import Key
from wardgate.recognise.distinct import Codes, Distinct, combined, distinct
from wardgate.core.ids import Ids, mixed
from wardgate.recognise.targets import NEEDS_CARE, Target, redact_query, split_target
from wardgate.recognise.templates import NEEDS_CUTTING, Template, Templates
from wardgate.recognise.tokens import Tokens

_MOST_PATHS = 300_000
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?\Z")
_STATIC = r"(?i)\.(?:css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf|mp4|webm|mp3|pdf|zip|gz|txt|html?|xml)$"
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Path:
    """What is known of one redacted path."""

    id: int
    template: str
    template_id: int
    objects: tuple[tuple[str, int], ...]
    static: bool


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
    path_id: Ids
    secrets: tuple[Distinct, dict[int, tuple[tuple[str, str], ...]]]
    """Targets, and by code the (place, value) of the secrets that some of them carried."""
    table: pa.Table
    """One row per distinct route: columns of `lake.tables.PATHS` without `version`."""


class Router:
    """Recognises targets, keeping what it knows of paths between batches (bounded)."""

    def __init__(self, key: Key, tokens: Tokens) -> None:
        self._key = key
        self._tokens = tokens
        self._paths: dict[str, Path] = {}
        self._templates = Templates()
        self._template_ids: dict[str, int] = {}

    def route(
        self, observed: pa.Table, host: Distinct, protocol: Distinct, service: str, fixed: bool
    ) -> Routes:
        """Routes of a batch. `service` names it where no host is shown, or always when `fixed`."""
        rows = observed.num_rows
        targets = distinct(_column(observed, "target"), rows)
        path_of_target, careful = self._split(targets.values)
        query = self._query(observed, targets, careful)
        methods = distinct(_column(observed, "method"), rows)
        methods = Distinct([self._method(one) for one in methods.values], methods.codes)
        operations = distinct(_column(observed, "operation"), rows)
        operations = Distinct([self._tokens.masked(one)[:200] for one in operations.values], operations.codes)
        names = distinct(_column(observed, "service_name"), rows)
        services, scheme, host_text, port = self._services(
            observed, targets, careful, host, names, service, fixed
        )

        encoded = pc.dictionary_encode(path_of_target)
        paths = encoded.dictionary.to_pylist()
        known = self._known(paths)
        spread = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = Distinct(paths, spread[targets.codes] if len(spread) else targets.codes)

        heads_first, head = combined(services.codes, protocol.codes, methods.codes, operations.codes)
        heads = [
            (
                services.values[services.codes[row]],
                _at(protocol, row) or "http",
                _at(methods, row),
                _at(operations, row),
            )
            for row in heads_first.tolist()
        ]
        head_ids = np.array(
            self._key.ids64("route", ["\0".join(part or "" for part in one) for one in heads]), np.int64
        )
        path_ids = np.array([one.id for one in known], np.int64)
        path_id = mixed(head_ids[head], path_ids[codes.codes])
        return Routes(
            service=services.text(services.values),
            scheme=scheme,
            host=host_text,
            port=port,
            method=methods.text(methods.values),
            path=codes.text(codes.values),
            query=query,
            objects=_objects(known).take(codes.indices()),
            path_id=path_id,
            secrets=(targets, {code: one.secrets for code, one in careful.items() if one.secrets}),
            table=self._table(heads, head, head_ids, codes, known, path_id),
        )

    def _split(self, values: list[str]) -> tuple[pa.Array, dict[int, Target]]:
        """The redacted path of each distinct target, and by code those that held more than a plain path."""
        array = pa.array(values, pa.string())
        flags = pc.match_substring_regex(array, NEEDS_CARE)
        at = np.flatnonzero(flags.to_numpy(zero_copy_only=False))
        careful = {code: split_target(values[code], self._tokens) for code in at.tolist()}
        if not careful:
            return array, careful
        return pc.replace_with_mask(
            array, flags, pa.array([one.path for one in careful.values()], pa.string())
        ), careful

    def _query(self, observed: pa.Table, targets: Distinct, careful: dict[int, Target]) -> pa.Array:
        apart = distinct(_column(observed, "query"), observed.num_rows)
        if not apart.is_empty:
            clean = [redact_query(one.removeprefix("?"), self._tokens, []) or None for one in apart.values]
            return apart.text(clean)
        queries: list[str | None] = [None] * len(targets.values)
        for code, one in careful.items():
            queries[code] = one.query
        if not any(queries):
            return pa.nulls(observed.num_rows, pa.string())
        return targets.text(queries)

    def _method(self, method: str) -> str:
        return method if len(method) <= 16 else self._tokens.masked(method)[:40]

    def _services(
        self,
        observed: pa.Table,
        targets: Distinct,
        careful: dict[int, Target],
        host: Distinct,
        names: Distinct,
        service: str,
        fixed: bool,
    ) -> tuple[Distinct, pa.Array, pa.Array, pa.Array]:
        rows = observed.num_rows
        schemes = distinct(_column(observed, "scheme"), rows)
        absolute = {code: one for code, one in careful.items() if one.authority}
        target_codes = np.full(rows, -1, np.int64)
        if absolute:
            target_codes = np.where(np.isin(targets.codes, list(absolute)), targets.codes, -1)
        ports = _column(observed, "port")
        port_codes = (
            ports.fill_null(-1).to_numpy().astype(np.int64)
            if ports is not None
            else np.full(rows, -1, np.int64)
        )
        first, combination = combined(host.codes, target_codes, names.codes, schemes.codes, port_codes)
        shown: list[tuple[str, str | None, str | None, int | None]] = []
        for row in first.tolist():
            target = absolute.get(int(targets.codes[row]))
            text = (target.authority if target else None) or _at(host, row)
            name, port = self._host(text)
            scheme = (target.scheme if target else None) or (_at(schemes, row) or "").lower() or None
            scheme = scheme if scheme in _DEFAULT_PORTS else None
            port = port or (int(port_codes[row]) if port_codes[row] > 0 else None)
            if fixed or name is None:
                label = service if fixed else self._tokens.masked(_at(names, row) or service)[:200]
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
        spread = Distinct([one[0] for one in shown], combination)
        return (
            Distinct(labels.dictionary.to_pylist(), label_codes[combination]),
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

    def _known(self, paths: list[str]) -> list[Path]:
        if len(self._paths) > _MOST_PATHS:
            self._paths.clear()
        missing = [path for path in paths if path not in self._paths]
        if missing:
            self._learn(missing)
        return [self._paths[path] for path in paths]

    def _learn(self, paths: list[str]) -> None:
        """Cut new paths; their ids and those of their identifiers are made in one go."""
        array = pa.array(paths, pa.string())
        cuts = pc.match_substring_regex(array, NEEDS_CUTTING).to_pylist()
        static = pc.match_substring_regex(array, _STATIC).to_pylist()
        of = self._templates.of
        templates = [
            of(p) if cut and not file else Template(p)
            for p, cut, file in zip(paths, cuts, static, strict=True)
        ]
        values = self._key.ids64("object", [value for one in templates for value in one.values])
        at = 0
        for path, id_, one, file in zip(
            paths, self._key.ids64("path", paths), templates, static, strict=True
        ):
            ids = values[at : at + len(one.values)]
            at += len(one.values)
            template_id = id_ if one.text is path else self._template_id(one.text)
            self._paths[path] = Path(
                id_, one.text, template_id, tuple(zip(one.parameters, ids, strict=True)), file
            )

    def _template_id(self, text: str) -> int:
        known = self._template_ids.get(text)
        if known is None:
            if len(self._template_ids) > _MOST_PATHS:
                self._template_ids.clear()
            known = self._template_ids[text] = self._key.id64("path", text)
        return known

    def _table(
        self,
        heads: list[tuple[str, str, str | None, str | None]],
        head: Codes,
        head_ids: Ids,
        codes: Distinct,
        known: list[Path],
        path_id: Ids,
    ) -> pa.Table:
        """Distinct routes; operation ids are mixed from the head and the template."""
        ids, first = np.unique(path_id, return_index=True)
        its_head, its_path = head[first], codes.codes[first]
        template_ids = np.array([one.template_id for one in known], np.int64)
        heads_at = pa.array(its_head)
        paths_at = pa.array(its_path)
        return pa.table(
            {
                "path_id": pa.array(ids),
                "service": pa.array([one[0] for one in heads], pa.string()).take(heads_at),
                "protocol": pa.array([one[1] for one in heads], pa.string()).take(heads_at),
                "method": pa.array([one[2] for one in heads], pa.string()).take(heads_at),
                "path": pa.array(codes.values, pa.string()).take(paths_at),
                "operation": pa.array([one[3] for one in heads], pa.string()).take(heads_at),
                "template": pa.array([one.template for one in known], pa.string()).take(paths_at),
                "operation_id": pa.array(mixed(head_ids[its_head], template_ids[its_path])),
                "static": pa.array([one.static for one in known], pa.bool_()).take(paths_at),
            }
        )


def _objects(known: list[Path]) -> pa.Array:
    """The identifiers of each distinct path, as the Call's `objects`."""
    offsets = np.zeros(len(known) + 1, np.int32)
    np.cumsum([len(one.objects) for one in known], out=offsets[1:])
    flat = [pair for one in known for pair in one.objects]
    values = pa.StructArray.from_arrays(
        [
            pa.array([name for name, _ in flat], pa.string()),
            pa.array([value for _, value in flat], pa.int64()),
            pa.array(["asked"] * len(flat), pa.string()),
        ],
        fields=list(OBJECT),
    )
    empty = pa.array([not one.objects for one in known], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=empty)


def _column(observed: pa.Table, name: str) -> pa.ChunkedArray | None:
    return observed[name] if name in observed.column_names else None


def _at(values: Distinct, row: int) -> str | None:
    code = values.codes[row]
    return values.values[code] if code >= 0 else None
