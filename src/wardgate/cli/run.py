"""`wardgate up`, `serve`, `work`: the process that stays.

It ends on SIGINT or SIGTERM with everything accepted committed, or when a part of it fails: nothing is
restarted silently.

The applications it serves are named rather than imported, as ASGI servers do: faces do not know one another.
"""

import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pkgutil import resolve_name
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from wardgate import __version__
from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import emit_json, say
from wardgate.core.errors import Exit, WardgateError
from wardgate.core.events import Form, Level, LogEvent, log, log_error, place_of, set_up

if TYPE_CHECKING:
    from wardgate.core.home import Home
    from wardgate.core.settings import Config
    from wardgate.service.running import Running

APPLICATION = "wardgate.api.app:create_app"
PAGES = ("wardgate.console.app:router", "wardgate.api.metrics:router")

_AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print what happens as JSON, one object a line."
)
_ADDRESS = click.option(
    "--address", help="Address to listen on. Default: listen.address of the configuration."
)
_PORT = click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
_LOG_FORMAT = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    help="Form of what is logged on standard error. Default: log.format of the configuration.",
)
_LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="The least that is logged. Default: log.level of the configuration.",
)


@dataclass(frozen=True, slots=True)
class _Logs:
    """How to log, as far as the command line says."""

    form: Form | None
    level: Level | None

    def begin(self, config: "Config | None" = None) -> Form:
        """Log so from here on; as the configuration says where the command line does not."""
        form = self.form or (config.log.format if config else "text")
        set_up(form, self.level or (config.log.level if config else "warning"))
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it tells of every peer that hung up
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a line for each scanner's garbage
        return form


@click.command()
@_ADDRESS
@_PORT
@_AS_JSON
@_LOG_FORMAT
@_LOG_LEVEL
@pass_installation
def up(
    installation: Installation,
    /,
    *,
    address: str | None,
    port: int | None,
    as_json: bool,
    log_format: Form | None,
    log_level: Level | None,
) -> None:
    """Follow sources, take pushes and serve the page, on one machine."""
    logs = _Logs(log_format, log_level)
    _run(installation, as_json, logs, serving=True, working=True, address=address, port=port)


@click.command()
@_ADDRESS
@_PORT
@_AS_JSON
@_LOG_FORMAT
@_LOG_LEVEL
@pass_installation
def serve(
    installation: Installation,
    /,
    *,
    address: str | None,
    port: int | None,
    as_json: bool,
    log_format: Form | None,
    log_level: Level | None,
) -> None:
    """Serve the page and take pushes."""
    logs = _Logs(log_format, log_level)
    _run(installation, as_json, logs, serving=True, working=False, address=address, port=port)


@click.command()
@_AS_JSON
@_LOG_FORMAT
@_LOG_LEVEL
@pass_installation
def work(
    installation: Installation, /, *, as_json: bool, log_format: Form | None, log_level: Level | None
) -> None:
    """Follow the configured sources and keep the lake in shape."""
    _run(installation, as_json, _Logs(log_format, log_level), serving=False, working=True)


def _run(
    installation: Installation,
    as_json: bool,
    logs: _Logs,
    *,
    serving: bool,
    working: bool,
    address: str | None = None,
    port: int | None = None,
) -> None:
    """Run until told to stop. Where logs are JSON, so is the last line."""
    from wardgate.core.config import load_config

    form = logs.begin()
    try:
        config = _listening_on(
            load_config(installation.config, required=installation.config_path is not None), address, port
        )
        form = logs.begin(config)
        _run_with(installation.home, config, as_json, serving=serving, working=working)
    except WardgateError as error:
        if form != "json":
            raise
        log_error(LogEvent.FAILED, error)
        sys.exit(error.exit_code)
    except Exception as error:
        if form != "json":
            raise
        log(
            LogEvent.DEFECT,
            code="defect",
            message="unforeseen",
            type=type(error).__name__,
            place=place_of(error),
        )
        sys.exit(Exit.FAILED)


def _run_with(home: "Home", config: "Config", as_json: bool, *, serving: bool, working: bool) -> None:
    from wardgate.service.running import Running

    if serving:
        Thread(target=_load_application, name="loading", daemon=True).start()
    ending = _Ending()
    with ending.on_signals():
        running = Running(home, config, ending.fail, partial(log_error, LogEvent.TROUBLE), ending.ended)
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
    log(LogEvent.STOPPED)
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


def _load_application() -> None:
    """Import what serves while the engines load their extensions: a start takes that much less."""
    with suppress(ImportError):  # told where it is needed
        resolve_name(APPLICATION)
        import uvicorn  # noqa: F401


def _application(running: "Running") -> Any:
    from wardgate.service.metrics import Metrics

    metrics = Metrics(running)
    return resolve_name(APPLICATION)(
        running.config,
        running.pushes,
        running.tokens,
        running.clock,
        running.not_ready,
        pages=[resolve_name(page) for page in PAGES],
        answered=metrics.answered,
        state={
            "lake": running.lake,
            "home": running.home,
            "config": running.config,
            "metrics": metrics,
        },
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
    log(LogEvent.STARTED, version=__version__, url=url, home=str(home.path), sources=len(names))
    if as_json:
        emit_json({"event": "up", "url": url, "home": str(home.path), "sources": names})
    elif url:
        say(f"Wardgate is up: {url}")
        say("Ctrl-C stops it.")
    else:
        say("Wardgate is working. Ctrl-C stops it.")
    sys.stdout.flush()
