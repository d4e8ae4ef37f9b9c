"""Who called: the credentials of each row, the strongest of them, and the caller it speaks for, in columns.

`presented` says what each row presents, `software` what its user agent is; here they become the columns of
calls and the facts that are learned: credentials by place, instances of those that are renewed, and callers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.call import CLAIMS, CREDENTIAL
from wardgate.core.ids import Ids, mixed, unique
from wardgate.core.keys import Key
from wardgate.lake.tables import CALLERS, CREDENTIALS, INSTANCES, MOST_INSTANCES
from wardgate.match.secrets import carries_secret
from wardgate.recognise.callers import Caller, acting, caller_of
from wardgate.recognise.credentials.credential import Credential, Part
from wardgate.recognise.credentials.maker import Maker, WasKnown
from wardgate.recognise.distinct import Codes, Distinct, coded, distinct
from wardgate.recognise.presented import Presented, Presenting
from wardgate.recognise.software import Software, software_of
from wardgate.recognise.splitting import Secrets

_KNOWN = 50_000
"""User agents that are remembered from batch to batch."""
_ID_MASK = (1 << 63) - 1
FreshIds = Callable[[Ids], npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Identities:
    """Columns of a batch, and the distinct credentials, instances and callers behind them."""

    credentials: pa.Array
    credential_id: pa.Array
    claims: pa.Array
    session: pa.Array
    login: pa.Array
    caller_id: Ids
    caller_kind: pa.Array
    credential_rows: pa.Table
    instance_rows: pa.Table
    caller_rows: pa.Table


class Identifier:
    """Recognises credentials and callers under one key."""

    def __init__(
        self, key: Key, was_known: WasKnown | None = None, fresh_callers: FreshIds | None = None
    ) -> None:
        """`was_known`: see `credentials.maker`; `fresh_callers` says which callers are worth a row."""
        self._key = key
        self._fresh_callers = fresh_callers
        self._maker = Maker(key, was_known)
        self._presenting = Presenting(key, self._maker)
        self._anonymous = key.id64("caller", "nobody")
        self._software: dict[str, Software] = {}

    def software(self, sent: list[str], agent: Distinct) -> list[Software]:
        """The software behind each distinct user agent: `sent` as it came, `agent` with secrets masked."""
        out = []
        for text, masked in zip(sent, agent.values, strict=True):
            known = self._software.get(masked)
            if known is None:
                known = software_of(text[:2048])
                if carries_secret(known.product):
                    known = replace(known, product="unnamed software")
                if len(self._software) >= _KNOWN:
                    self._software.clear()
                self._software[masked] = known
            out.append(known)
        return out

    def identify(
        self,
        observed: pa.Table,
        headers: dict[str, pa.Array],
        secrets: list[tuple[Codes, dict[int, Secrets]]],
        address: Distinct,
        agent: Distinct,
        software: list[Software],
        started: pa.Array,
        received_at_us: int,
    ) -> Identities:
        """The identities of a batch. `agent`: user agents, masked; `software`: what each of them is."""
        rows = observed.num_rows
        login = distinct(observed["login"] if "login" in observed.column_names else None, rows)
        address_ids = address.numbers(
            np.array(self._key.ids64("address", address.values), np.int64), self._anonymous
        )
        found = self._presenting.of(observed, headers, secrets, login, address_ids)
        table, owner, entry = found.table, found.owner, found.entry
        primary = _primary(owner, entry, rows)
        callers = [caller_of(one) for one in table]
        hidden = np.array([one.part == Part.HIDDEN for one in table] or [False], bool)
        speaking = np.where((primary >= 0) & hidden[np.maximum(primary, 0)], -1, primary)
        caller_id, kind, caller_rows = self._callers(
            callers, speaking, address, address_ids, agent, software, received_at_us
        )
        logins = _first_of(found, rows, lambda one: one.login) if table else pa.nulls(rows, pa.string())
        if not login.is_empty:
            logged = login.text([self._maker.login(one) for one in login.values])
            logins = pc.coalesce(logins.cast(pa.string()), logged.cast(pa.string()))
        if not table:
            nothing = pa.nulls(rows)
            return Identities(
                nothing,
                nothing,
                nothing,
                nothing,
                logins,
                caller_id,
                kind,
                _credential_facts(table, entry, self._key.key_id, received_at_us),
                _instances(found, started),
                caller_rows,
            )
        spread = coded([one.fingerprint for one in table], primary)
        return Identities(
            credentials=_credential_lists(found, rows, self._key.key_id),
            credential_id=spread.spread([one.credential_id for one in table], pa.int64()),
            claims=spread.spread([one.claims.row() if one.claims else None for one in table], CLAIMS),
            session=_first_of(found, rows, lambda one: one.fingerprint if one.kind == "session" else None),
            login=logins,
            caller_id=caller_id,
            caller_kind=kind,
            credential_rows=_credential_facts(table, entry, self._key.key_id, received_at_us),
            instance_rows=_instances(found, started),
            caller_rows=caller_rows,
        )

    def _callers(
        self,
        callers: list[Caller],
        primary: Codes,
        address: Distinct,
        address_ids: Codes,
        agent: Distinct,
        software: list[Software],
        received_at_us: int,
    ) -> tuple[Ids, pa.Array, pa.Table]:
        """Caller per row: the credential's, else address and user agent together."""
        agent_ids = agent.numbers(np.array(self._key.ids64("agent", agent.values), np.int64), self._anonymous)
        ids = mixed(address_ids, agent_ids)
        named_ids = np.array(self._key.ids64("caller", [one.identity for one in callers]), np.int64)
        named = primary >= 0
        if len(named_ids):
            ids = np.where(named, named_ids[np.maximum(primary, 0)], ids)
        callers, primary = acting(callers, primary, agent.codes, software)
        labels = [*(one.kind.value for one in software), "unknown", *(one.kind.value for one in callers)]
        codes = np.where(agent.codes < 0, len(software), agent.codes)
        codes = np.where(named, len(software) + 1 + primary, codes)
        kind = coded(labels, codes).text()

        distinct_ids, first, _ = unique(ids)
        if self._fresh_callers is not None:
            first = first[self._fresh_callers(distinct_ids)]
        anonymous = first[~named[first]]
        products = pa.array([one.product for one in software] + ["no user agent"], pa.string())
        said = np.where(agent.codes[anonymous] < 0, len(software), agent.codes[anonymous])
        product = products.take(pa.array(said))
        bases = pa.array(
            [*(f"{one.basis}, by its user agent" for one in software), "address only"], pa.string()
        )
        places = pa.array([*address.values, "unknown address"], pa.string())
        place = places.take(
            pa.array(np.where(address.codes[anonymous] < 0, len(address.values), address.codes[anonymous]))
        )
        sure = np.array([one.confidence for one in software] + [0.1], np.float32)
        chosen = first[named[first]]
        owners = [callers[primary[row]] for row in chosen.tolist()]
        count = len(first)
        rows = pa.table(
            {
                "caller_id": pa.array(np.concatenate([ids[anonymous], ids[chosen]])),
                "kind": pa.concat_arrays(
                    [
                        kind.take(pa.array(anonymous)).cast(pa.string()),
                        pa.array([o.kind.value for o in owners], pa.string()),
                    ]
                ),
                "name": pa.concat_arrays(
                    [
                        pc.binary_join_element_wise(product, place, " @ "),
                        pa.array([o.name for o in owners], pa.string()),
                    ]
                ),
                "basis": pa.concat_arrays(
                    [
                        bases.take(pa.array(said)),
                        pa.array([o.basis for o in owners], pa.string()),
                    ]
                ),
                "confidence": pa.concat_arrays(
                    [
                        pa.array(sure[said], pa.float32()),
                        pa.array([o.confidence for o in owners], pa.float32()),
                    ]
                ),
                "learned_at_us": pa.array([received_at_us] * count, pa.int64()).cast(
                    CALLERS.field("learned_at_us").type
                ),
            }
        )
        return ids, kind, rows


