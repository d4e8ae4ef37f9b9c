"""What calls carry, in paths, queries, headers and bodies: located and counted, never told."""

import json
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest

from wardgate.core.call import CALL_SCHEMA
from wardgate.core.keys import Key
from wardgate.core.observed import OBSERVED
from wardgate.match.finder import Finder, finder
from wardgate.recognise.contents import ContentReader
from wardgate.recognise.located import MOST

MAIL = "ann.canary@example.org"
CARD = "4111111111111111"
READER = ContentReader(Key(b"k" * 32))


def found(**columns: Any) -> list[dict[tuple[str, str], int]]:
    """(class, place) → count for each row."""
    rows = len(next(iter(columns.values())))
    kinds = {name: OBSERVED.get(name, pa.string()) for name in columns}
    observed = pa.table(
        {
            "position": list(range(rows)),
            **{name: pa.array(value, kinds[name]) for name, value in columns.items()},
        }
    )
    lists = READER.read(observed).data_classes
    lists.validate(full=True)
    assert lists.type == CALL_SCHEMA.field("data_classes").type
    return [
        {(one["data_class"], one["place"]): one["count"] for one in row or []} for row in lists.to_pylist()
    ]


@pytest.mark.parametrize(
    ("target", "entries"),
    [
        (f"/users/{MAIL}", {("email", "path:2"): 1}),
        ("/users/ann.canary%40example.org/orders", {("email", "path:2"): 1}),
        (f"https://api.example.com/v1/a/{MAIL}?x=1", {("email", "path:3"): 1}),
        (f"/a?email={MAIL}&cc=x%2B{MAIL}", {("email", "query:email"): 1, ("email", "query:cc"): 1}),
        ("/a?ssn=536904399&n=536904399", {("national-id.us-ssn", "query:ssn"): 1}),
        ("/ssn/536904399/orders/536904399", {("national-id.us-ssn", "path:2"): 1}),
        (f"/cards/{CARD}/orders/{CARD}", {("payment-card", "path:2"): 1}),
        (f"/a?user[email]={MAIL}", {("email", "query:user.email"): 1}),
        (f"/a?{MAIL}", {("email", "query:"): 1}),
        (f"/a?{MAIL}={MAIL}", {("email", "query:*"): 1}),
        ("/a?phone=%2B14155552671", {("phone", "query:phone"): 1}),
        ("/a/b/c?page=2&sort=name", {}),
        ("*", {}),
        ("", {}),
        ("/a?%ff%zz=%%%&&&=", {}),
    ],
)
def test_targets(target: str, entries: dict[tuple[str, str], int]) -> None:
    assert found(target=[target, None, "/quiet"]) == [entries, {}, {}]


def test_a_query_kept_apart() -> None:
    assert found(target=["/a"], query=[f"mail={MAIL}"]) == [{("email", "query:mail"): 1}]


def test_headers_and_cookies() -> None:
    headers = [{"name": "X-User-Email", "value": MAIL}, {"name": "Authorization", "value": f"Basic {MAIL}"}]
    rows = found(
        request_headers=[headers, None],
        response_headers=[
            None,
            [{"name": "X-Backend", "value": "10.1.2.3"}, {"name": "Via", "value": "10.1.2.3"}],
        ],
        **{"cookie.profile": [None, MAIL], "req.x-forwarded-for": ["10.1.2.3", "10.1.2.4"]},
    )
    assert rows == [
        {("email", "header:x-user-email"): 1},
        {("internal-address", "response.header:x-backend"): 1, ("email", "cookie:profile"): 1},
    ]


def test_bodies_of_every_kind() -> None:
    person = {
        "email": MAIL,
        "phones": ["+14155552671", "+14155552672"],
        "card": {"number": int(CARD)},
        "id": int(CARD),
    }
    rows = found(
        request_body=[
            json.dumps({"people": [person, person], "note": f"mail {MAIL}, {MAIL}"}).encode(),
            b"email=ann.canary%40example.org&page=1",
            f"<user>{MAIL}</user>".encode(),
            b"\x89PNG\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + MAIL.encode(),
            json.dumps({MAIL: {"n": 1}}).encode(),
        ],
        response_body=[None, b"[" * 50_000, b"", json.dumps([MAIL]).encode(), b'"' + MAIL.encode() + b'"'],
    )
    assert rows == [
        {
            ("email", "body:people[].email"): 2,
            ("email", "body:note"): 2,
            ("phone", "body:people[].phones[]"): 4,
            ("payment-card", "body:people[].card.number"): 2,
        },
        {("email", "body:email"): 1},
        {("email", "body:user"): 1},
        {("email", "response.body:[]"): 1},
        {("email", "body:*"): 1, ("email", "response.body:"): 1},
    ]


