"""Header lists of many records, gathered into one Arrow column (`core.observed.HEADERS`).

Sources that see whole messages (JSON Lines, HAR, flows, captures) add each record's names and values in
order; what they mean is recognition's business. Absent headers are null, an empty list is an empty list.
"""

from collections.abc import Iterable

import pyarrow as pa

from wardgate.core.observed import HEADERS


class HeaderLists:
    """One header list per record, in the order of the records."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._values: list[str] = []
        self._starts: list[int] = []
        self._absent: list[bool] = []

    def add(self, names: Iterable[str], values: Iterable[str]) -> None:
        """The next record's headers: as many names as values."""
        self._starts.append(len(self._names))
        self._absent.append(False)
        self._names.extend(names)
        self._values.extend(values)

    def add_absent(self) -> None:
        """The next record, of which the source shows no headers."""
        self._starts.append(len(self._names))
        self._absent.append(True)

    def array(self) -> pa.ListArray:
        """The column: `HEADERS`, as long as there were records."""
        pairs = pa.StructArray.from_arrays(
            [pa.array(self._names, pa.string()), pa.array(self._values, pa.string())], ["name", "value"]
        )
        starts = pa.array([*self._starts, len(self._names)], pa.int32())
        return pa.ListArray.from_arrays(starts, pairs, mask=pa.array(self._absent, pa.bool_())).cast(HEADERS)


def header_text(raw: bytes) -> str:
    """A header's bytes as text: UTF-8, else ISO 8859-1 as RFC 9110 (5.5) has it from history."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
