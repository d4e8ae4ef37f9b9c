"""Records of every source as its vendor writes them, each with what one way of presenting carries.

`SOURCES` says of each source which ways it can show: all headers, the ones that people let it log, or no more
than queries and cookies. `docs/reference/what-sources-show.md` shows the same to people.
"""

import json
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ways import WAYS, Way

NAMES = sorted({name.lower() for way in WAYS for name in way.headers})
HOST = "api.example"


@dataclass(frozen=True)
class Source:
    """How a source's input is written. `write` may use the folder for a configuration, and answer its options."""

    format: str
    write: Callable[[Sequence[Way]], bytes]
    shows: Callable[[Way], bool]
    layout: str | None = None
    config: str | None = None
    """Text of a configuration."""


def everything(way: Way) -> bool:
    return True


def queries(way: Way) -> bool:
    return not way.headers


def cookies(way: Way) -> bool:
    return set(way.headers) <= {"Cookie"}


def unquoted(way: Way) -> bool:
    """Envoy's text log escapes nothing: a value that holds what stands between two values breaks the line."""
    return not any('" "' in value for value in way.headers.values())


def target(way: Way) -> str:
    return f"/a?{way.query}" if way.query else "/a"


def _each(line: Callable[[Way], str]) -> Callable[[Sequence[Way]], bytes]:
    return lambda ways: "".join(line(way) + "\n" for way in ways).encode()


def _after(head: str, line: Callable[[Way], str]) -> Callable[[Sequence[Way]], bytes]:
    return lambda ways: (head + "".join(line(way) + "\n" for way in ways)).encode()


def _low(way: Way) -> dict[str, str]:
    return {name.lower(): value for name, value in way.headers.items()}


# JSON, a record a line


def jsonl(way: Way) -> str:
    record = {"ts": "2026-01-01T00:00:00Z", "method": "GET", "url": f"https://{HOST}{target(way)}"}
    return json.dumps({**record, "status": 200, "request_headers": way.headers})


def kong(way: Way) -> str:
    request = {
        "method": "GET",
        "uri": target(way),
        "url": f"https://{HOST}/a",
        "headers": _low(way),
        "size": 1,
    }
    return json.dumps({"request": request, "response": {"status": 200, "size": 1, "headers": {}}, "client_ip": "192.0.2.1",
                       "latencies": {"request": 1, "proxy": 1, "kong": 0}, "started_at": 1_767_225_600_000})  # fmt: skip


def caddy(way: Way) -> str:
    request = {"remote_ip": "192.0.2.1", "remote_port": "1", "client_ip": "192.0.2.1", "proto": "HTTP/2.0", "method": "GET",
               "host": HOST, "uri": target(way), "headers": {k: [v] for k, v in way.headers.items()}}  # fmt: skip
    return json.dumps({"level": "info", "ts": 1767225600.5, "logger": "http.log.access", "msg": "handled request",
                       "request": request, "duration": 0.01, "size": 1, "status": 200, "resp_headers": {}})  # fmt: skip


def traefik(way: Way) -> str:
    headers = {f"request_{name}": value for name, value in way.headers.items()}
    return json.dumps({"ClientAddr": "192.0.2.1:1", "ClientHost": "192.0.2.1", "DownstreamStatus": 200, "Duration": 1000,
                       "RequestHost": HOST, "RequestMethod": "GET", "RequestPath": target(way),
                       "RequestProtocol": "HTTP/1.1", "RequestScheme": "https", "StartUTC": "2026-01-01T00:00:00Z",
                       "time": "2026-01-01T00:00:00Z", **headers})  # fmt: skip


