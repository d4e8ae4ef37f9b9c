"""Every way of presenting a credential: found, once, with nothing of it in clear."""

import json
import time

import pyarrow as pa
import pytest
from ways import HEX, NONE, SECRET, TOKEN, WAYS, Way, jwt

from wardgate.core.keys import Key
from wardgate.core.observed import HEADERS, observed_table
from wardgate.recognise.calls import Context, Recognised, Recognition

KEY = Key(b"k" * 32)


def recognise(rows: list[Way], recognition: Recognition | None = None, **columns: list[object]) -> Recognised:
    headers = [[{"name": k, "value": v} for k, v in row.headers.items()] for row in rows]
    table = observed_table(
        {
            "position": pa.array(range(len(rows)), pa.int64()),
            "method": pa.array(["GET"] * len(rows)),
            "target": pa.array([f"/a?{row.query}" if row.query else "/a" for row in rows]),
            "request_headers": pa.array(headers, HEADERS),
            **{name: pa.array(values) for name, values in columns.items()},
        }
    )
    return (recognition or Recognition(KEY)).recognise(table, Context("test", 1, 2, 1_700_000_000_000_000))


def written(found: Recognised) -> str:
    """All that would be written."""
    tables = (found.calls, found.credentials, found.instances, found.callers, found.paths)
    return json.dumps([one.to_pylist() for one in tables], default=str)


def presented(found: Recognised) -> list[list[tuple[str, str]]]:
    lists = found.calls["credentials"].to_pylist()
    return [[(one["kind"], one["place"]) for one in row or ()] for row in lists]


each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


@each_way
def test_each_way_is_found_once_and_leaves_nothing_in_clear(way: Way) -> None:
    found = recognise([way])
    assert presented(found) == [[(way.kind, way.place)]]
    assert found.credentials.num_rows == 1
    text = written(found)
    for secret in (*way.secrets, *([SECRET, HEX] if way.secrets else [])):
        assert secret not in text


@pytest.mark.parametrize("way", NONE, ids=lambda way: way.name)
def test_what_presents_nothing_is_no_credential(way: Way) -> None:
    found = recognise([way] * 4)
    assert presented(found) == [[]] * 4
    for secret in way.secrets:
        assert secret not in written(found)


def test_all_ways_in_one_batch_are_the_same_credentials_as_each_alone() -> None:
    alone = {one for way in WAYS for one in recognise([way]).credentials["credential_id"].to_pylist()}
    together = recognise(list(WAYS))
    assert set(together.credentials["credential_id"].to_pylist()) == alone


def test_one_secret_in_several_places_is_one_credential_with_several_places() -> None:
    everywhere = Way(
        "",
        "",
        "",
        {"Authorization": f"Bearer {SECRET}", "X-API-Key": SECRET, "Cookie": f"session={SECRET}"},
        f"access_token={SECRET}",
    )
    found = recognise([everywhere])
    places = found.credentials["place"].to_pylist()
    assert sorted(places) == [
        "cookie:session",
        "header:authorization",
        "header:x-api-key",
        "query:access_token",
    ]
    assert len(set(found.credentials["credential_id"].to_pylist())) == 1
    jwts = Way("", "", "", {"Authorization": f"Bearer {TOKEN}", "Cookie": f"jwt={TOKEN}"})
    assert len(set(recognise([jwts]).credentials["credential_id"].to_pylist())) == 1


def test_cookies_that_came_in_fields_of_their_own_are_one_header() -> None:
    """HTTP/2 lets a client send each cookie apart (RFC 9113, 8.2.3); captures show them so."""
    headers = [
        [{"name": "cookie", "value": one} for one in ("theme=dark", f"sid={SECRET}", f"api_token={HEX}")]
    ]
    table = observed_table(
        {
            "position": pa.array([0]),
            "method": pa.array(["GET"]),
            "target": pa.array(["/a"]),
            "request_headers": pa.array(headers, HEADERS),
        }
    )
    found = Recognition(KEY).recognise(table, Context("test", 1, 2, 1_700_000_000_000_000))
    assert sorted(presented(found)[0]) == [("session", "cookie:api_token"), ("session", "cookie:sid")]


