"""Evidence decides: the standing of an operation for every combination of evidence, in any order."""

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.inventory.classification import Standing, classify
from wardgate.inventory.evidence import Evidence, Layer, Says

CALLED = Evidence(Layer.TRAFFIC, Says.EXISTS, "edge")
DESCRIBED = Evidence(Layer.SPECIFICATION, Says.EXISTS, "shop.yaml")
DEPRECATED = Evidence(Layer.SPECIFICATION, Says.DEPRECATED, "old.yaml")
IN_SIGHT = Evidence(Layer.TRAFFIC, Says.IN_SIGHT, "edge")
ROUTED = Evidence(Layer.GATEWAY, Says.EXISTS, "envoy.yaml")
WRITTEN = Evidence(Layer.CODE, Says.EXISTS, "app.py")
PROBED = Evidence(Layer.PROBE, Says.EXISTS, "scan")
OWNED = Evidence(Layer.PERSON, Says.OWNED, "console", detail="team-shop")
ALL = (CALLED, DESCRIBED, DEPRECATED, IN_SIGHT, ROUTED, WRITTEN, PROBED, OWNED)
COMBINATIONS = list(chain.from_iterable(combinations(ALL, n) for n in range(len(ALL) + 1)))

# called, described, deprecated, in sight, probed → standing, where only these count; `.` is no, `*` either.
TABLE = {
    "x . . * *": Standing.SHADOW,
    "x x . * *": Standing.DOCUMENTED,
    "x * x * *": Standing.ZOMBIE,
    ". . . * x": Standing.SHADOW,
    ". x . x *": Standing.UNUSED,
    ". * x x *": Standing.UNUSED,
    ". x . . *": Standing.NOT_OBSERVABLE,
    ". * x . *": Standing.NOT_OBSERVABLE,
}


def expected(evidence: tuple[Evidence, ...]) -> Standing:
    seen = ["x" if one in evidence else "." for one in (CALLED, DESCRIBED, DEPRECATED, IN_SIGHT, PROBED)]
    fits = [
        standing
        for row, standing in TABLE.items()
        if all(want in ("*", has) for want, has in zip(row.split(), seen, strict=True))
    ]
    if fits:
        (only,) = fits
        return only
    return Standing.LATENT if ROUTED in evidence or WRITTEN in evidence else Standing.UNKNOWN


def test_every_combination_of_evidence_has_the_standing_of_the_table() -> None:
    assert len(COMBINATIONS) == 256
    for evidence in COMBINATIONS:
        found = classify(evidence)
        assert found.standing is expected(evidence), evidence
        assert found.is_unowned == (OWNED not in evidence)
        assert set(found.because) <= set(evidence)
        assert bool(found.because) == (found.standing is not Standing.UNKNOWN)


@pytest.mark.parametrize(
    ("owners", "named"),
    [
        ((), ()),
        (((Layer.SPECIFICATION, "api@example.com"),), ("api@example.com",)),
        (((Layer.SPECIFICATION, "api@example.com"), (Layer.CODE, "@shop")), ("@shop",)),
        (((Layer.CODE, "@shop"), (Layer.PERSON, "Kim")), ("Kim",)),
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
