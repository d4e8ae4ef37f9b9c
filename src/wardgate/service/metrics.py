"""Wardgate's own figures for Prometheus: what came in, what is waiting, what stands in the way.

What was counted comes from the ledger, so it holds across processes and restarts; how followed sources are
comes from what their readers tell. Labels are names that people gave (sources), tables, codes and words of a
closed set: nothing from traffic. At most `MOST_SOURCES` sources have lines of their own; the rest is added up
as `other`.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import TYPE_CHECKING

import duckdb
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wardgate import __version__
from wardgate.core.errors import WardgateError
from wardgate.lake.engine import ALIAS
from wardgate.lake.tables import TABLES
from wardgate.service.health import read_health

if TYPE_CHECKING:
    from wardgate.service.running import Running

MOST_SOURCES = 500
OTHER = "other"
KEPT_S = 5.0
"""How long what the lake said is shown again: nobody asks it more often, however often they scrape."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_OUTCOMES = ("accepted", "rejected", "skipped")
_STATES = ("waiting", "following", "behind", "failing")
_LEDGER = f"""
SELECT source, sum(accepted)::BIGINT AS accepted, sum(rejected)::BIGINT AS rejected,
       sum(skipped)::BIGINT AS skipped, epoch_us(max(committed_at_us)) AS committed_at_us
FROM {ALIAS}.ledger GROUP BY source ORDER BY sum(read) DESC, source
"""
_FILES = f"SELECT table_name, file_count, file_size_bytes FROM ducklake_table_info('{ALIAS}')"


class Metrics:
    """The figures of a running process, as text for Prometheus."""

    def __init__(self, running: "Running", monotonic: Callable[[], float] = time.monotonic) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Installation(running, monotonic))
        self._commits = Histogram(
            "wardgate_commit_seconds",
            "How long commits of this process took.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._answers = Counter(
            "wardgate_push_answers",
            "Answers to pushes, by path and status.",
            ["path", "status"],
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        running.writer.timed = self._commits.observe

    def answered(self, path: str, status: int) -> None:
        """A push was answered. `path` is a route's, never what somebody sent."""
        self._answers.labels(path, str(status)).inc()

    def text(self) -> bytes:
        """All figures, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Installation(Collector):
    """What is asked for when somebody scrapes. A part that cannot be asked is left out, and said to be."""

    def __init__(self, running: "Running", monotonic: Callable[[], float]) -> None:
        self._running = running
        self._now = monotonic
        self._lock = Lock()
        self._lake: list[Metric] = []
        self._lake_until = float("-inf")

    def collect(self) -> Iterable[Metric]:
        yield _gauge("wardgate_build_info", "Which version runs.", [({"version": __version__}, 1)])
        yield from self._writer()
        yield from self._disk()
        yield from self._sources()
        with self._lock:
            if self._now() >= self._lake_until:
                self._lake = list(self._of_lake())
                self._lake_until = self._now() + KEPT_S
            yield from self._lake

    def _writer(self) -> Iterator[Metric]:
        writer, push = self._running.writer, self._running.config.push
        yield _gauge("wardgate_pending_calls", "Calls waiting for their commit.", [({}, writer.pending)])
        yield _gauge("wardgate_pending_calls_limit", "How many may.", [({}, push.max_pending)])
        yield _gauge(
            "wardgate_disk_full", "1: the last commit found no room on the disk.", [({}, writer.disk_full)]
        )

    def _disk(self) -> Iterator[Metric]:
        try:
            usage = shutil.disk_usage(self._running.home.path)
        except OSError:
            return
        yield _gauge("wardgate_disk_free_bytes", "Room on the home's disk.", [({}, usage.free)])
        yield _gauge("wardgate_disk_size_bytes", "Size of the home's disk.", [({}, usage.total)])

    def _sources(self) -> Iterator[Metric]:
        """How followed sources are, as whoever reads them told last."""
        told = read_health(self._running.home, self._running.clock)
        found = [
            ({"source": one.source, "kind": one.kind}, one, one.state != "failing" and not part.is_stale)
            for part in told
            for one in part.sources
        ][:MOST_SOURCES]
        yield _gauge(
            "wardgate_source_up",
            "1: a running process reads it, and nothing is in the way.",
            [(own, is_up) for own, _, is_up in found],
        )
        yield _gauge(
            "wardgate_source_state",
            "1 for the state it is in.",
            [({**own, "state": state}, one.state == state) for own, one, _ in found for state in _STATES],
        )
        yield _gauge(
            "wardgate_source_lag_bytes",
            "Bytes that are there and not committed yet.",
            [(own, one.lag_bytes) for own, one, _ in found],
        )
        yield _counter(
            "wardgate_source_dropped_messages",
            "Messages that the kernel dropped before they could be read.",
            [(own, one.dropped) for own, one, _ in found],
        )
        yield _gauge(
            "wardgate_source_last_record_timestamp_seconds",
            "When its last record came.",
            [(own, one.last_record_at_us / 1e6) for own, one, _ in found if one.last_record_at_us],
        )

    def _of_lake(self) -> Iterator[Metric]:
        try:
            ledger = self._running.lake.rows(_LEDGER).to_pylist()
            files = self._running.lake.rows(_FILES).to_pylist()
        except (duckdb.Error, WardgateError):
            yield _gauge("wardgate_lake_readable", "1: the lake can be read.", [({}, 0)])
            return
        yield _gauge("wardgate_lake_readable", "1: the lake can be read.", [({}, 1)])
        own, rest = ledger[:MOST_SOURCES], ledger[MOST_SOURCES:]
        if rest:
            summed = {name: sum(row[name] for row in rest) for name in _OUTCOMES}
            latest = max(row["committed_at_us"] for row in rest)
            own.append({"source": OTHER, **summed, "committed_at_us": latest})
        yield _counter(
            "wardgate_calls",
            "Records read since the lake began, by what became of them.",
            [({"source": row["source"], "outcome": one}, row[one]) for row in own for one in _OUTCOMES],
        )
        yield _gauge(
            "wardgate_source_last_commit_timestamp_seconds",
            "When something of it was committed last.",
            [({"source": row["source"]}, row["committed_at_us"] / 1e6) for row in own],
        )
        known = [row for row in files if row["table_name"] in TABLES]
        yield _gauge(
            "wardgate_lake_files",
            "Data files of the lake.",
            [({"table": row["table_name"]}, row["file_count"] or 0) for row in known],
        )
        yield _gauge(
            "wardgate_lake_bytes",
            "Their bytes.",
            [({"table": row["table_name"]}, row["file_size_bytes"] or 0) for row in known],
        )


_Samples = list[tuple[dict[str, str], float]]


def _gauge(name: str, meaning: str, samples: _Samples) -> Metric:
    return _with(GaugeMetricFamily(name, meaning, labels=_labels(samples)), samples)


def _counter(name: str, meaning: str, samples: _Samples) -> Metric:
    return _with(CounterMetricFamily(name, meaning, labels=_labels(samples)), samples)


def _labels(samples: _Samples) -> list[str]:
    return list(samples[0][0]) if samples else []


def _with(
    family: GaugeMetricFamily | CounterMetricFamily, samples: _Samples
) -> GaugeMetricFamily | CounterMetricFamily:
    for labels, value in samples:
        family.add_metric(list(labels.values()), float(value))
    return family
