"""Specifications from files and folders: what each holds is told from its content, then its name.

A folder is read file by file, in the order of names; files that hold no specification are listed as such, and
one that is broken does not keep the others from being read. Links are not followed out of the folder.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.document import MOST_BYTES, parse, text_of
from wardgate.inventory.specifications.form import Specification
from wardgate.inventory.specifications.notes import Notes
from wardgate.inventory.specifications.openapi import is_openapi, read_openapi
from wardgate.inventory.specifications.other_documents import OtherDocuments
from wardgate.inventory.specifications.postman import is_postman, read_postman
from wardgate.inventory.specifications.redaction import without_secrets

SUFFIXES = frozenset((".json", ".yaml", ".yml", ".graphql", ".graphqls", ".gql", ".proto"))
GRAPHQL = frozenset((".graphql", ".graphqls", ".gql"))
MOST_FILES = 10_000


@dataclass(frozen=True, slots=True)
class Read:
    """One file: its specification, or why there is none."""

    path: Path
    content: bytes
    specification: Specification | None
    refusal: WardgateError | None = None
    others: OtherDocuments | None = None
    """What was got of the documents that it refers to, where that was asked for."""


def read_path(path: Path, others_of: Callable[[Path], OtherDocuments] | None = None) -> Iterator[Read]:
    """Every specification of a file or folder; `others_of` a file gets the documents that it refers to.

    Raises `input-not-found` and `specification-too-many`.
    """
    if path.is_dir():
        files = sorted(
            one
            for one in path.rglob("*")
            if one.suffix.lower() in SUFFIXES and one.is_file() and _inside(one, path)
        )
        if len(files) > MOST_FILES:
            raise WardgateError(
                "specification-too-many",
                f"the folder holds more than {MOST_FILES:,} files.",
                mend="Name a part.",
            )
    elif path.is_file():
        files = [path]
    else:
        raise WardgateError("input-not-found", f"there is no file or folder {path}.")
    for file in files:
        yield _read(file, others_of(file) if others_of is not None else None)


def _inside(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _read(file: Path, others: OtherDocuments | None) -> Read:
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        refusal = WardgateError("input-unreadable", f"cannot read {file}: {error.strerror}.")
        return Read(file, b"", None, refusal)
    try:
        return Read(file, content, read_content(content, file.name, others), others=others)
    except WardgateError as error:
        return Read(file, content, None, error)


def read_content(content: bytes, name: str, others: OtherDocuments | None = None) -> Specification:
    """The specification that a text holds, known secrets taken out; `name` is a file's.

    `others` gets the documents that an OpenAPI document refers to; without it none is got. Raises
    `specification-…`.
    """
    return without_secrets(_read_content(content, name, others))


def _read_content(content: bytes, name: str, others: OtherDocuments | None) -> Specification:
    notes = Notes()
    suffix = Path(name).suffix.lower()
    if suffix == ".proto":
        from wardgate.inventory.specifications.proto import read_proto

        return read_proto(text_of(content), notes)
    if suffix in GRAPHQL:
        from wardgate.inventory.specifications.graphql_schema import read_graphql

        return read_graphql(text_of(content), notes)
    document = parse(content, notes, name=name)
    if is_openapi(document):
        if others is not None:
            others.put_into(document)
        return read_openapi(document, notes)
    if is_postman(document):
        return read_postman(document, notes)
    if isinstance(document, dict) and ("__schema" in document or "data" in document):
        from wardgate.inventory.specifications.graphql_schema import is_introspection, read_introspection

        if is_introspection(document):
            return read_introspection(document, notes)
    raise WardgateError(
        "specification-unknown",
        "the file holds no specification that is read here.",
        mend="OpenAPI 2.0 to 3.2, GraphQL schemas, Postman collections 2.1 and .proto files are.",
    )