@pytest.mark.parametrize("query", ["api_key={}", "?api_key={}", "a=1&access_token={}"])
def test_a_query_that_the_source_keeps_apart_presents_as_well(query: str) -> None:
    place = query.rsplit("&", maxsplit=1)[-1].partition("=")[0].lstrip("?")
    found = recognise([Way("", "", "")], query=[query.format(SECRET)])
    assert [one[1] for one in presented(found)[0]] == [f"query:{place}"]
    whole = recognise([Way("", "", "", {}, query.format(SECRET).lstrip("?"))])
    assert found.calls["credential_id"] == whole.calls["credential_id"]
    assert SECRET not in written(found)


@pytest.mark.parametrize(
    "names",
    [
        ("sigv4", "sigv4a", "sigv2", "sigv4 with a session token", "presigned", "presigned v2"),
        ("bearer JWT", "dpop", "pop", "token in the query", "JWT in a cookie", "assertion header"),
        ("nginx", "cloudflare", "aws mtls", "rfc 9440"),
        ("ntlm", "negotiate with ntlm"),
    ],
    ids=lambda names: names[0],
)
def test_the_same_credential_by_different_ways(names: tuple[str, ...]) -> None:
    ways = [way for way in WAYS if way.name in names]
    assert len(ways) == len(names)
    assert len(set(recognise(ways).credentials["credential_id"].to_pylist())) == 1


def test_a_login_that_the_server_logged_is_no_second_credential() -> None:
    by_name = {way.name: way for way in WAYS}
    rows = [by_name["basic"], by_name["digest"], by_name["bearer JWT"], Way("", "", "")]
    found = recognise(rows, login=["bob", "bob-the-user", "bob", "bob"])
    assert presented(found) == [
        [("basic", "header:authorization")],
        [("digest", "header:authorization")],
        [("jwt", "header:authorization")],
        [("basic", "login")],
    ]
    ids = found.calls["credential_id"].to_pylist()
    assert ids[0] == ids[3] != ids[2]
    assert found.calls["login"].null_count == 0


def test_a_gateways_name_is_a_place_of_the_key_that_it_names() -> None:
    with_key, without = Way("", "", "", {"X-API-Key": SECRET}), Way("", "", "")
    found = recognise(
        [with_key, without, without],
        credential_name=["k1", "k1", "k2"],
        credential_kind=["api_key_id"] * 3,
    )
    lists = found.calls["credentials"].to_pylist()
    ids = [{one["credential_id"] for one in row} for row in lists]
    assert ids[0] == ids[1] != ids[2] and len(ids[0]) == 1
    assert [one["place"] for one in lists[0]] == ["header:x-api-key", "gateway:api_key_id"]


def steady_rows(name: str, values: list[str]) -> list[Way]:
    return [Way("", "", "", {name: value}) for value in values]


def test_a_key_under_a_name_that_says_nothing_shows_by_coming_again() -> None:
    keys = [f"{SECRET[:30]}{n:02d}xY" for n in range(2)]
    found = recognise(steady_rows("X-Acme-Pass", keys * 3), client=["192.0.2.1", "192.0.2.2"] * 3)
    assert presented(found) == [[("api_key", "header:x-acme-pass")]] * 6
    assert len(set(found.calls["credential_id"].to_pylist())) == 2
    in_query = [Way("", "", "", {}, f"p={key}") for key in keys * 3]
    assert presented(recognise(in_query)) == [[("api_key", "query:p")]] * 6
    in_cookie = [Way("", "", "", {"Cookie": f"a=b; zz={key}"}) for key in keys * 3]
    assert presented(recognise(in_cookie)) == [[("session", "cookie:zz")]] * 6


def test_steadiness_is_seen_across_batches() -> None:
    recognition = Recognition(KEY)
    batches = [recognise(steady_rows("X-Acme-Pass", [SECRET]), recognition) for _ in range(4)]
    assert [presented(one)[0] != [] for one in batches] == [False, False, True, True]


