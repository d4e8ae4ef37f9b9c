"""Credentials and callers of a batch: every place, none doubled, none in clear."""

import base64
import json

import pyarrow as pa
import pytest

from wardgate.core.keys import Key
from wardgate.core.observed import HEADERS, observed_table
from wardgate.recognise.addresses import Proxies
from wardgate.recognise.calls import Context, Recognised, Recognition

KEY = Key(b"k" * 32)
Headers = dict[str, str]


def jwt(**claims: object) -> str:
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.c2lnbmF0dXJlLWJ5dGVz"


def recognise(rows: list[Headers], proxies: tuple[str, ...] = (), **columns: list[object]) -> Recognised:
    headers = [[{"name": k, "value": v} for k, v in row.items()] for row in rows]
    count = len(rows)
    table = observed_table(
        {
            "position": pa.array(range(count), pa.int64()),
            "method": pa.array(["GET"] * count),
            "target": pa.array(columns.pop("target", ["/a"] * count)),
            "request_headers": pa.array(headers, HEADERS),
            **{name: pa.array(values) for name, values in columns.items()},
        }
    )
    context = Context("test", 1, 2, 1_700_000_000_000_000, proxies=Proxies(proxies))
    return Recognition(KEY).recognise(table, context)


@pytest.mark.parametrize(
    ("headers", "kind", "place"),
    [
        ({"Authorization": "Bearer opaque-token-123456"}, "bearer", "header:authorization"),
        (
            {"authorization": "Bearer " + jwt(sub="u1", iss="https://id.example")},
            "jwt",
            "header:authorization",
        ),
        (
            {"Authorization": "Basic " + base64.b64encode(b"bob:secretpw").decode()},
            "basic",
            "header:authorization",
        ),
        ({"Authorization": 'Digest username="bob", realm="r", nonce="n"'}, "digest", "header:authorization"),
        (
            {
                "Authorization": "AWS4-HMAC-SHA256 "
                "Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request, Signature=ab"
            },
            "signature",
            "header:authorization",
        ),
        ({"X-API-Key": "key-1234567890"}, "api_key", "header:x-api-key"),
        ({"Cookie": "theme=dark; PHPSESSID=0123456789abcdef; lang=de"}, "session", "cookie:PHPSESSID"),
        (
            {
                "X-Forwarded-Client-Cert": 'By=spiffe://a/b;Hash=abcd;Subject="CN=orders";URI=spiffe://a/orders'
            },
            "client_certificate",
            "tls",
        ),
    ],
)
def test_each_way_of_presenting_a_credential(headers: Headers, kind: str, place: str) -> None:
    found = recognise([headers])
    (credentials,) = found.calls["credentials"].to_pylist()
    assert [(one["kind"], one["place"], one["key_id"]) for one in credentials] == [(kind, place, KEY.key_id)]
    assert found.calls["credential_id"].to_pylist() == [credentials[0]["credential_id"]]
    text = json.dumps(
        [t.to_pylist() for t in (found.calls, found.credentials, found.callers, found.paths)], default=str
    )
    for value in headers.values():
        for secret in (value, value.split(" ")[-1], "secretpw", "0123456789abcdef"):
            assert len(secret) < 8 or secret not in text


def test_several_credentials_come_together_strongest_first() -> None:
    found = recognise(
        [
            {
                "Authorization": "Bearer " + jwt(sub="u", iss="i"),
                "Cookie": "session=abcdef123456",
                "X-Forwarded-Client-Cert": "Hash=ff",
            },
            {},
            {"Cookie": "session=abcdef123456"},
        ]
    )
    lists = found.calls["credentials"].to_pylist()
    assert [[one["kind"] for one in row] if row else None for row in lists] == [
        ["client_certificate", "jwt", "session"],
        None,
        ["session"],
    ]
    assert found.credentials.num_rows == 3
    assert found.calls["session"].to_pylist()[0] == found.calls["session"].to_pylist()[2] is not None


def test_tokens_are_instances_of_one_credential() -> None:
    rows = [
        {"Authorization": "Bearer " + jwt(sub="u1", azp="shop", iss="https://id", iat=1_700_000_000 + i)}
        for i in range(3)
    ]
    found = recognise(rows)
    credentials = [row[0] for row in found.calls["credentials"].to_pylist()]
    assert len({one["fingerprint"] for one in credentials}) == 3
    assert len({one["credential_id"] for one in credentials}) == 1
    assert found.credentials.num_rows == 1
    claims = found.calls["claims"].to_pylist()[0]
    assert (claims["issuer"], claims["client"], claims["verified"]) == ("https://id", "shop", False)
    assert claims["subject"] != "u1"


def test_keys_in_the_query_are_credentials_and_passwords_are_not() -> None:
    found = recognise([{}, {}], target=["/a?api_key=abcdef123456", "/login?password=hunter22"])
    first, second = found.calls["credentials"].to_pylist()
    assert [(one["kind"], one["place"]) for one in first] == [("api_key", "query:api_key")]
    assert second is None
    assert "hunter22" not in str(found.calls.to_pylist()) and "abcdef123456" not in str(
        found.calls.to_pylist()
    )


