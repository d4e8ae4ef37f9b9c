"""Reading JSON in columns means the same as decoding it line by line."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.observed import Parsed
from wardgate.sources.cloudflare import _TABLE, Cloudflare, Request, _fill, _finish
from wardgate.sources.format import Lines, Options
from wardgate.sources.json_access import JsonAccessParser
from wardgate.sources.json_table import JsonTable, NotColumnsError, Seen

CALL = {
    "ClientRequestMethod": "GET",
    "ClientRequestURI": "/orders?page=2",
    "ClientRequestHost": "shop.example",
    "ClientIP": "192.0.2.7",
    "EdgeStartTimestamp": "2026-11-14T00:00:00Z",
    "EdgeResponseStatus": 200,
    "EdgeResponseBytes": 512,
    "RayID": "9b0e2f1d3c4a5b6c",
}


class LineByLine(JsonTable):
    """The reference: never reads in columns."""

    def read(self, data: bytes) -> tuple[Seen, Any]:
        raise NotColumnsError


def reference() -> JsonAccessParser[Request]:
    table = LineByLine(Request, ("ClientRequestMethod", "ClientRequestURI|ClientRequestPath"))
    return JsonAccessParser(Request, _fill, finish=_finish, table=table)


def answer(parsed: Parsed) -> Any:
    rows = [
        {name: str(value) for name, value in row.items() if value is not None}
        for row in parsed.table.to_pylist()
    ]
    return rows, [(one.position, one.reason, one.raw) for one in parsed.rejects], parsed.skipped


def same(data: bytes) -> Parsed:
    found = Cloudflare().parser(Options()).parse(Lines(data, 7))
    assert answer(found) == answer(reference().parse(Lines(data, 7)))
    return found


def line(**changed: Any) -> bytes:
    return json.dumps({name: value for name, value in (CALL | changed).items() if value is not ...}).encode()


@pytest.mark.parametrize(
    "odd",
    [
        {"ClientIP": 5},
        {"ClientIP": "5"},
        {"ClientIP": True},
        {"ClientIP": ["192.0.2.7"]},
        {"ClientIP": {"a": 1}},
        {"ClientIP": '{"a": 1}'},
        {"ClientIP": "true"},
        {"ClientIP": None},
        {"ClientIP": ""},
        {"RayID": "0000000000000017"},
        {"RayID": "1234567890123456"},
        {"RayID": "1e5"},
        {"EdgeResponseStatus": "200"},
        {"EdgeResponseStatus": 200.0},
        {"EdgeResponseStatus": 200.5},
        {"EdgeResponseStatus": "2e2"},
        {"EdgeResponseStatus": True},
        {"EdgeResponseStatus": ""},
        {"EdgeResponseStatus": [200]},
        {"EdgeResponseBytes": 2**63},
        {"EdgeResponseBytes": 2**63 - 1},
        {"EdgeResponseBytes": -5},
        {"EdgeResponseBytes": None},
        {"EdgeStartTimestamp": 1653485132000000000},
        {"EdgeStartTimestamp": "1653485132"},
        {"EdgeStartTimestamp": 1653485132.5},
        {"EdgeStartTimestamp": 10**30},
        {"EdgeStartTimestamp": "yesterday"},
        {"EdgeStartTimestamp": {"at": 1}},
        {"EdgeStartTimestamp": None},
        {"ClientRequestMethod": ...},
        {"ClientRequestURI": ..., "ClientRequestPath": "/orders"},
        {"ClientRequestURI": "", "ClientRequestPath": "/orders"},
        {"ClientRequestURI": ...},
        {"ClientRequestURI": "/caf\u00e9\n\u0000\U0001f600"},
        {"ClientRequestURI": "no target"},
        {"RequestHeaders": {"authorization": "Bearer x", "n": 5, "l": ["a", "b"]}},
        {"RequestHeaders": "authorization"},
        {"RequestHeaders": {"a": {"b": 1}}},
        {"Cookies": {"session": "abc"}, "RequestHeaders": {"x-a": "1"}},
        {"ResponseFields": {"server": "x"}},
        {"ParentRayID": "00"},
        {"ParentRayID": "9b0e2f1d3c4a5b6d"},
        {"OriginResponseTime": 5_000_000},
        {"OriginResponseDurationMs": 5},
        {"ClientSSLProtocol": "none"},
        {"JA4": "", "JA3Hash": "abc"},
        {"Cookies": 0},
        {"Cookies": "abc"},
        {"EdgeResponseBytes": ""},
        {"EdgeResponseBytes": "12"},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_a_value_of_any_kind(odd: dict[str, Any]) -> None:
    for lines in ([line(), line(**odd)], [line(**odd), line()]):  # the first line says what types to expect
        parsed = same(b"\n".join([*lines, line(RayID="9b0e2f1d3c4a5b6e")]))
        assert parsed.read == 3


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        b"   ",
        b"[]",
        b"null",
        b"5",
        b'"text"',
        b"no json",
        line()[:-1],
        line()[:40],
        line() + b" trailing",
        b"\xef\xbb\xbf" + line(),
        line().replace(b"shop", b"sh\xffop"),
        line().replace(b"shop", b"sh\x00op"),
        line().replace(b"shop", rb"sh\x41op"),
        line().replace(b"shop", rb"sh\ud800op"),
        line().replace(b"shop", b"sh\xc3\xb6op"),
        line() + b"\r",
        b"{" * 5000,
        b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}",
    ],
    ids=lambda odd: repr(odd[:16]),
)
def test_a_line_of_any_kind(odd: bytes) -> None:
    for data in (odd, b"\n".join([line(), odd, line(RayID="9b0e2f1d3c4a5b6e"), odd, b""])):
        parsed = same(data)
        assert parsed.read == data.count(b"\n") + (not data.endswith(b"\n") and data != b"")


def test_clean_lines_need_no_struct() -> None:
    seen, left = _TABLE.read((line() + b"\n") * 100)
    assert seen.count == 100
    assert not left.any()


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["-", "0", "007", "1.5", "NaN", "[", "{}", "GET", "/x", "2026-11-14T00:00:00.5Z"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
_CHANGES = st.dictionaries(st.sampled_from(sorted(_TABLE.kinds)), _VALUES, max_size=4)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(_CHANGES, min_size=1, max_size=5))
def test_any_values(changes: list[dict[str, Any]]) -> None:
    same(b"\n".join(line(**one) for one in changes))
