"""GraphQL over HTTP: the type of operation and its top-level fields.

The name is made of what the server runs, `query orders viewer`, not of what a client calls it: another name
for the same fields is the same operation. The client's name is a trait of the route, shown where clients
agree on it. A persisted document is known by its id alone: `persisted 1f2e3d4c5b6a`.
"""

import re
from urllib.parse import parse_qs

import msgspec

from wardgate.lake.traits import CLIENT_NAME
from wardgate.recognise.protocols.graphql_documents import is_document, operations_of
from wardgate.recognise.protocols.names import listed
from wardgate.recognise.protocols.shape import (
    MOST_BYTES,
    TOO_LARGE,
    UNREADABLE,
    Found,
    Hints,
    Seen,
)

_MOST_OPERATIONS = 100
_PATH = r"/(?:graphql|gql)/?$"
_ID = re.compile(r"[A-Za-z0-9_.:/-]+\Z")
_PERSISTED = ("documentId", "docId", "doc_id", "queryId", "query_id", "id")
_ABSENT = msgspec.Raw(b"")


class _Request(msgspec.Struct, gc=False):
    query: object = None
    mutation: object = None
    operation_name: object = msgspec.field(default=None, name="operationName")
    extensions: msgspec.Raw = _ABSENT
    document_id: object = msgspec.field(default=None, name="documentId")
    doc_id: object = None
    query_id: object = msgspec.field(default=None, name="queryId")
    id: object = None


class _Persisted(msgspec.Struct, gc=False):
    sha256: object = msgspec.field(default=None, name="sha256Hash")


class _Extensions(msgspec.Struct, gc=False):
    persisted: _Persisted | None = msgspec.field(default=None, name="persistedQuery")


class GraphQl:
    """GraphQL: type and top-level fields, from bodies, batches, queries and persisted ids."""

    name = "graphql"
    title = "GraphQL over HTTP"
    reference = "GraphQL (October 2021), GraphQL over HTTP; persisted documents as Apollo and Relay send them"
    hints = Hints(
        request_type=r"^application/graphql",
        post_path=_PATH,
        query=r"(?:^|&)(?:query|extensions|documentId|queryId|doc_id)=",
        body=('"query"', '"mutation"', '"persistedQuery"', '"documentId"', '"queryId"', '"doc_id"'),
    )
    reads = ()
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        kind = seen.request_type or ""
        sure = (
            seen.claimed or kind.startswith("application/graphql") or re.search(_PATH, seen.path) is not None
        )
        if seen.body is None or seen.method in ("GET", "HEAD"):
            found = _of_parameters(seen.parameters, sure)
            posted = seen.method not in ("GET", "HEAD")
            return found or (Found() if sure and posted else None)
        if len(seen.body) > MOST_BYTES:
            return Found(TOO_LARGE) if sure else None
        if kind.startswith("application/graphql") and "json" not in kind:
            return _found([_Request(query=seen.body.decode("utf-8", "replace"))], True)
        if kind.startswith("application/x-www-form-urlencoded") and sure:
            fields = parse_qs(seen.body.decode("utf-8", "replace"), max_num_fields=None, errors="replace")
            return _of_parameters({name: values[0] for name, values in fields.items()}, sure) or Found()
        if kind.startswith("multipart/"):
            return Found() if sure else None
        requests = _decoded(seen.body)
        if requests is None:
            return Found(UNREADABLE) if sure else None
        return _found(requests, sure) or (Found(UNREADABLE) if sure else None)


def _decoded(body: bytes) -> list[_Request] | None:
    try:
        if body[:64].lstrip()[:1] == b"[":
            raw = msgspec.json.decode(body, type=list[msgspec.Raw])
            return [msgspec.json.decode(one, type=_Request) for one in raw[:_MOST_OPERATIONS]]
        return [msgspec.json.decode(body, type=_Request)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _of_parameters(parameters: dict[str, str], sure: bool) -> Found | None:
    """What a query, or a form, asks for."""
    raw = parameters.get("extensions")
    request = _Request(
        query=parameters.get("query"),
        operation_name=parameters.get("operationName"),
        extensions=msgspec.Raw(raw.encode()) if raw else _ABSENT,
        document_id=parameters.get("documentId"),
        doc_id=parameters.get("doc_id"),
        query_id=parameters.get("queryId"),
        id=parameters.get("id") if sure else None,
    )
    return _found([request], sure)


def _found(requests: list[_Request], sure: bool) -> Found | None:
    names: list[str] = []
    called: set[str] = set()
    for one in requests:
        found = _operations(one, sure)
        if not found:
            return None
        names += found
        if isinstance(one.operation_name, str) and one.operation_name:
            called.add(one.operation_name)
    if not names:
        return None
    traits = ((CLIENT_NAME, called.pop()),) if len(called) == 1 and len(requests) == 1 else ()
    return Found(listed(names, cut=len(requests) == _MOST_OPERATIONS), None, traits)


def _operations(one: _Request, sure: bool) -> list[str]:
    document = one.query if isinstance(one.query, str) else one.mutation
    if isinstance(document, str) and document.strip():
        if not sure and not is_document(document):
            return []
        chosen = one.operation_name if isinstance(one.operation_name, str) else None
        found = operations_of(document, chosen)
        if found is None:
            return [UNREADABLE] if sure else []
        return list(found)
    persisted = _persisted(one, sure)
    return [f"persisted {persisted}"] if persisted else []


def _persisted(one: _Request, sure: bool) -> str | None:
    """The id of a persisted document, as far as it is shown: twelve digits of a hash, or a short name."""
    if bytes(one.extensions):
        try:
            extensions = msgspec.json.decode(one.extensions, type=_Extensions | None)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            extensions = None
        if extensions and extensions.persisted and isinstance(extensions.persisted.sha256, str):
            return _id(extensions.persisted.sha256)
    given = [one.document_id, one.doc_id, one.query_id, *([one.id] if sure else [])]
    return next((_id(str(each)) for each in given if isinstance(each, str | int) and each), None)


def _id(text: str) -> str:
    text = text.rpartition(":")[2] if text.startswith("sha256:") else text
    if not _ID.match(text):
        return UNREADABLE
    return text[:12].lower() if re.fullmatch(r"[0-9a-fA-F]{32,}", text) else text[:64]
