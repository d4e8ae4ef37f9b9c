"""Rotating the key: credentials that were known stay the same, new ones are known under the new key only."""

import json
from pathlib import Path

from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import Key, load_key, rotate_key
from wardgate.identity.credentials import credentials
from wardgate.inventory.scope import Scope
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs

NOW = 1_700_000_000_000_000
OLD_SECRET, NEW_SECRET = "k3Jd9sLq2WvXz7PbTn5YcRm8HgFt4Ua6", "Zk3Jd9sLq2WvXz7PbTn5YcRm8HgFt4aa"


def ingest(home: Path, lake: Lake, name: str, secrets: list[str]) -> None:
    lines = [
        {"ts": "2026-01-01T00:00:00Z", "method": "GET", "url": "https://api.example/a",
         "request_headers": {"X-API-Key": one, "Authorization": "Basic Ym9iOmh1bnRlcjI="}}
        for one in secrets
    ]  # fmt: skip
    file = home / name
    file.write_text("\n".join(json.dumps(one) for one in lines))
    pipeline = Pipeline(lake, load_key(home), fixed_clock(NOW))
    for _ in Ingest(pipeline, fixed_clock(NOW)).run(find_inputs([str(file)]), Reading(source="s")):
        pass


def test_continuity(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    lake = Lake(embedded_place(home))
    ingest(home.path, lake, "one.jsonl", [OLD_SECRET])
    before = {one.credential_id: one for one in credentials(lake, Scope()).rows}
    old = load_key(home.path)
    new = rotate_key(home.path)
    ingest(home.path, lake, "two.jsonl", [OLD_SECRET, NEW_SECRET])
    after = {one.credential_id: one for one in credentials(lake, Scope()).rows}
    assert len(before) == 2 and before.keys() <= after.keys() and len(after) == 3
    calls = lake.rows("SELECT unnest(credentials) AS c FROM lake.calls").to_pylist()
    prints = {(one["c"]["key_id"], one["c"]["fingerprint"]) for one in calls if one["c"]["kind"] == "api_key"}
    assert prints == {
        (old.key_id, old.fingerprint(OLD_SECRET)),
        (new.key_id, new.fingerprint(OLD_SECRET)),
        (new.key_id, new.fingerprint(NEW_SECRET)),
    }
    (fresh,) = after.keys() - before.keys()
    under_old = Key(old.secret).secret_id("credential", "value\0" + NEW_SECRET)
    assert fresh != under_old, "whoever holds the old key can say nothing about what came after it"
    paths = lake.rows("SELECT DISTINCT path_id FROM lake.paths").num_rows
    assert paths == 1
    assert {one.calls for one in after.values()} == {1, 2, 3}
    lake.close()


def test_since_when_a_rule_has_been_looking_is_remembered_once(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    lake = Lake(embedded_place(home))
    for name in ("one.jsonl", "two.jsonl"):
        ingest(home.path, lake, name, [OLD_SECRET])
    rules = lake.rows("SELECT name, min(since_us) AS since FROM lake.content_rules GROUP BY name").to_pylist()
    assert {"sql-injection", "secret-in-url"} <= {one["name"] for one in rules}
    lake.close()
