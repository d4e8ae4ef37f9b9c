"""Amazon API Gateway access logs: REST, HTTP and WebSocket APIs, in whatever `$context` format was chosen.

The formats of the documentation (JSON, CLF, CSV, XML) are recognised; any other is read with the format as
the layout. In JSON the keys are the user's: those of the documentation and the names of the `$context`
variables are known, others only through the layout. `$context.requestTime` and `requestTimeEpoch` are when
the request was received; latencies are milliseconds; all values are text, `-` is absent. A key's id and an
IAM caller are names of credentials; `$context.identity.apiKey` is the key itself and goes to the headers.
Where only the resource (`/pets/{petId}`) or the route key is logged, it stands for the path.
Reference: Amazon API Gateway Developer Guide, "Set up CloudWatch logging", "Variables for access logging".
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from wardgate.core.errors import WardgateError
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.json_access import JsonAccessParser, NotFormatError
from wardgate.sources.json_columns import JsonColumns
from wardgate.sources.json_keys import ABSENT, HeaderOf, JsonObject, KeyedRecords, Keys, header_of
from wardgate.sources.jsonlines import json_fit

CLF = (
    "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "
    '"$context.httpMethod $context.resourcePath $context.protocol" $context.status '
    "$context.responseLength $context.requestId"
)
CSV = (
    "$context.identity.sourceIp,$context.identity.caller,$context.identity.user,$context.requestTime,"
    "$context.httpMethod,$context.resourcePath,$context.protocol,$context.status,$context.responseLength,"
    "$context.requestId"
)
XML = (
    '<request id="$context.requestId"> <ip>$context.identity.sourceIp</ip> '
    "<caller>$context.identity.caller</caller> <user>$context.identity.user</user> "
    "<requestTime>$context.requestTime</requestTime> <httpMethod>$context.httpMethod</httpMethod> "
    "<resourcePath>$context.resourcePath</resourcePath> <status>$context.status</status> "
    "<protocol>$context.protocol</protocol> <responseLength>$context.responseLength</responseLength> "
    "</request>"
)
"""The formats of the documentation, on one line each."""

VARIABLES: dict[str, str] = {
    "requestTimeEpoch": "started_at",
    "requestTime": "started_at",
    "httpMethod": "method",
    "path": "target",
    "resourcePath": "target",
    "routeKey": "route",
    "protocol": "http_version",
    "domainName": "host",
    "status": "status",
    "responseLength": "response_bytes",
    "responseLatency": "duration_ms",
    "integrationLatency": "upstream_duration_ms",
    "integration.latency": "upstream_duration_ms",
    "integrationStatus": "upstream_status",
    "integration.integrationStatus": "upstream_status",
    "integration.status": "upstream_status",
    "identity.sourceIp": "client",
    "identity.userAgent": "user_agent",
    "identity.apiKey": "req.x-api-key",
    "identity.apiKeyId": "api_key_id",
    "identity.caller": "caller",
    "identity.user": "login",
    "authorizer.principalId": "login",
    "authorizer.claims.sub": "login",
    "identity.clientCert.subjectDN": "client_certificate",
    "requestId": "request_id",
    "xrayTraceId": "req.x-amzn-trace-id",
    "stage": "environment",
    "apiId": "service_name",
}
"""`$context` variable → field; of several that lead to one field, the first that says something counts."""

KEYS: Keys = {
    "started_at": ("requestTimeEpoch", "requestTime", "request_time_epoch", "request_time", "time"),
    "method": ("httpMethod", "http_method", "method"),
    "target": ("path", "rawPath", "requestPath", "resourcePath", "resource_path"),
    "route": ("routeKey", "route_key"),
    "http_version": ("protocol",),
    "host": ("domainName", "domain_name", "host"),
    "status": ("status", "statusCode"),
    "response_bytes": ("responseLength", "response_length"),
    "duration_ms": ("responseLatency", "response_latency"),
    "upstream_duration_ms": ("integrationLatency", "integration_latency", "integration.latency"),
    "upstream_status": ("integrationStatus", "integration_status", "integration.status"),
    "client": ("ip", "sourceIp", "source_ip", "identity.sourceIp"),
    "user_agent": ("userAgent", "user_agent", "identity.userAgent"),
    "req.x-api-key": ("apiKey", "api_key", "identity.apiKey"),
    "api_key_id": ("apiKeyId", "api_key_id", "identity.apiKeyId"),
    "caller": ("caller", "identity.caller"),
    "login": ("user", "identity.user", "authorizer.principalId", "principalId", "authorizer.claims.sub"),
    "client_certificate": ("identity.clientCert.subjectDN", "clientCertSubjectDN"),
    "request_id": ("requestId", "request_id", "extendedRequestId"),
    "req.x-amzn-trace-id": ("xrayTraceId", "xray_trace_id"),
    "environment": ("stage",),
    "service_name": ("apiId", "api_id"),
}
"""Field → keys in JSON: the documentation's first."""

