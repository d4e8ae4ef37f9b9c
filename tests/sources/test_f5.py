"""F5 BIG-IP: request logging templates, and ASM events with whole requests in them."""

# ruff: noqa: E501 - log lines as they are

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.errors import WardgateError
from wardgate.sources.f5_asm import F5Asm
from wardgate.sources.f5_asm_cef import F5AsmCef
from wardgate.sources.f5_request_log import F5RequestLog
from wardgate.sources.format import LineFormat, Lines, Options


def rows(a_format: LineFormat, line: str, options: Options | None = None) -> list[dict[str, object]]:
    parsed = a_format.parser(options or Options()).parse(Lines(line.encode()))
    assert not parsed.rejects
    found: list[dict[str, object]] = parsed.table.to_pylist()
    return found


# F5 BIG-IP Telemetry Streaming, "Event Listener class": LTM Request Log profile.
_EVENT = (
    'event_source="{0}_logging",hostname="bigip1",client_ip="198.51.100.9",server_ip="",http_method="GET",'
    'http_uri="{1}",virtual_name="/Common/app.app/app_vs",event_timestamp="Tue, 4 Nov 2026 10:00:01 GMT"'
)
REQUEST = _EVENT.format("request", "/a") + "\n"
RESPONSE = _EVENT.format("response", "/a") + ',http_statcode="200",http_status="200 OK",response_ms="12"\n'


def test_the_documented_templates() -> None:
    (row,) = rows(F5RequestLog(), RESPONSE)
    assert str(row["ended_at"]) == "2026-11-04 10:00:01"
    assert (row["status"], row["duration_us"], row["client"]) == (200, 12_000, "198.51.100.9")
    assert (row["service_name"], row["upstream"]) == ("/Common/app.app/app_vs", None)
    (row,) = rows(F5RequestLog(), REQUEST)
    assert str(row["started_at"]) == "2026-11-04 10:00:01"
    (row,) = rows(F5RequestLog(), _EVENT.format("request", '/q="x",y="z') + "\n")
    assert row["target"] == '/q="x",y="z'


def event(kind: str, n: int) -> str:
    if kind == "request":
        return _EVENT.format(kind, f"/{n}") + "\n"
    filled = _EVENT.format(kind, f"/{n}").replace('server_ip=""', 'server_ip="10.0.0.4"')
    return filled + ',http_statcode="200",http_status="200 OK",response_ms="12"\n'


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_call_logged_at_its_request_and_its_response_counts_once(data: st.DataObject) -> None:
    """However events are interleaved and cut into chunks, and whoever goes on with the state."""
    calls = data.draw(st.integers(1, 12))
    paths = [data.draw(st.integers(0, 3)) for _ in range(calls)]
    order = data.draw(st.permutations([("request", n) for n in range(calls)]))
    events = [*order, *data.draw(st.permutations([("response", n) for n in range(calls)]))]
    for n in range(calls):  # responses move forward, but not before their requests
        at = events.index(("response", n))
        events.insert(data.draw(st.integers(events.index(("request", n)) + 1, at)), events.pop(at))
    cuts = sorted({0, len(events), *data.draw(st.lists(st.integers(0, len(events)), max_size=5))})
    accepted = read = 0
    state = None
    for start, end in itertools.pairwise(cuts):
        text = "".join(event(kind, paths[n]) for kind, n in events[start:end])
        parser = F5RequestLog().parser(Options(), json.loads(json.dumps(state)))
        parsed = parser.parse(Lines(text.encode(), first=start))
        accepted, read, state = accepted + parsed.accepted, read + parsed.read, parser.state
    assert (accepted, read) == (calls, 2 * calls)


def test_requests_alone_count_and_remember_little() -> None:
    parser = F5RequestLog().parser(Options())
    parsed = parser.parse(Lines("".join(event("request", n) for n in range(1000)).encode()))
    assert (parsed.accepted, parsed.skipped) == (1000, {})
    assert len(json.dumps(parser.state)) < 4096
    later = parser.parse(Lines((event("response", 999) + event("response", 5000)).encode(), first=1000))
    assert (later.accepted, later.skipped) == (1, {"response-event": 1})