def cloudflare(way: Way) -> str:
    return json.dumps({"ClientIP": "192.0.2.1", "ClientRequestHost": HOST, "ClientRequestMethod": "GET",
                       "ClientRequestURI": target(way), "EdgeStartTimestamp": "2026-01-01T00:00:00Z",
                       "EdgeEndTimestamp": "2026-01-01T00:00:01Z", "EdgeResponseStatus": 200, "RayID": "7d1f2a3b4c5d6e7f",
                       "ClientRequestProtocol": "HTTP/1.1", "RequestHeaders": _low(way)})  # fmt: skip


def generic(way: Way) -> str:
    return json.dumps({"time": "2026-01-01T00:00:00Z", "method": "GET", "path": target(way), "status": 200,
                       "host": HOST, "remote_addr": "192.0.2.1", "headers": way.headers})  # fmt: skip


def generic_keys(way: Way) -> str:
    """NGINX's `escape=json` with a variable's name as the key of each header."""
    headers = {f"http_{name.replace('-', '_')}": value for name, value in _low(way).items()}
    return json.dumps({"time_iso8601": "2026-01-01T00:00:00+00:00", "request": f"GET {target(way)} HTTP/1.1",
                       "status": 200, "host": HOST, "remote_addr": "192.0.2.1", **headers})  # fmt: skip


def envoy_json(way: Way) -> str:
    headers = {name.replace("-", "_"): value for name, value in _low(way).items()}
    return json.dumps({**_ENVOY, "path": target(way), **headers})


_ENVOY = {"start_time": "2026-01-01T00:00:00.000Z", "method": "GET", "protocol": "HTTP/1.1", "response_code": 200,
          "response_flags": "-", "authority": HOST, "duration": 3, "upstream_host": "192.0.2.9:80",
          "upstream_cluster": "orders", "downstream_remote_address": "192.0.2.1:4711"}  # fmt: skip
ENVOY_LAYOUT = json.dumps(
    {"at": "%START_TIME%", "verb": "%REQ(:METHOD)%", "what": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
     "how": "%RESPONSE_CODE%", **{f"h{i}": f"%REQ({name.upper()})%" for i, name in enumerate(NAMES)}}
)  # fmt: skip


def envoy_layout(way: Way) -> str:
    headers = {f"h{i}": _low(way).get(name) for i, name in enumerate(NAMES)}
    return json.dumps(
        {"at": "2026-01-01T00:00:00.000Z", "verb": "GET", "what": target(way), "how": 200, **headers}
    )


def google(way: Way) -> str:
    request = {
        "requestMethod": "GET",
        "requestUrl": f"https://{HOST}{target(way)}",
        "status": 200,
        "remoteIp": "192.0.2.1",
    }
    return json.dumps({"httpRequest": request, "timestamp": "2026-01-01T00:00:00Z", "insertId": "1", "logName": "requests",
                       "resource": {"type": "http_load_balancer", "labels": {}}})  # fmt: skip


def azure(way: Way) -> str:
    properties = {"instanceId": "appgw_2", "clientIP": "192.0.2.1", "httpMethod": "GET", "requestUri": "/a",
                  "requestQuery": way.query, "originalRequestUriWithArgs": target(way), "httpStatus": 200,
                  "originalHost": HOST, "timeTaken": 0.01}  # fmt: skip
    return json.dumps({"timeStamp": "2026-01-01T00:00:00+00:00", "category": "ApplicationGatewayAccessLog",
                       "operationName": "ApplicationGatewayAccess", "properties": properties})  # fmt: skip


def akamai(way: Way) -> str:
    cookie = quote(_low(way).get("cookie", ""), safe="")
    return json.dumps({"reqTimeSec": "1767225600", "reqMethod": "GET", "reqPath": "/a", "reqHost": HOST, "statusCode": "200",
                       "cliIP": "192.0.2.1", "proto": "HTTPS", "queryStr": way.query or "-", "cookie": cookie or "-"})  # fmt: skip


