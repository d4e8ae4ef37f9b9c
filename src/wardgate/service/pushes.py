"""Pushed batches: recognised a few together, committed with everything else, and answered after that.

One thread takes what has come in while it was busy and hands it to the writer; the answer of each batch waits
for its commit. A batch is known by the sender's `Idempotency-Key` (OTLP: by its content, since span ids are
unique), so a retry after a lost answer is answered from the ledger and doubles nothing.
"""

import json
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from threading import Condition, Thread

from wardgate.core.errors import WardgateError
from wardgate.core.keys import Key
from wardgate.core.observed import Parsed
from wardgate.lake.engine import ALIAS
from wardgate.pipeline import Origin, Pipeline, Prepared, Reached
from wardgate.service.push_bodies import parsed_lines, parsed_spans
from wardgate.service.writer import Closed, Writer
from wardgate.sources.format import Defaults
from wardgate.sources.skip_rules import SkipRules

MOST_TOGETHER = 64
"""Batches that are recognised before the first of them is handed on."""
SHOWN_REJECTS = 1000
"""Rejected records that an answer names."""
CLIENT_SUFFIX = "-client"
"""The source of calls that an application makes is named after its own, with this added."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who pushes, as their token says."""

    name: str
    source: str
    defaults: Defaults = field(default_factory=Defaults)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch, after its commit."""

    batch: str
    """16 hex digits."""
    accepted: int
    rejected: int
    skipped: int
    duplicate: bool
    """An earlier push of the same batch was committed; the counts are that one's."""
    rejects: tuple[tuple[int, str], ...] = ()
    """Position and reason of the first rejected records."""


