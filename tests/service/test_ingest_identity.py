"""Which file is which, and that each of its lines is taken once, however the file was left and comes back."""

import bz2
import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.home import Home
from wardgate.pipeline import Pipeline
from wardgate.service.claims import Claims
from wardgate.service.ingest import Ingest, Reading, SourceReport, open_input
from wardgate.sources.files import find_inputs, head_of, source_name
from wardgate.sources.rotation import belongs, unrotated

W3C_HEAD = b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
W3C_FIELDS = b"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip sc-status time-taken\n"

Run = Callable[..., SourceReport]


def line(number: int, path: str = "/v1/items") -> bytes:
    stamp = f"14/Nov/2026:{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000"
    return f'198.51.100.7 - - [{stamp}] "GET {path}/{number} HTTP/1.1" 200 12 "-" "curl/8.1"\n'.encode()


def lines(*numbers: int) -> bytes:
    return b"".join(map(line, numbers))


def w3c(number: int) -> bytes:
    return (
        f"2026-11-14 10:{number // 60:02}:{number % 60:02} 10.0.0.1 GET /a/{number} - 80 10.0.0.2 200 15\n"
    ).encode()


@pytest.fixture
def ingest(pipeline: Pipeline, source: str) -> Iterator[Run]:
    """Ingest paths as the test's source; answers its report."""

    def run(*paths: Path, form: str = "nginx") -> SourceReport:
        reading = Reading(source=source, format=form)
        (report,) = Ingest(pipeline, fixed_clock(0)).run(find_inputs(map(str, paths)), reading)
        return report

    yield run
    check_ledger(pipeline, source)


def check_ledger(pipeline: Pipeline, source: str) -> None:
    """read = accepted + rejected + skipped in every commit, and the calls are those accepted."""
    (row,) = pipeline.lake.rows(
        "SELECT coalesce(sum(read - accepted - rejected - skipped), 0)::BIGINT AS off, "
        "coalesce(sum(accepted), 0)::BIGINT AS accepted, coalesce(sum(rejected), 0)::BIGINT AS rejected, "
        "(SELECT count(*) FROM lake.calls WHERE source = $1) AS calls, "
        "(SELECT count(*) FROM lake.rejects WHERE source = $1) AS rejects "
        "FROM lake.ledger WHERE source = $1",
        [source],
    ).to_pylist()
    assert row["off"] == 0
    assert row["accepted"] == row["calls"]
    assert row["rejected"] == row["rejects"]


def taken(pipeline: Pipeline, source: str) -> list[str]:
    """Paths of the source's calls in the lake, sorted."""
    rows = pipeline.lake.rows(
        "SELECT path FROM lake.calls WHERE source = ? ORDER BY path", [source]
    ).to_pylist()
    return [row["path"] for row in rows]


def test_through_growth_rotation_and_compression(ingest: Run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2))
    assert ingest(log).read == 2
    with log.open("ab") as file:
        file.write(lines(3))
    log.rename(tmp_path / "access.log.1")
    log.write_bytes(lines(4))
    assert ingest(tmp_path / "access.log.1", log).read == 2
    old = tmp_path / "access.log.2.gz"
    old.write_bytes(gzip.compress((tmp_path / "access.log.1").read_bytes() + lines(5)))
    (tmp_path / "access.log.1").unlink()
    report = ingest(old, log)
    assert (report.read, report.before) == (1, 4)


@pytest.mark.parametrize(
    ("first", "second", "reads"),
    [
        # the format's own word on the number of records read: at first, and once the file has gone on
        (lines(1) + line(2)[:-1], lines(1, 2), (2, 0)),  # it lacked nothing but the newline
        (lines(1) + line(2)[:-1], lines(1, 2, 3), (2, 1)),
        (lines(1) + line(2)[:40], lines(1, 2, 3), (2, 2)),  # rejected as it was, taken when whole
        (line(1)[:40], lines(1, 2), (1, 2)),  # not even the first line was whole
        (line(1)[:-1], lines(1, 2), (1, 1)),
        (lines(1), lines(1), (1, 0)),
    ],
)
def test_an_unfinished_last_line_that_goes_on(
    ingest: Run,
    tmp_path: Path,
    first: bytes,
    second: bytes,
    reads: tuple[int, int],
    pipeline: Pipeline,
    source: str,
) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(first)
    assert ingest(log).read == reads[0]
    assert ingest(log).read == 0
    log.write_bytes(second)
    assert ingest(log).read == reads[1]
    log.write_bytes(second + lines(9))
    assert ingest(log).read == 1
    assert ingest(log).read == 0
    paths = taken(pipeline, source)
    assert len(set(paths)) == len(paths), "a line was taken twice"


