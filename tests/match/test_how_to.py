"""The class that `docs/how-to/add-a-data-class.md` writes is one that the conformance suite accepts."""

import re
from pathlib import Path

from wardgate.match.classes.shape import DataClass
from wardgate.match.finder import Finder

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-data-class.md"


def test_the_page_writes_a_class_that_works() -> None:
    written = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert written is not None
    names: dict[str, object] = {}
    exec(written[1], names)
    one = names["MEMBER_NUMBER"]
    assert isinstance(one, DataClass)
    known = Finder([one])
    assert [bool(known.classes_of(value, name)) for name, value in one.found] == [True] * 3
    assert [bool(known.classes_of(value, name)) for name, value in one.passed] == [False] * 3
