"""W3C extended logs: IIS, CloudFront and others; directives anywhere, and a file gone on with."""

# ruff: noqa: E501 - log lines as they are

import json

import pytest

from wardgate.sources.aws_cloudfront import AwsCloudFront
from wardgate.sources.detection import detect
from wardgate.sources.format import LineFormat, Lines, Options
from wardgate.sources.w3c import W3c

# Microsoft Learn, "W3C Logging" and "Configure Logging in IIS": the default fields, values of our own.
IIS = rb"""#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-09-21 02:59:24
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken
2026-09-21 02:59:24 192.0.2.1 GET /index.html a=1+2 443 DOMAIN\alice 198.51.100.9 Mozilla/5.0+(Windows+NT+10.0;+x64)+"q" - 200 0 0 123
#Software: Microsoft Internet Information Services 10.0
#Date: 2026-09-22 00:00:10
#Fields: time c-ip cs-method cs-uri-stem sc-status cs(Cookie) X-Forwarded-For cs-host time-taken
00:00:11 198.51.100.9 POST /v1/orders 201 a=b;+c=d 203.0.113.7,+10.0.0.1 api.example.com 7
"""
# Amazon CloudFront Developer Guide, "Standard logging reference", Example log file records.
CLOUDFRONT = (
    b"#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    b"cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header "
    b"cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type "
    b"cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type "
    b"sc-content-type sc-content-len sc-range-start sc-range-end\n"
    b"2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t"
    b"Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)\t-\t-\tHit\t"
    b"SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\twww.example.com\thttps\t23\t0.001\t-\tTLSv1.2\t"
    b"ECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-\n"
    b"2019-12-13\t22:36:27\tSEA19-C1\t900\t2001:db8::7\tPOST\td111111abcdef8.cloudfront.net\t/a%2520b%257B\t000\t"
    b"http://www.example.com/\tshop%2520app/3%2520(x)\tq=1%252F2\ta=b;%20c=d%253D\tError\t"
    b"1pkpNfBQ39sYMnjjUQjmH2w1wdJnbHYTbag21o_3OfcQgPzdL2RSSQ==\twww.example.com\twss\t675\t0.102\t203.0.113.7\t-\t-"
    b"\tError\tHTTP/1.1\t-\t-\t25260\t0.102\tOriginDnsError\ttext/html;%20charset=utf-8\t507\t-\t-\n"
)


def rows(a_format: LineFormat, data: bytes, options: Options | None = None) -> list[dict[str, object]]:
    parsed = a_format.parser(options or Options()).parse(Lines(data))
    assert not parsed.rejects
    return sorted(parsed.table.to_pylist(), key=lambda row: row["position"])


def test_iis() -> None:
    first, second = rows(W3c(), IIS)
    assert str(first["ended_at"]) == "2026-09-21 02:59:24"
    assert (first["client"], first["port"], first["login"]) == ("198.51.100.9", 443, "DOMAIN\\alice")
    assert (first["target"], first["query"]) == ("/index.html", "a=1+2")
    assert (first["status"], first["duration_us"]) == (200, 123_000)
    assert first["user_agent"] == 'Mozilla/5.0 (Windows NT 10.0; x64) "q"'
    assert str(second["ended_at"]) == "2026-09-22 00:00:11"
    assert (second["host"], second["req.cookie"]) == ("api.example.com", "a=b; c=d")
    assert (second["forwarded_for"], second["duration_us"]) == ("203.0.113.7,10.0.0.1", 7000)


def test_directives_are_skipped_by_their_rule() -> None:
    parsed = W3c().parser(Options()).parse(Lines(IIS))
    assert parsed.skipped == {"directive": 7}
    assert parsed.read == IIS.count(b"\n")


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_followed_file_goes_on_with_its_state(cut: int) -> None:
    lines = IIS.splitlines(keepends=True)
    first = W3c().parser(Options())
    found = first.parse(Lines(b"".join(lines[:cut]))).table.to_pylist()
    second = W3c().parser(Options(), json.loads(json.dumps(first.state)))
    found += second.parse(Lines(b"".join(lines[cut:]), first=cut)).table.to_pylist()
    assert [(row["position"], row["status"], str(row["ended_at"])) for row in found] == [
        (4, 200, "2026-09-21 02:59:24"),
        (8, 201, "2026-09-22 00:00:11"),
    ]


def test_lines_without_fields_are_kept_until_somebody_names_them() -> None:
    data = b"".join(IIS.splitlines(keepends=True)[4:5])
    parsed = W3c().parser(Options()).parse(Lines(data))
    assert [str(one.reason) for one in parsed.rejects] == ["missing-field"]
    fields = IIS.split(b"\n")[3].decode()
    assert rows(W3c(), data, Options(layout=fields))[0]["status"] == 200


def test_servers_that_quote_and_count_seconds() -> None:
    data = b"""#Software: Apache Tomcat/9.0.80
#Fields: date time cs-method cs-uri sc-status time-taken cs(User-Agent)
2026-09-21 02:59:24 GET /x?y=1 200 0.012 "Mozilla/5.0 (X11; ""Linux"")"
2026-09-21 02:59:25 GET /x 200 0.012 -
"""
    first, second = rows(W3c(), data)
    assert (first["target"], first["duration_us"]) == ("/x?y=1", 12_000)
    assert first["user_agent"] == 'Mozilla/5.0 (X11; "Linux")'
    assert second["user_agent"] is None


def test_lines_that_do_not_fit_their_fields() -> None:
    data = (
        IIS
        + b"00:00:12 198.51.100.9 POST\n00:00:13 1.2.3.4 - - 400 - - - 1\n00:61:00 1.2.3.4 GET /x 200 - - - 1\n"
    )
    parsed = W3c().parser(Options()).parse(Lines(data))
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [
        (9, "not-format"),
        (10, "bad-request"),
        (11, "bad-time"),
    ]


def test_cloudfront() -> None:
    first, second = rows(AwsCloudFront(), CLOUDFRONT, Options(timezone="Europe/Berlin"))
    assert str(first["ended_at"]) == "2019-12-04 21:02:31"
    assert first["user_agent"] == "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
    assert (first["host"], first["scheme"], first["http_version"]) == ("www.example.com", "https", "HTTP/2.0")
    assert (first["status"], first["duration_us"], first["client_port"]) == (200, 1000, 11040)
    assert (first["request_bytes"], first["response_bytes"]) == (23, 392)
    assert (second["target"], second["query"]) == ("/a%20b%7B", "q=1%2F2")
    assert (second["status"], second["user_agent"]) == (None, "shop app/3 (x)")
    assert (second["req.cookie"], second["response_content_type"]) == (
        "a=b; c=d%3D",
        "text/html; charset=utf-8",
    )
    assert (second["scheme"], second["protocol"]) == ("wss", "websocket")
    assert (second["client"], second["forwarded_for"]) == ("2001:db8::7", "203.0.113.7")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (IIS, "w3c"),
        (IIS[: IIS.index(b"\n2026-09-21 02") + 1], "w3c"),
        (CLOUDFRONT, "aws-cloudfront"),
        (CLOUDFRONT[: CLOUDFRONT.index(b"2019-12-04")], "aws-cloudfront"),
    ],
)
def test_found_by_their_directives_alone(data: bytes, name: str) -> None:
    assert detect(data, "a file").format.name == name
