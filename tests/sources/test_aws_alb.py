"""ALB access logs: the documentation's examples, of every age, and what never was a request."""

# ruff: noqa: E501 - log lines as they are

import pytest

from wardgate.sources.aws_alb import AwsAlb
from wardgate.sources.format import Lines, Options

# Elastic Load Balancing, "Access logs for your Application Load Balancer", Example log entries.
_ARN = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067"
_TAIL = '"10.0.0.1:80" "200" "-" "-" TID_1234abcd5678ef90'
HTTPS = (
    "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 "
    '0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" '
    f'ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 {_ARN} "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" '
    '"arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 '
    '2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-" ' + _TAIL
)
WSS = (
    "wss 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 10.0.0.140:44244 10.0.0.171:8010 "
    '0.000 0.001 0.000 101 101 218 786 "GET https://10.0.0.30:443/ HTTP/1.1" "-" ECDHE-RSA-AES128-GCM-SHA256 '
    f'TLSv1.2 {_ARN} "Root=1-58337364-23a8c76965a2ef7629b185e3" "-" "-" 1 2018-07-02T22:22:48.364000Z '
    '"forward" "-" "-" ' + _TAIL
)
LAMBDA = (
    "http 2018-11-30T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 - 0.000 0.001 "
    f'0.000 502 - 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - {_ARN} '
    '"Root=1-58337364-23a8c76965a2ef7629b185e3" "-" "-" 0 2018-11-30T22:22:48.364000Z "forward" "-" '
    '"LambdaInvalidResponse" "-" "-" "-" "-" TID_1234abcd5678ef90'
)


def row(line: str) -> dict[str, object]:
    parsed = AwsAlb().parser(Options()).parse(Lines(line.encode() + b"\n"))
    assert not parsed.rejects
    found: dict[str, object] = parsed.table.to_pylist()[0]
    return found


def test_the_documented_https_entry() -> None:
    found = row(HTTPS)
    assert str(found["started_at"]) == "2018-07-02 22:22:48.364000"
    assert (found["duration_us"], found["upstream_duration_us"]) == (171_000, 48_000)
    assert (found["method"], found["target"]) == ("GET", "https://www.example.com:443/")
    assert (found["client"], found["client_port"]) == ("192.168.131.39", 2817)
    assert (found["upstream"], found["upstream_status"]) == ("10.0.0.1:80", 200)
    assert (found["scheme"], found["protocol"], found["tls_version"]) == ("https", None, "TLSv1.2")
    assert found["tls_sni"] == "www.example.com"
    assert found["trace_id"] == "583372811d84f3d73c47ec4e58577259"
    assert found["request_id"] == "Root=1-58337281-1d84f3d73c47ec4e58577259"


def test_a_websocket_lasts_until_it_is_closed() -> None:
    found = row(WSS)
    assert (found["scheme"], found["protocol"], found["duration_us"]) == ("wss", "websocket", 11_822_641)


def test_a_lambda_has_no_address() -> None:
    found = row(LAMBDA)
    assert (found["upstream"], found["upstream_status"], found["status"]) == (None, None, 502)


def test_a_request_that_reached_no_target_takes_as_long_as_it_took() -> None:
    found = row(LAMBDA.replace("0.000 0.001 0.000", "-1 -1 -1"))
    assert (found["duration_us"], found["upstream_duration_us"]) == (11_822_641, None)


@pytest.mark.parametrize(("kind", "scheme", "protocol"), [("h2", "https", None), ("grpcs", "https", "grpc"), ("ws", "ws", "websocket"), ("later", None, None)])  # fmt: skip
def test_types(kind: str, scheme: str | None, protocol: str | None) -> None:
    found = row(kind + HTTPS.removeprefix("https"))
    assert (found["scheme"], found["protocol"]) == (scheme, protocol)


@pytest.mark.parametrize(
    ("line", "started"),
    [
        (HTTPS + ' "api.example.com" "/v2/" "TransformSuccess"', True),
        (HTTPS + ' "-" "-" "-" 10.0.0.5 "and more"', True),
        (HTTPS[: HTTPS.index(" TID_")], True),
        (HTTPS[: HTTPS.index(' "10.0.0.1:80" "200"')], True),
        (HTTPS[: HTTPS.index(' "www.example.com"')], False),
    ],
)
def test_lines_of_every_age(line: str, started: bool) -> None:
    found = row(line)
    assert found["target"] == "https://www.example.com:443/"
    if started:
        assert str(found["started_at"]) == "2018-07-02 22:22:48.364000"
    else:
        assert str(found["ended_at"]) == "2018-07-02 22:23:00.186641"


@pytest.mark.parametrize("request_line", ["- - -", "- http://www.example.com:80- -", "-", ""])
def test_what_was_no_request(request_line: str) -> None:
    line = HTTPS.replace("GET https://www.example.com:443/ HTTP/1.1", request_line)
    parsed = AwsAlb().parser(Options()).parse(Lines(line.encode()))
    assert [str(one.reason) for one in parsed.rejects] == ["bad-request"]


def test_ipv6_and_escapes() -> None:
    line = HTTPS.replace("192.168.131.39:2817", "2001:db8::39:2817").replace(
        "curl/7.46.0", r"a \x22b\x22 \\c"
    )
    found = row(line)
    assert (found["client"], found["client_port"], found["user_agent"]) == ("2001:db8::39", 2817, 'a "b" \\c')
