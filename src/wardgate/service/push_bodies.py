"""Bodies of pushed batches, decompressed within bounds and parsed."""

import io
import zlib

import pyarrow as pa
import zstandard

from wardgate.core.errors import WardgateError
from wardgate.core.observed import Parsed
from wardgate.sources.format import Options
from wardgate.sources.jsonl import WardgateJsonLines
from wardgate.sources.otlp import spans_of_json, spans_of_protobuf
from wardgate.sources.otlp_calls import SpanCalls, calls_of_spans
from wardgate.sources.reader import LineChunks

_WINDOW = 64 << 20  # memory that a zstd frame may ask for
_STEP = 1024  # bytes of zstd at a time: a block of four bytes may hold 128 KiB


class TooLarge(WardgateError):  # noqa: N818 - what it is, like LakeFull
    """The body is larger than the limit, as sent or decompressed."""

    def __init__(self, most: int) -> None:
        super().__init__(
            "body-too-large",
            f"the body is larger than {most} bytes, as it was sent or decompressed.",
            mend="Send smaller batches, or raise push.max_batch_bytes.",
        )


def decompressed(body: bytes, coding: str, most: int) -> bytes:
    """`body` without its `Content-Encoding` (gzip, zstd, identity).

    Never holds more than `most` bytes of it. Raises `body-coding-unknown`, `body-broken` or `TooLarge`.
    """
    name = coding.strip().lower()
    try:
        if name in ("", "identity"):
            out = body
        elif name in ("gzip", "x-gzip"):
            out = _gunzipped(body, most)
        elif name == "zstd":
            out = _unzstd(body, most)
        else:
            raise WardgateError(
                "body-coding-unknown",
                "the Content-Encoding is none Wardgate knows.",
                mend="Use gzip or zstd.",
            )
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise WardgateError("body-broken", "the body cannot be decompressed.") from error
    if len(out) > most:
        raise TooLarge(most)
    return out


def _gunzipped(body: bytes, most: int) -> bytes:
    """All members of a gzip stream, or more than `most` bytes. Raises EOFError where it breaks off."""
    out = b""
    while body and len(out) <= most:
        member = zlib.decompressobj(31)
        out += member.decompress(body, most + 1 - len(out))
        if not member.eof and len(out) <= most:
            raise EOFError
        body = member.unused_data
    return out


def _unzstd(body: bytes, most: int) -> bytes:
    """All frames of a zstd stream, or more than `most` bytes. Raises EOFError where it breaks off."""
    out: list[bytes] = []
    size, at = 0, 0
    while at < len(body) and size <= most:
        frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        while not frame.eof and at < len(body) and size <= most:
            out.append(frame.decompress(body[at : at + _STEP]))
            size += len(out[-1])
            at = min(at + _STEP, len(body))
        at -= len(frame.unused_data)
        if not frame.eof and size <= most:
            raise EOFError
    return b"".join(out)


def parsed_lines(body: bytes) -> Parsed:
    """Calls of Wardgate JSON Lines; positions are line numbers from 0."""
    parser = WardgateJsonLines().parser(Options())
    chunks = LineChunks(io.BytesIO(body), chunk=len(body) + 1)
    found = [parser.parse(lines) for lines in chunks]
    found.append(Parsed(pa.table({"position": pa.array([], pa.int64())}), chunks.rejects))
    return _joined([one for one in found if one.read] or found[-1:])


def _joined(found: list[Parsed]) -> Parsed:
    if len(found) == 1:
        return found[0]
    skipped: dict[str, int] = {}
    for one in found:
        for rule, count in one.skipped.items():
            skipped[rule] = skipped.get(rule, 0) + count
    rejects = sorted((reject for one in found for reject in one.rejects), key=lambda reject: reject.position)
    table = pa.concat_tables([one.table for one in found], promote_options="default").combine_chunks()
    return Parsed(table, rejects, skipped)


def parsed_spans(body: bytes, as_json: bool) -> SpanCalls:
    """Calls of an OTLP trace request. Raises `sources.otlp.MalformedError`."""
    return calls_of_spans(spans_of_json(body) if as_json else spans_of_protobuf(body))
