"""Every way of presenting a credential, in every source that shows it: found, not doubled, not in clear.

`tests/shared/records.py` writes a record of each source for each way (`tests/shared/ways.py`), as the
vendor's log has it. What comes by push and by syslog is in `tests/api/test_push_ways.py` and
`tests/service/test_syslog_ways.py`.
"""

import contextlib
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from records import (
    SOURCES,
    azure,
    caddy,
    cloudflare,
    cookies,
    envoy_json,
    google,
    jsonl,
    kong,
    queries,
    written,
)
from ways import WAYS, Way

from wardgate.cli.main import cli
from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES
from wardgate.pipeline import Pipeline
from wardgate.recognise.calls import Context, Recognition
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.catalogue import builtin_formats, format_named
from wardgate.sources.files import find_inputs
from wardgate.sources.format import Lines, Options
from wardgate.sources.jsonl import WardgateJsonLines

NOW = 1_770_000_000_000_000
KEY = Key(b"k" * 32)


@pytest.fixture(scope="module")
def reference() -> dict[str, int]:
    """Way → the credential's id, seen as JSON Lines under the same key."""
    parsed = (
        WardgateJsonLines()
        .parser(Options())
        .parse(Lines("".join(jsonl(way) + "\n" for way in WAYS).encode()))
    )
    calls = Recognition(KEY).recognise(parsed.table, Context("reference", 1, 2, NOW)).calls
    return {way.name: one for way, one in zip(WAYS, calls["credential_id"].to_pylist(), strict=True)}


@pytest.mark.parametrize("name", SOURCES)
def test_each_way_in_each_source(name: str, tmp_path: Path, reference: dict[str, int]) -> None:
    if name == "pcap" and shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    file, source, ways, config = written(name, tmp_path)
    assert ways
    home = open_home(tmp_path / "home")
    lake = Lake(embedded_place(home))
    reading = Reading(source="s", format=source.format, options=Options(layout=source.layout, config=config))
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for report in Ingest(Pipeline(lake, KEY, fixed_clock(NOW)), fixed_clock(NOW)).run(
            find_inputs([str(file)]), reading
        ):
            assert (report.accepted, report.rejected) == (len(ways), 0)
            said.write(str(report))
    rows = lake.rows("SELECT position, credentials FROM lake.calls ORDER BY position").to_pylist()
    found = {
        way.name: [
            (one["kind"], one["place"]) for one in row["credentials"] or () if one["kind"] != "gateway_key"
        ]
        for way, row in zip(ways, rows, strict=True)
    }
    assert found == {way.name: [(way.kind, way.place)] for way in ways}
    same = {
        way.name: {one["credential_id"] for one in row["credentials"]}
        for way, row in zip(ways, rows, strict=True)
    }
    assert same == {way.name: {reference[way.name]} for way in ways}
    kept = said.getvalue() + "".join(
        json.dumps(row, default=str)
        for table in TABLES
        for row in lake.rows(f"SELECT * FROM lake.{table}").to_pylist()
    )
    lake.close()
    raw = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    secrets = {one for way in ways for one in way.secrets}
    assert [one for one in secrets if one in kept or one.encode() in raw] == []


def test_every_format_is_here() -> None:
    missing = {one.name for one in builtin_formats()} - {one.format for one in SOURCES.values()}
    assert not missing, (
        f"write records of {sorted(missing)} in tests/shared/records.py, and say in "
        "docs/reference/what-sources-show.md what they show of credentials"
    )


def test_commands_show_what_was_presented_and_nothing_of_it(tmp_path: Path) -> None:
    from click.testing import CliRunner

    file = tmp_path / "traffic.jsonl"
    file.write_text("".join(jsonl(way) + "\n" for way in WAYS))
    runner = CliRunner()
    said = ""
    for command in (
        ["ingest", str(file)],
        ["credentials"],
        ["credentials", "--json"],
        ["callers", "--json"],
        ["flows"],
    ):
        done = runner.invoke(cli, ["--home", str(tmp_path / "home"), *command])
        assert done.exit_code == 0, done.output
        said += done.output
    assert "certificate" in said and "webhook of GitHub" in said and "header:authorization" in said
    assert [one for way in WAYS for one in way.secrets if one in said] == []