@pytest.mark.parametrize(
    ("template", "line", "wanted"),
    [
        (
            '$CLIENT_IP ${X-Forwarded-For} $DATE_NCSA $VIRTUAL_IP $VIRTUAL_NAME $SERVER_IP $SERVER_PORT "$HTTP_PATH" '
            '"$HTTP_REQUEST" $HTTP_STATCODE $RESPONSE_SIZE $RESPONSE_MSECS "$Referer" "${User-agent}"',
            '198.51.100.9 - [14/Nov/2026:10:00:01 +0200] 10.1.1.1 /Common/vs 10.0.0.4 8080 "/v1/x" '
            '"GET /v1/x?a=1 HTTP/1.1" 200 512 7 "-" "curl/8"',
            {"target": "/v1/x?a=1", "status": 200, "upstream": "10.0.0.4:8080", "user_agent": "curl/8",
             "duration_us": 7000, "ended_at": "2026-11-14 08:00:01", "forwarded_for": None},
        ),
        (
            "$DATE_NCSA, RESPONSE -> CLIENT = $CLIENT_IP:$CLIENT_PORT, HTTP_METHOD = $HTTP_METHOD, "
            "HTTP_URI = $HTTP_URI, HTTP_QUERY = $HTTP_QUERY, HTTP_STATUS = $HTTP_STATUS, T = $RESPONSE_USECS",
            "[14/Nov/2026:10:00:01 +0000], RESPONSE -> CLIENT = 198.51.100.9:4431, HTTP_METHOD = GET, "
            "HTTP_URI = /a?x=1, HTTP_QUERY = x=1, HTTP_STATUS = 404 Not Found, T = 512",
            {"status": 404, "client_port": 4431, "target": "/a?x=1", "query": None, "duration_us": 512},
        ),
        (
            "$NCSA_COMBINED $RESPONSE_USECS",
            '198.51.100.9 - bob [14/Nov/2026:10:00:01 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/8" 7123',
            {"login": "bob", "user_agent": "curl/8", "duration_us": 7123, "response_bytes": 512},
        ),
        (
            "${DATE_YYYY}-$DATE_MON-$DATE_D ${TIME_HH24}:$TIME_MM:$TIME_SECS $TIME_OFFSET $HTTP_METHOD $HTTP_PATH "
            "$HTTP_QUERY $HTTP_VERSION ${BIGIP_HOSTNAME} $HTTP_STATCODE",
            "2026-NOV-4 10:00:01 -7 GET /a x=1 1.1 bigip1 200",
            {"ended_at": "2026-11-04 17:00:01", "query": "x=1", "http_version": "HTTP/1.1", "target": "/a"},
        ),
        (
            '{"t":"$DATE_HTTP","m":"$HTTP_METHOD","u":"$HTTP_URI","h":"${Host}","auth":"${Authorization}"}',
            '{"t":"Wed, 4 Nov 2026 10:00:01 GMT","m":"GET","u":"/a","h":"api.example.com","auth":"Bearer x"}',
            {"started_at": "2026-11-04 10:00:01", "host": "api.example.com", "req.authorization": "Bearer x"},
        ),
    ],
)  # fmt: skip
def test_templates(template: str, line: str, wanted: dict[str, object]) -> None:
    (row,) = rows(F5RequestLog(), line + "\n", Options(layout=template))
    found = {name: str(row[name]) if name.endswith("_at") else row[name] for name in wanted}
    assert found == wanted


def test_a_template_without_a_request_is_refused() -> None:
    with pytest.raises(WardgateError, match="layout-empty"):
        F5RequestLog().parser(Options(layout="$CLIENT_IP $HTTP_STATCODE"))


# The fields of F5 ASM's predefined key-value storage format, as a device of version 16 sends them.
_KEYS = (
    'unit_hostname="bigip1",policy_name="/Common/p",violations="",support_id="2508780119460416236",'
    'request_status="passed",response_code="{code}",ip_client="192.0.2.2",method="POST",protocol="HTTPS",'
    'query_string="a=1",x_forwarded_for_header_value="203.0.113.7",date_time="2026-11-14 11:01:55",'
    'attack_type="",username="alice",src_port="56022",dest_port="443",vs_name="/Common/vs",uri="/hello",'
)
ASM = "<134>May  4 11:01:56 localhost.localdomain ASM:" + _KEYS.format(code=200)


def headers(row: dict[str, object]) -> dict[str, str]:
    found = row["request_headers"]
    assert isinstance(found, list)
    return {one["name"]: one["value"] for one in found}


def test_an_asm_event_shows_the_whole_request() -> None:
    line = ASM + (
        r'request="POST /hello?a=1 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: curl/7.64.1\r\n'
        r'sec-ch-ua: ""Chromium"";v=""99""\r\nAuthorization: Bearer x\r\n\r\n{""a"":1}",'
        r'response="Response logging disabled"' + "\n"
    )
    (row,) = rows(F5Asm(), line, Options(timezone="Europe/Berlin"))
    assert str(row["started_at"]) == "2026-11-14 10:01:55"
    assert (row["method"], row["target"], row["query"]) == ("POST", "/hello?a=1", None)
    assert (row["status"], row["scheme"], row["port"]) == (200, "https", 443)
    assert (row["client"], row["client_port"], row["forwarded_for"]) == ("192.0.2.2", 56022, "203.0.113.7")
    assert (row["login"], row["service_name"]) == ("alice", "/Common/vs")
    assert headers(row) == {
        "Host": "api.example.com",
        "User-Agent": "curl/7.64.1",
        "sec-ch-ua": '"Chromium";v="99"',
        "Authorization": "Bearer x",
    }
    assert row["request_body"] == b'{"a":1}'
    assert "response_headers" not in row


