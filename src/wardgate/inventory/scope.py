"""Which part of the traffic a question is about, as SQL over rollups and the mapping path → operation.

`labels` says what each operation is called, and holds only operations that are asked for (and some that no
path belongs to any more: join with `known`). `known` is the
mapping to them: per `path_id` the row with the highest version. `scoped` is the rollups of the minutes and
paths asked for, with their operation. Joining before grouping was the faster order (1 M rollups of 629,000
paths: 0.4 s against 1.1 s). `plain` is the same without the operation, where that is not needed. `beside` is
as `scoped`, of credentials that were not the strongest of their calls; `scoped_data` the data classes of the
hours and paths asked for. `callings` leaves out of `plain` what only
repeats a caller that another vantage shows: linked rows without a credential. Text reaches SQL as parameters
only.
"""

from dataclasses import dataclass, field
from typing import Any

import duckdb

from wardgate.lake.engine import ALIAS
from wardgate.lake.mapping import NOW, latest
from wardgate.lake.store import Lake
from wardgate.lake.traits import STATIC_REASON, told

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
TEMPLATE = latest("template")
"""What an operation is called now."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the traffic; what is None is not narrowed. Text may hold `*` where it says so."""

    service: str | None = None
    """Name of the service; with `*`, a pattern."""
    method: str | None = None
    """HTTP method, in any case."""
    template: str | None = None
    """The template; with `*`, a pattern."""
    search: str | None = None
    """Text that template or operation must hold, in any case."""
    since_us: int | None = None
    """From the minute that holds this time on (µs since 1970, UTC)."""
    until_us: int | None = None
    """Up to, and not including, the minute that holds this time."""
    static: bool | None = None
    """True: only files and pages; False: only API operations."""
    credential_id: int | None = None
    caller_id: int | None = None
    operation_ids: tuple[int, ...] | None = None
    """Only these operations."""
    data_class: str | None = None
    """Only operations whose calls ever carried this class or family of data; with `*`, a pattern."""


