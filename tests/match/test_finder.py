"""The finder: names and values together, in columns as one by one, and never a value that is not a class."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.errors import WardgateError
from wardgate.match.classes.catalogue import BUILTIN_CLASSES
from wardgate.match.classes.shape import DataClass, Pattern
from wardgate.match.finder import LONGEST, Finder, finder

PIECES = [value for one in BUILTIN_CLASSES for _, value in (*one.found, *one.passed)]
FIELDS = sorted({name for one in BUILTIN_CLASSES for name, _ in (*one.found, *one.passed)})


def found(value: str, name: str = "") -> dict[str, int]:
    return {one.data_class: one.count for one in finder().classes_of(value, name)}


@pytest.mark.parametrize(
    ("name", "value", "classes"),
    [
        # A value that says what it is, a value that only its name explains, a name that says otherwise.
        ("", "536-90-4399", ["national-id.us-ssn"]),
        ("ssn", "536904399", ["national-id.us-ssn"]),
        ("order", "536904399", []),
        ("order_number", "4111111111111111", []),
        ("card.number", "4111111111111111", ["payment-card"]),
        ("account", "DE89370400440532013000", ["iban"]),
        # A number without a class of its own is still a document's number, one with a class is that only.
        ("tax_id", "390.533.447-05", ["national-id.br-cpf"]),
        # A name of its own beats a name that many go by: this is also a valid Israeli and Australian number.
        ("socialInsuranceNumber", "123456782", ["national-id.ca-sin"]),
        ("passport_number", "C01X00T47", ["national-id.other"]),
        # Names alone say nothing where the value is no such thing.
        ("email", "none", []),
        ("date_of_birth", "unknown", []),
        ("phone", "", []),
        ("api_key", "please ask the administrator", []),
    ],
)
def test_names_and_values_both_count(name: str, value: str, classes: list[str]) -> None:
    assert list(found(value, name)) == classes


def test_each_occurrence_in_a_text_counts() -> None:
    text = "ann@example.org,bob@example.org; 536-90-4399 536-90-4398\ncarl@example.org"
    assert found(text) == {"email": 3, "national-id.us-ssn": 2}


def test_only_the_beginning_of_a_long_value_is_read() -> None:
    assert found("x " * LONGEST + "ann@example.org") == {}


def test_a_number_means_nothing_without_a_name() -> None:
    values = pa.array(["4111111111111111", "4111111111111111"])
    hits = finder().find(values, ["payload", "card_number"], np.array([0, 1]), np.array([True, True]))
    assert hits.row.tolist() == [1]
    assert not finder().classes_of("378282246310005", "amount", is_bare=True)


def test_a_class_of_ones_own() -> None:
    badge = DataClass(
        name="badge",
        title="Badge",
        reference="our own badges",
        patterns=(Pattern(r"B-\d{4}", alone=0.5), Pattern(r"\d{4}")),
        fields=("badge",),
        not_fields=("lost badge",),
    )
    own = Finder([badge])
    assert [one.confidence for one in own.classes_of("B-1234")] == [0.5]
    assert [one.confidence for one in own.classes_of("1234", "person.badge")] == [0.9]
    assert own.classes_of("1234") == []
    assert own.classes_of("B-1234", "lostBadge") == []


def test_a_validator_that_stumbles_says_no() -> None:
    def stumbling(value: str) -> bool:
        raise KeyError(value)

    bad = DataClass(
        name="b", title="B", reference="none", patterns=(Pattern("x+", alone=0.5, valid=stumbling),)
    )
    assert Finder([bad]).classes_of("xxx") == []


def test_a_pattern_that_is_not_re2_is_refused_with_its_class() -> None:
    bad = DataClass(name="bad", title="Bad", reference="none", patterns=(Pattern(r"(?=a)b", alone=0.5),))
    with pytest.raises(WardgateError, match=r"bad: invalid perl operator") as caught:
        Finder([bad])
    assert caught.value.code == "data-class-malformed"


def test_no_class_finds_nothing() -> None:
    assert Finder([]).classes_of("ann@example.org", "email") == []
    assert finder().find(pa.array([], pa.string()), [], np.array([], np.int64)).row.tolist() == []


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from(PIECES),
                st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=3).map(" ".join),
            ),
            st.sampled_from(FIELDS),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_columns_say_what_single_values_say(rows: list[tuple[str, str, bool]]) -> None:
    rows = [(value.encode("utf-8", "replace").decode(), name, bare) for value, name, bare in rows]
    names = sorted({name for _, name, _ in rows})
    hits = finder().find(
        pa.array([value for value, _, _ in rows], pa.string()),
        names,
        np.array([names.index(name) for _, name, _ in rows], np.int64),
        np.array([bare for _, _, bare in rows], bool),
    )
    columns = sorted(
        (row, finder().classes[at].name, count, sure)
        for row, at, count, sure in zip(
            hits.row.tolist(),
            hits.data_class.tolist(),
            hits.count.tolist(),
            hits.confidence.tolist(),
            strict=True,
        )
    )
    singles = sorted(
        (row, one.data_class, one.count, one.confidence)
        for row, (value, name, bare) in enumerate(rows)
        for one in finder().classes_of(value, name, is_bare=bare)
    )
    assert columns == singles