def test_an_asm_event_with_its_response() -> None:
    line = (
        ASM
        + r'request="GET / HTTP/1.1\r\n\r\n",response="HTTP/1.1 200 OK\r\nX-Cache: hit\r\n\r\nhello"'
        + "\n"
    )
    (row,) = rows(F5Asm(), line)
    assert row["response_headers"] == [{"name": "X-Cache", "value": "hit"}]
    assert (row["request_body"], row["response_body"]) == (None, b"hello")


def test_a_clients_own_quotes_change_no_other_key() -> None:
    line = ASM + r'request="GET /hello?a=1 HTTP/1.1\r\nUser-Agent: x",ip_client="9.9.9.9",y="\r\n\r\n"' + "\n"
    (row,) = rows(F5Asm(), line)
    assert (row["client"], row["method"]) == ("192.0.2.2", "GET")


def test_without_the_request_the_keys_do() -> None:
    (row,) = rows(F5Asm(), ASM.replace('response_code="200"', 'response_code="0"').rstrip(",") + "\n")
    assert (row["method"], row["target"], row["query"], row["status"]) == ("POST", "/hello", "a=1", None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (ASM + 'request="GET / HT', "not-format"),
        ("May  4 11:01:56 host sshd[1]: Accepted password", "not-format"),
        ('date=2026-11-14 devname="fw" method="GET" uri="/"', "not-format"),
        (ASM.replace("2026-11-14 11", "2026-99-14 11").rstrip(","), "bad-time"),
        (ASM.replace('uri="/hello"', 'uri="hello"').rstrip(","), "bad-request"),
    ],
)
def test_lines_that_are_no_events(line: str, reason: str) -> None:
    parsed = F5Asm().parser(Options()).parse(Lines(line.encode() + b"\n"))
    assert [str(one.reason) for one in parsed.rejects] == [reason]


def test_an_anomaly_is_no_call() -> None:
    parsed = (
        F5Asm()
        .parser(Options())
        .parse(Lines(b'ASM:attack_type="DoS",attack_id="7",policy_name="/Common/p"\n'))
    )
    assert (parsed.accepted, parsed.skipped) == (0, {"no-request": 1})


# F5, "BIG-IP ASM: Implementations", ArcSight format; the second header form as version 11.3 wrote it.
CEF = (
    r"CEF:0|F5|ASM|11.3.0|200021069|Automated client access \"wget\"|5|dvchost=bigip-4.example.com "
    "dvc=172.16.73.34 cs1=topaz4-web4 cs1Label=policy_name cs2=/Common/topaz4-web4 cs2Label=http_class_name "
    "deviceCustomDate1=Sep 19 2012 13:49:25 deviceCustomDate1Label=policy_apply_date "
    "externalId=18205860747014045723 act=blocked cn1=0 cn1Label=response_code src=10.4.1.101 spt=52975 "
    "dst=10.4.1.200 dpt=80 requestMethod=GET app=HTTP cs5=N/A cs5Label=x_forwarded_for_header_value "
    "rt=Sep 19 2012 13:53:33 deviceExternalId=0 cs4=Non-browser Client cs4Label=attack_type cs6=N/A "
    "cs6Label=geo_location c6a1= c6a1Label=device_address msg=N/A suid=86c4f8bf7349cac9 suser=N/A "
    r"request=/a?b\=1 cs3Label=full_request cs3=GET /a?b\=1 HTTP/1.0\r\nUser-Agent: Wget/1.12 (linux-gnu)\r\n"
    r"Accept: */*;q\=0.1\r\nHost: 10.4.1.200\r\nX: src=9.9.9.9\r\n\r\n"
)


@pytest.mark.parametrize(
    "prefix", ["", "<131>Sep 19 13:53:34 bigip-4.example.com ASM:", "May  4 18:23:02 host ASM: "]
)
def test_cef(prefix: str) -> None:
    (row,) = rows(F5AsmCef(), prefix + CEF + "#015\n")
    assert str(row["started_at"]) == "2012-09-19 13:53:33"
    assert (row["method"], row["target"], row["http_version"]) == ("GET", "/a?b=1", "HTTP/1.0")
    assert (row["client"], row["client_port"], row["port"]) == ("10.4.1.101", 52975, 80)
    assert (row["status"], row["login"], row["forwarded_for"]) == (None, None, None)
    assert headers(row)["User-Agent"] == "Wget/1.12 (linux-gnu)"
    assert headers(row)["Accept"] == "*/*;q=0.1"


def test_cef_of_others_is_no_event() -> None:
    parsed = F5AsmCef().parser(Options()).parse(Lines(CEF.replace("|F5|", "|Kemp|").encode()))
    assert [str(one.reason) for one in parsed.rejects] == ["not-format"]
