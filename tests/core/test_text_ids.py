"""Ids of many texts at once: one per text, whatever stands beside it."""

import pyarrow as pa

from wardgate.core.ids import WIDTH, text_ids

TEXTS = [f"{n:016x}" for n in range(20_000)] + ["", "a", "A", "a" * WIDTH, "0" * 17, "b-" * 16]


def test_each_text_has_its_own_id() -> None:
    ids = text_ids(pa.array(TEXTS), 7)
    assert len(set(ids.tolist())) == len(TEXTS)
    assert ids.min() > 0


def test_an_id_does_not_depend_on_its_neighbours() -> None:
    ids = text_ids(pa.array(TEXTS), 7)
    assert text_ids(pa.array(TEXTS[::-1]), 7)[::-1].tolist() == ids.tolist()
    assert text_ids(pa.array(TEXTS).slice(19_990, 9), 7).tolist() == ids[19_990:19_999].tolist()
    assert [int(text_ids(pa.array([one]), 7)[0]) for one in TEXTS[-6:]] == ids[-6:].tolist()


def test_another_key_gives_other_ids() -> None:
    few = pa.array(TEXTS[-6:])
    assert not set(text_ids(few, 7).tolist()) & set(text_ids(few, 8).tolist())


def test_no_texts_have_no_ids() -> None:
    assert text_ids(pa.array([], pa.string()), 7).tolist() == []
