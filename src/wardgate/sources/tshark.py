"""tshark as a stream: a capture in, its HTTP frames out as JSON lines, nothing of ours on disk.

The capture goes in through standard input while frames come out, so memory is tshark's own. It runs
without name resolution, without anybody's preferences, and is ended when it stands still for `STALL`
seconds although there is input. Reference: Wireshark's manual pages, tshark(1), `-T ek`.
"""

import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO, cast

from wardgate.core.errors import Exit, WardgateError
from wardgate.core.observed import Reason

STALL = 60.0
"""Seconds without a sign of life."""
MAX_LINE = 64 << 20
"""Longest frame taken, in bytes of JSON; longer ones are passed over."""
_READ = 1 << 20
_FRAMES = "http || http2 || tls.handshake.type == 1"
_LAYERS = "frame ip ipv6 tcp http http2 tls"


class Tshark:
    """One run. Iterate over `frames`; `ending` then says how the capture ended."""

    def __init__(self, program: str, *, stall: float = STALL) -> None:
        """Raises `tshark-missing`."""
        found = shutil.which(program)
        if found is None:
            raise WardgateError(
                "tshark-missing",
                "packet captures are read through tshark, which is not installed.",
                mend="Install it (Debian and Ubuntu: apt-get install tshark), or export the calls as HAR.",
            )
        self._program = found
        self._stall = stall
        self.ending: Reason | None = None
        """Why the capture was not read to its end, if it was not."""
        self.too_long = 0
        """Frames passed over for their length."""

    def frames(self, capture: Iterable[bytes], http_ports: Sequence[int]) -> Iterator[bytes]:
        """The capture's HTTP frames, one JSON object each. Raises `tshark-stalled` and `tshark-failed`."""
        command = [self._program, "-n", "-r", "-", "-Y", _FRAMES, "-T", "ek", "-J", _LAYERS]
        for port in http_ports:
            command += ["-d", f"tcp.port=={port},http"]
        with (
            tempfile.TemporaryDirectory(prefix="wardgate-tshark-") as nowhere,
            tempfile.TemporaryFile() as said,
        ):
            environment = {"PATH": os.environ.get("PATH", ""), "HOME": nowhere, "LC_ALL": "C.UTF-8"}
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment,
                cwd=nowhere,
            )
            feeder = _Feeder(capture, cast("IO[bytes]", process.stdin))
            output = cast("IO[bytes]", process.stdout)
            try:
                feeder.start()
                yield from self._lines(output, feeder)
                status = process.wait(self._stall)
            except subprocess.TimeoutExpired:
                raise self._stalled() from None
            finally:
                process.kill()
                process.wait()
                output.close()
                feeder.stop()
            if feeder.error is not None:
                raise feeder.error
            said.seek(0)
            self.ending = _ending(status, said.read(_READ))

    def _lines(self, output: IO[bytes], feeder: "_Feeder") -> Iterator[bytes]:
        rest, passing_over = bytearray(), False
        last = time.monotonic()
        while True:
            ready, _, _ = select.select([output], [], [], min(self._stall, 1.0))
            if not ready:
                if feeder.waiting:
                    last = time.monotonic()
                elif time.monotonic() - last > self._stall:
                    raise self._stalled()
                continue
            piece = os.read(output.fileno(), _READ)
            last = time.monotonic()
            if not piece:
                return
            begin = len(rest)
            rest += piece
            if b"\n" in piece:
                *lines, tail = bytes(rest).split(b"\n") if begin else piece.split(b"\n")
                rest = bytearray(tail)
                for line in lines:
                    if passing_over:
                        passing_over = False
                    elif line and not line.startswith(b'{"index":'):
                        yield line
            if len(rest) > MAX_LINE:
                self.too_long += not passing_over
                passing_over = True
                rest.clear()

    def _stalled(self) -> WardgateError:
        return WardgateError(
            "tshark-stalled",
            f"tshark stood still for {self._stall:.0f} s and was ended.",
            mend="Cut the capture into smaller ones with editcap -c.",
            exit_code=Exit.FAILED,
        )


class _Feeder(threading.Thread):
    """Writes the capture into tshark. `waiting` while it waits for more of the capture itself."""

    def __init__(self, capture: Iterable[bytes], to: IO[bytes]) -> None:
        super().__init__(name="tshark-feeder", daemon=True)
        self._capture = capture
        self._to = to
        self.waiting = False
        self.error: OSError | None = None

    def run(self) -> None:
        pieces = iter(self._capture)
        try:
            while True:
                self.waiting = True
                try:
                    piece = next(pieces, b"")
                except OSError as error:
                    self.error = error
                    return
                self.waiting = False
                if not piece:
                    return
                self._to.write(piece)
        except (BrokenPipeError, ValueError):  # tshark has ended: its status says why
            return
        finally:
            self.waiting = False
            with suppress(OSError):
                self._to.close()

    def stop(self) -> None:
        self.join(1.0)


def _ending(status: int, said: bytes) -> Reason | None:
    """What tshark's status and words mean for the capture. Raises `tshark-failed` when it never read it."""
    if status == 0:
        return None
    if b"isn't a capture file" in said or b"doesn't support" in said:
        return Reason.NOT_FORMAT
    if status < 0 or b"standard input" in said:  # crashed on a packet; or "cut short", "damaged"
        return Reason.TRUNCATED
    raise WardgateError(
        "tshark-failed",
        f"tshark ended with status {status} before it read the capture.",
        mend="Wardgate needs tshark 4.0 or newer: see tshark --version.",
        exit_code=Exit.FAILED,
    )
