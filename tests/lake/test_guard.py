"""A person's SQL: what is asked over the views is answered, and nothing else can be read or written."""

# ruff: noqa: E501 - a table of queries

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from wardgate.core.errors import WardgateError
from wardgate.core.home import Home
from wardgate.lake.asking import answer, ask, engine
from wardgate.lake.guard import check
from wardgate.lake.store import Lake
from wardgate.lake.views import VIEWS


@pytest.fixture(scope="module")
def opened(asked: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    with engine(asked.place) as con:
        yield con


ALLOWED = [
    "SELECT count(*) FROM calls",
    "select path, count(*) as n from Calls where status between 200 and 299 group by all order by n desc limit 5",
    "WITH a AS (SELECT * FROM calls), b AS (SELECT * FROM a) SELECT count(*) FROM b",
    "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t",
    "SELECT * FROM (SELECT service FROM services) s, LATERAL (SELECT count(*) FROM calls c WHERE c.service = s.service)",
    "SELECT service FROM services UNION ALL SELECT service FROM operations EXCEPT SELECT 'x' ORDER BY 1",
    "SELECT o.template, c.name FROM flows f JOIN operations o USING (operation_id) JOIN callers c USING (caller_id)",
    "SELECT service, row_number() OVER (PARTITION BY service ORDER BY calls DESC) AS r FROM operations QUALIFY r = 1",
    "SELECT list_transform([1, 2], x -> x + 1), [y * 2 FOR y IN [1, 2]], {'a': 1}.a, [1, 2][1], map {'k': 1}['k']",
    "SELECT CASE WHEN status IS NULL THEN 'none' ELSE status::VARCHAR END, coalesce(query, '') FROM calls",
    "SELECT * EXCLUDE (path) REPLACE (upper(method) AS method) FROM calls",
    "SELECT COLUMNS('status.*') FROM operations",
    "SELECT count(*) FILTER (status_5xx > 0), quantile_cont(calls, 0.9) FROM operations",
    "SELECT minute, sum(calls) FROM rollups WHERE minute >= now() - INTERVAL 1 DAY GROUP BY CUBE (minute)",
    "SELECT * FROM rejects WHERE shape LIKE '%a%' OR shape ~ 'b' OR shape ILIKE 'c' OR shape SIMILAR TO 'd'",
    "SELECT unnest(credentials) FROM calls",
    "SELECT * FROM range(3) t(n), unnest([1, 2]) u(m)",
    "SELECT (SELECT max(calls) FROM operations), EXISTS (SELECT 1 FROM calls), 1 IN (SELECT 1)",
    "SELECT date_trunc('hour', started_at_us), extract(hour FROM started_at_us) FROM calls GROUP BY ALL",
    "FROM services SELECT service",
    "SELECT 'read_text(''/etc/passwd'')' AS text, '; DROP TABLE calls' AS more -- ATTACH 'x'",
    "SELECT * FROM calls /* COPY calls TO 'x' */ TABLESAMPLE 50%;",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_questions_over_the_views_are_answered(sql: str, opened: duckdb.DuckDBPyConnection) -> None:
    answer(opened, sql, timeout_s=30, most_rows=1000)


REFUSED = {
    "query-not-select": [
        "",
        "-- only a comment",
        "SELECT 1; SELECT 2",
        "SELECT 1; ATTACH 'x.db'",
        "INSERT INTO calls SELECT * FROM calls",
        "UPDATE calls SET path = ''",
        "DELETE FROM calls",
        "CREATE TABLE t AS SELECT * FROM calls",
        "CREATE MACRO m() AS TABLE SELECT 1",
        "CREATE TEMP VIEW calls2 AS SELECT 1",
        "DROP VIEW calls",
        "ALTER VIEW calls RENAME TO x",
        "COPY calls TO '/tmp/x.csv'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "COPY FROM DATABASE lake TO memory",
        "EXPORT DATABASE '/tmp/x'",
        "IMPORT DATABASE '/tmp/x'",
        "ATTACH '{state}' AS s (TYPE sqlite)",
        "DETACH lake",
        "USE lake",
        "INSTALL httpfs",
        "LOAD sqlite_scanner",
        "SET memory_limit = '9GB'",
        "RESET ALL",
        "PRAGMA enable_profiling",
        "CALL pragma_version()",
        "CALL ducklake_snapshots('lake')",
        "EXPLAIN SELECT * FROM calls",
        "EXPLAIN ANALYZE SELECT * FROM calls",
        "PREPARE p AS SELECT * FROM calls",
        "EXECUTE p",
        "CHECKPOINT",
        "VACUUM",
        "BEGIN",
        "PIVOT calls ON path USING count(*)",
        "VALUES (1)",
        "MERGE INTO calls USING calls c ON true WHEN MATCHED THEN DELETE",
        "CREATE SECRET s (TYPE s3)",
    ],
    "query-function-refused": [
        "SELECT * FROM read_text('{key}')",
        "SELECT * FROM READ_BLOB('{key}')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_csv_auto(['/etc/passwd'])",
        "SELECT * FROM read_parquet('{data}/**/*.parquet')",
        "SELECT * FROM parquet_scan('{data}/**/*.parquet')",
        "SELECT * FROM parquet_metadata('{data}/main/calls/*.parquet')",
        "SELECT * FROM read_json('{state}')",
        "SELECT * FROM read_ndjson_objects('{state}')",
        "SELECT * FROM glob('{home}/**')",
        "SELECT * FROM sqlite_scan('{state}', 'users')",
        "SELECT * FROM sqlite_query('lake', 'select 1')",
        "SELECT * FROM sqlite_attach('{state}')",
        "SELECT * FROM postgres_scan('', '', '')",
        "SELECT * FROM ducklake_list_files('lake', 'calls')",
        "SELECT * FROM ducklake_snapshots('lake')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_databases()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM duckdb_tables()",
        "SELECT * FROM pragma_database_list()",
        "SELECT * FROM pragma_table_info('calls')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('calls')",
        "SELECT * FROM seq_scan('calls')",
        "SELECT * FROM arrow_scan(1, 2, 3)",
        "SELECT * FROM json_execute_serialized_sql('x')",
        "SELECT getenv('WARDGATE_KEY')",
        "SELECT GetEnv('WARDGATE_KEY')",
        "SELECT \"getenv\"('WARDGATE_KEY')",
        "SELECT getenv /* here */ ('WARDGATE_KEY')",
        "SELECT main.getenv('WARDGATE_KEY')",
        "SELECT system.main.getenv('WARDGATE_KEY')",
        "SELECT pg_catalog.pg_get_viewdef(1)",
        "SELECT current_setting('memory_limit')",
        "SELECT getvariable('x')",
        "SELECT current_database(), current_schema()",
        "SELECT current_user()",
        "SELECT version()",
        "SELECT txid_current()",
        "SELECT nextval('x')",
        "SELECT write_log('x')",
        "SELECT repeat('x', 4000000000)",
        "SELECT lpad('x', 2000000000, 'y')",
        "SELECT printf('%2000000000d', 1)",
        "SELECT 'x'.getenv()",
        "SELECT list_transform(['WARDGATE_KEY'], x -> getenv(x))",
        "SELECT [getenv(x) FOR x IN ['WARDGATE_KEY']]",
        "SELECT * FROM calls WHERE path = getenv('X')",
        "SELECT * FROM calls ORDER BY getenv('X')",
        "SELECT * FROM calls LIMIT (SELECT length(getenv('X')))",
        "SELECT count(*) FILTER (getenv('X') = '') FROM calls",
        "SELECT sum(calls) OVER (PARTITION BY getenv('X')) FROM operations",
        "SELECT * REPLACE (getenv('X') AS path) FROM calls",
        "SELECT CASE WHEN getenv('X') = '' THEN 1 END",
        "SELECT {{'a': getenv('X')}}",
        "SELECT 1 GROUP BY getenv('X')",
        "SELECT 1 HAVING getenv('X') = ''",
        "SELECT DISTINCT ON (getenv('X')) 1 FROM calls",
        "SELECT * FROM calls a JOIN calls b ON getenv('X') = ''",
        "SELECT * FROM (VALUES (getenv('X'))) v",
        "SELECT * FROM unnest([getenv('X')])",
        "SELECT * FROM calls, LATERAL (SELECT * FROM read_text('{key}'))",
        "WITH a AS (WITH b AS (SELECT * FROM read_text('{key}')) SELECT * FROM b) SELECT * FROM a",
        "SELECT (SELECT content FROM read_text('{key}'))",
        "SELECT 1 WHERE EXISTS (SELECT * FROM glob('/*'))",
        "SELECT 1 UNION ALL SELECT content FROM read_text('{key}')",
        "SELECT error('x')",
        "SELECT add_parquet_key('a', 'b')",
    ],
    "query-unknown-table": [
        "SELECT * FROM '{key}'",
        "FROM '{data}/main/calls/*.parquet'",
        'SELECT * FROM "{state}"',
        "SELECT * FROM 'x.parquet'",
        'SELECT * FROM "x.csv"',
        "PRAGMA database_list",
        "SELECT * FROM lake.calls",
        "SELECT * FROM lake.main.calls",
        'SELECT * FROM "lake"."calls"',
        "SELECT * FROM main.calls",
        "SELECT * FROM memory.main.calls",
        "SELECT * FROM ledger",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM pg_tables",
        "SELECT * FROM duckdb_columns",
        "SELECT * FROM duckdb_logs",
        "SELECT * FROM __ducklake_metadata_lake.ducklake_data_file",
        'SELECT * FROM "__ducklake_metadata_lake".main.ducklake_snapshot',
        "SELECT * FROM system.information_schema.columns",
        "SELECT * FROM temp.calls",
        "TABLE sqlite_master",
        "WITH sqlite_master AS (SELECT * FROM sqlite_master) SELECT * FROM sqlite_master",
        "WITH RECURSIVE sqlite_master AS (SELECT * FROM sqlite_master) SELECT * FROM sqlite_master",
        "WITH RECURSIVE pg_tables AS (SELECT * FROM pg_tables UNION ALL SELECT * FROM pg_tables) SELECT * FROM pg_tables",
        "SELECT * FROM (WITH sqlite_master AS (SELECT 1) SELECT * FROM sqlite_master) a, sqlite_master",
        "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        "SELECT (WITH pg_tables AS (SELECT 1) SELECT 1), (SELECT count(*) FROM pg_tables)",
        "SELECT * FROM calls WHERE path IN (SELECT name FROM sqlite_master)",
        "SELECT * FROM con",
        "SELECT * FROM calls\u0000",
        "SELECT * FROM \uff43\uff41\uff4c\uff4c\uff53",
        "SELECT * FROM c\u0430lls",  # a Cyrillic letter
    ],
    "query-not-allowed": [
        "DESCRIBE calls",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "SUMMARIZE calls",
        "SELECT * FROM (DESCRIBE calls)",
        "SELECT * FROM (SHOW TABLES)",
        "SELECT * FROM calls PIVOT (count(*) FOR method IN ('GET'))",
        "SELECT * FROM calls AT (VERSION => 1)",
        "SELECT * FROM calls WHERE path = ?",
        "SELECT * FROM calls WHERE path = $1",
        "SELECT * FROM calls WHERE path = $name",
        'WITH "x.parquet" AS (SELECT 1) SELECT * FROM "x.parquet"',
    ],
}


@pytest.mark.parametrize(
    ("code", "sql"), [(code, sql) for code, several in REFUSED.items() for sql in several]
)
def test_everything_else_is_refused(code: str, sql: str, home: Home) -> None:
    filled = sql.replace("{{", "{").replace("}}", "}") if "{{" in sql else sql
    for name, path in {
        "home": home.path,
        "state": home.state,
        "key": home.path / "keys" / "installation.key",
        "data": home.lake / "data",
    }.items():
        filled = filled.replace("{" + name + "}", str(path))
    with pytest.raises(WardgateError) as refusal:
        check(filled)
    # What DuckDB does not even parse is refused too; the code for that says so.
    assert refusal.value.code in (code, "query-not-parsed")


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(WardgateError, match=r"getenv may not be called \(line 2, column 11\)"):
        check("SELECT 1,\n       2, getenv('X')")
    with pytest.raises(
        WardgateError, match=r"ledger is no view \(line 1, column 15\)\. There are callers, calls"
    ):
        check("SELECT * FROM ledger")
    with pytest.raises(WardgateError, match=r"not SQL \(line 1, column 1\)"):
        check("SELEC 1")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{key}')",
        "SELECT * FROM sqlite_scan('{state}', 'secret')",
        "SELECT * FROM '{key}'",
        "ATTACH '{state}' AS s (TYPE sqlite)",
        "COPY (SELECT 1) TO '{out}'",
        "SET memory_limit = '9GB'",
        "SELECT * FROM con",
        "INSTALL spatial",
    ],
)
def test_the_engine_itself_would_refuse_most_of_it(sql: str, asked: Lake, home: Home) -> None:
    """Behind the judge: files outside the lake, settings and Python's variables are out of reach."""
    import sqlite3

    key = home.path / "keys" / "installation.key"
    key.parent.mkdir()
    key.write_text("the key")
    with sqlite3.connect(home.state) as state:
        state.execute("CREATE TABLE secret AS SELECT 'the state' AS x")
    out = home.path / "written.csv"
    filled = sql.replace("{key}", str(key)).replace("{state}", str(home.state)).replace("{out}", str(out))
    with engine(asked.place) as con:
        try:
            con.execute(filled).fetchall()
        except duckdb.Error:
            pass
        else:
            # DuckDB's settings do not stop SQLite's own file access: only the judge does.
            assert "sqlite" in filled
    assert not out.exists()