def test_fields_of_forms_with_files_and_of_xml_are_told_by_name_and_by_form() -> None:
    multipart = "\r\n".join(
        (
            '--X-7\r\nContent-Disposition: form-data; name="ssn"\r\n\r\n536904399',
            '--X-7\r\nContent-Disposition: form-data; name="n"\r\n\r\n536904399',
            f'--X-7\r\nContent-Disposition: form-data; name="cv"; filename="{MAIL}"\r\n'
            f"Content-Type: text/plain\r\n\r\nwrite to {MAIL}",
            '--X-7\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n'
            f'{{"owners": ["{MAIL}"]}}',
            "--X-7--\r\n",
        )
    )
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<Pay card="4111111111111111"><customer><firstName>Ann</firstName></customer><n>536904399</n></Pay>'
        "</s:Body></s:Envelope>"
    )
    assert found(request_body=[multipart.encode(), envelope.encode()]) == [
        {
            ("national-id.us-ssn", "body:ssn"): 1,
            ("email", "body:cv"): 2,
            ("email", "body:meta.owners[]"): 1,
        },
        {
            ("payment-card", "body:Envelope.Body.Pay.@card"): 1,
            ("person-name", "body:Envelope.Body.Pay.customer.firstName"): 1,
        },
    ]


def test_rows_that_share_a_body_share_what_was_found() -> None:
    body = json.dumps({"email": MAIL}).encode()
    assert found(response_body=[body, b"{}", body]) == [
        {("email", "response.body:email"): 1},
        {},
        {("email", "response.body:email"): 1},
    ]


def test_entries_of_a_call_are_bounded() -> None:
    body = json.dumps({"a" * i: MAIL for i in range(1, 60)} | {"b" * i: MAIL for i in range(1, 60)}).encode()
    assert len(found(response_body=[body])[0]) == MOST


def test_no_value_is_told() -> None:
    canaries = {MAIL: MAIL, "token": "ghp_" + "c4n4ry" * 6, "Canary Ann": {"first_name": "Canary"}}
    observed = pa.table(
        {
            "position": [0],
            "target": [f"/{MAIL}/x?{MAIL}=1&canary%40example.org[a]=canary%40example.org"],
            "request_headers": pa.array([[{"name": MAIL, "value": MAIL}]], OBSERVED["request_headers"]),
            "response_body": pa.array([json.dumps(canaries).encode()], pa.large_binary()),
        }
    )
    told = READER.read(observed).data_classes.to_pylist()
    assert told[0]
    assert "canary" not in repr(told).lower() and "c4n4ry" not in repr(told)


def test_a_batch_without_any_json() -> None:
    assert found(request_body=[b"plain", None], response_body=[b"", b"\x00" * 20]) == [{}, {}]


def test_an_empty_batch() -> None:
    assert found(target=[]) == []


def _targets() -> list[str]:
    """Every class's examples where they may stand in a target: as a segment, under a name, in a query."""
    out = []
    for one in finder().classes:
        for name, value in (*one.found, *one.passed):
            coded = [value, quote(value, safe="")]
            words = [name, name.replace(".", "_"), name.title().replace("_", ""), f"{name}2"]
            out += [f"/a/{text}" for text in coded] + [f"/{word}/{text}" for word in words for text in coded]
            out += [f"/a?{word}={text}&b" for word in words for text in coded]
            out += [f"/a?x[{name}]={coded[1]}", f"/a?{coded[1]}", f"https://h/{name}/{coded[1]}#x"]
    return [one for one in out if " " not in one and "\n" not in one]


def test_only_targets_that_may_hold_something_are_looked_at_and_none_is_missed() -> None:
    """What the one question for many targets passes over holds nothing."""
    targets = [*_targets(), *(f"/v1/orders/{n}/items?page={n}&sort=-created" for n in range(500))]
    queries = [one.partition("?")[2] for one in targets]
    quick = found(target=targets), found(query=queries)
    before, Finder.may_carry = Finder.may_carry, lambda self, texts, **_: np.ones(len(texts), bool)  # type: ignore[method-assign]
    try:
        assert (found(target=targets), found(query=queries)) == quick
    finally:
        Finder.may_carry = before  # type: ignore[method-assign]
    assert sum(map(bool, quick[0])) > 500 and sum(map(bool, quick[1])) > 500
    assert not finder().may_carry(pa.array(targets[-500:])).any()
