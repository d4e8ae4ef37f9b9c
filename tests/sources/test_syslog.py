"""Syslog headers as standards give them and as programs write them; frames of a byte stream, however cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.observed import Reason
from wardgate.sources.syslog import read_message
from wardgate.sources.syslog_framing import Frame, Framer

ACCESS = b'198.51.100.7 - - [14/Nov/2026:10:00:01 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8.1"'


@pytest.mark.parametrize(
    ("raw", "host", "app", "content"),
    [
        # RFC 5424, section 6.5, examples 1 to 4
        (
            b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed "
            b"for lonvick on /dev/pts/8",
            "mymachine.example.com",
            "su",
            b"'su root' failed for lonvick on /dev/pts/8",
        ),
        (
            b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the "
            b"do-nuts.",
            "192.0.2.1",
            "myproc",
            b"%% It's time to make the do-nuts.",
        ),
        (
            b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 "
            b'iut="3" eventSource="Application" eventID="1011"] '
            b"\xef\xbb\xbfAn application event log entry...",
            "mymachine.example.com",
            "evntslog",
            b"An application event log entry...",
        ),
        (
            b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 "
            b'iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]',
            "mymachine.example.com",
            "evntslog",
            b"",
        ),
        # RFC 5424, section 6.3.5: escapes inside structured data
        (b'<165>1 - - - - - [a@1 x="\\]\\"\\\\"] hello', "", "", b"hello"),
        # RFC 3164, section 5.4, examples 1 and 2
        (
            b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
            "mymachine",
            "su",
            b"'su root' failed for lonvick on /dev/pts/8",
        ),
        (b"Use the BFG!", "", "", b"Use the BFG!"),
        # NGINX, "Logging to syslog": with a host and with `nohostname`
        (b"<190>Nov 14 10:00:01 web1 nginx: " + ACCESS, "web1", "nginx", ACCESS),
        (b"<190>Nov 14 10:00:01 nginx: " + ACCESS, "", "nginx", ACCESS),
        # HAProxy, "log" with format rfc3164 and without a host
        (
            b"<134>Nov 14 10:00:01 haproxy[14389]: 10.0.1.2:33317 [x] y",
            "",
            "haproxy",
            b"10.0.1.2:33317 [x] y",
        ),
        (b"<134>Nov  4 10:00:01 lb haproxy[1]: 10.0.1.2:3 [x] y", "lb", "haproxy", b"10.0.1.2:3 [x] y"),
        # F5 BIG-IP ASM: no space after the tag
        (
            b'<130>Nov 14 10:00:01 bigip1.example.com ASM:unit_hostname="bigip1"',
            "bigip1.example.com",
            "ASM",
            b'unit_hostname="bigip1"',
        ),
        # rsyslog's RSYSLOG_ForwardFormat: ISO 8601 in the old layout
        (b"<13>2026-11-14T10:00:01.123456+01:00 web1 app[7]: hi", "web1", "app", b"hi"),
        (b'<13>Nov 14 10:00:01 web1 envoy: @cee: {"a":1}', "web1", "envoy", b'{"a":1}'),
        (b'<13>Nov 14 10:00:01 web1 {"a":1}', "web1", "", b'{"a":1}'),
        (b'<13>Nov 14 10:00:01 {"a":1}', "", "", b'{"a":1}'),
        (b'<13>{"a":1}', "", "", b'{"a":1}'),
        (b"<13>kong: x", "", "kong", b"x"),
        (b"<13>http://example.com/", "", "", b"http://example.com/"),
        (b"<13>" + ACCESS, "", "", ACCESS),
        (ACCESS, "", "", ACCESS),
        (b"<13>Nov 14 10:00:01 fe80::1 app: x\r\n\0", "fe80::1", "app", b"x"),
        (b"<13>Nov 14 10:00:01 h a: one\ntwo\n", "h", "a", b"one two"),
        (b"", "", "", b""),
        (b"<", "", "", b"<"),
        (b"<999999>x", "", "", b"<999999>x"),
        (b"<34>1 2003-10-11T22:14:15Z half", "", "", b"1 2003-10-11T22:14:15Z half"),
    ],
)
def test_headers(raw: bytes, host: str, app: str, content: bytes) -> None:
    message = read_message(raw)
    assert (message.host, message.app, message.content) == (host, app, content)


@settings(max_examples=300, derandomize=True, database=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"<34>", b"<34>1 - - - - - ", b"<34>Nov 14 10:00:01 "]))
def test_no_bytes_are_too_strange(raw: bytes, front: bytes) -> None:
    message = read_message(front + raw)
    assert b"\n" not in message.content
    assert len(message.content) <= len(front + raw)


def test_a_hostile_header_takes_no_time() -> None:
    read_message(b"<34>1 - - - - - " + b'[a b="' + b"\\" * 500_000)
    read_message(b"<34>1 - - - - - " + b"[a]" * 200_000 + b"[")
    read_message(b"<34>Nov 14 10:00:01 " + b"a" * 1_000_000)


def frames(*chunks: bytes, longest: int = 100, is_closed: bool = True) -> list[Frame]:
    framer = Framer(longest)
    found = [frame for chunk in chunks for frame in framer.feed(chunk)]
    return found + framer.end(is_closed=is_closed)


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"<1>a\n<1>b\n", [b"<1>a", b"<1>b"]),
        (b"<1>a\n<1>b", [b"<1>a", b"<1>b"]),
        (b"4 <1>a5 <1>bc", [b"<1>a", b"<1>bc"]),
        (b"4 <1>a\n5 <1>bc\n", [b"<1>a", b"<1>bc"]),
        (b"6 <1>a\nb<1>c\n4 <1>d", [b"<1>a\nb", b"<1>c", b"<1>d"]),
        (b"198.51.100.7 - -\n17 is no count\n", [b"198.51.100.7 - -", b"17 is no count"]),
        (b"<1>a\n\n<1>b\n", [b"<1>a", b"", b"<1>b"]),
        (b"", []),
        (b"\n", [b""]),
    ],
)
def test_frames(stream: bytes, expected: list[bytes]) -> None:
    assert [one.data for one in frames(stream)] == expected
    assert [one.data for one in frames(*(stream[i : i + 1] for i in range(len(stream))))] == expected


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"<1>" + b"x" * 500 + b"\n<1>b\n", [Reason.TOO_LONG, None]),
        (b"500 <1>" + b"x" * 497 + b"4 <1>b", [Reason.TOO_LONG, None]),
        (b"999999999 <1>x", [Reason.TOO_LONG]),
        (b"50 <1>x", [Reason.TRUNCATED]),
    ],
)
def test_what_is_too_long_or_cut_is_one_message(stream: bytes, expected: list[Reason | None]) -> None:
    assert [one.fault for one in frames(stream)] == expected
    assert [one.fault for one in frames(*(stream[i : i + 7] for i in range(0, len(stream), 7)))] == expected


def test_a_line_is_whole_only_when_the_sender_closed() -> None:
    assert frames(b"<1>a", is_closed=False) == [Frame(b"<1>a", Reason.TRUNCATED)]


@settings(max_examples=200, derandomize=True, database=None)
@given(
    st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=12),
    st.lists(st.integers(1, 60), max_size=20),
)
def test_frames_do_not_depend_on_how_the_stream_is_cut(
    messages: list[tuple[bytes, bool]], cuts: list[int]
) -> None:
    stream = b""
    expected = []
    for raw, is_counted in messages:
        data = b"<1>" + (raw if is_counted else raw.replace(b"\n", b" "))
        expected.append(data)
        stream += b"%d %s" % (len(data), data) if is_counted else data + b"\n"
    chunks, at = [], 0
    for cut in cuts:
        chunks.append(stream[at : at + cut])
        at += cut
    assert [one.data for one in frames(*chunks, stream[at:])] == expected
