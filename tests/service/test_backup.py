"""Backups are whole or refused, and a restored home answers as the first one did."""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from wardgate.core.clock import fixed_clock, system_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import Home, open_home
from wardgate.core.keys import load_key
from wardgate.core.settings import Config
from wardgate.lake.engine import embedded_place
from wardgate.lake.freeing import kept_whole
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.backup import backup
from wardgate.service.ingest import Ingest
from wardgate.service.opening import Reading
from wardgate.service.restoring import ASIDE, restore
from wardgate.sources.files import find_inputs
from wardgate.state.store import open_state
from wardgate.state.tokens import PushTokens

NOW_US = 1_794_657_600_000_000
CANARY = "sk_live_canary4Q9sXbackup"
LINE = (
    '203.0.113.{n} - - [14/Nov/2026:10:00:00 +0000] "GET /users/{at}?api_key={key} HTTP/1.1" 200 12 '
    '"-" "curl/8.1"\n'
)


def take_in(pipeline: Pipeline, log: Path, source: str) -> None:
    reading = Reading(source=source, format="nginx")
    assert list(Ingest(pipeline, fixed_clock(NOW_US)).run(find_inputs([str(log)]), reading))


def filled(home: Home, folder: Path, calls: int = 5000) -> None:
    """Calls in two commits, a rejected line, a push token, a configuration."""
    lake = Lake(embedded_place(home))
    key = load_key(home.path)
    pipeline = Pipeline(lake, key, fixed_clock(NOW_US))
    log = folder / "access.log"
    for size in (calls, 5):
        log.write_text(
            "".join(LINE.format(n=at % 200, at=at, key=CANARY) for at in range(size)) + "no such line\n"
        )
        take_in(pipeline, log, f"web{size}")
    lake.close()
    state = open_state(home)
    PushTokens(state, key, fixed_clock(NOW_US)).create("edge")
    state.close()
    home.config.write_text("[listen]\nport = 1234\n")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = open_home(tmp_path_factory.mktemp("first") / "home")
    filled(home, tmp_path_factory.mktemp("logs"))
    return home


