"""Who called: the credentials of each row, the strongest of them, and the caller it speaks for.

Each place where a credential may stand is a channel: distinct values, codes, and what each value was
recognised as. Channels are put together in columns; a row may present several credentials.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.call import CLAIMS, CREDENTIAL
from wardgate.core.ids import Ids, mixed
from wardgate.core.keys import Key
from wardgate.lake.tables import CALLERS, CREDENTIALS
from wardgate.match.secrets import carries_secret
from wardgate.recognise.callers import Caller, caller_of
from wardgate.recognise.credentials import API_KEY_HEADERS, NOT_CREDENTIALS, Credential, Recogniser
from wardgate.recognise.distinct import Codes, Distinct, coded, distinct, one_chunk
from wardgate.recognise.software import Software, software_of
from wardgate.recognise.splitting import Secrets

Found = tuple[Credential, ...]
_KNOWN = 50_000
"""Presented values whose recognition is remembered from batch to batch."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One place of credentials: `found[code]` is what the distinct value presented."""

    codes: Codes
    found: list[Found]


@dataclass(frozen=True, slots=True)
class Identities:
    """Columns of a batch, and the distinct credentials and callers behind them."""

    credentials: pa.Array
    credential_id: pa.Array
    claims: pa.Array
    session: pa.Array
    login: pa.Array
    caller_id: Ids
    caller_kind: pa.Array
    credential_rows: pa.Table
    caller_rows: pa.Table


class Identifier:
    """Recognises credentials and callers under one key."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._recogniser = Recogniser(key)
        self._anonymous = key.id64("caller", "nobody")
        self._software: dict[str, Software] = {}
        self._known: dict[int, Found] = {}  # what was presented, by a keyed id: no value is kept

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
        received_at_us: int,
    ) -> Identities:
        rows = observed.num_rows
        login = distinct(observed["login"] if "login" in observed.column_names else None, rows)
        channels = self._channels(observed, headers, secrets, login)
        table, owner, entry = _flat(channels, rows)
        primary = _primary(table, owner, entry, rows)
        callers = [caller_of(one) for one in table]
        caller_id, kind, caller_rows = self._callers(
            callers, primary, address, agent, software, received_at_us
        )
        spread = coded([one.fingerprint for one in table], primary)
        return Identities(
            credentials=_credential_lists(table, owner, entry, rows, self._key.key_id),
            credential_id=spread.spread([one.credential_id for one in table], pa.int64()),
            claims=spread.spread([one.claims.row() if one.claims else None for one in table], CLAIMS),
            session=_first_of(
                table, owner, entry, rows, lambda one: one.fingerprint if one.kind == "session" else None
            ),
            login=_first_of(table, owner, entry, rows, lambda one: one.login),
            caller_id=caller_id,
            caller_kind=kind,
            credential_rows=_credential_facts(table, self._key.key_id, received_at_us),
            caller_rows=caller_rows,
        )

    def _channels(
        self,
        observed: pa.Table,
        headers: dict[str, pa.Array],
        secrets: list[tuple[Codes, dict[int, Secrets]]],
        login: Distinct,
    ) -> list[Channel]:
        rows = observed.num_rows
        know = self._recogniser
        out: list[Channel] = []

        def channel(
            place: str, values: Distinct, recognise: Callable[[str], Credential | list[Credential] | None]
        ) -> None:
            if values.is_empty:
                return
            ids = self._key.ids64("presented", [f"{place}\0{value}" for value in values.values])
            found: list[Found] = []
            for number, value in zip(ids, values.values, strict=True):
                known = self._known.get(number)
                if known is None:
                    one = recognise(value)
                    known = tuple(one) if isinstance(one, list) else (one,) if one else ()
                    if len(self._known) >= _KNOWN:
                        self._known.clear()
                    self._known[number] = known
                found.append(known)
            if any(found):
                out.append(Channel(values.codes, found))

        for name in ("client_certificate",):
            if name in observed.column_names:
                channel(name, distinct(observed[name], rows), know.certificate)
        for name, column in headers.items():
            values = distinct(column, rows)
            side, _, header = name.partition(".")
            if side == "cookie":
                channel(name, values, lambda value, name=header: know.cookie(name, value))  # type: ignore[misc]
            elif side == "req" and (recognise := self._header(header)) is not None:
                channel(name, values, recognise)
        for codes, carried in secrets:
            found = [self._from_target(pairs) for pairs in carried.values()]
            if any(found):
                places = np.full(int(codes.max(initial=0)) + 1, -1, np.int64)
                places[list(carried)] = np.arange(len(carried))
                out.append(Channel(np.where(codes < 0, -1, places[np.maximum(codes, 0)]), found))
        if "credential_name" in observed.column_names:
            channel("gateway", _named_keys(observed), lambda value: know.gateway_key(*value.split("\0", 1)))
        if not login.is_empty:
            channel("login", login, self._login)
        return out

    def _header(self, name: str) -> Callable[[str], Credential | list[Credential] | None] | None:
        """How a header's value is recognised; None for one that carries no credential."""
        know = self._recogniser
        if name == "authorization":
            return know.authorization
        if name == "proxy-authorization":
            return lambda value: know.authorization(value, "header:proxy-authorization")
        if name == "cookie":
            return know.cookies
        if name == "x-forwarded-client-cert":
            return know.certificate
        if name in API_KEY_HEADERS and name not in NOT_CREDENTIALS:
            return lambda value: know.api_key(f"header:{name}", value)
        return None

    def _from_target(self, secrets: tuple[tuple[str, str], ...]) -> Found:
        found = []
        for place, value in secrets:
            name = place.partition(":")[2]
            if name in NOT_CREDENTIALS or "password" in name or len(value) < 6:
                continue
            one = self._recogniser.api_key(place, value)
            if one is not None:
                found.append(one)
        return tuple(found)

    def _login(self, name: str) -> Credential:
        return Credential(
            "basic",
            "login",
            self._key.fingerprint("login\0" + name),
            "login name only",
            self._key.id64("credential", f"basic\0{name}"),
            login=self._recogniser.login(name),
        )

    def _callers(
        self,
        callers: list[Caller],
        primary: Codes,
        address: Distinct,
        agent: Distinct,
        software: list[Software],
        received_at_us: int,
    ) -> tuple[Ids, pa.Array, pa.Table]:
        """Caller per row: the credential's, else address and user agent together."""
        address_ids = address.numbers(
            np.array(self._key.ids64("address", address.values), np.int64), self._anonymous
        )
        agent_ids = agent.numbers(np.array(self._key.ids64("agent", agent.values), np.int64), self._anonymous)
        ids = mixed(address_ids, agent_ids)
        named_ids = np.array(self._key.ids64("caller", [one.identity for one in callers]), np.int64)
        named = primary >= 0
        if len(named_ids):
            ids = np.where(named, named_ids[np.maximum(primary, 0)], ids)
        labels = [*(one.kind.value for one in software), "unknown", *(one.kind.value for one in callers)]
        codes = np.where(agent.codes < 0, len(software), agent.codes)
        codes = np.where(named, len(software) + 1 + primary, codes)
        kind = coded(labels, codes).text()

        unique, first = np.unique(ids, return_index=True)
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
        count = len(unique)
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


