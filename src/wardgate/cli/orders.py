"""The orders of each listing, for `--sort`: named here so that `--help` needs no engine.

`service.reading.SORTS` is the truth; a test keeps the two equal.
"""

ORDERS: dict[str, tuple[str, ...]] = {
    "operations": ("calls", "errors", "error-share", "first", "last", "name", "p95", "callers"),
    "services": ("calls", "operations", "last", "name"),
    "credentials": ("calls", "operations", "callers", "first", "last", "expires"),
    "callers": ("calls", "errors", "operations", "first", "last"),
    "flows": ("calls", "errors", "last"),
}
