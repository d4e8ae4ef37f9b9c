"""What a backup is: a manifest, the files it names, and their SHA-256 digests, in this order.

As an archive it is a tar (`.tar`, or compressed `.tar.zst`) that is written and read in one pass and in
bounded memory; as a folder it holds the same files. The digests come last, so a backup that was cut short has
none, and `sha256sum --check SHA256SUMS` works in a folder. Names are of a closed set: nothing else is written
or read, whatever an archive says.
"""

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol, cast

import msgspec
import zstandard

from wardgate.core.errors import Exit, WardgateError

FORMAT = 1
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
CATALOGUE = "lake/catalog.sqlite"
DATA = "lake/data/"
STATE = "state.sqlite"
CONFIGURATION = "wardgate.toml"
KEY = "keys/installation.key"
CHUNK = 1 << 20
_LARGEST_LIST = 256 << 20
"""Bytes of a manifest or of digests; a million files take half of it."""
_WINDOW = 128 << 20
"""Bytes that decompression may hold."""
_NAME = re.compile(
    rf"{re.escape(CATALOGUE)}|{re.escape(STATE)}|{re.escape(CONFIGURATION)}|{re.escape(KEY)}"
    rf"|{DATA}([A-Za-z0-9_][A-Za-z0-9_.=-]*/){{1,8}}[A-Za-z0-9_][A-Za-z0-9_.=-]*\.parquet",
    re.ASCII,
)
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")

Progress = Callable[[int], None]
"""Told of so many more bytes."""


class Entry(msgspec.Struct, frozen=True):
    """A file of the backup."""

    name: str
    size: int
    """Bytes."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    format: int
    wardgate: str
    """The version that made it."""
    made_at_us: int
    key_id: str | None
    """Which key made the fingerprints; None where there was none yet."""
    state_revision: str | None
    rows: dict[str, int]
    """Rows by table of the lake."""
    accounting: dict[str, int]
    """`read`, `accepted`, `rejected`, `skipped` of the ledger; `counted` of the rollups."""
    files: list[Entry]

    @property
    def size(self) -> int:
        return sum(one.size for one in self.files)


class BackupBroken(WardgateError):  # noqa: N818 - what it is, like LakeFull
    """The backup is not whole, or not one."""

    def __init__(self, finding: str) -> None:
        super().__init__(
            "backup-broken",
            f"this backup cannot be used: {finding}.",
            mend="Nothing was restored. Take another one.",
            exit_code=Exit.FAILED,
        )


class Target(Protocol):
    """Where a backup's files go."""

    def add(self, name: str, size: int, content: IO[bytes]) -> None:
        """Write a file of exactly `size` bytes."""


class Hashing:
    """A stream that is hashed while it is read. Ends short rather than giving more than `size` bytes."""

    def __init__(self, stream: IO[bytes], progress: Progress) -> None:
        self._stream = stream
        self._progress = progress
        self._digest = hashlib.sha256()
        self.read_bytes = 0

    def read(self, size: int = CHUNK) -> bytes:
        data = self._stream.read(size)
        self._digest.update(data)
        self.read_bytes += len(data)
        self._progress(len(data))
        return data

    @property
    def hexdigest(self) -> str:
        return self._digest.hexdigest()


