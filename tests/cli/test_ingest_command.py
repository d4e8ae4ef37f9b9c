"""`wardgate ingest`: exact accounting, said in words and in one JSON object; nothing is read twice."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

from wardgate.cli.output import clean
from wardgate.core.clock import system_clock
from wardgate.core.home import open_home
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import embedded_place
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake

LINE = '192.0.2.{n} - - [01/Mar/2026:10:00:0{n} +0000] "GET /v1/things/{n} HTTP/1.1" 200 12 "-" "curl/8.5"\n'
GOOD = "".join(LINE.format(n=n) for n in range(8))
BAD = "\x16\x03\x01 what is this\n"


def test_json_ends_with_one_object_with_the_accounting(run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(GOOD + BAD + "\n" + GOOD)
    done = run("ingest", str(log), "--json")
    assert done.code == 0
    assert done.out.count("\n") == 1
    report = done.json
    assert set(report) >= {"sources", "operations", "seconds"}
    (source,) = report["sources"]
    assert {key: source[key] for key in ("name", "format", "read", "accepted", "rejected", "skipped")} == {
        "name": "access", "format": "nginx", "read": 18, "accepted": 16, "rejected": 1, "skipped": 1,
    }  # fmt: skip
    assert report["operations"] == 1
    assert report["seconds"] > 0
    (reject,) = source["rejects"]
    assert (reject["reason"], reject["records"], reject["position"]) == ("not-format", 1, 8)


def test_words_say_what_it_was_taken_for_and_what_was_not_understood(run, tmp_path: Path) -> None:
    log = tmp_path / "shop.log"
    log.write_text(GOOD + BAD)
    done = run("ingest", str(log))
    assert "shop: nginx (8 of 9 lines have the shape of NGINX's" in done.out
    assert "read 9 = accepted 8 + rejected 1 + skipped 0" in done.out
    assert "1 rejected as not-format: the line does not have the shape of the format" in done.out
    assert f"first at {log}:9" in done.out
    assert "The inventory: 1 operation of 1 service" in done.out


def test_what_was_ingested_is_not_read_again_and_what_was_added_is(run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(GOOD)
    assert run("ingest", str(log), "--json").json["sources"][0]["read"] == 8
    again = run("ingest", str(log))
    assert "8 records were ingested earlier and were not read again" in again.out
    with log.open("a") as more:
        more.write(LINE.format(n=9))
    grown = run("ingest", str(log), "--json").json["sources"][0]
    assert (grown["read"], grown["read_before"]) == (1, 8)
    log.rename(tmp_path / "access.log.1")
    packed = tmp_path / "access.log.2.gz"
    packed.write_bytes(gzip.compress((tmp_path / "access.log.1").read_bytes()))
    assert run("ingest", str(packed), "--json").json["sources"][0]["read"] == 0
    assert [one["calls"] for one in run("services", "--json").json["services"]] == [9]


def test_a_folder_is_read_past_a_file_nobody_knows(run, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "access.log").write_text(GOOD)
    (tmp_path / "logs" / "odd.txt").write_text("hello\nworld\n")
    done = run("ingest", str(tmp_path / "logs"), "--json")
    assert done.code == 2
    assert done.json["sources"][0]["accepted"] == 8
    assert [one["code"] for one in done.json["refused"]] == ["format-not-recognised"]
    assert done.err.startswith("[format-not-recognised] ") and done.err.count("\n") == 1


def test_standard_input_and_the_facts_of_a_source(run) -> None:
    done = run(
        "ingest", "-", "--name", "pipe", "--service", "things", "--vantage", "edge", "--environment", "test",
        "--team", "blue", "--proxy", "10.0.0.0/8", "--json", stdin=GOOD.encode(),
    )  # fmt: skip
    assert done.json["sources"][0]["name"] == "pipe"
    assert [one["service"] for one in run("services", "--json").json["services"]] == ["things"]


def test_an_own_log_format_is_read_from_a_string_or_a_configuration(run, tmp_path: Path) -> None:
    layout = '$host [$time_iso8601] "$request" $status $request_time'
    log = tmp_path / "own.log"
    log.write_text('api.test [2026-03-01T10:00:00+00:00] "GET /v1/a HTTP/1.1" 200 0.250\n' * 3)
    assert run("ingest", str(log)).code == 2
    assert run("ingest", str(log), "--layout", layout, "--json").json["sources"][0]["accepted"] == 3
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"events {{}} http {{ log_format own '{layout}'; }}")
    done = run("ingest", str(log), "--log-config", str(conf), "--name", "other", "--json")
    assert done.json["sources"][0]["accepted"] == 3
    (operation,) = run("operations", "--json").json["operations"]
    assert 225_000 < operation["p50_us"] < 275_000


def test_no_secret_is_said(run, tmp_path: Path) -> None:
    secret = "Zk9" + "x7Qw2Lm4Rt6Yp8" + "Bn0Vc3"
    log = tmp_path / "calls.jsonl"
    calls = [
        {
            "method": "GET",
            "url": f"https://api.test/v1/a?token={secret}",
            "request_headers": {"authorization": f"Bearer {secret}"},
        },
        {"method": "GET", "url": "https://api.test/v1/b", "status": secret},
    ]
    log.write_text("\n".join(map(json.dumps, calls)) + f"\nnot json {secret}\n")
    outputs = [run("ingest", str(log)), run("parse", str(log), "--json", "--rejects")]
    outputs += [run(name) for name in ("credentials", "flows", "sources", "doctor")]
    for done in outputs:
        assert secret not in done.out + done.err
        assert secret[:8] not in done.out + done.err


def test_text_from_traffic_cannot_act_on_a_terminal(run, tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\u202egnp.exe\x9b31m\u2028"
    log = tmp_path / "calls.jsonl"
    call = {
        "method": "GET",
        "url": f"https://api.test/v1/{evil}",
        "request_headers": {"user-agent": f"curl/{evil}"},
    }
    log.write_text(json.dumps(call) + "\n" + f"nonsense {evil}\n")
    for done in (
        run("ingest", str(log)),
        run("operations"),
        run("callers"),
        run("sources"),
        run("parse", str(log)),
    ):
        shown = done.out + done.err
        assert not any(one in shown for one in "\x1b\x07\u202e\x9b\u2028")
    assert clean("a\x1b[31m\u202eb\x7f\u2066") == "a\\x1b[31m\\u202eb\\x7f\\u2066"
    assert clean("é漢 ok") == "é漢 ok"


def test_an_account_without_a_home_folder_can_ingest(tmp_path: Path, shop_files: Path) -> None:
    """As system services run: the engine's extensions are loaded from where they are, and copied nowhere."""
    home, log = str(tmp_path / "home"), str(shop_files / "gateway.jsonl")
    done = subprocess.run(
        [sys.executable, "-m", "wardgate", "--home", home, "ingest", log, "--json"],
        env={**os.environ, "HOME": str(tmp_path / "nowhere")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["operations"] > 0
    assert not (tmp_path / "nowhere").exists()


def test_a_home_may_be_moved(run, home: Path, tmp_path: Path) -> None:
    """With all that is in it: what was there is found, and more comes in and is merged."""
    logs = []
    for n in range(4):
        logs.append(tmp_path / f"log-{n}.log")
        logs[n].write_text("".join(LINE.format(n=i) for i in range(n, n + 4)))
    run("ingest", str(logs[0]), str(logs[1]))
    home.rename(tmp_path / "before")
    (tmp_path / "before").rename(tmp_path / "elsewhere")
    assert not home.exists()
    there = ("--home", str(tmp_path / "elsewhere"))
    assert run(*there, "ingest", str(logs[2]), str(logs[3])).code == 0
    assert sum(one["calls"] for one in run(*there, "services", "--json").json["services"]) == 16
    lake = Lake(embedded_place(open_home(tmp_path / "elsewhere")))
    upkeep = Maintainer(lake, LakeSettings(), system_clock, readers_s=0, orphans_every_s=0)
    assert upkeep.run_once().failure == upkeep.run_once().failure == ""
    upkeep.close()
    lake.close()
    assert run(*there, "query", "SELECT count(*) AS n FROM calls", "--format", "csv").out.split() == [
        "n",
        "16",
    ]
