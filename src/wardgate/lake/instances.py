"""How many instances a credential has had, and under which keys credentials were known.

Tokens of one credential come by the million, so not all are kept: of each credential the `MOST_INSTANCES`
with the smallest ids, which are keyed and evenly spread. Fewer are counted exactly; more are estimated from
how closely the smallest lie together (bottom-k sampling; at 512 the standard error is 4.4 %). Merging keeps
the same ones, so the estimate does not depend on order, repetition or how input was cut into batches.
"""

from collections.abc import Callable

import numpy as np

from wardgate.core.keys import Key
from wardgate.lake.engine import ALIAS
from wardgate.lake.store import Lake
from wardgate.lake.tables import MOST_INSTANCES


def counted(of: str = "") -> str:
    """Per renewed credential: instances, whether that is an estimate, and when the newest was first seen.

    `of` narrows `instances` to some credentials (a join).
    """
    return f"""
    SELECT credential_id, max(seen_us) AS renewed_at, count(*) > {MOST_INSTANCES - 1} AS is_estimate,
           CASE WHEN count(*) < {MOST_INSTANCES} THEN count(*)
                ELSE round({MOST_INSTANCES - 1} / (max(instance_id) / 9223372036854775807.0)) END::BIGINT
           AS instances
    FROM (SELECT credential_id, instance_id, min(seen_us) AS seen_us FROM {ALIAS}.main.instances {of}
          GROUP BY credential_id, instance_id
          QUALIFY row_number() OVER (PARTITION BY credential_id ORDER BY instance_id) <= {MOST_INSTANCES})
    GROUP BY credential_id"""


def kept(relation: str) -> str:
    """The SELECT that keeps, of rows of `instances`, what `counted` needs."""
    return (
        f"SELECT credential_id, instance_id, min(seen_us) AS seen_us FROM {relation} "
        "GROUP BY credential_id, instance_id "
        f"QUALIFY row_number() OVER (PARTITION BY credential_id ORDER BY instance_id) <= {MOST_INSTANCES} "
        "ORDER BY credential_id, instance_id"
    )


def known_before(lake: Lake, key: Key) -> Callable[[int], bool] | None:
    """Tells credentials recognised under an earlier key; None where the key was never rotated.

    Held as a sorted array: 8 bytes for each credential.
    """
    if not key.earlier:
        return None
    found = lake.rows(
        f"SELECT DISTINCT credential_id FROM {ALIAS}.credentials WHERE key_id <> '{key.key_id}' "
        "ORDER BY credential_id"
    )
    ids = np.asarray(found["credential_id"].to_numpy(), np.int64)

    def was_known(credential_id: int) -> bool:
        at = int(np.searchsorted(ids, credential_id))
        return at < len(ids) and int(ids[at]) == credential_id

    return was_known
