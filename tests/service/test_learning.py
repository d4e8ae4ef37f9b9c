"""Templates in every ingestion: learned, in force for history too, the same however the traffic came."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wardgate.core.clock import fixed_clock
from wardgate.core.home import Home, open_home
from wardgate.core.keys import Key
from wardgate.core.settings import LakeSettings
from wardgate.inventory.operations import Operation, operations
from wardgate.inventory.scope import Scope
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.recognise.templating.settled import Settled
from wardgate.service.ingest import Ingest, Reading
from wardgate.service.learning import Learner, learn_all
from wardgate.sources.files import find_inputs

KEY = Key(bytes(32))
CLOCK = fixed_clock(1_772_366_400_000_000)
NAMES = "ada bela chen dara emil fatou goran hana ines jomo kofi lena".split()
PATHS = [f"/members/{name}/{kind}" for name in NAMES for kind in ("orders", "invoices", "avatar")]
PATHS += [f"/members/{name}" for name in NAMES] + ["/members/me", "/status", "/orders/7", "/orders/8"]
TEMPLATES = {
    "/members/{memberId}": 12,
    "/members/{memberId}/orders": 12,
    "/members/{memberId}/invoices": 12,
    "/members/{memberId}/avatar": 12,
    "/members/me": 1,
    "/orders/{orderId}": 2,
    "/status": 1,
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def lake(home: Home) -> Iterator[Lake]:
    opened = Lake(embedded_place(home))
    yield opened
    opened.close()


def written(file: Path, paths: list[str], host: str = "api.test") -> Path:
    """Calls as JSON Lines."""
    rows = [
        {"ts": "2026-03-01T10:00:00Z", "method": "GET", "url": f"https://{host}{path}", "status": 200}
        for path in paths
    ]
    file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    return file


def ingest(lake: Lake, file: Path, *, learn: bool = True, eager: bool = True) -> Pipeline:
    """As `wardgate ingest` does it, in a process of its own."""
    pipeline = Pipeline(lake, KEY, CLOCK, eager=eager)
    list(Ingest(pipeline, CLOCK).run(find_inputs([str(file)]), Reading()))
    if learn:
        learn_all(lake, KEY, CLOCK, pipeline=pipeline)
    return pipeline


def shown(lake: Lake, service: str = "api.test") -> dict[str, Operation]:
    return {one.template: one for one in operations(lake, Scope(service=service)).rows}


def counts(lake: Lake, service: str = "api.test") -> dict[str, int]:
    return {template: one.calls for template, one in shown(lake, service).items()}


def test_slugs_are_parameters_and_single_sightings_are_marked(lake: Lake, tmp_path: Path) -> None:
    ingest(lake, written(tmp_path / "a.jsonl", PATHS))
    found = shown(lake)
    assert {template: one.calls for template, one in found.items()} == TEMPLATES
    assert {template for template, one in found.items() if one.is_uncertain} == {"/members/me", "/status"}
    assert all(one.basis == "learned" and (one.confidence or 0) > 0.7 for one in found.values())


def test_history_follows_when_later_traffic_tells_more(lake: Lake, tmp_path: Path) -> None:
    ingest(lake, written(tmp_path / "a.jsonl", ["/shelf/fatou/menu", "/status", "/orders/7"]))
    before = shown(lake)
    assert set(before) == {"/shelf/fatou/menu", "/status", "/orders/{orderId}"}
    ingest(lake, written(tmp_path / "b.jsonl", [f"/shelf/{name}/menu" for name in NAMES if name != "fatou"]))
    after = shown(lake)
    assert after["/shelf/{shelfId}/menu"].calls == 12, "the call of the first file has moved"
    assert after["/status"].operation_id == before["/status"].operation_id
    assert after["/orders/{orderId}"].operation_id == before["/orders/{orderId}"].operation_id
    replaced = lake.rows(f"SELECT operation_id FROM {ALIAS}.main.replaced")["operation_id"].to_pylist()
    assert before["/shelf/fatou/menu"].operation_id in replaced, "its id stays a name of what it became"


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(1, 4), st.booleans())
def test_the_same_traffic_has_the_same_templates_however_it_came(
    tmp_path_factory: pytest.TempPathFactory, rng: random.Random, parts: int, eager: bool
) -> None:
    folder = tmp_path_factory.mktemp("shuffled")
    paths = PATHS + PATHS[::3]
    rng.shuffle(paths)
    opened = Lake(embedded_place(open_home(folder / "home")))
    for at in range(parts):
        ingest(
            opened, written(folder / f"{at}.jsonl", paths[at::parts]), learn=rng.random() < 0.5, eager=eager
        )
    learn_all(opened, KEY, CLOCK)
    got = {template: one.confidence for template, one in shown(opened).items()}
    rows = opened.rows(f"SELECT count(*) AS n FROM {ALIAS}.main.paths")["n"][0].as_py()
    assert learn_all(opened, KEY, CLOCK).paths == 0
    assert opened.rows(f"SELECT count(*) AS n FROM {ALIAS}.main.paths")["n"][0].as_py() == rows
    opened.close()
    assert set(got) == set(TEMPLATES)
    expected = _CONFIDENCES.setdefault("first", got)
    assert got == pytest.approx(expected, abs=0.05)


_CONFIDENCES: dict[str, dict[str, float | None]] = {}


def test_a_replay_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    ingest(lake, written(tmp_path / "a.jsonl", PATHS))
    tables = ("paths", "sightings", "templates", "replaced")
    before = {name: lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.main.{name}") for name in tables[1:]}
    ingest(lake, written(tmp_path / "again.jsonl", PATHS[::-1]))
    after = {name: lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.main.{name}") for name in tables[1:]}
    assert before == after
    assert counts(lake) == {template: 2 * calls for template, calls in TEMPLATES.items()}


def test_a_kill_between_the_calls_and_the_learning_loses_nothing(lake: Lake, tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", PATHS)
    ingest(lake, file, learn=False, eager=False)
    assert "/members/{memberId}" not in counts(lake)
    ingest(lake, file)  # reads nothing anew, and learns what was sighted before
    assert counts(lake) == TEMPLATES


@pytest.mark.parametrize("moment", ["while it learns", "before its commit", "after its commit"])
def test_a_kill_while_learning_loses_nothing(home: Home, tmp_path: Path, moment: str) -> None:
    file = written(tmp_path / "a.jsonl", PATHS)
    done = subprocess.run([sys.executable, "-c", _KILLED, str(home.path), str(file), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    opened = Lake(embedded_place(home))
    ingest(opened, file)
    assert counts(opened) == TEMPLATES
    assert learn_all(opened, KEY, CLOCK).services == ()
    opened.close()


_KILLED = """
import os, signal, sys
from pathlib import Path
from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import Key
from wardgate.inventory import relabelling
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest, Reading
from wardgate.service.learning import learn_all
from wardgate.sources.files import find_inputs

