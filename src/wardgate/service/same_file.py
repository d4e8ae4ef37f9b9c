"""How a file stands to one that is being read and looks like the same origin.

copytruncate copies a log before it truncates it, gzip writes a copy before it deletes what it read, and two
programs may write the same first line into two logs. The bytes of both say which it is.
"""

from enum import Enum, auto

from wardgate.service.followed import Entry
from wardgate.service.opening import WEAK
from wardgate.service.tail import Tail
from wardgate.sources.files import Input, is_plain, read_up_to, skip_to, telling_lines
from wardgate.sources.reader import BrokenCompression

_LOOKED_AT = 64 << 10


class Relation(Enum):
    """Of a file to the one that holds the origin."""

    COPY = auto()
    """It holds nothing that the holder does not hold: to be left alone for now."""
    GOES_ON = auto()
    """It holds all that the holder does, and more: the holder was the copy."""
    OTHER = auto()
    """It only began alike."""
    REPLACED = auto()
    """The holder is no longer the file that it was."""


def relation(entry: Entry, holder: Entry) -> Relation:
    """How `entry` stands to `holder`, which is being read. Raises `OSError` or `input-unreadable`."""
    held = holder.reader
    if not isinstance(held, Tail):
        return Relation.COPY  # until that one is read to its end
    if not held.is_intact():
        return Relation.REPLACED
    size = held.size
    try:
        with Input(entry.path, str(entry.path)).open() as stream:
            if is_plain(stream):
                length = min(size, entry.size)
                before = skip_to(stream, length)
            else:
                length, before = read_up_to(stream, size)
            if before != held.before(length):
                return Relation.OTHER
            goes_on = length == size and bool(stream.read(1))
    except BrokenCompression:  # it is being written, or breaks off: it may still turn out a copy
        return Relation.COPY
    if not goes_on:
        return Relation.COPY
    telling = telling_lines(held.begin(min(size, _LOOKED_AT)))
    return Relation.GOES_ON if telling > WEAK else Relation.OTHER
