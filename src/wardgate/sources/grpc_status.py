"""gRPC's status codes as the HTTP statuses that mean the same: what sources and recognition count by."""

# As googleapis' code.proto maps them.
_HTTP: dict[str, int] = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
_BY_NUMBER = tuple(_HTTP.values())
# Envoy writes `InvalidArgument`, and one of them as Go spells it.
_BY_NAME = {name.replace("_", ""): status for name, status in _HTTP.items()} | {"CANCELED": 499}


def http_status(code: str | int | None) -> int | None:
    """The HTTP status of a code by number or name (`7`, `PERMISSION_DENIED`, `PermissionDenied`)."""
    if isinstance(code, str):
        name = code.strip().upper()
        known = _BY_NAME.get(name.replace("_", ""))
        if known is not None:
            return known
        if not (name.isascii() and name.isdecimal() and len(name) < 4):
            return None
        code = int(name)
    return _BY_NUMBER[code] if code is not None and 0 <= code < len(_BY_NUMBER) else None
