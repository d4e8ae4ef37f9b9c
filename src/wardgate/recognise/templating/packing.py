"""A labeller as bytes, and back: what a process must know to label paths as another one learned to.

MessagePack of the tree of templates and of what is settled. Probabilities are kept to two digits, and of a
parameter's values only what most of them look like, because that is all that labels depend on. The same
labeller gives the same bytes.
"""

from typing import Any

import msgspec
import zstandard

from wardgate.recognise.templating.labelling import Labeller
from wardgate.recognise.templating.learner import Place
from wardgate.recognise.templating.lexical import Kind
from wardgate.recognise.templating.naming import usual_kind
from wardgate.recognise.templating.settled import Settled

FORMAT = 1
_LARGEST = 256 << 20


def packed(labeller: Labeller) -> bytes:
    """The bytes of a labeller; made once."""
    if labeller.packed is not None:
        return labeller.packed
    settled = labeller.settled
    plain = [
        FORMAT,
        _plain(labeller.top),
        list(settled.described),
        list(settled.pinned),
        dict(sorted(settled.merged.items())),
        {name: list(settled.named[name]) for name in sorted(settled.named)},
    ]
    labeller.packed = zstandard.compress(msgspec.msgpack.encode(plain), 3)
    return labeller.packed


def unpacked(raw: bytes) -> Labeller | None:
    """The labeller that made these bytes; None where another version did."""
    try:
        plain: list[Any] = msgspec.msgpack.decode(
            zstandard.ZstdDecompressor().decompress(raw, max_output_size=_LARGEST)
        )
        if plain[0] != FORMAT:
            return None
        _, top, described, pinned, merged, named = plain
        settled = Settled(
            tuple(described), tuple(pinned), merged, {name: tuple(names) for name, names in named.items()}
        )
        return Labeller(_place(top), settled)
    except (zstandard.ZstdError, msgspec.MsgspecError, ValueError, TypeError, IndexError, AttributeError):
        return None


def _plain(place: Place) -> list[Any]:
    """Without recursion beyond the tree's depth, which is bounded."""
    usual = place.usual if place.usual is not None else usual_kind(place.values)
    return [
        round(place.sure, 2),
        None if usual is None else int(usual),
        {name: _plain(place.constants[name]) for name in sorted(place.constants)},
        None if place.parameter is None else _plain(place.parameter),
        place.ends,
    ]


def _place(plain: list[Any], segment: str = "") -> Place:
    sure, usual, constants, parameter, ends = plain
    return Place(
        segment,
        sure,
        {name: _place(one, name) for name, one in constants.items()},
        None if parameter is None else _place(parameter, "{}"),
        ends=ends,
        usual=None if usual is None else Kind(usual),
    )
