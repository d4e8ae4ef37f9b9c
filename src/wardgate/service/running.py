"""The parts of a running process, opened and closed in order: lake, state, writer, pushes, followers, upkeep.

Closing commits everything that was accepted, in the order in which it flows: whoever takes calls in stops
first, then what was taken is handed on, then the writer commits it, then the lake is let go.

A full disk ends nothing: who needs room waits for it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from threading import Event

from wardgate.core.clock import Clock, system_clock
from wardgate.core.errors import WardgateError
from wardgate.core.events import LogEvent, log
from wardgate.core.home import Home
from wardgate.core.keys import load_key
from wardgate.core.settings import Config
from wardgate.lake.engine import configured_place
from wardgate.lake.maintenance import Maintainer, Report
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.configured import followed_of, syslog_of
from wardgate.service.follow import Follower
from wardgate.service.full_disk import with_room
from wardgate.service.learning import Learner
from wardgate.service.pushes import Pushes
from wardgate.service.readiness import Readiness
from wardgate.service.settling import settled_of
from wardgate.service.syslog_listener import SyslogListener
from wardgate.service.workers import Work, Worker
from wardgate.service.writer import Writer
from wardgate.sources.skip_rules import SkipRules
from wardgate.state.store import open_state
from wardgate.state.tokens import PushTokens

_STOPPING_S = 20.0
"""How long a worker may take to stop. Longer is no harm: it may be killed at any moment."""

Tell = Callable[[WardgateError], None]
"""Tells a person of something that went wrong and goes on."""


class Running:
    """An open installation."""

    def __init__(
        self,
        home: Home,
        config: Config,
        failed: Tell,
        tell: Tell,
        stop: Event,
        *,
        clock: Clock = system_clock,
    ) -> None:
        """`failed` is called, from a thread, when a part ended; `stop` ends waiting for room on the disk."""
        self.home = home
        self.config = config
        self.clock = clock
        self._failed = failed
        self._tell = tell
        self._place = configured_place(home, config.lake)
        self._with_room = partial(with_room, home=home, place=self._place, tell=tell, stop=stop)
        self._workers: list[Worker] = []
        with ExitStack() as opened:
            key = self._with_room(lambda: load_key(home.path))
            self.state = self._with_room(lambda: open_state(home, config.state.url))
            opened.callback(self.state.close)
            self.lake = self._with_room(self._opened_lake)
            opened.callback(self.lake.close)
            self.pipeline = Pipeline(self.lake, key, clock)
            self.writer = Writer(
                self.pipeline,
                gather_s=config.push.gather_ms / 1000,
                pending_calls=config.push.max_pending,
            )
            opened.callback(self.writer.close)
            self.pushes = Pushes(self.pipeline, self.writer, SkipRules(config.push.skip))
            opened.callback(self.pushes.close)
            self.tokens = PushTokens(self.state, key, clock)
            self._readiness = Readiness(home, self.writer, self.lake, self.state, config.push.max_pending)
            opened.callback(self._readiness.close)
            self._opened = opened.pop_all()

    def _opened_lake(self) -> Lake:
        return Lake(self._place, memory=self.config.lake.memory, threads=1)

    def start(self, name: str, work: Work) -> None:
        """Run something beside the rest until `close`."""
        worker = Worker(name, work, self._failed)
        self._workers.append(worker)
        worker.start()

    def start_followers(self) -> None:
        """Follow the configured files."""
        followed = followed_of(self.config)
        if followed:
            follower = self._with_room(
                lambda: Follower(self.pipeline, self.writer, followed, self.home, self.clock)
            )
            self.start("follower", follower.run)

    def start_listening(self) -> None:
        """Take syslog, where the configuration says so."""
        sources = syslog_of(self.config)
        if sources:
            syslog = SyslogListener(
                self.pipeline, self.writer, sources, self.config.syslog, self.home, self.clock
            )
            self.start("syslog", syslog.run)

    def start_upkeep(self) -> None:
        """Maintain the lake from time to time. What the next round may mend is told, once."""
        self.start("upkeep", self._upkeep)

    def start_learning(self) -> None:
        """Learn templates from time to time. What the next round may mend is told, once."""
        learner = Learner(
            self.pipeline,
            self.clock,
            settled_of(self.state, self.clock),
            every_s=self.config.lake.learning_interval_s,
        )
        told = ""

        def tell(error: WardgateError) -> None:
            nonlocal told
            if error.code != told:
                told = error.code
                self._tell(error)

        self.start("learning", partial(learner.run, failed=tell))

    def not_ready(self) -> list[str]:
        """Codes of what keeps calls from being taken now."""
        return self._readiness.not_ready()

    def close(self) -> None:
        """Stop everything; what was accepted is committed when this returns."""
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join(_STOPPING_S)
        self._opened.close()

    def _upkeep(self, stop: Event) -> None:
        maintainer = Maintainer(self.lake, self.config.lake, self.clock)
        told = ""
        try:
            while not stop.wait(self.config.lake.maintenance_interval_s):
                report = maintainer.run_once()
                failure = report.failure
                _log_upkeep(report)
                if failure and failure != told:
                    self._tell(
                        WardgateError(failure, "the lake's upkeep did not finish; the next round goes on.")
                    )
                told = failure
        finally:
            maintainer.close()


def _log_upkeep(report: Report) -> None:
    """A round that changed something."""
    counts = {
        "merged_files": report.merged_files,
        "folded_rows": report.folded_rows,
        "dropped_rows": sum(report.dropped_rows.values()),
        "deleted_files": report.deleted_files + report.orphaned_files,
    }
    if any(counts.values()):
        log(LogEvent.UPKEEP, **counts, seconds=report.seconds, longest_hold_s=report.longest_hold_s)