def test_a_query_that_takes_too_long_is_stopped(asked: Lake) -> None:
    with pytest.raises(WardgateError, match=r"query-timeout.*longer than 0\.5 s"):
        ask(asked.place, "SELECT count(*) FROM range(1000000000000) a", timeout_s=0.5)


def test_an_answer_with_too_many_rows_is_refused(opened: duckdb.DuckDBPyConnection) -> None:
    assert answer(opened, "SELECT * FROM range(10)", timeout_s=30, most_rows=10).num_rows == 10
    with pytest.raises(WardgateError, match=r"query-too-many-rows.*more than 10 rows"):
        answer(opened, "SELECT * FROM range(11)", timeout_s=30, most_rows=10)


def test_a_query_that_needs_too_much_memory_is_refused(asked: Lake) -> None:
    with pytest.raises(WardgateError) as refusal:
        ask(asked.place, "SELECT list(a.range) FROM range(30000000) a", memory="50MB")
    assert refusal.value.code in ("query-too-large", "query-failed")


def test_the_order_that_was_asked_for_is_kept(opened: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT range AS n FROM range(5000) ORDER BY n DESC"
    found = answer(opened, sql, timeout_s=30, most_rows=5000).column("n").to_pylist()
    assert found == list(range(4999, -1, -1))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_columns_it_says(view, opened: duckdb.DuckDBPyConnection) -> None:  # type: ignore[no-untyped-def]
    found = answer(opened, f"SELECT * FROM {view.name}", timeout_s=30, most_rows=1000)
    assert found.column_names == [name for name, _ in view.columns]
    assert all(meaning for _, meaning in view.columns)


def test_the_reference_is_what_the_code_says() -> None:
    import importlib.util

    path = Path(__file__).parents[2] / "docs" / "views_reference.py"
    spec = importlib.util.spec_from_file_location("views_reference", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (path.parent / "reference" / "views.md").read_text() == module.page(), "run `make docs`"
