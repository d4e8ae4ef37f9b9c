"""The fast path against the pattern where quotes are hostile: a line means the same in any company."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.observed import Parsed
from wardgate.sources.aws_alb import alb_layouts
from wardgate.sources.envoy_format import envoy_layout
from wardgate.sources.envoy_text import ENVOY
from wardgate.sources.format import Lines
from wardgate.sources.haproxy_layout import HTTP, haproxy_layouts
from wardgate.sources.layout import Layout
from wardgate.sources.nginx import COMBINED, nginx_layout
from wardgate.sources.text_lines import TextParser
from wardgate.sources.traefik_text import traefik_layout

LAYOUTS: dict[str, tuple[Layout, str]] = {
    "nginx": (
        nginx_layout(COMBINED),
        '1.2.3.4 - al [14/Nov/2026:10:00:01 +0000] "GET /a HTTP/1.1" 200 5 "-" "agent x"',
    ),
    "envoy": (
        envoy_layout(ENVOY),
        '[2026-04-15T20:17:00.310Z] "POST /a HTTP/2" 204 - 154 0 226 100 "-" "ua" "id" "host" "10.0.2.1:80"',
    ),
    "traefik": (
        traefik_layout(),
        '1.2.3.4 - - [14/Nov/2026:10:00:01 +0000] "GET /a HTTP/2.0" 200 5 "-" "ua" 1 "r" "http://u" 12ms',
    ),
    "haproxy": (
        haproxy_layouts(HTTP)[0],
        "1.2.3.4:5 [06/Feb/2026:12:14:14.655] in b/s 1/0/3/6/9 200 27 - - ---- 1/1/1/1/0 0/0 {h|u} {} "
        '"GET /a HTTP/1.1"',
    ),
    "alb": (
        alb_layouts()[0][0],
        "h2 2026-07-02T22:22:51.366641Z app/lb/1 192.0.2.40:48160 10.0.0.66:9000 0.0 0.002 0.0 200 200 5 257 "
        '"GET https://a:443/ HTTP/2.0" "curl" - - arn "Root=1" "-" "-" 1 2026-07-02T22:22:51.364000Z "f" "-" '
        '"-" "x" "200" "-" "-" TID_1',
    ),
}
_edit = st.tuples(
    st.floats(0, 1, exclude_max=True, width=16),
    st.sampled_from(['"', '""', ' "', '" ', '"x', 'x"', " ", "  ", "", "-", "nan", "1e999", "0", "]", "\t"]),
    st.integers(0, 6),
)


def edited(line: str, edits: list[tuple[float, str, int]]) -> str:
    for where, text, cut in edits:
        at = int(len(line) * where)
        line = line[:at] + text + line[at + cut :]
    return line


def outcome(parsed: Parsed) -> tuple[object, ...]:
    rows = sorted(parsed.table.to_pylist(), key=lambda row: row["position"])
    present = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return present, [(one.position, one.reason, one.raw) for one in parsed.rejects], parsed.skipped


@pytest.mark.parametrize("name", LAYOUTS)
def test_hostile_quotes(name: str) -> None:
    layout, line = LAYOUTS[name]
    fast, slow = TextParser(layout), TextParser(layout, fast=False)

    @settings(derandomize=True, max_examples=80, deadline=None)
    @given(st.lists(st.lists(_edit, max_size=3), min_size=1, max_size=5))
    def run(all_edits: list[list[tuple[float, str, int]]]) -> None:
        lines = [edited(line, edits) for edits in all_edits]
        data = "".join(one + "\n" for one in lines).encode()
        assert outcome(fast.parse(Lines(data))) == outcome(slow.parse(Lines(data)))

    run()


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_where_a_dash_must_stand(name: str) -> None:
    """A delimiter too many moves the fields on; an empty column is no dash."""
    layout, line = LAYOUTS[name]
    delimiter = layout.delimiter
    start = delimiter + line.split(delimiter, 1)[1]
    odd = [start, delimiter + start, line.replace(f"{delimiter}-{delimiter}", delimiter * 2, 1)]
    data = "\n".join([line, *odd, line, ""]).encode()
    fast, slow = TextParser(layout), TextParser(layout, fast=False)
    assert outcome(fast.parse(Lines(data))) == outcome(slow.parse(Lines(data)))
    for one in odd:
        alone = Lines(one.encode())
        assert outcome(fast.parse(alone)) == outcome(slow.parse(alone))


def test_lines_do_not_make_up_for_one_another() -> None:
    """One line lacks two quotes, another has two more: the sum is right, the lines are not."""
    layout, line = LAYOUTS["nginx"]
    lacking = line.replace('"GET /a HTTP/1.1"', "GET")
    surplus = line.replace("1.2.3.4", '"1.2.3.4"')
    data = "\n".join([line, lacking, surplus, line, ""]).encode()
    parsed = TextParser(layout).parse(Lines(data))
    assert [(one.position, str(one.reason)) for one in parsed.rejects] == [(1, "not-format")]
    assert sorted(parsed.table["position"].to_pylist()) == [0, 2, 3]
    assert outcome(parsed) == outcome(TextParser(layout, fast=False).parse(Lines(data)))
