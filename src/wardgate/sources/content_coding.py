"""A body as it was meant, from one as it was sent: undoes `Content-Encoding`, in bounded memory.

For captures that hold bodies as they crossed the wire (RFC 9110, 8.4). A bomb is cut at `MOST` bytes; a
body that is broken, or coded in a way we cannot undo (compress, dcb), is absent rather than garbage.
"""

import zlib

import brotli
import zstandard

MOST = 16 << 20
"""Bytes of a decoded body that are kept."""
_WINDOW = 8 << 20
"""Largest window of Zstandard, as RFC 9659 has it for HTTP."""
_CODINGS = 3  # applied one upon the other, at most


def decoded(body: bytes, codings: str | None) -> bytes | None:
    """`body` without its codings (a header's value, such as `gzip`), or None where it cannot be had."""
    names = [name.strip().lower() for name in (codings or "").split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > _CODINGS:
        return None
    for name in reversed(names):
        try:
            body = _undone(body, name)
        except (zlib.error, zstandard.ZstdError, brotli.error, LookupError):
            return None
    return body


def _undone(body: bytes, name: str) -> bytes:
    if name in ("gzip", "x-gzip"):
        return zlib.decompressobj(31).decompress(body, MOST)
    if name == "deflate":
        try:
            return zlib.decompressobj().decompress(body, MOST)
        except zlib.error:  # many servers send it without the zlib wrapper
            return zlib.decompressobj(-15).decompress(body, MOST)
    if name == "zstd":
        with zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(body) as reader:
            return reader.read(MOST)
    if name == "br":
        brotli_stream = brotli.Decompressor()
        out: bytes = brotli_stream.process(body, output_buffer_limit=MOST)
        if not out and not brotli_stream.is_finished():  # nearly any bytes may begin it
            raise LookupError(name)
        return out[:MOST]
    raise LookupError(name)
