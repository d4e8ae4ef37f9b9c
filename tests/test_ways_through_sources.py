"""Every way of presenting a credential, in every source that shows headers: found, not doubled, not in clear.

A record of each format is written with the headers of each way (`tests/recognise/test_presented.py`), as the
vendor's log would have them; all ways of a format go through one ingestion into a lake of its own.
"""

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wardgate.cli.main import cli
from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs
from wardgate.sources.format import Options

_at = Path(__file__).parent / "recognise" / "test_presented.py"
_spec = importlib.util.spec_from_file_location("ways_of_presenting", _at)
assert _spec is not None and _spec.loader is not None
_ways = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_ways)
WAYS, Way = _ways.WAYS, _ways.Way
NOW = 1_770_000_000_000_000
NAMES = sorted({name.lower() for way in WAYS for name in way.headers})


def target(way: Any) -> str:
    return f"/a?{way.query}" if way.query else "/a"


def jsonl(way: Any) -> str:
    record = {"ts": "2026-01-01T00:00:00Z", "method": "GET", "url": f"https://api.example{target(way)}"}
    return json.dumps({**record, "status": 200, "request_headers": way.headers})


def har(ways: list[Any]) -> str:
    entries = [
        {"startedDateTime": "2026-01-01T00:00:00Z", "time": 1, "response": {"status": 200, "headers": []},
         "request": {"method": "GET", "url": f"https://api.example{target(way)}", "httpVersion": "HTTP/1.1",
                     "headers": [{"name": name, "value": value} for name, value in way.headers.items()]}}
        for way in ways
    ]  # fmt: skip
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}
    )


def kong(way: Any) -> str:
    headers = {name.lower(): value for name, value in way.headers.items()}
    request = {
        "method": "GET",
        "uri": target(way),
        "url": "https://api.example/a",
        "headers": headers,
        "size": 1,
    }
    return json.dumps({"request": request, "response": {"status": 200, "size": 1, "headers": {}}, "client_ip": "192.0.2.1",
                       "latencies": {"request": 1, "proxy": 1, "kong": 0}, "started_at": 1_767_225_600_000})  # fmt: skip


def caddy(way: Any) -> str:
    request = {"remote_ip": "192.0.2.1", "remote_port": "1", "client_ip": "192.0.2.1", "proto": "HTTP/2.0", "method": "GET",
               "host": "api.example", "uri": target(way), "headers": {k: [v] for k, v in way.headers.items()}}  # fmt: skip
    return json.dumps({"level": "info", "ts": 1767225600.5, "logger": "http.log.access", "msg": "handled request",
                       "request": request, "duration": 0.01, "size": 1, "status": 200, "resp_headers": {}})  # fmt: skip


def traefik(way: Any) -> str:
    headers = {f"request_{name}": value for name, value in way.headers.items()}
    return json.dumps({"ClientAddr": "192.0.2.1:1", "ClientHost": "192.0.2.1", "DownstreamStatus": 200, "Duration": 1000,
                       "RequestHost": "api.example", "RequestMethod": "GET", "RequestPath": target(way),
                       "RequestProtocol": "HTTP/1.1", "RequestScheme": "https", "StartUTC": "2026-01-01T00:00:00Z",
                       "time": "2026-01-01T00:00:00Z", **headers})  # fmt: skip


def cloudflare(way: Any) -> str:
    headers = {name.lower(): value for name, value in way.headers.items()}
    return json.dumps({"ClientIP": "192.0.2.1", "ClientRequestHost": "api.example", "ClientRequestMethod": "GET",
                       "ClientRequestURI": target(way), "EdgeStartTimestamp": "2026-01-01T00:00:00Z",
                       "EdgeEndTimestamp": "2026-01-01T00:00:01Z", "EdgeResponseStatus": 200, "RayID": "7d1f2a3b4c5d6e7f",
                       "ClientRequestProtocol": "HTTP/1.1", "RequestHeaders": headers})  # fmt: skip


def generic(way: Any) -> str:
    return json.dumps({"time": "2026-01-01T00:00:00Z", "method": "GET", "path": target(way), "status": 200,
                       "host": "api.example", "remote_addr": "192.0.2.1", "headers": way.headers})  # fmt: skip


def nginx(way: Any) -> str:
    values = [_escaped(way.headers, name) for name in NAMES]
    quoted = " ".join(f'"{value}"' for value in values)
    return f'192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] "GET {target(way)} HTTP/1.1" 200 1 {quoted}'


def _escaped(headers: dict[str, str], name: str) -> str:
    value = next((value for known, value in headers.items() if known.lower() == name), "-")
    return re.sub(r'["\\]', lambda found: f"\\x{ord(found[0]):02X}", value)


NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    + " ".join(f'"$http_{name.replace("-", "_")}"' for name in NAMES)
)  # fmt: skip
APACHE = '%h %l %u %t "%r" %>s %b ' + " ".join(f'"%{{{name}}}i"' for name in NAMES)
LINES: dict[str, tuple[Callable[[Any], str], str | None]] = {
    "wardgate-jsonl": (jsonl, None),
    "kong": (kong, None),
    "caddy": (caddy, None),
    "traefik-json": (traefik, None),
    "cloudflare": (cloudflare, None),
    "generic-json": (generic, None),
    "nginx": (nginx, NGINX),
    "apache": (nginx, APACHE),
}


@pytest.mark.parametrize("name", [*LINES, "har"])
def test_each_way_in_each_source(name: str, tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    lake = Lake(embedded_place(home))
    if name == "har":
        text, layout = har(list(WAYS)), None
    else:
        write, layout = LINES[name]
        text = "".join(write(way) + "\n" for way in WAYS)
    file = tmp_path / "traffic"
    file.write_text(text)
    reading = Reading(source="s", format=name, options=Options(layout=layout))
    pipeline = Pipeline(lake, load_key(home.path), fixed_clock(NOW))
    for report in Ingest(pipeline, fixed_clock(NOW)).run(find_inputs([str(file)]), reading):
        assert (report.accepted, report.rejected, report.skipped) == (len(WAYS), 0, 0)
    rows = lake.rows("SELECT position, credentials FROM lake.calls ORDER BY position").to_pylist()
    found = {
        way.name: [(one["kind"], one["place"]) for one in row["credentials"] or ()]
        for way, row in zip(WAYS, rows, strict=True)
    }
    assert found == {way.name: [(way.kind, way.place)] for way in WAYS}
    kept = "".join(
        json.dumps(row, default=str)
        for table in TABLES
        for row in lake.rows(f"SELECT * FROM lake.{table}").to_pylist()
    )
    lake.close()
    raw = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    secrets = {one for way in WAYS for one in way.secrets}
    assert [one for one in secrets if one in kept or one.encode() in raw] == []


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
