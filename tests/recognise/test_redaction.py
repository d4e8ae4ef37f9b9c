"""Secrets in targets and text: gone before anything is kept, equal where they were equal."""

import base64
import json

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wardgate.core.keys import Key
from wardgate.match.secrets import is_secret_name, secret_kind, shape
from wardgate.recognise.splitting import split_targets
from wardgate.recognise.targets import split_target
from wardgate.recognise.tokens import Tokens

KEY = Key(b"k" * 32)


def _jwt() -> str:
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    return (
        f"{part({'alg': 'RS256'})}.{part({'sub': 'alice', 'iss': 'https://id.example'})}.c2lnbmF0dXJlLWJ5dGVz"
    )


SECRETS = {
    "password in a query": ("/login?user=a&password={}", "hunter2hunter2"),
    "encoded name": ("/login?pass%77ord={}", "hunter2hunter2"),
    "token in a path": ("/reset/{}/confirm", "aB3dE5fG7hJ9kL1mN3pQ"),
    "JWT in a query": ("/x?q={}", _jwt()),
    "JWT in a path": ("/x/{}", _jwt()),
    "matrix session": ("/x;jsessionid={}/y", "0A1B2C3D4E5F60718293A4B5C6D7E8F9"),
    "key as a bare name": ("/x?{}", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
    "nested address": ("/go?next=https%3A%2F%2Fa.example%2F%3Ftoken%3D{}", "s3cr3tV4lue"),
    "doubly encoded": ("/go?next=%2Fa%253Ftoken%253D{}", "s3cr3tV4lue"),
    "user info": ("http://bob:{}@api.example/x", "correcthorse"),
    "fragment": ("/cb#access_token={}", "fragmentSecret1"),
    "after a path mark": ("/x/y?api_key={}#z", "plainkeyplainkey"),
    "encoded in a path": ("/x/%61B3dE5fG7hJ9kL1mN3pQ{}", "rS5tU7vW9xY1zA3b"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_a_target_does_not_survive(name: str) -> None:
    pattern, secret = SECRETS[name]
    found = split_target(pattern.format(secret), Tokens(KEY))
    kept = f"{found.path} {found.query} {found.authority}"
    assert secret not in kept, kept


def test_equal_secrets_give_equal_tokens_and_different_ones_do_not() -> None:
    tokens = Tokens(KEY)
    one, same, other = (
        split_target(f"/a?token={value}", tokens).query for value in ("xyz12345", "xyz12345", "abc12345")
    )
    assert one == same != other
    assert split_target("/a?token=xyz12345", Tokens(Key(b"o" * 32))).query != one


@pytest.mark.parametrize(
    "target",
    [
        "/users/123/orders",
        "/files/2024-10-11-annual-report-final.pdf",
        "/u/550e8400-e29b-41d4-a716-446655440000",
        "/a?page=2&sort=name&filter=a+b",
        "/presentations/logstash-monitorama-2013/css/fonts",
    ],
)
def test_what_is_no_secret_stays_readable(target: str) -> None:
    found = split_target(target, Tokens(KEY))
    assert found.path + (f"?{found.query}" if found.query else "") == target


def test_absolute_and_other_forms() -> None:
    tokens = Tokens(KEY)
    one = split_target("HTTPS://Api.Example:8443/a/b?x=1", tokens)
    assert (one.scheme, one.authority, one.path, one.query) == ("https", "Api.Example:8443", "/a/b", "x=1")
    assert split_target("*", tokens).path == "*"
    connect = split_target("db.example:5432", tokens)
    assert (connect.authority, connect.path) == ("db.example:5432", "/")


def test_control_characters_in_a_path_are_escaped() -> None:
    found = split_target("/a\x1b[31m/b?c=\x07", Tokens(KEY))
    assert found.path == "/a%1B[31m/b"
    assert found.query == "c=%07"


def test_user_agents_and_text_are_masked() -> None:
    tokens = Tokens(KEY)
    for text, secret in [
        ("MyApp/1.0 (Bearer abcdefgh12345678)", "abcdefgh12345678"),
        ("x token=supersecretvalue y", "supersecretvalue"),
        (f"agent {_jwt()}", _jwt()),
        ("curl/8 ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
    ]:
        assert secret not in tokens.masked(text)
    browser = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0"
    )
    assert tokens.masked(browser) == browser


def test_the_shape_of_a_rejected_record_shows_structure_only() -> None:
    shown = shape(b'{"ts": 17, "password": "Hunter2!", "url": "/a/4111111111111111"}\x00\xff')
    assert (
        "Hunter2" not in shown and "4111" not in shown and "password" not in shown.replace('"aaaaaaaa"', "")
    )
    assert '"url"' in shown and "0000000000000000" in shown
    assert "\\x00" in shown


@pytest.mark.parametrize(
    ("name", "secret"), [("access_token", True), ("X-Api-Key", True), ("page", False), ("user_id", False)]
)
def test_names_that_announce_a_secret(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp"),
        ("0123456789abcdef0123456789abcdef", "hex"),
        ("550e8400-e29b-41d4-a716-446655440000", None),
        ("administrators", None),
        ("annual-report-2024-final-version", None),
        ("aB3dE5fG7hJ9kL1mN3pQ", "opaque"),
    ],
)
def test_shapes(value: str, kind: str | None) -> None:
    assert secret_kind(value) == kind


_pieces = st.sampled_from(
    ["/a", "/", "?", "&", "=", "x", "token", "password", "s3cr3tV4lue", "#", "%3D", "http://", "HTTPS://",
     "api.example:8443", "bob:pw@", ";", "*", "é", " ", "aB3dE5fG7hJ9kL1mN3pQ", "\x00", "page", "1"]
)  # fmt: skip


@example(["/apassword =*", "/a token: x1", "/bearer ab1c"])
@given(st.lists(st.lists(_pieces, min_size=1, max_size=7).map("".join), min_size=1, max_size=6))
def test_splitting_in_columns_means_what_splitting_one_means(targets: list[str]) -> None:
    tokens = Tokens(KEY)
    found = split_targets(pa.array(targets, pa.string()), tokens)
    carried: dict[int, set[tuple[str, str]]] = {}
    for codes, secrets in found.secrets:
        for at, code in enumerate(codes.tolist()):
            carried.setdefault(at, set()).update(secrets.get(code, ()))
    for at, target in enumerate(targets):
        one = split_target(target, tokens)
        front = found.fronts[found.front[at]] if found.front[at] >= 0 else (None, None)
        assert (found.path[at].as_py(), found.query[at].as_py(), *front) == (
            one.path,
            one.query,
            one.scheme,
            one.authority,
        )
        assert carried.get(at, set()) == set(one.secrets)
