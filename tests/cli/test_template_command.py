"""`wardgate template`: one line for every distinct call of a file, with its template; nothing is kept."""

import json
from pathlib import Path

import pytest

_LIST = [
    *(f"GET https://api.example/v2/users/{n}" for n in (1, 22, 313, 4004)),
    *(f"DELETE https://api.example/v2/users/{n}" for n in (1, 22)),
    *(f"GET https://api.example/v2/users/{n}/orders" for n in (1, 22)),
    "GET https://api.example/v2/users/me?fields=name",
    "POST https://api.example/v2/users",
    "GET https://other.example:8443/v2/status",
]


def _rows(out: str) -> dict[tuple[str | None, str | None, str], str]:
    found = [json.loads(line) for line in out.splitlines()]
    assert all(set(one) == {"method", "host", "path", "template", "confidence"} for one in found)
    assert all(0 <= one["confidence"] <= 1 for one in found)
    return {(one["method"], one["host"], one["path"]): one["template"] for one in found}


def test_a_plain_list_of_calls(run, tmp_path: Path) -> None:
    file = tmp_path / "calls.txt"
    file.write_text("\n".join([*_LIST, *_LIST[:3]]) + "\n")
    found = _rows(run("template", str(file), "--json").out)
    assert len(found) == len(_LIST)
    assert found["GET", "api.example", "/v2/users/22"] == "/v2/users/{userId}"
    assert found["DELETE", "api.example", "/v2/users/1"] == "/v2/users/{userId}"
    assert found["GET", "api.example", "/v2/users/22/orders"] == "/v2/users/{userId}/orders"
    assert found["GET", "api.example", "/v2/users/me"] == "/v2/users/me"
    assert found["GET", "other.example:8443", "/v2/status"] == "/v2/status"


@pytest.mark.parametrize("prior", ["none", "missing.json.gz"])
def test_another_prior(run, tmp_path: Path, prior: str) -> None:
    file = tmp_path / "calls.txt"
    file.write_text("/a/1\n/a/2\n")
    done = run("template", str(file), "--json", "--prior", prior)
    if prior == "none":
        assert set(_rows(done.out).values()) == {"/a/{aId}"}
    else:
        assert (done.code, done.err.split()[0]) == (2, "[prior-unreadable]")


def test_a_log_that_ingest_takes(run, shop_files: Path) -> None:
    found = _rows(run("template", str(shop_files / "gateway.jsonl"), "--json").out)
    assert found
    assert all(template.count("/") == path.count("/") for (_, _, path), template in found.items())


def test_known_secrets_are_not_shown(run, tmp_path: Path) -> None:
    token = "ghp_" + "a1B2c3D4" * 5
    file = tmp_path / "calls.txt"
    file.write_text(f"GET /hooks/{token}/push\nGET /hooks/x;session=hunter22/push\n")
    done = run("template", str(file), "--json")
    assert token not in done.out and "hunter22" not in done.out
    assert len(done.out.splitlines()) == 2


def test_only_one_file_at_a_time(run, shop_files: Path) -> None:
    done = run("template", str(shop_files))
    assert (done.code, done.err.split()[0]) == (2, "[template-one-file]")


def test_bodies_of_a_har_tell_values_from_constants(run, tmp_path: Path) -> None:
    def entry(path: str, body: object) -> dict[str, object]:
        return {
            "startedDateTime": "2026-03-01T12:00:00Z",
            "time": 3,
            "request": {"method": "GET", "url": f"https://api.example{path}", "headers": []},
            "response": {
                "status": 200,
                "headers": [],
                "content": {"mimeType": "application/json", "text": json.dumps(body)},
            },
        }

    project = {"id": 1, "name": "left-pad", "owner": {"login": "azer"}}
    entries = [
        entry("/projects/azer/left-pad", project),
        entry("/projects/azer/left-pad/issues", [{"id": 9, "title": "x"}]),
        entry("/projects/azer/left-pad/issues/9", {"id": 9, "title": "x"}),
        entry("/projects/azer/left-pad/contributors", [{"login": "azer"}]),
        entry("/users/azer", {"login": "azer", "type": "user"}),
        entry("/users/azer/projects", [project]),
        entry("/status", {"ok": True}),
    ]
    file = tmp_path / "calls.har"
    file.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    rows = _rows(run("template", str(file), "--json").out)
    found = {path: template for (_, _, path), template in rows.items()}
    assert found["/users/azer"] == "/users/{userId}"
    assert found["/users/azer/projects"] == "/users/{userId}/projects"
    assert found["/projects/azer/left-pad"].count("{") == 2
    assert found["/projects/azer/left-pad/issues/9"].endswith("/issues/{issueId}")
    assert found["/status"] == "/status"