def test_an_accepted_unfinished_line_is_not_taken_again_when_it_grows(ingest: Run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    whole = line(2).rstrip(b"\n")
    log.write_bytes(lines(1) + whole)
    assert ingest(log).accepted == 2
    log.write_bytes(lines(1) + whole + b" and more\n" + lines(3))
    report = ingest(log)
    assert (report.read, report.accepted) == (1, 1)


def test_an_unfinished_line_gone_on_in_the_compressed_file(ingest: Run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2) + line(3)[:50])
    assert ingest(log).rejected == 1
    packed = tmp_path / "access.log.1.gz"
    packed.write_bytes(gzip.compress(lines(1, 2, 3, 4)))
    log.unlink()
    report = ingest(packed)
    assert (report.read, report.accepted) == (2, 2)


def test_two_files_of_one_source_with_the_same_first_lines(
    ingest: Run, tmp_path: Path, pipeline: Pipeline, source: str
) -> None:
    start = b"service started\n"
    one, two, three = tmp_path / "a.log", tmp_path / "b.log", tmp_path / "c.log"
    one.write_bytes(start)
    assert ingest(one).read == 1
    two.write_bytes(start + lines(1))
    assert ingest(two).read == 2, "the start of a.log is not the start of b.log"
    three.write_bytes(start + lines(2, 3))
    assert ingest(three).read == 3
    one.write_bytes(start + lines(4))
    two.write_bytes(start + lines(1, 5))
    assert [ingest(path).read for path in (three, two, one)] == [0, 1, 1]
    assert len(taken(pipeline, source)) == 5


def test_the_origin_that_got_furthest_is_gone_on_with(ingest: Run, tmp_path: Path) -> None:
    short, log = tmp_path / "short.log", tmp_path / "access.log"
    short.write_bytes(lines(1))
    log.write_bytes(lines(1, 2))
    assert ingest(short).read == 1
    assert ingest(log).read == 2
    short.unlink()
    log.write_bytes(lines(1, 2, 3))
    moved = tmp_path / "elsewhere.log"
    shutil.copy(log, moved)
    log.unlink()
    assert ingest(moved).read == 1


def test_a_snapshot_of_a_log_is_the_log(ingest: Run, tmp_path: Path) -> None:
    log, copy = tmp_path / "access.log", tmp_path / "copy.log"
    log.write_bytes(lines(*range(10)))
    shutil.copy(log, copy)
    assert ingest(copy).read == 10
    log.write_bytes(lines(*range(12)))
    assert ingest(log).read == 2
    assert ingest(copy).read == 0


def test_files_that_begin_with_the_same_directives(ingest: Run, tmp_path: Path) -> None:
    one, two = tmp_path / "u_ex01.log", tmp_path / "u_ex02.log"
    one.write_bytes(W3C_HEAD + W3C_FIELDS + w3c(1))
    two.write_bytes(W3C_HEAD + W3C_FIELDS + w3c(2) + w3c(3))
    report = ingest(one, two, form="w3c")
    assert (report.read, report.accepted, report.skipped) == (9, 3, 6)
    one.write_bytes(W3C_HEAD + W3C_FIELDS + w3c(1) + w3c(4))
    report = ingest(one, two, form="w3c")
    assert (report.read, report.accepted) == (1, 1)


def test_a_file_of_directives_only_that_goes_on(ingest: Run, tmp_path: Path) -> None:
    log = tmp_path / "u_ex01.log"
    log.write_bytes(W3C_HEAD + W3C_FIELDS)
    assert ingest(log, form="w3c").skipped == 3
    for number in range(1, 4):
        with log.open("ab") as file:
            file.write(w3c(number))
        report = ingest(log, form="w3c")
        assert (report.read, report.accepted) == (1, 1)


