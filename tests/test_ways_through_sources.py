"""Every way of presenting a credential, in every source that shows it: found, not doubled, not in clear.

`tests/shared/records.py` writes a record of each source for each way (`tests/shared/ways.py`), as the
vendor's log has it. What comes by push and by syslog is in `tests/api/test_push_ways.py` and
`tests/service/test_syslog_ways.py`.
"""

import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest
from records import SOURCES, jsonl, written
from ways import WAYS

from wardgate.cli.main import cli
from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import Key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES
from wardgate.pipeline import Pipeline
from wardgate.recognise.calls import Context, Recognition
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.catalogue import builtin_formats
from wardgate.sources.files import find_inputs
from wardgate.sources.format import Lines, Options
from wardgate.sources.jsonl import WardgateJsonLines

NOW = 1_770_000_000_000_000
KEY = Key(b"k" * 32)


@pytest.fixture(scope="module")
def reference() -> dict[str, int]:
    """Way → the credential's id, seen as JSON Lines under the same key."""
    parsed = (
        WardgateJsonLines()
        .parser(Options())
        .parse(Lines("".join(jsonl(way) + "\n" for way in WAYS).encode()))
    )
    calls = Recognition(KEY).recognise(parsed.table, Context("reference", 1, 2, NOW)).calls
    return {way.name: one for way, one in zip(WAYS, calls["credential_id"].to_pylist(), strict=True)}


@pytest.mark.parametrize("name", SOURCES)
def test_each_way_in_each_source(name: str, tmp_path: Path, reference: dict[str, int]) -> None:
    if name == "pcap" and shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    file, source, ways, config = written(name, tmp_path)
    assert ways
    home = open_home(tmp_path / "home")
    lake = Lake(embedded_place(home))
    reading = Reading(source="s", format=source.format, options=Options(layout=source.layout, config=config))
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for report in Ingest(Pipeline(lake, KEY, fixed_clock(NOW)), fixed_clock(NOW)).run(
            find_inputs([str(file)]), reading
        ):
            assert (report.accepted, report.rejected) == (len(ways), 0)
            said.write(str(report))
    rows = lake.rows("SELECT position, credentials FROM lake.calls ORDER BY position").to_pylist()
    found = {
        way.name: [
            (one["kind"], one["place"]) for one in row["credentials"] or () if one["kind"] != "gateway_key"
        ]
        for way, row in zip(ways, rows, strict=True)
    }
    assert found == {way.name: [(way.kind, way.place)] for way in ways}
    same = {
        way.name: {one["credential_id"] for one in row["credentials"]}
        for way, row in zip(ways, rows, strict=True)
    }
    assert same == {way.name: {reference[way.name]} for way in ways}
    kept = said.getvalue() + "".join(
        json.dumps(row, default=str)
        for table in TABLES
        for row in lake.rows(f"SELECT * FROM lake.{table}").to_pylist()
    )
    lake.close()
    raw = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    secrets = {one for way in ways for one in way.secrets}
    assert [one for one in secrets if one in kept or one.encode() in raw] == []


def test_every_format_that_shows_something_is_here() -> None:
    assert {one.name for one in builtin_formats()} <= {one.format for one in SOURCES.values()}


def test_commands_show_what_was_presented_and_nothing_of_it(tmp_path: Path) -> None:
    from click.testing import CliRunner

    file = tmp_path / "traffic.jsonl"
    file.write_text("".join(jsonl(way) + "\n" for way in WAYS))
    runner = CliRunner()
    said = ""
    for command in (
        ["ingest", str(file)],
        ["credentials"],
        ["credentials", "--json"],
        ["callers", "--json"],
        ["flows"],
    ):
        done = runner.invoke(cli, ["--home", str(tmp_path / "home"), *command])
        assert done.exit_code == 0, done.output
        said += done.output
    assert "certificate" in said and "webhook of GitHub" in said and "header:authorization" in said
    assert [one for way in WAYS for one in way.secrets if one in said] == []
