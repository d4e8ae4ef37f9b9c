"""`wardgate doctor` on set-ups that are broken in one way each: it finds that one, and says what to do."""

import fcntl
import gzip
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wardgate.cli.main import cli
from wardgate.core.clock import fixed_clock
from wardgate.core.home import Home, open_home
from wardgate.lake.engine import embedded_place
from wardgate.service.diagnosis import Check, State
from wardgate.service.doctor import examine
from wardgate.service.doctor_place import check_disk, check_locks
from wardgate.service.health import HealthFile, SourceHealth

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOCK = fixed_clock(int(NOW.timestamp()) * 1_000_000)


def line(at: datetime, path: str = "/v1/a", status: int = 200) -> str:
    return f'192.0.2.1 - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "GET {path} HTTP/1.1" {status} 12 "-" "curl/8"\n'


def ingest(home: Path, text: str, *options: str, name: str = "access") -> Path:
    log = home.parent / f"{name}.log"
    log.write_text(text)
    result = CliRunner().invoke(cli, ["--home", str(home), "ingest", str(log), *options])
    assert result.exit_code == 0, result.output
    return log


def checks(home: Path, config: Path | None = None) -> list[Check]:
    return list(examine(home, config, CLOCK))


def found(all_checks: list[Check], about: str, *states: State) -> list[Check]:
    return [one for one in all_checks if one.about == about and (not states or one.state in states)]


def only_wrong(all_checks: list[Check]) -> Check:
    """The one thing that is wrong; it says what to do."""
    wrong = [one for one in all_checks if one.state is State.WRONG]
    assert len(wrong) == 1, wrong
    assert wrong[0].do
    return wrong[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


GOOD = "".join(line(NOW - timedelta(minutes=n)) for n in range(20))


def test_a_sound_home_is_told_so_and_exits_0(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wardgate.core.clock.system_clock", CLOCK)
    ingest(home, GOOD)
    all_checks = checks(home)
    assert {one.about for one in all_checks} >= {
        "versions",
        "home",
        "key",
        "disk",
        "configuration",
        "locks",
        "lake",
    }
    assert not [one for one in all_checks if one.state in (State.WRONG, State.WARN)]
    (ok,) = found(all_checks, "source access", State.OK)
    assert "read 20 = accepted 20 + rejected 0 + skipped 0" in ok.finding
    result = doctor(home)
    assert result.exit_code == 0
    assert "0 wrong" in result.stdout


def doctor(home: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), "doctor", *options])


def test_nothing_was_ever_read(home: Path) -> None:
    assert "wardgate ingest" in only_wrong(checks(home)).do
    result = doctor(home, "--json")
    assert result.exit_code == 1
    assert '"healthy":false' in result.stdout


def test_a_source_is_configured_and_was_never_followed(home: Path) -> None:
    log = home.parent / "edge.log"
    log.write_text(GOOD)
    configure(home, f'[[source]]\nname = "edge"\npath = "{log}"\n')
    all_checks = checks(home)
    assert "wardgate up" in only_wrong(all_checks).do
    assert found(all_checks, "source edge", State.OK)[0].finding.endswith("can be read, and is nginx.")


def configure(home: Path, text: str) -> None:
    open_home(home)
    (home / "wardgate.toml").write_text(text)


CONFIGURED = {
    "no file": (None, 'path = "{}"', "input-not-found"),
    "another format": ("hello\nworld\n" * 20, 'path = "{}"', "format-not-recognised"),
    "not the format it names": (GOOD, 'path = "{}"\nformat = "cloudflare"', "does not fit cloudflare"),
    "a format nobody knows": (GOOD, 'path = "{}"\nformat = "morse"', "format-unknown"),
    "broken compression": (gzip.compress(GOOD.encode())[:60] + b"broken", 'path = "{}"', "decompressed"),
}


