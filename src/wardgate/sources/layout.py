"""Text layouts: a log format as literals and fields, compiled into one regular expression and a fast path.

Every access log that is not JSON is a `Layout`: NGINX `log_format`, Apache `LogFormat`, HAProxy, F5
templates, Envoy's text format… Each vendor's module only translates its syntax into pieces.

The regular expression is the reference: it says what a line means. Where the layout is columns divided by
one delimiter with whole columns in quotes, `columnar.py` reads clean lines in columns some ten times as
fast, and gives the reference every line it is not sure of.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec
import pyarrow as pa

Unescape = Callable[[str], str]
Refine = Callable[[dict[str, pa.Array]], dict[str, pa.Array]]
"""From the fields as they stand in the lines to fields of `access`: equal lengths, absent is null."""


@dataclass(frozen=True, slots=True)
class Field:
    """A variable part of a layout.

    `name` is one of `access.FIELDS` or a header (`req.<name>`); "" is matched and dropped. `shape` says how
    far it reaches: `word` up to the next literal or a space; `words` up to the next literal, spaces allowed;
    `list` a word that may hold ", " or " : " (several upstreams); `quoted` up to an unescaped quote, or where
    nothing is escaped up to what the layout has behind it; `rest` to the end of the line. `spaces` is how
    many delimiters a `words` field always holds (a CLF stamp: 1).
    """

    name: str
    shape: Literal["word", "words", "list", "quoted", "rest"] = "word"
    spaces: int = 0


Piece = str | Field


@dataclass(frozen=True, slots=True)
class Layout:
    """Literals and fields in order.

    `unescape` undoes the escapes inside values (None: there are none, and quotes of a client stand there);
    `delimiter` is what divides columns, for the fast path; `stamp` says whether the log stamps a call's
    start or its end; `precision_us` is the stamp's resolution; `time_format` the `strptime` form of
    `time_text`. `refine` is for what a vendor writes in one column and means as two, or encodes.
    """

    pieces: tuple[Piece, ...]
    unescape: Unescape | None = None
    delimiter: str = " "
    stamp: Literal["start", "end"] = "end"
    precision_us: int = 1_000_000
    time_format: str | None = None
    refine: Refine | None = None

    @property
    def fields(self) -> list[str]:
        """Names of the fields that are kept, in order."""
        return [piece.name for piece in self.pieces if isinstance(piece, Field) and piece.name]

    def pattern(self) -> re.Pattern[str]:
        """The reference: matches one whole line without its newline, one group per kept field."""
        out = []
        for i, piece in enumerate(self.pieces):
            if isinstance(piece, str):
                out.append(re.escape(piece))
            else:
                following = self.pieces[i + 1] if i + 1 < len(self.pieces) else None
                body = _reach(piece, following, self.unescape is not None)
                out.append(f"({body})" if piece.name else f"(?:{body})")
        return re.compile("".join(out) + r"\s*\Z", re.DOTALL)


def _reach(piece: Field, following: Piece | None, escapes: bool) -> str:
    if piece.shape == "rest":
        return r"[^\n]*"
    if piece.shape == "quoted":
        return r'[^"\\]*(?:\\.[^"\\]*)*' if escapes else _up_to(following)
    stop = following[0] if isinstance(following, str) and following else " "
    if piece.shape == "list":
        return rf"[^{re.escape(stop)}, ]*(?:(?:,| ?: |, )+[^{re.escape(stop)}, ]+)*"
    if piece.shape == "words":
        if isinstance(following, str) and len(following) > 1:
            return rf"(?:(?!{re.escape(following)})[^\n])*"
        return rf"[^{re.escape(stop)}\n]*"
    return rf"[^{re.escape(stop)} \n]*"


def _up_to(following: Piece | None) -> str:
    """A value with quotes of its own. It never holds what divides two columns: nobody can feign one."""
    if following == '"':  # the last column
        return r'(?:(?!" ")[^\n])*'
    if isinstance(following, str) and len(following) > 1:
        return rf"(?:(?!{re.escape(following)})[^\n])*"
    return '[^"]*'


def unescape_json(value: str) -> str:
    """Undo JSON string escapes; a value that is no JSON string stays as it is."""
    if "\\" not in value:
        return value
    try:
        return msgspec.json.decode(f'"{value}"'.encode(), type=str)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return value


_HEX = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}


def unescape_c(value: str) -> str:
    r"""Undo `\xHH`, `\"`, `\\` and C escapes, as NGINX (default, json) and Apache write them."""
    if "\\" not in value:
        return value
    raw = _HEX.sub(lambda m: chr(int(m[1], 16)) if m[1] else _NAMED.get(m[2], m[2]), value)
    try:  # bytes above 0x7f were escaped one by one: put UTF-8 together again
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw
