"""OTLP traces (ExportTraceServiceRequest), in Protobuf or JSON, as a flat run of spans.

Only what tells of calls is taken: kind, ids, times, attributes, and the resource's attributes. What spans
mean is for `sources.otlp_calls`. What is no such request raises `MalformedError`, whatever it was; unknown
fields are ignored, as the specification demands of receivers.

Reference: OpenTelemetry Protocol Specification, OTLP/HTTP (binary and JSON Protobuf encoding).
"""

import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

Value = str | int | float | bool | list[Any] | None
Attributes = Mapping[str, Value]

SERVER, CLIENT = 2, 3
"""Kinds of spans that are calls."""


class MalformedError(Exception):
    """The body is no OTLP trace request. Carries no text of it."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """One span."""

    kind: int
    trace_id: str
    """32 hex digits, lower case; "" where it is malformed."""
    span_id: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    resource: Attributes


def spans_of_protobuf(data: bytes) -> Iterator[Span]:
    """Spans of a binary request, in order. Raises `MalformedError` at once."""
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    try:
        request = ExportTraceServiceRequest.FromString(data)
    except (DecodeError, RecursionError) as error:
        raise MalformedError from error
    return _from_protobuf(request)


def _from_protobuf(request: Any) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _pairs(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.kind,
                    span.trace_id.hex() if len(span.trace_id) == 16 else "",
                    span.span_id.hex() if len(span.span_id) == 8 else "",
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    _pairs(span.attributes),
                    resource,
                )


def _pairs(attributes: Any) -> dict[str, Value]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: Any) -> Value:
    which = value.WhichOneof("value")
    if which in ("string_value", "int_value", "double_value", "bool_value"):
        return getattr(value, which)  # type: ignore[no-any-return]
    if which == "array_value":
        return [_value(one) for one in value.array_value.values]
    return None


class _AnyValue(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None
    int_value: int | str | None = None
    double_value: float | int | str | None = None
    bool_value: bool | None = None
    array_value: "_ArrayValue | None" = None


class _ArrayValue(msgspec.Struct, gc=False):
    values: list[_AnyValue] | None = None


class _KeyValue(msgspec.Struct, gc=False):
    key: str = ""
    value: _AnyValue | None = None


class _Resource(msgspec.Struct, gc=False):
    attributes: list[_KeyValue] | None = None


class _Span(msgspec.Struct, rename="camel", gc=False):
    trace_id: str | None = None
    span_id: str | None = None
    kind: int | None = None
    start_time_unix_nano: int | str | None = None
    end_time_unix_nano: int | str | None = None
    attributes: list[_KeyValue] | None = None


class _ScopeSpans(msgspec.Struct, gc=False):
    spans: list[_Span] | None = None


class _ResourceSpans(msgspec.Struct, rename="camel", gc=False):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(msgspec.Struct, rename="camel", gc=False):
    resource_spans: list[_ResourceSpans] | None = None


_decoder = msgspec.json.Decoder(_Request)


def spans_of_json(data: bytes) -> Iterator[Span]:
    """Spans of a JSON request, in order. Raises `MalformedError` at once."""
    try:
        request = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError from error
    return _from_json(request)


def _from_json(request: _Request) -> Iterator[Span]:
    for group in request.resource_spans or ():
        resource = _json_pairs(group.resource.attributes if group.resource else None)
        for scope in group.scope_spans or ():
            for span in scope.spans or ():
                yield Span(
                    span.kind or 0,
                    _hex(span.trace_id or "", 16),
                    _hex(span.span_id or "", 8),
                    whole_number(span.start_time_unix_nano) or 0,
                    whole_number(span.end_time_unix_nano) or 0,
                    _json_pairs(span.attributes),
                    resource,
                )


def _json_pairs(attributes: Sequence[_KeyValue] | None) -> dict[str, Value]:
    return {one.key: _json_value(one.value) for one in attributes or () if one.value is not None}


def _json_value(value: _AnyValue) -> Value:
    if value.string_value is not None:
        return value.string_value
    if value.int_value is not None:
        return whole_number(value.int_value)
    if value.double_value is not None:
        return value.double_value
    if value.bool_value is not None:
        return value.bool_value
    return [_json_value(one) for one in value.array_value.values or ()] if value.array_value else None


def _hex(text: str, size: int) -> str:
    try:
        return text.lower() if len(binascii.unhexlify(text)) == size else ""
    except (binascii.Error, ValueError):
        return ""


def whole_number(value: Value) -> int | None:
    """A number, also one written as text (JSON writes 64-bit integers so); None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not (value.isascii() and len(value) <= 20):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1 << 64 else None
