"""Traefik's common log format, as its documentation and its Go code write it."""

# ruff: noqa: E501 - log lines as they are

import pytest

from wardgate.sources.format import Lines, Options
from wardgate.sources.traefik_text import TraefikText, unescape_go

# Traefik documentation, Access Logs: the pattern of the common log format, with values of our own.
LINES = b"""\
192.0.2.10 - alice [14/Nov/2026:10:00:01 +0100] "GET /v1/orders?x=1 HTTP/2.0" 200 512 "https://shop.example.com/" "Mozilla/5.0 \\"q\\"" 42 "orders@docker" "http://10.0.0.5:8080" 12ms
2001:db8::7 - - [14/Nov/2026:10:00:02 +0000] "GET /nope HTTP/1.1" 404 19 "-" "-" 43 "-" "-" 0ms
192.0.2.11 - - [14/Nov/2026:10:00:02 +0000] "GET /nope HTTP/1.1" 499 - "-" "-" 44 "-" "-" 7
"""


def test_the_documented_shape() -> None:
    parsed = TraefikText().parser(Options()).parse(Lines(LINES))
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [(2, "not-format")]
    first, second = sorted(parsed.table.to_pylist(), key=lambda row: row["position"])
    assert str(first["started_at"]) == "2026-11-14 09:00:01"
    assert (first["login"], first["status"], first["duration_us"]) == ("alice", 200, 12_000)
    assert (first["service_name"], first["upstream"]) == ("orders@docker", "10.0.0.5:8080")
    assert first["user_agent"] == 'Mozilla/5.0 "q"'
    assert (second["client"], second["service_name"], second["upstream"]) == ("2001:db8::7", None, None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\"a\" \\ b\t", '"a" \\ b\t'),
        (r"caf\u00e9 \U0001f600", "café \U0001f600"),
        (r"\xc3\xa9 \xff", "é �"),
        (r"\x0", "x0"),
        (r"\U00110000 \ud800", "? ?"),
    ],
)
def test_go_strings(written: str, meant: str) -> None:
    assert unescape_go(written) == meant