@pytest.mark.parametrize("case", CONFIGURED)
def test_a_configured_source_that_cannot_work(case: str, home: Path) -> None:
    content, keys, told = CONFIGURED[case]
    log = home.parent / "edge.log"
    if content is not None:
        log.write_bytes(content.encode() if isinstance(content, str) else content)
    configure(home, '[[source]]\nname = "edge"\n' + keys.format(log) + "\n")
    (wrong,) = found(checks(home), "source edge", State.WRONG)
    assert told in wrong.finding
    assert wrong.do


def test_a_configured_file_that_is_empty(home: Path) -> None:
    (home.parent / "edge.log").write_text("")
    configure(home, f'[[source]]\nname = "edge"\npath = "{home.parent / "edge.log"}"\n')
    warned, stands_still = found(checks(home), "source edge", State.WARN)
    assert "follows it" in stands_still.finding
    assert "is empty" in warned.finding


def test_a_configuration_with_a_mistake_does_not_hide_the_rest(home: Path) -> None:
    ingest(home, GOOD)
    (home / "wardgate.toml").write_text("[lake]\nretention = 3\n")
    all_checks = checks(home)
    assert "config-unknown-key" in only_wrong(all_checks).finding
    assert found(all_checks, "source access", State.OK)


def test_a_key_that_others_can_read(home: Path) -> None:
    ingest(home, GOOD)
    key = home / "keys" / "installation.key"
    key.chmod(0o644)
    wrong = only_wrong(checks(home))
    assert (wrong.about, wrong.do) == ("key", f"Close it: chmod 600 {key}")


def test_a_key_that_is_gone_broken_or_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = (
        '{"method":"GET","url":"https://a.test/b","request_headers":{"x-api-key":"0123456789abcdef0123"}}\n'
    )
    ingest(home, calls)
    key = home / "keys" / "installation.key"
    monkeypatch.setenv("WARDGATE_KEY", "ab" * 32)
    (warned,) = found(checks(home), "key", State.WARN)
    assert "made with another key" in warned.finding
    monkeypatch.delenv("WARDGATE_KEY")
    key.write_text("not a key")
    assert "key-malformed" in only_wrong(checks(home)).finding
    key.unlink()
    assert "is gone" in only_wrong(checks(home)).finding


def test_a_home_open_to_others(home: Path) -> None:
    ingest(home, GOOD)
    home.chmod(0o755)
    (warned,) = found(checks(home), "home", State.WARN)
    assert warned.do == f"Close it: chmod 700 {home}"


def test_a_lake_that_does_not_open(home: Path) -> None:
    ingest(home, GOOD)
    for part in (home / "lake").glob("catalog.sqlite*"):
        part.write_bytes(b"this is no database" * 300)
    wrong = only_wrong(checks(home))
    assert (wrong.about, wrong.finding.split()[0]) == ("lake", "[lake-unreadable]")


def test_a_lake_whose_files_are_gone(home: Path) -> None:
    ingest(home, GOOD)
    files = list((home / "lake" / "data").rglob("*.parquet"))
    assert files
    for one in files:
        one.unlink()
    assert "cannot be read" in only_wrong(checks(home)).finding


@pytest.fixture
def writer(home: Path) -> Iterator[Home]:
    """Somebody who holds the lake's lock."""
    opened = open_home(home)
    handle = os.open(opened.lake / ".writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    yield opened
    os.close(handle)


def test_a_lock_that_stays_names_its_holder_and_nothing_waits(writer: Home) -> None:
    (wrong,) = check_locks(embedded_place(writer), patience_s=0.1)
    assert wrong.state is State.WRONG
    assert f"process {os.getpid()} (" in wrong.finding


def test_little_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_home(home)
    states = []
    for free in (10 << 20, 1 << 30, 100 << 30):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: shutil_usage(free))
        states += [one.state for one in check_disk(opened)]
    assert states == [State.WRONG, State.WARN, State.OK]


def shutil_usage(free: int) -> object:
    from collections import namedtuple

    return namedtuple("usage", "total used free")(200 << 30, (200 << 30) - free, free)


