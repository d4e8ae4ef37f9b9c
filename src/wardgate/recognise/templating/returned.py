"""What answers that were sighted say of a service's segments, as `learn` takes it.

The lake keeps of bodies only keyed ids of the identifiers in them (`Node.objects`). A segment whose own id is
among them stands in bodies as an identifier; one below a path whose answers return it is listed there.
"""

from urllib.parse import unquote

import pyarrow as pa

from wardgate.core.object_ids import ObjectIds
from wardgate.recognise.templating.surroundings import BODIES, IN_BODY_AS_ID, LISTED, LISTS
from wardgate.recognise.templating.trie import LIST, Node, Trie


def returned(trie: Trie, ids: ObjectIds) -> dict[str, int]:
    """Bits by segment and by path; empty where no answer's body was sighted."""
    nodes = list(_nodes(trie))
    if not any(node.shapes or node.objects for _, node in nodes):
        return {}
    known = {one for _, node in nodes for one in node.objects}
    segments = sorted({segment for _, node in nodes for segment in node.children}) if known else []
    own = dict(zip(segments, identified(segments, ids), strict=True))
    held = {segment: IN_BODY_AS_ID for segment, one in own.items() if one in known}
    for path, node in nodes:
        if LIST in node.objects:
            held[path] = held.get(path, 0) | LISTS
        for segment in node.children if node.objects else ():
            if own[segment] in node.objects:
                below = f"{path}/{segment}"
                held[below] = held.get(below, 0) | LISTED
    return {**held, "": BODIES | held.get("", 0)}


def identified(segments: list[str], ids: ObjectIds) -> list[int]:
    """The keyed ids of segments, as bodies spell them."""
    found: list[int] = ids.of(pa.array([unquote(one) for one in segments], pa.string())).tolist()
    return found


def _nodes(trie: Trie) -> list[tuple[str, Node]]:
    out = []
    waiting = [("", trie.root)]
    while waiting:
        path, node = waiting.pop()
        out.append((path, node))
        waiting += [(f"{path}/{segment}", child) for segment, child in node.children.items()]
    return out
