"""Listening for syslog: UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425).

Nothing is read while too much waits for its commit: senders over TCP and TLS wait with it, and what UDP loses
then is lost by the kernel, which counts it. On the way out, what has arrived is read and committed.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

from wardgate.core.clock import Clock
from wardgate.core.errors import Exit, WardgateError
from wardgate.core.home import Home
from wardgate.core.observed import Reason
from wardgate.core.settings import SyslogSettings
from wardgate.pipeline import Pipeline
from wardgate.service.health import HealthFile
from wardgate.service.syslog_intake import Intake, Taken
from wardgate.service.syslog_lanes import SyslogSource
from wardgate.service.writer import Closed, Writer
from wardgate.sources.reader import MAX_LINE
from wardgate.sources.syslog_framing import KEPT, Frame, Framer

GATHER_S = 0.5
HEALTH_S = 2.0
DRAIN_S = 0.2
"""How long a connection may be silent, when the process stops, before it is closed."""
STOPPING_S = 10.0
_READ = 64 << 10
_DATAGRAMS = 256  # read at a time
_RECEIVE_BUFFER = 8 << 20
_SO_RCVBUFFORCE = 33


class SyslogListener:
    """Listens until it is stopped, before the writer is closed."""

    def __init__(
        self,
        pipeline: Pipeline,
        writer: Writer,
        sources: Sequence[SyslogSource],
        settings: SyslogSettings,
        home: Home,
        clock: Clock,
        *,
        gather_s: float = GATHER_S,
    ) -> None:
        self._pipeline = pipeline
        self._writer = writer
        self._sources = sources
        self._settings = settings
        self._clock = clock
        self._gather_s = gather_s
        self._longest = min(settings.max_message_bytes, MAX_LINE)
        self._health = HealthFile(home, "syslog", clock)
        self._connections: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._tls = _tls_context(settings) if settings.tls is not None else None
        self.is_ready = Event()
        """Set when it listens; then `addresses` says where."""
        self.addresses: dict[str, tuple[str, int]] = {}
        """`udp`, `tcp`, `tls` → host and port."""

    def run(self, stop: Event) -> None:
        """Listen until `stop` is set. Raises `syslog-address` or `syslog-format`."""
        try:
            asyncio.run(self._serve(stop))
        finally:
            self._health.remove()

    async def _serve(self, stop: Event) -> None:
        intake = Intake(self._pipeline, self._writer, self._sources, self._clock)
        stopping = asyncio.Event()
        servers: list[asyncio.Server] = []
        udp: _Datagrams | None = None
        executor = ThreadPoolExecutor(1, "syslog")
        try:
            for name, address in (("tcp", self._settings.tcp), ("tls", self._settings.tls)):
                if address is not None:
                    servers.append(await self._stream_server(name, address, intake, stopping))
            if self._settings.udp is not None:
                udp = _Datagrams(_bound(self._settings.udp), intake, self._longest)
                self.addresses["udp"] = udp.address
            self.is_ready.set()
            committing = asyncio.create_task(self._commit_rounds(intake, executor, stopping))
            told_at = float("-inf")
            while not stop.is_set() and not committing.done():
                if time.monotonic() >= told_at + HEALTH_S:
                    told_at = time.monotonic()
                    self._tell(intake, udp)
                await asyncio.sleep(0.1)
            stopping.set()
            for server in servers:
                server.close()
            if udp is not None:
                udp.drain()
            if self._connections:
                await asyncio.wait(self._connections, timeout=STOPPING_S / 2)
            for task in self._connections:
                task.cancel()
            with suppress(asyncio.TimeoutError, Closed):
                await asyncio.wait_for(asyncio.shield(committing), STOPPING_S)
        finally:
            if udp is not None:
                udp.close()
            executor.shutdown(wait=False, cancel_futures=True)

    async def _stream_server(
        self, name: str, address: str, intake: Intake, stopping: asyncio.Event
    ) -> asyncio.Server:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is None or len(self._connections) >= self._settings.max_connections:
                self._refused += 1
                writer.close()
                return
            self._connections.add(task)
            try:
                await self._connection(reader, writer, intake, stopping)
            finally:
                self._connections.discard(task)
                writer.close()

        host, port = _host_port(address)
        tls = self._tls if name == "tls" else None
        try:
            server = await asyncio.start_server(connected, host, port, limit=_READ, ssl=tls)
        except OSError as error:
            raise _no_address(address, error) from error
        self.addresses[name] = server.sockets[0].getsockname()[:2]
        return server

    async def _connection(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        intake: Intake,
        stopping: asyncio.Event,
    ) -> None:
        peer = writer.get_extra_info("peername")
        sender = _plain(peer[0]) if peer else ""
        framer = Framer(self._longest)
        ending = asyncio.create_task(stopping.wait())
        is_closed = False
        try:
            while True:
                await intake.has_room.wait()
                data = await _read(reader, ending)
                if not data:
                    is_closed = data is not None
                    break
                intake.put(framer.feed(data), sender)
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass  # the sender went away in the middle: what came is taken
        finally:
            ending.cancel()
            intake.put(framer.end(is_closed=is_closed), sender)

    async def _commit_rounds(
        self, intake: Intake, executor: ThreadPoolExecutor, stopping: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        is_last = False
        while not is_last:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(intake.is_large.wait(), self._gather_s)
            is_last = stopping.is_set() and not self._connections
            taken: Taken = intake.take()
            if taken:
                await loop.run_in_executor(executor, lambda t=taken, f=is_last: intake.commit(t, final=f))  # type: ignore[misc]
                intake.done(taken)

    def _tell(self, intake: Intake, udp: "_Datagrams | None") -> None:
        notes = [f"{len(self._connections)} connections"]
        if self._refused:
            notes.append(f"{self._refused} connections refused: max_connections is reached")
        self._health.write(intake.health(udp.dropped if udp is not None else 0, notes))


async def _read(reader: asyncio.StreamReader, ending: "asyncio.Task[bool]") -> bytes | None:
    """The next bytes; b"" when the sender closed, None when the process stops and nothing comes any more."""
    reading = asyncio.create_task(reader.read(_READ))
    try:
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            await asyncio.wait({reading}, timeout=DRAIN_S)
        if not reading.done():
            return None
        return reading.result()
    finally:
        reading.cancel()


class _Datagrams:
    """The UDP socket: read as long as there is room."""

    def __init__(self, bound: socket.socket, intake: Intake, longest: int) -> None:
        self._socket = bound
        self._intake = intake
        self._longest = longest
        self._loop = asyncio.get_running_loop()
        self._inode = _inode(bound)
        self.address: tuple[str, int] = bound.getsockname()[:2]
        self._resuming: asyncio.Task[None] | None = None
        self._loop.add_reader(bound, self._readable)

    def _readable(self) -> None:
        self._take(_DATAGRAMS)
        if not self._intake.has_room.is_set():
            self._loop.remove_reader(self._socket)
            self._resuming = self._loop.create_task(self._resume())

    async def _resume(self) -> None:
        await self._intake.has_room.wait()
        self._loop.add_reader(self._socket, self._readable)

    def _take(self, most: int) -> bool:
        """Read datagrams; answers whether there may be more."""
        for _ in range(most):
            try:
                data, peer = self._socket.recvfrom(_READ)
            except BlockingIOError:
                return False
            except OSError:
                continue  # an ICMP error of an earlier answer: not of this datagram
            fault = Reason.TOO_LONG if len(data) > self._longest else None
            self._intake.put([Frame(data[:KEPT] if fault else data, fault)], _plain(peer[0]))
        return True

    def drain(self) -> None:
        """Take what has arrived, as far as there is room."""
        while self._intake.has_room.is_set() and self._take(_DATAGRAMS):
            pass

    @property
    def dropped(self) -> int:
        """Datagrams that the kernel dropped because nobody read them in time, where it says so."""
        for table in ("/proc/net/udp", "/proc/net/udp6"):
            with suppress(OSError, ValueError, IndexError):
                for row in Path(table).read_text("ascii").splitlines()[1:]:
                    fields = row.split()
                    if int(fields[9]) == self._inode:
                        return int(fields[12])
        return 0

    def close(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()


def _bound(address: str) -> socket.socket:
    host, port = _host_port(address)
    try:
        family, kind, proto, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, proto)
        bound.setblocking(False)
        for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):  # the first is root's
            with suppress(OSError):
                bound.setsockopt(socket.SOL_SOCKET, option, _RECEIVE_BUFFER)
                break
        bound.bind(where)
    except OSError as error:
        raise _no_address(address, error) from error
    return bound


def _inode(one: socket.socket) -> int:
    return Path(f"/proc/self/fd/{one.fileno()}").stat().st_ino


def _tls_context(settings: SyslogSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(str(settings.certificate), str(settings.key), password=_no_password)
        if settings.client_authority is not None:
            context.load_verify_locations(str(settings.client_authority))
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise WardgateError(
            "syslog-tls",
            f"the certificate, key or authority for syslog over TLS cannot be used: {reason}.",
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _host_port(address: str) -> tuple[str | None, int]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    return (None if host == "*" else host), int(port)


def _plain(address: str) -> str:
    """An IPv4 address that came through an IPv6 socket, as such."""
    return address.removeprefix("::ffff:")


def _no_address(address: str, error: OSError) -> WardgateError:
    return WardgateError(
        "syslog-address",
        f"cannot listen for syslog on {address}: {error.strerror}.",
        mend="Take a free port, above 1024 where Wardgate does not run as root.",
        exit_code=Exit.USAGE,
    )
