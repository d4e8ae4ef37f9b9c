"""`wardgate backup` while everything runs, and `restore`: no acknowledged call is missing or doubled."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wardgate.core.home import open_home
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake

Run = Callable[..., Any]
PER_BATCH = 40


@pytest.fixture
def up(home: Path, run: Run) -> Iterator[tuple[str, str]]:
    """A running installation whose upkeep never rests: its address, and a token."""
    home.mkdir()
    (home / "wardgate.toml").write_text("[lake]\nmaintenance_interval_s = 1\n")
    token = run("token", "create", "edge", "--json").json["token"]
    process = subprocess.Popen(
        [sys.executable, "-m", "wardgate", "--home", str(home), "up", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("WARDGATE_")},
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    yield url.removeprefix("http://").rstrip("/"), token
    process.kill()
    process.wait()


def batch(sender: int, at: int) -> bytes:
    first = sender * 100000 + at * PER_BATCH
    calls = (
        {"method": "GET", "url": f"https://shop.example/orders/{first + n}", "status": 200}
        for n in range(PER_BATCH)
    )
    return b"".join(json.dumps(one).encode() + b"\n" for one in calls)


class Sender:
    """Pushes batches one after the other, and knows which were acknowledged when."""

    def __init__(self, number: int, where: str, token: str) -> None:
        self.number, self.where, self.token = number, where, token
        self.begun = 0
        self.acknowledged = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def push(self, at: int) -> None:
        connection = http.client.HTTPConnection(self.where, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": f"{self.number}-{at}",
        }
        connection.request("POST", "/v1/calls", batch(self.number, at), headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert (answer.status, json.loads(body)["accepted"]) == (200, PER_BATCH), body

    def _run(self) -> None:
        while not self.stop.is_set():
            self.begun += 1
            self.push(self.begun - 1)
            self.acknowledged += 1


def totals(home: Path) -> dict[str, int]:
    lake = Lake(embedded_place(open_home(home)))
    found: dict[str, int] = lake.rows(
        """SELECT (SELECT count(*) FROM lake.calls) AS calls,
        (SELECT sum(accepted) FROM lake.ledger)::BIGINT AS accepted,
        (SELECT sum(calls + linked) FROM lake.rollups)::BIGINT AS counted,
        (SELECT count(*) FROM lake.ledger) AS batches,
        (SELECT count(DISTINCT path) FROM lake.calls) AS paths"""
    ).to_pylist()[0]
    lake.close()
    return found


@pytest.mark.timeout(300)
def test_backups_under_load_hold_what_was_acknowledged(
    up: tuple[str, str], home: Path, run: Run, tmp_path: Path
) -> None:
    senders = [Sender(number, *up) for number in range(2)]
    for one in senders:
        one.thread.start()
    told = []
    try:
        deadline = time.monotonic() + 60
        while min(one.acknowledged for one in senders) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for name in ("b.tar.zst", "folder", "b.tar"):
            least = [one.acknowledged for one in senders]
            target = tmp_path / name
            done = subprocess.run(
                [sys.executable, "-m", "wardgate", "--home", str(home), "backup", str(target), "--with-key"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            told.append((target, least, [one.begun for one in senders]))
    finally:
        for one in senders:
            one.stop.set()
        for one in senders:
            one.thread.join()
    assert sum(one.acknowledged for one in senders) == sum(one.begun for one in senders) > 0
    for target, least, most in told:
        new = tmp_path / f"new-{target.name}"
        outcome = run("--home", str(new), "restore", str(target), "--json")
        assert outcome.code == 0, outcome.err
        found = totals(new)
        assert found["calls"] == found["accepted"] == found["counted"] == found["paths"]
        assert found["calls"] == found["batches"] * PER_BATCH
        assert sum(least) <= found["batches"] <= sum(most)
        assert outcome.json["rows"]["calls"] == found["calls"]
        held = batches_held(new)
        for sender, (acknowledged, begun) in enumerate(zip(least, most, strict=True)):
            mine = {at for number, at in held if number == sender}
            assert set(range(acknowledged)) <= mine <= set(range(begun))


def batches_held(home: Path) -> set[tuple[int, int]]:
    lake = Lake(embedded_place(open_home(home)))
    paths = lake.rows("SELECT path FROM lake.calls")["path"].to_pylist()
    lake.close()
    numbers = (int(one.rpartition("/")[2]) for one in paths)
    return {(number // 100000, number % 100000 // PER_BATCH) for number in numbers}


def test_a_retry_at_the_restored_home_doubles_nothing(shop_home: Path, run: Run, tmp_path: Path) -> None:
    """What was read before the backup is known in the new home."""
    log = tmp_path / "access.log"
    line = '203.0.113.1 - - [14/Nov/2025:10:00:00 +0000] "GET /users/{n} HTTP/1.1" 200 12 "-" "curl/8.1"\n'
    log.write_text("".join(line.format(n=n) for n in range(50)))
    assert run("ingest", str(log)).code == 0
    out = run("backup", str(tmp_path / "b.tar"), "--with-key")
    assert (out.code, "The key " in out.out) == (0, True)
    assert run("--home", str(tmp_path / "new"), "restore", str(tmp_path / "b.tar")).code == 0
    again = run("--home", str(tmp_path / "new"), "ingest", str(log), "--json")
    assert again.code == 0
    assert totals(tmp_path / "new")["calls"] == 50


def test_what_it_says(run: Run, shop_home: Path, tmp_path: Path) -> None:
    backed = run("--home", str(shop_home), "backup", str(tmp_path / "b.tar.zst"))
    assert backed.code == 0
    assert backed.out.endswith("is not in it: keep that elsewhere, too.\n")
    again = run("--home", str(shop_home), "backup", str(tmp_path / "b.tar.zst"))
    assert (again.code, again.err.startswith("[backup-target] ")) == (2, True)
    restored = run("--home", str(tmp_path / "new"), "restore", str(tmp_path / "b.tar.zst"))
    assert restored.code == 0
    assert "all checked." in restored.out and "was not in the backup: put it at" in restored.out
    for listing in ("services", "operations", "callers", "credentials"):
        then, now = (
            run("--home", str(one), listing, "--json").json[listing] for one in (shop_home, tmp_path / "new")
        )
        for row in (*then, *now):
            row.pop("confidence", None)  # of several paths of an operation any one's is shown
        assert now == then
    nothing = run("--home", str(tmp_path / "newer"), "restore", str(tmp_path / "none"))
    assert (nothing.code, nothing.err) == (2, f"[backup-unreadable] there is no backup {tmp_path}/none.\n")
