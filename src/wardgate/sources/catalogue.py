"""Every format Wardgate reads, in the order in which ties are shown.

To add one: write `sources/<name>.py` with a class of the shape in `sources.format`, list it here, and let
`tests/sources/test_conformance.py` tell you what it lacks. A package may add its own through the entry
point group `wardgate.formats` (a class, called without arguments).
"""

from functools import cache
from importlib.metadata import entry_points

from wardgate.core.errors import WardgateError
from wardgate.sources.akamai import Akamai
from wardgate.sources.apache import Apache
from wardgate.sources.aws_alb import AwsAlb
from wardgate.sources.aws_api_gateway import AwsApiGateway
from wardgate.sources.aws_cloudfront import AwsCloudFront
from wardgate.sources.azure_app_gateway import AzureAppGateway, AzureAppGatewayRecords
from wardgate.sources.caddy import Caddy
from wardgate.sources.cloudflare import Cloudflare
from wardgate.sources.envoy_json import EnvoyJson
from wardgate.sources.envoy_text import EnvoyText
from wardgate.sources.f5_asm import F5Asm
from wardgate.sources.f5_asm_cef import F5AsmCef
from wardgate.sources.f5_request_log import F5RequestLog
from wardgate.sources.format import Format
from wardgate.sources.generic_json import GenericJson
from wardgate.sources.google_lb import GoogleLoadBalancer, GoogleLoadBalancerArray
from wardgate.sources.haproxy import HAProxy
from wardgate.sources.har import Har
from wardgate.sources.jsonl import WardgateJsonLines
from wardgate.sources.kong import Kong, KongArray
from wardgate.sources.mapping import MappedFormat
from wardgate.sources.mitmproxy import Mitmproxy
from wardgate.sources.nginx import Nginx
from wardgate.sources.pcap import Pcap
from wardgate.sources.traefik_json import TraefikJson
from wardgate.sources.traefik_text import TraefikText
from wardgate.sources.w3c import W3c


def builtin_formats() -> list[Format]:
    """The built-in formats, in order."""
    return [
        Nginx(),
        Apache(),
        F5RequestLog(),
        F5Asm(),
        F5AsmCef(),
        EnvoyText(),
        HAProxy(),
        TraefikText(),
        AwsAlb(),
        AwsCloudFront(),
        W3c(),
        Cloudflare(),
        EnvoyJson(),
        TraefikJson(),
        Caddy(),
        Kong(),
        KongArray(),
        AwsApiGateway(),
        GoogleLoadBalancer(),
        GoogleLoadBalancerArray(),
        AzureAppGateway(),
        AzureAppGatewayRecords(),
        Akamai(),
        GenericJson(),
        WardgateJsonLines(),
        Har(),
        Mitmproxy(),
        Pcap(),
    ]


@cache
def formats() -> dict[str, Format]:
    """All formats by name: the built-in ones, the one of mapping files, then those of installed packages."""
    found: dict[str, Format] = {one.name: one for one in [*builtin_formats(), MappedFormat()]}
    for entry in entry_points(group="wardgate.formats"):
        one = entry.load()()
        found.setdefault(one.name, one)
    return found


def format_named(name: str) -> Format:
    """The format called `name`. Raises `format-unknown`."""
    try:
        return formats()[name]
    except KeyError:
        raise WardgateError(
            "format-unknown", f"there is no format {name!r};", mend=f"there are {', '.join(formats())}."
        ) from None
