"""Several processes on one lake at once: on SQLite, on PostgreSQL, and with the files on S3."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.settings import LakeSettings
from wardgate.lake.asking import ask
from wardgate.lake.batch_locks import LINKING
from wardgate.lake.engine import ALIAS, Place, embedded_place
from wardgate.lake.erasure import Subject, erase
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake

NOON = 1_790_000_000_000_000
PROCESS = Path(__file__).with_name("one_process.py")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own; answers its connection string."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    programs = found[-1].parent
    folder = Path("/tmp") / f"wardgate-pg-{os.getpid()}"
    folder.mkdir()
    as_other = []
    if os.geteuid() == 0:
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        shutil.chown(folder, "postgres")
        as_other = ["runuser", "-u", "postgres", "--"]

    def run(*arguments: str) -> None:
        subprocess.run([*as_other, *arguments], check=True, capture_output=True, cwd=folder, timeout=60)

    user = "postgres" if as_other else os.environ.get("USER", "postgres")
    run(f"{programs}/initdb", "-D", f"{folder}/db", "-A", "trust", "-U", user, "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    run(f"{programs}/pg_ctl", "-D", f"{folder}/db", "-w", "-o", options, "-l", f"{folder}/log", "start")
    try:
        yield f"host={folder} user={user} dbname="
    finally:
        run(f"{programs}/pg_ctl", "-D", f"{folder}/db", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: str, tmp_path: Path) -> Iterator[str]:
    """A new database; answers its connection string."""
    import psycopg

    name = f"lake_{abs(hash(tmp_path)) % 10**9}"
    with psycopg.connect(f"{postgres}postgres", autocommit=True) as con:
        con.execute(f"CREATE DATABASE {name}")
    yield f"postgres:{postgres}{name}"
    with psycopg.connect(f"{postgres}postgres", autocommit=True) as con:
        con.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def object_storage() -> Iterator[dict[str, str]]:
    """An S3 server with the bucket `lake`; answers DuckDB's settings for it."""
    server = shutil.which("moto_server", path=str(Path(sys.executable).parent))
    if server is None:
        pytest.skip("moto, the S3 server, is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            try:
                urlopen(Request(f"http://127.0.0.1:{port}/lake", method="PUT"), timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        yield {
            "s3_endpoint": f"127.0.0.1:{port}",
            "s3_url_style": "path",
            "s3_use_ssl": "false",
            "s3_region": "us-east-1",
            "s3_access_key_id": "test",
            "s3_secret_access_key": "test",
        }
    finally:
        process.terminate()
        process.wait(60)


def as_json(place: Place) -> str:
    lock = str(place.lock) if place.lock else ""
    fields = {"catalog": place.catalog, "data": place.data, "scratch": str(place.scratch), "lock": lock}
    return json.dumps({**fields, "settings": dict(place.settings)})


def together(place: Place, tmp_path: Path, batches: int) -> None:
    """Two writers (and a third that sends what the first sends), a maintainer and a reader, at once."""
    done = tmp_path / "done"
    given = as_json(place)

    def start(role: str, name: str) -> "subprocess.Popen[str]":
        command = [sys.executable, str(PROCESS), role, given, name, str(batches)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    others = [start("maintain", str(done)), start("read", str(done))]
    writers = [start("write", "one"), start("write", "two"), start("write", "one")]
    try:
        for writer in writers:
            _, errors = writer.communicate(timeout=100)
            assert writer.returncode == 0, errors
        done.touch()
        told = []
        for other in others:
            output, errors = other.communicate(timeout=100)
            assert other.returncode == 0, errors
            told.append(json.loads(output))
    finally:
        for process in (*others, *writers):
            process.kill()
    rounds, reads = told
    assert reads > 0
    assert [one["failure"] for one in rounds if one["failure"]] == []
    lake = Lake(place)
    try:
        maintainer = Maintainer(lake, LakeSettings(), fixed_clock(NOON), readers_s=-1)
        assert maintainer.run_once().failure == ""
        maintainer.close()
        rows = lake.rows(f"""
            SELECT source, count(*) AS calls, count(DISTINCT path) AS paths
            FROM {ALIAS}.calls GROUP BY 1 ORDER BY 1
        """).to_pylist()
        assert rows == [{"source": s, "calls": 40 * batches, "paths": 40 * batches} for s in ("one", "two")]
        (row,) = lake.rows(f"""
            SELECT (SELECT sum(calls) FROM {ALIAS}.rollups)::BIGINT AS rolled,
                   (SELECT sum(accepted) FROM {ALIAS}.ledger)::BIGINT AS accepted
        """).to_pylist()
        assert row == {"rolled": 80 * batches, "accepted": 80 * batches}
    finally:
        lake.close()


def vantages_together(place: Place, calls: int) -> None:
    """Two processes commit the same calls, each as seen at its own vantage, in step."""
    Lake(place).close()
    command = [sys.executable, str(PROCESS), "link", as_json(place)]
    processes = [subprocess.Popen([*command, name, str(calls)]) for name in ("edge", "gateway")]
    try:
        assert [one.wait(100) for one in processes] == [0, 0]
    finally:
        for one in processes:
            one.kill()
    lake = Lake(place)
    try:
        (row,) = lake.rows(f"""
            SELECT sum(calls)::BIGINT AS calls, sum(linked)::BIGINT AS linked FROM {ALIAS}.rollups
        """).to_pylist()
        assert row == {"calls": calls, "linked": calls}
    finally:
        lake.close()


def test_two_vantages_at_once_on_sqlite(tmp_path: Path) -> None:
    vantages_together(embedded_place(open_home(tmp_path / "home")), 20)


@pytest.mark.engine
def test_two_vantages_at_once_on_postgresql(tmp_path: Path, database: str) -> None:
    home = open_home(tmp_path / "home")
    vantages_together(Place(database, str(home.lake / "data"), home.scratch, None), 40)


@pytest.mark.engine
def test_a_vantage_waits_while_another_links(tmp_path: Path, database: str) -> None:
    import psycopg

    home = open_home(tmp_path / "home")
    place = Place(database, str(home.lake / "data"), home.scratch, None)
    Lake(place).close()
    with psycopg.connect(database.removeprefix("postgres:")) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LINKING])
        linking = subprocess.Popen([sys.executable, str(PROCESS), "link", as_json(place), "edge", "1"])
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                linking.wait(5)
            other.execute("SELECT pg_advisory_unlock_all()")
            assert linking.wait(100) == 0
        finally:
            linking.kill()


def test_writers_a_maintainer_and_readers_on_sqlite(tmp_path: Path) -> None:
    together(embedded_place(open_home(tmp_path / "home")), tmp_path, 6)


@pytest.mark.engine
def test_writers_a_maintainer_and_readers_on_postgresql(tmp_path: Path, database: str) -> None:
    home = open_home(tmp_path / "home")
    together(Place(database, str(home.lake / "data"), home.scratch, None), tmp_path, 6)


@pytest.mark.engine
def test_a_lake_on_postgresql_and_s3_does_everything(
    tmp_path: Path,
    database: str,
    object_storage: dict[str, str],
    new_lake_traffic,
    log_line,  # type: ignore[no-untyped-def]
) -> None:
    home = open_home(tmp_path / "home")
    place = Place(database, f"s3://lake/{tmp_path.name}", home.scratch, None, object_storage)
    lake = Lake(place)
    try:
        traffic = new_lake_traffic(lake)
        for second in range(9):
            traffic.send(
                *(log_line(f"/{n}", client=f"192.0.2.{n}", at=NOON + second * 10**6) for n in range(20))
            )
        maintainer = Maintainer(lake, LakeSettings(), fixed_clock(NOON), readers_s=-1, orphans_every_s=0)
        report = maintainer.run_once()
        assert (report.failure, report.merged_files) == ("", 18)
        assert maintainer.run_once().failure == ""
        maintainer.close()
        assert erase(lake, Subject(address="192.0.2.3"), fixed_clock(NOON)).calls == 9
        assert ask(place, "SELECT count(*) AS n FROM calls")["n"].to_pylist() == [171]
    finally:
        lake.close()


def test_a_damaged_catalogue_is_one_line(tmp_path: Path) -> None:
    from wardgate.core.errors import WardgateError

    place = embedded_place(open_home(tmp_path / "home"))
    Lake(place).close()
    Path(place.catalog).write_bytes(b"no catalogue at all" * 1000)
    with pytest.raises(WardgateError) as refusal:
        Lake(place)
    assert refusal.value.code == "lake-unreadable"
    assert "\n" not in str(refusal.value)


def test_a_connection_string_keeps_its_password() -> None:
    from wardgate.core.errors import WardgateError

    place = Place(
        "postgres:host=/nowhere user=x password=hunter2secret dbname=y", "/tmp/none", Path("/tmp"), None
    )
    with pytest.raises(WardgateError) as refusal:
        Lake(place)
    assert refusal.value.code == "lake-unreadable"
    assert "hunter2secret" not in str(refusal.value)


def test_a_question_over_a_day_does_not_read_the_year(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    day = 86_400_000_000
    for number in range(20):
        traffic.send(*(log_line(at=NOON + number * 6 * day, client=f"192.0.2.{n}") for n in range(20)))
    maintainer = Maintainer(lake, LakeSettings(), fixed_clock(NOON))
    maintainer.run_once()
    maintainer.close()
    for number in range(20, 24):  # what came after upkeep
        traffic.send(*(log_line(at=NOON + number * 6 * day, client=f"192.0.2.{n}") for n in range(20)))
    start, end = NOON + 125 * day, NOON + 129 * day
    assert _files_read(lake, "calls", "started_at_us", start, end) == 1
    assert _files_read(lake, "rollups", "minute_us", start, end) == 1
    assert _files_read(lake, "calls", "started_at_us", NOON - day, NOON + 999 * day) == 5


def _files_read(lake: Lake, table: str, column: str, start: int, end: int) -> int:
    import re

    with lake.reading() as cursor:
        plan = cursor.execute(
            f"EXPLAIN ANALYZE SELECT count(path_id), max({column}) FROM {ALIAS}.{table} "
            f"WHERE {column} >= make_timestamp({start}) AND {column} < make_timestamp({end})"
        ).fetchall()
    found = re.search(r"Total Files Read: (\d+)", plan[0][1])
    assert found is not None
    return int(found[1])
