"""The lake's tables, as Arrow schemas. All are append-only for writers; only maintenance rewrites.

`calls` and `rollups` carry the weight. `schemas` and `data_classes` are deltas as rollups are: what stood in
bodies, and which classes of data calls carried where. `paths` is the versioned mapping from the immutable
`path_id` to an operation: relabelling appends a row with a higher `version`. `credentials` and `callers` are
facts learned when first seen. `sightings` are what templates are learned from, `templates` what was learned,
newest last. `ledger` holds, per committed batch, the position reached and the exact accounting.
Rows of `paths`, `traits`, `sightings`, `credentials` and `callers` may repeat (several processes learn at
once): readers take the one with the highest version, all together, or the first. A column that was added
later is null in rows that an earlier version wrote.
"""

import pyarrow as pa

from wardgate.core.call import CALL_SCHEMA, TIME

PATHS = pa.schema(
    [
        ("path_id", pa.int64()),
        ("version", pa.int32()),
        ("service", pa.string()),
        ("protocol", pa.string()),
        ("method", pa.string()),
        ("path", pa.string()),
        ("operation", pa.string()),
        ("template", pa.string()),
        ("operation_id", pa.int64()),
        ("static", pa.bool_()),  # a file or a page rather than an API operation
        ("confidence", pa.float32()),  # 0…1; null: before templates were learned
        ("basis", pa.string()),  # plain, learned, described or pinned
    ]
)
SIGHTINGS = pa.schema(
    [
        ("service", pa.string()),
        ("path", pa.string()),  # as `paths` holds it
        ("methods", pa.int32()),  # masks, as `recognise.templating.trie` has them
        ("statuses", pa.int32()),
        ("shapes", pa.list_(pa.int64())),  # of answers' bodies: ids of the names at their top
        ("objects", pa.list_(pa.int64())),  # keyed ids of identifiers in answers; 0 among them: of a list
    ]
)
"""What templates are learned from: of each service the paths that its bounded trie keeps, and no others."""
TEMPLATES = pa.schema(
    [
        ("service", pa.string()),
        ("version", pa.int32()),
        ("evidence", pa.int64()),  # how much was sighted when it was learned
        ("labels", pa.binary()),  # the tree of templates and what is settled (`recognise.templating.packing`)
        ("learned_at_us", TIME),
    ]
)
"""What was learned of each service; the highest version counts."""
REPLACED = pa.schema([("operation_id", pa.int64()), ("path_id", pa.int64())])
"""Operations that a path once belonged to: their ids stay names of the operation that it belongs to now."""
TRAITS = pa.schema(
    [
        ("trait_id", pa.int64()),  # keyed id of route, trait and value
        ("path_id", pa.int64()),
        ("trait", pa.string()),  # answers, protocol version, client name
        ("value", pa.string()),
        ("learned_at_us", TIME),
    ]
)
"""What is learned of routes besides their path; never changed, only added to."""
CREDENTIALS = pa.schema(
    [
        ("credential_id", pa.int64()),
        ("fingerprint", pa.string()),
        ("key_id", pa.string()),
        ("kind", pa.string()),
        ("place", pa.string()),
        ("hint", pa.string()),
        ("issuer", pa.string()),
        ("subject", pa.string()),  # keyed hash
        ("client", pa.string()),
        ("scopes", pa.list_(pa.string())),
        ("expires_at_us", TIME),
        ("learned_at_us", TIME),
    ]
)
INSTANCES = pa.schema(
    [
        ("credential_id", pa.int64()),
        ("instance_id", pa.int64()),  # keyed, evenly spread over 0 … 2**63-1
        ("seen_us", TIME),  # its first call
    ]
)
"""Instances (tokens, certificates, passwords) of credentials that are renewed: see `lake.instances`."""
MOST_INSTANCES = 512
"""Instances of one credential that are kept: those with the smallest ids."""
CALLERS = pa.schema(
    [
        ("caller_id", pa.int64()),
        ("kind", pa.string()),
        ("name", pa.string()),  # what a person may be shown: a product, a client id, an address
        ("basis", pa.string()),  # what it was told from: token client, login, certificate, user agent…
        ("confidence", pa.float32()),
        ("learned_at_us", TIME),
    ]
)
CONTENT_RULES = pa.schema(
    [
        ("rule_id", pa.int64()),  # keyed id of name and version
        ("name", pa.string()),
        ("version", pa.int32()),
        ("title", pa.string()),
        ("since_us", TIME),  # when this version began to look
    ]
)
"""Since when each content rule has been looking: what came before shows no signals of it."""
ROLLUPS = pa.schema(
    [
        ("minute_us", TIME),
        ("source", pa.string()),
        ("path_id", pa.int64()),
        ("caller_id", pa.int64()),
        ("credential_id", pa.int64()),  # 0: none presented
        ("calls", pa.int64()),
        ("linked", pa.int64()),  # rows that another vantage counts already; not in `calls`
        ("status_1xx", pa.int64()),
        ("status_2xx", pa.int64()),
        ("status_3xx", pa.int64()),
        ("status_4xx", pa.int64()),
        ("status_5xx", pa.int64()),
        ("request_bytes", pa.int64()),
        ("response_bytes", pa.int64()),
        ("timed_calls", pa.int64()),  # calls that had a duration
        ("duration_us", pa.int64()),  # sum over them
        ("duration_max_us", pa.int64()),
        ("first_us", TIME),
        ("last_us", TIME),
    ]
)
LATENCIES = pa.schema(
    [
        ("minute_us", TIME),
        ("path_id", pa.int64()),
        ("bucket", pa.int16()),  # floor(4 * log2(duration_us)): steps of 19 %
        ("calls", pa.int64()),
    ]
)
SCHEMAS = pa.schema(
    [
        ("path_id", pa.int64()),  # one path of the operation whose calls these bodies were
        ("direction", pa.string()),  # request | response
        ("status", pa.int16()),  # of responses; 0: none shown
        ("media_type", pa.string()),
        ("place", pa.string()),  # `user.emails[]`, `accounts.*.owner`; empty: the whole body
        ("kind", pa.string()),  # null, boolean, integer, number, string, array, object
        ("format", pa.string()),  # of strings: a JSON Schema format, or plain
        ("constant", pa.string()),  # the word that the string is; null: another string
        ("count", pa.int64()),
        ("seen_us", TIME),  # latest start of the calls
    ]
)
DATA_CLASSES = pa.schema(
    [
        ("hour_us", TIME),
        ("path_id", pa.int64()),
        ("data_class", pa.string()),
        ("place", pa.string()),  # query:email, header:x-user, body:user.email, response.body:[].email…
        ("calls", pa.int64()),
        ("linked", pa.int64()),  # rows that another vantage counts already; not in `calls`
        ("found", pa.int64()),  # values found in all these rows
        ("first_us", TIME),
        ("last_us", TIME),
    ]
)
LEDGER = pa.schema(
    [
        ("batch_id", pa.int64()),
        ("source", pa.string()),
        ("origin_id", pa.int64()),
        ("origin", pa.string()),  # file name or sender, secrets masked
        ("format", pa.string()),
        ("next_position", pa.int64()),  # records handed out so far, in this origin
        ("next_offset", pa.int64()),  # bytes, likewise (decompressed)
        ("parser_state", pa.string()),  # JSON
        ("read", pa.int64()),
        ("accepted", pa.int64()),
        ("rejected", pa.int64()),
        ("skipped", pa.int64()),
        ("skipped_by", pa.string()),  # JSON: rule → count
        ("rejected_by", pa.string()),  # JSON: reason → count
        ("earliest_us", TIME),
        ("latest_us", TIME),
        ("complete", pa.bool_()),  # the origin was read to its end
        ("committed_at_us", TIME),
    ]
)
REJECTS = pa.schema(
    [
        ("batch_id", pa.int64()),
        ("source", pa.string()),
        ("origin_id", pa.int64()),
        ("position", pa.int64()),
        ("reason", pa.string()),
        ("shape", pa.string()),  # the record with everything but its structure masked
        ("received_at_us", TIME),
    ]
)

ERASURES = pa.schema([("erased_at_us", TIME)])
"""When somebody was erased: processes that remember which facts they wrote must look again."""

TABLES: dict[str, pa.Schema] = {
    "calls": CALL_SCHEMA,
    "paths": PATHS,
    "sightings": SIGHTINGS,
    "templates": TEMPLATES,
    "replaced": REPLACED,
    "traits": TRAITS,
    "credentials": CREDENTIALS,
    "instances": INSTANCES,
    "callers": CALLERS,
    "content_rules": CONTENT_RULES,
    "rollups": ROLLUPS,
    "presented": ROLLUPS,  # of credentials beside the strongest of their calls
    "latencies": LATENCIES,
    "schemas": SCHEMAS,
    "data_classes": DATA_CLASSES,
    "ledger": LEDGER,
    "rejects": REJECTS,
    "erasures": ERASURES,
}
