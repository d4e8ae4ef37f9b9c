"""The installation's key: what turns a secret into a fingerprint and a value into an identifier.

A secret is known only by HMAC-SHA256 under this key, from the moment it is recognised. Identifiers of
paths, callers and credentials are keyed too, so nobody can craft a collision or test a guess without the
key. The key lives in `<home>/keys/installation.key` (mode 0600) or comes in by `WARDGATE_KEY`.
"""

import hmac
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path

from wardgate.core.errors import WardgateError

KEY_BYTES = 32
_ID_MASK = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Key:
    """One installation key. `key_id` (8 hex digits) says which key made a fingerprint."""

    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        return sha256(b"wardgate key id\0" + self.secret).hexdigest()[:8]

    def fingerprint(self, value: bytes | str) -> str:
        """32 hex digits of HMAC-SHA256 (128 bits): equality of secrets, and nothing else, survives."""
        raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        return hmac.digest(self.secret, raw, "sha256")[:16].hex()

    def id64(self, kind: str, value: str) -> int:
        """A keyed identifier in 1 … 2**63-1 for `value`, in the name space `kind` (at most 16 bytes)."""
        raw = value.encode("utf-8", "surrogateescape")
        digest = blake2b(raw, digest_size=8, key=self.secret, person=kind.encode()).digest()
        return int.from_bytes(digest, "big") & _ID_MASK or 1

    def ids64(self, kind: str, values: Iterable[str]) -> list[int]:
        """`id64` of many values: the key schedule is made once and copied."""
        base = blake2b(digest_size=8, key=self.secret, person=kind.encode())
        out = []
        for value in values:
            state = base.copy()
            state.update(value.encode("utf-8", "surrogateescape"))
            out.append(int.from_bytes(state.digest(), "big") & _ID_MASK or 1)
        return out


def key_file(home: Path) -> Path:
    """Where the installation's key is, unless the environment gives it."""
    return home / "keys" / "installation.key"


def key_note(home: Path) -> Path:
    """Where a restored home says by its id which key made its fingerprints."""
    return home / "keys" / "key-id"


def load_key(home: Path) -> Key:
    """The installation's key: from `WARDGATE_KEY` (64 hex digits), else from the key file, else made now.

    Raises `WardgateError` `key-malformed`, `key-unreadable`, or `key-not-restored` where a restored home
    waits for its own: with a new key every credential and caller would be a new one.
    """
    wanted = _noted(home)
    found = existing_key(home)
    if wanted is not None and (found is None or found.key_id != wanted):
        there = "not there" if found is None else f"another one ({found.key_id})"
        raise WardgateError(
            "key-not-restored",
            f"this home was restored from a backup, and its key {wanted} is {there}.",
            mend=f"Put it at {key_file(home)} or into WARDGATE_KEY; if it is lost, delete {key_note(home)}.",
        )
    return found or _make(key_file(home))


def existing_key(home: Path) -> Key | None:
    """The installation's key, none where it is not made yet. Raises `key-malformed` or `key-unreadable`."""
    given = os.environ.get("WARDGATE_KEY")
    if given:
        return Key(_decoded(given, "WARDGATE_KEY"))
    path = key_file(home)
    try:
        return read_key(path)
    except FileNotFoundError:
        return None


def read_key(path: Path) -> Key:
    """The key in a file. Raises `key-malformed`, `key-unreadable` or FileNotFoundError."""
    try:
        return Key(_decoded(path.read_text("ascii"), str(path)))
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise WardgateError(
            "key-unreadable", f"cannot read the key file {path}: {type(error).__name__}"
        ) from error


def _noted(home: Path) -> str | None:
    try:
        return key_note(home).read_text("ascii", "replace").strip() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WardgateError(
            "key-unreadable", f"cannot read {key_note(home)}: {type(error).__name__}"
        ) from error


def _decoded(text: str, where: str) -> bytes:
    try:
        raw = bytes.fromhex(text.strip())
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise WardgateError(
            "key-malformed",
            f"{where} is not a key of {KEY_BYTES * 2} hexadecimal digits.",
            mend="Restore it from a backup; a new key makes new fingerprints.",
        )
    return raw


def _make(path: Path) -> Key:
    """Write a new key so that two processes starting at once agree: the first link wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return Key(_decoded(path.read_text("ascii"), str(path)))
