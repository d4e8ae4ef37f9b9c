"""Keyed hashes of identifiers: SipHash as its paper has it, equal for equal texts and keys."""

import numpy as np
import pyarrow as pa

from wardgate.core.keys import Key
from wardgate.core.object_ids import ObjectIds, siphash

KEY = Key(b"k" * 32)


def test_the_papers_own_example() -> None:
    """Appendix A: fifteen bytes 00…0e under the key 00…0f."""
    words = np.frombuffer(bytes(range(15)) + b"\x0f", "<u8").reshape(1, 2).copy()
    assert hex(siphash(words, bytes(range(16)))[0]) == "0xa129ca6149be45e5"


def test_equal_texts_are_equal_alone_and_among_others() -> None:
    texts = ["", "7", "8", "a" * 7, "a" * 8, "a" * 64, "é" * 30, "x" * 127, "x" * 128, "x" * 129, "x" * 900]
    ids = ObjectIds(KEY).of(pa.array(texts))
    assert len(set(ids.tolist())) == len(texts) and ids.min() > 0
    assert [int(ObjectIds(KEY).of(pa.array([one]))[0]) for one in texts] == ids.tolist()
    assert ObjectIds(KEY).of(pa.array(texts).slice(3)).tolist() == ids[3:].tolist()
    assert not len(ObjectIds(KEY).of(pa.array([], pa.string())))


def test_another_key_tells_nothing_and_a_rotation_changes_nothing() -> None:
    texts = pa.array(["7", "8"])
    mine = ObjectIds(KEY).of(texts).tolist()
    assert not set(mine) & set(ObjectIds(Key(b"o" * 32)).of(texts).tolist())
    assert ObjectIds(Key(b"n" * 32, (b"k" * 32,))).of(texts).tolist() == mine
