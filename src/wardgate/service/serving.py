"""An HTTP server for one ASGI application, stopped by whoever started it, never by itself.

Access is not logged: targets hold secrets. The socket is bound here, so that a taken port is a refusal with
a code, and port 0 can be told.
"""

import asyncio
import gc
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from wardgate.core.errors import WardgateError

GRACE_S = 15
"""How long requests that are being answered may take when the server stops."""


def bound(address: str, port: int) -> socket.socket:
    """A listening socket. Raises `listen-refused`."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(where)
            listening.listen(1024)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise WardgateError(
            "listen-refused",
            f"cannot listen on {address} port {port}: {error.strerror}.",
            mend="Is Wardgate running already? --port chooses another.",
        ) from error
    return listening


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def url_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class HttpServer:
    """Serves an application on a bound socket. `run` blocks; `stop` may be called from anywhere."""

    def __init__(self, app: Any, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # the peer is the peer; see `api.page_guard`
            timeout_keep_alive=30,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = _Server(config)
        self._listening = listening

    def run(self) -> None:
        """Serve until `stop`; requests that are being answered are finished first.

        What is loaded by now stays: to collect garbage among it stopped every thread for 0.1 s now and then.
        """
        gc.freeze()
        asyncio.run(self._server.serve([self._listening]))

    def stop(self) -> None:
        """Take no more requests. A second call does not wait for those being answered."""
        self._server.force_exit = self._server.should_exit
        self._server.should_exit = True


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the process' business."""
        yield
