"""The quick look at many operations says what all of their evidence says."""

from hypothesis import given
from hypothesis import strategies as st

from wardgate.inventory.classification import Standing, classify
from wardgate.inventory.covering import Covering, Given, coverings, never_called
from wardgate.inventory.evidence import Evidence, Layer, Says
from wardgate.inventory.judging import Judge
from wardgate.inventory.seen import Called, Seen
from wardgate.inventory.specifications.form import Kind, Outline, Outlined, Server

TEMPLATES = ("/a", "/a/{x}", "/a/b", "/c")
METHODS = ("GET", "POST", "HEAD", "OPTIONS")
OUTLINED = st.builds(Outlined, st.sampled_from(TEMPLATES), st.sampled_from(METHODS), deprecated=st.booleans())
SPECIFICATIONS = st.lists(st.lists(OUTLINED, max_size=5, unique_by=lambda one: one.key), max_size=3)
CALLED = st.lists(
    st.tuples(st.sampled_from(METHODS), st.sampled_from((*TEMPLATES, "/a/{other}", "/d"))),
    max_size=8,
    unique=True,
)


def covering(name: str, *operations: Outlined, server: str = "") -> Covering:
    servers = (Server(server),) if server else ()
    return Covering(
        Given(name, 1, Outline(Kind.OPENAPI_3_0, operations=operations, servers=servers)), "s", ""
    )


@given(SPECIFICATIONS, CALLED, st.booleans())
def test_the_quick_look_is_the_whole_judgement(
    specifications: list[list[Outlined]], called: list[tuple[str, str]], tried: bool
) -> None:
    found = [covering(f"{n}.yaml", *one) for n, one in enumerate(specifications)]
    judge = Judge({"s": found} if found else {})
    seen = [Called(n, "s", "http", method, template, None) for n, (method, template) in enumerate(called)]
    for one in seen:
        traffic = Evidence(Layer.TRAFFIC, Says.TRIED if tried else Says.EXISTS, "edge")
        whole = classify([traffic, *judge.evidence("s", one)])
        assert judge.standing("s", one, tried) is whole.standing
        described = list(judge.described("s", one))
        assert (whole.standing in (Standing.DOCUMENTED, Standing.ZOMBIE)) == bool(
            described
        ) or one.method == "OPTIONS"
    for never in never_called(found, seen):
        assert not [one for one in seen if (one.method, one.template) == (never.method, never.template)]
        sights = [Evidence(Layer.TRAFFIC, Says.IN_SIGHT, "edge")]
        assert classify(judge.evidence_of_never_called(never, sights)).standing is Standing.UNUSED
        assert classify(judge.evidence_of_never_called(never, [])).standing is Standing.NOT_OBSERVABLE


def test_what_two_specifications_describe_is_one_operation() -> None:
    one = covering("a.yaml", Outlined("/x/{a}", "GET"), Outlined("/y", "GET"))
    two = covering("b.yaml", Outlined("/x/{b}", "GET", deprecated=True))
    found = never_called([one, two], [])
    assert [(each.template, len(each.coverings)) for each in found] == [("/x/{a}", 2), ("/y", 1)]


def test_a_specification_of_nothing_that_was_seen_goes_by_its_host_or_its_own_name() -> None:
    outline = Outline(Kind.OPENAPI_3_0, servers=(Server("https://Far.example/v1"),))
    given = [
        Given("far.yaml", 1, outline),
        Given("no.yaml", 1, Outline(Kind.GRAPHQL)),
        Given("n.yaml", 1, outline, "by-hand"),
    ]
    found = coverings(given, Seen({}))
    assert {service: one.base for service, (one,) in found.items()} == {
        "far.example": "/v1",
        "no.yaml": "",
        "by-hand": "/v1",
    }
