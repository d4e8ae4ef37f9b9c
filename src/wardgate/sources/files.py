"""Files as origins: which file is which, through renames, rotation, compression and restarts.

A file is known by its content, not its name: the first line that tells it from others and, when reading goes
on, the bytes before the place where reading stopped. So `access.log` that became `access.log.1` and then
`access.log.2.gz` is read once, and a new `access.log` is a new origin even where the inode is the same
(copytruncate).
"""

import glob
import io
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, cast

from wardgate.core.errors import WardgateError
from wardgate.sources.reader import TAIL, decompressed, read_some
from wardgate.sources.rotation import belongs, unrotated

_HEAD = 4096  # bytes of a first line that count
_NOT_LOGS = {".pid", ".sock", ".lock", ".conf", ".toml", ".md"}


@dataclass(frozen=True, slots=True)
class Input:
    """One file to read, or standard input (`path` is None)."""

    path: Path | None
    name: str

    def open(self) -> BinaryIO:
        """The decompressed bytes. Raises `input-unreadable`."""
        if self.path is None:
            return decompressed(cast(BinaryIO, sys.stdin.buffer))[0]
        try:
            return decompressed(
                cast(BinaryIO, io.BufferedReader(self.path.open("rb", buffering=0), 1 << 20))
            )[0]
        except OSError as error:
            raise WardgateError("input-unreadable", f"cannot read {self.path}: {error.strerror}.") from error


def find_inputs(arguments: Iterable[str]) -> list[Input]:
    """Files for paths, globs, folders (recursively, oldest first) and `-`. Raises `input-not-found`."""
    found: list[Input] = []
    for argument in arguments:
        if argument == "-":
            found.append(Input(None, "stdin"))
            continue
        path = Path(argument).expanduser()
        if path.is_dir():
            inside = [one for one in path.rglob("*") if _is_log(one)]
            if not inside:
                raise WardgateError("input-not-found", f"the folder {argument} holds no file.")
            found += [Input(one, str(one)) for one in _oldest_first(inside)]
        elif path.exists():
            found.append(Input(path, str(path)))
        else:
            matches = [Path(one) for one in glob.glob(str(path), recursive=True) if Path(one).is_file()]  # noqa: PTH207
            if not matches:
                raise WardgateError("input-not-found", f"there is no file {argument}.")
            found += [Input(one, str(one)) for one in _oldest_first(matches)]
    return found


def followed_files(pattern: str) -> list[Path]:
    """Regular files that a path, a glob or a folder means now, and those that rotation made of them.

    Oldest first. Nothing there is no error: it may come.
    """
    path = Path(pattern)
    if path.is_dir():
        return _oldest_first([one for one in path.rglob("*") if _is_log(one)])
    inside = glob.glob(f"{pattern.rpartition('/')[0]}/*" if "/" in pattern else "*", recursive=True)  # noqa: PTH207
    name = pattern.rpartition("/")[2]
    matches = [Path(one) for one in inside if belongs(one.rpartition("/")[2], name)]
    matches += [path] if path.name not in {one.name for one in matches} else []  # a name like `a[1].log`
    return _oldest_first([one for one in matches if one.is_file()])


def watched_folder(pattern: str) -> Path:
    """The folder in which all that a pattern may mean appears, as far as it is there."""
    path = Path(pattern)
    while glob.has_magic(str(path)) or not path.is_dir():
        if path == path.parent:
            break
        path = path.parent
    return path


def _is_log(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix not in _NOT_LOGS


def _oldest_first(paths: list[Path]) -> list[Path]:
    def age(path: Path) -> tuple[int, str]:
        try:
            return path.stat().st_mtime_ns, str(path)
        except OSError:  # it went away just now
            return 0, str(path)

    return sorted(paths, key=age)


def source_name(path: Path | None) -> str:
    """A source's name from its file: `/var/log/nginx/access.log.2.gz` → `access`."""
    if path is None:
        return "stdin"
    name = unrotated(path.name)
    stem, _, ending = name.rpartition(".")
    while stem and ending in ("log", "txt", "json", "jsonl", "ndjson", "har", "csv"):
        name = stem
        stem, _, ending = name.rpartition(".")
    return name


@dataclass(frozen=True, slots=True)
class Head:
    """What a log is known by: the digest of its first line that tells it from others."""

    digest: str
    is_open: bool
    """The line is not whole yet, or there is none: the digest is of all there is, and will be another."""


def head_of(sample: bytes) -> Head:
    """The head of a log. Blank lines and directives (`#Software: …`), alike in many files, do not tell."""
    at = 0
    while True:
        end = sample.find(b"\n", at)
        if end < 0:
            whole = len(sample) - at >= _HEAD
            return Head(_digest(sample[at : at + _HEAD] if whole else sample), not whole)
        line = sample[at : min(end, at + _HEAD)]
        if line.strip() and not line.startswith(b"#"):
            return Head(_digest(line), is_open=False)
        at = end + 1


def telling_lines(data: bytes) -> int:
    """Lines that are neither blank nor directives."""
    return sum(bool(line.strip()) and not line.startswith(b"#") for line in data.split(b"\n"))


def document_digest(sample: bytes, size: int) -> str:
    """What a document is known by: its first bytes (at most 256 KiB) and its size."""
    return _digest(sample + b"\0%d" % size)


def first_digest(record: bytes) -> str:
    """What a document of records is known by: the first bytes of its first record (at most 4 KiB)."""
    return _digest(record[:_HEAD])


def tail_digest(tail: bytes) -> int:
    """Digest of the (at most `TAIL`) bytes before a position. A number: no masking takes it for a secret."""
    return int.from_bytes(blake2b(tail[-TAIL:], digest_size=8).digest(), "big")


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def file_id(path: Path | None) -> str:
    """Device and inode: the same until somebody copies or compresses. A hint, never a proof; "" for none."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return ""
    return f"{status.st_dev}:{status.st_ino}" if status is not None else ""


def is_plain(stream: BinaryIO) -> bool:
    """Whether a stream is a file as it is, neither decompressed nor a pipe."""
    return isinstance(stream, io.BufferedReader) and stream.seekable()


def skip_to(stream: BinaryIO, offset: int, keep: int = TAIL) -> bytes | None:
    """Read up to `offset` and answer the last `keep` bytes before it; None when the stream is shorter.

    Raises `BrokenCompression`.
    """
    if offset == 0:
        return b""
    if is_plain(stream):
        if os.fstat(stream.fileno()).st_size < offset:
            return None
        stream.seek(max(offset - keep, 0))
        before = stream.read(min(keep, offset))
        return before if len(before) == min(keep, offset) else None
    length, before = read_up_to(stream, offset, keep)
    return before if length == offset else None


def read_up_to(stream: BinaryIO, limit: int, keep: int = TAIL) -> tuple[int, bytes]:
    """Read at most `limit` bytes; answers how many there were, and the last `keep` of them."""
    left, before = limit, b""
    while left:
        data = read_some(stream, min(left, 1 << 20))
        if not data:
            break
        left -= len(data)
        before = data[-keep:] if len(data) >= keep else (before + data)[-keep:]
    return limit - left, before