def _primary(owner: Codes, entry: Codes, rows: int) -> Codes:
    """Per row the index of its strongest credential, or -1."""
    out = np.full(rows, -1, np.int64)
    if len(owner):
        firsts = np.concatenate(([True], owner[1:] != owner[:-1]))
        out[owner[firsts]] = entry[firsts]
    return out


def _first_of(found: Presented, rows: int, value: Callable[[Credential], str | None]) -> pa.Array:
    values = [value(one) for one in found.table]
    has = np.array([one is not None for one in values], bool)
    if not has.any():
        return pa.nulls(rows, pa.string())
    keep = has[found.entry]
    codes = _primary(found.owner[keep], found.entry[keep], rows)
    return coded([one or "" for one in values], codes).text(values)


def _credential_lists(found: Presented, rows: int, key_id: str) -> pa.Array:
    kind = pa.list_(CREDENTIAL)
    table = found.table
    if not table:
        return pa.nulls(rows, kind)
    structs = pa.StructArray.from_arrays(
        [
            pa.array([one.kind for one in table], pa.string()),
            pa.array([one.place for one in table], pa.string()),
            pa.array([one.fingerprint for one in table], pa.string()),
            pa.array([key_id] * len(table), pa.string()),
            pa.array([one.hint for one in table], pa.string()),
            pa.array([one.credential_id for one in table], pa.int64()),
        ],
        fields=list(CREDENTIAL),
    )
    counts = np.bincount(found.owner, minlength=rows)
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    empty: npt.NDArray[np.bool_] = counts == 0
    return pa.ListArray.from_arrays(
        pa.array(offsets), structs.take(pa.array(found.entry)), mask=pa.array(empty)
    )