FINGERPRINT = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CERTIFICATE, LOGIN = ("client_certificate", "tls"), ("basic", "login")
_GATEWAY: dict[str, object] = {
    "requestId": "a1b2c3d4-0a1b-4c2d-8e3f-5a6b7c8d9e0f", "ip": "192.0.2.1", "httpMethod": "GET", "path": "/a",
    "requestTime": "01/Jan/2026:00:00:00 +0000", "status": "200",
}  # fmt: skip
OWN: dict[str, tuple[str, str | None, str | dict[str, object], list[tuple[str, str]]]] = {
    "cloudflare": (
        "cloudflare",
        None,
        {**json.loads(cloudflare(Way("", "", ""))), "ClientMTLSAuthCertFingerprint": FINGERPRINT[:40]},
        [CERTIFICATE],
    ),
    "google": (
        "google-lb",
        None,
        {
            **json.loads(google(Way("", "", ""))),
            "jsonPayload": {"mtls": {"clientCertSha256Fingerprint": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="}},
        },
        [CERTIFICATE],
    ),
    "azure": (
        "azure-app-gateway",
        None,
        json.loads(
            azure(Way("", "", "")).replace('"timeTaken"', f'"sslClientCertificateFingerprint": "{FINGERPRINT[:40]}", "timeTaken"')
        ),
        [CERTIFICATE],
    ),
    "caddy": (
        "caddy",
        None,
        json.loads(
            caddy(Way("", "", "")).replace('"uri"', '"tls": {"version": 772, "client_common_name": "orders"}, "uri"')
        ),
        [CERTIFICATE],
    ),
    "kong": (
        "kong",
        None,
        {**json.loads(kong(Way("", "", ""))), "consumer": {"id": "c1", "username": "shop"}},
        [("gateway_key", "gateway:consumer")],
    ),
    "api gateway, key": (
        "aws-api-gateway",
        None,
        {**_GATEWAY, "apiKeyId": "qx5bflk8rd"},
        [("gateway_key", "gateway:api_key_id")],
    ),
    "api gateway, principal": (
        "aws-api-gateway",
        None,
        {**_GATEWAY, "caller": "AIDAEXAMPLE", "user": "AIDAEXAMPLE"},
        [("gateway_key", "gateway:iam_principal")],
    ),
    "api gateway, certificate": (
        "aws-api-gateway",
        None,
        {**_GATEWAY, "clientCertSubjectDN": "CN=orders,O=Acme"},
        [CERTIFICATE],
    ),
    "envoy, subject": (
        "envoy-json",
        None,
        {**json.loads(envoy_json(Way("", "", ""))), "downstream_peer_subject": "CN=orders,O=Acme"},
        [CERTIFICATE],
    ),
    "envoy text, hash": (
        "envoy-text",
        '[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %DOWNSTREAM_PEER_FINGERPRINT_256%',
        f'[2026-01-01T00:00:00.000Z] "GET /a HTTP/1.1" 200 {FINGERPRINT}',
        [CERTIFICATE],
    ),
    "nginx, certificate": (
        "nginx",
        '$remote_addr [$time_local] "$request" $status "$ssl_client_s_dn" $ssl_client_verify $ssl_client_fingerprint',
        f'192.0.2.1 [01/Jan/2026:00:00:00 +0000] "GET /a HTTP/1.1" 200 "CN=orders,O=Acme" SUCCESS {FINGERPRINT[:40]}',
        [CERTIFICATE],
    ),
    "nginx, cookie and login": (
        "nginx",
        '$remote_addr $remote_user [$time_local] "$request" $status "$cookie_sid"',
        f'192.0.2.1 bob [01/Jan/2026:00:00:00 +0000] "GET /a HTTP/1.1" 200 "{FINGERPRINT[:32]}"',
        [LOGIN, ("session", "cookie:sid")],
    ),
    "apache, certificate": (
        "apache",
        '%h %t "%r" %>s "%{SSL_CLIENT_S_DN}x"',
        '192.0.2.1 [01/Jan/2026:00:00:00 +0000] "GET /a HTTP/1.1" 200 "CN=orders,O=Acme"',
        [CERTIFICATE],
    ),
    "apache, cookie": (
        "apache",
        '%h %t "%r" %>s "%{PHPSESSID}C"',
        f'192.0.2.1 [01/Jan/2026:00:00:00 +0000] "GET /a HTTP/1.1" 200 "{FINGERPRINT[:32]}"',
        [("session", "cookie:PHPSESSID")],
    ),
    "haproxy, certificate": (
        "haproxy",
        '%ci:%cp [%tr] %ST %{+Q}[ssl_c_s_dn] %{+Q}r',
        '192.0.2.1:1 [01/Jan/2026:00:00:00.000] 200 "/C=US/O=Acme/CN=orders" "GET /a HTTP/1.1"',
        [CERTIFICATE],
    ),
    "iis, login": (
        "w3c",
        "date time c-ip cs-method cs-uri-stem cs-username sc-status",
        "2026-01-01 00:00:00 192.0.2.1 GET /a EXAMPLE\\bob 200",
        [LOGIN],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_what_the_source_itself_says_of_who_calls(name: str) -> None:
    chosen, layout, line, wanted = OWN[name]
    text = line if isinstance(line, str) else json.dumps(line)
    parsed = format_named(chosen).parser(Options(layout=layout)).parse(Lines(text.encode() + b"\n"))
    assert (parsed.accepted, parsed.rejects) == (1, [])
    calls = Recognition(KEY).recognise(parsed.table, Context("own", 1, 2, NOW)).calls
    found = [(one["kind"], one["place"]) for one in calls["credentials"].to_pylist()[0] or ()]
    assert sorted(found) == sorted(wanted)


def test_the_table_of_what_sources_show_names_every_format() -> None:
    page = Path(__file__).parents[1] / "docs" / "reference" / "what-sources-show.md"
    rows = [line for line in page.read_text().splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row.split("|")[1])}
    assert named >= {one.name for one in builtin_formats()}
    for name, source in SOURCES.items():
        row = next(row for row in rows if f"`{source.format}`" in row.split("|")[1])
        _, _, headers, query, cookie, *_ = (cell.strip() for cell in row.split("|"))
        if name == source.format and source.shows is queries:
            assert (headers, query, cookie) == ("none", "yes", "no"), name
        elif source.shows is cookies:
            assert headers.startswith("none but") and (query, cookie) == ("yes", "yes"), name
