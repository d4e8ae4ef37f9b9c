"""The orders of each listing and the standings, for `--help`: named here so that it needs no engine.

`service.reading.SORTS` and `inventory.classification.Standing` are the truth; a test keeps them equal.
"""

ORDERS: dict[str, tuple[str, ...]] = {
    "operations": ("calls", "errors", "error-share", "first", "last", "name", "p95", "callers"),
    "services": ("calls", "operations", "last", "name"),
    "credentials": ("calls", "operations", "callers", "first", "last", "expires", "instances", "renewed"),
    "callers": ("calls", "errors", "operations", "first", "last"),
    "flows": ("calls", "errors", "last"),
}

STANDINGS = ("documented", "shadow", "zombie", "unused", "not-observable", "latent", "unknown")
