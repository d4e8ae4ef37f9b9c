"""Every format Wardgate reads, in the order in which ties are shown.

To add one: write `sources/<name>.py` with a class of the shape in `sources.format`, list it here, and let
`tests/sources/test_conformance.py` tell you what it lacks. A package may add its own through the entry
point group `wardgate.formats` (a class, called without arguments).
"""

from functools import cache
from importlib.metadata import entry_points

from wardgate.core.errors import WardgateError
from wardgate.sources.apache import Apache
from wardgate.sources.format import Format
from wardgate.sources.har import Har
from wardgate.sources.jsonl import WardgateJsonLines
from wardgate.sources.mitmproxy import Mitmproxy
from wardgate.sources.nginx import Nginx
from wardgate.sources.pcap import Pcap


def builtin_formats() -> list[Format]:
    """The built-in formats, in order."""
    return [
        Nginx(),
        Apache(),
        WardgateJsonLines(),
        Har(),
        Mitmproxy(),
        Pcap(),
    ]


@cache
def formats() -> dict[str, Format]:
    """All formats by name: the built-in ones, then those of installed packages."""
    found = {one.name: one for one in builtin_formats()}
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