def test_stamps_that_are_still_to_come_look_like_a_time_zone(home: Path) -> None:
    ingest(home, "".join(line(NOW + timedelta(hours=2, minutes=-n)) for n in range(5)))
    # what was read later than the clock of this check-up counts as now
    wrong = [one for one in examine(home, None, fixed_clock(0)) if one.state is State.WRONG]
    assert wrong == [] or "time zone?" in wrong[0].finding
    later = ingest(
        home, "".join(line(datetime(2099, 1, 1, 2, n, tzinfo=UTC)) for n in range(5)), name="later"
    )
    (ahead,) = found(checks(home), "source later", State.WRONG)
    assert "still to come" in ahead.finding
    assert "timezone" in ahead.do
    assert later.exists()


SHARES = {
    "a few lines": (GOOD * 5 + "what\n" * 4, State.WARN),
    "many lines": (GOOD + "what is this\n" * 12, State.WRONG),
}


@pytest.mark.parametrize("case", SHARES)
def test_lines_that_are_not_understood(case: str, home: Path) -> None:
    text, state = SHARES[case]
    ingest(home, text, "--format", "nginx")
    (told,) = found(checks(home), "source access", State.WARN, State.WRONG)
    assert told.state is state
    assert "not-format: the line does not have the shape of the format" in told.finding
    assert "Such as: aaaa" in told.finding
    assert "wardgate parse" in told.do


def test_only_files_and_pages(home: Path) -> None:
    ingest(home, "".join(line(NOW, f"/app{n}.js") for n in range(30)))
    (warned,) = found(checks(home), "source access", State.WARN)
    assert "100% of its calls are for files and pages" in warned.finding


def test_what_the_format_cannot_show_and_what_is_not_read_yet(home: Path) -> None:
    log = ingest(home, GOOD)
    with log.open("a") as more:
        more.write(line(NOW))
    log_notes = [one.finding for one in found(checks(home), "source access", State.NOTE)]
    assert any("no duration" in one and "no credential" in one for one in log_notes)
    assert any("show no host" in one for one in log_notes)
    assert any("bytes that are not read yet" in one for one in log_notes)


def test_old_calls_and_a_file_that_went_away(home: Path) -> None:
    log = ingest(home, "".join(line(NOW - timedelta(days=9)) for _ in range(3)))
    log.unlink()
    notes = [one.finding for one in found(checks(home), "source access", State.NOTE)]
    assert any("9 days ago" in one for one in notes)
    assert any("no longer there" in one for one in notes)


def test_a_log_without_hosts_whose_service_was_named_lacks_nothing(home: Path) -> None:
    ingest(home, GOOD)
    assert any("so its service is called as the source is" in one.finding for one in checks(home))
    ingest(home, GOOD, "--service", "shop.example", name="named")
    assert not any("so its service is called" in one.finding for one in found(checks(home), "source named"))


def test_two_files_of_one_name_are_not_taken_for_one_another(home: Path) -> None:
    """`shop.log` beside `shop.jsonl`: what is left of a file is told of that file."""
    record = (
        '{"method": "GET", "url": "https://shop.example/v1/a", "status": 200, "ts": "2026-03-01T11:00:00Z"}\n'
    )
    other = home.parent / "access.jsonl"
    other.write_text(record * 200)
    assert CliRunner().invoke(cli, ["--home", str(home), "ingest", str(other)]).exit_code == 0
    ingest(home, GOOD)
    assert not any("not read yet" in one.finding for one in checks(home))
    assert found(checks(home), "source access", State.OK) and found(checks(home), "source access.log")


def test_calls_without_a_time(home: Path) -> None:
    ingest(home, '{"method":"GET","url":"https://a.test/b","status":200}\n' * 3)
    warned = found(checks(home), "source access", State.WARN)
    assert any("carry no time" in one.finding for one in warned)