@pytest.fixture(scope="module")
def archive(first: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "b.tar"
    backup(first, Config(), path, fixed_clock(NOW_US))
    return path


def contents(home: Home) -> dict[str, list[str]]:
    """Every row of every table of the lake, as text."""
    lake = Lake(embedded_place(home))
    names = ("calls", "paths", "credentials", "callers", "rollups", "latencies", "ledger", "rejects")
    found = {name: sorted(map(str, lake.rows(f"SELECT * FROM lake.{name}").to_pylist())) for name in names}
    lake.close()
    return found


def code_of(what: Callable[[], object]) -> str:
    with pytest.raises(WardgateError) as caught:
        what()
    return caught.value.code


def names_in(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


@pytest.mark.parametrize("name", ["b.tar", "b.tar.zst", "b"])
def test_a_restored_home_holds_what_the_first_one_held(first: Home, tmp_path: Path, name: str) -> None:
    done = backup(first, Config(), tmp_path / name, fixed_clock(NOW_US), with_key=True)
    restored = restore(tmp_path / name, tmp_path / "new")
    assert (restored.has_key, restored.configuration) == (True, "wardgate.toml")
    assert restored.manifest == done.manifest
    second = open_home(tmp_path / "new")
    assert contents(second) == contents(first)
    assert load_key(second.path) == load_key(first.path)
    assert second.config.read_text() == first.config.read_text()
    state = open_state(second)
    tokens = PushTokens(state, load_key(second.path), fixed_clock(NOW_US)).all()
    state.close()
    assert [one.name for one in tokens] == ["edge"]
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_its_lake_goes_on(archive: Path, first: Home, tmp_path: Path) -> None:
    """What was read is not read again, upkeep works, and its files are the restored ones."""
    restore(archive, tmp_path / "new", key=first.path / "keys" / "installation.key")
    home = open_home(tmp_path / "new")
    moved = first.path.rename(first.path.with_name("away"))
    try:
        lake = Lake(embedded_place(home))
        pipeline = Pipeline(lake, load_key(home.path), fixed_clock(NOW_US))
        log = tmp_path / "access.log"
        lines = [LINE.format(n=at % 200, at=at, key=CANARY) for at in range(5009)]
        log.write_text("".join([*lines[:5000], "no such line\n", *lines[5000:]]))
        take_in(pipeline, log, "web5000")
        maintainer = Maintainer(lake, Config().lake, system_clock, readers_s=0)
        assert maintainer.run_once().failure == ""
        maintainer.close()
        counts = lake.rows("SELECT sum(read) AS read, sum(accepted) AS accepted FROM lake.ledger").to_pylist()
        calls = lake.rows("SELECT count(*) AS n FROM lake.calls").to_pylist()
        lake.close()
        assert (counts, calls) == ([{"read": 5016, "accepted": 5014}], [{"n": 5014}])
    finally:
        moved.rename(first.path)


def test_the_key_is_put_in_only_when_asked_for(first: Home, archive: Path, tmp_path: Path) -> None:
    assert "keys/installation.key" not in names_in(archive)
    secret = (first.path / "keys" / "installation.key").read_bytes().strip()
    assert secret not in archive.read_bytes()
    assert CANARY.encode() not in archive.read_bytes()
    backup(first, Config(), tmp_path / "b.tar", fixed_clock(NOW_US), with_key=True)
    assert "keys/installation.key" in names_in(tmp_path / "b.tar")
    assert (tmp_path / "b.tar").stat().st_mode & 0o777 == 0o600


def test_without_its_key_a_restored_home_waits_for_it(
    archive: Path, first: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a new key, every credential would be a new one: none is made."""
    restored = restore(archive, tmp_path / "new")
    assert not restored.has_key
    assert code_of(lambda: load_key(tmp_path / "new")) == "key-not-restored"
    monkeypatch.setenv("WARDGATE_KEY", "ab" * 32)
    assert code_of(lambda: load_key(tmp_path / "new")) == "key-not-restored"
    monkeypatch.delenv("WARDGATE_KEY")
    shutil.copy(first.path / "keys" / "installation.key", tmp_path / "new" / "keys")
    assert load_key(tmp_path / "new") == load_key(first.path)


def test_another_key_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "other.key").write_text("ab" * 32)
    assert code_of(lambda: restore(archive, tmp_path / "new", key=tmp_path / "other.key")) == "restore-key"
    assert code_of(lambda: restore(archive, tmp_path / "new", key=tmp_path / "none.key")) == "restore-key"
    assert not (tmp_path / "new").exists()


def test_a_home_that_is_not_empty_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "precious").write_text("1")
    assert code_of(lambda: restore(archive, tmp_path / "new")) == "restore-home"
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["precious"]


def test_what_a_killed_restore_left_is_no_obstacle(archive: Path, tmp_path: Path) -> None:
    """And until it is repeated, nothing begins to work on half a home."""
    (tmp_path / "new" / ".restoring" / "lake").mkdir(parents=True)
    assert code_of(lambda: open_home(tmp_path / "new")) == "home-restoring"
    restore(archive, tmp_path / "new")
    assert open_home(tmp_path / "new").lake.is_dir()
    assert not (tmp_path / "new" / ".restoring").exists()


def test_torn_archives_are_refused_wherever_they_are_torn(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    packed = zstandard.ZstdCompressor().compress(whole)
    for raw, suffix in ((whole, "tar"), (packed, "tar.zst")):
        end = raw.rstrip(b"\0") if suffix == "tar" else raw
        for share in (0, 0.001, 0.1, 0.5, 0.9, 0.999):
            torn = tmp_path / f"torn.{suffix}"
            torn.write_bytes(end[: int(len(end) * share)])
            code = code_of(lambda torn=torn: restore(torn, tmp_path / "new"))
            assert code == "backup-broken", (suffix, share)
            assert not (tmp_path / "new").exists()


def test_an_archive_with_one_flipped_bit_is_refused_or_the_same(archive: Path, tmp_path: Path) -> None:
    """Wherever it is: padding apart, which says nothing."""
    whole = archive.read_bytes()
    refused = 0
    for share in range(1, 20):
        raw = bytearray(whole.rstrip(b"\0"))
        raw[len(raw) * share // 20] ^= 4
        flipped = tmp_path / "flipped.tar"
        flipped.write_bytes(raw + bytes(1024))
        try:
            restore(flipped, tmp_path / "new")
        except WardgateError as error:
            assert error.code == "backup-broken"
            assert not (tmp_path / "new").exists()
            refused += 1
        else:
            shutil.rmtree(tmp_path / "new")
    assert refused >= 16


Members = list[tuple[tarfile.TarInfo, bytes]]


def members(archive: Path) -> Members:
    with tarfile.open(archive) as tar:
        found = []
        for one in tar.getmembers():
            content = tar.extractfile(one)
            found.append((one, content.read() if content else b""))
        return found


def plain(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def packed(path: Path, made: Members) -> Path:
    with tarfile.open(path, "w") as tar:
        for info, content in made:
            tar.addfile(info, io.BytesIO(content))
    return path


def with_manifest(made: Members, **said: object) -> Members:
    value = json.loads(made[0][1]) | said
    return [plain("manifest.json", json.dumps(value).encode()), *made[1:]]


def link(name: str, kind: bytes, target: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def long_header(name: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size = tarfile.XHDTYPE, 1 << 20
    return info, bytes(1 << 20)


HOSTILE: dict[str, Callable[[Members], Members]] = {
    "a name that leads out": lambda made: [made[0], plain("../evil", b"1"), *made[1:]],
    "an absolute name": lambda made: [made[0], plain("/tmp/evil", b"1"), *made[1:]],
    "a link": lambda made: [made[0], link("lake", tarfile.SYMTYPE, "/tmp"), *made[1:]],
    "a hard link": lambda made: [made[0], link("state.sqlite", tarfile.LNKTYPE, "/etc/passwd"), *made[1:]],
    "a device": lambda made: [made[0], link("state.sqlite", tarfile.CHRTYPE, ""), *made[1:]],
    "a header of any length": lambda made: [long_header("x"), *made],
    "a file that is not named": lambda made: [*made[:-1], plain("lake/data/a/b.parquet", b"1"), made[-1]],
    "a file twice": lambda made: [*made[:-1], made[1], made[-1]],
    "a file less": lambda made: [*made[:2], *made[3:]],
    "no manifest": lambda made: made[1:],
    "no digests": lambda made: made[:-1],
    "digests of others": lambda made: [*made[:-1], plain("SHA256SUMS", b"0" * 64 + b"  a\n")],
    "a manifest that is none": lambda made: [plain("manifest.json", b"[]"), *made[1:]],
    "a manifest that names what leads out": lambda made: with_manifest(
        made, files=[{"name": "lake/data/../../x.parquet", "size": 1}]
    ),
    "a manifest that names another size": lambda made: with_manifest(
        made, files=[{**one, "size": one["size"] + 1} for one in json.loads(made[0][1])["files"]]
    ),
    "nothing": lambda made: [],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_backup_is_refused(archive: Path, tmp_path: Path, kind: str) -> None:
    hostile = packed(tmp_path / "hostile.tar", HOSTILE[kind](members(archive)))
    assert code_of(lambda: restore(hostile, tmp_path / "new")) == "backup-broken"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["hostile.tar"]


def resummed(made: Members, name: str, change: Callable[[Path], None], folder: Path) -> Members:
    """The backup with one file changed, and manifest and digests as if it had been so."""
    import hashlib

    path = folder / "changed"
    contents = {info.name: content for info, content in made[:-1]}
    path.write_bytes(contents[name])
    change(path)
    contents[name] = path.read_bytes()
    path.unlink()
    manifest = json.loads(contents["manifest.json"])
    for one in manifest["files"]:
        one["size"] = len(contents[one["name"]])
    contents["manifest.json"] = json.dumps(manifest).encode()
    sums = "".join(f"{hashlib.sha256(raw).hexdigest()}  {name}\n" for name, raw in contents.items())
    return [*(plain(*one) for one in contents.items()), plain("SHA256SUMS", sums.encode())]


def sql(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as con, con:
            con.execute(statement)

    return change


FORGED = {
    "a file elsewhere": "UPDATE ducklake_data_file SET path = '/etc/passwd', path_is_relative = 0",
    "a file that leads out": "UPDATE ducklake_data_file SET path = '../../../x.parquet'",
    "fewer calls": "UPDATE ducklake_data_file SET end_snapshot = 1 WHERE record_count = 5000",
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_catalogue_that_says_other_than_the_backup_is_refused(
    archive: Path, tmp_path: Path, kind: str
) -> None:
    made = resummed(members(archive), "lake/catalog.sqlite", sql(FORGED[kind]), tmp_path)
    forged = packed(tmp_path / "forged.tar", made)
    assert code_of(lambda: restore(forged, tmp_path / "new")) == "backup-broken"
    assert not (tmp_path / "new").exists()


def test_a_restored_catalogue_deletes_nothing_by_what_it_says(archive: Path, tmp_path: Path) -> None:
    """Upkeep deletes what the catalogue lists: a list from elsewhere is not taken over."""
    precious = tmp_path / "precious"
    precious.write_text("1")
    order = (
        "INSERT INTO ducklake_files_scheduled_for_deletion VALUES "
        f"(1, '{precious}', 0, '2020-01-01 00:00:00+00')"
    )
    made = resummed(members(archive), "lake/catalog.sqlite", sql(order), tmp_path)
    restore(packed(tmp_path / "forged.tar", made), tmp_path / "new")
    lake = Lake(embedded_place(open_home(tmp_path / "new")))
    maintainer = Maintainer(lake, Config().lake, system_clock, readers_s=0)
    maintainer.run_once()
    maintainer.close()
    lake.close()
    assert precious.exists()


@pytest.mark.parametrize("said", [{"format": 2}, {"format": 99, "files": {}}, {"state_revision": "9999"}])
def test_a_backup_of_a_newer_version_is_refused(
    archive: Path, tmp_path: Path, said: dict[str, object]
) -> None:
    newer = packed(tmp_path / "newer.tar", with_manifest(members(archive), **said))
    assert code_of(lambda: restore(newer, tmp_path / "new")) == "backup-newer"
    assert not (tmp_path / "new").exists()


def test_a_damaged_lake_is_not_backed_up_as_if_it_were_whole(archive: Path, tmp_path: Path) -> None:
    for damage in ("gone", "cut", "catalogue"):
        restore(archive, tmp_path / damage)
        home = open_home(tmp_path / damage)
        file = max(home.lake.rglob("*.parquet"), key=lambda one: one.stat().st_size)
        if damage == "gone":
            file.unlink()
        elif damage == "cut":
            os.truncate(file, file.stat().st_size - 1)
        else:
            with (home.lake / "catalog.sqlite").open("r+b") as raw:
                raw.seek(4096)
                raw.write(b"\xff" * 40960)
        target = tmp_path / f"{damage}.tar"
        code = code_of(lambda home=home, target=target: backup(home, Config(), target, fixed_clock(NOW_US)))
        assert code in ("backup-damaged", "lake-unreadable"), damage
        assert not target.exists()


def test_targets_that_cannot_be(first: Home, tmp_path: Path) -> None:
    (tmp_path / "there.tar").write_text("1")
    for target in (
        tmp_path / "there.tar",
        tmp_path / "none" / "b.tar",
        first.lake / "data" / "b",
        first.path,
    ):
        assert code_of(lambda target=target: backup(first, Config(), target, system_clock)) == "backup-target"
    assert (tmp_path / "there.tar").read_text() == "1"
    empty = open_home(tmp_path / "empty")
    assert code_of(lambda: backup(empty, Config(), tmp_path / "b.tar", system_clock)) == "backup-nothing"


@pytest.mark.parametrize(
    "said",
    [
        {"lake": {"catalog": "postgres:dbname=w"}},
        {"lake": {"data": "s3://bucket/x"}},
        {"state": {"url": "postgresql+psycopg://w@localhost/w"}},
    ],
)
def test_a_scaled_installation_is_told_what_to_use(
    first: Home, tmp_path: Path, said: dict[str, object]
) -> None:
    config = Config.model_validate(said)
    assert code_of(lambda: backup(first, config, tmp_path / "b.tar", system_clock)) == "backup-scaled"


def test_upkeep_and_backup_take_turns(first: Home, tmp_path: Path) -> None:
    with kept_whole(embedded_place(first)) as is_free:
        assert is_free
        code = code_of(
            lambda: backup(first, Config(), tmp_path / "b.tar", fixed_clock(NOW_US), patience_s=0.3)
        )
    assert code == "backup-busy"
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_names_another_place_is_put_aside(first: Home, tmp_path: Path) -> None:
    """Else the restored home would open the lake that it was copied from."""
    home = open_home(tmp_path / "home")
    shutil.copytree(first.path / "keys", home.path / "keys")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = Config.model_validate(
        {"lake": {"catalog": str(elsewhere / "c.sqlite"), "data": str(elsewhere / "data")}}
    )
    home.config.write_text(f'[lake]\ncatalog = "{elsewhere}/c.sqlite"\ndata = "{elsewhere}/data"\n')
    from wardgate.lake.engine import configured_place

    Lake(configured_place(home, config.lake)).close()
    backup(home, config, tmp_path / "b.tar", fixed_clock(NOW_US))
    assert restore(tmp_path / "b.tar", tmp_path / "new").configuration == ASIDE
    assert (tmp_path / "new" / ASIDE).exists() and not (tmp_path / "new" / "wardgate.toml").exists()


@pytest.fixture(params=[0.2, 0.9])
def small_disk(request: pytest.FixtureRequest, archive: Path, tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a share of the backup: not even the catalogue, or all but its end."""
    size = int(archive.stat().st_size * request.param)
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.engine
def test_a_full_disk_leaves_nothing_behind(first: Home, archive: Path, small_disk: Path) -> None:
    for name in ("b.tar", "b"):
        code = code_of(lambda name=name: backup(first, Config(), small_disk / name, fixed_clock(NOW_US)))
        assert code == "backup-failed"
        assert list(small_disk.iterdir()) == []
    assert code_of(lambda: restore(archive, small_disk / "new")) == "restore-failed"
    assert list(small_disk.iterdir()) == []
