"""Every content rule against what every rule must do. The messages are for a rule's author."""

import re
import time
from urllib.parse import quote

import pyarrow as pa
import pytest
import re2

from wardgate.core.errors import WardgateError
from wardgate.match.signals.catalogue import BUILTIN_RULES, content_rules
from wardgate.match.signals.noticing import Noticing, noticing
from wardgate.match.signals.shape import ContentRule, Side

ASKING = [one for one in BUILTIN_RULES if one.patterns]
each_rule = pytest.mark.parametrize("rule", ASKING, ids=lambda one: one.name)
EVERYDAY = [
    "/",
    "/api/v1/users/42",
    "/favicon.ico",
    "q=hello+world",
    "page=2&limit=50&sort=-created",
    "name=O%27Brien",
    "email=a%40b.example",
    "date=2026-01-01T10%3A00%3A00Z",
    "ids=1%2C2%2C3",
    "filter=status%3Aopen",
    "q=rock+%26+roll",
    "url=https%3A%2F%2Fexample.org%2Fa%3Fb%3Dc",
    "text=What%27s+new%3F+%28really%29",
    "tags%5B%5D=a&tags%5B%5D=b",
    "$filter=Price%20gt%2020&$select=Name",
    "q=C%2B%2B",
    "q=50%25+off",
    "path=/a/b/c.txt",
    "lang=en-US%2Cen%3Bq%3D0.9",
    "query=%7Buser%28id%3A1%29%7Bname%7D%7D",
    "/docs/union-select-committee",
    "/scripts/app.js",
    "q=drop+table+leg",
    "q=how+to+select+a+plan+from+the+list",
    "note=see+%3Cbelow%3E",
    "/wiki/Bash_(Unix_shell)",
    "q=cat+%3B+dog",
    "/a;jsessionid=1",
]
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows; U; Windows NT 6.1; id; rv:1.9.2) Gecko/20100115 Firefox/3.6",
    "https://www.google.com/search?q=union+square&oq=select",
]


@each_rule
def test_a_rule_says_what_it_is(rule: ContentRule) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", rule.name), "names are lower case, with dashes"
    assert rule.title and rule.reference, "say what people read, and which weakness or standard it is about"
    assert rule.sides and rule.version >= 1
    assert len(rule.found) >= 2 and len(rule.passed) >= 2, "give examples of both"


@each_rule
def test_a_rule_notices_its_examples_also_when_encoded(rule: ContentRule) -> None:
    known = Noticing([rule])
    side = sorted(rule.sides)[0]
    for text in rule.found:
        forms = {text, f"a=1&b={quote(text, safe='')}", quote(text), quote(quote(text))}
        for form in forms if "%" not in text else {text}:
            assert len(known.notice(pa.array(["/plain", form]), side).text), f"{rule.name} misses {form!r}"


@each_rule
def test_a_rule_passes_its_counterexamples_and_everyday_values(rule: ContentRule) -> None:
    known = Noticing([rule])
    for side in rule.sides:
        for text in (*rule.passed, *(AGENTS if side is Side.HEADER else EVERYDAY)):
            assert not known.of(text, side), f"{rule.name} notices {text!r}"


@pytest.mark.parametrize("side", list(Side))
def test_columns_say_what_single_texts_say(side: Side) -> None:
    known = noticing()
    texts = [text for rule in ASKING for text in (*rule.found, *rule.passed)] + EVERYDAY
    texts += (
        [quote(one) for one in texts]
        + [one.replace(" ", "+") for one in texts]
        + ["é" * 9_000 + "' or 1=1--"]
    )
    noticed = known.notice(pa.array(texts), side)
    columns = sorted(zip(noticed.text.tolist(), noticed.rule.tolist(), noticed.count.tolist(), strict=True))
    net = re2.compile(known.net(side))
    assert columns == [
        (at, rule, count)
        for at, text in enumerate(texts)
        if net.search(text)
        for rule, count in known.asked(text, side)
    ]


@each_rule
def test_hostile_text_is_asked_in_linear_time(rule: ContentRule) -> None:
    known = Noticing([rule])
    for piece in ("a", "'", "<", "../", "%25", "(", "union ", "; ", "${", "select from "):
        start = time.process_time()
        known.of(piece * (200_000 // len(piece)), sorted(rule.sides)[0])
        assert time.process_time() - start < 1


def test_everyday_values_hardly_reach_the_rules() -> None:
    assert not len(noticing().notice(pa.array(EVERYDAY), Side.QUERY).text)


def test_names_are_unique_and_packages_may_add_theirs() -> None:
    names = [one.name for one in content_rules()]
    assert len(set(names)) == len(names)


def test_a_pattern_that_is_not_linear_is_refused_by_the_rules_name() -> None:
    rule = ContentRule(name="mine", title="t", reference="r", patterns=(r"(?=a)b",))
    with pytest.raises(WardgateError, match="mine"):
        Noticing([rule])


def test_occurrences_are_counted_and_bounded() -> None:
    rule = ContentRule(name="mine", title="t", reference="r", patterns=("x1",))
    (found,) = Noticing([rule]).of("x1 " * 7, Side.BODY)
    assert found[1] == 7
    (found,) = Noticing([rule]).of("x1 " * 700, Side.BODY)
    assert found[1] == 100
