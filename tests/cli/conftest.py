"""A home with the sample shop in it, made once, and a way to run commands as a person does."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wardgate.cli.main import cli

ROOT = Path(__file__).parents[2]
END = "2026-03-01T12:00:00+00:00"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


def run_with(
    home: Path, *arguments: str, stdin: bytes | None = None, env: dict[str, str] | None = None
) -> Outcome:
    result = CliRunner().invoke(cli, ["--home", str(home), *arguments], input=stdin, env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    """Runs a command on an empty home."""
    return lambda *arguments, **more: run_with(home, *arguments, **more)


@pytest.fixture(scope="session")
def shop_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample shop's logs."""
    folder = tmp_path_factory.mktemp("shop")
    script = ROOT / "samples" / "shop.py"
    subprocess.run([sys.executable, script, folder, "--end", END, "--calls", "700"], check=True)
    return folder


@pytest.fixture(scope="session")
def shop_home(shop_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that took the sample shop in: the gateway first, then the edge. Tests only read it."""
    home = tmp_path_factory.mktemp("shop-home")
    first = run_with(home, "ingest", str(shop_files / "gateway.jsonl"), "--vantage", "gateway")
    second = run_with(
        home,
        "ingest",
        str(shop_files / "edge.log"),
        "--vantage",
        "edge",
        "--log-config",
        str(shop_files / "nginx.conf"),
    )
    assert (first.code, second.code) == (0, 0), first.err + second.err
    return home


@pytest.fixture
def shop(shop_home: Path) -> Run:
    """Runs a command on the sample shop's home."""
    return lambda *arguments, **more: run_with(shop_home, *arguments, **more)
