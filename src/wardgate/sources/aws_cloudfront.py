"""AWS CloudFront standard logs (version 1, and the W3C form of version 2).

Reference: Amazon CloudFront Developer Guide, "Standard logging reference". `date` and `time` (UTC) are when
the response ended. Values are URL-encoded, a client's own `%` included: what a client sent as `%20` stands
there as `%2520`. The second encoding is undone; the path and query keep their own.
"""

import re
from urllib.parse import unquote

import pyarrow as pa

from wardgate.sources.access import by_distinct
from wardgate.sources.endpoints import schemes
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.header_fields import request_field
from wardgate.sources.layout import Layout
from wardgate.sources.w3c import columns_layout, directives_fit, given_fields
from wardgate.sources.w3c_lines import Header, W3cParser

_FIELDS: dict[str, str] = {
    "date": "date",
    "time": "time",
    "timestamp(ms)": "time_epoch",
    "timestamp": "time_epoch",
    "c-ip": "client",
    "c-port": "client_port",
    "cs-method": "method",
    "cs-uri-stem": "target",
    "cs-uri-query": "query",
    "cs-protocol": "kind",
    "cs-protocol-version": "http_version",
    "cs-bytes": "request_bytes",
    "sc-bytes": "response_bytes",
    "sc-status": "status",
    "sc-content-type": "response_content_type",
    "cs(User-Agent)": "user_agent",
    "x-host-header": "host",
    "x-edge-request-id": "request_id",
    "x-forwarded-for": "forwarded_for",
    "ssl-protocol": "tls_version",
    "ssl-cipher": "tls_cipher",
    "time-taken": "duration_s",
}
_SIGNATURE = re.compile(rb"^#\s*Fields\s*:[^\n]*\bx-edge-(?:location|request-id|result-type)\b", re.MULTILINE)
_OWN_ENCODING = re.compile(r"%25(?=[0-9A-Fa-f]{2})")


def cloudfront_field(identifier: str) -> str:
    """The field that one of CloudFront's fills; "" for none. `cs(Host)` is the distribution, not the host."""
    if identifier in _FIELDS or identifier == "cs(Host)":
        return _FIELDS.get(identifier, "")
    header = identifier.removeprefix("cs(").removesuffix(")")
    return request_field(header) if header in ("Referer", "Cookie") else ""


def cloudfront_layout(header: Header, delimiter: str) -> Layout:
    """The layout of lines under these directives."""
    names = {one: cloudfront_field(one) for one in header.fields}
    return columns_layout(header, names, delimiter, _refined)


def _refined(fields: dict[str, pa.Array]) -> dict[str, pa.Array]:
    if "kind" in fields:
        fields["scheme"], fields["protocol"] = schemes(fields.pop("kind"))
    for name in ("user_agent", "req.referer", "req.cookie", "forwarded_for", "response_content_type"):
        if name in fields:
            fields[name] = by_distinct(fields[name], decoded, pa.string())
    for name in ("target", "query"):
        if name in fields:
            fields[name] = by_distinct(fields[name], _once, pa.string())
    return fields


def decoded(value: str) -> str:
    """A header's value: the log's encoding undone, and a client's own if it had encoded all before."""
    plain = unquote(value, errors="replace")
    return unquote(plain, errors="replace") if "%25" in value and " " not in plain else plain


def _once(value: str) -> str:
    return _OWN_ENCODING.sub("%", value)


class AwsCloudFront:
    """Standard logs of AWS CloudFront, tab-separated, with their #Version and #Fields."""

    name = "aws-cloudfront"
    title = "AWS CloudFront standard log"
    reference = "Amazon CloudFront Developer Guide, Standard logging reference"

    def fit(self, sample: bytes) -> Fit | None:
        if _SIGNATURE.search(sample) is None:
            return None
        return directives_fit(self.parser(Options()), sample, "CloudFront's #Fields (x-edge-…)")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return W3cParser(cloudfront_layout, state or given_fields(options))
