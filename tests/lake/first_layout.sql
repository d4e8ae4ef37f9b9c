-- The lake's tables as the first version with a backup made them. Frozen: a lake like this must open for ever.

CREATE TABLE lake.calls (
  "origin_id" BIGINT,
  "position" BIGINT,
  "batch_id" BIGINT,
  "source" VARCHAR,
  "request_id" VARCHAR,
  "trace_id" VARCHAR,
  "span_id" VARCHAR,
  "link_id" BIGINT,
  "is_linked" BOOLEAN,
  "started_at_us" TIMESTAMP,
  "precision_us" BIGINT,
  "received_at_us" TIMESTAMP,
  "vantage" VARCHAR,
  "environment" VARCHAR,
  "team" VARCHAR,
  "service" VARCHAR,
  "scheme" VARCHAR,
  "host" VARCHAR,
  "port" INTEGER,
  "method" VARCHAR,
  "path" VARCHAR,
  "query" VARCHAR,
  "http_version" VARCHAR,
  "protocol" VARCHAR,
  "operation" VARCHAR,
  "path_id" BIGINT,
  "status" SMALLINT,
  "duration_us" BIGINT,
  "request_bytes" BIGINT,
  "response_bytes" BIGINT,
  "request_content_type" VARCHAR,
  "response_content_type" VARCHAR,
  "item_count" BIGINT,
  "client_address" VARCHAR,
  "client_network" VARCHAR,
  "client_port" INTEGER,
  "forwarded_for" VARCHAR[],
  "forwarded_believed" SMALLINT,
  "user_agent" VARCHAR,
  "tls_version" VARCHAR,
  "tls_cipher" VARCHAR,
  "tls_sni" VARCHAR,
  "tls_fingerprint" VARCHAR,
  "upstream" VARCHAR,
  "upstream_status" SMALLINT,
  "upstream_duration_us" BIGINT,
  "credentials" STRUCT(kind VARCHAR, place VARCHAR, fingerprint VARCHAR, key_id VARCHAR, hint VARCHAR, credential_id BIGINT)[],
  "credential_id" BIGINT,
  "claims" STRUCT(issuer VARCHAR, subject VARCHAR, audience VARCHAR[], client VARCHAR, scopes VARCHAR[], actor VARCHAR, issued_at_us TIMESTAMP, not_before_us TIMESTAMP, expires_at_us TIMESTAMP, verified BOOLEAN),
  "session" VARCHAR,
  "login" VARCHAR,
  "caller_id" BIGINT,
  "caller_kind" VARCHAR,
  "objects" STRUCT(parameter VARCHAR, "value" BIGINT, direction VARCHAR)[],
  "data_classes" STRUCT(data_class VARCHAR, place VARCHAR, count INTEGER)[],
  "request_schema" BIGINT,
  "response_schema" BIGINT,
  "cors_allow_origin" VARCHAR,
  "cors_allow_credentials" BOOLEAN,
  "cache_control" VARCHAR,
  "rate_limit" VARCHAR,
  "signals" STRUCT(matcher VARCHAR, place VARCHAR, count INTEGER)[],
  "gate_sequence" BIGINT,
  "gate_effect" VARCHAR,
  "gate_mode" VARCHAR
);

CREATE TABLE lake.paths (
  "path_id" BIGINT,
  "version" INTEGER,
  "service" VARCHAR,
  "protocol" VARCHAR,
  "method" VARCHAR,
  "path" VARCHAR,
  "operation" VARCHAR,
  "template" VARCHAR,
  "operation_id" BIGINT,
  "static" BOOLEAN
);

CREATE TABLE lake.credentials (
  "credential_id" BIGINT,
  "fingerprint" VARCHAR,
  "key_id" VARCHAR,
  "kind" VARCHAR,
  "place" VARCHAR,
  "hint" VARCHAR,
  "issuer" VARCHAR,
  "subject" VARCHAR,
  "client" VARCHAR,
  "scopes" VARCHAR[],
  "expires_at_us" TIMESTAMP,
  "learned_at_us" TIMESTAMP
);

CREATE TABLE lake.callers (
  "caller_id" BIGINT,
  "kind" VARCHAR,
  "name" VARCHAR,
  "basis" VARCHAR,
  "confidence" FLOAT,
  "learned_at_us" TIMESTAMP
);

CREATE TABLE lake.rollups (
  "minute_us" TIMESTAMP,
  "source" VARCHAR,
  "path_id" BIGINT,
  "caller_id" BIGINT,
  "credential_id" BIGINT,
  "calls" BIGINT,
  "linked" BIGINT,
  "status_1xx" BIGINT,
  "status_2xx" BIGINT,
  "status_3xx" BIGINT,
  "status_4xx" BIGINT,
  "status_5xx" BIGINT,
  "request_bytes" BIGINT,
  "response_bytes" BIGINT,
  "timed_calls" BIGINT,
  "duration_us" BIGINT,
  "duration_max_us" BIGINT,
  "first_us" TIMESTAMP,
  "last_us" TIMESTAMP
);

CREATE TABLE lake.latencies (
  "minute_us" TIMESTAMP,
  "path_id" BIGINT,
  "bucket" SMALLINT,
  "calls" BIGINT
);

CREATE TABLE lake.ledger (
  "batch_id" BIGINT,
  "source" VARCHAR,
  "origin_id" BIGINT,
  "origin" VARCHAR,
  "format" VARCHAR,
  "next_position" BIGINT,
  "next_offset" BIGINT,
  "parser_state" VARCHAR,
  "read" BIGINT,
  "accepted" BIGINT,
  "rejected" BIGINT,
  "skipped" BIGINT,
  "skipped_by" VARCHAR,
  "rejected_by" VARCHAR,
  "earliest_us" TIMESTAMP,
  "latest_us" TIMESTAMP,
  "complete" BOOLEAN,
  "committed_at_us" TIMESTAMP
);

CREATE TABLE lake.rejects (
  "batch_id" BIGINT,
  "source" VARCHAR,
  "origin_id" BIGINT,
  "position" BIGINT,
  "reason" VARCHAR,
  "shape" VARCHAR,
  "received_at_us" TIMESTAMP
);

CREATE TABLE lake.erasures (
  "erased_at_us" TIMESTAMP
);
