"""Evidence decides: the standing of an operation for every combination of evidence, in any order."""

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.inventory.classification import Standing, classify
from wardgate.inventory.evidence import Evidence, Layer, Says
from wardgate.inventory.reasons import reason

CALLED = Evidence(Layer.TRAFFIC, Says.EXISTS, "edge")
TRIED = Evidence(Layer.TRAFFIC, Says.TRIED, "edge")
COVERED = Evidence(Layer.SPECIFICATION, Says.COVERS, "shop.yaml")
DESCRIBED = Evidence(Layer.SPECIFICATION, Says.EXISTS, "shop.yaml")
DEPRECATED = Evidence(Layer.SPECIFICATION, Says.DEPRECATED, "old.yaml")
IN_SIGHT = Evidence(Layer.TRAFFIC, Says.IN_SIGHT, "edge")
ROUTED = Evidence(Layer.GATEWAY, Says.EXISTS, "envoy.yaml")
WRITTEN = Evidence(Layer.CODE, Says.EXISTS, "app.py")
PROBED = Evidence(Layer.PROBE, Says.EXISTS, "scan")
OWNED = Evidence(Layer.PERSON, Says.OWNED, "console", detail="team-shop")
NAMED = Evidence(Layer.PERSON, Says.EXISTS, "Kim")
RULED = Evidence(Layer.RULE, Says.EXISTS, "rule 1")
ALL = (CALLED, TRIED, DESCRIBED, DEPRECATED, COVERED, IN_SIGHT, ROUTED, WRITTEN, PROBED, NAMED, RULED, OWNED)
COMBINATIONS = list(chain.from_iterable(combinations(ALL, n) for n in range(len(ALL) + 1)))
COLUMNS = (CALLED, TRIED, DESCRIBED, DEPRECATED, COVERED, IN_SIGHT, PROBED)
TOLD = (ROUTED, WRITTEN, NAMED, RULED)

# called, tried, described, deprecated, covered, in sight, probed, told otherwise → standing; `*` is either.
TABLE = {
    "x * * x * * * *": Standing.ZOMBIE,
    ". x * x * * * *": Standing.ZOMBIE,
    "x * x . * * * *": Standing.DOCUMENTED,
    ". x x . * * * *": Standing.DOCUMENTED,
    "x * . . x * * *": Standing.SHADOW,
    ". x . . x * x *": Standing.SHADOW,
    ". x . . x * . x": Standing.SHADOW,
    ". . . . x * x *": Standing.SHADOW,
    "x * . . . * * *": Standing.UNKNOWN,
    ". x . . . * * *": Standing.UNKNOWN,
    ". x . . x * . .": Standing.UNKNOWN,
    ". . . . . * x *": Standing.UNKNOWN,
    ". . x * * x * *": Standing.UNUSED,
    ". . . x * x * *": Standing.UNUSED,
    ". . x * * . * *": Standing.NOT_OBSERVABLE,
    ". . . x * . * *": Standing.NOT_OBSERVABLE,
    ". . . . * * . x": Standing.LATENT,
    ". . . . * * . .": Standing.UNKNOWN,
}


def expected(evidence: tuple[Evidence, ...]) -> Standing:
    seen = ["x" if one in evidence else "." for one in COLUMNS]
    seen.append("x" if any(one in evidence for one in TOLD) else ".")
    (only,) = (
        standing
        for row, standing in TABLE.items()
        if all(want in ("*", has) for want, has in zip(row.split(), seen, strict=True))
    )
    return only


def test_every_combination_of_evidence_has_the_standing_of_the_table() -> None:
    assert len(COMBINATIONS) == 4096
    for evidence in COMBINATIONS:
        found = classify(evidence)
        assert found.standing is expected(evidence), evidence
        assert found.is_unowned == (OWNED not in evidence)
        assert set(found.because) <= set(evidence)
        assert OWNED not in found.because
        if found.standing is not Standing.UNKNOWN:
            assert found.because
        assert reason(found).strip()


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ((CALLED, DESCRIBED, COVERED), "called (edge), and described in shop.yaml"),
        ((CALLED, DEPRECATED), "still called (edge), and deprecated in old.yaml"),
        ((CALLED, COVERED), "called (edge), and not in shop.yaml"),
        ((PROBED, COVERED), "answered a probe (scan), and not in shop.yaml"),
        ((CALLED,), "called (edge), and no specification describes its service"),
        ((TRIED, COVERED), "asked for (edge) and never found"),
        ((DESCRIBED, IN_SIGHT), "described in shop.yaml and never called, though edge would have shown it"),
        ((DESCRIBED,), "described in shop.yaml, and no source shows calls of its service"),
        ((ROUTED, WRITTEN), "known from app.py, envoy.yaml, neither called nor described"),
        ((), "nothing is known of it"),
    ],
)  # fmt: skip
def test_the_reason_names_what_decided(evidence: tuple[Evidence, ...], told: str) -> None:
    assert reason(classify(evidence)) == told


@pytest.mark.parametrize(
    ("owners", "named"),
    [
        ((), ()),
        (((Layer.SPECIFICATION, "api@example.com"),), ("api@example.com",)),
        (((Layer.SPECIFICATION, "api@example.com"), (Layer.CODE, "@shop")), ("@shop",)),
        (((Layer.CODE, "@shop"), (Layer.RULE, "@web")), ("@web",)),
        (((Layer.RULE, "@web"), (Layer.CODE, "@shop"), (Layer.PERSON, "Kim")), ("Kim",)),
        (((Layer.CODE, "@b"), (Layer.CODE, "@a")), ("@a", "@b")),
    ],
)
def test_the_strongest_word_on_who_owns_it_counts(
    owners: tuple[tuple[Layer, str], ...], named: tuple[str, ...]
) -> None:
    evidence = [Evidence(layer, Says.OWNED, "somewhere", detail=who) for layer, who in owners]
    assert classify([CALLED, *evidence]).owners == named


EVIDENCE = st.builds(
    Evidence,
    st.sampled_from(Layer),
    st.sampled_from(Says),
    st.sampled_from(("a", "b")),
    st.none() | st.integers(0, 3),
    st.none() | st.integers(0, 3),
    st.sampled_from(("", "x")),
)


@given(st.lists(EVIDENCE, max_size=8).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_arrival_and_repeats_do_not_matter(
    both: tuple[list[Evidence], list[Evidence]],
) -> None:
    some, shuffled = both
    assert classify(some) == classify(shuffled) == classify(some + shuffled)