class FolderTarget:
    """The files under their names in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, size: int, content: IO[bytes]) -> None:
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with private_file(path) as file:
            if copied(content, file) != size:
                raise OSError(f"{name} changed while it was read")
            made_durable(file)


class TarTarget:
    """A tar on a stream. USTAR fields only, as far as they reach: no header that is a member of its own."""

    def __init__(self, stream: IO[bytes], made_at_s: int) -> None:
        self._tar = tarfile.TarFile(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT)
        self._made_at_s = made_at_s

    def add(self, name: str, size: int, content: IO[bytes]) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, self._made_at_s
        self._tar.addfile(member, content)
        _forget_members(self._tar)

    def close(self) -> None:
        self._tar.close()


@contextmanager
def target_at(path: Path, is_compressed: bool, made_at_s: int) -> Iterator[TarTarget]:
    """An archive at a path, durable when the block ends."""
    with private_file(path) as file:
        if is_compressed:
            with zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as packed:
                tar = TarTarget(packed, made_at_s)
                yield tar
                tar.close()
        else:
            tar = TarTarget(file, made_at_s)
            yield tar
            tar.close()
        made_durable(file)


Member = tuple[str, int, IO[bytes]]
"""A file as it is found in a backup: name, bytes, content (to be read before the next one)."""


@contextmanager
def members_of(source: Path) -> Iterator[Iterator[Member]]:
    """The files of a backup, archive or folder, in order. Raises `BackupBroken` or `backup-unreadable`."""
    try:
        if source.is_dir():
            yield _in_folder(source)
            return
        with source.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            if magic == zstandard.FRAME_HEADER:
                unpacked = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(file)
                yield _in_tar(cast("IO[bytes]", unpacked))
            else:
                yield _in_tar(file)
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as error:
        raise BackupBroken(f"it is torn, damaged or no archive ({type(error).__name__})") from error


def _in_folder(folder: Path) -> Iterator[Member]:
    found = sorted(one for one in folder.rglob("*") if one.is_symlink() or not one.is_dir())
    names = [str(one.relative_to(folder)) for one in found]
    for name in [MANIFEST, *(one for one in names if one not in (MANIFEST, SUMS)), SUMS]:
        try:
            handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        with os.fdopen(handle, "rb") as file:
            yield name, os.fstat(file.fileno()).st_size, file


class _Plain(tarfile.TarInfo):
    """A member that is a file and nothing else: no link, no device, no header of any length."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Plain":
        found = super().frombuf(buf, encoding, errors)
        if found.type != tarfile.REGTYPE:
            raise BackupBroken("it holds something that is no file")
        return found


def _in_tar(stream: IO[bytes]) -> Iterator[Member]:
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Plain, bufsize=CHUNK) as tar:
        while (member := tar.next()) is not None:
            content = tar.extractfile(member)
            if content is not None:
                yield member.name, member.size, content
            _forget_members(tar)


def _forget_members(tar: tarfile.TarFile) -> None:
    """It would remember every one."""
    tar.members.clear()  # type: ignore[attr-defined]


def checked_name(name: str) -> str:
    """A name that a backup may hold. Raises `BackupBroken`."""
    if not _NAME.fullmatch(name):
        raise BackupBroken("it names a file that no backup holds")
    return name


def read_manifest(member: Member) -> tuple[Manifest, str]:
    """The manifest, and the digest of its bytes. Raises `BackupBroken` or `backup-newer`."""
    name, _, _ = member
    if name != MANIFEST:
        raise BackupBroken("it does not begin with a manifest")
    raw = _whole(member)
    try:
        version = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])["format"]
        if msgspec.json.decode(version, type=int) > FORMAT:
            raise WardgateError(
                "backup-newer",
                "this backup was made by a newer Wardgate.",
                mend="Restore it with that version or a later one.",
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, KeyError) as error:
        raise BackupBroken("its manifest is malformed") from error
    names = [checked_name(one.name) for one in manifest.files]
    if len(set(names)) < len(names) or any(one.size < 0 for one in manifest.files):
        raise BackupBroken("its manifest contradicts itself")
    if CATALOGUE not in names:
        raise BackupBroken("it holds no lake")
    return manifest, hashlib.sha256(raw).hexdigest()


def read_sums(member: Member) -> dict[str, str]:
    """Digest by name. Raises `BackupBroken`."""
    found = {}
    for line in _whole(member).decode("ascii", "replace").splitlines():
        parsed = _LINE.fullmatch(line)
        if parsed is None:
            raise BackupBroken("its digests are malformed")
        found[parsed[2]] = parsed[1]
    return found


def sums_text(digests: dict[str, str]) -> bytes:
    """The digests as `sha256sum` writes them."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items()).encode()


def _whole(member: Member) -> bytes:
    name, size, content = member
    if size > _LARGEST_LIST:
        raise BackupBroken(f"its {name} is too large")
    raw = content.read(size + 1)
    if len(raw) != size:
        raise BackupBroken(f"its {name} is cut short")
    return raw


def copied(content: IO[bytes] | Hashing, file: BinaryIO) -> int:
    """Copy to the end: how many bytes."""
    total = 0
    while chunk := content.read(CHUNK):
        file.write(chunk)
        total += len(chunk)
    return total


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its user can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file


def made_durable(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def folder_durable(folder: Path) -> None:
    """Make a folder's entries durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
