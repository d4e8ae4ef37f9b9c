"""XML bodies as fields: elements, attributes, SOAP; entities and pages are texts."""

import time
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardgate.match.finder import LONGEST
from wardgate.recognise.body_bounds import MOST_DEPTH, MOST_VALUES
from wardgate.recognise.reading_bodies import read_body

SOAP = "http://www.w3.org/2003/05/soap-envelope"
NIL = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil'


@pytest.mark.parametrize(
    ("raw", "held"),
    [
        ("<a>1</a>", {"a": "1"}),
        ('<?xml version="1.0" encoding="utf-8"?>\n<a><b>1</b><c> x </c></a>', {"a": {"b": "1", "c": "x"}}),
        ("\ufeff  <a/>", {"a": ""}),
        ("<!-- c --><a><b/></a>", {"a": {"b": ""}}),
        ("<a><b>1</b><b>2</b><b><c/></b></a>", {"a": {"b": ["1", "2", {"c": ""}]}}),
        ('<a id="7" xmlns="urn:x" xmlns:p="urn:y" p:k="v">t</a>', {"a": {"@id": "7", "@k": "v", "$": "t"}}),
        ("<a>one<b/>two</a>", {"a": {"b": "", "$": "onetwo"}}),
        ("<a><![CDATA[<x>&]]>&amp;&#65;</a>", {"a": "<x>&&A"}),
        (f'<a><b {NIL}="true"/><c {NIL}="false"/></a>', {"a": {"b": None, "c": ""}}),
        (
            f'<e:Envelope xmlns:e="{SOAP}"><e:Body><m:Get xmlns:m="urn:m"><m:id>7</m:id></m:Get>'
            "</e:Body></e:Envelope>",
            {"Envelope": {"Body": {"Get": {"id": "7"}}}},
        ),
    ],
)
def test_elements_are_fields(raw: str, held: object) -> None:
    assert read_body(raw.encode()) == held


def test_the_declared_encoding_counts() -> None:
    assert read_body('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>'.encode("latin-1")) == {"a": "é"}


@pytest.mark.parametrize(
    "raw",
    [
        '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        '<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><a/>',
        "<a>&e;</a>",
        "<a><b></a>",
        "<a>",
        "<a/><b/>",
        "<html><p>x</p></html>",
        '<div class="x">text</div>',
        "<!doctype html><p>x",
        '<?xml version="1.0" encoding="utf-99"?><a/>',
        "<a>\x01</a>",
        "< a>",
        "<1/>",
    ],
)
def test_what_is_no_document_or_is_not_safe_is_a_text(raw: str) -> None:
    assert read_body(raw.encode()) == raw


def test_depth_values_and_texts_are_bounded() -> None:
    held, depth = read_body(b"<a>" * 900 + b"x" + b"</a>" * 900), 0
    while isinstance(held, dict):
        held, depth = held["a"], depth + 1
    assert depth == MOST_DEPTH and held == ""
    many = read_body(b"<r>" + b"<i/>" * (3 * MOST_VALUES) + b"</r>")
    assert isinstance(many, dict) and isinstance(many["r"], dict)
    assert len(many["r"]["i"]) == MOST_VALUES - 1
    long = read_body(b"<r>" + b"x" * 200_000 + b"<a/>" + b"y" * 200_000 + b"</r>")
    assert isinstance(long, dict) and isinstance(long["r"], dict)
    assert len(long["r"]["$"]) == LONGEST


def test_hostile_documents_cost_little() -> None:
    start = time.process_time()
    for hostile in (
        b"<a>" * 340_000,
        b"<a " + b" ".join(b'a%d="1"' % i for i in range(90_000)) + b"/>",
        b"<a>" + b"&amp;" * 200_000 + b"</a>",
        b"<a>" + b"<!-- -->" * 120_000 + b"</a>",
        b'<!DOCTYPE a [<!ENTITY b "%s">]><a>%s</a>' % (b"x" * 10_000, b"&b;" * 100_000),
        b"<" + b"a" * 1_000_000,
    ):
        read_body(hostile)
    assert time.process_time() - start < 10


TREES = st.recursive(
    st.text("abc <>&é", min_size=1).map(str.strip).filter(bool),
    lambda inner: st.dictionaries(st.sampled_from("abcdef"), inner, min_size=1, max_size=4),
    max_leaves=10,
)


def written(name: str, held: object) -> str:
    inner = "".join(written(*one) for one in held.items()) if isinstance(held, dict) else escape(str(held))
    return f"<{name}>{inner}</{name}>"


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(TREES)
def test_what_is_written_is_read(tree: object) -> None:
    assert read_body(written("root", tree).encode()) == {"root": tree}
