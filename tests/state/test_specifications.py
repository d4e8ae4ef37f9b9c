"""Specifications in the state: one in force under a name, what it replaced kept, the same one taken once."""

from pathlib import Path

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.state.specifications import GivenSpecification, Specifications
from wardgate.state.store import open_state


def test_adding_under_a_name_replaces_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    state = open_state(open_home(tmp_path))
    kept = Specifications(state, fixed_clock(7))

    def add(name: str, digest: str, service: str | None = None) -> tuple[GivenSpecification, bool]:
        return kept.add(
            name=name,
            kind="openapi-3.1",
            title="T" * 999,
            version="1",
            service=service,
            digest=digest,
            operations=3,
            left_out=0,
            content=digest.encode(),
        )

    first, changed = add("shop", "aa")
    assert (changed, first.added_at_us, len(first.title)) == (True, 7, 255)
    assert add("shop", "aa") == (first, False)
    second, changed = add("shop", "bb")
    assert changed and second.id != first.id
    third, changed = add("shop", "bb", service="x.test")
    assert changed
    other, _ = add("apis/other", "cc")
    assert [one.name for one in kept.in_force()] == ["apis/other", "shop"]
    assert (kept.content(first), kept.content(third)) == (b"aa", b"bb")
    assert kept.remove("shop").removed_at_us == 7
    assert kept.in_force() == [other]
    with pytest.raises(WardgateError) as unknown:
        kept.remove("shop")
    assert unknown.value.code == "specification-not-there"
    assert add("shop", "aa")[1]
    state.close()