def test_what_a_log_has_masked_was_presented_and_speaks_for_nobody() -> None:
    """A call with a mask is not one without a credential; and all that are masked are not one caller."""
    masked = [
        {"Authorization": "Bearer ***"},
        {"Authorization": "REDACTED"},
        {"Authorization": "[REDACTED]"},
        {"X-Api-Key": "xxxxxxxx"},
        {"Authorization": "DUMMY", "Cookie": f"sid={'a1b2c3d4' * 4}"},
        {"Authorization": "Basic <hidden>", "X-Api-Key": "Zk3Jd9sLq2WvXz7PbTn5YcRm8HgFt4Ua6E"},
        {"Authorization": "Bearer null"},
    ]
    clients = [f"192.0.2.{n}" for n in range(7)]
    found = recognise(masked, client=clients)
    lists = [[(c["kind"], c["place"]) for c in one or ()] for one in found.calls["credentials"].to_pylist()]
    hidden = ("hidden", "header:authorization")
    assert lists == [
        [hidden],
        [hidden],
        [hidden],
        [("hidden", "header:x-api-key")],
        [("session", "cookie:sid"), hidden],
        [("api_key", "header:x-api-key")],
        [],
    ]
    assert len(set(found.calls["caller_id"].to_pylist())) == 7
    ids = found.calls["credential_id"].to_pylist()
    assert ids[0] == ids[1] == ids[2] != ids[3] and ids[6] is None
    assert {one["hint"] for one in found.credentials.to_pylist() if one["kind"] == "hidden"} == {
        "hidden by its source"
    }


def test_what_names_who_presented_it_stands_for_what_was_masked() -> None:
    found = recognise(
        [{"Authorization": "REDACTED"}] * 3,
        credential_name=["shop", None, None],
        credential_kind=["consumer", None, None],
        login=[None, "bob", None],
    )
    kinds = [[one["kind"] for one in row] for row in found.calls["credentials"].to_pylist()]
    assert kinds == [["gateway_key"], ["basic"], ["hidden"]]


def test_callers_without_a_credential_are_address_and_user_agent_together() -> None:
    agents = [
        "curl/8.1",
        "curl/8.1",
        "Mozilla/5.0 Firefox/120.0",
        "sqlmap/1.7",
        "ClaudeBot/1.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
    ]
    clients = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.9", "192.0.2.9", None]
    found = recognise([{}] * 6, user_agent=agents, client=clients)
    assert found.calls["caller_kind"].to_pylist() == [
        "service",
        "service",
        "person",
        "scanner",
        "agent",
        "crawler",
    ]
    ids = found.calls["caller_id"].to_pylist()
    assert ids[0] == ids[1] and len(set(ids)) == 5
    assert "curl @ 192.0.2.1" in found.callers["name"].to_pylist()
    assert max(found.callers["confidence"].to_pylist()) <= 0.9


def test_only_configured_proxies_are_believed() -> None:
    row = {"X-Forwarded-For": "198.51.100.7, 203.0.113.5, 10.0.0.2"}
    plain = recognise([row], client=["10.0.0.1"]).calls
    assert plain["client_address"].to_pylist() == ["10.0.0.1"]
    believed = recognise([row], proxies=("10.0.0.0/8",), client=["10.0.0.1"]).calls
    assert believed["client_address"].to_pylist() == ["203.0.113.5"]
    assert believed["forwarded_believed"].to_pylist() == [2]
    assert believed["forwarded_for"].to_pylist() == [["198.51.100.7", "203.0.113.5", "10.0.0.2"]]


def test_addresses_with_ports_and_brackets() -> None:
    found = recognise(
        [{}] * 5, client=["192.0.2.1:55", "[2001:db8::1]:443", "2001:db8::1", "::ffff:192.0.2.1", "unknown"]
    ).calls
    assert found["client_address"].to_pylist() == [
        "192.0.2.1",
        "2001:db8::1",
        "2001:db8::1",
        "192.0.2.1",
        None,
    ]
    assert found["client_network"].to_pylist()[:2] == ["192.0.2.0/24", "2001:db8::/48"]
    assert found["client_port"].to_pylist()[:2] == [55, 443]


def test_services_come_from_hosts() -> None:
    hosts = ["Api.Example", "api.example:443", "api.example:8443", "bad host!", None]
    found = recognise([{}] * 5, host=hosts).calls
    assert found["service"].to_pylist() == ["api.example", "api.example", "api.example:8443", "test", "test"]


def test_keys_that_a_gateway_names_keep_their_own_kind() -> None:
    found = recognise(
        [{}] * 3,
        credential_name=["k1", "arn:role", None],
        credential_kind=["api_key_id", "iam_principal", None],
    )
    lists = found.calls["credentials"].to_pylist()
    assert [row[0]["place"] if row else None for row in lists] == [
        "gateway:api_key_id",
        "gateway:iam_principal",
        None,
    ]
