"""Why a path belongs to its operation: what is settled, what was learned and from what, in words.

Learns nothing and changes nothing. The reasons are those of the learner as it would decide on everything that
was sighted until now.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.core.keys import Key
from wardgate.core.object_ids import ObjectIds
from wardgate.inventory import scope
from wardgate.inventory.classification import classify
from wardgate.inventory.covering import NeverCalled
from wardgate.inventory.evidence import Evidence
from wardgate.inventory.reasons import reason
from wardgate.inventory.sighted import learned, sightings
from wardgate.lake.engine import ALIAS
from wardgate.lake.mapping import NOW, latest
from wardgate.lake.store import Lake
from wardgate.match.secrets import secret_kind
from wardgate.recognise.learning import merge_sightings
from wardgate.recognise.templates import erased
from wardgate.recognise.templating.labelling import Basis, Label
from wardgate.recognise.templating.prior import shipped
from wardgate.recognise.templating.reasons import why as decisions
from wardgate.recognise.templating.returned import returned
from wardgate.recognise.templating.telling import told
from wardgate.recognise.templating.trie import Trie
from wardgate.service.given import Knowledge
from wardgate.service.one_operation import meant
from wardgate.service.standings import Standings
from wardgate.state.template_words import TemplateWord

_EXAMPLES = 5
_UNLIKELY = 0.01


@dataclass(frozen=True, slots=True)
class Because:
    """One reason. `weight` is in log-odds: above zero it speaks for a value, below for a constant."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Step:
    """What was decided on one segment; `likely` is the probability that it is a value."""

    segment: str
    is_parameter: bool
    likely: float
    siblings: int
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that is known of why. Times are naive UTC."""

    operation_id: int
    service: str
    method: str | None
    template: str
    basis: str
    confidence: float
    path: str
    """The path that the steps are about: the one asked for, or an example."""
    steps: tuple[Step, ...]
    settled: tuple[TemplateWord, ...]
    standing: str | None
    """None of files, pages and of paths that nobody called."""
    standing_reason: str
    owners: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    """Everything that any layer says of it."""
    paths: int
    calls: int
    first_seen: datetime | None
    last_seen: datetime | None
    examples: tuple[str, ...]
    formerly: tuple[int, ...] = field(default=())
    """Ids that the operation, or a part of it, had before."""
    flooded: tuple[str, ...] = ()
    """Places of the service that had more different segments than are kept: many identifiers, or a scan."""


def why(
    lake: Lake,
    knowledge: Knowledge,
    words: list[TemplateWord],
    text: str,
    clock: Clock,
    key: Key,
    service: str | None = None,
) -> Why:
    """Why an operation (an id, also a former one, or `[METHOD] TEMPLATE`) or a path is as it is.

    Raises `operation-unknown` and `operation-ambiguous`.
    """
    look = Standings(lake, knowledge)
    row, path, never = _found(lake, look, text, service)
    of = row["service"]
    last = learned(lake, of).get(of)
    labeller = last.labeller if last is not None else None
    trie = Trie()
    merge_sightings(trie, sightings(lake, of))
    trie.settle()
    ids = [row["operation_id"]]
    facts = _facts(lake, ids[0])
    path = (
        path
        or (never and row["template"])
        or _example(trie, labeller.of if labeller is not None else None, row)
        or facts["examples"][0]
    )
    label = labeller.of(path) if labeller is not None else None
    steps = [
        Step(
            one.segment,
            one.is_value,
            one.likely,
            one.siblings,
            tuple(Because(told(each), each.weight) for each in one.reasons if abs(each.weight) > _UNLIKELY),
        )
        for one in ([] if never else decisions(trie, shipped(), returned(trie, ObjectIds(key)), path))
    ]
    form = erased(row["template"])
    evidence = _evidence(look, row["operation_id"], never)
    judged = classify(evidence)
    return Why(
        operation_id=row["operation_id"],
        service=of,
        method=row["method"],
        template=row["template"],
        basis=row["basis"] or (label.basis.value if label else Basis.PLAIN.value),
        confidence=round(
            row["confidence"] if row["confidence"] is not None else (label.sure if label else 0.5), 3
        ),
        path=path,
        steps=tuple(steps),
        settled=tuple(
            one
            for one in words
            if one.service == of and form in (erased(one.template), erased(one.target or ""))
        ),
        standing=judged.standing.value if evidence else None,
        standing_reason=reason(judged) if evidence else "",
        owners=judged.owners,
        evidence=tuple(evidence),
        paths=facts["paths"],
        calls=facts["calls"],
        first_seen=facts["first_seen"],
        last_seen=facts["last_seen"],
        examples=tuple(facts["examples"]),
        formerly=tuple(facts["formerly"]),
        flooded=tuple(trie.flooded()),
    )


def _evidence(look: Standings, operation_id: int, never: NeverCalled | None) -> list[Evidence]:
    """What the layers say; nothing of files and pages, which are not judged."""
    if never is not None:
        return sorted(set(look.evidence_of_never_called(never)))
    if not operation_id or not look.is_judged(operation_id):
        return []
    return sorted(set(look.evidence(operation_id)))


def _found(
    lake: Lake, look: Standings, text: str, service: str | None
) -> tuple[dict[str, Any], str | None, NeverCalled | None]:
    """The operation that is meant, as `labels` has it; the path asked for; or what was never called."""
    text = " ".join(text.split())
    if text.isascii() and text.isdecimal() and len(text) <= 19:
        ids = scope.rows(
            lake,
            f"""SELECT DISTINCT {NOW} AS id FROM {ALIAS}.main.paths
