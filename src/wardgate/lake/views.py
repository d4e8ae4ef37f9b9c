"""The views that people may ask by SQL: names, columns with their meaning, and the SQL behind them.

They are the only tables that `guard` lets a query name. Times are UTC; ids are keyed and stable for an
installation. `docs/reference/views.md` is made from this module.
"""

from dataclasses import dataclass

from wardgate.core.call import COLUMNS
from wardgate.lake.engine import ALIAS
from wardgate.lake.instances import counted
from wardgate.lake.mapping import latest
from wardgate.lake.traits import STATIC_REASON, told


@dataclass(frozen=True, slots=True)
class View:
    """One view: `columns` are (name, meaning) in order; `sql` gives exactly these."""

    name: str
    about: str
    columns: tuple[tuple[str, str], ...]
    sql: str


_PATH = (
    ("path_id", "keyed id of service, protocol, method, path and operation; never changes"),
    ("operation_id", "keyed id of the operation it belongs to"),
    ("service", "the API that received the calls"),
    ("protocol", "http, grpc, graphql, websocket…"),
    ("method", "HTTP method as sent"),
    ("path", "path with secrets replaced by keyed tokens"),
    ("template", "the path with its parameters named"),
    ("operation", "a name the path does not hold: an RPC method, a tool"),
    ("static", "a file or a page rather than an API operation"),
    ("confidence", "how sure the template is, 0…1"),
    ("basis", "what the template comes from: plain looks, learned, described, pinned"),
    ("version", "which labelling of the path this is; the highest counts"),
)
_COUNTS = (
    ("calls", "calls, each counted once however many vantages saw it"),
    ("linked", "rows of other vantages for calls that are counted already"),
    ("status_1xx", "of the calls, those answered 100…199"),
    ("status_2xx", "those answered 200…299"),
    ("status_3xx", "those answered 300…399"),
    ("status_4xx", "those answered 400…499"),
    ("status_5xx", "those answered 500…599"),
)
_SEEN = (("first_seen", "time of the first call"), ("last_seen", "time of the last call"))
_SUMS = "coalesce(sum(calls), 0)::BIGINT AS calls, coalesce(sum(linked), 0)::BIGINT AS linked, " + ", ".join(
    f"coalesce(sum(status_{n}xx), 0)::BIGINT AS status_{n}xx" for n in range(1, 6)
)
_TIMES = "min(first_us) AS first_seen, max(last_us) AS last_seen"
_LABELLED = (
    f"(SELECT * FROM {ALIAS}.main.paths "
    "QUALIFY row_number() OVER (PARTITION BY path_id ORDER BY version DESC, operation_id DESC) = 1)"
)
_ROLLED = (
    f"(SELECT r.*, p.* EXCLUDE (path_id) FROM {ALIAS}.main.rollups r JOIN {_LABELLED} p USING (path_id))"
)
_CREDENTIAL = (
    ("credential_id", "keyed id"),
    ("fingerprint", "HMAC-SHA256 under the installation's key; 32 hex digits"),
    ("key_id", "which installation key made the fingerprint"),
    ("kind", "bearer, jwt, basic, api_key, session, client_certificate…"),
    ("place", "where it is presented: header:authorization, query:api_key, cookie:session…"),
    ("places", "every place where it was presented"),
    ("hint", "what may be shown of it"),
    ("issuer", "who issued it, as the token says (unverified)"),
    ("subject", "keyed hash of its subject or login"),
    ("client", "the client it was issued to"),
    ("scopes", "what it may do, as the token says"),
    ("expires_at", "when it expires, as the token says"),
    ("instances", "tokens, certificates or passwords seen of it; estimated from 512 on"),
    ("renewed_at", "when the newest of them was first seen; null: it is its own only instance"),
)
_CALLER = (
    ("caller_id", "keyed id; 0: subjects that were erased"),
    ("kind", "person, service, agent, crawler, scanner, unknown"),
    ("name", "what may be shown: a product, a client, an address"),
    ("basis", "what it was told from"),
    ("confidence", "how sure, 0…1"),
)
_ROLLUP_MORE = (
    ("request_bytes", "bytes in"),
    ("response_bytes", "bytes out"),
    ("timed_calls", "calls that had a duration"),
    ("duration_us", "sum of their durations, µs"),
    ("duration_max_us", "the longest of them, µs"),
)

_OPERATION = (
    *(one for one in _PATH if one[0] not in ("path_id", "path", "version")),
    ("static_reason", "why it is a file or a page: its ending, HTML answers, or a login page"),
    ("client_name", "what clients call it, where all call it the same: GraphQL's operation name"),
    ("protocol_versions", "versions of the protocol that were spoken: MCP's, A2A's"),
    ("paths", "distinct paths of it"),
    *_COUNTS,
    *_SEEN,
    ("callers", "distinct callers"),
    ("credentials", "distinct credentials"),
)


