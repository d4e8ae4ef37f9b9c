"""JSON access logs of all vendors: wrong types, broken lines, slices; one table of hostile values for all."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.core.observed import Parsed
from wardgate.sources import json_access
from wardgate.sources.catalogue import format_named
from wardgate.sources.detection import detect
from wardgate.sources.format import LineFormat, Lines, Options

EXAMPLES = Path(__file__).parent / "examples"
# Where each vendor's format keeps method, target, status, time and size.
PLACES = {
    "cloudflare": (
        "ClientRequestMethod",
        "ClientRequestURI,ClientRequestPath",
        "EdgeResponseStatus",
        "EdgeStartTimestamp",
        "EdgeResponseBytes",
    ),
    "envoy-json": ("method", "path", "response_code", "start_time", "bytes_sent"),
    "traefik-json": ("RequestMethod", "RequestPath", "DownstreamStatus", "StartUTC", "DownstreamContentSize"),
    "caddy": ("request.method", "request.uri", "status", "ts", "size"),
    "kong": ("request.method", "request.uri,request.url", "response.status", "started_at", "response.size"),
    "aws-api-gateway": ("httpMethod", "resourcePath", "status", "requestTime", "responseLength"),
    "google-lb": (
        "httpRequest.requestMethod",
        "httpRequest.requestUrl",
        "httpRequest.status",
        "timestamp",
        "httpRequest.responseSize",
    ),
    "azure-app-gateway": (
        "properties.httpMethod",
        "properties.originalRequestUriWithArgs,properties.requestUri",
        "properties.httpStatus",
        "timeStamp",
        "properties.sentBytes",
    ),
    "akamai": ("reqMethod", "reqPath", "statusCode", "reqTimeSec", "totalBytes"),
    "generic-json": ("request_method", "request_uri", "status", "ts", "bytes_sent"),
}
GENERIC = {
    "ts": "2026-11-14T10:00:02Z",
    "remote_addr": "203.0.113.9",
    "request_method": "GET",
    "request_uri": "/api/items",
    "status": 200,
    "bytes_sent": 12,
}
REMOVED = object()


def a_record(name: str) -> dict[str, Any]:
    """The first record of the format's example that is a call."""
    if name == "generic-json":
        return dict(GENERIC)
    data = next(EXAMPLES.glob(f"{name}.*")).read_bytes()
    row = parse(name, data).table.to_pylist()[0]
    return json.loads(data.split(b"\n")[row["position"]])


def changed(record: dict[str, Any], places: str, value: object) -> dict[str, Any]:
    copy = json.loads(json.dumps(record))
    for place in places.split(","):
        inside = copy
        *above, last = place.split(".")
        for part in above:
            inside = inside[part]
        if value is REMOVED:
            inside.pop(last, None)
        else:
            inside[last] = value
    return copy


def parse(name: str, data: bytes, **options: str) -> Parsed:
    a_format = format_named(name)
    assert isinstance(a_format, LineFormat)
    return a_format.parser(Options(**options)).parse(Lines(data))  # type: ignore[arg-type]


def lines(*records: object) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


METHOD, TARGET, STATUS, TIME, SIZE = range(5)
# What is put where, and the reason for which the record is kept aside; None: it is accepted.
HOSTILE = [
    (METHOD, REMOVED, "missing-field"),
    (METHOD, "", "missing-field"),
    (METHOD, "\x16\x03\x01", "bad-request"),
    (METHOD, ["GET"], "bad-value"),
    (TARGET, REMOVED, "missing-field"),
    (TARGET, "\x03\x00\x00/*", "bad-request"),
    (TARGET, "*", None),
    (STATUS, "200", None),
    (STATUS, None, None),
    (STATUS, 0, None),
    (STATUS, -1, "bad-value"),
    (STATUS, 10**6, "bad-value"),
    (STATUS, 10**30, "bad-value"),
    (STATUS, "2x0", "bad-value"),
    (STATUS, [200], "bad-value"),
    (STATUS, True, "bad-value"),
    (TIME, "99/Nov", "bad-time"),
    (TIME, "2026-13-45T99:00:00Z", "bad-time"),
    (SIZE, -1, None),
    (SIZE, 10**40, "bad-value"),
    (SIZE, "many", "bad-value"),
]