def api_gateway(way: Way) -> str:
    found = {"apiKey": way.headers["X-API-Key"], "apiKeyId": "k1"}
    return json.dumps({"requestId": "a1b2c3d4-0a1b-4c2d-8e3f-5a6b7c8d9e0f", "ip": "192.0.2.1", "httpMethod": "GET",
                       "requestTime": "01/Jan/2026:00:00:00 +0000", "path": "/a", "status": "200", **found})  # fmt: skip


# Documents


def har(ways: Sequence[Way]) -> bytes:
    entries = [
        {"startedDateTime": "2026-01-01T00:00:00Z", "time": 1, "response": {"status": 200, "headers": []},
         "request": {"method": "GET", "url": f"https://{HOST}{target(way)}", "httpVersion": "HTTP/1.1",
                     "headers": [{"name": name, "value": value} for name, value in way.headers.items()]}}
        for way in ways
    ]  # fmt: skip
    log = {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}
    return json.dumps({"log": log}).encode()


def kong_array(ways: Sequence[Way]) -> bytes:
    return ("[" + ",".join(kong(way) for way in ways) + "]").encode()


def google_array(ways: Sequence[Way]) -> bytes:
    return ("[" + ",".join(google(way) for way in ways) + "]").encode()


def azure_records(ways: Sequence[Way]) -> bytes:
    return ('{"records": [' + ",".join(azure(way) for way in ways) + "]}").encode()


def mitmproxy(ways: Sequence[Way]) -> bytes:
    return b"".join(netstring(_flow(way)) for way in ways)


def _flow(way: Way) -> dict[str, Any]:
    request = {"host": HOST, "port": 443, "scheme": b"https", "method": b"GET", "authority": b"", "path": target(way).encode(),
               "http_version": b"HTTP/1.1", "content": b"", "trailers": None, "timestamp_start": 1767225600.0,
               "timestamp_end": 1767225600.1,
               "headers": [[b"Host", HOST.encode()], *([k.encode(), v.encode()] for k, v in way.headers.items())]}  # fmt: skip
    response = {"status_code": 200, "reason": b"OK", "http_version": b"HTTP/1.1", "headers": [], "content": b"",
                "trailers": None, "timestamp_start": 1767225600.2, "timestamp_end": 1767225600.3}  # fmt: skip
    connection: dict[str, Any] = {"peername": ["192.0.2.1", 4711], "certificate_list": [], "tls": True}
    return {"type": "http", "version": 21, "request": request, "response": response, "client_conn": connection,
            "server_conn": {"peername": ["192.0.2.9", 443], "certificate_list": []}}  # fmt: skip


def netstring(value: object) -> bytes:
    """A typed netstring, as mitmproxy writes it."""
    match value:
        case None:
            payload, kind = b"", b"~"
        case bool():
            payload, kind = str(value).lower().encode(), b"!"
        case int():
            payload, kind = str(value).encode(), b"#"
        case float():
            payload, kind = repr(value).encode(), b"^"
        case str():
            payload, kind = value.encode(), b";"
        case bytes():
            payload, kind = value, b","
        case list():
            payload, kind = b"".join(map(netstring, value)), b"]"
        case dict():
            payload, kind = b"".join(netstring(part) for pair in value.items() for part in pair), b"}"
        case _:
            raise TypeError
    return str(len(payload)).encode() + b":" + payload + kind


def pcap(ways: Sequence[Way]) -> bytes:
    """A capture of raw IP packets: a connection a way, of one request and its response."""
    packets = []
    for i, way in enumerate(ways):
        asked = "".join(f"{name}: {value}\r\n" for name, value in way.headers.items())
        request = f"GET {target(way)} HTTP/1.1\r\nHost: {HOST}\r\n{asked}\r\n".encode()
        response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        ours, theirs = (0xC0000201, 20_000 + i), (0xC0000209, 80)
        packets += [
            _packet(ours, theirs, 1, 1, request),
            _packet(theirs, ours, 1, 1 + len(request), response),
        ]
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 101)
    for i, packet in enumerate(packets):
        out += struct.pack("<IIII", 1_767_225_600, i, len(packet), len(packet)) + packet
    return out


