"""What each row of a batch presents: every place where a credential may stand, recognised once per value.

A *channel* is one place, or several headers that tell of one thing together (a certificate, a signature and
its agent, a webhook). Channels are put together in columns, and what says again what another entry of the
same call says is dropped: the login that a server logged beside a Basic header, the session token of a
signature, the name that a gateway gives to the key that is presented, and what its source hid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wardgate.core.keys import Key
from wardgate.recognise.credentials import cookie as cookies_of
from wardgate.recognise.credentials import webhook
from wardgate.recognise.credentials.authorization import authorization
from wardgate.recognise.credentials.certificate import COLUMN, certificates, field_of
from wardgate.recognise.credentials.credential import Credential, Part
from wardgate.recognise.credentials.json_web_token import parts_of, proof, token
from wardgate.recognise.credentials.maker import Maker, is_masked, shown
from wardgate.recognise.credentials.names import (
    is_session_cookie,
    is_strong_header,
    may_be_key,
)
from wardgate.recognise.credentials.parameters import SHAPED, in_target
from wardgate.recognise.credentials.signature import key_pair_signature, message_signatures
from wardgate.recognise.credentials.steady import Steady, looks_random
from wardgate.recognise.distinct import Codes, Distinct, combined, distinct, one_chunk
from wardgate.recognise.splitting import Secrets

Found = tuple[Credential, ...]
_KNOWN = 50_000
"""Presented values whose recognition is remembered from batch to batch."""
_MOST_WEAK = 32
"""Names that say nothing and are looked at in one batch, of each side."""
_SIGNING = ("signature-input", "signature-agent", "signature")
_AUTHORIZATION = frozenset(
    ("authorization", "proxy-authorization", "x-authorization", "x-original-authorization")
)
_HANDLED = frozenset(
    (*_SIGNING, "cookie", "dpop", "sec-websocket-protocol", "user-agent", "host", "x-session-id")
)


@dataclass(frozen=True, slots=True)
class Presented:
    """The distinct credentials of a batch, and (row, index into them) pairs, the strongest of a row first."""

    table: list[Credential]
    owner: Codes
    entry: Codes


@dataclass(frozen=True, slots=True)
class _Channel:
    """One place of credentials: `found[code]` is what the distinct value presented."""

    codes: Codes
    found: list[Found]


class Presenting:
    """Recognises what is presented, under one key. Not for several threads at once."""

    def __init__(self, key: Key, maker: Maker) -> None:
        self._key = key
        self._maker = maker
        self._steady = Steady(key)
        self._known: dict[int, Found] = {}  # what was presented, by a keyed id: no value is kept
        self._aliases: dict[int, int] = {}  # the gateway's name of a credential → the credential

    def of(
        self,
        observed: pa.Table,
        headers: Mapping[str, pa.Array],
        secrets: Sequence[tuple[Codes, dict[int, Secrets]]],
        login: Distinct,
        client_ids: Codes,
    ) -> Presented:
        """What the rows of a batch present. `client_ids`: who is at the other end, one per row."""
        rows = observed.num_rows
        asked = {
            name.partition(".")[2].replace("_", "-"): column
            for name, column in headers.items()
            if name.startswith("req.")
        }
        channels: list[_Channel] = []
        self._headers(channels, asked, rows, client_ids)
        self._groups(channels, asked, observed)
        for name, column in headers.items():
            if name.startswith("cookie."):
                self._cookie_column(
                    channels, name.removeprefix("cookie."), distinct(column, rows), client_ids
                )
        self._targets(channels, secrets, client_ids)
        if "credential_name" in observed.column_names:
            self._channel(channels, "gateway", _named_keys(observed), self._gateway)
        self._channel(channels, "login", login, self._login)
        return self._once(*_flat(channels), rows)

    def _headers(
        self, channels: list[_Channel], asked: Mapping[str, pa.Array], rows: int, client_ids: Codes
    ) -> None:
        maker = self._maker
        weak = 0
        for name, column in asked.items():
            if field_of(name) is not None or name in webhook.HEADERS:
                continue
            place = f"header:{name[:40]}"
            if name in _AUTHORIZATION:
                values = distinct(column, rows)
                self._channel(
                    channels,
                    place,
                    values,
                    lambda one, p=place: authorization(maker, one, p) or maker.hidden(p, one),  # type: ignore[misc]
                )
            elif name == "cookie":
                values = distinct(column, rows)
                self._channel(channels, place, values, lambda one: cookies_of.cookies(maker, one))
                self._weak_cookies(channels, values, client_ids)
            elif name == "dpop":
                values = distinct(column, rows)
                self._channel(channels, place, values, lambda one, p=place: proof(maker, p, one))  # type: ignore[misc]
            elif name == "sec-websocket-protocol":
                self._channel(channels, place, distinct(column, rows), self._subprotocol)
            elif name == "x-session-id":
                self._channel(channels, place, distinct(column, rows), self._session)
            elif is_strong_header(name):
                values = distinct(column, rows)
                self._channel(channels, place, values, lambda one, n=name: self._key_header(n, one))  # type: ignore[misc]
            elif name not in _HANDLED and weak < _MOST_WEAK and may_be_key(name):
                weak += 1
                self._weak(channels, place, distinct(column, rows), client_ids)

    def _groups(self, channels: list[_Channel], asked: Mapping[str, pa.Array], observed: pa.Table) -> None:
        maker = self._maker
        told = {name: column for name, column in asked.items() if field_of(name) is not None}
        if COLUMN in observed.column_names:
            told[COLUMN] = observed[COLUMN]
        rows = observed.num_rows
        self._group(channels, "certificate", told, rows, lambda one: certificates(maker, one))
        signing = {name: asked[name] for name in _SIGNING if name in asked}
        self._group(channels, "signature", signing, rows, self._signatures)
        hooks = {name: column for name, column in asked.items() if name in webhook.HEADERS}
        self._group(channels, "webhook", hooks, rows, lambda one: webhook.webhooks(maker, one))

    def _signatures(self, told: Mapping[str, str]) -> list[Credential]:
        if "signature-input" in told:
            return message_signatures(self._maker, told)
        signature = told.get("signature", "")
        if "keyid=" not in signature.lower():
            return []
        one = key_pair_signature(self._maker, "header:signature", "Signature", signature)
        return [one] if one is not None else []

    def _key_header(self, name: str, value: str) -> Credential | None:
        value = value.strip()
        scheme, _, rest = value.partition(" ")
        if rest and scheme.lower() in ("bearer", "token", "basic"):
            return authorization(self._maker, value, f"header:{name[:40]}")
        if len(value) < 3 or is_masked(value):
            return self._maker.hidden(f"header:{name[:40]}", value)
        if len(value) < 4:
            return None
        kind = "session" if "session" in name else "api_key"
        made = token(self._maker, f"header:{name[:40]}", value, kind)
        return replace(made, part=Part.COMPANION) if name == "x-amz-security-token" else made

    def _subprotocol(self, value: str) -> Credential | None:
        """Tokens that browsers send as a WebSocket subprotocol: Kubernetes' form, and `name, token`."""
        for one in value.split(","):
            text = one.strip().removeprefix("base64url.bearer.authorization.k8s.io.")
            if parts_of(text) is not None or (text != one.strip() or looks_random(text)):
                return token(self._maker, "header:sec-websocket-protocol", text)
        return None

    def _session(self, value: str) -> Credential | None:
        if len(value) < 8 or is_masked(value):
            return None
        return self._maker.secret("session", "header:x-session-id", value)

    def _login(self, name: str) -> Credential | None:
        if is_masked(name):
            return None
        return self._maker.named(
            "basic", "login", f"login\0{name}", "login name", login=name, part=Part.LOGIN
        )

    def _gateway(self, pair: str) -> Credential:
        """A key that the gateway names (an AWS API key id, a Kong consumer): its name is not secret."""
        kind, name = pair.split("\0", 1)
        said = f"{kind} {shown(name) or ''}".strip()
        return self._maker.named(
            "gateway_key", f"gateway:{kind}", f"gateway_key\0{name}", said, name=name, part=Part.GATEWAY
        )

    def _targets(
        self,
        channels: list[_Channel],
        secrets: Sequence[tuple[Codes, dict[int, Secrets]]],
        client_ids: Codes,
    ) -> None:
        for codes, carried in secrets:
            found = [in_target(self._maker, pairs) for pairs in carried.values()]
            # A value may be in the dictionary and in no row: its record was rejected.
            places = np.full(max(int(codes.max(initial=0)), *carried, 0) + 1, -1, np.int64)
            places[list(carried)] = np.arange(len(carried))
            own = np.where(codes < 0, -1, places[np.maximum(codes, 0)])
            if any(found):
                channels.append(_Channel(own, found))
            shaped = [
                {place.partition(":")[2]: value for place, value in pairs if place.startswith(SHAPED)}
                for pairs in carried.values()
            ]
            self._weak_named(channels, "query", shaped, own, client_ids)

    def _cookie_column(
        self, channels: list[_Channel], name: str, values: Distinct, client_ids: Codes
    ) -> None:
        self._channel(
            channels, f"cookie:{name}", values, lambda one: cookies_of.cookie(self._maker, name, one)
        )
        bare = cookies_of.bare(name)
        if not is_session_cookie(bare) and may_be_key(bare):
            self._weak(channels, cookies_of.place_of(bare), values, client_ids)

    def _weak_cookies(self, channels: list[_Channel], values: Distinct, client_ids: Codes) -> None:
        pairs = [
            {name: value for name, value in cookies_of.pairs(one) if not is_session_cookie(name)}
            for one in values.values
        ]
        self._weak_named(channels, "cookie", pairs, values.codes, client_ids)

    def _weak_named(
        self,
        channels: list[_Channel],
        side: str,
        things: Sequence[Mapping[str, str]],
        codes: Codes,
        client_ids: Codes,
    ) -> None:
        """Values by name in distinct things (queries, cookie headers): those under names that say nothing."""
        by_name: dict[str, dict[int, str]] = {}
        for at, thing in enumerate(things):
            for name, value in thing.items():
                if not looks_random(value) or (name not in by_name and len(by_name) >= _MOST_WEAK):
                    continue
                if name in by_name or may_be_key(name):
                    by_name.setdefault(name, {})[at] = value
        for name, values in by_name.items():
            index: dict[str, int] = {}
            of_thing = np.full(len(things), -1, np.int64)
            for at, value in values.items():
                of_thing[at] = index.setdefault(value, len(index))
            own = np.where(codes < 0, -1, of_thing[np.maximum(codes, 0)])
            self._weak(
                channels, f"{side}:{name[:40]}", Distinct(pa.array(list(index), pa.string()), own), client_ids
            )

    def _weak(self, channels: list[_Channel], place: str, values: Distinct, client_ids: Codes) -> None:
        """A place whose name says nothing: tokens that say what they are, and keys that show as such."""
        if values.is_empty:
            return
        steady = self._steady.keys_in(place, values.values, values.codes, client_ids)
        kind = "session" if place.startswith("cookie:") else "api_key"
        found: list[Found] = []
        for value, is_key in zip(values.values, steady, strict=True):
            is_token = parts_of(value) is not None
            found.append((token(self._maker, place, value, kind),) if is_key or is_token else ())
        if any(found):
            channels.append(_Channel(values.codes, found))

    def _channel(
        self,
        channels: list[_Channel],
        place: str,
        values: Distinct,
        recognise: Callable[[str], Credential | list[Credential] | None],
    ) -> None:
        if values.is_empty:
            return
        ids = self._key.ids64("presented", [f"{place}\0{value}" for value in values.values])
        found = [
            self._remembered(number, lambda v=value: recognise(v))  # type: ignore[misc]
            for number, value in zip(ids, values.values, strict=True)
        ]
        if any(found):
            channels.append(_Channel(values.codes, found))

    def _group(
        self,
        channels: list[_Channel],
        place: str,
        told: Mapping[str, pa.Array],
        rows: int,
        recognise: Callable[[Mapping[str, str]], list[Credential]],
    ) -> None:
        """Headers that tell of one thing together, recognised once per distinct combination."""
        parts = {name: distinct(column, rows) for name, column in told.items()}
        parts = {name: values for name, values in parts.items() if not values.is_empty}
        if not parts:
            return
        first, codes = combined(*(values.codes for values in parts.values()))
        found: list[Found] = []
        for row in first.tolist():
            one = {name: text for name, values in parts.items() if (text := values.at(row)) is not None}
            number = self._key.id64("presented", "\0".join((place, *(f"{k}\0{v}" for k, v in one.items()))))
            found.append(self._remembered(number, lambda o=one: recognise(o)) if one else ())  # type: ignore[misc]
        if any(found):
            channels.append(_Channel(codes, found))

    def _remembered(
        self, number: int, recognise: Callable[[], Credential | list[Credential] | None]
    ) -> Found:
        known = self._known.get(number)
        if known is None:
            one = recognise()
            known = tuple(one) if isinstance(one, list) else (one,) if one else ()
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[number] = known
        return known

    def _once(self, table: list[Credential], owner: Codes, entry: Codes, rows: int) -> Presented:
        """Without the entries that say again what another entry of the same row says."""
        if not len(owner):
            return Presented(table, owner, entry)
        part = np.array([one.part for one in table], np.int64)
        if (part != Part.WHOLE).any():
            known = _strongest(table, owner, entry, rows, _BESIDE)[owner] >= 0
            said = part[entry]
            kept = ~(((said == Part.LOGIN) | (said == Part.COMPANION)) & known)
            owner, entry = owner[kept], entry[kept]
            answers = _strongest(table, owner, entry, rows, _BESIDE | {"client_certificate"})
            entry = self._aliased(table, owner, entry, answers)
            part = np.array([one.part for one in table], np.int64)
            owner, entry = _without_hidden(table, owner, entry, part, rows)
        places: dict[tuple[int, str], int] = {}
        same = np.array([places.setdefault((one.credential_id, one.place), i) for i, one in enumerate(table)])
        _, first = np.unique(same[entry] * rows + owner, return_index=True)
        owner, entry = owner[np.sort(first)], entry[np.sort(first)]
        strength = np.array([one.strength for one in table], np.int64)
        order = np.lexsort((strength[entry], owner))
        return Presented(table, owner[order], entry[order])

    def _aliased(self, table: list[Credential], owner: Codes, entry: Codes, answers: Codes) -> Codes:
        """Names that a gateway gives, as places of the credential that was presented with them.

        Where a call shows the name only, the credential is the one that the name was last seen with.
        """
        at = np.flatnonzero(np.array([one.part == Part.GATEWAY for one in table], bool)[entry])
        if not len(at):
            return entry
        first, pair = combined(entry[at], answers[owner[at]])
        chosen = np.empty(len(first), np.int64)
        for i in np.argsort(answers[owner[at[first]]] < 0, kind="stable").tolist():  # with an answer first
            row = int(at[first[i]])
            name, answer = table[int(entry[row])], int(answers[owner[row]])
            if answer >= 0:
                if len(self._aliases) >= _KNOWN:
                    self._aliases.clear()
                self._aliases[name.credential_id] = table[answer].credential_id
            known = self._aliases.get(name.credential_id)
            chosen[i] = len(table) if known is not None else entry[row]
            if known is not None:
                table.append(replace(name, credential_id=known))
        entry = entry.copy()
        entry[at] = chosen[pair]
        return entry