class KeyReused(WardgateError):  # noqa: N818 - what happened, like LakeFull
    """An `Idempotency-Key` came again with other content, which is not what was committed under it."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency-key-reused",
            "another batch was committed under this Idempotency-Key.",
            mend="Use one key per batch, and send the same bytes again on a retry.",
        )


Parts = list[tuple[Origin, Parsed]]


@dataclass(slots=True)
class _Push:
    parse: Callable[[], Parts]
    digest: int
    answer: "Future[Receipt]" = field(default_factory=Future)


class Pushes:
    """Takes pushed batches from any thread."""

    def __init__(self, pipeline: Pipeline, writer: Writer, skip: SkipRules | None = None) -> None:
        self._pipeline = pipeline
        self._writer = writer
        self._skip = skip or SkipRules({})
        self._waiting: deque[_Push] = deque()
        self._closing = False
        self._changed = Condition()
        self._thread = Thread(target=self._run, name="pushes", daemon=True)
        self._thread.start()

    def lines(self, body: bytes, sender: Sender, idempotency_key: str | None = None) -> "Future[Receipt]":
        """A batch of Wardgate JSON Lines. A `WardgateError` as the answer means: nothing was committed."""
        known_by = f"key\0{idempotency_key}" if idempotency_key else f"once\0{token_hex(16)}"
        origin_id = self._pipeline.key.id64("push", f"{sender.source}\0{known_by}")
        origin = Origin(sender.source, origin_id, f"push by {sender.name}", "wardgate-jsonl", sender.defaults)
        return self._take(lambda: [(origin, parsed_lines(body))], body)

    def spans(self, body: bytes, sender: Sender, *, as_json: bool) -> "Future[Receipt]":
        """A batch of OTLP traces. The answer may be `sources.otlp.MalformedError`, or any `WardgateError`."""
        return self._take(lambda: self._span_parts(body, sender, as_json), body)

    def close(self) -> None:
        """Hand on what was taken, and stop. Close it before the writer."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _span_parts(self, body: bytes, sender: Sender, as_json: bool) -> Parts:
        found = parsed_spans(body, as_json)
        content = self._pipeline.key.fingerprint(body)
        parts: Parts = []
        for parsed, vantage, suffix in (
            (found.served, "application", ""),
            (found.made, "client", CLIENT_SUFFIX),
        ):
            if not parsed.read:
                continue
            given = sender.defaults
            defaults = Defaults(vantage, given.environment, given.team, given.service, given.proxies)
            source = sender.source + suffix
            origin_id = self._pipeline.key.id64("push", f"{source}\0content\0{content}")
            parts.append((Origin(source, origin_id, f"push by {sender.name}", "otlp", defaults), parsed))
        return parts

    def _take(self, parse: Callable[[], Parts], body: bytes) -> "Future[Receipt]":
        push = _Push(parse, _digest(self._pipeline.key, body))
        with self._changed:
            if self._closing:
                raise Closed
            self._waiting.append(push)
            self._changed.notify_all()
        return push.answer

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._closing:
                        return
                    self._changed.wait()
                together = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
            for push in together:
                self._hand_on(push)

    def _hand_on(self, push: _Push) -> None:
        try:
            parts = push.parse()
            prepared = [self._prepared(origin, parsed, push.digest) for origin, parsed in parts]
            if not prepared:
                push.answer.set_result(Receipt("", 0, 0, 0, False))
                return
            committed = [self._writer.submit(part, patient=False) for part, _ in prepared]
        except Exception as error:  # noqa: BLE001 - whatever it was, its sender hears of it
            with suppress(Exception):
                push.answer.set_exception(error)
            return
        _Gathered(push, prepared, committed, self._receipt)

    def _prepared(self, origin: Origin, parsed: Parsed, digest: int) -> tuple[Prepared, Parsed]:
        parsed = self._skip.apply(parsed)
        reached = Reached(parsed.read, state={"body": digest}, complete=True)
        return self._pipeline.prepare(parsed, origin, reached, self._pipeline.batch_id(origin, 0)), parsed

    def _receipt(self, push: _Push, parts: list[tuple[Prepared, Parsed]], fresh: list[bool]) -> Receipt:
        """The answer after the commit; that of a part that was there before is read from the ledger."""
        counts = [
            (part.accepted, part.rejected, part.skipped) if is_fresh else self._before(push, part)
            for (part, _), is_fresh in zip(parts, fresh, strict=True)
        ]
        accepted, rejected, skipped = (sum(column) for column in zip(*counts, strict=True))
        rejects = [(one.position, one.reason.value) for _, parsed in parts for one in parsed.rejects]
        batch = f"{parts[0][0].batch.batch_id:016x}"
        duplicate = not any(fresh)
        return Receipt(batch, accepted, rejected, skipped, duplicate, tuple(rejects[:SHOWN_REJECTS]))

    def _before(self, push: _Push, part: Prepared) -> tuple[int, int, int]:
        row = self._pipeline.lake.rows(
            f"SELECT accepted, rejected, skipped, parser_state FROM {ALIAS}.ledger WHERE batch_id = ?",
            [part.batch.batch_id],
        ).to_pylist()[0]
        if json.loads(row["parser_state"]).get("body") != push.digest:
            raise KeyReused
        return row["accepted"], row["rejected"], row["skipped"]


class _Gathered:
    """Waits for all parts of a push and answers it, in the thread of the last answer."""

    def __init__(
        self,
        push: _Push,
        parts: list[tuple[Prepared, Parsed]],
        committed: "list[Future[bool]]",
        receipt: Callable[[_Push, list[tuple[Prepared, Parsed]], list[bool]], Receipt],
    ) -> None:
        self._push, self._parts, self._committed, self._receipt = push, parts, committed, receipt
        self._left = len(committed)
        self._lock = Condition()
        for one in committed:
            one.add_done_callback(partial(self._done))

    def _done(self, answer: "Future[bool]") -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        try:
            receipt = self._receipt(self._push, self._parts, [one.result() for one in self._committed])
        except Exception as error:  # noqa: BLE001
            with suppress(Exception):
                self._push.answer.set_exception(error)
        else:
            with suppress(Exception):
                self._push.answer.set_result(receipt)


def _digest(key: Key, body: bytes) -> int:
    """A keyed digest as a number: text of its length would be masked as a secret."""
    return int(key.fingerprint(body)[:15], 16)
