"""The numbers at the top: how much there is of everything, in the time asked for."""

from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.scope import Scope, question
from wardgate.lake.store import Lake


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts over a scope. Times are naive UTC; shares 0…1."""

    services: int
    operations: int
    """API operations; files and pages are apart."""
    static_paths: int
    calls: int
    static_calls: int
    linked: int
    credentials: int
    callers: int
    errors_4xx: int
    errors_5xx: int
    no_credential_share: float | None
    """Share of the calls to API operations for which no vantage shows a credential."""
    first_seen: datetime | None
    last_seen: datetime | None


_SELECT = """,
by_operation AS MATERIALIZED (
    SELECT operation_id, sum(calls)::BIGINT AS calls, sum(linked)::BIGINT AS linked,
           sum(status_4xx)::BIGINT AS s4, sum(status_5xx)::BIGINT AS s5,
           min(first_us) AS first_us, max(last_us) AS last_us
    FROM scoped GROUP BY operation_id),
presented AS (
    SELECT operation_id, greatest(sum(calls), max(linked)) AS calls
    FROM (SELECT operation_id, credential_id, source, sum(calls) AS calls, sum(linked) AS linked
          FROM scoped WHERE credential_id <> 0 GROUP BY ALL) GROUP BY operation_id, credential_id),
api AS (
    SELECT coalesce(sum(calls) FILTER (NOT "static"), 0) AS calls
    FROM by_operation JOIN labels USING (operation_id)),
with_credential AS (
    SELECT coalesce(sum(calls) FILTER (NOT "static"), 0) AS calls
    FROM presented JOIN labels USING (operation_id))
SELECT count(DISTINCT service) AS services, count(*) FILTER (NOT "static") AS operations,
       count(*) FILTER ("static") AS static_paths, coalesce(sum(calls), 0)::BIGINT AS calls,
       coalesce(sum(calls) FILTER ("static"), 0)::BIGINT AS static_calls,
       coalesce(sum(linked), 0)::BIGINT AS linked,
       (SELECT count(DISTINCT credential_id) FROM plain WHERE credential_id <> 0) AS credentials,
       (SELECT count(DISTINCT caller_id) FROM callings) AS callers,
       coalesce(sum(s4), 0)::BIGINT AS errors_4xx, coalesce(sum(s5), 0)::BIGINT AS errors_5xx,
       (SELECT greatest(api.calls - with_credential.calls, 0) / nullif(api.calls, 0)
        FROM api, with_credential) AS no_credential_share,
       min(first_us) AS first_seen, max(last_us) AS last_seen
FROM by_operation JOIN labels USING (operation_id)
"""


def overview(lake: Lake, scope: Scope) -> Overview:
    """The numbers of a scope."""
    return Overview(**question(scope).ask(lake, _SELECT)[0])
