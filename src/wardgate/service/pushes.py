"""Pushed batches: recognised a few together, committed with everything else, and answered after that.

One thread takes what has come in while it was busy and hands it to the writer; the answer of each batch waits
for its commit. A batch is known by the sender's `Idempotency-Key` (OTLP: by its content, since span ids are
unique), so a retry after a lost answer is answered from the ledger and doubles nothing.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex
from threading import Condition, Lock, Thread
from time import monotonic

from wardgate.core.errors import WardgateError
from wardgate.core.keys import Key
from wardgate.core.observed import Parsed
from wardgate.lake.engine import ALIAS
from wardgate.pipeline import Origin, Part, Pipeline, Prepared, Reached
from wardgate.service.push_bodies import parsed_lines, parsed_spans
from wardgate.service.writer import Closed, Writer
from wardgate.sources.format import Defaults
from wardgate.sources.skip_rules import SkipRules

MOST_TOGETHER = 64
"""Batches that are taken at a time."""
CALLS_TOGETHER = 2000
"""Calls that are recognised at a time, about."""
LINGER_S = 0.05
"""How long those that were there first may wait while others keep arriving,"""
PAUSE_S = 0.005
"""and how long when nobody does: recognising has a price per turn."""
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


@dataclass(slots=True)
class _Push:
    parse: Callable[[], list[tuple[Origin, Parsed]]]
    digest: int
    answer: "Future[Receipt]" = field(default_factory=Future)
    parts: list[Part] = field(default_factory=list)
    prepared: list[Prepared | None] = field(default_factory=list)

    def fail(self, error: Exception) -> None:
        with suppress(InvalidStateError):  # its sender may have gone
            self.answer.set_exception(error)


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

    def _span_parts(self, body: bytes, sender: Sender, as_json: bool) -> list[tuple[Origin, Parsed]]:
        found = parsed_spans(body, as_json)
        content = self._pipeline.key.lasting(body)
        parts: list[tuple[Origin, Parsed]] = []
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

    def _take(self, parse: Callable[[], list[tuple[Origin, Parsed]]], body: bytes) -> "Future[Receipt]":
        push = _Push(parse, _digest(self._pipeline.key, body))
        with self._changed:
            if self._closing:
                raise Closed
            self._waiting.append(push)
            self._changed.notify_all()
        return push.answer

    def _run(self) -> None:
        while True:
            together: list[_Push] = []
            try:
                for push in self._arriving():
                    together.append(push)
                    self._parse(push)
                if not together:
                    return
                self._hand_on([push for push in together if not push.answer.done()])
            except Exception as error:  # noqa: BLE001 - this thread must outlive whatever it was
                for push in together:
                    push.fail(error)

    def _arriving(self) -> Iterator[_Push]:
        """Batches that come at about the same moment, each as it comes; none when closed and done."""
        until = None
        for _ in range(MOST_TOGETHER):
            with self._changed:
                while not self._waiting:
                    if self._closing or (until is not None and monotonic() >= until):
                        return
                    if not self._changed.wait(None if until is None else PAUSE_S) and not self._waiting:
                        return
                push = self._waiting.popleft()
            until = until or monotonic() + LINGER_S
            yield push

    def _parse(self, push: _Push) -> None:
        try:
            push.parts = [self._part(origin, parsed, push.digest) for origin, parsed in push.parse()]
        except Exception as error:  # noqa: BLE001 - whatever it was, its sender hears of it
            push.fail(error)
            return
        if not push.parts:
            push.answer.set_result(Receipt("", 0, 0, 0, False))

    def _part(self, origin: Origin, parsed: Parsed, digest: int) -> Part:
        parsed = self._skip.apply(parsed)
        reached = Reached(parsed.read, state={"body": digest}, complete=True)
        return Part(parsed, origin, reached, self._pipeline.batch_id(origin, 0))

    def _hand_on(self, pushes: list[_Push]) -> None:
        """Recognise and submit. Parts of one source with the same defaults are recognised together."""
        alike: dict[tuple[object, ...], list[tuple[_Push, int]]] = {}
        for push in pushes:
            push.prepared = [None] * len(push.parts)
            for at, part in enumerate(push.parts):
                said = part.origin.defaults
                key = (
                    part.origin.source,
                    said.vantage,
                    said.environment,
                    said.team,
                    said.service,
                    said.proxies,
                )
                alike.setdefault(key, []).append((push, at))
        for places in alike.values():
            for group in _bounded(places):
                self._prepare(group)
        for push in pushes:
            if not push.answer.done():
                self._submit(push)

    def _prepare(self, group: list[tuple[_Push, int]]) -> None:
        try:
            found = self._pipeline.prepare_together([push.parts[at] for push, at in group])
        except Exception as error:  # noqa: BLE001 - one bad push must not fail its company
            if len(group) == 1:
                group[0][0].fail(error)
            else:
                for one in group:
                    self._prepare([one])
            return
        for (push, at), prepared in zip(group, found, strict=True):
            push.prepared[at] = prepared

    def _submit(self, push: _Push) -> None:
        prepared = [one for one in push.prepared if one is not None]
        try:
            committed = [self._writer.submit(one, patient=False) for one in prepared]
        except WardgateError as error:
            push.fail(error)
            return
        _Gathered(push, prepared, committed, self._receipt)

    def _receipt(self, push: _Push, prepared: list[Prepared], fresh: list[bool]) -> Receipt:
        """The answer after the commit; that of a part that was there before is read from the ledger."""
        counts = [
            (one.accepted, one.rejected, one.skipped) if is_fresh else self._before(push, one)
            for one, is_fresh in zip(prepared, fresh, strict=True)
        ]
        accepted, rejected, skipped = (sum(column) for column in zip(*counts, strict=True))
        rejects = [(one.position, one.reason.value) for part in push.parts for one in part.parsed.rejects]
        batch = f"{prepared[0].batch.batch_id:016x}"
        duplicate = not any(fresh)
        return Receipt(batch, accepted, rejected, skipped, duplicate, tuple(rejects[:SHOWN_REJECTS]))

    def _before(self, push: _Push, one: Prepared) -> tuple[int, int, int]:
        row = self._pipeline.lake.rows(
            f"SELECT accepted, rejected, skipped, parser_state FROM {ALIAS}.ledger WHERE batch_id = ?",
            [one.batch.batch_id],
        ).to_pylist()[0]
        if json.loads(row["parser_state"]).get("body") != push.digest:
            raise KeyReused
        return row["accepted"], row["rejected"], row["skipped"]


class _Gathered:
    """Waits for all parts of a push and answers it, in the thread of the last answer."""

    def __init__(
        self,
        push: _Push,
        prepared: list[Prepared],
        committed: "list[Future[bool]]",
        receipt: Callable[[_Push, list[Prepared], list[bool]], Receipt],
    ) -> None:
        self._push, self._prepared, self._committed, self._receipt = push, prepared, committed, receipt
        self._left = len(committed)
        self._lock = Lock()
        for one in committed:
            one.add_done_callback(self._done)

    def _done(self, answer: "Future[bool]") -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        try:
            fresh = [one.result() for one in self._committed]
            receipt = self._receipt(self._push, self._prepared, fresh)
        except Exception as error:  # noqa: BLE001 - whatever it was, its sender hears of it
            self._push.fail(error)
        else:
            with suppress(InvalidStateError):
                self._push.answer.set_result(receipt)


def _bounded(places: list[tuple[_Push, int]]) -> Iterator[list[tuple[_Push, int]]]:
    """Groups of about `CALLS_TOGETHER` calls."""
    group: list[tuple[_Push, int]] = []
    calls = 0
    for push, at in places:
        accepted = push.parts[at].parsed.accepted
        if group and calls + accepted > CALLS_TOGETHER:
            yield group
            group, calls = [], 0
        group.append((push, at))
        calls += accepted
    yield group


def _digest(key: Key, body: bytes) -> int:
    """A keyed digest as a number: text of its length would be masked as a secret."""
    return int(key.lasting(body)[:15], 16)
