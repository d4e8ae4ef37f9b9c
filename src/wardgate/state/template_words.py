"""What people settled of templates: who said what of which service when, and what they took back."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Row, select, update

from wardgate.core.clock import Clock
from wardgate.core.errors import WardgateError
from wardgate.state.store import State
from wardgate.state.tables import template_words


class WordKind(StrEnum):
    """What may be said of a template."""

    PIN = "pin"
    SPLIT = "split"
    MERGE = "merge"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class TemplateWord:
    """A word in force. Times are µs since 1970."""

    id: int
    service: str
    kind: WordKind
    template: str
    target: str | None
    """Of a split the template that comes out of it, of a merge where it goes, of a name the new names."""
    note: str | None
    said_by: str
    added_at_us: int


_FACTS = [column for column in template_words.c if column.name != "removed_at_us"]


class TemplateWords:
    """What an installation was told of templates."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    def in_force(self) -> list[TemplateWord]:
        """All of them, in the order in which they were said."""
        with self._state.transaction() as connection:
            found = connection.execute(
                select(*_FACTS).where(template_words.c.removed_at_us.is_(None)).order_by(template_words.c.id)
            )
            return [_word(row) for row in found]

    def say(
        self,
        *,
        service: str,
        kind: WordKind,
        template: str,
        target: str | None,
        note: str | None,
        said_by: str,
        instead_of: TemplateWord | None = None,
    ) -> TemplateWord:
        """Put a word in force, and end the one whose place it takes."""
        now = self._clock()
        with self._state.transaction() as connection:
            if instead_of is not None:
                connection.execute(
                    update(template_words)
                    .where(template_words.c.id == instead_of.id, template_words.c.removed_at_us.is_(None))
                    .values(removed_at_us=now)
                )
            made = connection.execute(
                template_words.insert()
                .values(
                    service=service,
                    kind=kind.value,
                    template=template,
                    target=target,
                    note=note,
                    said_by=said_by[:64],
                    added_at_us=now,
                )
                .returning(*_FACTS)
            ).one()
        return _word(made)

    def end(self, word: TemplateWord) -> None:
        """Take a word back. Raises `template-word-unknown` where somebody else did."""
        with self._state.transaction() as connection:
            ended = connection.execute(
                update(template_words)
                .where(template_words.c.id == word.id, template_words.c.removed_at_us.is_(None))
                .values(removed_at_us=self._clock())
            )
        if not ended.rowcount:
            raise unknown(word.kind)


def unknown(kind: WordKind) -> WardgateError:
    """The refusal to take back what nobody said."""
    return WardgateError(
        "template-word-unknown",
        f"nobody said that ({kind.value}), or it was taken back;",
        mend="`wardgate operations settled` lists what people settled.",
    )


def _word(row: Row[tuple[object, ...]]) -> TemplateWord:
    facts = dict(row._mapping)
    return TemplateWord(**{**facts, "kind": WordKind(facts["kind"])})
