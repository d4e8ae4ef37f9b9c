"""The documentation cannot lie: what is made from code is fresh, every command parses, every sample runs."""

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from wardgate.cli.main import COMMANDS, cli
from wardgate.core.call import COLUMNS
from wardgate.core.config import load_config
from wardgate.sources.catalogue import builtin_formats, format_named
from wardgate.sources.format import LineFormat, Lines, Options

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")])
BLOCK = re.compile(r"^```(?P<kind>[a-z]+)(?P<marks>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, kind: str) -> list[tuple[str, str]]:
    """(marks, text) of a page's fenced blocks of one kind."""
    return [(one["marks"], one["text"]) for one in BLOCK.finditer(page.read_text()) if one["kind"] == kind]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_pages", ROOT / "docs" / "reference_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "call.md", "formats.md"])
def test_a_page_made_from_code_is_fresh(name: str) -> None:
    assert (ROOT / "docs" / "reference" / name).read_text() == generator().PAGES[name](), "run `make docs`"


def test_every_command_column_and_format_is_in_the_reference() -> None:
    reference = ROOT / "docs" / "reference"
    assert all(f"## wardgate {name}\n" in (reference / "cli.md").read_text() for name in COMMANDS)
    assert all(f"| `{one.name}` |" in (reference / "call.md").read_text() for one in COLUMNS)
    assert all(f"| `{one.name}` |" in (reference / "formats.md").read_text() for one in builtin_formats())


CODE = re.compile(r"[a-z]+(?:-[a-z0-9]+)+\Z")


def codes_in_code() -> set[str]:
    """The first argument of every error that our code makes, where it is a code."""
    found = set()
    for path in (ROOT / "src" / "wardgate").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            first = node.args[0]
            if not name.endswith("Error") and name != "__init__":
                continue
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and CODE.match(first.value):
                found.add(first.value)
    return found


def test_every_error_code_is_explained_and_none_is_made_up() -> None:
    text = (ROOT / "docs" / "reference" / "errors.md").read_text()
    explained = set(re.findall(r"^\| `([a-z0-9-]+)` \|", text, re.MULTILINE))
    made = codes_in_code()
    assert len(made) > 50
    assert made <= explained, f"explain in docs/reference/errors.md: {sorted(made - explained)}"
    sources = "".join(path.read_text() for path in (ROOT / "src" / "wardgate").rglob("*.py"))
    built = {"filter-caller"}  # put together from parts
    stale = {
        code for code in explained - made - built if f'"{code}"' not in sources and f"[{code}]" not in sources
    }
    assert not stale, f"no longer used: {sorted(stale)}"


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@each_page
def test_every_command_shown_is_one_that_parses(page: Path) -> None:
    for _, text in blocks(page, "sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            words = words[words.index("|") + 1 :] if "|" in words and words[0] == "zcat" else words
            words = words[: words.index("|")] if "|" in words else words
            if words[:1] != ["wardgate"]:
                continue
            root = click.Context(cli, info_name="wardgate", **cli.context_settings)
            name, command, rest = cli.resolve_command(root, words[1:])
            assert command is not None
            context = command.make_context(name, rest, parent=root)
            named = [*context._protected_args, *context.args]
            if isinstance(command, click.Group) and (named or not command.invoke_without_command):
                inner, one, more = command.resolve_command(context, named)
                assert one is not None
                one.make_context(inner, more, parent=context)
            if "format_name" in context.params and context.params["format_name"] != "auto":
                format_named(context.params["format_name"])
            if context.params.get("layout") and context.params["format_name"] in ("auto", "nginx", "apache"):
                chosen = format_named("apache" if context.params["format_name"] == "apache" else "nginx")
                assert isinstance(chosen, LineFormat)
                chosen.parser(Options(layout=context.params["layout"]))


@pytest.mark.parametrize(
    "page",  # the tables of add-a-format.md are mapping files, which have a test of their own
    [page for page in PAGES if page.name != "add-a-format.md" and blocks(page, "toml")],
    ids=lambda page: page.name,
)
def test_every_configuration_shown_is_one_that_loads(page: Path, tmp_path: Path) -> None:
    for _, text in blocks(page, "toml"):
        file = tmp_path / "wardgate.toml"
        file.write_text(text)
        load_config(file, environ={})


def test_the_json_lines_shown_are_accepted() -> None:
    shown = blocks(ROOT / "docs" / "reference" / "json-lines.md", "jsonl")
    assert shown
    for _, text in shown:
        chosen = format_named("wardgate-jsonl")
        assert isinstance(chosen, LineFormat)
        parsed = chosen.parser(Options()).parse(Lines(text.encode()))
        assert parsed.accepted == text.count("\n") == 3


@pytest.mark.timeout(600)  # some thirty commands, one after the other
def test_the_tutorial_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of every block, in order, as in a clone; in one process, to be quick."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    said, run = "", 0
    for marks, text in blocks(ROOT / "docs" / "tutorial.md", "sh"):
        for line in [] if "norun" in marks else text.splitlines():
            words = shlex.split(line)
            words = words[: words.index("|")] if "|" in words else words
            if words[0] == "wardgate":
                done = CliRunner().invoke(cli, words[1:])
                differs = words[:3] == ["wardgate", "spec", "diff"]
                assert done.exit_code == int(differs), f"{line}: {done.stderr}"
                said += done.output
                run += 1
            elif words[0] == "export":
                name, _, value = words[1].partition("=")
                monkeypatch.setenv(name, value.replace("$PWD", str(tmp_path)))
            elif words[0] == "python":
                subprocess.run([sys.executable, *words[1:]], check=True)
            else:
                assert line in ("make setup", ". .venv/bin/activate"), f"the test does not know {line!r}"
    assert run > 10
    for shown in blocks(ROOT / "docs" / "tutorial.md", "text"):
        assert shown[1] in said
    for name in (
        "/v1/orders/{orderId}",
        "assistant-bot",
        "Nuclei @ 192.0.2.13",
        "/v0/export/orders",
        "query:page",
        "Team Reports",
    ):
        assert name in said


def test_make_run_takes_a_log_of_yours_and_ends_when_told(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = '192.0.2.1 - - [01/Mar/2026:10:00:01 +0000] "GET /v1/things/{} HTTP/1.1" 200 12 "-" "curl/8.5"\n'
    log.write_text("".join(line.format(n) for n in range(9)))
    env = {
        **os.environ,
        "WARDGATE": str(Path(sys.executable).parent / "wardgate"),
        "RUN_FOLDER": str(tmp_path / "run"),
        "LOG": str(log),
        "CI": "true",
    }
    done = subprocess.run(
        ["samples/run.sh"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "read 9 = accepted 9 + rejected 0 + skipped 0" in done.stdout
    assert "/v1/things/{thingId}" in done.stdout


def test_the_sample_is_the_same_each_time_and_holds_no_known_secret(tmp_path: Path) -> None:
    for name in ("one", "two"):
        script = ROOT / "samples" / "shop.py"
        end = "2026-03-01T12:00:00Z"
        subprocess.run([sys.executable, script, tmp_path / name, "--end", end, "--calls", "60"], check=True)
    for file in ("edge.log", "gateway.jsonl", "nginx.conf"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert "eyJ" not in (ROOT / "samples" / "shop.py").read_text()
    assert (ROOT / "docs" / "images" / "inventory.png").stat().st_size < 200_000