def _names(columns: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f'"{name}"' for name, _ in columns)


VIEWS: tuple[View, ...] = (
    View(
        "calls",
        "One row per observed call and vantage. `is_linked` rows are counted by another vantage's row.",
        tuple((one.name, one.meaning) for one in COLUMNS),
        f"SELECT {', '.join(chr(34) + one.name + chr(34) for one in COLUMNS)} FROM {ALIAS}.main.calls",
    ),
    View(
        "operations",
        "One row per operation that was called: the inventory.",
        _OPERATION,
        f"""SELECT {_names(_OPERATION)} FROM (
    SELECT *, {STATIC_REASON} AS static_reason, static_reason IS NOT NULL AS "static"
    FROM (SELECT operation_id, any_value(service) AS service, any_value(protocol) AS protocol,
                 any_value(method) AS method, {latest("template")} AS "template",
                 any_value(operation) AS operation, bool_and("static") AS is_file,
                 {latest("confidence")} AS confidence, {latest("basis")} AS basis,
                 count(DISTINCT path_id) AS paths, {_SUMS}, {_TIMES},
                 count(DISTINCT caller_id) AS callers,
                 count(DISTINCT credential_id) FILTER (credential_id <> 0) AS credentials
          FROM {_ROLLED} GROUP BY operation_id) LEFT JOIN ({told(_LABELLED)}) USING (operation_id))""",
    ),
    View(
        "paths",
        "The mapping from paths to operations, as it is now.",
        _PATH,
        f"SELECT {_names(_PATH)} FROM {_LABELLED}",
    ),
    View(
        "services",
        "One row per service that received calls.",
        (("service", "the API that received the calls"), ("operations", "its operations"), *_COUNTS, *_SEEN),
        f"SELECT service, count(DISTINCT operation_id) AS operations, {_SUMS}, {_TIMES} "
        f"FROM {_ROLLED} GROUP BY service",
    ),
    View(
        "credentials",
        "One row per credential that was presented, never its secret.",
        (*_CREDENTIAL, *_COUNTS, *_SEEN),
        f"""SELECT {_names(_CREDENTIAL[:-2])}, coalesce(counted, 1) AS instances, renewed_at,
        {_names(_COUNTS)}, {_names(_SEEN)} FROM (
    SELECT * EXCLUDE (expires_at_us), max(expires_at_us) OVER (PARTITION BY credential_id) AS expires_at,
           list_sort(list(DISTINCT place) OVER (PARTITION BY credential_id)) AS places
    FROM {ALIAS}.main.credentials
    QUALIFY row_number() OVER (PARTITION BY credential_id ORDER BY learned_at_us) = 1)
LEFT JOIN (SELECT credential_id, {_SUMS}, {_TIMES}
           FROM (FROM {ALIAS}.main.rollups UNION ALL FROM {ALIAS}.main.presented) GROUP BY credential_id)
USING (credential_id)
LEFT JOIN (SELECT credential_id, instances AS counted, renewed_at FROM ({counted()}))
USING (credential_id)""",
    ),
    View(
        "callers",
        "One row per caller: who and what is calling.",
        (*_CALLER, *_COUNTS, *_SEEN),
        f"""SELECT {_names(_CALLER)}, {_names(_COUNTS)}, {_names(_SEEN)} FROM (
    SELECT * FROM {ALIAS}.main.callers
    QUALIFY row_number() OVER (PARTITION BY caller_id ORDER BY learned_at_us) = 1)
LEFT JOIN (SELECT caller_id, {_SUMS}, {_TIMES} FROM {ALIAS}.main.rollups GROUP BY caller_id)
USING (caller_id)""",
    ),
    View(
        "content_rules",
        "What is noticed in calls, and since when: earlier calls show no signals of a rule.",
        (
            ("name", "the rule, as `calls.signals` names it"),
            ("version", "version of its patterns"),
            ("title", "what it notices"),
            ("since", "when this version began to look"),
        ),
        "SELECT name, version, any_value(title) AS title, min(since_us) AS since "
        f"FROM {ALIAS}.main.content_rules GROUP BY name, version",
    ),
    View(
        "flows",
        "Who calls what with which credential.",
        (
            ("caller_id", "the caller"),
            ("credential_id", "the credential; 0: none was presented"),
            ("operation_id", "the operation"),
            *_COUNTS,
            *_SEEN,
        ),
        f"SELECT caller_id, credential_id, operation_id, {_SUMS}, {_TIMES} FROM {_ROLLED} "
        "GROUP BY caller_id, credential_id, operation_id",
    ),
    View(
        "rollups",
        "Deltas per minute: rows of one minute, source, path, caller and credential add up.",
        (
            ("minute", "start of the minute"),
            ("source", "name of the source"),
            ("path_id", "the path"),
            ("operation_id", "the operation it belongs to"),
            ("service", "the API that received the calls"),
            ("caller_id", "the caller"),
            ("credential_id", "the credential; 0: none was presented"),
            *_COUNTS,
            *_ROLLUP_MORE,
            *_SEEN,
        ),
        "SELECT minute_us AS minute, source, path_id, operation_id, service, caller_id, credential_id, "
        f"{_names(_COUNTS)}, {_names(_ROLLUP_MORE)}, first_us AS first_seen, last_us AS last_seen "
        f"FROM {_ROLLED}",
    ),
    View(
        "latencies",
        "Histogram of durations per minute and path: rows of one bucket add up.",
        (
            ("minute", "start of the minute"),
            ("path_id", "the path"),
            ("operation_id", "the operation it belongs to"),
            ("bucket", "number of the bucket: steps of 19 %"),
            ("from_us", "the shortest duration of the bucket, µs"),
            ("calls", "calls in it"),
        ),
        "SELECT minute_us AS minute, path_id, operation_id, bucket, pow(2, bucket / 4.0) AS from_us, calls "
        f"FROM {ALIAS}.main.latencies JOIN {_LABELLED} USING (path_id)",
    ),
    View(
        "data_classes",
        "Classes of data that calls carried: deltas per hour, path and place; rows with equal keys add up.",
        (
            ("hour", "start of the hour"),
            ("path_id", "the path"),
            ("operation_id", "the operation it belongs to"),
            ("service", "the API that received the calls"),
            ("data_class", "email, payment-card, national-id.us-ssn…: `docs/reference/data-classes.md`"),
            ("place", "path:2, query:email, header:x-user, body:user.email, response.body:[].email…"),
            ("calls", "calls that carried it there, each counted once however many vantages saw it"),
            ("linked", "rows of other vantages for calls that are counted already"),
            ("found", "values found in all these rows"),
            *_SEEN,
        ),
        "SELECT hour_us AS hour, path_id, operation_id, service, data_class, place, calls, linked, found, "
        f"first_us AS first_seen, last_us AS last_seen FROM {ALIAS}.main.data_classes "
        f"JOIN {_LABELLED} USING (path_id)",
    ),
    View(
        "schemas",
        "What stood in bodies: tallies whose rows add up. `wardgate operations schema` reads them.",
        (
            ("operation_id", "the operation"),
            ("service", "the API that received the calls"),
            ("direction", "request or response"),
            ("status", "status of responses; 0 where none was shown, and for requests"),
            ("media_type", "media type of the bodies"),
            ("place", "`user.emails[]`, `accounts.*.owner`; empty: the whole body"),
            ("kind", "null, boolean, integer, number, string, array, object"),
            ("format", "of strings: uuid, date-time, email…, or plain"),
            ("constant", "the word of an enumeration; null: another value"),
            ("count", "values of that kind, format and word"),
            ("last_seen", "time of the latest call among them"),
        ),
        "SELECT operation_id, service, direction, status, media_type, place, kind, format, constant, count, "
        f"seen_us AS last_seen FROM {ALIAS}.main.schemas JOIN {_LABELLED} USING (path_id)",
    ),
    View(
        "sources",
        "What was read: read = accepted + rejected + skipped, for each source and format.",
        (
            ("source", "name of the source"),
            ("format", "format it was read as"),
            ("origins", "files, batches or connections read"),
            ("read", "records read"),
            ("accepted", "of them, those that became calls"),
            ("rejected", "those kept aside with a reason"),
            ("skipped", "those passed over by a rule"),
            ("earliest", "time of the earliest call"),
            ("latest", "time of the latest call"),
            ("last_read", "when it was last read"),
        ),
        "SELECT source, format, count(DISTINCT origin_id) AS origins, sum(read)::BIGINT AS read, "
        "sum(accepted)::BIGINT AS accepted, sum(rejected)::BIGINT AS rejected, "
        "sum(skipped)::BIGINT AS skipped, min(earliest_us) AS earliest, max(latest_us) AS latest, "
        f"max(committed_at_us) AS last_read FROM {ALIAS}.main.ledger GROUP BY source, format",
    ),
    View(
        "rejects",
        "Records that were not understood: where they stand, why, and their shape with everything masked.",
        (
            ("source", "name of the source"),
            ("origin_id", "keyed id of the file, batch or connection"),
            ("position", "record number in its origin, from 0"),
            ("reason", "why it was kept aside"),
            ("shape", "the record with everything but its structure masked"),
            ("received_at", "when it was read"),
        ),
        "SELECT source, origin_id, position, reason, shape, received_at_us AS received_at "
        f"FROM {ALIAS}.main.rejects",
    ),
)
NAMES = frozenset(view.name for view in VIEWS)
