"""Addresses and host names of an inner network, which an answer should not tell the outside."""

import ipaddress

from wardgate.match.classes.shape import DataClass, Pattern

_INNER = tuple(
    ipaddress.ip_network(one)
    for one in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
    )
)


def is_inner(value: str) -> bool:
    """A private, shared or link-local address that is no network's own number."""
    try:
        address = ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        return False
    return any(address.version == one.version and address in one for one in _INNER)


INTERNAL_ADDRESS = DataClass(
    name="internal-address",
    title="Internal address or host name",
    reference="RFC 1918; RFC 6598; RFC 4193; RFC 6762, appendix G; ICANN .internal",
    patterns=(
        Pattern(
            r"(?:^|[^\w.+-/]|//|@)((?:10|100|169|172|192)\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:$|[^\w.-]|\.(?:$|\s))",
            alone=0.8,
            within=True,
            valid=is_inner,
        ),
        Pattern(
            r"(?i)(?:^|[\s\[(\"'=/@])(f[cd][0-9a-f]{2}:[0-9a-f:]{2,34})",
            alone=0.8,
            within=True,
            valid=is_inner,
        ),
        Pattern(
            r"(?i)(?:^|[^\w.-])((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}"
            r"(?:internal|intranet|corp|lan|home\.arpa|svc\.cluster\.local|cluster\.local|localdomain|private))(?:$|[^\w.-]|\.(?:$|\s))",
            alone=0.8,
            within=True,
        ),
    ),
    not_fields=(
        r"(.* )?(version|ver|v|build|release|firmware|oid|sem ver|package"
        r"|class|event|namespace|module|type|name)s?",
    ),
    found=(
        ("upstream", "10.1.2.3"),
        ("error", "connect to http://192.168.4.20:8080/health failed"),
        ("", "db-1.prod.internal"),
        ("host", "billing.default.svc.cluster.local:8443"),
        ("address", "fd12:3456:789a::1"),
    ),
    passed=(
        ("ip", "203.0.113.9"),
        ("", "172.32.0.1"),
        ("version", "10.2.3.4"),
        ("", "1.10.2.3.4"),
        ("", "10.2.3.456"),
        ("kind", "internal"),
        ("agent", "Browser/10.0.0.1"),
    ),
)