def _packet(
    source: tuple[int, int], to: tuple[int, int], sequence: int, acknowledged: int, payload: bytes
) -> bytes:
    tcp = (
        struct.pack("!HHIIBBHHH", source[1], to[1], sequence, acknowledged, 0x50, 0x18, 8192, 0, 0) + payload
    )
    return struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, source[0], to[0]) + tcp


def traces(ways: Sequence[Way]) -> bytes:
    """An OTLP request in JSON, a server span a way, with the headers that its instrumentation captures."""
    spans = []
    for i, way in enumerate(ways, 1):
        told: list[tuple[str, Any]] = [
            ("http.request.method", {"stringValue": "GET"}), ("server.address", {"stringValue": HOST}),
            ("url.path", {"stringValue": "/a"}), ("http.response.status_code", {"intValue": "200"}),
        ]  # fmt: skip
        told += [("url.query", {"stringValue": way.query})] if way.query else []
        told += [
            (f"http.request.header.{name}", {"arrayValue": {"values": [{"stringValue": value}]}})
            for name, value in _low(way).items()
        ]
        spans.append({"traceId": f"{i:032x}", "spanId": f"{i:016x}", "kind": 2, "name": "GET",
                      "startTimeUnixNano": str(1_767_225_600_000_000_000 + i), "endTimeUnixNano": str(1_767_225_600_001_000_000 + i),
                      "attributes": [{"key": key, "value": value} for key, value in told]})  # fmt: skip
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


# Text


def escaped(value: str) -> str:
    """As NGINX and Apache write quotes and backslashes."""
    return re.sub(r'["\\]', lambda found: f"\\x{ord(found[0]):02X}", value)


def combined(way: Way) -> str:
    return f'192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] "GET {target(way)} HTTP/1.1" 200 1 "-" "-"'


def with_headers(way: Way) -> str:
    values = " ".join(f'"{escaped(_low(way).get(name, "-"))}"' for name in NAMES)
    return f'192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] "GET {target(way)} HTTP/1.1" 200 1 {values}'


NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    + " ".join(f'"$http_{name.replace("-", "_")}"' for name in NAMES)
)  # fmt: skip
APACHE = '%h %l %u %t "%r" %>s %b ' + " ".join(f'"%{{{name}}}i"' for name in NAMES)
TRAEFIK_TAIL = ' 1 "orders@docker" "http://192.0.2.9:80" 12ms'

ENVOY_TEXT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %DURATION% '
    + " ".join(f'"%REQ({name.upper()})%"' for name in NAMES)
)  # fmt: skip


def envoy_text(way: Way) -> str:
    values = " ".join(f'"{_low(way).get(name, "-")}"' for name in NAMES)  # nothing is escaped
    return f'[2026-01-01T00:00:00.000Z] "GET {target(way)} HTTP/1.1" 200 3 {values}'


def haproxy(way: Way) -> str:
    values = [
        re.sub(r'["#{|}]', lambda found: f"#{ord(found[0]):02X}", _low(way).get(name, "")) for name in NAMES
    ]
    return (
        f"192.0.2.1:4711 [01/Jan/2026:00:00:00.000] main orders/app1 0/0/0/3/3 200 199 - - ---- 1/1/1/1/0 0/0 "
        f'{{{"|".join(values)}}} "GET {target(way)} HTTP/1.1"'
    )


def haproxy_plain(way: Way) -> str:
    return (
        f"192.0.2.1:4711 [01/Jan/2026:00:00:00.000] main orders/app1 0/0/0/3/3 200 199 - - ---- 1/1/1/1/0 0/0 "
        f'"GET {target(way)} HTTP/1.1"'
    )


HAPROXY = "frontend main\n  bind :80\n  option httplog\n" + "".join(
    f"  capture request header {name} len 8192\n" for name in NAMES
)


