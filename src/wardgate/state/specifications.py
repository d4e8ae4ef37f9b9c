"""Specifications that people gave: what was read of them, in force under a name, and those they replaced.

The state holds the form as bytes and does not look inside.
"""

from dataclasses import dataclass

from sqlalchemy import Row, select, update

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.state.store import State
from wardgate.state.tables import specifications

_FACTS = [column for column in specifications.c if column.name != "content"]


@dataclass(frozen=True, slots=True)
class GivenSpecification:
    """What is known of a specification besides its content. Times are µs since 1970."""

    id: int
    name: str
    kind: str
    title: str
    version: str
    service: str | None
    digest: str
    operations: int
    left_out: int
    added_at_us: int
    removed_at_us: int | None
    owners: str | None = None
    """Of the file it came from, as CODEOWNERS has it: JSON, (owner, where)."""


class Specifications:
    """The specifications of an installation."""

    def __init__(self, state: State, clock: Clock) -> None:
        self.state = state
        self._clock = clock

    def add(
        self,
        *,
        name: str,
        kind: str,
        title: str,
        version: str,
        service: str | None,
        digest: str,
        operations: int,
        left_out: int,
        content: bytes,
        owners: str | None = None,
    ) -> tuple[GivenSpecification, bool]:
        """Put one in force; and whether that changed anything. The same one again changes nothing."""
        now = self._clock()
        with self.state.transaction() as connection:
            in_force = connection.execute(
                select(*_FACTS).where(specifications.c.name == name, specifications.c.removed_at_us.is_(None))
            ).one_or_none()
            if in_force is not None:
                there = _given(in_force)
                same = there.digest, there.service, there.operations, there.owners
                if same == (digest, service, operations, owners):
                    return there, False
                connection.execute(
                    update(specifications).where(specifications.c.id == there.id).values(removed_at_us=now)
                )
            made = connection.execute(
                specifications.insert()
                .values(
                    name=name,
                    kind=kind,
                    title=title[:255],
                    version=version[:64],
                    service=service,
                    digest=digest,
                    operations=operations,
                    left_out=left_out,
                    content=content,
                    added_at_us=now,
                    owners=owners,
                )
                .returning(*_FACTS)
            ).one()
        return _given(made), True

    def in_force(self) -> list[GivenSpecification]:
        """Those in force, by name."""
        with self.state.transaction() as connection:
            found = connection.execute(
                select(*_FACTS)
                .where(specifications.c.removed_at_us.is_(None))
                .order_by(specifications.c.name)
            )
            return [_given(row) for row in found]

    def content(self, given: GivenSpecification) -> bytes:
        """What was read of one."""
        with self.state.transaction() as connection:
            found = connection.execute(
                select(specifications.c.content).where(specifications.c.id == given.id)
            ).scalar_one()
            return bytes(found)

    def remove(self, name: str) -> GivenSpecification:
        """Put one out of force. Raises `specification-not-there`."""
        with self.state.transaction() as connection:
            ended = connection.execute(
                update(specifications)
                .where(specifications.c.name == name, specifications.c.removed_at_us.is_(None))
                .values(removed_at_us=self._clock())
                .returning(*_FACTS)
            ).one_or_none()
        if ended is None:
            raise WardgateError(
                "specification-not-there",
                "there is no specification of that name;",
                mend="`wardgate spec list` shows all.",
            )
        return _given(ended)


def _given(row: Row[tuple[object, ...]]) -> GivenSpecification:
    return GivenSpecification(**row._mapping)
