"""Files as origins: which file is which, through renames, rotation, compression and restarts.

A file is known by its content, not its name: the first line it holds and, when reading goes on, the bytes
before the place where reading stopped. So `access.log` that became `access.log.1` and then `access.log.2.gz`
is read once, and a new `access.log` is a new origin even where the inode is the same (copytruncate).
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
from wardgate.sources.reader import decompressed, read_some

TAIL = 256
"""Bytes before the position whose digest proves that a file is still the same."""
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
            return decompressed(cast(BinaryIO, io.BufferedReader(self.path.open("rb", buffering=0), 1 << 20)))[0]
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


def _is_log(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix not in _NOT_LOGS


def _oldest_first(paths: list[Path]) -> list[Path]:
    return sorted(paths, key=lambda one: (one.stat().st_mtime_ns, str(one)))


def source_name(path: Path | None) -> str:
    """A source's name from its file: `/var/log/nginx/access.log.2.gz` → `access`."""
    if path is None:
        return "stdin"
    name = path.name
    for ending in (".gz", ".zst", ".bz2"):
        name = name.removesuffix(ending)
    stem, _, tail = name.rpartition(".")
    while stem and (tail.isdigit() or tail in ("log", "txt", "json", "jsonl", "ndjson", "har", "csv", "old")):
        name = stem
        stem, _, tail = name.rpartition(".")
    return name


def head_digest(sample: bytes) -> str:
    """What a log is known by: its first whole line (or all there is, up to 4 KiB)."""
    end = sample.find(b"\n", 0, 4096)
    return blake2b(sample[: end if end >= 0 else 4096], digest_size=16).hexdigest()


def document_digest(sample: bytes, size: int) -> str:
    """What a document is known by: its first bytes (at most 256 KiB) and its size."""
    return blake2b(sample + b"\0%d" % size, digest_size=16).hexdigest()


def tail_digest(tail: bytes) -> str:
    """Digest of the (at most `TAIL`) bytes before a position."""
    return blake2b(tail[-TAIL:], digest_size=16).hexdigest()


def skip_to(stream: BinaryIO, offset: int) -> bytes | None:
    """Read up to `offset` and answer the bytes before it (at most `TAIL`); None when the stream is shorter."""
    if offset == 0:
        return b""
    seekable = isinstance(stream, io.BufferedReader) and stream.seekable()
    if seekable:
        size = os.fstat(stream.fileno()).st_size
        if size < offset:
            return None
        stream.seek(max(offset - TAIL, 0))
        return stream.read(min(TAIL, offset))
    left, tail = offset, b""
    while left:
        data = read_some(stream, min(left, 1 << 20))
        if not data:
            return None
        left -= len(data)
        tail = (tail + data)[-TAIL:]
    return tail
