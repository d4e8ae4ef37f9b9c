"""Rules that pass calls over: what they match, and that every record stays accounted for."""

import pyarrow as pa
import pytest

from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.sources.skip_rules import SkipRules

TARGETS = [
    "/healthz",
    "/healthz?full=1",
    "/healthzz",
    "/api/healthz",
    "https://a.example/healthz",
    "/static/a.css",
    "*",
    None,
]


def parsed(as_dictionary: bool) -> Parsed:
    targets = pa.array(TARGETS, pa.string())
    table = pa.table(
        {
            "position": pa.array(range(len(TARGETS)), pa.int64()),
            "target": targets.dictionary_encode() if as_dictionary else targets,
        }
    )
    return Parsed(table, [Reject(8, Reason.NOT_JSON, b"")], {"blank": 2})


@pytest.mark.parametrize("as_dictionary", [False, True])
@pytest.mark.parametrize(
    ("rules", "skipped", "left"),
    [
        ({}, {}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"health": ["/healthz"]}, {"health": 3}, [2, 3, 5, 6, 7]),
        ({"health": ["/healthz*"]}, {"health": 4}, [3, 5, 6, 7]),
        ({"health": ["*/healthz"], "assets": ["/static/*", "*.js"]}, {"health": 4, "assets": 1}, [2, 6, 7]),
        ({"first": ["/healthz"], "second": ["/health*"]}, {"first": 3, "second": 1}, [3, 5, 6, 7]),
        ({"star": ["\\*"]}, {}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"none": []}, {}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"blank": ["/static/a.css"]}, {"blank": 1}, [0, 1, 2, 3, 4, 6, 7]),
        ({"dots": ["/static/a?css", "/.*"]}, {}, [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_what_a_rule_passes_over_is_counted_under_its_name(
    as_dictionary: bool, rules: dict[str, list[str]], skipped: dict[str, int], left: list[int]
) -> None:
    before = parsed(as_dictionary)
    after = SkipRules(rules).apply(before)
    assert after.table["position"].to_pylist() == left
    assert after.skipped == {**skipped, "blank": 2 + skipped.get("blank", 0)}
    assert after.read == before.read == 11


def test_a_table_without_targets_is_left_alone() -> None:
    only = Parsed(pa.table({"position": pa.array([0], pa.int64())}))
    assert SkipRules({"all": ["*"]}).apply(only) is only
