"""Credentials in use: known by fingerprint, with where they are presented, by whom, and on what.

Calls are counted as any one vantage shows them: a credential that only the gateway sees counts there, even
where the edge's row counts the call, and one that is not the strongest of its call counts too.
"""

from dataclasses import dataclass
from datetime import datetime

from wardgate.inventory.scope import Scope, question
from wardgate.lake.engine import ALIAS
from wardgate.lake.instances import counted
from wardgate.lake.store import Lake

SORTS = {
    "calls": "calls DESC",
    "operations": "operations DESC, calls DESC",
    "callers": "callers DESC NULLS LAST, calls DESC",
    "first": "first_seen DESC",
    "last": "last_seen DESC",
    "expires": "expires_at ASC NULLS LAST",
    "instances": "coalesce(instances, 1) DESC, calls DESC",
    "renewed": "coalesce(renewed_at, first_seen) ASC",
}

_ORDERED = {
    "calls": "page.calls DESC",
    "operations": "page.operations DESC, page.calls DESC",
    "callers": "who.callers DESC NULLS LAST, page.calls DESC",
    "first": "page.first_seen DESC",
    "last": "page.last_seen DESC",
    "instances": "coalesce(counted.instances, 1) DESC, page.calls DESC",
    "renewed": "coalesce(counted.renewed_at, page.first_seen) ASC",
}
"""The same orders, in the names of the answer."""


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
sums AS (
    SELECT credential_id, sum(calls)::BIGINT AS calls, sum(errors)::BIGINT AS errors, count(*) AS operations,
           min(first_us) AS first_seen, max(last_us) AS last_seen
    FROM (SELECT credential_id, operation_id, greatest(sum(calls), max(linked)) AS calls,
                 sum(errors) AS errors, min(first_us) AS first_us, max(last_us) AS last_us
          FROM (SELECT credential_id, operation_id, source, sum(calls) AS calls, sum(linked) AS linked,
                       sum(status_4xx) + sum(status_5xx) AS errors, min(first_us) AS first_us,
                       max(last_us) AS last_us
                FROM (FROM scoped UNION ALL BY NAME FROM beside) {wanted}
                WHERE credential_id <> 0 GROUP BY ALL)
          GROUP BY ALL)
    GROUP BY credential_id HAVING sum(calls) >= $min_calls),
page AS MATERIALIZED (
    SELECT sums.*, count(*) OVER () AS total FROM sums {sorting} ORDER BY {order}, credential_id {limit}),
learned AS MATERIALIZED (
    SELECT credential_id, fingerprint, kind, place, hint, issuer, subject, client, scopes, expires_at_us,
           learned_at_us
    FROM {lake}.credentials SEMI JOIN page USING (credential_id)),
earliest AS (
    SELECT * EXCLUDE (scopes, expires_at_us) FROM learned
    QUALIFY row_number() OVER (PARTITION BY credential_id ORDER BY learned_at_us) = 1),
latest AS (
    SELECT credential_id, scopes FROM learned WHERE scopes IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY credential_id ORDER BY learned_at_us DESC) = 1),
expiry AS (SELECT credential_id, max(expires_at_us) AS expires_at FROM learned GROUP BY credential_id),
spread AS (
    SELECT credential_id, list(DISTINCT place ORDER BY place) AS places FROM learned SEMI JOIN (
        SELECT credential_id FROM learned GROUP BY credential_id HAVING min(place) <> max(place))
    USING (credential_id) GROUP BY credential_id),
touched AS MATERIALIZED (
    SELECT DISTINCT credential_id, caller_id, operation_id
    FROM (SELECT credential_id, caller_id, operation_id FROM scoped
          UNION ALL SELECT credential_id, caller_id, operation_id FROM beside)
    SEMI JOIN page USING (credential_id)),
who AS (SELECT credential_id, count(DISTINCT caller_id) AS callers FROM touched GROUP BY credential_id),
served AS (
    SELECT credential_id, min(service) AS service, min(service) <> max(service) AS several
    FROM touched JOIN labels USING (operation_id) GROUP BY credential_id),
everywhere AS (
    SELECT credential_id, list(DISTINCT service ORDER BY service) AS services
    FROM touched JOIN labels USING (operation_id)
    SEMI JOIN (SELECT credential_id FROM served WHERE several) USING (credential_id) GROUP BY credential_id),
counted AS ({counted})
SELECT credential_id, fingerprint, kind, place, coalesce(places, [place]) AS places, hint, issuer, subject,
       client, latest.scopes, expires_at, page.calls, page.errors, page.operations,
       coalesce(services, [service]) AS services, coalesce(who.callers, 0) AS callers,
       coalesce(counted.instances, 1) AS instances, coalesce(is_estimate, false) AS instances_estimated,
       counted.renewed_at, page.first_seen, page.last_seen, total
FROM page LEFT JOIN earliest USING (credential_id) LEFT JOIN latest USING (credential_id)
     LEFT JOIN expiry USING (credential_id) LEFT JOIN spread USING (credential_id)
     LEFT JOIN who USING (credential_id) LEFT JOIN served USING (credential_id)
     LEFT JOIN everywhere USING (credential_id) LEFT JOIN counted USING (credential_id)
ORDER BY {shown}, credential_id
"""
"""The page is chosen before anything else is looked up, and lists are made only where there are several: a
million credentials cost little more than their rollups."""

_SORTING = {
    "callers": """LEFT JOIN (
        SELECT credential_id, count(DISTINCT caller_id) AS callers
        FROM (SELECT credential_id, caller_id FROM scoped
              UNION ALL SELECT credential_id, caller_id FROM beside)
        GROUP BY credential_id) USING (credential_id)""",
    "expires": f"""LEFT JOIN (
        SELECT credential_id, max(expires_at_us) AS expires_at FROM {ALIAS}.credentials
        GROUP BY credential_id) USING (credential_id)""",
    "instances": f"LEFT JOIN ({counted()}) USING (credential_id)",
    "renewed": f"LEFT JOIN ({counted()}) USING (credential_id)",
}
"""What an order needs to know of every credential."""


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
    wanted = ""
    parameters: dict[str, str] = {}
    if kind is not None or text is not None:
        tests = []
        if kind is not None:
            tests.append("kind = $kind")
            parameters["kind"] = kind
        if text is not None:
            tests.append(
                "contains(lower(concat_ws(' ', fingerprint, kind, place, hint, issuer, client)), "
                "lower($text))"
            )
            parameters["text"] = text
        known = f"SELECT credential_id FROM {ALIAS}.credentials WHERE {' AND '.join(tests)}"
        wanted = f"SEMI JOIN ({known}) wanted USING (credential_id)"
    order = SORTS[sort]
    select = _SELECT.format(
        wanted=wanted,
        sorting=_SORTING.get(sort, ""),
        order=order,
        shown=_ORDERED.get(sort, order),
        limit="" if limit is None else f"LIMIT {int(limit)}",
        counted=counted("SEMI JOIN page USING (credential_id)"),
        lake=ALIAS,
    )
    found = question(scope).ask(lake, select, min_calls=min_calls, **parameters)
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
