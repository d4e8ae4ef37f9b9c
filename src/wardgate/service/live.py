"""How followed files and syslog are doing at this moment, in words: state, finding, and what to do.

From what the running process writes (`service.health`). Nothing of it is exact; the ledger is. `doctor` and
the page show it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from wardgate.core.clock import Clock
from wardgate.core.home import Home
from wardgate.core.settings import Config
from wardgate.service.diagnosis import State
from wardgate.service.health import Shown, SourceHealth, read_health
from wardgate.service.wording import ago, counted, size

_SLOW_US = 120 * 1_000_000
_MANY = 0.2
_NAME_IT = (
    "Name its format, layout or config in the configuration; `wardgate parse` shows what is understood."
)
_DO = {
    "input-unreadable": "Let the user that Wardgate runs as read it, such as by the file's group.",
    "input-busy": "Another process reads it: stop that one if this one should follow.",
    "input-grown": "Let its program write a new file for each stretch, such as tcpdump by -G or -C.",
    "format-not-recognised": _NAME_IT,
    "format-ambiguous": _NAME_IT,
    "layout-several": _NAME_IT,
    "layout-unfit": _NAME_IT,
    "disk-full": "Make room; it goes on by itself.",
    "syslog-no-source": "Widen syslog_hosts or syslog_apps of a source.",
    "defect": "Please report it with the place that it names; the other sources go on.",
}
_DEFAULT_DO = "It is tried again by itself. If it stays, try the input with `wardgate parse`."


@dataclass(frozen=True, slots=True)
class Live:
    """One source that is followed now, or should be."""

    source: str
    word: str
    """`up to date`, `behind`, `nothing yet`, `failing`, `not running`."""
    state: State
    finding: str
    do: str = ""
    health: SourceHealth | None = None
    """None: nobody tells of it."""

    @property
    def is_read(self) -> bool:
        """Whether a running process reads it now."""
        return self.health is not None and self.word != "not running"


def live(home: Home, config: Config, clock: Clock) -> list[Live]:
    """Every source that somebody follows or listens for, or that the configuration says is to be."""
    now = clock()
    shown = read_health(home, clock)
    found = [one for part in shown for one in _part(part, now)]
    told = {one.source for one in found}
    running = {part.part for part in shown if not part.is_stale}
    for one in config.source:
        if one.name in told:
            continue
        if ("syslog" if one.syslog else "files") in running:
            finding = "it is configured, but the process that is running does not know it."
            do = "Start it again: it reads the configuration when it starts."
        else:
            finding = "nobody " + ("listens for it" if one.syslog else "follows it") + " at this moment."
            do = "Start `wardgate up`."
        found.append(Live(one.name, "not running", State.WARN, finding, do))
    return found


def _part(part: Shown, now: int) -> Iterator[Live]:
    if part.is_stale:
        since = ago(now - part.written_at_us)
        if _is_alive(part.pid):
            finding = f"process {part.pid} said last how it is {since}."
            do = "If it hangs, stop it, and start `wardgate up` again."
        else:
            finding = f"process {part.pid} ended {since} without stopping cleanly. Nothing committed is lost."
            do = "Start `wardgate up` again: it goes on where it was."
        for one in part.sources:
            yield Live(one.source, "not running", State.WRONG, finding, do, one)
        return
    for one in part.sources:
        yield _source(one, now)


def _source(one: SourceHealth, now: int) -> Live:
    if one.error:
        code = one.error.partition("]")[0].removeprefix("[")
        tried = f" Tried {ago(now - one.error_at_us)}." if one.error_at_us else ""
        return Live(
            one.source, "failing", State.WRONG, f"{one.error}{tried}", _DO.get(code, _DEFAULT_DO), one
        )
    is_files = one.kind == "files"
    if one.state == "waiting":
        why = next((note for note in one.notes if "cannot" in note or "no file" in note), "")
        finding = f"{why or 'its files are empty'}." if is_files else "no sender has been heard yet."
        do = (
            "Check its path, and that the service logs there; call it once."
            if is_files
            else "Check the sender's target and the firewall; try `logger --server HOST --port PORT test`."
        )
        return Live(one.source, "nothing yet", State.WARN, finding, do, one)
    seen = f"{counted(one.inputs, 'file' if is_files else 'sender')}, {one.format or 'format not known yet'}"
    last = (
        f"last line {ago(now - one.last_record_at_us)}" if one.last_record_at_us else "no line since it began"
    )
    counts = (
        f"since it began read {one.read:,} = accepted {one.accepted:,} + rejected {one.rejected:,} "
        f"+ skipped {one.skipped:,}"
    )
    finding = f"{seen}; {last}; {counts}."
    if one.dropped:
        lost = f" {counted(one.dropped, 'message')} were lost before they could be read."
        do = "Send over TCP or TLS, or allow a larger buffer: sysctl net.core.rmem_max."
        return Live(one.source, "losing", State.WRONG, finding + lost, do, one)
    if one.rejected > _MANY * (one.accepted + one.rejected):
        return Live(one.source, "not understood", State.WARN, finding, _NAME_IT, one)
    if one.state == "behind":
        is_slow = now - (one.last_commit_at_us or 0) > _SLOW_US
        return Live(
            one.source,
            "behind",
            State.WARN if is_slow else State.NOTE,
            f"{size(one.lag_bytes)} are not read yet; {finding}",
            "Nothing was committed for long: see disk and locks." if is_slow else "It is catching up.",
            one,
        )
    return Live(one.source, "up to date", State.OK, f"up to date: {finding}", "", one)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