@pytest.mark.parametrize("name", PLACES)
def test_a_hostile_value_rejects_its_record_alone(name: str) -> None:
    good = a_record(name)
    for place, value, reason in HOSTILE:
        where = PLACES[name][place]
        parsed = parse(name, lines(good, changed(good, where, value), good))
        case = f"{where} = {value!r}"
        assert [(one.position, str(one.reason)) for one in parsed.rejects] == (
            [(1, reason)] if reason else []
        ), case
        kept = [0, 1, 2] if reason is None else [0, 2]
        assert parsed.table["position"].to_pylist() == kept, case
        status = parsed.table.to_pylist()[-1]["status"]
        assert status == parse(name, lines(good)).table.to_pylist()[0]["status"]


@pytest.mark.parametrize("name", PLACES)
def test_a_status_in_quotes_is_a_status(name: str) -> None:
    good = a_record(name)
    where = PLACES[name][STATUS]
    rows = parse(name, lines(*(changed(good, where, value) for value in (418, "418", 418.0)))).table
    assert rows["status"].to_pylist() == [418, 418, 418]


@pytest.mark.parametrize("name", PLACES)
def test_each_vendor_is_told_from_one_record(name: str) -> None:
    assert detect(lines(a_record(name)), "one line").format.name == name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "not-json"),
        (b"[]", "not-json"),
        (b"17", "not-json"),
        (b'{"request_method": "GET"', "not-json"),
        (b'{"request_method":"GET","request_uri":"/a\x00"}', "not-json"),
        (lines(GENERIC).strip() + lines(GENERIC).strip(), "not-json"),  # two writers at once
        (b"[" * 5000, "not-json"),
        (b'{"request_method":"GET","request_uri":"/","status":' + b"9" * 9000 + b"}", "bad-value"),
    ],
)
def test_a_broken_line_is_kept_aside(line: bytes, reason: str) -> None:
    parsed = parse("generic-json", lines(GENERIC) + line + b"\n\n \n" + lines(GENERIC))
    assert parsed.accepted == 2
    assert [(one.position, str(one.reason), one.raw) for one in parsed.rejects] == [(1, reason, line)]
    assert parsed.skipped == {"blank": 2}
    assert parsed.read == 5


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (rb"a\x22b\x5c\xc3\xa9", 'a"b\\é'),  # Apache, and NGINX without escape=json
        (b"caf\xe9 \xff", "caf\ufffd \ufffd"),  # NGINX writes bytes as they came
        (rb"half \ud83d, whole \ud83d\ude00", "half \ufffd, whole \U0001f600"),
        (rb"\\x41", "\\x41"),
    ],
)
def test_what_servers_write_wrongly_is_put_right(written: bytes, meant: str) -> None:
    line = lines(GENERIC | {"http_user_agent": "@"}).replace(b"@", written)
    parsed = parse("generic-json", b"\xef\xbb\xbf" + line + line)
    assert parsed.table["user_agent"].to_pylist() == [meant, meant]


_values = st.sampled_from(["GET", "/a", "*", "", "-", None, 200, -1, 1.5, "x", [1], {"a": 1}, True, 10**25])
_records = st.lists(
    st.one_of(
        st.fixed_dictionaries({}, optional=dict.fromkeys([*GENERIC, "request", "verb", "x-key"], _values)),
        st.just(GENERIC),
        st.none(),
    ),
    max_size=6,
)


@given(_records)
def test_slices_change_nothing(records: list[object]) -> None:
    data = lines(*records)
    whole = parse("generic-json", data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_access, "SLICE", 1)
        sliced = parse("generic-json", data)
    assert sliced.read == whole.read == len(records)
    assert sliced.rejects == whole.rejects
    assert sliced.skipped == whole.skipped
    present = [
        [{k: v for k, v in row.items() if v is not None} for row in one.table.to_pylist()]
        for one in (whole, sliced)
    ]
    assert present[0] == present[1]
