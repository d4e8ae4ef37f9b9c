"""Request bodies, read within limits of size, time and number; when those are reached, refused early."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from wardgate.core.errors import Exit, WardgateError
from wardgate.core.settings import PushSettings
from wardgate.service.push_bodies import TooLarge, decompressed

_DRAINED = 1 << 20  # bytes of a refused body that are read off, so that the sender gets to read the answer


class PushFull(WardgateError):  # noqa: N818 - a state, like LakeFull
    """More pushes are being handled than the limits allow."""

    def __init__(self) -> None:
        super().__init__(
            "push-full",
            "more pushes are being handled than the limits allow.",
            mend="Try again after a second.",
            exit_code=Exit.FAILED,
        )


class Bodies:
    """Admits requests and reads their bodies. For one event loop."""

    def __init__(self, settings: PushSettings) -> None:
        self._settings = settings
        self._requests = 0
        self._bytes = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The decompressed body, held while the block runs.

        Raises `push-full`, `body-too-large`, `body-too-slow`, `body-coding-unknown` or `body-broken`.
        """
        if self._requests >= self._settings.max_requests:
            raise PushFull
        held = 0
        self._requests += 1
        try:
            chunks = []
            async for chunk in self._chunks(request):
                held += len(chunk)
                self._bytes += len(chunk)
                if self._bytes > self._settings.max_pending_bytes and self._requests > 1:
                    raise PushFull
                chunks.append(chunk)
            body = b"".join(chunks)
            chunks.clear()
            coding = request.headers.get("content-encoding", "")
            if coding:
                most = self._settings.max_batch_bytes
                body = await asyncio.to_thread(decompressed, body, coding, most)
                held += len(body)
                self._bytes += len(body)
            yield body
        finally:
            self._requests -= 1
            self._bytes -= held

    async def _chunks(self, request: Request) -> AsyncIterator[bytes]:
        most = self._settings.max_batch_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and len(length) < 20 and int(length) > most:
            raise TooLarge(most)
        got = 0
        try:
            async with asyncio.timeout(self._settings.receive_timeout_s):
                async for chunk in request.stream():
                    got += len(chunk)
                    if got > most:
                        raise TooLarge(most)
                    yield chunk
        except TimeoutError:
            raise WardgateError(
                "body-too-slow", "the body took longer to arrive than push.receive_timeout_s."
            ) from None


async def drain(request: Request) -> None:
    """Read off a small refused body; of a large one, nothing helps but to close the connection."""
    if "expect" in request.headers:
        return  # it waits for leave to send, and gets the answer instead
    left = _DRAINED
    try:
        async with asyncio.timeout(2):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
    except Exception:  # noqa: BLE001 - the sender is gone, or the body was read already: nothing is lost
        return