@pytest.mark.parametrize("end", [b"", b"\n", b"\n" + line(3)])
def test_a_line_of_megabytes_keeps_the_place(ingest: Run, tmp_path: Path, end: bytes) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2) + b"x" * (3 << 20) + end)
    report = ingest(log)
    assert (report.read, report.rejected) == (3 + (len(end) > 1), 1)
    assert ingest(log).read == 0
    with log.open("ab") as file:
        file.write(b"\n" + lines(8, 9))
    assert ingest(log).accepted == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_compressed_file_that_breaks_off(
    ingest: Run, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    whole = lines(*range(60_000))
    packed = pack(whole)
    log = tmp_path / "access.log.1.gz"
    log.write_bytes(packed[: len(packed) * 2 // 3])
    report = ingest(log)
    assert report.accepted > 10_000, "what came before the break was lost"
    assert 1 <= report.rejected <= 2
    before = report.accepted
    assert ingest(log).read == 0
    log.write_bytes(packed)
    report = ingest(log)
    assert before + report.accepted == 60_000


def test_nuls_before_the_first_line(ingest: Run, tmp_path: Path) -> None:
    """copytruncate under a program that does not append: the file begins with a hole as long as it was."""
    log = tmp_path / "access.log"
    with log.open("wb") as file:
        file.truncate(3_000_000)
        file.seek(3_000_000)
        file.write(lines(1, 2))
    assert ingest(log).accepted == 2
    with log.open("ab") as file:
        file.write(lines(3))
    report = ingest(log)
    assert (report.read, report.accepted) == (1, 1)


def test_a_truncated_and_a_replaced_file(ingest: Run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(*range(50)))
    assert ingest(log).read == 50
    log.write_bytes(lines(100, 101))
    assert ingest(log).read == 2
    log.write_bytes(lines(200) * 100)
    assert ingest(log).read == 100


def test_what_is_piped_in_is_read_each_time(ingest: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        pipe = tmp_path / name
        os.mkfifo(pipe)
        writer = Thread(target=pipe.write_bytes, args=[lines(1, 2)])
        writer.start()
        assert ingest(pipe).read == 2
        writer.join()


def test_a_file_that_another_reads_is_left_to_it(
    ingest: Run, pipeline: Pipeline, tmp_path: Path, source: str
) -> None:
    log = tmp_path / "access.log"
    log.write_bytes(lines(1, 2))
    opened = open_input(
        pipeline, find_inputs([str(log)])[0], Reading(source=source, format="nginx"), fixed_clock(0)
    )
    opened.stream.close()
    others = Claims(pipeline.lake.place)
    assert others.take(opened.origin.origin_id)
    report = ingest(log)
    assert (report.read, report.busy) == (0, 1)
    others.close()
    assert ingest(log).read == 2


def test_files_of_different_formats_are_different_sources(
    pipeline: Pipeline, tmp_path: Path, source: str
) -> None:
    """They show different things, and where both saw a call it is a double."""
    jsonl = '{"method": "GET", "url": "https://a.example/v1/items/%d", "status": 200}\n'
    files = {f"{source}.log": lines(1, 2, 3), f"{source}.jsonl": (jsonl % 1).encode() * 3, source: b""}
    w3c_file = tmp_path / "iis" / f"{source}.log"
    w3c_file.parent.mkdir()
    w3c_file.write_bytes(W3C_HEAD + W3C_FIELDS + w3c(1) + w3c(2))
    for name, data in files.items():
        if data:
            (tmp_path / name).write_bytes(data)
    given = [str(tmp_path / f"{source}.log"), str(tmp_path / f"{source}.jsonl"), str(w3c_file)]
    for taken_again in (False, True):  # and once they have a name they keep it
        reports = list(Ingest(pipeline, fixed_clock(0)).run(find_inputs(given), Reading()))
        assert [(one.name, one.format) for one in reports] == [
            (source, "nginx"),
            (f"{source}.jsonl", "wardgate-jsonl"),
            (f"{source}.log", "w3c"),
        ]
        assert all(bool(one.read) is not taken_again for one in reports)


def test_claims_exclude_each_other(home: Home, pipeline: Pipeline) -> None:
    one, two = Claims(pipeline.lake.place), Claims(pipeline.lake.place)
    assert one.take(5)
    assert one.take(5), "one's own claim may be taken again"
    assert not two.take(5)
    assert two.take(6)
    one.release(5)
    assert two.take(5)
    one.close()
    two.close()


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("access.log", "access.log"),
        ("access.log.1", "access.log"),
        ("access.log.2.gz", "access.log"),
        ("access.log-20261114", "access.log"),
        ("access.log-20261114.zst", "access.log"),
        ("access.log-2026111407", "access.log"),
        ("access.log-1794657600", "access.log"),
        ("access.1.log", "access.log"),
        ("access-20261114.log", "access.log"),
        ("access.log.2026-11-14", "access.log"),
        ("access.2026-11-14.log.gz", "access.log"),
        ("access.log.2026-11-14_10-30", "access.log"),
        ("access-2026-11-14T10-00-00.000.log.gz", "access.log"),
        ("localhost_access_log.2026-11-14.txt", "localhost_access_log.txt"),
        ("access.log.old", "access.log"),
        ("node-2.log", "node-2.log"),
        ("api.v2.log", "api.v2.log"),
        ("u_ex261114.log", "u_ex261114.log"),
    ],
)
def test_names_that_rotation_gives(name: str, log: str) -> None:
    assert unrotated(name) == log
    assert belongs(name, log)
    assert source_name(Path("/var/log", name)) == source_name(Path("/var/log", log))


def test_the_head_of_a_log_is_its_first_telling_line() -> None:
    assert head_of(lines(1, 2)) == head_of(b"\n#Version: 1.0\n\n" + lines(1, 3))
    assert head_of(lines(1)) != head_of(lines(2))
    assert head_of(lines(1)[:-1]).is_open
    assert head_of(b"#Version: 1.0\n").is_open
    assert head_of(b"").is_open
    long = b"x" * 5000
    assert head_of(long) == head_of(long + b"y" * 5000 + b"\n")
    assert not head_of(long).is_open
