"""Names under which rotation leaves a log: what a file was called while it was written.

logrotate (`access.log.1`, `access.log.2.gz`, `access.log-20261114`, and `access.1.log` with its `extension`),
Python's and Java's handlers (`access.log.2026-11-14`, `access.2026-11-14.log`), lumberjack
(`access-2026-11-14T10-00-00.000.log.gz`). Names only choose which files are looked at and in which order:
which file is which is told from its content.
"""

import re
from fnmatch import fnmatchcase
from pathlib import Path

_STAMP = r"\d{4}-?\d{2}-?\d{2}(?:[-_T.]?\d{2}[-:.]?\d{2}(?:[-:.]?\d{2}(?:[.,]\d{1,9})?)?)?Z?(?:[-.]\d{1,6})?"
_MARK = rf"(?:\.\d{{1,5}}|[.\-_](?:\d{{10}}|{_STAMP}))"
_COMPRESSED = re.compile(r"\.(?:gz|zst|bz2)\Z")
_BEHIND = re.compile(rf"(.+?){_MARK}\Z")
_BEFORE_EXTENSION = re.compile(rf"(.+?){_MARK}(\.[A-Za-z][A-Za-z0-9]{{0,9}})\Z")
_OLD = re.compile(r"(.+)\.old\Z")


def unrotated(name: str) -> str:
    """The name of the log that a file of this name was: `access.log.2.gz` → `access.log`."""
    bare = _COMPRESSED.sub("", name)
    for pattern in (_BEHIND, _BEFORE_EXTENSION, _OLD):
        found = pattern.fullmatch(bare)
        if found is not None:
            return "".join(found.groups())
    return bare


def is_compressed(path: Path) -> bool:
    """Whether a name says that the file was compressed: then it is whole, or soon will be."""
    return _COMPRESSED.search(path.name) is not None


def belongs(name: str, pattern: str) -> bool:
    """Whether a file is matched by a name pattern (a glob), or was before it was rotated."""
    return fnmatchcase(name, pattern) or fnmatchcase(unrotated(name), pattern)
