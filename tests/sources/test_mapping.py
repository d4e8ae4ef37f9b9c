"""Mapping files: the documented samples, and errors that name the key and what is allowed."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.core.errors import WardgateError
from wardgate.sources.access import FIELDS, NUMBERS, TEXT
from wardgate.sources.format import Lines, Options
from wardgate.sources.mapping import MappedFormat
from wardgate.sources.mapping_file import checked

PAGE = (Path(__file__).parents[2] / "docs/how-to/add-a-format.md").read_text()
SAMPLES = re.findall(r"```toml\n(.*?)```\s*```text\n(.*?)```\s*```json\n(.*?)```", PAGE, re.DOTALL)


def mapped(tmp_path: Path, text: str) -> Options:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    return Options(config=path)


@pytest.mark.parametrize(("mapping", "lines", "wanted"), SAMPLES)
def test_the_documented_samples(tmp_path: Path, mapping: str, lines: str, wanted: str) -> None:
    parsed = MappedFormat().parser(mapped(tmp_path, mapping)).parse(Lines(lines.encode()))
    assert not parsed.rejects
    (row,) = parsed.table.to_pylist()
    expected = json.loads(wanted)
    assert {
        name: value if isinstance(value, int) else str(value)
        for name, value in row.items()
        if name in expected
    } == expected


def test_the_page_shows_all_kinds_and_all_fields() -> None:
    assert sorted(tomllib.loads(mapping)["format"] for mapping, _, _ in SAMPLES) == ["csv", "json", "text"]
    told = re.search(r"<!-- fields -->(.*)<!-- /fields -->", PAGE, re.DOTALL)
    assert told is not None
    named = {name for name in re.findall(r"`([a-z_]+)`", told[1]) if name != "time_format"}
    assert named == {*FIELDS, *TEXT, *NUMBERS}


GOOD = 'format = "json"\n[fields]\nmethod = "m"\ntarget = "t"\n'
TEXT_GOOD = "format = 'text'\nlayout = '{method} {target}'\n"


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("not toml", "mapping-not-toml", "is not TOML"),
        ("", "mapping-missing-key", "'format'"),
        ('format = "xml"', "mapping-bad-value", "one of text, json, csv"),
        ('format = "json"', "mapping-missing-key", "'fields'"),
        ('format = "text"', "mapping-missing-key", "'layout'"),
        ('formt = "json"', "mapping-unknown-key", "unknown key 'formt'. Did you mean 'format'?"),
        ('stamp = "middle"\n' + GOOD, "mapping-bad-value", "'stamp' must be one of start, end"),
        ('layout = "{x}"\n' + GOOD, "mapping-bad-value", "'layout' must be absent"),
        ("precision_us = true\n" + GOOD, "mapping-bad-value", "'precision_us' must be a int"),
        ("precision_us = 0\n" + GOOD, "mapping-bad-value", "at least 1"),
        ('delimiter = ";;"\n' + GOOD.replace("json", "csv"), "mapping-bad-value", "one character"),
        ('timezone = "Mars/Base"\n' + GOOD, "timezone-unknown", "Mars/Base"),
        (GOOD + 'agent = "ua"\n', "mapping-unknown-field", "unknown field 'agent'"),
        (GOOD + 'clinet = "ip"\n', "mapping-unknown-field", "Did you mean 'client'?"),
        (GOOD + "status = 5\n", "mapping-bad-value", "'fields.status' must be a string"),
        (GOOD + 'time_text = "t"\n', "mapping-missing-key", "'time_format'"),
        (GOOD + 'time_iso = "t"\ntime_clf = "u"\n', "mapping-bad-value", "one time of"),
        (GOOD.replace("method", "status"), "mapping-no-request", "maps no request"),
        (TEXT_GOOD.replace("{target}", "{tagret}"), "mapping-unknown-field", "Did you mean 'target'?"),
        (TEXT_GOOD.replace("{target}", "{path}"), "mapping-unknown-field", "Allowed are"),
        (TEXT_GOOD.replace("{method} ", ""), "mapping-no-request", "[constant]"),
        (TEXT_GOOD.replace("{method}", "{target}"), "mapping-bad-value", "{target} twice"),
        (TEXT_GOOD + 'request_body = "x"\n', "mapping-unknown-key", "request_body"),
    ],
)
def test_a_mistake_names_its_key_and_what_is_allowed(tmp_path: Path, text: str, code: str, told: str) -> None:
    with pytest.raises(WardgateError) as error:
        MappedFormat().parser(mapped(tmp_path, text))
    assert error.value.code == code
    assert told in str(error.value)


def test_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(WardgateError, match="mapping-needed"):
        MappedFormat().parser(Options())
    with pytest.raises(WardgateError, match="mapping-unreadable"):
        MappedFormat().parser(Options(config=tmp_path / "absent.toml"))


@pytest.mark.parametrize(
    ("mapping", "lines", "outcome"),
    [
        (
            GOOD + 'status = "s"\ntime_iso = "at"\nrequest_headers = "h"\nrequest_body = "b"\n',
            b'{"m": "GET", "t": "/a", "s": "200", "h": {"X-Api-Key": "k"}, "b": {"a": 1}}\n'
            b'{"m": "GET", "t": "/a", "s": 99999}\n{"m": "GET", "t": "/a", "at": "soon"}\n{"m": "GET"}\n'
            b"nonsense\n\n",
            (1, ["bad-value", "bad-time", "missing-field", "not-json"], {"blank": 1}),
        ),
        (
            TEXT_GOOD.replace("{target}", '{target} {status} "{user_agent}"'),
            b'GET /a 200 "say \\"hi\\""\nGET /a x "-"\nGET /a\nGET nowhere 200 "-"\n',
            (1, ["bad-value", "not-format", "bad-request"], {}),
        ),
        (
            'format = "csv"\n[fields]\nmethod = "m"\ntarget = "t"\n',
            b'\nm,t\nGET,"/a,b"\nGET\nGET,/a,x\n"GET,/a\nGET,\n',
            (1, ["not-format"] * 3 + ["missing-field"], {"blank": 1, "header": 1}),
        ),
    ],
)
def test_lines_that_do_not_fit(
    tmp_path: Path, mapping: str, lines: bytes, outcome: tuple[int, list[str], dict[str, int]]
) -> None:
    parsed = MappedFormat().parser(mapped(tmp_path, mapping)).parse(Lines(lines))
    found = sorted(parsed.rejects, key=lambda one: one.position)
    assert (parsed.accepted, [str(one.reason) for one in found], parsed.skipped) == outcome
    assert parsed.read == lines.count(b"\n")


def test_a_header_line_is_remembered_between_chunks(tmp_path: Path) -> None:
    options = mapped(tmp_path, 'format = "csv"\n[fields]\nmethod = "m"\ntarget = "t"\n')
    first = MappedFormat().parser(options)
    assert first.parse(Lines(b"m,t\n")).skipped == {"header": 1}
    state = json.loads(json.dumps(first.state))
    second = MappedFormat().parser(options, state).parse(Lines(b"GET,/a\n", first=1))
    assert second.table.to_pylist()[0]["target"] == "/a"
    assert second.table["position"].to_pylist() == [1]


def test_bare_dotted_keys_are_header_names() -> None:
    written = 'req.Authorization = "auth"\n"resp.X-Cache" = "hit"\ncookie.SID = "c"\n'
    mapping = checked(tomllib.loads(GOOD + written), "mapping.toml")
    assert mapping.fields["req.authorization"] == "auth"
    assert mapping.fields["resp.x-cache"] == "hit"
    assert mapping.fields["cookie.SID"] == "c"


_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=2),
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.dictionaries(st.sampled_from(["m", "t", "s", "at", "d"]), _values, max_size=5).map(
                lambda record: json.dumps(record).encode()
            ),
            st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b"")),
        ),
        max_size=6,
    ),
    st.sampled_from(
        [
            GOOD + 'status = "s"\ntime_iso = "at"\nduration_ms = "d"\n',
            'format = "csv"\ncolumns = ["m", "t"]\n[fields]\nmethod = "m"\ntarget = "t"\n',
            "format = 'text'\nlayout = '{method}|{target}|{status}'\n",
        ]
    ),
)
def test_hostile_lines_are_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], mapping: str
) -> None:
    options = mapped(tmp_path_factory.mktemp("mapping"), mapping)
    data = b"".join(line + b"\n" for line in lines)
    parsed = MappedFormat().parser(options).parse(Lines(data))
    assert parsed.read == len(lines)
