"""What people said of owners: words on operations, rules, CODEOWNERS files; what ended stays, ended."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, select, update

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.state.store import State
from wardgate.state.tables import code_owners, owner_rules, owner_words

MOST_RULES = 10_000


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """A rule in force. Times are µs since 1970."""

    id: int
    owner: str | None
    code: str | None
    service: str | None
    method: str | None
    template: str | None
    added_at_us: int


@dataclass(frozen=True, slots=True)
class OwnerWord:
    """A word in force on one operation."""

    id: int
    owner: str
    service: str
    protocol: str
    method: str | None
    template: str
    operation: str | None
    said_by: str
    added_at_us: int


@dataclass(frozen=True, slots=True)
class CodeOwnersFile:
    """A CODEOWNERS file in force; `content` is what was understood of it."""

    id: int
    name: str
    digest: str
    lines: int
    content: bytes
    added_at_us: int


class OwnerFacts:
    """What an installation was told of owners."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def rules(self) -> list[OwnerRule]:
        """Rules in force, the oldest first."""
        return [OwnerRule(**row) for row in self._in_force(owner_rules)]

    def words(self) -> list[OwnerWord]:
        """Words in force, the oldest first."""
        return [OwnerWord(**row) for row in self._in_force(owner_words)]

    def files(self) -> list[CodeOwnersFile]:
        """CODEOWNERS files in force, the oldest first."""
        return [CodeOwnersFile(**row) for row in self._in_force(code_owners)]

    def add_rule(
        self,
        *,
        owner: str | None,
        code: str | None,
        service: str | None,
        method: str | None,
        template: str | None,
    ) -> OwnerRule:
        """Lay down a rule; the same one again is the one that is there. Raises `owner-too-many`."""
        given = {"owner": owner, "code": code, "service": service, "method": method, "template": template}
        with self._state.transaction() as connection:
            same = [owner_rules.c[name].is_not_distinct_from(value) for name, value in given.items()]
            there = (
                connection.execute(select(owner_rules).where(owner_rules.c.removed_at_us.is_(None), *same))
                .mappings()
                .first()
            )
            if there is None:
                count = select(func.count()).where(owner_rules.c.removed_at_us.is_(None))
                if connection.execute(count).scalar_one() >= MOST_RULES:
                    raise WardgateError("owner-too-many", f"there are {MOST_RULES:,} rules already.")
                made = owner_rules.insert().values(**given, added_at_us=self._clock()).returning(owner_rules)
                there = connection.execute(made).mappings().one()
        return OwnerRule(**_facts(dict(there)))

    def end_rule(self, rule_id: int) -> OwnerRule:
        """Take a rule out of force. Raises `owner-rule-unknown`."""
        with self._state.transaction() as connection:
            ended = (
                connection.execute(
                    update(owner_rules)
                    .where(owner_rules.c.id == rule_id, owner_rules.c.removed_at_us.is_(None))
                    .values(removed_at_us=self._clock())
                    .returning(owner_rules)
                )
                .mappings()
                .one_or_none()
            )
        if ended is None:
            raise WardgateError(
                "owner-rule-unknown",
                "no rule in force has that number;",
                mend="`wardgate owners list` shows all.",
            )
        return OwnerRule(**_facts(dict(ended)))

    def say(
        self,
        *,
        service: str,
        protocol: str,
        method: str | None,
        template: str,
        operation: str | None,
        owner: str | None,
        said_by: str = "",
    ) -> bool:
        """Name the owner of one operation, in place of who was named before; None takes the word back.

        Answers whether that changed anything.
        """
        named = {
            "service": service,
            "protocol": protocol,
            "method": method,
            "template": template,
            "operation": operation,
        }
        with self._state.transaction() as connection:
            same = [owner_words.c[name].is_not_distinct_from(value) for name, value in named.items()]
            there = connection.execute(
                select(owner_words.c.owner).where(owner_words.c.removed_at_us.is_(None), *same)
            ).scalar()
            if there == owner:
                return False
            _end(connection, owner_words, self._clock(), *same)
            if owner is not None:
                connection.execute(
                    owner_words.insert().values(
                        **named, owner=owner, said_by=said_by, added_at_us=self._clock()
                    )
                )
        return True

    def add_file(self, *, name: str, digest: str, lines: int, content: bytes) -> bool:
        """Put a CODEOWNERS file in force under a name; answers whether that changed anything."""
        with self._state.transaction() as connection:
            same = code_owners.c.name == name
            there = connection.execute(
                select(code_owners.c.digest).where(code_owners.c.removed_at_us.is_(None), same)
            ).scalar()
            if there == digest:
                return False
            _end(connection, code_owners, self._clock(), same)
            connection.execute(
                code_owners.insert().values(
                    name=name, digest=digest, lines=lines, content=content, added_at_us=self._clock()
                )
            )
        return True

    def end_file(self, name: str) -> None:
        """Take a CODEOWNERS file out of force. Raises `codeowners-unknown`."""
        with self._state.transaction() as connection:
            ended = _end(connection, code_owners, self._clock(), code_owners.c.name == name)
        if not ended:
            raise WardgateError(
                "codeowners-unknown",
                "there is no CODEOWNERS file of that name;",
                mend="`wardgate owners list` shows all.",
            )

    def _in_force(self, table: Table) -> list[dict[str, Any]]:
        with self._state.transaction() as connection:
            found = connection.execute(
                select(table).where(table.c.removed_at_us.is_(None)).order_by(table.c.id)
            )
            return [_facts(dict(row)) for row in found.mappings()]


def _end(connection: Connection, table: Table, now: int, *where: object) -> int:
    ended = connection.execute(
        update(table).where(table.c.removed_at_us.is_(None), *where).values(removed_at_us=now)  # type: ignore[arg-type]
    )
    return ended.rowcount


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "removed_at_us"}