_VARIABLE = re.compile(r"\$context\.((?:\w+\.)*\w+)")
_BARE = re.compile(r"(?<=[:\[,\s])(\$context\.[\w.]+)(?=\s*[,}\]])")  # a variable without quotes: a number
_REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9_-]{10,}=+")  # REST and WebSocket; HTTP
_LOOKED_AT = 200
_ROUTE = re.compile(r"([A-Z]+) (/\S*)\Z")
_PARTS = ("route", "api_key_id", "caller")
"""What becomes a field only together with something else."""


class AwsApiGateway:
    """Amazon API Gateway's access logs; other formats than the documented ones by giving theirs."""

    name = "aws-api-gateway"
    title = "Amazon API Gateway access log"
    reference = "Amazon API Gateway Developer Guide, Variables for access logging"

    def fit(self, sample: bytes) -> Fit | None:
        if sample.lstrip()[:1] == b"{":
            return json_fit(
                sample,
                self.title,
                ("httpMethod", "resourcePath|path|routeKey|requestPath", "status"),
                ("requestId", "ip|sourceIp|identity.sourceIp"),
            )
        fits = [_text_fit(text, name, sample) for name, text in (("CLF", CLF), ("CSV", CSV), ("XML", XML))]
        return max((fit for fit in fits if fit), key=lambda fit: fit.score, default=None)

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        text = options.layout.strip() if options.layout else None
        if text is None:
            keys, place_of, decode = KEYS, header_of, None
        elif text.startswith("{"):
            keys, place_of, decode = _json_keys(text), _no_header, None
        else:
            keys, decode = _text_keys(text)
            place_of = _no_header
        return JsonAccessParser(
            JsonObject,
            lambda records, out: _fill(records, out, keys, place_of),
            timezone=options.timezone,
            absent=ABSENT,
            decode=decode,
        )


def _fill(records: list[JsonObject], out: JsonColumns, keys: Keys, place_of: HeaderOf) -> None:
    keyed = KeyedRecords(records)
    keyed.fill({name: several for name, several in keys.items() if name not in _PARTS}, out)
    routes, key_ids, callers = (keyed.values(keys.get(name, ())) for name in _PARTS)
    if routes is not None:
        found = [_ROUTE.match(route) if isinstance(route, str) else None for route in routes]
        for i, name in enumerate(("method", "target"), 1):
            values = out.fields[name].to_pylist() if name in out.fields else [None] * out.count
            pairs = zip(values, found, strict=True)
            out.text(
                name, [route[i] if value in (None, *ABSENT) and route else value for value, route in pairs]
            )
    _credentials(key_ids or [None] * out.count, callers or [None] * out.count, out)
    if callers is not None and "login" in out.fields:  # `user` repeats an IAM caller: nobody has logged in
        logins = out.fields["login"].to_pylist()
        out.text("login", [None if caller else login for login, caller in zip(logins, callers, strict=True)])
    keyed.headers(out, place_of)


