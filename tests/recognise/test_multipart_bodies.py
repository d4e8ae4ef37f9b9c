"""Multipart bodies as fields: what browsers and clients send, cut off, hostile."""

import logging
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.recognise.body_bounds import MOST_FIELDS
from wardgate.recognise.reading_bodies import read_body


def part(name: str | None, content: bytes, file: str | None = None, *more: str) -> bytes:
    own = "form-data" + (f'; name="{name}"' if name is not None else "")
    own += f'; filename="{file}"' if file is not None else ""
    head = "\r\n".join((f"Content-Disposition: {own}", *more))
    return b"--Xy7\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


END = b"--Xy7--\r\n"


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ([part("a", b"1"), part("b", b"")], {"a": "1", "b": ""}),
        ([part("tag", b"x"), part("tag", b"y"), part("tag", b"z")], {"tag": ["x", "y", "z"]}),
        ([part("user[mail]", b"m"), part("user[name]", b"n")], {"user": {"mail": "m", "name": "n"}}),
        ([part("grüße", "héllo".encode())], {"grüße": "héllo"}),
        ([part("cv", b"text", "Ann Miller.txt")], {"cv": "Ann Miller.txt\ntext"}),
        ([part("cv", b"\x89PNG" + b"\0" * 40, "a.png", "Content-Type: image/png")], {"cv": "a.png"}),
        ([part("cv", b"", "")], {"cv": ""}),
        ([part("m", b'{"a": [1]}', "m.json", "Content-Type: application/json")], {"m": {"a": [1]}}),
        ([part("m", b"<a><b>1</b></a>")], {"m": {"a": {"b": "1"}}}),
        ([part("m", b"{broken")], {"m": "{broken"}),
        ([part("m", b"--Xy8\r\n--Xy\r\n")], {"m": "--Xy8\r\n--Xy\r\n"}),
        ([part(None, b"GET /a"), part(None, b'{"a": 1}')], ["GET /a", {"a": 1}]),
        ([part(None, b"1"), part("b", b"2")], {"": "1", "b": "2"}),
    ],
)
def test_parts_are_fields(parts: list[bytes], fields: object) -> None:
    assert read_body(b"".join(parts) + END) == fields
    assert read_body(b"".join(parts) + END + b"what follows") == fields


def test_a_body_that_was_cut_off_holds_what_came_before() -> None:
    whole = part("a", b"one") + part("b", b"two and more") + END
    assert read_body(whole[: whole.index(b"and")]) == {"a": "one", "b": "two "}
    for length in range(60, len(whole)):
        held = read_body(whole[:length])
        assert held is not None
        if isinstance(held, dict) and length > whole.index(b"--Xy7", 9):
            assert held["a"] == "one"


@pytest.mark.parametrize(
    "raw",
    [
        b"-- a comment\r\nSELECT 1",
        b"--Xy7\r\nno header",
        b"--Xy7\r\nContent-Disp\xc3\xb6sition: form-data\r\n\r\n1",
        b"--" + b"x" * 200 + b"\r\nContent-Type: a/b\r\n\r\n1",
    ],
)
def test_what_is_no_multipart_body_is_a_text(raw: bytes) -> None:
    assert read_body(raw) == raw.decode()


def test_parts_are_bounded_and_hostile_ones_cost_little() -> None:
    many = b"".join(part(f"f{i}", b"x") for i in range(5_000))
    assert len(read_body(many) or "") == MOST_FIELDS
    start = time.process_time()
    for hostile in (
        part("a", b"") * 15_000,
        b"--Xy7\r\n" + b"Content-X: y\r\n" * 70_000,
        part("a", b"\r\n--Xy" * 150_000),
        b"--Xy7\r\nContent-Disposition: form-data; name=" + b"[" * 1_000_000,
        part("[" * 50_000 + "a", b"1"),
    ):
        read_body(hostile)
    assert time.process_time() - start < 5


def test_the_parser_says_nothing(caplog: pytest.LogCaptureFixture, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    for raw in (
        part("a", b"1") + b"--Xy7--trailing",
        part("a", b"1") + b"--Xy7?",
        b"--Xy7\r\nContent-Q\x00: 1",
    ):
        read_body(raw)
    assert not caplog.records
    assert capfd.readouterr().err == ""


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.text("abcdef", min_size=1), st.text("abc é-\r\n"), min_size=1, max_size=6))
def test_what_a_client_writes_is_read(sent: dict[str, str]) -> None:
    raw = b"".join(part(name, text.encode()) for name, text in sent.items()) + END
    assert read_body(raw) == sent


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.sampled_from([part("a", b"1"), END, b"--Xy7", b"\r\n", b'name="', b"\0", b";", b":"]), max_size=9
    )
)
def test_no_body_breaks_it(pieces: list[bytes]) -> None:
    read_body(b"--Xy7\r\nContent-Disposition: form-data" + b"".join(pieces))
