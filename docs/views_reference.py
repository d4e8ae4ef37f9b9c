"""Writes docs/reference/views.md from `wardgate.lake.views` and the types that the lake gives.

Run by `make docs`; a test fails when the page is stale.
"""

import tempfile
from pathlib import Path

from wardgate.core.home import open_home
from wardgate.lake.asking import answer, engine
from wardgate.lake.engine import embedded_place
from wardgate.lake.functions import FUNCTIONS, TABLE_FUNCTIONS
from wardgate.lake.store import Lake
from wardgate.lake.views import VIEWS

PAGE = Path(__file__).parent / "reference" / "views.md"

_HEAD = """\
<!-- Made by `make docs` from src/wardgate/lake/views.py and functions.py. -->

# Views for `wardgate query`

`wardgate query "SELECT …"` asks one SELECT over these views, with joins, subqueries, WITH, set operations and
window functions in DuckDB's SQL. Nothing else can be named: no file, no other table, no setting. Times are
UTC. Ids are keyed integers, stable for an installation; JSON shows them as strings.

```sql
SELECT service, template, calls FROM operations WHERE NOT static ORDER BY calls DESC LIMIT 10
```

```sql
SELECT minute, sum(calls) AS calls, sum(status_5xx) AS failed FROM rollups
WHERE minute >= now() - INTERVAL 1 DAY GROUP BY minute ORDER BY minute
```

```sql
SELECT o.template, c.name, f.calls
FROM flows f JOIN operations o USING (operation_id) JOIN callers c USING (caller_id)
WHERE f.credential_id = 0 ORDER BY f.calls DESC LIMIT 20
```

A question about a time should say so on `calls.started_at_us` or `rollups.minute`: files of other times are
then not read. Rows of `rollups` and `latencies` are deltas: add them up.

| limit | default | error |
|---|---|---|
| time | 30 s (`--timeout`, at most 60) | `query-timeout` |
| rows | 10,000 (`--limit`) | `query-too-many-rows` |
| memory | 300 MB | `query-too-large` |
| length | 100,000 characters | `query-too-long` |

Other refusals: `query-not-parsed`, `query-not-select`, `query-unknown-table`, `query-function-refused`,
`query-not-allowed` (a form of SQL that is not on the list), `query-failed` (what the engine said).
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    with tempfile.TemporaryDirectory() as folder:
        place = embedded_place(open_home(Path(folder)))
        Lake(place).close()
        with engine(place) as con:
            for view in VIEWS:
                found = answer(con, f"SELECT * FROM {view.name}", timeout_s=30, most_rows=1)
                types = {field.name: str(field.type) for field in found.schema}
                parts.append(
                    f"## {view.name}\n\n{view.about}\n\n| column | type | meaning |\n|---|---|---|\n"
                )
                parts[-1] += "".join(
                    f"| `{name}` | {_kind(types[name])} | {text} |\n" for name, text in view.columns
                )
    names = ", ".join(f"`{name}`" for name in sorted(FUNCTIONS) if name[0].isalpha())
    tables = ", ".join(f"`{name}`" for name in sorted(TABLE_FUNCTIONS))
    parts.append(f"## Functions\n\nIn expressions: {names}.\n\nIn FROM: {tables}.\n")
    return "\n".join(parts)


def _kind(text: str) -> str:
    """An Arrow type as people say it."""
    if text.startswith("list<"):
        return "list of structs" if "struct<" in text else "list of text"
    if text.startswith("struct<"):
        return "struct"
    return {"string": "text", "bool": "boolean", "double": "number", "float": "number"}.get(
        text, "time" if text.startswith("timestamp") else "integer"
    )


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
