"""What people may say of owners: on one operation, by rules, by CODEOWNERS files; and take back."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zstandard

from wardgate.core.errors import WardgateError
from wardgate.inventory.codeowners import MOST_BYTES, PLACES, Codeowners, parse
from wardgate.match.secrets import secret_kind
from wardgate.state.owners import OwnerFacts, OwnerRule

LONGEST_OWNER = 200
_MOST_FOLDERS = 50
_ORDINARY = (None, "opaque", "hex")


@dataclass(frozen=True, slots=True)
class Imported:
    """A CODEOWNERS file that was read. `left_out` has the numbers of lines that were not understood."""

    name: str
    lines: int
    left_out: tuple[int, ...]
    changed: bool


def owner_named(text: str) -> str:
    """An owner's name as it is kept. Raises `owner-malformed`."""
    name = " ".join(text.split())
    plain = name.isprintable() and 0 < len(name) <= LONGEST_OWNER and secret_kind(name) in _ORDINARY
    if not plain or name.lower() == "none":
        raise WardgateError(
            "owner-malformed",
            f"an owner is 1 to {LONGEST_OWNER} printable characters, no secret, and not the word none.",
            mend="Such as @shop/orders, orders@example.com or Team Orders.",
        )
    return name


def add_rule(
    facts: OwnerFacts,
    *,
    owner: str | None,
    code: str | None = None,
    service: str | None = None,
    method: str | None = None,
    template: str | None = None,
) -> OwnerRule:
    """Lay down who owns what fits. Raises `owner-malformed`, `owner-rule-malformed` and `owner-too-many`."""
    if (owner is None) == (code is None):
        raise WardgateError(
            "owner-rule-malformed", "a rule names either an owner or, with --code, a place in the code."
        )
    if service is None and template is None:
        raise WardgateError(
            "owner-rule-malformed",
            "a rule says for which service or template it holds;",
            mend="--service '*' is all of them.",
        )
    if template is not None and not template.startswith(("/", "*")):
        raise WardgateError("owner-rule-malformed", "a template begins with / or *.")
    for text, most in ((code, 1000), (service, 255), (method, 32), (template, 2000)):
        if text is not None and not (text.isprintable() and 0 < len(text) <= most):
            raise WardgateError(
                "owner-rule-malformed", f"a part of the rule is empty, not printable or longer than {most}."
            )
    return facts.add_rule(
        owner=None if owner is None else owner_named(owner),
        code=None if code is None else code.strip().strip("/"),
        service=service,
        method=None if method is None else method.upper(),
        template=template,
    )


def add_codeowners(facts: OwnerFacts, path: Path, name: str | None = None) -> Imported:
    """Put a CODEOWNERS file in force: the file, or that of a repository's folder.

    Raises `input-not-found`, `input-unreadable` and `codeowners-unreadable`.
    """
    file = path
    if path.is_dir():
        inside = [path / one for one in PLACES if (path / one).is_file()]
        if not inside:
            raise WardgateError("input-not-found", f"there is no CODEOWNERS in {path}.")
        file = inside[0]
    parsed = parse(_read(file))
    root = _top(file)
    named = name or (f"{root.name}/CODEOWNERS" if root is not None and root.name else file.name)
    content = msgspec.json.encode(parsed.lines)
    changed = facts.add_file(
        name=named[:255],
        digest=hashlib.sha256(content).hexdigest(),
        lines=len(parsed.lines),
        content=zstandard.compress(content, 3),
    )
    return Imported(named[:255], len(parsed.lines), parsed.left_out, changed)


def owners_of_file(file: Path) -> list[tuple[str, str]]:
    """(owner, where it is said) of a file, by the CODEOWNERS of its repository; none without one."""
    whole = file.resolve()
    for folder in list(whole.parents)[:_MOST_FOLDERS]:
        for place in PLACES:
            found = folder / place
            try:
                if found.is_file():
                    named = Codeowners(place, parse(_read(found)).lines)
                    return named.of(str(whole.relative_to(folder)))
            except (WardgateError, OSError):
                return []  # a broken file says nothing; `owners codeowners` tells what is wrong with it
        if (folder / ".git").exists():
            return []
    return []


def _top(file: Path) -> Path | None:
    """The repository's folder, by where in it the file is."""
    whole = file.resolve()
    for place in sorted(PLACES, key=len, reverse=True):
        parts = Path(place).parts
        if whole.parts[-len(parts) :] == parts:
            return whole.parents[len(parts) - 1]
    return None


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise WardgateError("input-not-found", f"there is no file or folder {file}.") from None
    except OSError as error:
        raise WardgateError("input-unreadable", f"cannot read {file}: {error.strerror}.") from None
