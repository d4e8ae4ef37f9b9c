"""NGINX: the documented variables, and the fast path equal to the reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.sources.format import Lines, Options
from wardgate.sources.nginx import COMBINED, Nginx, nginx_layout
from wardgate.sources.text_lines import TextParser

GOOD = b'203.0.113.9 - alice [14/Nov/2026:10:00:01 +0200] "GET /a?x=1 HTTP/1.1" 200 512 "-" "curl/8.1"\n'


def test_combined_line() -> None:
    parsed = Nginx().parser(Options()).parse(Lines(GOOD))
    (row,) = parsed.table.to_pylist()
    assert row["ended_at"].isoformat() == "2026-11-14T08:00:01"
    assert (row["method"], row["target"], row["http_version"]) == ("GET", "/a?x=1", "HTTP/1.1")
    assert (row["status"], row["response_bytes"], row["login"], row["client"]) == (
        200,
        512,
        "alice",
        "203.0.113.9",
    )
    assert row["user_agent"] == "curl/8.1"
    assert row["req.referer"] is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "not-format"),
        (GOOD[:50], "not-format"),
        (GOOD.replace(b"14/Nov", b"99/Nov"), "bad-time"),
        (GOOD.replace(b"GET /a?x=1 HTTP/1.1", b"\\x16\\x03\\x01"), "bad-request"),
        (GOOD.replace(b" 200 ", b" 2x0 "), "bad-value"),
    ],
)
def test_lines_that_do_not_fit_are_kept_with_their_reason(line: bytes, reason: str) -> None:
    parsed = Nginx().parser(Options()).parse(Lines(GOOD * 3 + line.strip() + b"\n" + GOOD * 2, first=10))
    assert parsed.accepted == 5
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [(13, reason)]
    assert sorted(parsed.table["position"].to_pylist()) == [10, 11, 12, 14, 15]


_fields = st.text(st.sampled_from([*'ab /?"\\x[]-_ \r\0\t', "é", "\ud83d"]), max_size=12)
_lines = st.one_of(
    st.builds(
        lambda ip, path, status, agent: (
            f'{ip} - - [14/Nov/2026:10:00:01 +0000] "GET /{path} HTTP/1.1" {status} 5 "-" "{agent}"'
        ),
        st.sampled_from(["1.2.3.4", "::1", "-", ""]),
        _fields,
        st.sampled_from(["200", "-", "", "abc", "99999"]),
        _fields,
    ),
    _fields,
)


@given(st.lists(_lines, max_size=8))
def test_the_fast_path_means_what_the_reference_means(lines: list[str]) -> None:
    data = "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass")
    layout = nginx_layout(COMBINED)
    fast = TextParser(layout).parse(Lines(data))
    slow = TextParser(layout, fast=False).parse(Lines(data))
    assert fast.read == slow.read == data.count(b"\n")
    assert fast.skipped == slow.skipped
    assert [(r.position, r.reason) for r in fast.rejects] == [(r.position, r.reason) for r in slow.rejects]
    rows = [sorted(p.table.to_pylist(), key=lambda row: row["position"]) for p in (fast, slow)]
    assert rows[0] == rows[1]
