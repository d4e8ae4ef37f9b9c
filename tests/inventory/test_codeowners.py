"""CODEOWNERS as GitHub and GitLab document it, and files nobody should have written."""

import time

import pytest

from wardgate.core.errors import WardgateError
from wardgate.inventory.codeowners import MOST_BYTES, Codeowners, parse

GITHUB = b"""\
# GitHub's own example, from "About code owners"
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""
GITLAB = b"""\
* @default-codeowner
README.md @multiple @owners
[Documentation][2] @docs-team
docs/
*.md @tech-writers
!docs/private/
^[Database] @database-team @@maintainer
model/db/
config/db/database-setup.md @docs-team
path\\ with\\ spaces/ @space
[documentation]
/top.md @late
"""


def owners(content: bytes, path: str) -> list[tuple[str, str]]:
    parsed = parse(content)
    assert parsed.left_out == ()
    return Codeowners("CODEOWNERS", parsed.lines).of(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("README.md", {"@global-owner1": 2, "@global-owner2": 2}),
        ("src/a.js", {"@js-owner": 3}),
        ("a/b.txt", {"@octo-org/octocats": 5}),
        ("build/logs/x", {"@octocat": 10}),
        ("docs/getting-started.md", {"docs@example.com": 7}),
        ("docs/build-app/troubleshooting.md", {"@global-owner1": 2, "@global-owner2": 2}),
        ("scripts/deploy.sh", {"@doctocat": 9, "@octocat": 9}),
        ("apps/web/main.go", {"@octocat": 11}),
        ("apps/github/main.go", {}),
        ("/apps/web/", {"@octocat": 11}),
        ("build/logs", {"@octocat": 10}),
        ("/scripts/", {"@doctocat": 9, "@octocat": 9}),
    ],
)
def test_github(path: str, expected: dict[str, int]) -> None:
    assert dict(owners(GITHUB, path)) == {owner: f"CODEOWNERS:{line}" for owner, line in expected.items()}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("main.c", {"@default-codeowner": 1}),
        ("README.md", {"@multiple": 2, "@owners": 2, "@tech-writers": 5}),
        ("docs/a.txt", {"@default-codeowner": 1, "@docs-team": 4}),
        ("docs/private/a.txt", {"@default-codeowner": 1}),
        ("app/model/db/user.rb", {"@default-codeowner": 1, "@database-team": 8, "@@maintainer": 8}),
        ("x/config/db/database-setup.md",
         {"@default-codeowner": 1, "@docs-team": 9, "@tech-writers": 5}),
        ("path with spaces/x", {"@default-codeowner": 1, "@space": 10}),
        ("top.md", {"@default-codeowner": 1, "@late": 12}),
    ],
)  # fmt: skip
def test_gitlab(path: str, expected: dict[str, int]) -> None:
    assert dict(owners(GITLAB, path)) == {owner: f"CODEOWNERS:{line}" for owner, line in expected.items()}


@pytest.mark.parametrize(
    ("line", "understood"),
    [
        (b"*.js @a", True),
        (b"/a/b", True),
        (b"\\#x @a", True),
        (b"*.js someone", False),
        (b"*.js me:hunter2@example.com", False),
        (b"x[a @a", False),
        (b"! @a", False),
        (b"/keys/ghp_16C7e42F292c6912E7710c838347Ae178B4a @a", False),
        (b"/" + b"a" * 2000 + b" @a", False),
    ],
)
def test_a_line_that_is_not_understood_is_told_by_its_number(line: bytes, understood: bool) -> None:
    parsed = parse(b"* @all\n" + line)
    assert (len(parsed.lines), parsed.left_out) == ((2, ()) if understood else (1, (2,)))


def test_no_pattern_costs_more_than_its_path_is_long() -> None:
    content = b"".join(b"*a" * 200 + b"b @a\n" + b"**/" * 100 + b"x @b\n" for _ in range(50))
    found = Codeowners("CODEOWNERS", parse(content).lines)
    began = time.process_time()
    assert found.of("a" * 500 + "/" + "a/" * 200) == []
    assert time.process_time() - began < 5


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * (MOST_BYTES + 1)])
def test_what_is_no_text_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(WardgateError) as refused:
        parse(content)
    assert refused.value.code == "codeowners-unreadable"
