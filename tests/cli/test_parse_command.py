"""`wardgate parse`: calls on standard output, what was kept aside on standard error, nothing kept."""

import json
from pathlib import Path

from wardgate.core.call import COLUMNS


def test_each_call_is_one_json_object_of_documented_columns(run, shop_files: Path) -> None:
    done = run("parse", str(shop_files / "gateway.jsonl"), "--json", "--limit", "40")
    calls = [json.loads(line) for line in done.out.splitlines()]
    assert len(calls) == 40
    known = {one.name for one in COLUMNS} | {"started_at"}
    assert all(set(call) <= known for call in calls)
    first = calls[0]
    assert first["service"] == "api.shop.example"
    assert isinstance(first["started_at_us"], int) and first["started_at"].startswith("2026-02-28T12:")
    assert any(call.get("credentials") for call in calls)
    assert done.err.startswith("wardgate-jsonl: ")


def test_words_and_rejects(run, shop_files: Path) -> None:
    done = run(
        "parse", str(shop_files / "edge.log"), "--log-config", str(shop_files / "nginx.conf"), "--rejects"
    )
    assert "read 701 = accepted 700 + rejected 1 + skipped 0" in done.err
    assert "rejected record 502: not-format" in done.err
    assert "/v1/cart/items" in done.out


def test_nothing_is_kept(run, home: Path, shop_files: Path) -> None:
    run("parse", str(shop_files / "gateway.jsonl"), "--json")
    assert not (home / "lake" / "catalog.sqlite").exists()
    assert run("services", "--json").json["total"] == 0


def test_only_one_file_at_a_time(run, shop_files: Path) -> None:
    done = run("parse", str(shop_files))
    assert (done.code, done.err.split()[0]) == (2, "[parse-one-file]")
