"""A full disk ends no process: it starts when there is room, and its upkeep says what is the matter."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wardgate.core.clock import system_clock
from wardgate.core.home import open_home
from wardgate.core.settings import LakeSettings
from wardgate.lake.engine import ALIAS, embedded_place
from wardgate.lake.maintenance import Maintainer
from wardgate.lake.store import Lake

pytestmark = pytest.mark.engine


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB with an installation in it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                os.write(file.fileno(), bytes(4096))
        except OSError:
            pass


def work_for_upkeep(lake: Lake) -> None:
    """Files to be merged, which needs room."""
    for _ in range(8):
        with lake.writing() as con:
            con.execute(f"INSERT INTO {ALIAS}.paths (path_id, path) SELECT i, i::VARCHAR FROM range(99) r(i)")


def test_upkeep_on_a_full_disk(disk: Path) -> None:
    lake = Lake(embedded_place(open_home(disk / "home")))
    maintainer = Maintainer(lake, LakeSettings(), system_clock)
    for _ in range(2):
        work_for_upkeep(lake)
        fill(disk / "ballast")
        assert maintainer.run_once().failure == "disk-full"
        (disk / "ballast").unlink()
        report = maintainer.run_once()
        assert report.failure == ""
        assert report.merged_files >= 8
    maintainer.close()
    lake.close()


def started(home: Path, stderr: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "wardgate", "--home", str(home), "up", "--port", "0", "--json"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WARDGATE_")}
    with stderr.open("w") as file:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True, env=kept)


def wait_for_text(path: Path, process: "subprocess.Popen[str]") -> str:
    deadline = time.monotonic() + 60
    while not path.read_text().endswith("\n"):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return path.read_text()


def test_a_start_on_a_full_disk_waits_for_room(disk: Path, tmp_path: Path) -> None:
    home, log, told = disk / "home", tmp_path / "access.log", tmp_path / "stderr"
    Lake(embedded_place(open_home(home))).close()
    (home / "wardgate.toml").write_text(f'[[source]]\nname = "web"\npath = "{log}"\nformat = "nginx"\n')
    fill(disk / "ballast")
    refusal = "[disk-full] the disk of the lake is full; nothing more is accepted until there is room.\n"
    process = started(home, told)
    try:
        assert wait_for_text(told, process) == refusal
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 3
        process = started(home, told)
        wait_for_text(told, process)
        time.sleep(1.5)
        (disk / "ballast").unlink()
        assert process.stdout is not None
        assert '"event":"up"' in process.stdout.readline()
        assert told.read_text() == refusal
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
