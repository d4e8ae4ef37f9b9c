"""The installation's key: what turns a secret into a fingerprint and a value into an identifier.

A secret is known only by HMAC-SHA256 under this key, from the moment it is recognised. Identifiers of
paths, callers and credentials are keyed too, so nobody can craft a collision or test a guess without the
key. The key lives in `<home>/keys/installation.key` (mode 0600) or comes in by `WARDGATE_KEY`.
"""

import fcntl
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path

from wardgate.core.errors import WardgateError

KEY_BYTES = 32
_ID_MASK = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Key:
    """The installation's key. `key_id` (8 hex digits) says which key made a fingerprint.

    After a rotation `secret` is the new key and `earlier` are those before it, the latest first. What is made
    of secrets (`fingerprint`, `secret_id`) follows the new key; what names things that history must go on to
    find (`id64`, `pseudonym`: paths, callers, logins) stays under the first.
    """

    secret: bytes = field(repr=False)
    earlier: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def key_id(self) -> str:
        return sha256(b"wardgate key id\0" + self.secret).hexdigest()[:8]

    @property
    def key_ids(self) -> list[str]:
        """Ids of this key and of the earlier ones, the latest first."""
        return [Key(one).key_id for one in (self.secret, *self.earlier)]

    def fingerprint(self, value: bytes | str) -> str:
        """32 hex digits of HMAC-SHA256 (128 bits): equality of secrets, and nothing else, survives."""
        raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
        return hmac.digest(self.secret, raw, "sha256")[:16].hex()

    def fingerprints(self, value: bytes | str) -> list[str]:
        """What `fingerprint` is, and was under each earlier key, the latest first."""
        return [Key(one).fingerprint(value) for one in (self.secret, *self.earlier)]

    def lasting(self, value: bytes | str) -> str:
        """As `fingerprint`, for what is not a secret and must stay equal across rotations."""
        return Key(self._first).fingerprint(value)

    def pseudonym(self, value: str) -> str:
        """16 hex digits for a name that is not a secret: equal for equal names, across rotations too."""
        return self.lasting(value)[:16]

    def secret_id(self, kind: str, value: str) -> int:
        """As `id64`, for what is made of a secret."""
        return _id64(self.secret, kind, value)

    def former_ids(self, kind: str, value: str) -> Iterator[int]:
        """What `secret_id` was under each earlier key, the latest first."""
        return (_id64(one, kind, value) for one in self.earlier)

    @property
    def _first(self) -> bytes:
        return self.earlier[-1] if self.earlier else self.secret

    def id64(self, kind: str, value: str) -> int:
        """A keyed identifier in 1 … 2**63-1 for `value`, in the name space `kind` (at most 16 bytes)."""
        return _id64(self._first, kind, value)

    def ids64(self, kind: str, values: Iterable[str]) -> list[int]:
        """`id64` of many values: the key schedule is made once and copied."""
        base = blake2b(digest_size=8, key=self._first, person=kind.encode())
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


def _id64(secret: bytes, kind: str, value: str) -> int:
    raw = value.encode("utf-8", "surrogateescape")
    digest = blake2b(raw, digest_size=8, key=secret, person=kind.encode()).digest()
    return int.from_bytes(digest, "big") & _ID_MASK or 1


def load_key(home: Path) -> Key:
    """The installation's key: from `WARDGATE_KEY` (64 hex digits), else from the key file, else made now.

    Either may go on with earlier keys, after a space, comma or new line each: what was rotated away.

    Raises `WardgateError` `key-malformed`, `key-unreadable`, or `key-not-restored` where a restored home
    waits for its own: with a new key every credential and caller would be a new one.
    """
    wanted = _noted(home)
    found = existing_key(home)
    if wanted is not None and (found is None or wanted not in found.key_ids):
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
        return _decoded(given, "WARDGATE_KEY")
    path = key_file(home)
    try:
        return read_key(path)
    except FileNotFoundError:
        return None


def read_key(path: Path) -> Key:
    """The key in a file. Raises `key-malformed`, `key-unreadable` or FileNotFoundError."""
    try:
        return _decoded(path.read_text("ascii"), str(path))
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


def _decoded(text: str, where: str) -> Key:
    try:
        raw = [bytes.fromhex(one) for one in text.replace(",", " ").split()]
    except ValueError:
        raw = []
    if not raw or any(len(one) != KEY_BYTES for one in raw):
        raise WardgateError(
            "key-malformed",
            f"{where} is not a key of {KEY_BYTES * 2} hexadecimal digits, or several.",
            mend="Restore it from a backup; a new key makes new fingerprints.",
        )
    return Key(raw[0], tuple(raw[1:]))


def _draft(path: Path, text: str) -> Path:
    """A durable file beside the key's, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _make(path: Path) -> Key:
    """Write a new key so that two processes starting at once agree: the first link wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, secrets.token_hex(KEY_BYTES) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _decoded(path.read_text("ascii"), str(path))


def rotate_key(home: Path) -> Key:
    """Make a new key and keep the earlier ones behind it. Processes that run go on with the old one.

    Raises `WardgateError` `key-from-environment`, or what `load_key` raises.
    """
    if os.environ.get("WARDGATE_KEY"):
        raise WardgateError(
            "key-from-environment",
            "the key comes from WARDGATE_KEY, so it is not here that it can be rotated.",
            mend="Put a new key of 64 hexadecimal digits before it, with a comma between.",
        )
    load_key(home)
    path = home / "keys" / "installation.key"
    lock = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        key = load_key(home)
        lines = [secrets.token_hex(KEY_BYTES), key.secret.hex(), *(one.hex() for one in key.earlier)]
        draft = _draft(path, "\n".join(lines) + "\n")
        draft.replace(path)
        os.fsync(lock)
    finally:
        os.close(lock)
    return load_key(home)
