"""The listing commands on the sample shop: what a newcomer sees, with every filter."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner


@pytest.fixture(scope="module")
def every(shop_home: Path) -> list[dict[str, Any]]:
    """All API operations of the shop."""
    from wardgate.cli.main import cli

    result = CliRunner().invoke(cli, ["--home", str(shop_home), "operations", "--json"])
    found: list[dict[str, Any]] = json.loads(result.stdout)["operations"]
    return found


def edge(shop_files: Path) -> list[str]:
    return (shop_files / "edge.log").read_text().splitlines()


def test_calls_seen_at_two_vantages_count_once(shop, shop_files: Path) -> None:
    gateway = len((shop_files / "gateway.jsonl").read_text().splitlines())
    (service,) = shop("services", "--json").json["services"]
    assert service["service"] == "api.shop.example"
    assert (service["calls"], service["linked"], service["possible_doubles"]) == (700, gateway, 0)
    assert service["sources"] == ["edge", "gateway"]


def test_operations_and_static_files_are_apart(shop) -> None:
    api = shop("operations", "--json").json
    static = shop("operations", "--static", "--json").json
    both = shop("operations", "--all", "--json").json
    assert api["total"] == len(api["operations"]) and api["static_total"] == static["total"]
    assert both["total"] == api["total"] + static["total"]
    assert all(
        one["template"].endswith((".js", ".css", ".webp", ".ico", ".html")) for one in static["operations"]
    )
    templates = {(one["method"], one["template"]) for one in api["operations"]}
    assert ("GET", "/v1/products/{productId}") in templates
    assert ("POST", "/internal/v1/orders/{orderId}/shipments") in templates
    assert sum(one["calls"] for one in both["operations"]) == 700


def test_the_table_says_what_json_says(shop, every) -> None:
    table = shop("operations", "--limit", "0").out
    for one in every:
        assert any(one["template"] in line and f" {one['calls']} " in line for line in table.splitlines())
    assert "files and pages are apart; --static shows them." in table


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        (["--method", "post"], lambda one: one["method"] == "POST"),
        (["--search", "ORDERS"], lambda one: "orders" in one["template"]),
        (["--template", "/v2/*"], lambda one: one["template"].startswith("/v2/")),
        (["--template", "/v1/login"], lambda one: one["template"] == "/v1/login"),
        (["--service", "api.*"], lambda one: True),
        (["--min-calls", "20"], lambda one: one["calls"] >= 20),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_filters_leave_exactly_what_fits(shop, every, filters: list[str], holds) -> None:
    found = shop("operations", "--json", *filters).json["operations"]
    assert found == [one for one in every if holds(one)]
    assert found


def test_nothing_fits_a_service_that_is_not_there(shop) -> None:
    assert "`wardgate ingest PATH`" in shop("operations", "--service", "nowhere").out


def test_times_cut_the_day_in_two(shop) -> None:
    def calls(*when: str) -> int:
        return sum(one["calls"] for one in shop("operations", "--all", "--json", *when).json["operations"])

    before, after = calls("--until", "2026-03-01T00:00Z"), calls("--since", "2026-03-01")
    assert before and after
    assert before + after == 700


def test_limits_and_orders(shop) -> None:
    few = shop("operations", "--limit", "3").out
    assert len([line for line in few.splitlines() if "api.shop.example" in line]) == 3
    assert "more; --limit 0 shows all." in few
    slow = [one["p95_us"] for one in shop("operations", "--sort", "p95", "--json").json["operations"]]
    assert slow == sorted(slow, reverse=True)


def test_credentials_are_counted_where_only_the_gateway_sees_them(shop, shop_files: Path) -> None:
    found = {one["client"] or one["kind"]: one for one in shop("credentials", "--json").json["credentials"]}
    lines = [json.loads(line) for line in (shop_files / "gateway.jsonl").read_text().splitlines()]
    partner = sum("x-api-key" in one["request_headers"] for one in lines)
    assert found["api_key"]["calls"] == partner
    assert found["warehouse"]["calls"] == sum("/internal/" in one["url"] for one in lines)
    assert found["warehouse"]["callers"] == 1
    assert found["warehouse"]["scopes"] == ["orders:read", "stock:write"]
    sessions = shop("credentials", "--kind", "session", "--search", "cookie:", "--sort", "expires", "--json")
    assert sessions.json["total"] == 40


def test_callers_by_kind(shop) -> None:
    kinds = {one["name"]: one["kind"] for one in shop("callers", "--json").json["callers"]}
    assert kinds["warehouse"] == "service"
    assert kinds["assistant-bot"] == "agent"
    assert kinds["Nuclei @ 192.0.2.13"] == "scanner"
    assert kinds["Googlebot @ 192.0.2.66"] == "crawler"
    scanners = shop("callers", "--kind", "scanner", "--json").json["callers"]
    assert [one["name"] for one in scanners] == ["Nuclei @ 192.0.2.13"]
    assert shop("callers", "--search", "warehouse", "--sort", "operations", "--json").json["total"] == 1


def test_flows_lead_from_caller_to_operation_with_credential(shop) -> None:
    found = shop("flows", "--caller", "warehouse", "--json").json["flows"]
    assert {one["template"] for one in found} == {
        "/internal/v1/picklist",
        "/internal/v1/orders/{orderId}/shipments",
    }
    start = found[0]["fingerprint"][:8]
    assert shop("flows", "--credential", start, "--json").json["flows"] == found
    bare = shop("flows", "--credential", "none", "--search", "admin", "--json").json["flows"]
    assert [one["caller"] for one in bare] == ["Nuclei @ 192.0.2.13"]


def test_sources_account_for_every_record(shop, shop_files: Path) -> None:
    found = {one["source"]: one for one in shop("sources", "--json").json["sources"]}
    for one in found.values():
        assert one["read"] == one["accepted"] + one["rejected"] + one["skipped"]
        assert sum(one["rejected_by"].values()) == one["rejected"]
    assert found["edge"]["read"] == len(edge(shop_files))
    assert found["edge"]["accepted"] == found["edge"]["calls"] + found["edge"]["linked"]
    table = shop("sources").out
    assert "Not understood:" in table and "edge.log:502" in table


def test_an_empty_home_says_how_to_fill_it(run) -> None:
    assert run("sources", "--json").json == {"sources": [], "rejected_shapes": []}
    for command in ("operations", "credentials", "sources"):
        assert "wardgate ingest" in run(command).out


def test_a_narrow_terminal_shows_fewer_columns_and_whole_templates(shop_home: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
    command = [sys.executable, "-m", "wardgate", "--home", str(shop_home), "operations", "--limit", "40"]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "90"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=env) as process:
        os.close(theirs)
        said = b""
        while more := read_from(ours):
            said += more
        assert process.wait(60) == 0
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said.decode()).splitlines()
    assert max(map(len, lines)) <= 90
    assert "calls" in lines[0] and "last seen" not in lines[0]
    assert any("/internal/v1/orders/{orderId}/shipments" in line for line in lines)


def read_from(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end was closed
        return b""