home, file, moment = sys.argv[1:]
key, clock = Key(bytes(32)), fixed_clock(1_772_366_400_000_000)
lake = Lake(embedded_place(open_home(Path(home))))
pipeline = Pipeline(lake, key, clock)
list(Ingest(pipeline, clock).run(find_inputs([file]), Reading()))
learn, commit = relabelling.learn, lake.commit


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def learned(*given):
    learn(*given)
    die()


def committed(batch):
    if moment == "before its commit":
        die()
    commit(batch)
    die()


if moment == "while it learns":
    relabelling.learn = learned
else:
    lake.commit = committed
learn_all(lake, key, clock, pipeline=pipeline)
"""

UNITS = "amber basin cedar delta ember flint".split()
UNIT_PATHS = [f"/units/{name}" for name in UNITS] + ["/units", "/units/search", "/health"]


def answered(file: Path, paths: list[str]) -> Path:
    """Calls with bodies: units answer with themselves, and their collection lists them."""
    rows = []
    for path in paths:
        name = path.removeprefix("/units/")
        body: object = {"state": "fine", "note": f"canary-{len(path)}-hush"}
        if path == "/units":
            body = {"units": [{"id": one, "size": 3} for one in UNITS]}
        elif name in UNITS:
            body = {"id": name, "size": 3, "note": "canary-unit-hush"}
        rows.append(
            {
                "ts": "2026-03-01T10:00:00Z",
                "method": "GET",
                "url": f"https://api.test{path}",
                "status": 200,
                "response_headers": {"content-type": "application/json"},
                "response_body": body,
            }
        )
    file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    return file


def test_what_answers_return_tells_words_that_are_identifiers(lake: Lake, home: Home, tmp_path: Path) -> None:
    ingest(lake, answered(tmp_path / "a.jsonl", UNIT_PATHS))
    assert counts(lake) == {
        "/units": 1,
        "/units/{unitId}": len(UNITS),
        "/units/search": 1,
        "/health": 1,
    }
    sighted = lake.rows(f"SELECT path, shapes, objects FROM {ALIAS}.main.sightings ORDER BY path").to_pylist()
    assert any(row["objects"] for row in sighted if row["path"] == "/units")
    kept = b"".join(file.read_bytes() for file in home.path.rglob("*") if file.is_file())
    assert b"-hush" not in kept and str(sighted).find("hush") < 0


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_answers_say_the_same_however_they_came(
    tmp_path_factory: pytest.TempPathFactory, rng: random.Random, parts: int
) -> None:
    folder = tmp_path_factory.mktemp("answers")
    paths = UNIT_PATHS + UNIT_PATHS[::2]
    rng.shuffle(paths)
    opened = Lake(embedded_place(open_home(folder / "home")))
    for at in range(parts):
        ingest(opened, answered(folder / f"{at}.jsonl", paths[at::parts]), learn=rng.random() < 0.5)
    learn_all(opened, KEY, CLOCK)
    facts = opened.rows(f"SELECT path, shapes, objects FROM {ALIAS}.main.sightings").to_pylist()
    told = {(row["path"], *(row[kind] or ())) for row in facts for kind in ("shapes", "objects") if row[kind]}
    got = set(shown(opened)), {(path, one) for path, *ids in told for one in ids}
    assert learn_all(opened, KEY, CLOCK).services == ()
    opened.close()
    assert got == _ANSWERS.setdefault("first", got)
    assert "/units/{unitId}" in got[0]


_ANSWERS: dict[str, object] = {}


def test_two_processes_come_to_the_same(home: Home, tmp_path: Path) -> None:
    one, other = Lake(embedded_place(home)), Lake(embedded_place(home))
    first = ingest(one, written(tmp_path / "a.jsonl", PATHS[::2]), learn=False)
    second = ingest(other, written(tmp_path / "b.jsonl", PATHS[1::2]), learn=False)
    learn_all(one, KEY, CLOCK, pipeline=first)
    learn_all(other, KEY, CLOCK, pipeline=second)
    assert counts(one) == counts(other) == TEMPLATES
    assert learn_all(one, KEY, CLOCK).paths == 0
    one.close()
    other.close()


def test_upkeep_keeps_what_was_learned(lake: Lake, tmp_path: Path) -> None:
    for at in range(9):
        ingest(lake, written(tmp_path / f"{at}.jsonl", PATHS[at::9]))
    before = counts(lake)
    maintainer = Maintainer(lake, LakeSettings(), CLOCK, readers_s=0, orphans_every_s=0)
    assert maintainer.run_once().failure == ""
    maintainer.close()
    assert counts(lake) == before == TEMPLATES
    assert lake.rows(f"SELECT count(*) AS n FROM {ALIAS}.main.templates")["n"][0].as_py() <= 9
    assert learn_all(lake, KEY, CLOCK).services == (), "nothing looks new after it"


def test_a_process_that_stays_labels_as_it_has_learned(lake: Lake, tmp_path: Path) -> None:
    pipeline = Pipeline(lake, KEY, CLOCK)
    pinned: dict[str, Settled] = {}
    learner = Learner(pipeline, CLOCK, lambda lake: pinned)

    def take(name: str, paths: list[str]) -> None:
        list(Ingest(pipeline, CLOCK).run(find_inputs([str(written(tmp_path / name, paths))]), Reading()))

    take("a.jsonl", PATHS)
    learner.run_once()
    assert counts(lake) == TEMPLATES
    take("b.jsonl", ["/members/zoe", "/members/zoe/orders"])
    found = counts(lake)
    assert (found["/members/{memberId}"], found["/members/{memberId}/orders"]) == (13, 13), (
        "at once, not later"
    )
    pinned["api.test"] = Settled(pinned=("/members/zoe",))
    learner.run_once()
    take("c.jsonl", ["/members/zoe", "/members/yara"])
    found = counts(lake)
    assert (found["/members/zoe"], found["/members/{memberId}"]) == (2, 13)


def test_a_lake_from_before_templates_were_learned_opens_and_learns(home: Home, tmp_path: Path) -> None:
    old = Lake(embedded_place(home))
    ingest(old, written(tmp_path / "a.jsonl", PATHS), learn=False, eager=False)
    with old.writing() as con:
        for table in ("sightings", "templates", "replaced"):
            con.execute(f"DROP TABLE {ALIAS}.{table}")
        for column in ("confidence", "basis"):
            con.execute(f"ALTER TABLE {ALIAS}.paths DROP COLUMN {column}")
    old.close()
    opened = Lake(embedded_place(home))
    assert learn_all(opened, KEY, CLOCK).services == ("api.test",)
    assert counts(opened) == TEMPLATES
    assert learn_all(opened, KEY, CLOCK).services == ()
    ingest(opened, written(tmp_path / "b.jsonl", ["/members/zoe"]))
    assert counts(opened)["/members/{memberId}"] == 13
    opened.close()


def test_what_a_service_says_is_no_evidence_for_another(lake: Lake, tmp_path: Path) -> None:
    ingest(lake, written(tmp_path / "a.jsonl", PATHS))
    ingest(lake, written(tmp_path / "b.jsonl", ["/shelf/fatou", "/status"], "other.test"))
    ingest(lake, written(tmp_path / "c.jsonl", [f"/shelf/{name}" for name in NAMES]))
    assert set(counts(lake, "other.test")) == {"/shelf/fatou", "/status"}
    assert counts(lake)["/shelf/{shelfId}"] == 12


def test_files_and_calls_by_name_keep_what_they_have(lake: Lake, tmp_path: Path) -> None:
    files = [f"/img/{name}.png" for name in NAMES]
    ingest(lake, written(tmp_path / "a.jsonl", PATHS + files))
    static = operations(lake, Scope(service="api.test", static=True)).rows
    assert {one.template for one in static} == set(files)