def _without_hidden(
    table: Sequence[Credential], owner: Codes, entry: Codes, part: Codes, rows: int
) -> tuple[Codes, Codes]:
    """Without what a source hid, where the same row names who presented it."""
    named = np.array([one.part != Part.HIDDEN and one.kind not in _BESIDE_HIDDEN for one in table], bool)
    has = np.zeros(rows, bool)
    has[owner[named[entry]]] = True
    kept = (part[entry] != Part.HIDDEN) | ~has[owner]
    return owner[kept], entry[kept]


def _strongest(
    table: Sequence[Credential], owner: Codes, entry: Codes, rows: int, beside: frozenset[str]
) -> Codes:
    """Per row the entry of its strongest whole credential, but for kinds in `beside`; -1 for none."""
    whole = np.array([one.part == Part.WHOLE and one.kind not in beside for one in table], bool)
    out = np.full(rows, -1, np.int64)
    at = np.flatnonzero(whole[entry])[::-1]  # entries are in the order of their strength
    out[owner[at]] = entry[at]
    return out


_BESIDE_HIDDEN = frozenset(("session", "webhook"))
_BESIDE = _BESIDE_HIDDEN | {"gateway_key"}
"""Kinds that are presented beside what a gateway names or a login stands for."""


def _named_keys(observed: pa.Table) -> Distinct:
    """Distinct `kind NUL name` pairs of the keys that a gateway knows by name."""
    names = one_chunk(observed["credential_name"]).cast(pa.string())
    kinds = pa.scalar("key")
    if "credential_kind" in observed.column_names:
        kinds = one_chunk(observed["credential_kind"]).cast(pa.string()).fill_null("key")
    return distinct(pc.binary_join_element_wise(kinds, names, "\0"), observed.num_rows)


def _flat(channels: Sequence[_Channel]) -> tuple[list[Credential], Codes, Codes]:
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
