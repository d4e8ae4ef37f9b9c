"""Recognition: a batch of what was observed becomes a batch of calls, and the facts learned from it.

The only way from a source to the lake. Raw values (secrets, user agents, bodies) go in; fingerprints, keyed
tokens and keyed hashes come out. Distinct values are recognised once.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.call import CALL_SCHEMA, TIME
from wardgate.core.ids import WIDTH, Ids, mixed, text_ids
from wardgate.core.keys import Key
from wardgate.lake.traits import ANSWERS
from wardgate.recognise.absent import absent
from wardgate.recognise.addresses import Proxies, forwarded_chain, parse_clients
from wardgate.recognise.answers import Answered, answers
from wardgate.recognise.body_schemas import groups, schema_rows
from wardgate.recognise.contents import ContentReader
from wardgate.recognise.credentials.maker import WasKnown
from wardgate.recognise.distinct import Codes, Distinct, coded, combined, distinct, one_chunk
from wardgate.recognise.headers import header_columns
from wardgate.recognise.identities import FreshIds, Identifier
from wardgate.recognise.located import Located
from wardgate.recognise.objects import with_objects
from wardgate.recognise.protocols.asking import Exchanges, Protocols, Spoken
from wardgate.recognise.protocols.catalogue import HTTP
from wardgate.recognise.routes import Router, Targets
from wardgate.recognise.signals import Signals
from wardgate.recognise.tokens import Tokens
from wardgate.recognise.traits import Traits

_HTTP_VERSION = re.compile(r"(?:HTTPS?/)?(\d(?:\.\d)?)\Z", re.IGNORECASE)
_REQUEST_ID = (
    r"(?i)^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{6,32}(?:-[a-z]{3})?"
    r"|(?:Self=[0-9a-f-]+;)?Root=1-[0-9a-f]{8}-[0-9a-f]{24}|[0-9-]{1,32})$"
)
"""Request ids that are plainly nothing else (UUID, hexadecimal, X-Ray, Cloudflare's ray) stay readable."""
_TRACEPARENT = r"^[0-9a-fA-F]{2}-(?P<trace>[0-9a-fA-F]{32})-(?P<span>[0-9a-fA-F]{16})-"


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a batch besides its records."""

    source: str
    origin_id: int
    batch_id: int
    received_at_us: int
    vantage: str | None = None
    environment: str | None = None
    team: str | None = None
    service: str | None = None
    """The service all calls belong to; None: their host, else the source's name."""
    proxies: Proxies = field(default_factory=lambda: Proxies(()))


@dataclass(frozen=True, slots=True)
class Recognised:
    """Calls, and the distinct paths, credentials and callers they show (repeats from earlier batches too)."""

    calls: pa.Table
    paths: pa.Table
    credentials: pa.Table
    instances: pa.Table
    callers: pa.Table
    rules: pa.Table
    route_of: Codes
    """The row of `paths` of each call."""
    traits: pa.Table
    """What was learned of routes besides (`lake.tables.TRAITS`)."""
    schemas: pa.Table | None = None
    """Rows of `lake.tables.SCHEMAS`, and `part`: which of the given parts each is of."""
    outlines: Ids | None = None
    """Of each call's answer, an id of the names at its top, or 0; None where no call has an answer."""


class Recognition:
    """Recognises batches under one key. Not for several threads at once."""

    def __init__(
        self, key: Key, was_known: WasKnown | None = None, fresh_callers: FreshIds | None = None
    ) -> None:
        """`was_known`: whether a credential was recognised under an earlier key (`credentials.maker`);
        `fresh_callers`: which (distinct) ids are of callers that are not in the lake already."""
        self._key = key
        self._tokens = Tokens(key)
        self._protocols = Protocols(key, self._tokens)
        self._router = Router(key, self._tokens)
        self._traits = Traits(key)
        self._identifier = Identifier(key, was_known, fresh_callers)
        self._signals = Signals()
        self._contents = ContentReader(key)
        self._request_seed = key.id64("request", "")

    def recognise(
        self, observed: pa.Table, context: Context, sizes: Sequence[int] | None = None
    ) -> Recognised:
        """Calls (`CALL_SCHEMA`) of an observed table; `sizes` are of the parts it is made of."""
        rows = observed.num_rows
        view = _View(observed, header_columns(observed), self._tokens)
        host = view.merged("host", "req.host")
        targets = self._router.targets(observed)
        spoken = self._spoken(view, targets)
        routes = self._router.route(
            observed, targets, host, spoken, context.service or context.source, context.service is not None
        )
        address, client = self._clients(view, context.proxies)
        agent = view.merged("user_agent", "req.user-agent")
        times = _times(view, context.received_at_us)
        sent = agent.array
        agent = coded([self._tokens.masked(one)[:512] for one in agent.values], agent.codes)
        software = self._identifier.software(sent.to_pylist(), agent)
        identities = self._identifier.identify(
            observed,
            view.headers,
            routes.secrets,
            address,
            agent,
            software,
            times["started_at_us"],
            context.received_at_us,
        )

        columns: dict[str, pa.Array] = {
            "origin_id": _constant(context.origin_id, rows),
            "position": one_chunk(observed["position"]),
            "batch_id": _constant(context.batch_id, rows),
            "source": _label(context.source, rows),
            "received_at_us": _constant(context.received_at_us, rows).cast(TIME),
            "vantage": _label(context.vantage, rows),
            "environment": _label(context.environment, rows)
            if context.environment
            else view.text("environment"),
            "team": _label(context.team, rows),
            "service": routes.service,
            "scheme": routes.scheme,
            "host": routes.host,
            "port": routes.port,
            "method": routes.method,
            "path": routes.path,
            "query": routes.query,
            "objects": routes.objects,
            "path_id": pa.array(routes.path_id),
            "operation": routes.operation.text(),
            "protocol": _label(HTTP, rows),
            "http_version": view.mapped("http_version", _version),
            "user_agent": agent.text(),
            "credentials": identities.credentials,
            "credential_id": identities.credential_id,
            "claims": identities.claims,
            "session": identities.session,
            "login": identities.login,
            "caller_id": pa.array(identities.caller_id),
            "caller_kind": identities.caller_kind,
            **client,
            **times,
            **self._linking(view, routes.place_ids),
            **_outcome(view),
        }
        if not spoken.protocol.is_empty:
            columns["protocol"] = spoken.protocol.text().cast(pa.string()).fill_null(HTTP)
        if not spoken.session.is_empty:
            columns["session"] = pc.coalesce(
                columns["session"].cast(pa.string()), spoken.session.text().cast(pa.string())
            )
        if spoken.outcome.any():
            columns["status"] = _meant(columns.get("status"), spoken.outcome)
        for name in ("tls_version", "tls_cipher", "tls_sni", "tls_fingerprint", "upstream"):
            columns[name] = view.text(name)
        schemas, in_bodies, outlines = self._carried(view, columns, routes.table, sizes or [rows])
        columns["signals"] = self._signals.of(
            observed, targets.targets, targets.apart, Distinct(sent, agent.codes), routes.secrets, in_bodies
        )
        return Recognised(
            _table(columns, rows),
            routes.table,
            identities.credential_rows,
            identities.instance_rows,
            identities.caller_rows,
            self._signals.rules(self._key, context.received_at_us),
            routes.route_of,
            self._traits.rows(routes.path_id, self._shown(view, targets, spoken), context.received_at_us),
            schemas,
            outlines,
        )

    def _shown(self, view: "_View", targets: Targets, spoken: Spoken) -> dict[str, Distinct]:
        """What each call shows of its route besides."""
        shown = answers(
            Answered(
                methods=targets.methods,
                paths=targets.paths,
                status=view.column("status"),
                response_type=view.types("response_content_type", "resp.content-type"),
                location=view.distinct("resp.location"),
                response_body=view.chunks("response_body"),
            ),
            spoken.protocol.codes < 0,
        )
        return spoken.traits if shown is None else {**spoken.traits, ANSWERS: shown}

    def _carried(
        self, view: "_View", columns: dict[str, pa.Array], routes: pa.Table, sizes: Sequence[int]
    ) -> tuple[pa.Table | None, Located | None, Ids | None]:
        """Fill in what calls carry; rows of schemas, what content rules notice, outlines of answers."""
        has_bodies = any(
            len(some) > some.null_count
            for side in ("request", "response")
            for some in view.chunks(f"{side}_body")
        )
        if not has_bodies:
            columns["data_classes"] = self._contents.read(view.observed, None).data_classes
            return None, None, None
        of = groups(
            np.repeat(np.arange(len(sizes)), sizes),
            columns["path_id"].to_numpy(),
            routes,
            columns.get("status", pa.nulls(view.rows, pa.int16())),
            (
                view.types("request_content_type", "req.content-type"),
                view.types("response_content_type", "resp.content-type"),
            ),
            columns["started_at_us"].cast(pa.int64()).to_numpy(),
        )
        found = self._contents.read(view.observed, of.of_row, of.families)
        columns["data_classes"] = found.data_classes
        asked, answered = found.request, found.response
        for name, carried in (("request_schema", asked), ("response_schema", answered)):
            if carried is not None:
                columns[name] = pa.array(carried.shapes, mask=carried.shapes == 0)
        if answered is not None:
            columns["item_count"] = pa.array(answered.items, mask=answered.items < 0)
        columns["objects"] = with_objects(
            columns["objects"],
            [
                (direction, carried.objects)
                for direction, carried in (("asked", asked), ("returned", answered))
                if carried is not None
            ],
        )
        return (
            schema_rows(of, asked, answered),
            asked.signals if asked is not None else None,
            answered.outlines if answered is not None else None,
        )

    def _spoken(self, view: "_View", targets: Targets) -> Spoken:
        """What protocol each call speaks, and what the protocol says besides."""

        def masked(values: Distinct, most: int) -> Distinct:
            return coded([self._tokens.masked(one)[:most] for one in values.values], values.codes)

        return self._protocols.ask(
            Exchanges(
                rows=view.rows,
                methods=targets.methods,
                targets=targets.targets,
                paths=targets.paths,
                queries=targets.queries,
                apart=targets.apart,
                request_type=view.types("request_content_type", "req.content-type"),
                response_type=view.types("response_content_type", "resp.content-type"),
                headers=view.headers,
                status=view.column("status"),
                request_body=view.chunks("request_body"),
                response_body=view.chunks("response_body"),
                protocol=masked(view.distinct("protocol"), 40),
                operation=masked(view.distinct("operation"), 200),
            )
        )

    def _clients(self, view: "_View", proxies: Proxies) -> tuple[Distinct, dict[str, pa.Array]]:
        peers = view.distinct("client")
        chains = view.merged("forwarded_for", "req.x-forwarded-for", "req.forwarded")
        addresses, networks, shown_ports = parse_clients(peers.values)
        ports = view.column("client_port")
        if ports is None and any(shown_ports):
            ports = peers.spread(shown_ports, pa.int32())
        extra = {"client_port": ports} if ports is not None else {}
        if chains.values:
            lists = [forwarded_chain(one) for one in chains.values]
            extra["forwarded_for"] = chains.spread(lists, pa.list_(pa.string()))
            if proxies:
                believed = _believed(
                    proxies, coded([one or "" for one in addresses], peers.codes), chains.codes, lists
                )
                extra["forwarded_believed"] = believed[1]
                peers = distinct(believed[0], view.rows)
                addresses, networks, _ = parse_clients(peers.values)
        good = coded([one or "" for one in addresses], peers.codes)
        if None in addresses:
            bad = np.array([one is None for one in addresses], bool)
            codes = np.where((peers.codes >= 0) & bad[np.maximum(peers.codes, 0)], -1, peers.codes)
            good = Distinct(good.array, codes)
        return good, {
            "client_address": good.text(),
            "client_network": good.text(networks),
            **extra,
        }

    def _linking(self, view: "_View", place_ids: Callable[[], Ids]) -> dict[str, pa.Array]:
        """Request and trace ids, and the id under which two vantages' rows are the same call."""
        out: dict[str, pa.Array] = {}
        requests = view.merged("request_id", "req.x-request-id", "req.x-correlation-id", "req.cf-ray")
        link = np.zeros(view.rows, np.int64)
        traceparent = view.coalesced("traceparent", "req.traceparent")
        trace, span = view.column("trace_id"), view.column("span_id")
        if traceparent is not None:
            parts = pc.extract_regex(traceparent.cast(pa.string()), _TRACEPARENT)
            trace = pc.coalesce(trace, parts.field("trace")) if trace is not None else parts.field("trace")
            span = pc.coalesce(span, parts.field("span")) if span is not None else parts.field("span")
        if trace is not None:
            traces = distinct(pc.utf8_lower(trace.cast(pa.string())), view.rows)
            out["trace_id"] = traces.text(
                [one if _is_hex(one) else self._tokens.of("trace", one) for one in traces.values]
            )
            ids = traces.numbers(np.array(self._key.ids64("trace", traces.values), np.int64))
            link = np.where(ids > 0, mixed(ids, place_ids()), 0)
        if span is not None:
            spans = distinct(pc.utf8_lower(span.cast(pa.string())), view.rows)
            out["span_id"] = spans.text([one if _is_hex(one) else None for one in spans.values])
        if not requests.is_empty:
            shown, ids = self._requests(requests.array)
            out["request_id"] = requests.text(shown)
            numbers = requests.numbers(ids)
            link = np.where(numbers > 0, numbers, link)
        if link.any():
            out["link_id"] = pa.array(link, pa.int64(), mask=link == 0)
        return out

    def _requests(self, texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
        """Distinct request ids as they may be shown, and the ids they link by."""
        plain = pc.match_substring_regex(texts, _REQUEST_ID)
        short = pc.and_(plain, pc.less_equal(pc.binary_length(texts), WIDTH))
        if pc.all(short).as_py():
            return texts, text_ids(texts, self._request_seed)
        is_short = short.to_numpy(zero_copy_only=False)
        ids = np.empty(len(texts), np.int64)
        ids[is_short] = text_ids(texts.filter(short), self._request_seed)
        ids[~is_short] = self._key.ids64("request", texts.filter(pc.invert(short)).to_pylist())
        secret = texts.filter(pc.invert(plain)).to_pylist()
        hidden = pa.array([self._tokens.of("request", one) for one in secret], pa.string())
        return pc.replace_with_mask(texts, pc.invert(plain), hidden), ids


class _View:
    """Columns of an observed table by name, headers included."""

    def __init__(self, observed: pa.Table, headers: dict[str, pa.Array], tokens: Tokens) -> None:
        self.observed = observed
        self.headers = headers
        self.rows = observed.num_rows
        self._tokens = tokens
        self._types: dict[str, Distinct] = {}

    def column(self, name: str) -> pa.Array | None:
        if name in self.headers:
            return one_chunk(self.headers[name])
        return one_chunk(self.observed[name]) if name in self.observed.column_names else None

    def chunks(self, name: str) -> list[pa.Array]:
        """A column of bodies as it came: putting it together would copy all of it."""
        return self.observed[name].chunks if name in self.observed.column_names else []

    def coalesced(self, *names: str) -> pa.Array | None:
        """The first column that is there, holes filled by the next."""
        found = [
            column
            for name in names
            if (column := self.column(name)) is not None and column.null_count < self.rows
        ]
        if len(found) <= 1:
            return found[0] if found else None
        return pc.coalesce(*(column.cast(pa.string()) for column in found))

    def distinct(self, name: str) -> Distinct:
        return distinct(self.column(name), self.rows)

    def merged(self, *names: str) -> Distinct:
        return distinct(self.coalesced(*names), self.rows)

    def types(self, name: str, header: str) -> Distinct:
        """Content types as sent; put together once."""
        if name not in self._types:
            self._types[name] = self.merged(name, header)
        return self._types[name]

    def text(self, name: str) -> pa.Array:
        """A text column with everything that may be a secret masked, cut to 300 characters."""
        return self.mapped(name, lambda value: self._tokens.masked(value)[:300])

    def mapped(self, name: str, convert) -> pa.Array:  # type: ignore[no-untyped-def]
        values = self.distinct(name)
        if values.is_empty:
            return pa.nulls(self.rows, pa.string())
        return values.text([convert(one) for one in values.values])


def _table(columns: dict[str, pa.Array], rows: int) -> pa.Table:
    """`columns` as calls; what none of them shows is absent."""
    shown = {name for name, column in columns.items() if column.null_count < rows}
    missing = [one for one in CALL_SCHEMA if one.name not in shown]
    nothing = dict(
        zip((one.name for one in missing), absent(rows, [one.type for one in missing]), strict=True)
    )
    return pa.table(
        {one.name: columns[one.name] if one.name in shown else nothing[one.name] for one in CALL_SCHEMA}
    )


def _believed(
    proxies: Proxies, peers: Distinct, chain_codes: Codes, chains: list[list[str]]
) -> tuple[pa.Array, pa.Array]:
    """Client address and believed length of the chain, once per distinct peer and chain."""
    first, combination = combined(peers.codes, chain_codes)
    pairs: list[tuple[str | None, int]] = []
    for row in first.tolist():
        peer = peers.values[peers.codes[row]] if peers.codes[row] >= 0 else ""
        chain = chains[chain_codes[row]] if chain_codes[row] >= 0 else []
        pairs.append(proxies.client(peer, chain) if peer else (None, 0))
    spread = coded([""] * len(pairs), combination)
    return spread.text([one[0] for one in pairs]), spread.spread([one[1] for one in pairs], pa.int16())


def _times(view: _View, received_at_us: int) -> dict[str, pa.Array]:
    """Start of each call: as stamped, or its end minus its duration, or the time it was read."""
    started, ended, took = view.column("started_at"), view.column("ended_at"), view.column("duration_us")
    if started is None and ended is not None:
        started = ended if took is None else pc.subtract(ended.cast(pa.int64()), took.fill_null(0)).cast(TIME)
    precision = view.column("precision_us")
    received = pa.scalar(received_at_us, pa.int64()).cast(TIME)
    return {
        "started_at_us": started.fill_null(received)
        if started is not None
        else _constant(received_at_us, view.rows).cast(TIME),
        "precision_us": precision if precision is not None else pa.nulls(view.rows, pa.int64()),
    }


def _outcome(view: _View) -> dict[str, pa.Array]:
    out: dict[str, pa.Array] = {}
    for name in (
        "status",
        "duration_us",
        "request_bytes",
        "response_bytes",
        "upstream_status",
        "upstream_duration_us",
    ):
        column = view.column(name)
        if column is not None:
            out[name] = column.cast(CALL_SCHEMA.field(name).type)
    for name, header in (
        ("request_content_type", "req.content-type"),
        ("response_content_type", "resp.content-type"),
    ):
        types = view.types(name, header)
        if not types.is_empty:
            out[name] = types.text(
                [view._tokens.masked(one.partition(";")[0].strip().lower())[:100] for one in types.values]
            )
    for name, header in (
        ("cors_allow_origin", "resp.access-control-allow-origin"),
        ("cache_control", "resp.cache-control"),
    ):
        if header in view.headers:
            out[name] = view.text(header)
    limits = view.merged(
        "resp.ratelimit", "resp.ratelimit-limit", "resp.x-ratelimit-limit", "resp.x-rate-limit-limit"
    )
    if not limits.is_empty:
        out["rate_limit"] = limits.text([view._tokens.masked(one)[:100] for one in limits.values])
    allowed = view.distinct("resp.access-control-allow-credentials")
    if not allowed.is_empty:
        out["cors_allow_credentials"] = allowed.spread(
            [one.strip().lower() == "true" for one in allowed.values], pa.bool_()
        )
    for name, body in (("request_bytes", "request_body"), ("response_bytes", "response_body")):
        raw = view.chunks(body)
        if raw and name not in out:
            out[name] = pa.concat_arrays([pc.binary_length(some).cast(pa.int64()) for some in raw])
    return out


def _meant(status: pa.Array | None, outcome: np.ndarray) -> pa.Array:
    """Statuses with what a protocol's own status means where HTTP's is 200 whatever happened."""
    kind = CALL_SCHEMA.field("status").type
    meant = pa.array(outcome, kind, mask=outcome == 0)
    if status is None:
        return meant
    silent = pc.or_kleene(pc.is_null(status), pc.equal(status, 200)).fill_null(True)
    return pc.if_else(pc.and_(silent, meant.is_valid()), meant, status)


def _version(text: str) -> str | None:
    found = _HTTP_VERSION.match(text.strip())
    return f"HTTP/{found[1]}" if found else None


def _is_hex(text: str) -> bool:
    return len(text) in (16, 32) and all(c in "0123456789abcdef" for c in text)


def _constant(value: int, rows: int) -> pa.Array:
    return pa.array(np.full(rows, value, np.int64))


def _label(text: str | None, rows: int) -> pa.Array:
    if text is None:
        return pa.nulls(rows, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text], pa.string()))
