"""Which files to merge: tiers of sizes, so that a row is rewritten a few times in its life and no more.

A file is in the tier of its size (each tier eight times the one below). Eight files of one tier, neighbours
in time, become one; a file of `FULL` bytes is left alone. So a day of one commit per second leaves tens of
small files besides the full ones, and each row was written once per tier. Pure: plans from sizes and times.
"""

from collections.abc import Sequence

from wardgate.lake.files import DataFile

SMALLEST = 64 << 10
"""Files below this are all of the lowest tier."""
FAN = 8
TARGET = 64 << 20
"""Bytes that a merge aims at: what one swap can drop in well under a second."""
FULL = TARGET // 2
MOST = 256
"""Files in one merge."""


def tier(size: int) -> int:
    """The tier of a file's size, from 0."""
    step = 0
    while size >= SMALLEST:
        size //= FAN
        step += 1
    return step


def groups(files: Sequence[DataFile]) -> list[list[DataFile]]:
    """Files to be merged with one another, each group in time order; files with deleted rows come along."""
    found: list[list[DataFile]] = []
    by_tier: dict[int, list[DataFile]] = {}
    for one in files:
        if one.size < FULL:
            by_tier.setdefault(tier(one.size), []).append(one)
        elif one.has_deletes:
            found.append([one])
    for _, members in sorted(by_tier.items()):
        if len(members) < FAN:
            found += [[one] for one in members if one.has_deletes]
            continue
        group: list[DataFile] = []
        size = 0
        for one in sorted(members, key=lambda file: file.order):
            if group and (size + one.size > TARGET or len(group) == MOST):
                found.append(group)
                group, size = [], 0
            group.append(one)
            size += one.size
        found.append(group)
    return [group for group in found if len(group) > 1 or group[0].has_deletes]


def span(group: Sequence[DataFile]) -> tuple[int, int]:
    """The first and the last time, in µs, that files of a group are about; (0, 0) where none says."""
    lows = [one.low_us for one in group if one.low_us is not None]
    highs = [one.high_us for one in group if one.high_us is not None]
    return min(lows, default=0), max(highs, default=0)
