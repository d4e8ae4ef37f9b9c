"""Hostile input: what is well written, broken at random. Shared by whatever must survive it.

`make fuzz` sets `WARDGATE_FUZZ`, how many mutations each test makes; without it they are few and the same.
"""

import os
import re
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

RUNS = int(os.environ.get("WARDGATE_FUZZ", "0"))
INSERTS = [
    b"\0", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"'", b"\\", b"\\x", b"\\u", b"\\ud800", b"\r", b"\r\n", b"\n",
    b"\n\n", b" ", b"\t", b",", b"|", b"-", b"=", b":", b"/", b"%", b"#", b"[", b"]", b"{", b"}", b"[]",
    b"{}", b"null", b"true", b"-1", b"0", b"65536", b"32768", b"1e999", b"-1e999", b"NaN", b"Infinity",
    b"9" * 19, b"9" * 400, b"0." + b"3" * 400, b"2026-99-99T99:99:99Z", b"9999-12-31T23:59:59+00:00",
    b"0001-01-01T00:00:00Z", "é漢\u2028\U0001f600".encode(), b"\xc2\x85", b"\x1e", b"\x0b",
    b"[" * 3000, b'{"a":' * 3000, b"((" * 2000, b"A" * 60_000, b"1," * 20_000, b'"' * 2000, b" " * 20_000,
    b"\\" * 5001, b"\n" * 3000, b"Gg==", b"GET http://[::1/ HTTP/1.1", b"* ", b"http://[",
]  # fmt: skip
TOKEN = re.compile(rb"[\w.:+-]+|\"[^\"\n]{0,200}\"")

share = st.floats(0, 1, exclude_max=True, width=16)
mutation = st.tuples(
    st.sampled_from(["flip", "delete", "truncate", "insert", "replace", "repeat", "swap"]),
    share,
    share,
    st.sampled_from(INSERTS),
)
mutations = st.lists(mutation, min_size=1, max_size=5)


def mutate(data: bytes, changes: list[tuple[str, float, float, bytes]]) -> bytes:
    for kind, where, how, insert in changes:
        at = int(len(data) * where)
        if kind == "flip" and data:
            data = data[:at] + bytes([data[at] ^ (1 << int(how * 8))]) + data[at + 1 :]
        elif kind == "delete":
            data = data[:at] + data[at + 1 + int(how * 40) :]
        elif kind == "truncate":
            data = data[: at + 1]
        elif kind == "insert":
            data = data[:at] + insert + data[at:]
        elif kind == "replace":
            tokens = list(TOKEN.finditer(data))
            if tokens:
                one = tokens[int(len(tokens) * where)]
                quotes = b'"' if one[0].startswith(b'"') and how < 0.5 else b""
                data = data[: one.start()] + quotes + insert + quotes + data[one.end() :]
        elif kind == "repeat":
            data = data[:at] + data[at : at + int(how * 2000)] + data[at:]
        elif kind == "swap":
            to = int(len(data) * how)
            low, high = min(at, to), max(at, to)
            data = data[high:] + data[low:high] + data[:low]
    return data


def mutated(runs: int) -> Callable[[Any], Any]:
    """Hypothesis settings: few and always the same here, many and always others under `make fuzz`."""
    return settings(
        max_examples=RUNS or runs,
        deadline=None,
        derandomize=not RUNS,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
