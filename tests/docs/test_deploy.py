"""The unit and the container file do what they say, as far as that can be tried without starting either."""

import http.server
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from wardgate.cli.main import cli
from wardgate.core.events import LogEvent

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "wardgate.service"
CONTAINER = ROOT / "deploy" / "Containerfile"
PAGE = ROOT / "docs" / "how-to" / "run-as-a-service.md"
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")


def settings() -> list[tuple[str, str]]:
    lines = [line for line in UNIT.read_text().splitlines() if line and line[0] not in "#["]
    return [(line.partition("=")[0], line.partition("=")[2]) for line in lines]


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", CONTAINER.read_text(), flags=re.MULTILINE))
    return [(line.split()[0], " ".join(line.split()[1:])) for line in text.splitlines() if line.strip()]


def last_stage() -> dict[str, str]:
    found = instructions()
    return dict(found[max(at for at, (name, _) in enumerate(found) if name == "FROM") :])


def parses(arguments: list[str]) -> str:
    """The command of ours that these words run; raises where they make no sense."""
    parent = click.Context(cli, **cli.context_settings)
    command = cli.get_command(parent, arguments[0])
    assert command is not None
    command.make_context(arguments[0], arguments[1:], parent)
    return arguments[0]


@needs_systemd
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "wardgate.service"
    unit.write_text(UNIT.read_text().replace("/opt/wardgate/bin/wardgate", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "wardgate.service" in line]) == (
        0,
        [],
    )


@needs_systemd
def test_the_unit_leaves_little_open(tmp_path: Path) -> None:
    """systemd's own judgement, from 0 (nothing is open) to 10."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd judges running units only")
    assert done.returncode == 0, done.stdout[-200:]


def test_what_the_unit_starts_is_a_command() -> None:
    found = dict(settings())
    program, *arguments = shlex.split(found["ExecStart"])
    assert (Path(program).name, parses(arguments)) == ("wardgate", "up")
    assert found["DynamicUser"] == "yes" and found["StateDirectory"] == "wardgate"
    assert ("Environment", "WARDGATE_HOME=/var/lib/wardgate") in settings()


def test_the_container_starts_a_command_as_nobody_in_particular() -> None:
    stage = last_stage()
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", stage["USER"])
    assert json.loads(stage["ENTRYPOINT"]) == ["wardgate"]
    assert parses(json.loads(stage["CMD"])) == "up"
    assert stage["VOLUME"] == "/var/lib/wardgate" and "WARDGATE_HOME=/var/lib/wardgate" in stage["ENV"]


def test_nothing_is_installed_in_the_image_that_is_not_locked() -> None:
    installs = [
        one
        for name, text in instructions()
        if name == "RUN"
        for one in re.split(r"&&", text)
        if "pip install" in one or "pip wheel" in one
    ]
    assert len(installs) == 4
    for one in installs:
        assert "--require-hashes" in one or "--no-index" in one or "--no-build-isolation" in one
    assert not [text for name, text in instructions() if name == "ADD"]
    assert {text.split()[0] for name, text in instructions() if name == "FROM"} == {
        "docker.io/library/python:${PYTHON}-slim"
    }


def test_what_is_copied_into_the_image_is_there_and_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line[0] == "!"}
    for name, text in instructions():
        if name == "COPY" and "--from" not in text:
            for one in text.split()[:-1]:
                assert (ROOT / one).exists()
                assert one in kept or f"{Path(one).parent}/*{Path(one).suffix}" in kept


def locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", path.read_text(), re.MULTILINE))


def test_the_image_has_what_was_tested_and_no_more() -> None:
    run, whole = locked(ROOT / "deploy" / "run.lock"), locked(ROOT / "requirements.lock")
    assert run.items() <= whole.items(), "run `make lock`"
    assert {"duckdb", "fastapi", "prometheus-client", "psycopg"} <= run.keys()
    assert not {"pytest", "mypy", "moto", "hypothesis", "ruff"} & run.keys()
    assert "hatchling" in locked(ROOT / "deploy" / "build.lock")


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_well_from_unwell(status: int, code: int) -> None:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    program, *arguments = json.loads(last_stage()["HEALTHCHECK"].partition("CMD ")[2])
    assert program == "python"
    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = [one.replace("8321", str(server.server_port)) for one in arguments]
        done = subprocess.run([sys.executable, *here], capture_output=True, check=False, timeout=60)
        server.shutdown()
    assert done.returncode == code


def test_every_event_that_is_logged_is_documented() -> None:
    for one in LogEvent:
        assert f"| `{one.label}` | {one.level} | {one.meaning} |" in PAGE.read_text()
