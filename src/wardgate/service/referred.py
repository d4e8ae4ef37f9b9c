"""Where documents that a specification refers to come from: files of its own folder, and URLs.

A file is read only below the folder that was named, whatever the reference says and wherever a link leads. A
URL goes through the one way out (`net.client`): no private address, not after a redirect or with a second
answer of the DNS either, but those in networks that a person allowed.
"""

import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.document import MOST_BYTES
from wardgate.inventory.specifications.other_documents import Get, OtherDocuments
from wardgate.net.client import Network, Resolve, fetch, resolve


def networks(given: Sequence[str]) -> list[Network]:
    """Networks from their CIDR. Raises `fetch-network`."""
    try:
        return [ipaddress.ip_network(one) for one in given]
    except ValueError:
        raise WardgateError("fetch-network", "a network is not given as CIDR, such as 10.0.0.0/8.") from None


def documents_of(allow: Sequence[Network], folder: Path) -> Callable[[Path], OtherDocuments]:
    """From a specification's file to what gets the documents that it refers to."""
    get = fetching(allow, folder)
    return lambda file: OtherDocuments(file.resolve().as_uri(), get)


def fetching(allow: Sequence[Network], folder: Path | None = None, resolver: Resolve = resolve) -> Get:
    """What gets a URL, and where there is a folder, files below it.

    It raises `fetch-…`, `reference-outside` and `input-unreadable`; no message holds the URL or the path.
    """

    def get(url: str) -> tuple[str, bytes]:
        parts = urlsplit(url)
        if folder is not None and parts.scheme == "file":
            return url, _file(Path(url2pathname(parts.path)), folder)
        came = fetch(url, allow=allow, resolver=resolver)
        return came.url, came.content

    return get


def _file(path: Path, folder: Path) -> bytes:
    try:
        whole = path.resolve()
        if not whole.is_relative_to(folder.resolve()):
            raise WardgateError("reference-outside", "it leads out of the specification's folder.")
        if not whole.is_file():
            raise FileNotFoundError
        with whole.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        raise WardgateError("input-unreadable", "there is no such file, or it cannot be read.") from None
