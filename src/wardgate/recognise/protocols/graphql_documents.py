"""What a GraphQL document asks for: type and top-level fields, by the field's own name, never its alias.

Documents are parsed by graphql-core, whose parser is Python: first everything that does not tell the
top-level fields is cut away (comments, strings, arguments, nested selections), in one linear pass. So a
document of any size and depth costs its length, one whose values differ is known again, and what is left to
parse is short. Its tokens are bounded too.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from wardgate.recognise.protocols.names import MORE, MOST_LISTED
from wardgate.recognise.protocols.shape import TOO_LARGE

if TYPE_CHECKING:
    from graphql.language import ast

MOST_CHARACTERS = 200_000
MOST_TOKENS = 1_500
"""Tokens that are parsed, of what is left of a document; each costs some 5 µs."""
_MOST_FIELDS = 500
_REMEMBERED = 5_000
_MOST_REMEMBERED = 2_000
"""Characters of the longest outline that is remembered."""
_TYPENAME = "__typename"

# Each ends with its line or the document, so that none is looked through twice. What stands in no string and
# no comment, and is no brace, is of no account: numbers stand in arguments alone, which go as they are.
_TEXT = re.compile(r'#[^\n\r]*|"""(?:\\"""|[^"]|"(?!""))*(?:""")?|"(?:[^"\\\n\r]|\\.)*"?')
_MARK = re.compile(r"[{}()]")
_INLINE = re.compile(r"\.\.\.\s*(?:on\s+\w+\s*)?(?:@\w+\s*)*\Z")
_LOOK_BACK = 200
"""Characters before a brace that say whether it opens an inline fragment."""
_BEGINNING = re.compile(r"[\s,\ufeff]*(?:\{|(?:query|mutation|subscription|fragment)\b)")


def is_document(text: str) -> bool:
    """Whether a text begins as a GraphQL document does."""
    return bool(_BEGINNING.match(_without_comments(text[:2000])))


def operations_of(document: str, chosen: str | None = None) -> tuple[str, ...] | None:
    """The operations of a document, such as `query orders viewer`; the one named `chosen` if it is there.

    None where it is no document, or a schema. A document past the bounds gives `(too large)`.
    """
    if len(document) > MOST_CHARACTERS:
        return (TOO_LARGE,)
    outline = _outline(document)
    known = _remembered(outline) if len(outline) <= _MOST_REMEMBERED else _read(outline)
    if known is None:
        return None
    named = [text for name, text in known if name == chosen] if chosen else []
    return tuple(named or [text for _, text in known])


def _without_comments(text: str) -> str:
    return re.sub(r"#[^\n\r]*", "", text)


def _outline(document: str) -> str:
    """A document without comments and arguments, and with nothing inside of its top-level fields."""
    text = _TEXT.sub(_empty, document) if '"' in document or "#" in document else document
    out: list[str] = []
    depth = inside = inline = begin = 0
    for mark in _MARK.finditer(text):
        at, sign = mark.start(), mark[0]
        if depth <= 1 and (inside or sign == "("):
            inside += {"(": 1, ")": -1}.get(sign, 0)
            if inside == 1 and sign == "(":
                out.append(text[begin:at])
            elif not inside:
                begin = at + 1
        elif sign == "{":
            if depth == 1 and _INLINE.search("".join(out[-1:])[-_LOOK_BACK:] + text[begin:at][-_LOOK_BACK:]):
                inline += 1  # its fields are top-level fields
                continue
            depth += 1
            if depth == 2:
                out.append(text[begin:at])
        elif sign == "}" and depth == 1 and inline:
            inline -= 1
        elif sign == "}" and depth:
            depth -= 1
            if depth == 1:
                begin = at + 1
    if depth < 2 and not inside:
        out.append(text[begin:])
    return "".join(out)


def _empty(found: re.Match[str]) -> str:
    return "" if found[0].startswith("#") else '""'


def _read(outline: str) -> tuple[tuple[str | None, str], ...] | None:
    """(name, type and fields) of each operation of an outline."""
    from graphql import GraphQLError, parse  # a tenth of what a start takes: only where it is spoken
    from graphql.language import ast

    try:
        document = parse(outline, no_location=True, max_tokens=MOST_TOKENS)
    except GraphQLError as error:
        return ((None, TOO_LARGE),) if "tokens" in error.message else None
    except RecursionError:
        return None
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, ast.FragmentDefinitionNode)
    }
    found = []
    for one in document.definitions:
        if isinstance(one, ast.OperationDefinitionNode) and one.selection_set.selections:
            name = one.name.value if one.name else None
            found.append((name, " ".join([one.operation.value, *_fields(one, fragments)])))
    return tuple(found) or None


_remembered = lru_cache(_REMEMBERED)(_read)


def _fields(
    operation: "ast.OperationDefinitionNode", fragments: "dict[str, ast.FragmentDefinitionNode]"
) -> list[str]:
    """Names of the top-level fields, sorted, through fragments; each fragment once, so that cycles end."""
    from graphql.language import ast

    found: set[str] = set()
    followed: set[str] = set()
    waiting = [operation.selection_set]
    while waiting and len(found) < _MOST_FIELDS:
        for one in waiting.pop().selections:
            if isinstance(one, ast.FieldNode):
                found.add(one.name.value)
            elif isinstance(one, ast.InlineFragmentNode):
                waiting.append(one.selection_set)
            elif isinstance(one, ast.FragmentSpreadNode) and one.name.value not in followed:
                followed.add(one.name.value)
                if one.name.value in fragments:
                    waiting.append(fragments[one.name.value].selection_set)
    if len(found) > 1:
        found.discard(_TYPENAME)  # clients add it everywhere
    names = sorted(found)
    return [*names[:MOST_LISTED], *([MORE] if len(names) > MOST_LISTED else [])]
