"""One process at a time per batch id, where a catalogue on PostgreSQL lets processes write at once.

DuckLake knows no unique constraint: two processes that were sent the same batch (a retry through a load
balancer) would both find its id unknown and both write it. An advisory lock per id, held from the look to the
commit and freed by PostgreSQL when its process dies, makes the second one find it. Other batches do not wait.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from wardgate.core.errors import Exit, WardgateError

OPENING = 0
"""The lock of whoever opens the lake; no batch has this id."""
LINKING = -1
"""The lock of whoever commits calls that may be another vantage's too: of two at once, one counts."""


class BatchLocks:
    """Advisory locks on the catalogue's database, over a connection of their own."""

    def __init__(self, catalog: str) -> None:
        self._conninfo = catalog.removeprefix("postgres:")
        self._con: Any = None

    @contextmanager
    def held(self, batch_ids: Sequence[int]) -> Iterator[None]:
        """Hold the ids' locks inside the block. Raises `lake-write-failed`."""
        import psycopg

        try:
            self._lock(sorted(set(batch_ids)))
        except psycopg.Error as error:
            self.close()
            raise WardgateError(
                "lake-write-failed",
                f"the lake's catalogue did not answer: {type(error).__name__}.",
                mend="`wardgate doctor` says more.",
                exit_code=Exit.FAILED,
            ) from error
        try:
            yield
        finally:
            try:
                self._con.execute("SELECT pg_advisory_unlock_all()")
            except psycopg.Error:
                self.close()  # its end frees them, too

    def close(self) -> None:
        if self._con is not None:
            with suppress(Exception):
                self._con.close()
        self._con = None

    def _lock(self, ids: list[int]) -> None:
        import psycopg

        if self._con is None or self._con.closed:
            self._con = psycopg.connect(self._conninfo, autocommit=True)
        # In the order of the ids, so that two processes never wait for one another.
        self._con.execute("SELECT pg_advisory_lock(id) FROM unnest(%s::bigint[]) AS wanted (id)", [ids])