@dataclass(slots=True)
class Question:
    """A `WITH` clause that defines `known` and `scoped`, and the parameters it uses."""

    ctes: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def ask(self, lake: Lake, select: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of `select`, which may use `known`, `scoped` and named parameters."""
        with lake.reading() as cursor:
            return self.ask_in(cursor, select, **parameters)

    def ask_in(
        self, cursor: duckdb.DuckDBPyConnection, select: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        """As `ask`, of the state that a cursor of `Lake.reading` sees."""
        return _rows(cursor, f"{self.ctes} {select}", {**self.parameters, **parameters})

    def tuples(self, lake: Lake, select: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """As `ask` without names: of a hundred thousand rows these are half the cost."""
        with lake.reading() as cursor:
            return self.tuples_in(cursor, select, **parameters)

    def tuples_in(
        self, cursor: duckdb.DuckDBPyConnection, select: str, **parameters: Any
    ) -> list[tuple[Any, ...]]:
        """As `tuples`, of the state that a cursor of `Lake.reading` sees."""
        return cursor.execute(f"{self.ctes} {select}", {**self.parameters, **parameters}).fetchall()


def rows(lake: Lake, sql: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The rows of a query of our own; times are naive and in UTC."""
    with lake.reading() as cursor:
        return _rows(cursor, sql, parameters or {})


def _rows(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    found = cursor.execute(sql, parameters)
    names = [one[0] for one in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def question(scope: Scope) -> Question:
    """The clause and parameters for a scope."""
    parameters: dict[str, Any] = {}
    having = _paths_wanted(scope, parameters)
    apart = f"WHERE static_reason IS {'NOT ' if scope.static else ''}NULL" if scope.static is not None else ""
    kept = [f"minute_us >= make_timestamp({_minute(scope.since_us)})"] if scope.since_us is not None else []
    if scope.until_us is not None:
        kept.append(f"minute_us < make_timestamp({_minute(scope.until_us)})")
    if scope.credential_id is not None:
        kept.append("credential_id = $credential_id")
        parameters["credential_id"] = scope.credential_id
    if scope.caller_id is not None:
        kept.append("caller_id = $caller_id")
        parameters["caller_id"] = scope.caller_id
    where = f"WHERE {' AND '.join(kept)}" if kept else ""
    minutes = [one for one in kept if one.startswith("minute_us")]
    latency_minutes = f"WHERE {' AND '.join(minutes)}" if minutes else ""
    hours = [one.replace("minute_us", "hour_us") for one in minutes]
    if scope.since_us is not None:
        hours[0] = f"hour_us >= make_timestamp({scope.since_us // HOUR_US * HOUR_US})"
    data_hours = f"WHERE {' AND '.join(hours)}" if hours else ""
    semi = "SEMI JOIN labels USING (operation_id)" if having or apart else ""
    only_known = "JOIN (SELECT path_id FROM known) USING (path_id)" if having or apart else ""
    return Question(
        f"""
WITH mapping AS MATERIALIZED (SELECT path_id, {NOW} AS operation_id FROM {ALIAS}.paths GROUP BY path_id),
told AS MATERIALIZED ({told("mapping")}),
labels AS MATERIALIZED (
    SELECT * EXCLUDE (is_file, json, data, page, login), {STATIC_REASON} AS static_reason,
           static_reason IS NOT NULL AS "static"
    FROM (SELECT operation_id, any_value(service) AS service, any_value(protocol) AS protocol,
                 any_value(method) AS method, {TEMPLATE} AS "template",
                 any_value(operation) AS operation, coalesce(bool_and("static"), false) AS is_file,
                 {latest("confidence")} AS confidence, {latest("basis")} AS basis
          FROM {ALIAS}.paths GROUP BY operation_id {having})
    LEFT JOIN told USING (operation_id) {apart}),
known AS NOT MATERIALIZED (SELECT * FROM mapping {semi}),
scoped AS NOT MATERIALIZED (
    SELECT r.*, known.operation_id FROM {ALIAS}.rollups r JOIN known USING (path_id) {where}),
beside AS NOT MATERIALIZED (
    SELECT p.*, known.operation_id FROM {ALIAS}.presented p JOIN known USING (path_id) {where}),
plain AS NOT MATERIALIZED (SELECT r.* FROM {ALIAS}.rollups r {only_known} {where}),
callings AS NOT MATERIALIZED (SELECT * FROM plain WHERE calls > 0 OR credential_id <> 0),
scoped_data AS NOT MATERIALIZED (
    SELECT d.*, known.operation_id FROM {ALIAS}.data_classes d JOIN known USING (path_id) {data_hours}),
scoped_latencies AS NOT MATERIALIZED (
    SELECT l.*, known.operation_id FROM {ALIAS}.latencies l JOIN known USING (path_id) {latency_minutes})
""",
        parameters,
    )


def _minute(us: int) -> int:
    return us // MINUTE_US * MINUTE_US


def _paths_wanted(scope: Scope, parameters: dict[str, Any]) -> str:
    wanted: list[str] = []
    for name in ("service", "template"):
        text = getattr(scope, name)
        if text is not None:
            value = f'any_value("{name}")' if name == "service" else TEMPLATE
            wanted.append(f"{value} {'GLOB' if '*' in text else '='} ${name}")
            parameters[name] = text.replace("[", "[[]") if "*" in text else text
    if scope.method is not None:
        wanted.append("upper(any_value(method)) = upper($method)")
        parameters["method"] = scope.method
    if scope.search is not None:
        wanted.append(
            f"""contains(lower({TEMPLATE} || ' ' ||
               coalesce(any_value(operation), '')), lower($search))"""
        )
        parameters["search"] = scope.search
    if scope.operation_ids is not None:
        # As one text: the engine takes 50 µs for every number of a list.
        wanted.append("operation_id IN (SELECT unnest(string_split($operation_ids, ',')::BIGINT[]))")
        parameters["operation_ids"] = ",".join(map(str, scope.operation_ids or (0,)))
    if scope.data_class is not None:
        fits = "data_class GLOB $data_class" if "*" in scope.data_class else _FAMILY
        wanted.append(_CARRYING.format(fits=fits))
        parameters["data_class"] = scope.data_class.lower().replace("[", "[[]")
    return f"HAVING {' AND '.join(wanted)}" if wanted else ""


_FAMILY = "(data_class = $data_class OR starts_with(data_class, $data_class || '.'))"
_CARRYING = f"""operation_id IN (
    SELECT m.operation_id FROM {ALIAS}.data_classes JOIN (
        SELECT path_id, {NOW} AS operation_id FROM {ALIAS}.paths GROUP BY path_id
    ) m USING (path_id) WHERE {{fits}})"""