def _credential_facts(
    table: Sequence[Credential], entry: Codes, key_id: str, received_at_us: int
) -> pa.Table:
    """One row per distinct credential and place (not per instance): what was learned of it."""
    seen: dict[tuple[int, str], Credential] = {}
    for at in np.unique(entry).tolist():
        one = table[at]
        seen.setdefault((one.credential_id, one.place), one)
    own = list(seen.values())
    claims = [one.claims for one in own]
    columns: dict[str, list[object]] = {
        "credential_id": [one.credential_id for one in own],
        "fingerprint": [one.fingerprint for one in own],
        "key_id": [key_id] * len(own),
        "kind": [one.kind for one in own],
        "place": [one.place for one in own],
        "hint": [one.hint for one in own],
        "issuer": [each and each.issuer for each in claims],
        "subject": [each.subject if each else one.login for each, one in zip(claims, own, strict=True)],
        "client": [each and each.client for each in claims],
        "scopes": [each and list(each.scopes) for each in claims],
        "expires_at_us": [one.expires_at_us for one in own],
        "learned_at_us": [received_at_us] * len(own),
    }
    return pa.table([pa.array(columns[f.name], f.type) for f in CREDENTIALS], schema=CREDENTIALS)


def _instances(found: Presented, started: pa.Array) -> pa.Table:
    """Distinct instances of renewed credentials, with the time of their first call.

    Of each credential the ones with the smallest ids, as many as are counted exactly (`lake.instances`).
    """
    renewed = np.array([one.renewed for one in found.table], bool)
    at = np.flatnonzero(renewed[found.entry]) if len(found.entry) else np.empty(0, np.int64)
    if not len(at):
        return INSTANCES.empty_table()
    ids = np.array([int(one.fingerprint[:16], 16) & _ID_MASK for one in found.table], np.int64)
    owners = np.array([one.credential_id for one in found.table], np.int64)
    entry = found.entry[at]
    seen = started.cast(pa.int64()).to_numpy(zero_copy_only=False)[found.owner[at]]
    order = np.lexsort((seen, ids[entry], owners[entry]))
    owner, instance, seen = owners[entry][order], ids[entry][order], seen[order]
    first = np.concatenate(([True], (owner[1:] != owner[:-1]) | (instance[1:] != instance[:-1])))
    owner, instance, seen = owner[first], instance[first], seen[first]
    nth = np.arange(len(owner)) - np.searchsorted(owner, owner, "left")
    kept = nth < MOST_INSTANCES
    return pa.table(
        {
            "credential_id": pa.array(owner[kept]),
            "instance_id": pa.array(instance[kept]),
            "seen_us": pa.array(seen[kept]).cast(INSTANCES.field("seen_us").type),
        },
        schema=INSTANCES,
    )
