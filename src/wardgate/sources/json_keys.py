"""Flat JSON records whose keys people choose: which key fills which field, and which are headers.

Envoy's `json_format`, API Gateway's `$context` templates, NGINX's `log_format escape=json`: the values are
the vendor's, the keys are whatever somebody typed. A format names, per field, the keys it knows, preferred
ones first; a key with dots also means nested objects. Keys nobody knows may still be headers, and headers
hold credentials, so those that look like one go to the header lists.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from wardgate.sources.access import NUMBERS
from wardgate.sources.json_columns import JsonColumns, cookie_header, go_seconds

JsonObject = dict[str, Any]
Keys = Mapping[str, Sequence[str]]
"""Field → the keys that may fill it. Fields are those of `access`, `started_at`, `ended_at`."""
HeaderOf = Callable[[str], tuple[str, str] | None]
"""Key → ("request" | "response" | "cookie", header's or cookie's name), or None where it is no header."""

ABSENT = ("", "-")
_HEADERS = frozenset(
    {
        "authorization", "proxy-authorization", "cookie", "dpop", "api-key", "apikey", "access-token",
        "auth-token", "private-token", "ocp-apim-subscription-key", "referer", "origin", "forwarded", "via",
        "traceparent", "accept", "accept-language", "signature", "signature-input", "signature-agent",
        "client-cert", "client-cert-chain", "sec-websocket-protocol", "webhook-id", "webhook-signature",
    }
)  # fmt: skip
_FAMILIES = ("x-", "cf-", "ssl-client-", "client-cert-", "sec-websocket-")
_ENDINGS = ("-signature", "-api-key", "-apikey", "-access-token", "-auth-token", "-authorization",
            "-assertion", "-hmac-sha256", "-signature-256", "-signature-ed25519",
            "-subscription-key")  # fmt: skip
"""How names of headers begin and end that present something; a key of any other name is none."""
_ALIASES = {"referrer": "referer"}
_NO_MAPS: Keys = {}


def header_of(key: str) -> tuple[str, str] | None:
    """Headers by their own names, `x-…`, and NGINX's variables (`http_…`, `sent_http_…`, `cookie_…`)."""
    low = key.lower()
    for prefix, place in (("http_", "request"), ("sent_http_", "response"), ("upstream_http_", "response")):
        if low.startswith(prefix):
            name = low.removeprefix(prefix).replace("_", "-")
            return place, _ALIASES.get(name, name)
    if low.startswith("cookie_"):
        return "cookie", key[len("cookie_") :]
    name = low.replace("_", "-")
    name = _ALIASES.get(name, name)
    is_header = name in _HEADERS or name.startswith(_FAMILIES) or name.endswith(_ENDINGS)
    return ("request", name) if is_header else None


def value_at(record: JsonObject, key: str) -> object:
    """The value of a key; a key with dots is also looked for in nested objects. None where there is none."""
    found = record.get(key)
    if found is not None or "." not in key:
        return found
    inside: object = record
    for part in key.split("."):
        if not isinstance(inside, dict):
            return None
        inside = inside.get(part)
    return inside


class KeyedRecords:
    """One slice of records, to be asked for fields; remembers which keys were asked for."""

    def __init__(self, records: Sequence[JsonObject], *, nested: bool = False) -> None:
        self._records = records
        self._present: set[str] = set().union(*records)
        self._asked: set[str] = set()
        self._nested = nested  # an object in a value's place is not the value

    def values(self, keys: Iterable[str]) -> list[object] | None:
        """Per record the first value that is not absent; None when no record has any of the keys."""
        keys = list(keys)
        self._asked.update(keys)
        known = [key for key in keys if key in self._present or key.split(".")[0] in self._present]
        if not known:
            return None
        found = self._at(known[0])
        for key in known[1:]:
            if None not in found:
                break
            found = [
                other if value is None else value for value, other in zip(found, self._at(key), strict=True)
            ]
        return found

    def _at(self, key: str) -> list[object]:
        """Per record the value of one key; None for what is absent."""
        if "." in key:
            found = [value_at(record, key) for record in self._records]
        else:
            found = [record.get(key) for record in self._records]
        if self._nested:
            return [None if value in ABSENT or isinstance(value, dict) else value for value in found]
        return [None if value in ABSENT else value for value in found]

    def fill(self, names: Keys, out: JsonColumns) -> None:
        """Every field for which a key is there. Seconds may carry their unit (`0.2s`, `12ms`)."""
        for name, keys in names.items():
            values = self.values(keys)
            if values is None:
                continue
            if name in ("started_at", "ended_at"):
                out.stamp(name, values)
            elif name in NUMBERS:
                out.number(name, values, go_seconds if name == "duration_s" else float)
            else:
                out.text(name, values)
        _same_unit(out)

    def headers(self, out: JsonColumns, place_of: HeaderOf, maps: Keys = _NO_MAPS) -> None:
        """Header lists: of keys that are headers and were not asked for as fields, and of whole maps.

        `maps` says which keys hold a map of "request" or "response" headers.
        """
        kept = {
            place: [key for key in keys if key in self._present or key.split(".")[0] in self._present]
            for place, keys in maps.items()
        }
        free = self._present - self._asked
        places = {key: place for key in free if (place := place_of(key)) is not None}
        if not places and not any(kept.values()):
            return
        found = [self._headers_of(record, places, kept) for record in self._records]
        out.headers("request_headers", [one["request"] for one in found])
        out.headers("response_headers", [one["response"] for one in found])

    def _headers_of(
        self, record: JsonObject, places: Mapping[str, tuple[str, str]], maps: Keys
    ) -> dict[str, JsonObject]:
        found: dict[str, JsonObject] = {"request": {}, "response": {}, "cookie": {}}
        for place, keys in maps.items():
            for key in keys:
                whole = value_at(record, key)
                if isinstance(whole, dict):
                    found[place].update(whole)
        for key, value in record.items():
            if key in places and value is not None and value not in ABSENT:
                place, header = places[key]
                found[place][header] = value
        if found["cookie"] and "cookie" not in found["request"]:
            found["request"]["cookie"] = cookie_header(found["cookie"])
        return found


def _same_unit(out: JsonColumns) -> None:
    """One duration, in µs, of those that keys of several units hold."""
    for unit, factor in (("ns", 0.001), ("ms", 1000.0), ("s", 1_000_000.0)):
        found = out.fields.pop(f"duration_{unit}", None)
        if found is not None:
            us = pc.multiply(found, factor)
            known = out.fields.get("duration_us")
            out.fields["duration_us"] = us if known is None else known.fill_null(us)


def settle_queries(out: JsonColumns) -> None:
    """Drop a query that the target holds already."""
    if "query" in out.fields and "target" in out.fields:
        pairs = zip(out.fields["target"].to_pylist(), out.fields["query"].to_pylist(), strict=True)
        out.text("query", [None if target and "?" in target else query for target, query in pairs])