def test_two_sources_that_may_see_the_same(home: Path) -> None:
    ingest(home, "".join(line(NOW - timedelta(seconds=n)) for n in range(30)), "--service", "api", name="one")
    ingest(
        home, "".join(line(NOW - timedelta(seconds=n)) for n in range(1, 30)), "--service", "api", name="two"
    )
    warned = [one.finding for one in checks(home) if one.state is State.WARN]
    assert any("may be another source's too" in one for one in warned)


SECOND = 1_000_000
NOW_US = int(NOW.timestamp()) * SECOND
UP_TO_DATE = SourceHealth(
    "edge",
    "files",
    "following",
    "nginx",
    inputs=1,
    read=20,
    accepted=20,
    last_record_at_us=NOW_US - 5 * SECOND,
)
ONE = '[[source]]\nname = "edge"\npath = "{}"\n'
SYSLOG = '[syslog]\nudp = "127.0.0.1:5514"\n[[source]]\nname = "edge"\nsyslog = true\n'
BEHIND = replace(UP_TO_DATE, state="behind", lag_bytes=3_400_000, last_commit_at_us=NOW_US)
FAILING = replace(
    UP_TO_DATE, state="failing", error="[input-unreadable] no.", error_at_us=NOW_US - 9 * SECOND
)
FROM_SYSLOG = replace(UP_TO_DATE, kind="syslog")
ELSEWHERE = replace(UP_TO_DATE, source="other")
LIVE: dict[str, tuple[str, str, SourceHealth, int, State, str, str]] = {
    "up to date": (ONE, "files", UP_TO_DATE, 0, State.OK, "last line 5 s ago; since it began read 20", ""),
    "behind": (ONE, "files", BEHIND, 0, State.NOTE, "3.4 MB are not read yet", "catching up"),
    "behind for long": (
        ONE, "files", replace(BEHIND, last_commit_at_us=1), 0, State.WARN, "3.4 MB are not", "disk and locks",
    ),
    "unreadable": (ONE, "files", FAILING, 0, State.WRONG, "-unreadable] no. Tried 9 s ago.", "file's group"),
    "not understood": (
        ONE, "files", replace(UP_TO_DATE, accepted=10, rejected=10), 0, State.WARN, "rejected 10", "parse",
    ),
    "killed": (ONE, "files", UP_TO_DATE, 3600, State.WRONG, "ended 60 min ago without", "goes on where"),
    "unknown to the process": (ONE, "files", ELSEWHERE, 0, State.WARN, "does not know it", "Start it again"),
    "no sender": (
        SYSLOG, "syslog", replace(FROM_SYSLOG, state="waiting"), 0, State.WARN, "no sender", "logger",
    ),
    "lost by the kernel": (
        SYSLOG, "syslog", replace(FROM_SYSLOG, dropped=7), 0, State.WRONG, "7 messages were lost", "TCP",
    ),
    "nobody listens": (SYSLOG, "files", ELSEWHERE, 0, State.WARN, "nobody listens", "wardgate up"),
}  # fmt: skip


@pytest.mark.parametrize("case", LIVE)
def test_what_is_followed_now(case: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, part, health, age_s, state, told, do = LIVE[case]
    log = home.parent / "edge.log"
    log.write_text(GOOD)
    configure(home, config.format(log))
    monkeypatch.setattr("os.getpid", lambda: 2**22 + 1)  # above the largest process id there is
    HealthFile(open_home(home), part, fixed_clock(NOW_US - age_s * SECOND)).write([health])
    (one,) = [one for one in found(checks(home), "source edge") if told in one.finding]
    assert one.state is state
    assert do in one.do if do else not one.do


def test_a_file_that_is_followed_is_not_said_to_be_unread(home: Path) -> None:
    log = ingest(home, GOOD, "--name", "edge")
    configure(home, ONE.format(log))
    log.write_text(GOOD + line(NOW)[:30])
    unread = "bytes that are not read yet"
    assert any(unread in one.finding for one in found(checks(home), "source edge"))
    HealthFile(open_home(home), "files", CLOCK).write([UP_TO_DATE])
    assert not any(unread in one.finding for one in found(checks(home), "source edge"))
