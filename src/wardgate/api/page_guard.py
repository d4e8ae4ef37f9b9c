"""Who may open the page: near addresses, under known names. The page has no login yet.

The host check keeps a web page elsewhere from reading ours through a name that it points at this machine (DNS
rebinding). A proxy on this machine is near, but whom it forwards for may not be: what it says of them counts,
and can only shut. The push API needs none of this: its tokens say who may, and no browser sends them itself.
"""

import ipaddress

from fastapi import Request

from wardgate.core.errors import WardgateError
from wardgate.core.settings import ListenSettings
from wardgate.recognise.addresses import forwarded_chain


class PageGuard:
    """A FastAPI dependency of the page's routes."""

    def __init__(self, settings: ListenSettings) -> None:
        self._networks = [ipaddress.ip_network(one, strict=False) for one in settings.page_networks]
        self._hosts = {one.lower().strip("[]") for one in settings.page_hosts}

    def __call__(self, request: Request) -> None:
        """Raises `page-elsewhere` or `host-unknown`."""
        peer = request.client.host if request.client else ""
        if not all(map(self._is_near, (peer, *_forwarded(request)))):
            raise WardgateError(
                "page-elsewhere",
                "the page is not shown to this address.",
                mend="listen.page_networks says to which.",
            )
        if "*" not in self._hosts and _name(request.headers.get("host", "")) not in self._hosts:
            raise WardgateError(
                "host-unknown",
                "the page does not answer under this host name.",
                mend="listen.page_hosts says under which.",
            )

    def _is_near(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._networks)


def _forwarded(request: Request) -> list[str]:
    """Addresses a proxy says it forwards for; "" where it says something that is none."""
    headers = request.headers
    told = [one for name in ("x-forwarded-for", "forwarded", "x-real-ip") for one in headers.getlist(name)]
    return [address for one in told for address in forwarded_chain(one) or [""]]


def _name(host: str) -> str:
    """A Host header without its port, in lower case; IPv6 without brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
