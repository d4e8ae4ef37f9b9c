"""`wardgate up`, `serve`, `work`: the process that stays.

It ends on SIGINT or SIGTERM with everything accepted committed, or when a part of it fails: nothing is
restarted silently.

The applications it serves are named rather than imported, as ASGI servers do: faces do not know one another.
"""

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import clean, emit_json, say
from wardgate.core.errors import WardgateError

if TYPE_CHECKING:
    from wardgate.core.home import Home
    from wardgate.core.settings import Config
    from wardgate.service.running import Running

APPLICATION = "wardgate.api.app:create_app"
PAGES = ("wardgate.console.app:router",)

_AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print what happens as JSON, one object a line."
)
_ADDRESS = click.option(
    "--address", help="Address to listen on. Default: listen.address of the configuration."
)
_PORT = click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")


@click.command()
@_ADDRESS
@_PORT
@_AS_JSON
@pass_installation
def up(installation: Installation, address: str | None, port: int | None, as_json: bool) -> None:
    """Follow sources, take pushes and serve the page, on one machine."""
    _run(installation, as_json, serving=True, working=True, address=address, port=port)


@click.command()
@_ADDRESS
@_PORT
@_AS_JSON
@pass_installation
def serve(installation: Installation, address: str | None, port: int | None, as_json: bool) -> None:
    """Serve the page and take pushes."""
    _run(installation, as_json, serving=True, working=False, address=address, port=port)


@click.command()
@_AS_JSON
@pass_installation
def work(installation: Installation, as_json: bool) -> None:
    """Follow the configured sources and keep the lake in shape."""
    _run(installation, as_json, serving=False, working=True)


def _run(
    installation: Installation,
    as_json: bool,
    *,
    serving: bool,
    working: bool,
    address: str | None = None,
    port: int | None = None,
) -> None:
    from wardgate.core.config import load_config
    from wardgate.service.running import Running

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it would log messages of exceptions
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a line for each scanner's garbage
    home = installation.home
    config = _listening_on(
        load_config(installation.config, required=installation.config_path is not None), address, port
    )
    ending = _Ending()
    with ending.on_signals():
        running = Running(home, config, ending.fail, _tell, ending.ended)
        try:
            if working:
                running.start_followers()
                running.start_listening()
                running.start_upkeep()
            running.start_learning()
            _serve_or_wait(running, ending, serving, lambda url: _say_up(home, config, url, as_json))
        finally:
            running.close()
    if ending.failure is not None:
        raise ending.failure
    if as_json:
        emit_json({"event": "stopped"})
    else:
        say("Stopped. Everything that was accepted is committed.")


def _serve_or_wait(
    running: "Running", ending: "_Ending", serving: bool, ready: Callable[[str | None], None]
) -> None:
    if not serving:
        ready(None)
        ending.wait()
        return
    try:
        from wardgate.service.serving import HttpServer, bound, url_of

        application = _application(running)
    except ModuleNotFoundError as error:
        raise WardgateError(
            "console-not-installed",
            f"serving needs {error.name}, which is not installed.",
            mend="pip install 'wardgate[console]'",
        ) from error
    listen = running.config.listen
    with bound(listen.address, listen.port) as listening:
        server = HttpServer(application, listening)
        ending.then(server.stop)
        ready(url_of(listening))
        server.run()


def _application(running: "Running") -> Any:
    return resolve_name(APPLICATION)(
        running.config,
        running.pushes,
        running.tokens,
        running.clock,
        running.not_ready,
        pages=[resolve_name(page) for page in PAGES],
        state={"lake": running.lake, "home": running.home, "config": running.config},
    )


def _listening_on(config: "Config", address: str | None, port: int | None) -> "Config":
    given = {"address": address, "port": port}
    listen = config.listen.model_copy(update={key: one for key, one in given.items() if one is not None})
    return config.model_copy(update={"listen": listen})


class _Ending:
    """Why and when the process ends. Signals and failing parts come here, from any thread."""

    def __init__(self) -> None:
        self.failure: WardgateError | None = None
        self.ended = Event()
        self._stop: Callable[[], None] = lambda: None

    def then(self, stop: Callable[[], None]) -> None:
        """What to call when it ends, at once if it has."""
        self._stop = stop
        if self.ended.is_set():
            stop()

    def fail(self, error: WardgateError) -> None:
        self.failure = self.failure or error
        self._end()

    def wait(self) -> None:
        self.ended.wait()

    def _end(self) -> None:
        self.ended.set()
        self._stop()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the process cleanly."""

        def received(number: int, frame: FrameType | None) -> None:
            self._end()

        before = {one: signal.signal(one, received) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _say_up(home: "Home", config: "Config", url: str | None, as_json: bool) -> None:
    names = [one.name for one in config.source]
    if as_json:
        emit_json({"event": "up", "url": url, "home": str(home.path), "sources": names})
    elif url:
        say(f"Wardgate is up: {url}")
        say("Ctrl-C stops it.")
    else:
        say("Wardgate is working. Ctrl-C stops it.")
    sys.stdout.flush()


def _tell(error: WardgateError) -> None:
    click.echo(clean(str(error)), err=True)
