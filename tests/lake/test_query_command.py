"""`wardgate query`, `maintain` and `erase` as a person runs them."""

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from wardgate.cli.main import cli
from wardgate.lake.store import Lake


def run(lake: Lake, *arguments: str, **extra: str) -> Result:
    home = str(lake.place.scratch.parent)
    return CliRunner().invoke(cli, ["--home", home, *arguments], **extra)  # type: ignore[arg-type]


def refusal(found: Result) -> str:
    return found.stderr


@pytest.fixture
def hostile(lake: Lake, traffic, log_line) -> Lake:  # type: ignore[no-untyped-def]
    traffic.send(*(log_line("/a", agent=agent) for agent in ("=1+1|'x'", "plain", "\x1b[31mred", "@sum")))
    return lake


def test_a_table_shows_no_escape_sequences(hostile: Lake) -> None:
    found = run(hostile, "query", "SELECT user_agent, 1 AS n FROM calls ORDER BY 1")
    assert found.exit_code == 0, found.output
    assert "\x1b" not in found.output
    assert "plain" in found.output
    assert found.output.endswith("4 rows\n")


def test_csv_holds_no_formula(hostile: Lake) -> None:
    found = run(hostile, "query", "--format", "csv", 'SELECT user_agent, -5 AS "=n" FROM calls ORDER BY 1')
    rows = list(csv.reader(io.StringIO(found.stdout)))
    assert rows[0] == ["user_agent", "'=n"]
    cells = {row[0] for row in rows[1:]}
    assert "plain" in cells
    assert not any(cell.startswith(("=", "@", "+", "-")) for cell in cells)
    assert {row[1] for row in rows[1:]} == {"-5"}
    assert "\x1b" not in found.stdout


def test_json_keeps_ids_whole_and_columns_of_one_name_apart(hostile: Lake) -> None:
    found = run(hostile, "query", "--json", "SELECT caller_id, path, path, 1.5 AS x FROM calls LIMIT 1")
    (row,) = json.loads(found.stdout)
    assert row["caller_id"].isdecimal()
    assert (row["path"], row["path_1"], row["x"]) == ("/a", "/a", 1.5)


def test_parquet_goes_to_a_new_file_of_the_owner(hostile: Lake, tmp_path: Path) -> None:
    out = tmp_path / "calls.parquet"
    found = run(hostile, "query", "--format", "parquet", "--output", str(out), "SELECT * FROM calls")
    assert found.exit_code == 0, found.output
    assert pq.read_table(out).num_rows == 4
    assert out.stat().st_mode & 0o777 == 0o600
    again = run(hostile, "query", "--format", "parquet", "--output", str(out), "SELECT * FROM calls")
    assert again.exit_code == 2
    assert "[query-output]" in refusal(again)


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["SELECT * FROM ledger"], "query-unknown-table", 2),
        (["SELECT getenv('HOME')"], "query-function-refused", 2),
        (["DROP TABLE calls"], "query-not-select", 2),
        (["--format", "parquet", "SELECT 1"], "query-output", 2),
        (["--json", "--format", "csv", "SELECT 1"], "query-format", 2),
        (["--limit", "2", "SELECT * FROM range(3)"], "query-too-many-rows", 2),
        (["--timeout", "0.2", "SELECT count(*) FROM range(1000000000000)"], "query-timeout", 3),
    ],
)
def test_a_refusal_is_one_line_with_its_code(
    lake: Lake, arguments: list[str], code: str, exit_code: int
) -> None:
    found = run(lake, "query", *arguments)
    assert found.exit_code == exit_code
    assert refusal(found).startswith(f"[{code}] ")
    assert refusal(found).count("\n") == 1


def test_maintain_says_what_it_did(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    for _ in range(9):
        traffic.send(*(log_line(client=f"192.0.2.{n}") for n in range(12)))
    found = run(lake, "maintain", "--json")
    assert found.exit_code == 0, found.output
    report = json.loads(found.stdout)
    assert report["merged_files"] >= 18
    assert report["failure"] == ""
    assert "0 files merged into 0" in run(lake, "maintain").output


def test_erase_asks_first_and_takes_a_login_by_its_name(lake: Lake, traffic, log_line) -> None:  # type: ignore[no-untyped-def]
    import os

    os.environ["WARDGATE_KEY"] = (b"t" * 32).hex()
    try:
        traffic.send(*(log_line(login="erin") for _ in range(12)), *(log_line() for _ in range(12)))
        refused = run(lake, "erase", "--login", "erin", input="n\n")
        assert refused.exit_code == 2
        assert "[erase-not-confirmed]" in refusal(refused)
        found = run(lake, "erase", "--login", "-", "--yes", "--json", input="erin\n")
        assert json.loads(found.stdout)["calls"] == 12
    finally:
        del os.environ["WARDGATE_KEY"]
    assert "[erase-subject]" in refusal(run(lake, "erase", "--yes"))
    assert "[erase-subject]" in refusal(run(lake, "erase", "--yes", "--address", "not one"))