def _credentials(key_ids: Sequence[object], callers: Sequence[object], out: JsonColumns) -> None:
    """An API key by its id, else the IAM principal that signed the request."""
    if any(key_ids) or any(callers):
        pairs = list(zip(key_ids, callers, strict=True))
        out.text("credential_name", [key_id or caller for key_id, caller in pairs])
        out.text(
            "credential_kind",
            ["api_key_id" if key_id else "iam_principal" if caller else None for key_id, caller in pairs],
        )


def _json_keys(text: str) -> Keys:
    """Field → keys of a JSON format. Raises `layout-empty`."""
    try:
        template = msgspec.json.decode(_BARE.sub(r'"\1"', text))
    except (msgspec.MsgspecError, RecursionError):
        template = {}
    found: dict[str, str] = {}
    for key, value in _flat(template):
        variable = _VARIABLE.fullmatch(value)
        if variable is not None:
            found.setdefault(variable[1], key)
    return _by_field(found)


def _flat(template: object, above: str = "") -> Iterator[tuple[str, str]]:
    """Keys with dots and their values, of a JSON object and those in it."""
    if isinstance(template, dict):
        for key, value in template.items():
            yield from _flat(value, f"{above}.{key}" if above else key)
    elif isinstance(template, str):
        yield above, template


def _text_fit(text: str, name: str, sample: bytes) -> Fit | None:
    """Fit of a documented text format: its shape, and a request id such as API Gateway makes."""
    _, decode = _text_keys(text)
    seen = hits = 0
    for line in sample.split(b"\n")[:_LOOKED_AT]:
        if not line.strip():
            continue
        seen += 1
        try:
            found = decode(line)
        except NotFormatError:
            continue
        hits += _REQUEST_ID.fullmatch(found["requestId"]) is not None
    return (
        Fit(hits / seen, f"{hits} of {seen} lines have the shape of API Gateway's {name} format")
        if hits
        else None
    )


def _text_keys(text: str) -> tuple[Keys, Callable[[bytes], JsonObject]]:
    """Field → variables of a text format, and what reads its lines. Raises `layout-empty`."""
    pattern, names, at = "", [], 0
    for found in _VARIABLE.finditer(text):
        pattern += re.escape(text[at : found.start()])
        at = found.end()
        stop = text[at : at + 1]
        pattern += f"({_reach(found[1], stop)})"
        names.append(found[1])
    compiled = re.compile(pattern + re.escape(text[at:]) + r"\s*\Z")
    return _by_field({name: name for name in names}), lambda line: _matched(compiled, names, line)


def _reach(variable: str, stop: str) -> str:
    """A variable's value goes up to what follows it; two of them hold a space of their own."""
    if not stop:
        return r"[^\n]*" if variable == "identity.userAgent" else r"[^ \n]*"
    if stop == " " and variable == "requestTime":
        return r"[^ \n]*(?: [+-]\d{4})?"
    if stop == " " and variable == "routeKey":
        return r"(?:[A-Z]+ )?[^ \n]*"
    return rf"[^{re.escape(stop)}\n]*"


def _matched(pattern: re.Pattern[str], names: list[str], line: bytes) -> JsonObject:
    found = pattern.match(line.decode("utf-8", "replace"))
    if found is None:
        raise NotFormatError
    return dict(zip(names, found.groups(), strict=True))


def _by_field(keys: Mapping[str, str]) -> Keys:
    """Field → keys, from variable → key. Raises `layout-empty`."""
    fields: dict[str, list[str]] = {}
    for variable, field in VARIABLES.items():
        if variable in keys:
            fields.setdefault(field, []).append(keys[variable])
    if "route" not in fields and not {"method", "target"} <= set(fields):
        raise WardgateError(
            "layout-empty",
            "the format holds no request: $context.httpMethod and $context.path or $context.routeKey.",
            mend="Give the access log format as it stands in the stage's settings.",
        )
    return fields


def _no_header(key: str) -> None:
    """With a layout, every key is known."""
