"""Every way of presenting a credential, pushed as JSON Lines and as OTLP traces: found once, not in clear."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from records import jsonl, traces
from ways import WAYS

from wardgate.lake.tables import TABLES

Asking = Callable[..., list[dict[str, Any]]]
WHOLE = "".join(jsonl(way) + "\n" for way in WAYS).encode()


@pytest.mark.parametrize("name", ["ways-lines", "ways-spans"])
def test_each_way(server: Any, asking: Asking, name: str) -> None:
    if name == "ways-lines":
        assert server.push(WHOLE, name, "k1").json()["accepted"] == len(WAYS)
    else:
        headers = {"Authorization": f"Bearer {server.token(name)}", "Content-Type": "application/json"}
        assert server.ask("POST", "/v1/traces", traces(WAYS), headers).json() == {}
    rows = asking(
        server.home, f"SELECT credentials FROM lake.calls WHERE source = '{name}' ORDER BY position"
    )
    found = {
        way.name: [(one["kind"], one["place"]) for one in row["credentials"] or ()]
        for way, row in zip(WAYS, rows, strict=True)
    }
    assert found == {way.name: [(way.kind, way.place)] for way in WAYS}
    kept = "".join(
        json.dumps(row, default=str)
        for table in TABLES
        for row in asking(server.home, f"SELECT * FROM lake.{table}")
    )
    raw = b"".join(path.read_bytes() for path in server.home.path.rglob("*") if path.is_file())
    secrets = {one for way in WAYS for one in way.secrets}
    assert [one for one in secrets if one in kept or one.encode() in raw] == []


def test_what_both_show_is_one_credential(server: Any, asking: Asking) -> None:
    for name in ("same-lines", "same-spans"):
        headers = {"Authorization": f"Bearer {server.token(name)}", "Content-Type": "application/json"}
        if name == "same-lines":
            server.push(WHOLE, name, "k1")
        else:
            server.ask("POST", "/v1/traces", traces(WAYS), headers)
    rows = asking(
        server.home,
        "SELECT source, position, credential_id FROM lake.calls WHERE source LIKE 'same-%' ORDER BY ALL",
    )
    by_source: dict[str, list[int]] = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append(row["credential_id"])
    assert len(by_source["same-lines"]) == len(WAYS)
    assert by_source["same-lines"] == by_source["same-spans"]
