"""What a person's SQL may be: exactly one SELECT over the documented views, judged before it runs.

DuckDB's own settings do not stop a query from reading files or attaching databases, so this allow-list does.
The judge is DuckDB's parser, the one that will run the text: every node of its tree must be of a known
kind, every table a view or a CTE in scope, every function on the list. sqlglot reads the text too, and
both must agree that it is one query over these tables: what one of them misreads, the other refuses.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import duckdb

from wardgate.core.errors import WardgateError
from wardgate.lake.functions import FUNCTIONS, TABLE_FUNCTIONS
from wardgate.lake.views import NAMES

LONGEST = 100_000
"""Characters of a query."""
_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"}
_TABLES = {"BASE_TABLE", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "TABLE_FUNCTION", "EMPTY"}
_PARTS = {
    "ORDER_MODIFIER",
    "LIMIT_MODIFIER",
    "LIMIT_PERCENT_MODIFIER",
    "DISTINCT_MODIFIER",
    "ORDER_DEFAULT",
    "ASCENDING",
    "DESCENDING",
}
_EXPRESSIONS = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLLATE",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "LAMBDA",
    "LAMBDA_REF",
    "OPERATOR",
    "POSITIONAL_REFERENCE",
    "STAR",
    "SUBQUERY",
    "WINDOW",
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_AT = re.compile(r"^LINE (\d+): (.*)\n( *)\^", re.MULTILINE)
_CODE = "query-not-allowed"


def check(sql: str) -> duckdb.Statement:
    """The one statement of `sql`, if it may run. Raises `query-…`, naming line and column where known."""
    if len(sql) > LONGEST:
        raise WardgateError("query-too-long", f"a query may have {LONGEST:,} characters.")
    if "\0" in sql:
        raise WardgateError("query-not-parsed", "the query holds a NUL character.")
    statement, tree = _parsed(sql)
    _Judge(sql).query(tree["node"], frozenset())
    if tree.get("named_param_map"):
        raise WardgateError(_CODE, "a query takes no parameters.")
    _second_opinion(sql)
    return statement


def _parsed(sql: str) -> tuple[duckdb.Statement, dict[str, Any]]:
    con = duckdb.connect(":memory:", config={"enable_external_access": "false", "lock_configuration": "true"})
    try:
        try:
            statements = con.extract_statements(sql)
        except (duckdb.Error, UnicodeError) as error:
            raise WardgateError("query-not-parsed", f"the query is not SQL{_where(str(error))}.") from None
        if len(statements) != 1:
            raise WardgateError(
                "query-not-select", f"one SELECT is asked for, and these are {len(statements)} statements."
            )
        if statements[0].type != duckdb.StatementType.SELECT:
            kind = statements[0].type.name
            raise WardgateError("query-not-select", f"only a SELECT may be asked, and this is {kind}.")
        found = con.execute("SELECT json_serialize_sql(?)", [statements[0].query]).fetchone()
        tree: dict[str, Any] = json.loads(found[0]) if found else {"error": True}
    finally:
        con.close()
    if tree.get("error") or len(tree["statements"]) != 1:
        raise WardgateError("query-not-select", "only a SELECT may be asked.")
    return statements[0], tree["statements"][0]


class _Judge:
    """Walks DuckDB's tree of one statement; everything that is not known is refused."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def query(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        """A query node; `scope` holds the CTEs it may name, in lower case."""
        if node.get("type") not in _QUERIES:
            self._refuse(_CODE, "this form of query is not allowed", node)
        for entry in (node.get("cte_map") or {}).get("map") or []:
            name = entry["key"].lower()
            if not _PLAIN.match(name):
                self._refuse(_CODE, "a WITH name must be of letters, digits and _", node)
            body = entry["value"]
            rest = {key: value for key, value in body.items() if key != "query"}
            self.parts(rest, scope)
            self.query(body["query"]["node"], scope)
            scope |= {name}
        rest = {key: value for key, value in node.items() if key not in ("cte_map", "left", "right")}
        if node["type"] == "SELECT_NODE":
            self.parts({key: value for key, value in rest.items() if key != "type"}, scope)
            return
        self.query(node["left"], scope)
        inner = scope | {node["cte_name"].lower()} if node["type"] == "RECURSIVE_CTE_NODE" else scope
        self.query(node["right"], inner)
        self.parts({key: value for key, value in rest.items() if key != "type"}, scope)

    def parts(self, value: Any, scope: frozenset[str]) -> None:
        """Anything below a query: expressions, tables, modifiers."""
        if isinstance(value, list):
            for one in value:
                self.parts(one, scope)
            return
        if not isinstance(value, dict):
            return
        kind = value.get("type")
        if "class" in value:
            self._expression(value, scope)
        elif isinstance(kind, str):
            if kind in _QUERIES:
                self.query(value, scope)
                return
            if kind in _TABLES:
                self._table(value, scope)
            elif kind not in _PARTS:
                self._refuse(_CODE, "this form of FROM is not allowed", value)
        for key, one in value.items():
            if key == "value" and value.get("class") == "CONSTANT":
                continue  # a literal, not a node
            if key == "cast_type":
                continue  # a type
            if key == "function" and kind == "TABLE_FUNCTION":
                self.parts(one.get("children"), scope)
                continue
            self.parts(one, scope)

    def _expression(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        kind = node["class"]
        if kind not in _EXPRESSIONS:
            what = "a query takes no parameters" if kind == "PARAMETER" else "this expression is not allowed"
            self._refuse(_CODE, what, node)
        if kind in ("FUNCTION", "WINDOW"):
            self._function(node, FUNCTIONS)

    def _function(self, node: dict[str, Any], allowed: frozenset[str]) -> None:
        name = str(node.get("function_name", "")).lower()
        if node.get("catalog") or node.get("schema") not in ("", "main", None) or name not in allowed:
            shown = name if _PLAIN.match(name) else "this function"
            self._refuse("query-function-refused", f"{shown} may not be called", node)

    def _table(self, node: dict[str, Any], scope: frozenset[str]) -> None:
        if node["type"] == "TABLE_FUNCTION":
            function = node["function"]
            if function.get("class") != "FUNCTION":
                self._refuse(_CODE, "this form of FROM is not allowed", node)
            self._function(function, TABLE_FUNCTIONS)
        elif node["type"] == "BASE_TABLE":
            name = str(node.get("table_name", "")).lower()
            if node.get("at_clause"):
                self._refuse(_CODE, "a view has no versions", node)
            if (
                node.get("catalog_name")
                or node.get("schema_name")
                or (name not in NAMES and name not in scope)
            ):
                shown = f"{name} is no view" if _PLAIN.match(name) else "this table is no view"
                self._refuse("query-unknown-table", shown, node, f"There are {', '.join(sorted(NAMES))}.")

    def _refuse(self, code: str, what: str, node: dict[str, Any], mend: str = "") -> NoReturn:
        at = node.get("query_location")
        where = ""
        if isinstance(at, int) and 0 <= at <= len(self._sql.encode()):
            before = self._sql.encode()[:at].decode("utf-8", "replace")
            where = f" (line {before.count(chr(10)) + 1}, column {len(before.rpartition(chr(10))[2]) + 1})"
        raise WardgateError(code, f"{what}{where}.", mend=mend)


def _where(message: str) -> str:
    """` (line 2, column 7)` from an error of DuckDB's parser."""
    found = _AT.search(message)
    if found is None:
        return ""
    # The excerpt of a long line starts with "..."; its column would be another one.
    column = len(found[3]) - len(f"LINE {found[1]}: ") + 1
    return f" (line {found[1]})" if found[2].startswith("...") else f" (line {found[1]}, column {column})"


def _second_opinion(sql: str) -> None:
    """sqlglot's reading: one query, over views and CTEs only, without anything that writes."""
    import sqlglot
    from sqlglot import exp

    try:
        statements = [one for one in sqlglot.parse(sql, dialect="duckdb") if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError):
        raise WardgateError(
            "query-not-parsed", "this form of SQL is not taken.", mend="Write it more plainly."
        ) from None
    if len(statements) != 1 or not isinstance(statements[0], (exp.Query, exp.Subquery)):
        raise WardgateError("query-not-select", "one SELECT is asked for.")
    root = statements[0]
    if root.find(exp.Command, exp.DDL, exp.DML, exp.Into, exp.Attach, exp.Copy, exp.Set, exp.Pragma):
        raise WardgateError("query-not-select", "only a SELECT may be asked.")
    known = NAMES | {one.alias_or_name.lower() for one in root.find_all(exp.CTE)}
    for name in _tables(root):
        if name not in known:
            raise WardgateError(
                "query-unknown-table",
                f"{name} is no view." if _PLAIN.match(name) else "a table is no view.",
                mend=f"There are {', '.join(sorted(NAMES))}.",
            )


def _tables(root: Any) -> Iterator[str]:
    from sqlglot import exp

    for table in root.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            continue  # DuckDB's tree says which function it is
        if table.args.get("db") or table.args.get("catalog"):
            yield f"{table.sql()}"
        else:
            yield table.name.lower()
