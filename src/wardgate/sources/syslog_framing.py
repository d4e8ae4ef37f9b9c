"""Where one syslog message ends and the next begins in a byte stream.

RFC 6587, "Transmission of Syslog Messages over TCP": octet counting (`57 <34>1 …`), which RFC 5425 demands
over TLS, and messages that end with a newline. Which of the two is told message by message, as senders mix
them: a message begins with its priority, so a count is one only where `<` follows. Memory is bounded: what
is longer than allowed is passed over, and counted as one.
"""

import re
from dataclasses import dataclass, field

from wardgate.core.observed import Reason

KEPT = 4096
"""Bytes of a message that is rejected here which are kept for its masked shape."""
_COUNT = re.compile(rb"([1-9]\d{0,9}) (?=<)")
_MAYBE = re.compile(rb"[1-9]\d{0,9} ?\Z")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message's bytes; `fault` says why it is not whole."""

    data: bytes = field(repr=False)
    fault: Reason | None = None


class Framer:
    """Cuts one connection's bytes into frames. `longest` is in bytes."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = b""
        self._skip = 0  # bytes of an over-long counted frame that are still to come
        self._skips_line = False
        self._counts = False  # the last frame was counted

    def feed(self, data: bytes) -> list[Frame]:
        """Whole frames, in order."""
        buffer = self._buffer + data if self._buffer else data
        frames: list[Frame] = []
        at = 0
        while at < len(buffer):
            if self._skip:
                step = min(self._skip, len(buffer) - at)
                self._skip -= step
                at += step
                continue
            if self._skips_line:
                end = buffer.find(b"\n", at) + 1
                self._skips_line = not end
                at = end or len(buffer)
                continue
            if self._counts and buffer[at : at + 1] in b"\r\n\0":  # a trailer after a counted frame
                at += 1
                continue
            end = self._frame(buffer, at, frames)
            if end == at:
                break
            at = end
        self._buffer = buffer[at:]
        return frames

    def end(self, *, is_closed: bool) -> list[Frame]:
        """What is left at the end: a line without newline, where the sender closed, or part of a frame."""
        rest, self._buffer = self._buffer, b""
        if not rest.strip(b"\r\n\0"):
            return []
        is_whole = is_closed and _COUNT.match(rest) is None
        return [Frame(rest) if is_whole else Frame(rest[:KEPT], Reason.TRUNCATED)]

    def _frame(self, buffer: bytes, at: int, frames: list[Frame]) -> int:
        """Take the frame that begins at `at`; answers where it ends, `at` when it is not whole yet."""
        count = _COUNT.match(buffer, at)
        if count is not None:
            self._counts = True
            return self._counted(buffer, at, count.end(), int(count[1]), frames)
        if _MAYBE.match(buffer, at):  # a count that is not whole yet
            return at
        return self._line(buffer, at, frames)

    def _counted(self, buffer: bytes, at: int, start: int, length: int, frames: list[Frame]) -> int:
        if length > self._longest:
            frames.append(Frame(buffer[start : start + min(length, KEPT)], Reason.TOO_LONG))
            self._skip = length
            return start
        if len(buffer) - start < length:
            return at
        frames.append(Frame(buffer[start : start + length]))
        return start + length

    def _line(self, buffer: bytes, at: int, frames: list[Frame]) -> int:
        end = buffer.find(b"\n", at)
        if end < 0 and len(buffer) - at <= self._longest:
            return at
        self._counts = False
        if end < 0 or end - at > self._longest:
            frames.append(Frame(buffer[at : at + KEPT], Reason.TOO_LONG))
            self._skips_line = end < 0
            return len(buffer) if end < 0 else end + 1
        frames.append(Frame(buffer[at:end]))
        return end + 1
