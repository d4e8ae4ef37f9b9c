"""The root of the command line: help is quick and complete, and every refusal is one line with a code."""

import os
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from wardgate.cli.main import COMMANDS, cli
from wardgate.cli.orders import ORDERS, STANDINGS
from wardgate.core.settings import LakeSettings
from wardgate.inventory.classification import Standing
from wardgate.lake.engine import MEMORY
from wardgate.service.reading import SORTS

SLACK = 3.0  # CI machines are shared; the figure itself is in the benchmark


def program(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wardgate", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,
    )  # type: ignore[call-overload]


def test_help_names_every_command_and_imports_no_engine() -> None:
    code = (
        "import sys; from wardgate.cli.main import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\n"
    )
    code += "print(sorted({'duckdb', 'pyarrow', 'numpy', 'rich', 'pydantic', 'fastapi'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip().endswith("[]")
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


def test_help_is_quick() -> None:
    """In CPU time: what else the machine does is not in it."""
    program("--help")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert program("--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.4 * SLACK


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_there_and_says_what_its_line_in_help_says(name: str) -> None:
    module, line = COMMANDS[name]
    command = getattr(import_module(module), name)
    assert isinstance(command, click.Command)
    assert command.get_short_help_str(300).startswith(line.rstrip("."))


def test_the_orders_offered_are_those_that_are_understood() -> None:
    assert ORDERS == SORTS
    assert tuple(Standing) == STANDINGS


def test_version() -> None:
    from wardgate import __version__

    assert program("--version").stdout.strip() == f"wardgate, version {__version__}"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["operatoins"], "[usage] There is no command 'operatoins', only operations."),
        (["operations", "--colour"], "[usage] No such option '--colour'."),
        (["ingest"], "[usage] Missing argument 'PATH...'."),
        (["ingest", "nothing.log"], "[input-not-found] there is no file nothing.log."),
        (["ingest", "README.md", "--format", "morse"], "[format-unknown] there is no format 'morse';"),
        (["ingest", "README.md", "--proxy", "nowhere"], "[proxies-malformed] 'nowhere' is no network"),
        (["ingest", "README.md", "--timezone", "Mars/Olympus"], "[timezone-unknown]"),
        (["operations", "--since", "yesterday"], "[time-unreadable] a time is not readable;"),
        (
            ["operations", "--since", "1d", "--until", "2d"],
            "[time-order] the time asked for ends before it begins.",
        ),
        (["flows", "--credential", "xyz"], "[filter-credential]"),
        (["operations", "--sort", "colour"], "[usage] Invalid value for '--sort'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_use_is_one_line_with_a_code_and_exit_2(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("x\n")
    result = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), *arguments])
    assert result.exit_code == 2
    assert result.stderr.startswith(told)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = program("--home", str(tmp_path / "file" / "home"), "operations")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("[home-unusable] ") and done.stderr.count("\n") == 1


def test_the_home_comes_by_environment_too(tmp_path: Path) -> None:
    env = {**os.environ, "WARDGATE_HOME": str(tmp_path / "by-env")}
    assert program("operations", "--json", env=env).returncode == 0
    assert (tmp_path / "by-env" / "lake").is_dir()


def test_a_defect_is_named_without_its_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from wardgate.service import reading

    def broken(*_: object) -> None:
        raise RuntimeError("hunter2 from the traffic")

    monkeypatch.setattr(reading, "services", broken)
    result = CliRunner().invoke(cli, ["--home", str(tmp_path), "services"])
    assert result.exit_code == 3
    assert result.stderr.startswith("[defect] RuntimeError at ")
    assert "hunter2" not in result.output


def test_a_reader_that_goes_away_is_no_error(shop_home: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m wardgate --home {shop_home} operations --json | head -c 20",
        shell=True, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert len(done.stdout) == 20


def test_a_short_command_needs_no_configuration_machinery(tmp_path: Path) -> None:
    """It is a third of its time; with a configuration it is needed, and gives the same lake."""
    code = (
        "import sys; from wardgate.cli.installation import Installation; from pathlib import Path\n"
        "with Installation(Path(sys.argv[1])).lake() as lake:\n"
        "    print(lake.place.catalog, 'pydantic' in sys.modules)"
    )
    home = tmp_path / "home"
    bare = subprocess.run([sys.executable, "-c", code, home], capture_output=True, text=True, check=True)
    (home / "wardgate.toml").write_text('[lake]\nmemory = "500MB"\n')
    configured = subprocess.run(
        [sys.executable, "-c", code, home], capture_output=True, text=True, check=True
    )
    catalog, has = bare.stdout.split()
    assert has == "False"
    assert configured.stdout.split() == [catalog, "True"]


@pytest.mark.parametrize("arguments", [["ingest", "LOG"], ["operations"], ["services"]])
def test_what_opens_a_state_is_not_loaded_where_there_is_none(arguments: list[str], tmp_path: Path) -> None:
    """It takes as long as a short ingestion."""
    log = tmp_path / "calls.jsonl"
    log.write_text('{"method": "GET", "url": "https://api.example.com/v1/things/17"}\n')
    code = (
        "import sys; from wardgate.cli.main import cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit as error: assert not error.code, error.code\n"
        "print('sqlalchemy' in sys.modules)"
    )
    given = [str(log) if one == "LOG" else one for one in arguments]
    done = subprocess.run(
        [sys.executable, "-c", code, "--home", tmp_path / "home", *given],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_the_memory_without_a_configuration_is_the_configurations_default() -> None:
    assert LakeSettings().memory == MEMORY