@pytest.mark.parametrize(
    ("name", "values", "clients"),
    [
        ("X-Acme-Mark", [f"{SECRET[:24]}{n:08d}z" for n in range(8)], 8),
        ("X-Acme-Mark", [SECRET] * 8, 8),
        ("X-Acme-Mark", ["a-word-or-two"] * 8, 1),
        ("X-Build-Hash", [SECRET] * 8, 1),
    ],
    ids=["new each time", "everybody's", "plain", "by its name"],
)
def test_marks_of_calls_and_of_releases_are_no_keys(name: str, values: list[str], clients: int) -> None:
    found = recognise(steady_rows(name, values), client=[f"192.0.2.{n % clients}" for n in range(8)])
    assert presented(found) == [[]] * 8


def test_instances_of_a_renewed_credential_are_counted_not_listed() -> None:
    tokens = [jwt(sub="u", azp="shop", iss="https://id", iat=1_700_000_000 + n) for n in range(700)]
    rows = [Way("", "", "", {"Authorization": f"Bearer {one}"}) for one in (*tokens, *tokens[:50])]
    found = recognise(rows)
    assert found.credentials.num_rows == 1
    assert found.instances.num_rows == 512
    assert len(set(found.instances["instance_id"].to_pylist())) == 512


@pytest.mark.parametrize(
    ("agent", "kind"),
    [("claude-code/1.0", "agent"), ("curl/8.5", "service"), ("Mozilla/5.0 Firefox/120.0", "service")],
)
def test_an_agent_that_holds_a_key_is_an_agent(agent: str, kind: str) -> None:
    way = Way("", "", "", {"X-API-Key": SECRET})
    found = recognise([way], user_agent=[agent], client=["192.0.2.1"])
    assert found.calls["caller_kind"].to_pylist() == [kind]
    assert found.callers["kind"].to_pylist() == [kind]


@pytest.mark.parametrize(
    ("agent", "kind", "basis"),
    [
        ("curl/8.5", "service", "bearer, and curl by its user agent"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "person", "bearer, and "),
        (None, "unknown", "bearer"),
        ("claude-code/1.0", "agent", "bearer, and "),
    ],
)
def test_an_opaque_token_is_held_by_what_its_user_agent_says(
    agent: str | None, kind: str, basis: str
) -> None:
    way = Way("", "", "", {"Authorization": f"Bearer {SECRET}"})
    told = {"user_agent": [agent]} if agent else {}
    found = recognise([way], client=["192.0.2.1"], **told)
    assert found.calls["caller_kind"].to_pylist() == [kind]
    (caller,) = found.callers.to_pylist()
    assert caller["kind"] == kind and caller["basis"].startswith(basis) and caller["confidence"] < 0.61


def test_a_signature_agent_is_an_agent_by_its_name() -> None:
    found = recognise([way for way in WAYS if way.name == "web bot auth"])
    (caller,) = found.callers.to_pylist()
    assert (caller["kind"], caller["name"]) == ("agent", "chatgpt.example")
    assert "not verified" in caller["basis"] and caller["confidence"] < 0.9


def test_hops_of_a_forwarded_certificate_are_each_a_credential() -> None:
    value = f'Hash={HEX};URI=spiffe://a/web,By=spiffe://a/x;Hash={HEX[::-1]};Subject="CN=gate, with comma";URI=spiffe://a/gate'
    found = recognise([Way("", "", "", {"X-Forwarded-Client-Cert": value})])
    hints = [one["hint"] for one in found.calls["credentials"].to_pylist()[0]]
    assert hints == ["certificate spiffe://a/web", "certificate spiffe://a/gate"]


@pytest.mark.parametrize("size", [0, 1, 3, 100_000])
@pytest.mark.parametrize(
    "name", ["Authorization", "Cookie", "X-Forwarded-Client-Cert", "Signature-Input", "DPoP", "Client-Cert"]
)
def test_hostile_values_are_bounded(name: str, size: int) -> None:
    starts = (
        "",
        "Bearer ",
        "Digest ",
        "Signature ",
        "AWS4-HMAC-SHA256 ",
        "sig1=(",
        'Hash=";',
        ":",
        "eyJ",
        "a=b;" * 3,
    )
    for start in starts:
        for filler in ("a", '"', "(", "\\", "=", ";", ",", "%", "\x00", "é", "a=(", "a."):
            value = start + filler * (size if filler == "a" else min(size, 5000))
            began = time.process_time()
            recognise([Way("", "", "", {name: value})])
            assert time.process_time() - began < 1, (name, start, filler)