WHERE path_id IN (SELECT path_id FROM {ALIAS}.main.replaced WHERE operation_id = $id)
GROUP BY path_id LIMIT 2""",
            {"id": int(text)},
        )
        there = _labels(lake, [int(text)])
        if not there and len(ids) == 1:
            there = _labels(lake, [ids[0]["id"]])
        if there:
            return there[0], None, None
    method, _, path = text.rpartition(" ") if "/" in text.rpartition(" ")[2] else ("", "", text)
    if path.startswith("/") and "{" not in path:
        rows = scope.rows(
            lake,
            f"""SELECT DISTINCT operation_id, count(*) OVER () AS n FROM (
    SELECT path_id, {NOW} AS operation_id FROM {ALIAS}.main.paths
    WHERE path = $path AND ($service IS NULL OR service = $service)
      AND ($method = '' OR upper(method) = $method) GROUP BY path_id)""",
            {"path": path.partition("?")[0], "service": service, "method": method.upper()},
        )
        if len(rows) == 1:
            return _labels(lake, [rows[0]["operation_id"]])[0], path.partition("?")[0], None
        if rows:
            raise WardgateError(
                "operation-ambiguous",
                f"{len(rows)} operations have that path;",
                mend="name the method, as in 'GET /v1/orders/7', or --service.",
            )
        never = _described(look, path, service, method.upper())
        guessed = None if never else _guessed(lake, path, service, method.upper())
        if guessed is not None:
            return guessed, path, None
    one = meant(look, text, service)
    if isinstance(one.one, NeverCalled):
        named = {"method": one.one.method, "template": one.one.template, "service": one.service}
        row = {**named, "operation_id": 0, "basis": Basis.DESCRIBED.value, "confidence": 1.0}
        return row, None, one.one
    return _labels(lake, [one.one.operation_id])[0], None, None


def _described(look: Standings, path: str, service: str | None, method: str) -> bool:
    """Whether a path is the template of something that is described and was never called."""
    return any(
        one.template == path
        and (service is None or one.service == service)
        and (not method or (one.method or "").upper() == method)
        for one in look.never_called
    )


def _guessed(lake: Lake, path: str, service: str | None, method: str) -> dict[str, Any] | None:
    """What a path that was never seen would be, where one service has been learned."""
    every = learned(lake, service)
    if len(every) != 1 or any(secret_kind(one) is not None for one in path.split("/")):
        return None
    name, last = next(iter(every.items()))
    labeller = last.labeller
    if labeller is None:
        return None
    label: Label = labeller.of(path.partition("?")[0])
    return {
        "operation_id": 0,
        "service": name,
        "method": method or None,
        "template": label.template,
        "basis": label.basis.value,
        "confidence": label.sure,
    }


def _labels(lake: Lake, ids: list[int]) -> list[dict[str, Any]]:
    return scope.rows(
        lake,
        f"""SELECT operation_id, any_value(service) AS service, any_value(method) AS method,
       {latest("template")} AS "template", {latest("basis")} AS basis,
       {latest("confidence")} AS confidence
FROM {ALIAS}.main.paths WHERE operation_id IN (SELECT unnest($ids))
  AND path_id IN (SELECT path_id FROM {ALIAS}.main.paths GROUP BY path_id
                  HAVING {NOW} IN (SELECT unnest($ids)))
GROUP BY operation_id""",
        {"ids": ids},
    )


def _facts(lake: Lake, operation_id: int) -> dict[str, Any]:
    mine = f"SELECT path_id FROM {ALIAS}.main.paths GROUP BY path_id HAVING {NOW} = $id"
    found = scope.rows(
        lake,
        f"""WITH mine AS ({mine}), sums AS (
    SELECT sum(calls)::BIGINT AS calls, min(first_us) AS first_seen, max(last_us) AS last_seen
    FROM {ALIAS}.main.rollups SEMI JOIN mine USING (path_id))
SELECT (SELECT count(*) FROM mine) AS paths, coalesce(calls, 0) AS calls, first_seen, last_seen,
       (SELECT list(DISTINCT path ORDER BY path) FROM (
            SELECT DISTINCT path FROM {ALIAS}.main.paths SEMI JOIN mine USING (path_id)
            ORDER BY path LIMIT {_EXAMPLES})) AS examples,
       (SELECT list(DISTINCT operation_id ORDER BY operation_id) FROM {ALIAS}.main.replaced
        SEMI JOIN mine USING (path_id) WHERE operation_id <> $id) AS formerly
FROM sums""",
        {"id": operation_id},
    )[0]
    return {**found, "examples": found["examples"] or [""], "formerly": found["formerly"] or []}


def _example(trie: Trie, label_of: Any, row: dict[str, Any]) -> str | None:
    """A path of the operation that the learner knows, so that it has reasons to the end."""
    if label_of is None:
        return None
    form = erased(row["template"])
    fitting = [path for path, _ in trie.paths() if erased(label_of(path).template) == form]
    return min(fitting, default=None)
