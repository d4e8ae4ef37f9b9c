"""Credentials in use: known by fingerprint, with where they are presented, by whom, and on what.

Calls are counted as any one vantage shows them: a credential that only the gateway sees counts there, even
where the edge's row counts the call, and one that is not the strongest of its call counts too.
"""

from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.scope import Scope, question
from wardgate.lake.engine import ALIAS
from wardgate.lake.instances import COUNTED
from wardgate.lake.store import Lake

SORTS = {
    "calls": "calls DESC",
    "operations": "operations DESC, calls DESC",
    "callers": "callers DESC, calls DESC",
    "first": "first_seen DESC",
    "last": "last_seen DESC",
    "expires": "expires_at ASC NULLS LAST",
    "instances": "instances DESC, calls DESC",
    "renewed": "coalesce(renewed_at, first_seen) ASC",
}


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """One credential in the time asked for. Times are naive UTC."""

    credential_id: int
    fingerprint: str | None
    """Keyed, 32 hex digits; of the first instance seen."""
    kind: str | None
    place: str | None
    """Where it was first presented."""
    places: list[str]
    """Every place where it is presented: `header:authorization`, `query:api_key`, `tls`…"""
    hint: str | None
    issuer: str | None
    subject: str | None
    """Keyed hash."""
    client: str | None
    scopes: list[str] | None
    expires_at: datetime | None
    """The latest expiry among its tokens, unverified."""
    calls: int
    errors: int
    """4xx and 5xx among the calls counted with it."""
    operations: int
    services: list[str]
    callers: int
    instances: int
    """Tokens, certificates or passwords seen of it, ever; 1 for a secret that is its own credential."""
    instances_estimated: bool
    """Whether `instances` is an estimate (see `lake.instances`)."""
    renewed_at: datetime | None
    """When the newest instance was first seen; None for a secret that is its own credential."""
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class CredentialUses:
    """A page of credentials, and how many there are in all."""

    rows: list[CredentialUse]
    total: int


_SELECT = """,
facts AS (
    SELECT credential_id, arg_min(fingerprint, learned_at_us) AS fingerprint,
           arg_min(kind, learned_at_us) AS kind, arg_min(place, learned_at_us) AS place,
           list(DISTINCT place ORDER BY place) AS places,
           arg_min(hint, learned_at_us) AS hint, arg_min(issuer, learned_at_us) AS issuer,
           arg_min(subject, learned_at_us) AS subject, arg_min(client, learned_at_us) AS client,
           arg_max(scopes, learned_at_us) AS scopes, max(expires_at_us) AS expires_at
    FROM {lake}.credentials GROUP BY credential_id),
counted AS ({counted}),
by_operation AS (
    SELECT credential_id, operation_id, greatest(sum(calls), max(linked)) AS calls, sum(errors) AS errors,
           min(first_us) AS first_us, max(last_us) AS last_us
    FROM (SELECT credential_id, operation_id, source, sum(calls) AS calls, sum(linked) AS linked,
                 sum(status_4xx) + sum(status_5xx) AS errors, min(first_us) AS first_us,
                 max(last_us) AS last_us
          FROM (FROM scoped UNION ALL BY NAME FROM beside) WHERE credential_id <> 0 GROUP BY ALL)
    GROUP BY ALL),
uses AS (
    SELECT credential_id, sum(calls)::BIGINT AS calls, sum(errors)::BIGINT AS errors, count(*) AS operations,
           list(DISTINCT service ORDER BY service) AS services,
           min(first_us) AS first_seen, max(last_us) AS last_seen
    FROM by_operation JOIN labels USING (operation_id)
    GROUP BY credential_id HAVING sum(calls) >= $min_calls),
who AS (
    SELECT credential_id, count(DISTINCT caller_id) AS callers
    FROM (SELECT credential_id, caller_id FROM plain UNION ALL SELECT credential_id, caller_id FROM beside)
    WHERE credential_id <> 0 GROUP BY credential_id)
SELECT credential_id, fingerprint, kind, place, coalesce(places, []) AS places, hint, issuer, subject, client,
       scopes, expires_at, calls, errors, operations, services, coalesce(callers, 0) AS callers,
       coalesce(instances, 1) AS instances, coalesce(is_estimate, false) AS instances_estimated, renewed_at,
       first_seen, last_seen, count(*) OVER () AS total
FROM uses LEFT JOIN facts USING (credential_id) LEFT JOIN who USING (credential_id)
     LEFT JOIN counted USING (credential_id)
WHERE ($kind IS NULL OR kind = $kind)
  AND ($text IS NULL OR contains(lower(concat_ws(' ', fingerprint, kind, list_aggregate(places, 'string_agg',
  ' '),
                                                 hint, issuer, client)),
                                 lower($text)))
ORDER BY {order}, credential_id {limit}
"""


def credentials(
    lake: Lake,
    scope: Scope,
    *,
    kind: str | None = None,
    text: str | None = None,
    sort: str = "calls",
    limit: int | None = None,
    min_calls: int = 0,
) -> CredentialUses:
    """Credentials of a scope. `kind` as in `CredentialUse`; `text` must stand in what describes one."""
    limited = "" if limit is None else f"LIMIT {int(limit)}"
    select = _SELECT.format(order=SORTS[sort], limit=limited, lake=ALIAS, counted=COUNTED)
    found = question(scope).ask(lake, select, min_calls=min_calls, kind=kind, text=text)
    total = found[0]["total"] if found else 0
    for row in found:
        del row["total"]
    return CredentialUses([CredentialUse(**row) for row in found], total)


def credential_with(lake: Lake, fingerprint: str) -> list[int]:
    """Ids of the credentials whose fingerprint starts with these hex digits."""
    from wardgate.inventory.scope import rows

    found = rows(
        lake,
        f"SELECT DISTINCT credential_id FROM {ALIAS}.credentials WHERE starts_with(fingerprint, $start)",
        {"start": fingerprint.lower()},
    )
    return [row["credential_id"] for row in found]
