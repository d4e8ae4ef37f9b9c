"""`wardgate query`: one SELECT over the documented views, as a table, JSON, CSV or Parquet."""

import math
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.core.errors import Exit, WardgateError

if TYPE_CHECKING:
    import pyarrow as pa

_SAFE_INTEGER = 2**53
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula, full-width forms included."""


@click.command()
@click.argument("sql")
@click.option(
    "--format",
    "as_format",
    type=click.Choice(("table", "json", "csv", "parquet")),
    help="How the answer is written. Default: table.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--limit", type=click.IntRange(1), default=10_000, show_default=True, help="Rows at most.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 60), default=30.0, show_default=True, help="Seconds at most."
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A new file; Parquet needs one."
)
@pass_installation
def query(
    installation: Installation,
    /,
    *,
    sql: str,
    as_format: str | None,
    as_json: bool,
    limit: int,
    timeout: float,
    output: Path | None,
) -> None:
    """Ask the lake one SELECT, over views: calls, operations, paths, services, credentials, callers, flows,
    rollups, latencies, sources, rejects.

    Nothing else can be read and nothing written. docs/reference/views.md says what their columns hold.
    """
    from wardgate.lake.asking import ask
    from wardgate.lake.guard import check

    chosen = as_format or ("json" if as_json else "table")
    if as_json and chosen != "json":
        raise WardgateError("query-format", "--json and another --format exclude each other.")
    if chosen == "parquet" and output is None:
        raise WardgateError("query-output", "Parquet goes to a file: name it with --output.")
    check(sql)
    with installation.lake() as lake:
        answer = ask(lake.place, sql, timeout_s=timeout, most_rows=limit)
    if chosen == "parquet":
        _write_parquet(answer, Path(output or ""))
    elif output is not None:
        _write_text(_text(answer, chosen), output)
    elif chosen == "table":
        _print(answer)
    else:
        click.echo(_text(answer, chosen), nl=False)


def _text(answer: "pa.Table", chosen: str) -> str:
    return {"json": _json, "csv": _csv, "table": _plain_table}[chosen](answer)


def _json(answer: "pa.Table") -> str:
    """An array of objects. Ids are strings: they have 63 bits, and JSON's readers keep 53."""
    from wardgate.cli.output import json_text

    names = _unique(answer.column_names)
    rows = [
        {name: _portable(name, value) for name, value in zip(names, row, strict=True)}
        for row in _rows(answer)
    ]
    return json_text(rows) + "\n"


def _portable(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _portable(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_portable(name, one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if name.endswith("_id") or abs(value) >= _SAFE_INTEGER else value
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no NaN
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return repr(value) if isinstance(value, bytes) else value


def _csv(answer: "pa.Table") -> str:
    """CSV (RFC 4180) that no spreadsheet takes for formulas."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in answer.column_names])
    writer.writerows([_cell(value) for value in row] for row in _rows(answer))
    return out.getvalue()


def _cell(value: Any) -> str:
    from datetime import datetime

    from wardgate.cli.output import clean, json_text

    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    text = clean(value if isinstance(value, str) else json_text(value))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _plain_table(answer: "pa.Table") -> str:
    lines = ["\t".join(_shown(name) for name in answer.column_names)]
    lines += ["\t".join(_shown(value) for value in row) for row in _rows(answer)]
    return "\n".join(lines) + "\n"


def _print(answer: "pa.Table") -> None:
    import pyarrow as pa

    from wardgate.cli.output import Column, count, print_table, say

    columns = [
        Column(field.name, pa.types.is_integer(field.type) or pa.types.is_floating(field.type))
        for field in answer.schema
    ]
    print_table(columns, [[_shown(value) for value in row] for row in _rows(answer)])
    say(f"{count(answer.num_rows)} row{'' if answer.num_rows == 1 else 's'}")


def _shown(value: Any) -> str:
    from wardgate.cli.output import clean, json_text

    if value is None:
        return ""
    return clean(json_text(value) if isinstance(value, (dict, list)) else str(value))


def _rows(answer: "pa.Table") -> list[tuple[Any, ...]]:
    """Rows as tuples: two columns may have one name."""
    if not answer.num_columns:
        return []
    return list(zip(*(column.to_pylist() for column in answer.columns), strict=True))


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return out


def _write_parquet(answer: "pa.Table", output: Path) -> None:
    import pyarrow.parquet as pq

    with _new(output) as handle:
        pq.write_table(answer.rename_columns(_unique(answer.column_names)), handle, compression="zstd")


def _write_text(text: str, output: Path) -> None:
    with _new(output) as handle:
        handle.write(text.encode())


def _new(output: Path) -> Any:
    """A new file, readable by its owner only. Raises `query-output`."""
    import os

    try:
        return os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        raise WardgateError("query-output", f"{output} is there already.") from None
    except OSError as error:
        raise WardgateError(
            "query-output", f"cannot write {output}: {error.strerror}.", exit_code=Exit.USAGE
        ) from error