def w3c(way: Way) -> str:
    spaced = lambda value: value.replace(" ", "+")  # noqa: E731
    values = [spaced(_low(way).get(name, "-")) for name in NAMES]
    return f"2026-01-01 00:00:00 192.0.2.1 GET /a {way.query or '-'} 200 3 {HOST} {' '.join(values)}"


W3C = (
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-01-01 00:00:00\n"
    "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status time-taken cs-host "
    + " ".join(f"cs({name.title()})" for name in NAMES) + "\n"
)  # fmt: skip


def cloudfront(way: Way) -> str:
    # What the client encoded is encoded again.
    query = quote(way.query, safe="=&%-._~+/:;,") if way.query else "-"
    cookie = _low(way).get("cookie", "-").replace(" ", "%20")
    values = ["2026-01-01", "00:00:00", "LAX1", "1", "192.0.2.1", "GET", "d1.cloudfront.net", "/a", "200", query.replace("%", "%25"),
              cookie, "Hit", "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==", HOST, "https", "0.001"]  # fmt: skip
    return "\t".join(values)


CLOUDFRONT = (
    "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol time-taken\n"
)


def alb(way: Way) -> str:
    return (
        "https 2026-01-01T00:00:00.365641Z app/lb/50dc6c495c0c9188 192.0.2.1:2817 192.0.2.9:80 0.000 0.001 0.000 200 200 34 366 "
        f'"GET https://{HOST}:443{target(way)} HTTP/1.1" "-" - - arn:aws:elasticloadbalancing:us-east-2:1:targetgroup/t/7 '
        '"Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2026-01-01T00:00:00.364000Z "forward" "-" "-" '
        '"192.0.2.9:80" "200" "-" "-" TID_1234'
    )


F5 = '$CLIENT_IP [$DATE_NCSA] "$HTTP_METHOD $HTTP_URI" $HTTP_STATCODE ' + ",".join(
    f'{name}="${{{name.title()}}}"' for name in NAMES
)


def f5(way: Way) -> str:
    values = ",".join(f'{name}="{_low(way).get(name, "")}"' for name in NAMES)
    return f'192.0.2.1 [01/Jan/2026:00:00:00 +0000] "GET {target(way)}" 200 {values}'


def f5_event(way: Way) -> str:
    return (
        'event_source="response_logging",hostname="b1",client_ip="192.0.2.1",server_ip="192.0.2.9",http_method="GET",'
        f'http_uri="{target(way)}",virtual_name="/Common/vs",event_timestamp="Thu, 01 Jan 2026 00:00:00 GMT",'
        'http_statcode="200",http_status="200 OK",response_ms="3"'
    )


def _message(way: Way) -> str:
    headers = "".join(f"\\r\\n{name}: {value}" for name, value in way.headers.items())
    return f"GET {target(way)} HTTP/1.1\\r\\nHost: {HOST}{headers}\\r\\n\\r\\n"


def f5_asm(way: Way) -> str:
    doubled = _message(way).replace('"', '""')
    return (
        '<134>Jan  1 00:00:00 b1 ASM:unit_hostname="b1",policy_name="/Common/p",violations="",support_id="2508780119460416236",'
        'request_status="passed",response_code="200",ip_client="192.0.2.1",method="GET",protocol="HTTPS",'
        f'query_string="{way.query}",date_time="2026-01-01 00:00:00",username="N/A",vs_name="/Common/vs",uri="/a",'
        f'request="{doubled}",response="Response logging disabled"'
    )


def f5_cef(way: Way) -> str:
    said = lambda text: text.replace("=", "\\=")  # noqa: E731
    return (
        "Jan 01 00:00:00 b1 ASM:CEF:0|F5|ASM|16.1.3|Successful Request|Successful Request|2|dvchost=b1 externalId=15489460216395818345 "
        "act=passed cn1=200 cn1Label=response_code src=192.0.2.1 spt=59270 requestMethod=GET app=HTTPS "
        f"rt=Jan 01 2026 00:00:00 suser=N/A request={said(target(way))} cs3Label=full_request cs3={said(_message(way))}"
    )


