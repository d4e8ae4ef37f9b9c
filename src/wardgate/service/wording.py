"""How values are said to people, the same on every face: numbers, shares, times, and text from traffic.

Names, paths and user agents come from traffic, so an attacker writes them: control characters, escape
sequences and bidirectional marks are shown as escapes.
"""

import unicodedata
from datetime import datetime

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def clean(text: str) -> str:
    """`text` with every character that could act on a terminal or reorder it shown as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if unicodedata.category(c) not in _HIDDEN else _escape(c) for c in text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def count(value: int | None) -> str:
    """1234567 → 1,234,567."""
    return "" if value is None else f"{value:,}"


def counted(value: int, noun: str) -> str:
    """1 call, 2 calls."""
    return f"{value:,} {noun}" + ("" if value == 1 else "s")


def share(value: float | None) -> str:
    """0.0421 → 4.2 %."""
    if value is None:
        return ""
    return "0" if value == 0 else "<0.1 %" if value < 0.001 else f"{value:.1%}".replace("%", " %")


def when(value: datetime | None) -> str:
    """A time, to the minute, in UTC."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def span(us: float | None) -> str:
    """Microseconds as people say them: 850 µs, 12 ms, 3.4 s."""
    if us is None:
        return ""
    if us < 1000:
        return f"{us:.0f} µs"
    if us < 1_000_000:
        return f"{us / 1000:.3g} ms"
    return f"{us / 1_000_000:.3g} s"


def ago(us: float) -> str:
    """How long ago that was: just now, 12 s ago, 5 min ago, 3 h ago, 2 days ago."""
    seconds = us / 1_000_000
    for unit, length, most in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 48)):
        if seconds < length * most:
            return "just now" if seconds < 1 else f"{seconds / length:.0f} {unit} ago"
    return f"{counted(round(seconds / 86400), 'day')} ago"


def size(value: int) -> str:
    """Bytes as people say them: 850 B, 12 kB, 3.4 MB."""
    number = float(value)
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"
