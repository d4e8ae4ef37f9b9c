"""What a check-up answers: one finding about one thing, and what to do about it in a sentence."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing need be done."""
    WARN = "warn"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    about: str
    """`home`, `key`, `disk`, `lake`, `configuration`… or `source NAME`."""
    state: State
    finding: str
    do: str = ""
    """What to do, where there is something to do."""