MAPPING = (
    'format = "json"\nstamp = "start"\n\n[fields]\ntime_iso = "at"\nmethod = "verb"\ntarget = "what"\n'
    + "".join(f'"req.{name}" = "in.{name}"\n' for name in NAMES)
)


def mapped(way: Way) -> str:
    return json.dumps({"at": "2026-01-01T00:00:00Z", "verb": "GET", "what": target(way), "in": _low(way)})


SOURCES: dict[str, Source] = {
    "wardgate-jsonl": Source("wardgate-jsonl", _each(jsonl), everything),
    "har": Source("har", har, everything),
    "mitmproxy": Source("mitmproxy", mitmproxy, everything),
    "pcap": Source("pcap", pcap, everything),
    "kong": Source("kong", _each(kong), everything),
    "kong-array": Source("kong-array", kong_array, everything),
    "caddy": Source("caddy", _each(caddy), everything),
    "traefik-json": Source("traefik-json", _each(traefik), everything),
    "cloudflare": Source("cloudflare", _each(cloudflare), everything),
    "generic-json": Source("generic-json", _each(generic), everything),
    "generic-json, keys": Source("generic-json", _each(generic_keys), everything),
    "envoy-json": Source("envoy-json", _each(envoy_layout), everything, ENVOY_LAYOUT),
    "envoy-json, keys": Source("envoy-json", _each(envoy_json), everything),
    "nginx": Source("nginx", _each(with_headers), everything, NGINX),
    "apache": Source("apache", _each(with_headers), everything, APACHE),
    "envoy-text": Source("envoy-text", _each(envoy_text), unquoted, ENVOY_TEXT),
    "haproxy": Source("haproxy", _each(haproxy), everything, config=HAPROXY),
    "w3c": Source("w3c", _after(W3C, w3c), everything),
    "f5-request-log": Source("f5-request-log", _each(f5), everything, F5),
    "f5-asm": Source("f5-asm", _each(f5_asm), everything),
    "f5-asm-cef": Source("f5-asm-cef", _each(f5_cef), everything),
    "mapping": Source("mapping", _each(mapped), everything, config=MAPPING),
    "akamai": Source("akamai", _each(akamai), cookies),
    "aws-cloudfront": Source("aws-cloudfront", _after(CLOUDFRONT, cloudfront), cookies),
    "aws-alb": Source("aws-alb", _each(alb), queries),
    "google-lb": Source("google-lb", _each(google), queries),
    "google-lb-array": Source("google-lb-array", google_array, queries),
    "azure-app-gateway": Source("azure-app-gateway", _each(azure), queries),
    "azure-app-gateway-records": Source("azure-app-gateway-records", azure_records, queries),
    "nginx, combined": Source("nginx", _each(combined), queries),
    "traefik-common": Source("traefik-common", _each(lambda way: combined(way) + TRAEFIK_TAIL), queries),
    "haproxy, no captures": Source("haproxy", _each(haproxy_plain), queries),
    "f5-request-log, events": Source("f5-request-log", _each(f5_event), queries),
    "aws-api-gateway": Source("aws-api-gateway", _each(api_gateway), lambda way: way.name == "key header"),
}


def written(name: str, folder: Path) -> tuple[Path, Source, list[Way], Path | None]:
    """A source's input with every way it can show, the ways, and its configuration."""
    source = SOURCES[name]
    ways = [way for way in WAYS if source.shows(way)]
    file = folder / "traffic"
    file.write_bytes(source.write(ways))
    config = None
    if source.config is not None:
        config = folder / "config"
        config.write_text(source.config)
    return file, source, ways, config
