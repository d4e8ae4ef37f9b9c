"""Every way of presenting a credential in logs that come by syslog: found once, never in clear."""

import json
import socket
import time
from threading import Event, Thread

import pytest
from records import SOURCES
from ways import WAYS

from wardgate.core.clock import system_clock
from wardgate.core.home import Home
from wardgate.core.settings import SyslogSettings
from wardgate.lake.tables import TABLES
from wardgate.pipeline import Pipeline
from wardgate.service.opening import Reading
from wardgate.service.syslog_lanes import SyslogSource
from wardgate.service.syslog_listener import SyslogListener
from wardgate.service.writer import Writer
from wardgate.sources.format import Options


@pytest.mark.parametrize("name", ["nginx", "wardgate-jsonl", "haproxy, no captures", "f5-asm-cef"])
def test_each_way(pipeline: Pipeline, home: Home, source: str, name: str) -> None:
    writes = SOURCES[name]
    ways = [way for way in WAYS if writes.shows(way)]
    messages = [
        b"<190>1 2026-01-01T00:00:01Z web1 app 7 - - " + line for line in writes.write(ways).splitlines()
    ]
    writer = Writer(pipeline, gather_s=0)
    settings = SyslogSettings(udp="127.0.0.1:0", tcp="127.0.0.1:0", max_message_bytes=60_000)
    reading = Reading(format=writes.format, options=Options(layout=writes.layout))
    listener = SyslogListener(
        pipeline, writer, [SyslogSource(source, reading)], settings, home, system_clock, gather_s=0.05
    )
    stop = Event()
    thread = Thread(target=listener.run, args=[stop])
    thread.start()
    try:
        assert listener.is_ready.wait(60)
        with socket.create_connection(listener.addresses["tcp"]) as sender:
            sender.sendall(b"".join(b"%d %s" % (len(one), one) for one in messages))
        deadline = time.monotonic() + 60
        sql = "SELECT credentials FROM lake.calls WHERE source = ? ORDER BY position"
        while len(rows := pipeline.lake.rows(sql, [source]).to_pylist()) < len(ways):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join(60)
        writer.close()
    found = {
        way.name: [(one["kind"], one["place"]) for one in row["credentials"] or ()]
        for way, row in zip(ways, rows, strict=True)
    }
    assert found == {way.name: [(way.kind, way.place)] for way in ways}
    kept = "".join(
        json.dumps(row, default=str)
        for table in TABLES
        for row in pipeline.lake.rows(f"SELECT * FROM lake.{table}").to_pylist()
    )
    raw = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    secrets = {one for way in ways for one in way.secrets}
    assert [one for one in secrets if one in kept or one.encode() in raw] == []
