"""Which field a logged header fills: the observed columns know some headers by a name of their own."""

_REQUEST = {
    "user-agent": "user_agent",
    "x-forwarded-for": "forwarded_for",
    "host": "host",
    ":authority": "host",
    ":method": "method",
    ":path": "target",
    ":scheme": "scheme",
    "x-forwarded-proto": "scheme",
    "x-request-id": "request_id",
    "traceparent": "traceparent",
    "content-type": "request_content_type",
    "x-forwarded-client-cert": "client_certificate",
}
_RESPONSE = {"content-type": "response_content_type", ":status": "status"}


def request_field(header: str) -> str:
    """The field of a request header: `user_agent`, `host`… or `req.<name>`."""
    name = header.strip().lower()
    return _REQUEST.get(name, f"req.{name}")


def response_field(header: str) -> str:
    """The field of a response header: `response_content_type` or `resp.<name>`."""
    name = header.strip().lower()
    return _RESPONSE.get(name, f"resp.{name}")
