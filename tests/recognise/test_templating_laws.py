"""Laws of learned templates: one set, one answer, and a hostile set costs a bounded trie."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.recognise.templating import trie as trie_module
from wardgate.recognise.templating.bodies import read_answer, read_body
from wardgate.recognise.templating.labelling import Basis, Labeller
from wardgate.recognise.templating.learner import learn
from wardgate.recognise.templating.prior import shipped, without_words
from wardgate.recognise.templating.services import Observation, Services
from wardgate.recognise.templating.settled import Settled
from wardgate.recognise.templating.surroundings import ECHOES, LISTED, LISTS
from wardgate.recognise.templating.trie import WIDTHS, Trie

_SEGMENT = st.one_of(
    st.sampled_from("users orders me search v2 items alice bob 7 42 {} 2026-01-02 a;b=c".split()),
    st.integers(0, 99).map(str),
    st.text("ab-1", max_size=4),
)
_PATH = st.lists(_SEGMENT, max_size=5).map(lambda parts: "/" + "/".join(parts))
_SEEN = st.builds(
    Observation,
    _PATH,
    st.sampled_from([None, "GET", "POST", "DELETE", "QUERY"]),
    st.sampled_from([None, 200, 404]),
    st.sampled_from([(), (7,), (7, 9)]),
)


def _labels(services: Services, seen: list[Observation]) -> dict[str, tuple[str, float]]:
    labeller = services.labeller("s")
    return {one.path: ((label := labeller.of(one.path)).template, label.confidence) for one in seen}


@settings(max_examples=15, deadline=None)
@given(st.lists(_SEEN, max_size=25), st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_batches_and_repeats_do_not_matter(
    seen: list[Observation], rng: random.Random, batches: int
) -> None:
    at_once = Services(shipped())
    at_once.observe("s", seen)
    shuffled = seen + seen[::2]
    rng.shuffle(shuffled)
    in_batches = Services(shipped())
    for part in range(batches):
        in_batches.observe("s", shuffled[part::batches])
        if part % 2:
            in_batches.labeller("s")
    assert _labels(at_once, seen) == _labels(in_batches, seen)


def test_order_does_not_matter_where_children_are_left_out() -> None:
    paths = [f"/users/{name}-{n}/{n % 7}/posts/p{n % 400}" for n in range(900) for name in ("anna", "boris")]
    rng = random.Random(4)
    results = []
    for _ in range(3):
        rng.shuffle(paths)
        trie = Trie()
        for at, path in enumerate(paths):
            trie.add(path, "GET")
            if at == 700:
                trie.settle()
        labeller = Labeller(learn(trie, shipped()))
        results.append({path: labeller.of(path) for path in paths})
    assert results[0] == results[1] == results[2]
    assert {label.template for label in results[0].values()} == {"/users/{userId}/{userId2}/posts/{postId}"}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from([50, 200, 800]), st.sampled_from([3, 40, 1000]))
def test_order_does_not_matter_beyond_what_is_learned_from(seed: int, count: int, names: int) -> None:
    rng = random.Random(seed)
    paths = [
        "/"
        + "/".join(f"{rng.choice('abcdefghij')}{rng.randrange(names)}" for _ in range(rng.randrange(1, 5)))
        for _ in range(count)
    ]
    kept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trie_module, "MOST_NODES", 60)
        patch.setattr(trie_module, "WIDTHS", (16, 8, 2, 1, 1))
        for _ in range(3):
            rng.shuffle(paths)
            trie = Trie()
            for at, path in enumerate(paths):
                trie.add(path, "GET", 200)
                if at == count // 2:
                    trie.narrowed()
            narrow = trie.narrowed()
            kept.append(sorted(path for path, _ in narrow.paths()))
            assert len(kept[0]) <= 60
            assert set(kept[0]) <= {path for path, _ in trie.paths()}, "what is held stays as it is"
    assert kept[0] == kept[1] == kept[2]


def test_more_nodes_than_are_learned_from() -> None:
    paths = [
        f"/{a:x}w/{b:x}q/{c}" for a in range(50) for b in range(90) for c in ("one", "two", "red", "blue")
    ]
    paths += [f"/{a:x}w/{b:x}q/{c}" for a in range(50, 160) for b in range(110) for c in "rstuvw"]
    results = []
    for seed in range(2):
        random.Random(seed).shuffle(paths)
        trie = Trie()
        for path in paths:
            trie.add(path, "GET")
        narrow = trie.narrowed()
        assert narrow is not trie
        results.append(sorted(path for path, _ in narrow.paths()))
        assert len(results[0]) <= trie_module.MOST_NODES < len(list(trie.paths()))
    assert results[0] == results[1]


def test_a_replayed_batch_says_nothing_new() -> None:
    services = Services(shipped())
    seen = [Observation(f"/users/{n}", "GET", 200) for n in range(20)]
    assert services.observe("s", seen)
    assert services.due() == ["s"]
    services.labeller("s")
    assert not services.observe("s", seen)
    assert services.due() == []


@pytest.mark.parametrize(
    "path",
    [
        lambda n: f"/{n:x}-{n * 7919:x}",
        lambda n: "/" + "/".join(f"w{(n * k) % 9973}" for k in range(1, 9)),
        lambda n: "/wp-" + "abcdefghij"[n % 10] * (1 + n % 50) + f"{n}.php",
    ],
)
def test_a_scan_costs_a_bounded_trie_and_shows(path) -> None:
    trie = Trie()
    for n in range(20_000):
        trie.add(path(n), "GET", 404)
    trie.settle()
    waiting, nodes = [trie.root], 0
    while waiting:
        node = waiting.pop()
        nodes += 1
        assert len(node.children) <= WIDTHS[0] + WIDTHS[0] // 8
        waiting += node.children.values()
    assert nodes < 150_000
    assert trie.flooded()


def test_ten_thousand_segments_are_one_path_of_bounded_depth() -> None:
    trie = Trie()
    long = "/" + "/".join(str(n) for n in range(10_000))
    started = time.process_time()
    trie.add(long, "GET", 404)
    label = Labeller(learn(trie, shipped())).of(long)
    assert label.template.endswith("/{rest}") and label.template.count("/") == 33
    assert time.process_time() - started < 5


def test_what_is_settled_wins() -> None:
    trie = Trie()
    for n in range(30):
        trie.add(f"/users/{n}", "GET")
    trie.add("/users/me", "GET")
    settled = Settled(
        described=("/users/{login}", "/reports/{name}.csv"),
        pinned=("/users/7",),
        merged={"/users/{}": "/people/{login}"},
    )
    labeller = Labeller(learn(trie, shipped()), settled)
    assert labeller.of("/users/7").template == "/users/7"
    assert labeller.of("/users/8") == labeller.of("/users/8")
    assert labeller.of("/users/8").template == "/people/{login}"
    assert labeller.of("/users/7").basis is Basis.PINNED
    assert labeller.of("/users/8").basis is Basis.DESCRIBED
    assert labeller.of("/users/8").confidence == 1.0
    named = Labeller(learn(trie, shipped()), Settled(named={"/users/{}": ("who",)}))
    assert named.of("/users/8").template == "/users/{who}"


def test_a_slash_at_the_end_is_no_difference_to_what_is_settled() -> None:
    trie = Trie()
    for path in ("/instance/", "/users/8/", "/users/9", "/groups"):
        trie.add(path, "GET")
    described = ("/instance", "/users/{login}", "/groups/", "/teams/{team}", "/teams/{team}/")
    labeller = Labeller(learn(trie, shipped()), Settled(described=described))
    found = {
        path: labeller.of(path) for path in ("/instance/", "/users/8/", "/groups", "/teams/1", "/teams/1/")
    }
    assert [one.template for one in found.values()] == [
        "/instance",
        "/users/{login}",
        "/groups/",
        "/teams/{team}",
        "/teams/{team}/",
    ]
    assert found["/users/8/"].values == ("8",)
    assert labeller.of("/").template == "/"


def test_no_prior_still_knows_plain_identifiers() -> None:
    trie = Trie()
    for n in range(12):
        trie.add(f"/gizmos/{n}/parts", "GET")
    labeller = Labeller(learn(trie, without_words(shipped())))
    assert labeller.of("/gizmos/3/parts").template == "/gizmos/{gizmoId}/parts"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[" * 5000,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
        b"\xff\xfe",
        b"null",
        b'"text"',
        b"{}" * 9,
    ],
)
def test_any_body_is_read_within_bounds(raw: bytes) -> None:
    held: dict[str, int] = {}
    assert read_body(raw, held) >= 0
    assert all(read_answer(raw, held, "/a/b"))


@pytest.mark.parametrize(
    ("paths", "template"),
    [
        (["/things/8f14e45f-ceea-467f-9a11-3b1c6c2d9e01"], "/things/{thingId}"),
        (["/things/00000000-0000-0000-0000-000000000000/parts"], "/things/{thingId}/parts"),
        (["/things/4915123456"], "/things/{thingId}"),
        (["/things/anna@example.com"], "/things/{email}"),
        (["/servicePrincipalsByAppId"], "/servicePrincipalsByAppId"),
    ],
)
def test_what_is_plainly_an_identifier_needs_no_company(paths: list[str], template: str) -> None:
    trie = Trie()
    for path in paths:
        trie.add(path, "GET")
    assert Labeller(learn(trie, shipped())).of(paths[0]).template == template


def test_an_identifier_below_what_was_left_out_is_no_constant() -> None:
    trie = Trie()
    for n in range(5000):
        trie.add(f"/accounts/{n}/orders/{n * 7919}", "GET")
    trie.add("/accounts/77777/rare-thing/4711123", "GET")
    label = Labeller(learn(trie, shipped())).of("/accounts/77777/rare-thing/4711123")
    assert label.template == "/accounts/{accountId}/rare-thing/{rareThingId}"


@pytest.mark.parametrize(
    ("path", "raw", "echoes"),
    [
        ("/users/ann", b'{"login": "ann", "type": "user"}', True),
        ("/users/Ann", b'{"data": {"username": "ann"}}', True),
        ("/orders/42", b'{"id": 42, "total": 3}', True),
        ("/files/a%20b", b'{"name": "a b"}', True),
        ("/users/ann/orders", b'{"login": "ann"}', False),
        ("/users/me", b'{"login": "ann"}', False),
        ("/states/open", b'{"state": "open"}', False),
        ("/users/true", b'{"id": true}', False),
        ("/", b'{"name": ""}', False),
        ("/users/ann", b"[1, 2", False),
    ],
)
def test_an_answer_that_names_its_path_says_so(path: str, raw: bytes, echoes: bool) -> None:
    assert (ECHOES in read_answer(raw, {}, path)) == echoes


def test_what_a_collection_lists_stands_behind_its_path() -> None:
    held: dict[str, int] = {}
    read_answer(b'{"items": [{"slug": "red", "color": "fff"}, {"slug": "a/b"}], "total": 2}', held, "/teams/")
    assert held["/teams"] & LISTS
    assert held["/teams/red"] & LISTED and held["/teams/a%2Fb"] & LISTED
    assert "/teams/fff" not in held


def test_answers_tell_words_that_are_identifiers_from_constants() -> None:
    trie, held = Trie(), {}
    for name in ("export", "report", "archive", "mirror", "search"):
        path = f"/widgets/{name}"
        trie.add(path, "GET", 200, read_answer(b'{"name": "%s", "size": 1}' % name.encode(), held, path))
    listed = b'[{"name": "export"}, {"name": "report"}, {"name": "archive"}, {"name": "mirror"}]'
    trie.add("/widgets", "GET", 200, read_answer(listed, held, "/widgets"))
    labeller = Labeller(learn(trie, shipped(), held))
    assert labeller.of("/widgets/mirror").template == "/widgets/{widgetId}"
