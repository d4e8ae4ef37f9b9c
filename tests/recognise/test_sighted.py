"""What a batch's calls show of paths: each fact once, and of bodies only ids."""

import numpy as np
import pyarrow as pa

from wardgate.core.call import OBJECT
from wardgate.core.keys import Key
from wardgate.core.object_ids import ObjectIds
from wardgate.recognise.sighted import Answers, sighted
from wardgate.recognise.templating.returned import identified, returned
from wardgate.recognise.templating.surroundings import BODIES, ECHOES, IN_BODY_AS_ID, LISTED, LISTS
from wardgate.recognise.templating.trie import LIST, MOST_OBJECTS, Trie

IDS = ObjectIds(Key(bytes(32)))
ANN, BOB, CY = identified(["ann", "bob", "cy"], IDS)
ROUTES = pa.table({"path": ["/users", "/users/ann", "/users/bob"]})


def objects(*lists: list[int]) -> pa.Array:
    """Identifiers that calls were answered with, and one that each asked for."""
    rows = [
        [{"parameter": "id", "value": one, "direction": "returned"} for one in found]
        + [{"parameter": "userId", "value": CY, "direction": "asked"}]
        for found in lists
    ]
    return pa.array(rows, pa.list_(OBJECT))


def facts(route_of: list[int], status: list[int | None], **more) -> set[tuple]:  # type: ignore[no-untyped-def]
    found = sighted(
        ROUTES,
        np.array(route_of),
        np.arange(len(route_of)),
        Answers(pa.array(status, pa.int16()), **more),
        IDS,
    )
    columns = (found.route.tolist(), found.classes.tolist(), found.shapes.tolist(), found.objects)
    return set(zip(*columns, strict=True))


def test_without_bodies_a_route_has_its_classes_of_status() -> None:
    assert facts([0, 0, 1, 0, 2], [200, 204, 404, 500, None]) == {
        (0, 2, 0, ()),
        (0, 5, 0, ()),
        (1, 4, 0, ()),
        (2, 0, 0, ()),
    }


def test_answers_say_their_outline_what_they_return_and_whether_that_ends_the_path() -> None:
    found = facts(
        [0, 1, 2, 1],
        [200, 200, 404, 200],
        outlines=np.array([40, 80, 80, 80]),
        objects=objects([ANN, BOB], [ANN], [BOB], [ANN, ANN]),
        items=pa.array([2, None, None, None], pa.int64()),
    )
    assert found == {
        (0, 2, 42, ()),
        (1, 2, 82, ()),
        (1, 2, ECHOES, ()),
        (2, 4, 0, ()),  # what failed says nothing of what stands there
        (0, 2, 0, tuple(sorted((LIST, ANN, BOB)))),
        (1, 2, 0, (ANN,)),
    }


def test_of_many_identifiers_the_smallest_stay() -> None:
    many = [int(one) for one in np.arange(1, 400) * 7_919 % 100_003]
    found = facts(
        [0] * 8,
        [200] * 8,
        outlines=np.full(8, 40),
        objects=objects(*(many[at::8] for at in range(8))),
        items=pa.nulls(8, pa.int64()),
    )
    assert (0, 2, 0, tuple(sorted(many)[:MOST_OBJECTS])) in found


def test_what_answers_return_speaks_for_segments() -> None:
    trie = Trie()
    trie.merge("/users", 1, 4, (42,), (LIST, ANN, BOB))
    for path in ("/users/ann", "/users/me", "/users/%62ob/cy"):
        trie.merge(path, 1, 4)
    held = returned(trie, IDS)
    assert held == {
        "": BODIES,
        "/users": LISTS,
        "ann": IN_BODY_AS_ID,
        "%62ob": IN_BODY_AS_ID,
        "/users/ann": LISTED,
        "/users/%62ob": LISTED,
    }
    silent = Trie()
    silent.add("/users/ann", "GET", 200)
    assert returned(silent, IDS) == {}
