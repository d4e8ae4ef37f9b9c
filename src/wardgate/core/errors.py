"""Errors a person meets, each with a stable code and a mend.

Every refusal Wardgate makes on purpose is a `WardgateError`: one line, a code that never changes meaning,
and what to do. Faces turn it into an exit code (CLI) or a problem document (API). Anything else that
escapes is a defect. A message never contains a raw value from traffic.
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    FOUND = 1
    """A check found something."""
    USAGE = 2
    """Used wrongly: wrong path, format, permission, configuration."""
    FAILED = 3
    """Used rightly, and yet it failed."""


class WardgateError(Exception):
    """A refusal with a stable `code`, one line of `message`, an optional `mend`, and its exit code."""

    def __init__(self, code: str, message: str, *, mend: str = "", exit_code: Exit = Exit.USAGE) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
        self.exit_code = exit_code

    def __str__(self) -> str:
        mend = f" {self.mend}" if self.mend else ""
        return f"[{self.code}] {self.message}{mend}"
