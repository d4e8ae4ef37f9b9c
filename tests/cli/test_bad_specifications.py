"""Bad specifications through the command: a code with its place, or what was left out of the import.

Nothing of it may hang, end the process, or cost without bound.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
HEAD = {"openapi": "3.0.3", "info": {"title": "x", "version": "1"}}


def document(**more: object) -> str:
    return json.dumps({**HEAD, **more})


def laughs(one: str, each: str, between: str, ends: str) -> str:
    lines = [f"x0: &a0 {one}"]
    for n in range(1, 12):
        inner = between.join(each.format(k=k, n=n - 1) for k in range(10))
        lines.append(f"x{n}: &a{n} {ends[0]}{inner}{ends[1]}")
    return "openapi: 3.0.3\n" + "\n".join(lines) + "\npaths: {}\n"


REFUSED = {
    "laughs-lists.yaml": (laughs("[lol]", "*a{n}", ",", "[]"), "specification-aliases", "line 8"),
    "laughs-objects.yaml": (laughs("{a: b}", "k{k}: *a{n}", ", ", "{}"), "specification-aliases", "line 8"),
    "self.yaml": ("openapi: 3.0.3\npaths: &a {x: *a}\n", "specification-aliases", "line 2"),
    "nothing.yaml": ("openapi: 3.0.3\npaths: *x\n", "specification-not-yaml", "line 2"),
    "tab.yaml": ("openapi: 3.0.3\npaths:\n\t/a: {}\n", "specification-not-yaml", "line 3, column 1"),
    "keys.yaml": ("openapi: 3.0.3\npaths:\n  ? [a, b]\n  : {}\n", "specification-not-yaml", "line 3"),
    "deep.yaml": ("a: " + "[" * 100_000, "specification-too-deep", "line 1"),
    "deep.json": ('{\n"a": ' + "[" * 100_000, "specification-too-deep", "line 2"),
    "deeper.json": ('{"a":\n' + "[" * 200 + "]" * 200 + "}", "specification-too-deep", "line 2"),
    "comma.json": ('{"openapi": "3.0.3",\n "paths": {,}}', "specification-not-json", "line 2, column 12"),
    "nan.json": ('{"openapi": "3.0.3",\n "NaN": NaN}', "specification-not-json", "line 2, column 9"),
    "digits.json": ('{"x": ' + "9" * 10_000 + "}", "specification-not-json", "line 1, column 7"),
    "wide.yaml": ("openapi: 3.0.3".encode("utf-16"), "specification-not-text", "byte 0"),
    "bytes.json": (bytes(range(256)), "specification-not-text", "byte 128"),
    "later.json": ('{"openapi": "4.0.0", "paths": {}}', "specification-version", "#/openapi"),
    "null.json": ('{"swagger": null}', "specification-version", "#/swagger"),
    "empty.yaml": ("", "specification-unknown", ""),
    "async.yaml": ("asyncapi: 2.6.0\nchannels: {}\n", "specification-unknown", ""),
    "bad.graphql": ("type Query {\n  a: \n}", "specification-not-graphql", "line 3, column 1"),
    "deep.graphql": ("type Query { a: " + "[" * 100_000, "specification-not-graphql", "line 1"),
    "none.json": ('{"data": {"__schema": {"types": 7}}}', "specification-not-graphql", ""),
    "bad.proto": ('syntax = "proto3";\nservice X {\n rpc }\n', "specification-not-proto", "line 3"),
    "deep.proto": ("message A {" * 10_000, "specification-too-deep", "line 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_understood_is_refused_with_its_place(run: Run, tmp_path: Path, name: str) -> None:
    content, code, place = REFUSED[name]
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = run("spec", "add", str(file))
    assert done.code == 2
    assert done.err.startswith(f"[{code}] ") and done.err.count("\n") == 1
    assert place in done.err
    assert run("spec", "list", "--json").json == {"specifications": []}


LOOPS = document(
    paths={
        "/a": {"$ref": "#/paths/~1b"},
        "/b": {"$ref": "#/paths/~1a"},
        "/c": {"get": {"parameters": [{"$ref": "#/components/parameters/P"}]}},
    },
    components={
        "parameters": {"P": {"$ref": "#/components/parameters/P"}},
        "schemas": {"S": {"$ref": "#/components/schemas/S"}},
    },
)
REMOTE = document(
    paths={
        "/a": {"$ref": "http://169.254.169.254/latest"},
        "/b": {
            "get": {
                "parameters": [{"$ref": "file:///etc/passwd"}],
                "responses": {"200": {"$ref": "o.yaml#/x"}},
            }
        },
    }
)
WRONG = document(
    paths={
        "/a": 7,
        "/b": {"get": "x", "post": {"parameters": {"a": 1}, "responses": []}},
        "/c": {"get": {"parameters": [1, {"name": 3}], "requestBody": [], "responses": {"200": 7, "9": {}}}},
    },
    components={"schemas": {"A": 3, "B": {"type": 7, "properties": [], "required": "x"}}},
)
PARTLY = {
    "loops.json": (LOOPS, 1, {
        ("reference-loop", "#/paths/~1a"), ("reference-loop", "#/paths/~1b"),
        ("reference-loop", "#/components/parameters/P")}),
    "remote.json": (REMOTE, 1, {
        ("reference-remote", "#/paths/~1a/$ref"), ("reference-remote", "#/paths/~1b/get/parameters/0/$ref"),
        ("reference-remote", "#/paths/~1b/get/responses/200/$ref")}),
    "wrong.json": (WRONG, 2, {
        ("wrong-type", "#/paths/~1a"), ("wrong-type", "#/paths/~1b/get"),
        ("wrong-type", "#/paths/~1b/post/parameters"), ("wrong-type", "#/paths/~1b/post/responses"),
        ("wrong-type", "#/paths/~1c/get/requestBody"), ("status-malformed", "#/paths/~1c/get/responses/9"),
        ("wrong-type", "#/components/schemas/A"), ("wrong-type", "#/components/schemas/B/type")}),
    "twice.json": ('{"openapi":"3.0.3","paths":{"/a":{"get":{}},"/a":{"post":{}}}}', 1,
                   {("duplicate-key", "#/paths/~1a")}),
    "twice.yaml": ("openapi: 3.0.3\npaths:\n  /a: {get: {}}\n  /a: {post: {}}\n", 1,
                   {("duplicate-key", "line 4")}),
    "tagged.yaml": ("openapi: 3.0.3\npaths: {/a: {get: {}}}\nx: !!python/object:os.x [id]\ny: !z 1\n",
                    1, {("tag-unknown", "line 4")}),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTLY)
def test_what_is_half_right_is_taken_in_and_the_rest_is_told(run: Run, tmp_path: Path, name: str) -> None:
    content, operations, notes = PARTLY[name]
    file = tmp_path / name
    file.write_text(content)
    done = run("spec", "add", str(file), "--json")
    assert done.code == 0, done.err
    assert done.json["operations"] == operations
    assert {(one["code"], one["place"]) for one in done.json["notes"]} >= notes
    assert done.json["left_out"] >= len(notes)
    assert run("spec", "diff", "--json").code in (0, 1)


def schemas_that_fan_out() -> str:
    """Ten references each, thirty deep: 10**30 shapes if each were followed."""
    inner = {
        f"S{n}": {"type": "object", "properties": {f"p{k}": {"$ref": f"#/x/S{n + 1}"} for k in range(10)}}
        for n in range(30)
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/x/S0"}}}}
    return document(paths={"/a": {"get": {"responses": {"200": body}}}}, x=inner)


def many_paths() -> str:
    answer = {"responses": {"200": {"description": ""}}}
    return document(paths={f"/p{n}/{{id}}/x": {"get": answer} for n in range(100_000)})


@pytest.mark.parametrize(("make", "operations"), [(many_paths, 100_000), (schemas_that_fan_out, 1)])
def test_what_is_large_costs_bounded_time_and_memory(
    home: Path, tmp_path: Path, make: Callable[[], str], operations: int
) -> None:
    file = tmp_path / "large.json"
    file.write_text(make())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [Path(sys.executable).parent / "wardgate", "--home", home, "spec", "add", file, "--json"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["operations"] == operations
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 40, "6 CPU-seconds where nothing else runs"
    assert after.ru_maxrss < 1_500_000, "kB; 0.42 GB as measured"
