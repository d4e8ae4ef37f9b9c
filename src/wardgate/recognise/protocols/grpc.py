"""gRPC and gRPC-Web: `/package.Service/Method`, and the status that HTTP's own does not tell.

The content type says it; where a source shows none, a POST to such a path is taken for it. Both answer 200
whatever happened: what `grpc-status` says, in a header, or in the last frame of a gRPC-Web body, becomes the
call's outcome as the HTTP status that means the same.
"""

import base64
import binascii
import re

from wardgate.recognise.protocols.shape import Found, Hints, Seen
from wardgate.sources.grpc_status import http_status

PATH = r"/[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*/[A-Za-z_][A-Za-z0-9_]*$"
_DOTTED = r"/(?:[a-z_][A-Za-z0-9_]*\.)+[A-Z][A-Za-z0-9_]*/[A-Z][A-Za-z0-9_]*$"
"""A package in lower case, a service and a method in upper: what the style guide of protocol buffers has."""
_NAME = re.compile(f"{PATH[:-1]}\\Z")
_GUESSED = re.compile(f"{_DOTTED[:-1]}\\Z")
_STATUS = "resp.grpc-status"
OTHER_METHODS = "/{service}/{method}"
"""Template of the methods that are past what a service keeps."""
_MOST_FRAMES = 1000
_TRAILERS = 0x80


class Grpc:
    """gRPC: service and method from the path, the outcome from `grpc-status`."""

    name = "grpc"
    title = "gRPC"
    reference = "gRPC over HTTP2; gRPC status codes"
    hints = Hints(
        request_type=r"^application/grpc(?:\+[a-z]+)?(?:\s*;|$)",
        response_type=r"^application/grpc(?:\+[a-z]+)?(?:\s*;|$)",
        post_path=_DOTTED,
        headers=(_STATUS,),
    )
    reads = ()
    reads_answers = False

    def read(self, seen: Seen) -> Found | None:
        kind = seen.request_type or seen.response_type
        told = seen.headers.get(_STATUS)
        sure = seen.claimed or (kind is not None and re.match(self.hints.request_type or "", kind))
        shown = told is not None and _NAME.search(seen.path)
        if sure or (kind is None and (shown or _GUESSED.search(seen.path))):
            return Found(method_of(seen.path), outcome=http_status(told))
        return None


class GrpcWeb:
    """gRPC-Web: as gRPC, with the status in the last frame of the answer's body."""

    name = "grpc-web"
    title = "gRPC-Web"
    reference = "gRPC-Web protocol (PROTOCOL-WEB)"
    hints = Hints(request_type=r"^application/grpc-web", response_type=r"^application/grpc-web")
    reads = (_STATUS,)
    reads_answers = True

    def read(self, seen: Seen) -> Found | None:
        kind = seen.request_type or seen.response_type
        if not seen.claimed and not (kind or "").startswith("application/grpc-web"):
            return None
        told = seen.headers.get(_STATUS) or _trailer(seen.answer, seen.response_type or "")
        return Found(method_of(seen.path), outcome=http_status(told))


def method_of(path: str) -> str | None:
    """`package.Service/Method`, whatever stands before it; None for a path of another form."""
    found = _NAME.search(path)
    return found[0][1:] if found else None


def _trailer(answer: bytes | None, content_type: str) -> str | None:
    """`grpc-status` of the trailers' frame: a flag, four bytes of length, and headers as in HTTP/1.1."""
    if answer is None:
        return None
    if content_type.startswith("application/grpc-web-text"):
        try:
            answer = b"".join(base64.b64decode(one + b"==") for one in answer.split(b"=") if one)
        except (binascii.Error, ValueError):
            return None
    at = 0
    for _ in range(_MOST_FRAMES):
        if at + 5 > len(answer):
            break
        end = at + 5 + int.from_bytes(answer[at + 1 : at + 5], "big")
        if answer[at] & _TRAILERS:
            for line in answer[at + 5 : min(end, at + 5000)].split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.strip().lower() == b"grpc-status":
                    return value.strip().decode("ascii", "replace")
            break
        at = end
    return None