def _named_keys(observed: pa.Table) -> Distinct:
    """Distinct `kind NUL name` pairs of the keys that a gateway knows by name."""
    names = one_chunk(observed["credential_name"]).cast(pa.string())
    kinds = pa.scalar("key")
    if "credential_kind" in observed.column_names:
        kinds = one_chunk(observed["credential_kind"]).cast(pa.string()).fill_null("key")
    return distinct(pc.binary_join_element_wise(kinds, names, "\0"), observed.num_rows)


def _flat(channels: list[Channel], rows: int) -> tuple[list[Credential], Codes, Codes]:
    """All presented credentials: the distinct ones, and (row, index into them) pairs sorted by row."""
    table: list[Credential] = []
    owners: list[Codes] = []
    entries: list[Codes] = []
    for channel in channels:
        width = max((len(found) for found in channel.found), default=0)
        for place in range(width):
            index = np.full(len(channel.found), -1, np.int64)
            for code, found in enumerate(channel.found):
                if place < len(found):
                    index[code] = len(table)
                    table.append(found[place])
            per_row = np.where(channel.codes < 0, -1, index[np.maximum(channel.codes, 0)])
            at = np.flatnonzero(per_row >= 0)
            owners.append(at)
            entries.append(per_row[at])
    if not owners:
        return [], np.empty(0, np.int64), np.empty(0, np.int64)
    owner, entry = np.concatenate(owners), np.concatenate(entries)
    strength = np.array([one.strength for one in table], np.int64)
    order = np.lexsort((strength[entry], owner))
    return table, owner[order], entry[order]


def _primary(table: list[Credential], owner: Codes, entry: Codes, rows: int) -> Codes:
    """Per row the index of its strongest credential, or -1."""
    out = np.full(rows, -1, np.int64)
    if len(owner):
        firsts = np.concatenate(([True], owner[1:] != owner[:-1]))
        out[owner[firsts]] = entry[firsts]
    return out


def _first_of(
    table: list[Credential], owner: Codes, entry: Codes, rows: int, value: Callable[[Credential], str | None]
) -> pa.Array:
    values = [value(one) for one in table]
    has = np.array([one is not None for one in values], bool)
    if not has.any():
        return pa.nulls(rows, pa.string())
    keep = has[entry]
    codes = _primary(table, owner[keep], entry[keep], rows)
    return coded([one or "" for one in values], codes).text(values)


def _credential_lists(
    table: list[Credential], owner: Codes, entry: Codes, rows: int, key_id: str
) -> pa.Array:
    kind = pa.list_(CREDENTIAL)
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
    counts = np.bincount(owner, minlength=rows)
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    empty: npt.NDArray[np.bool_] = counts == 0
    return pa.ListArray.from_arrays(pa.array(offsets), structs.take(pa.array(entry)), mask=pa.array(empty))


def _credential_facts(table: list[Credential], key_id: str, received_at_us: int) -> pa.Table:
    """One row per distinct credential (not per instance): what was learned of it."""
    seen: dict[int, Credential] = {}
    for one in table:
        seen.setdefault(one.credential_id, one)
    rows = [
        {
            "credential_id": one.credential_id,
            "fingerprint": one.fingerprint,
            "key_id": key_id,
            "kind": one.kind,
            "place": one.place,
            "hint": one.hint,
            "issuer": one.claims.issuer if one.claims else None,
            "subject": one.claims.subject if one.claims else one.login,
            "client": one.claims.client if one.claims else None,
            "scopes": list(one.claims.scopes) if one.claims else None,
            "expires_at_us": one.claims.expires_at_us if one.claims else None,
            "learned_at_us": received_at_us,
        }
        for one in seen.values()
    ]
    return pa.Table.from_pylist(rows, schema=CREDENTIALS)
