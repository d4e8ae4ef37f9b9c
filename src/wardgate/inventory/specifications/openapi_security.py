"""How an OpenAPI document says that callers authenticate."""

from typing import Any

from wardgate.inventory.specifications.form import Flow, Need, Place, Scheme
from wardgate.inventory.specifications.naming import component_names
from wardgate.inventory.specifications.notes import Notes, Pointer, below
from wardgate.inventory.specifications.openapi_servers import without_user
from wardgate.inventory.specifications.references import References

_OLD_FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_FLOWS = ("implicit", "password", "clientCredentials", "authorizationCode", "deviceAuthorization")
_PLACES = {"header": Place.HEADER, "query": Place.QUERY, "cookie": Place.COOKIE}


def schemes(
    given: dict[str, Any], pointer: Pointer, references: References, notes: Notes
) -> tuple[dict[str, Scheme], dict[str, str]]:
    """The schemes of a document by name, and how their names in the document became theirs."""
    names = component_names(given, notes, pointer)
    out = {}
    for name, one in given.items():
        found, place = references.follow(one, below(pointer, name))
        made = _scheme(found) if isinstance(found, dict) else None
        if made is None:
            notes.add("security-unknown", place)
        else:
            out[names[name]] = made
    return out, {name: plain for name, plain in names.items() if plain in out}


def _scheme(one: dict[str, Any]) -> Scheme | None:
    kind = one.get("type")
    if kind == "basic":
        return Scheme("http", scheme="basic")
    if kind == "http":
        return Scheme("http", scheme=(_text(one.get("scheme")) or "basic").lower())
    if kind == "apiKey":
        place, name = _PLACES.get(str(one.get("in"))), _text(one.get("name"))
        return Scheme("apiKey", place=place, name=name) if place and name else None
    if kind == "oauth2":
        return Scheme("oauth2", flows=_flows(one))
    if kind == "openIdConnect":
        return Scheme("openIdConnect", url=_url(one.get("openIdConnectUrl")))
    return Scheme("mutualTLS") if kind == "mutualTLS" else None


def _flows(one: dict[str, Any]) -> tuple[Flow, ...]:
    given = one.get("flows")
    if not isinstance(given, dict):
        kind = _text(one.get("flow"))
        given = {_OLD_FLOWS.get(kind, kind): one}
    return tuple(
        Flow(
            kind,
            _url(flow.get("authorizationUrl") or flow.get("deviceAuthorizationUrl"))
            if kind in ("implicit", "authorizationCode", "deviceAuthorization")
            else None,
            _url(flow.get("tokenUrl")) if kind != "implicit" else None,
            tuple(sorted(flow["scopes"])) if isinstance(flow.get("scopes"), dict) else (),
        )
        for kind in _FLOWS
        if isinstance(flow := given.get(kind), dict)
    )


def needs(
    given: Any, pointer: Pointer, names: dict[str, str], notes: Notes
) -> tuple[tuple[Need, ...], ...] | None:
    """The alternatives of a `security` list; None where it is absent or says nothing that is known."""
    if given is None:
        return None
    if not isinstance(given, list):
        notes.add("wrong-type", pointer)
        return None
    out = []
    for at, one in enumerate(given):
        if not isinstance(one, dict) or any(name not in names for name in one):
            notes.add("security-unknown", below(pointer, at))
            continue
        out.append(
            tuple(
                Need(
                    names[name],
                    tuple(x for x in scopes if isinstance(x, str)) if isinstance(scopes, list) else (),
                )
                for name, scopes in one.items()
            )
        )
    return tuple(out) if out or not given else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _url(value: Any) -> str | None:
    return without_user(value) if isinstance(value, str) and value else None
